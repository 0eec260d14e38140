"""Real servers for a site, each on free loopback ports, ending with the test that asked: Swift, moto, nginx, Caddy."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import randbelow

import httpx
import pytest

from tagtrail.adapters.objectstore.bucket import Bucket
from tests.storage.s3 import ask

ROOT = Path(__file__).parents[2]
SERVERS = ROOT / ".venv" / "servers" / "bin"
HOSTING = ROOT / "docs" / "hosting"
WITH_US = ("setpriv", "--pdeathsig", "TERM") if shutil.which("setpriv") else ()
"""A server ends with the process that started it, also where that one is killed."""


@dataclass(frozen=True)
class Storage:
    """A server that speaks S3. `public` is what comes before /BUCKET/KEY for everybody, if it shows anything."""

    endpoint: str
    key: str
    secret: str
    public: str = ""

    def credentials(self) -> tuple[str, str]:
        return self.key, self.secret

    def make(self, name: str) -> Bucket:
        """A new bucket that everybody may read; its directories show their index.html where the server can do that."""
        asked = {"x_amz_acl": "public-read", "x_container_meta_web_index": "index.html"}
        assert ask("PUT", f"{self.endpoint}/{name}", self.key, self.secret, **asked).status_code == 200
        return Bucket(name=name, prefix="site", endpoint=self.endpoint, credentials=self.credentials)


def ports(count: int) -> list[int]:
    """Free ones, of those that the kernel gives to nobody who asks for any: free still when a server begins."""
    end = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    found: list[int] = []
    with ExitStack() as stack:
        while len(found) < count:
            port = end // 2 + randbelow(end // 2)
            with suppress(OSError):
                stack.enter_context(socket.create_server(("127.0.0.1", port)))
                found.append(port)
    return found


@contextmanager
def running(argv: Sequence[str], log: Path, url: str, **environ: str) -> Iterator[None]:
    """A server that answers at `url`, as long as the block lasts, and no longer than this process."""
    with log.open("ab") as out:
        server = subprocess.Popen([*WITH_US, *argv], stdout=out, stderr=out, env=os.environ | environ, cwd=log.parent)
    try:
        _wait(server, url, log)
        yield
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait(server: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and server.poll() is None:
        try:
            httpx.get(url, timeout=1)
        except httpx.HTTPError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"{server.args!r} does not answer at {url}:\n{log.read_text(errors='replace')[-2000:]}")


# --- object storage ---


@contextmanager
def moto(directory: Path) -> Iterator[Storage]:
    """What behaves as AWS does."""
    program, (port,) = _served("moto_server"), ports(1)
    url = f"http://127.0.0.1:{port}"
    with running([str(program), "-H", "127.0.0.1", "-p", str(port)], directory / "moto.log", url):
        yield Storage(endpoint=url, key="key", secret="secret")


@contextmanager
def swift() -> Iterator[Storage]:
    """OpenStack Swift: one replica on one device, through its S3 API; public containers by its own address."""
    _served("swift-proxy-server")
    with _with_attributes() as top, ExitStack() as stack:
        numbers = dict(zip(("proxy", "account", "container", "object", "cache"), ports(5), strict=True))
        _configure(top, numbers)
        for server in ("account", "container", "object", "proxy"):
            program, url = SERVERS / f"swift-{server}-server", f"http://127.0.0.1:{numbers[server]}/healthcheck"
            argv = [str(program), str(top / f"{server}-server.conf"), "-v"]
            stack.enter_context(running(argv, top / f"{server}.log", url, SWIFT_DIR=str(top)))
        base = f"http://127.0.0.1:{numbers['proxy']}"
        yield Storage(endpoint=base, key="test:tester", secret="testing", public=f"{base}/v1/AUTH_test")


def _served(name: str) -> Path:
    program = SERVERS / name
    if not program.exists():
        pytest.skip(f"{name} is not in .venv/servers: scripts/setup.sh dev")
    return program


@contextmanager
def _with_attributes() -> Iterator[Path]:
    """A directory where files may have extended attributes: Swift keeps what it knows of an object there."""
    cache = ROOT / ".cache"
    for parent in (Path(tempfile.gettempdir()), cache):
        parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="tagtrail-swift-", dir=parent, ignore_cleanup_errors=True) as name:
            try:
                os.setxattr(name, "user.tagtrail", b"x")
            except OSError:
                continue
            yield Path(name)
            return
    pytest.skip("no directory here has extended attributes, which Swift needs")


DEFAULT = """[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {top}
devices = {top}/srv
mount_check = false
disable_fallocate = true
log_address = /dev/null
"""
BACK = """[pipeline:main]
pipeline = healthcheck {server}-server
[filter:healthcheck]
use = egg:swift#healthcheck
[app:{server}-server]
use = egg:swift#{server}
[{server}-replicator]
[{server}-updater]
[{server}-auditor]
"""
FILTERS = "catch_errors gatekeeper healthcheck cache listing_formats bulk s3api tempauth slo dlo staticweb".split()
OPTIONS = {
    "cache": "use = egg:swift#memcache\nmemcache_servers = 127.0.0.1:{cache}\n",
    "s3api": "use = egg:swift#s3api\ns3_acl = false\nlocation = us-east-1\nauth_pipeline_check = true\n",
    "tempauth": "use = egg:swift#tempauth\nuser_test_tester = testing .admin\n",
}


def _configure(top: Path, numbers: dict[str, int]) -> None:
    (top / "srv" / "d1").mkdir(parents=True)
    policy = "[storage-policy:0]\nname = Policy-0\ndefault = yes\n"
    (top / "swift.conf").write_text(
        f"[swift-hash]\nswift_hash_path_prefix = tagtrail\nswift_hash_path_suffix = tagtrail\n{policy}"
    )
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    for server in ("account", "container", "object"):
        head = DEFAULT.format(port=numbers[server], user=user, top=top)
        body = BACK.format(server=server)
        (top / f"{server}-server.conf").write_text(head + body)
        ring = f"{server}.builder"
        for words in (["create", "4", "1", "1"], ["add", f"r1z1-127.0.0.1:{numbers[server]}/d1", "1"], ["rebalance"]):
            argv = [str(SERVERS / "swift-ring-builder"), ring, *words]
            subprocess.run(argv, cwd=top, check=words == ["rebalance"], capture_output=True)
    proxy = f"[pipeline:main]\npipeline = {' '.join(FILTERS)} proxy-server\n[app:proxy-server]\nuse = egg:swift#proxy\n"
    proxy += "allow_account_management = true\naccount_autocreate = true\n"
    for name in FILTERS:
        options = OPTIONS.get(name, f"use = egg:swift#{name}\n").format(**numbers)
        proxy += f"[filter:{name}]\n{options}"
    (top / "proxy-server.conf").write_text(DEFAULT.format(port=numbers["proxy"], user=user, top=top) + proxy)


# --- web servers ---


@contextmanager
def nginx(site: Path, directory: Path) -> Iterator[str]:
    """nginx as docs/hosting has it; only its address and its root are other ones."""
    program, (port,) = _installed("nginx", "nginx-light"), ports(1)
    text = (HOSTING / "nginx.conf").read_text()
    assert (text.count("listen 80;"), text.count("root /srv/releases;")) == (1, 1)
    text = text.replace("listen 80;", f"listen 127.0.0.1:{port};").replace("/srv/releases", str(site))
    bodies = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{what}_temp_path {directory};" for what in bodies)
    # one process, which reads the site with the rights of whoever runs the tests
    main = f"daemon off; master_process off; pid {directory}/nginx.pid; error_log stderr; events {{}}"
    (directory / "nginx.conf").write_text(f"{main} http {{ access_log off; {temporary}\n{text} }}")
    url = f"http://127.0.0.1:{port}"
    with running([program, "-c", str(directory / "nginx.conf"), "-e", "stderr"], directory / "nginx.log", url):
        yield url


@contextmanager
def caddy(site: Path, directory: Path) -> Iterator[str]:
    """Caddy, likewise."""
    program, (port,) = _installed("caddy", "caddy"), ports(1)
    text, url = (HOSTING / "Caddyfile").read_text(), f"http://127.0.0.1:{port}"
    assert (text.count("releases.example.org {"), text.count("root * /srv/releases")) == (1, 1)
    text = text.replace("releases.example.org {", f"{url} {{").replace("/srv/releases", str(site))
    (directory / "Caddyfile").write_text(f"{{\n\tadmin off\n\tauto_https off\n}}\n{text}")
    argv = [program, "run", "--adapter", "caddyfile", "--config", str(directory / "Caddyfile")]
    with running(argv, directory / "caddy.log", url, HOME=str(directory)):
        yield url


def _installed(name: str, package: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip(f"{name} is not here: apt-get install {package} (as root)")
    return found

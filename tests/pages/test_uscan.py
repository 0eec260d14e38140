"""What a packager's uscan finds with our watch file, downloads and checks; what the project's page links to."""

import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from threading import Thread

import pytest
from packaging.version import Version

from tagtrail.adapters.openpgp import OpenPGP, generate
from tagtrail.pages import all_paths, page, touched
from tests.pages.trails import SITE, Trail, begun

CHANGES = """{name} (0.1-1) unstable; urgency=low

  * First.

 -- Ada <ada@example.org>  Wed, 01 Apr 2026 15:02:00 +0000
"""


def text(trail: Trail, name: str = "nova") -> str:
    return page(f"{name}/watch", trail.view).decode()


def links(trail: Trail, name: str = "nova") -> list[str]:
    html = page(f"{name}/index.html", trail.view).decode()
    return [part.partition('"')[0] for part in html.split('<small><a href="')[1:] if ">." in part.partition("<")[0]]


def test_the_page_links_to_the_source_alone_and_to_nothing_withdrawn() -> None:
    trail = begun()
    trail.release("nova", "1.0")
    trail.withdraw("nova", "1.0", "eats instances")
    endings = (".tar.gz", ".tar.xz", "-linux.tar.gz", "-py3-none-any.whl", ".txt", ".1.zip")
    names = ("other-2.0.tar.gz", *(f"nova-2.0{ending}" for ending in endings))
    trail.release("nova", "2.0", files={name: {} for name in names})
    assert links(trail) == ["nova-2.0.tar.gz", "nova-2.0.tar.xz"]


def test_what_has_no_source_has_no_watch_file() -> None:
    trail = begun()
    last = trail.release("nova", "1.0", files={"nova-1.0-py3-none-any.whl": {}})
    assert "nova/watch" not in {*all_paths(trail.view), *touched(last, trail.view)}
    assert b"uscan" not in page("nova/index.html", trail.view)
    with pytest.raises(KeyError):
        page("nova/watch", trail.view)
    last = trail.release("nova", "1.1")
    trail.withdraw("nova", "1.1", "")
    assert "nova/watch" in {*all_paths(trail.view)} & {*touched(last, trail.view)}
    assert b'href="watch"' in page("nova/index.html", trail.view)


def test_signatures_are_asked_for_where_there_are_any() -> None:
    trail = begun()
    trail.release("nova", "1.0")
    assert "pgpmode=mangle,\\\npgpsigurlmangle=s/$/.asc/" in text(trail)
    assert "signing-key.asc is https://releases.example.org/trail/keys/release-key.asc" in text(trail)
    trail.release("nova", "1.1", sidecars={"nova-1.1.SHA256SUMS": trail.keep(b"sums")})
    assert "pgpmode=none" in text(trail)
    assert "signing-key" not in text(trail)


def test_without_an_address_it_says_so_and_watches_nothing() -> None:
    trail = begun(replace(SITE, url=""))
    trail.release("nova", "1.0")
    assert text(trail) == "# This site has no address to watch.\nversion=4\n"


@pytest.mark.parametrize(
    ("name", "file", "stem"),
    [
        ("nova", "nova-1.0.tar.gz", "nova"),
        ("oslo.config", "oslo_config-1.0.tar.gz", "oslo[-_.]config"),
        ("MarkupSafe", "MarkupSafe-1.0.tar.gz", "(?i:markupsafe)"),
    ],
)
def test_the_project_in_the_names_of_archives(name: str, file: str, stem: str) -> None:
    trail = begun()
    trail.release(name, "1.0", files={file: {}})
    assert text(trail, name).endswith(f"/{name}/ {stem}@ANY_VERSION@@ARCHIVE_EXT@\n")


# --- uscan ----------------------------------------------------------------------------------------------------------

NO_USCAN = pytest.mark.skipif(not shutil.which("uscan"), reason="NOT TESTED: there is no uscan (Debian's devscripts)")


class Quiet(SimpleHTTPRequestHandler):
    """Takes addresses as they are: an object store knows no `..`."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        if "/../" in self.path:
            self.send_error(404)
        else:
            super().do_GET()


@contextmanager
def served(root: Path) -> Iterator[str]:
    root.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(root))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def archive(stem: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as made:
        made.addfile(tarfile.TarInfo(f"{stem}/README"))
    return out.getvalue()


def publish(root: Path, url: str, path: str, name: str, versions: list[str], key: OpenPGP) -> None:
    """A site with an archive of each version, all signed by the key."""
    site = replace(SITE, url=url, path=path)
    trail = begun(site)
    for version in versions:
        file = f"{name}-{version}.tar.gz"
        data = archive(f"{name}-{version}")
        place = root / site.file(name, file)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        place.with_name(f"{file}.asc").write_bytes(key.sign(data))
        trail.release(name, version, digests={file: sha256(data).hexdigest()}, files={file: {}})
    for made in (f"{name}/index.html", f"{name}/watch"):
        (root / made).parent.mkdir(parents=True, exist_ok=True)
        (root / made).write_bytes(page(made, trail.view))


def uscan(room: Path, name: str, watch: bytes, key: OpenPGP) -> subprocess.CompletedProcess[str]:
    """As a packager does: the watch file as debian/watch, the key in its place."""
    debian = room / "package" / "debian"
    (debian / "upstream").mkdir(parents=True)
    (debian / "watch").write_bytes(watch)
    (debian / "changelog").write_text(CHANGES.format(name=name))
    (debian / "upstream" / "signing-key.asc").write_text(key.certificate)
    argv = ["uscan", "--no-conf", "--force-download", "--verbose"]
    env = {"PATH": os.environ["PATH"], "HOME": str(room), "LC_ALL": "C.UTF-8"}
    return subprocess.run(argv, cwd=debian.parent, env=env, capture_output=True, text=True, timeout=120, check=False)


@NO_USCAN
@pytest.mark.client
@pytest.mark.parametrize("path", ["{project}/{file}", "files/{project}/{file}"])
@pytest.mark.parametrize(
    ("name", "versions", "found"),
    [
        ("nova", ["32.0.0", "33.0.0.0rc1", "33.0.0"], "33.0.0"),
        ("nova", ["32.0.0", "33.0.0.0b2", "33.0.0.0rc1"], "33.0.0~rc1"),
        ("oslo_config", ["9.9.0", "9.10.0"], "9.10.0"),
    ],
)
def test_uscan_finds_the_newest_and_its_signature_is_good(
    tmp_path: Path, path: str, name: str, versions: list[str], found: str
) -> None:
    key = OpenPGP(generate("Example Cloud <releases@example.org>").encode())
    root = tmp_path / "site"
    with served(root) as url:
        publish(root, url, path, name, versions, key)
        ended = uscan(tmp_path, name.replace("_", "-"), (root / name / "watch").read_bytes(), key)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Good signature" in ended.stdout + ended.stderr
    assert (tmp_path / f"{name.replace('_', '-')}_{found}.orig.tar.gz").exists(), ended.stdout


@NO_USCAN
@pytest.mark.client
def test_uscan_takes_nothing_that_another_key_signed(tmp_path: Path) -> None:
    ours, other = (OpenPGP(generate(f"{name} <{name}@example.org>").encode()) for name in ("ours", "other"))
    root = tmp_path / "site"
    with served(root) as url:
        publish(root, url, "{project}/{file}", "nova", ["33.0.0"], other)
        ended = uscan(tmp_path, "nova", (root / "nova" / "watch").read_bytes(), ours)
    assert ended.returncode != 0
    assert "Can't check signature: No public key" in ended.stdout + ended.stderr
    assert not (tmp_path / "nova_33.0.0.orig.tar.gz").exists()


ORDER = (
    "1.0.dev3", "1.0a1.dev1", "1.0a1", "1.0b2", "1.0rc1.dev2", "1.0rc1", "1.0", "1.0.post1", "1.1.0.0b2", "1.1.0.0rc1",
    "1.1.0", "1.1.1", "1.10.0a1", "1.10.0",
)  # fmt: skip


@NO_USCAN
@pytest.mark.client
def test_versions_sort_as_pep_440_has_them() -> None:
    """By perl, as uscan changes them, and by dpkg, as uscan compares them."""
    trail = begun()
    trail.release("nova", "1.0")
    rules = text(trail).partition("uversionmangle=")[2].partition(",\\")[0]
    code = f"while (<>) {{ chomp; {''.join(f'$_ =~ {rule}; ' for rule in rules.split(';'))} print qq($_\\n) }}"
    said = subprocess.run(["perl", "-e", code], input="\n".join(ORDER), capture_output=True, text=True, check=True)
    mangled = said.stdout.split()
    assert sorted(ORDER, key=Version) == list(ORDER)
    for one, next_one in pairwise(mangled):
        assert subprocess.run(["dpkg", "--compare-versions", one, "lt", next_one], check=False).returncode == 0, one

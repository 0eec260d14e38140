"""A real project from a signed tag to files that anyone can verify: `make demo`, or `scripts/demo.py DIRECTORY`.

Everything lies in demo/: the project (the sdist of oslo.config as a git repository with a signed tag), the instance,
and what the third proof fetches. A second run finds the release complete and proves it again.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
DEMO = Path(sys.argv[1]).resolve() if sys.argv[1:] else ROOT / "demo"
PROJECT, VERSION = "oslo.config", "9.7.0"
HOME, CHECKOUT, SITE = DEMO / "home", DEMO / PROJECT, DEMO / "home" / "site"
FILES = SITE / PROJECT
PYTHON, TAGTRAIL = Path(sys.executable), Path(sys.executable).parent / "tagtrail"
LIMIT = 300  # seconds for any one tool of others


def main() -> int:
    """All of it, in order; the first command that fails ends it."""
    start = time.monotonic()
    print(f"{PROJECT} {VERSION}, from a signed tag to files that anyone can verify\n")
    if not _is_set_up():
        shutil.rmtree(DEMO, ignore_errors=True)
        _set_up()
    before = _written()
    show("check", PROJECT, VERSION)
    show("release", PROJECT, VERSION)
    complete = before == _written()
    _prove_with_tagtrail()
    _prove_with_stock_tools()
    _prove_with_pip()
    _farewell(complete=complete, took=time.monotonic() - start)
    return 0


def _is_set_up() -> bool:
    settings = HOME / "tagtrail.toml"
    return settings.is_file() and PROJECT in settings.read_text()


def _written() -> dict[Path, int]:
    """What lies on the site, and when each file was written."""
    return {path: path.stat().st_mtime_ns for path in SITE.rglob("*") if path.is_file()}


def _set_up() -> None:
    """The project with its maintainer's key, and an instance that knows both."""
    with tempfile.TemporaryDirectory(prefix="tagtrail-") as gnupg:  # its path is short enough for gpg's sockets
        try:
            recipe = ROOT / "scripts" / "real_project.py"
            run(PYTHON, recipe, PROJECT, VERSION, CHECKOUT, "--key", "openpgp", "--gnupghome", gnupg)
            print(f"  {short(CHECKOUT)} is a git repository of the real sdist, its tag {VERSION} signed with OpenPGP\n")
            show("init", short(HOME), "--origin", "demo.example/trail", home=None)
            show("add-project", short(CHECKOUT), env={"GNUPGHOME": gnupg})
        finally:
            run("gpgconf", "--homedir", gnupg, "--kill", "all")


def _prove_with_tagtrail() -> None:
    title("1  with tagtrail, against the instance's own root")
    show("verify", *(short(path) for path in _artifacts()))


def _artifacts() -> list[Path]:
    return sorted(path for path in FILES.iterdir() if path.name.endswith((".tar.gz", ".whl")))


def _prove_with_stock_tools() -> None:
    title("2  with gpgv and sha256sum, without tagtrail")
    sums = FILES / f"{PROJECT}-{VERSION}.SHA256SUMS"
    with tempfile.TemporaryDirectory(prefix="tagtrail-") as scratch:
        ring = Path(scratch) / "release-key.gpg"
        run("gpg", "--homedir", scratch, "--batch", "--output", ring, "--dearmor", SITE / "trail/keys/release-key.asc")
        for signed in (sums, *_artifacts()):
            run("gpgv", "--homedir", scratch, "--keyring", ring, f"{signed}.asc", signed)
            print(f"  gpgv       {signed.name:<44} good signature by the release key")
    for line in run("sha256sum", "--check", "--strict", sums.name, cwd=FILES).splitlines():
        name, verdict = line.rsplit(": ", 1)
        print(f"  sha256sum  {name:<44} {verdict}")
    print()


def _prove_with_pip() -> None:
    title("3  with pip from the site's own index, by somebody who pins what the site shows and has no instance")
    there, installed, pins = DEMO / "download", DEMO / "installed", DEMO / "consumer"
    consumer = {"XDG_CONFIG_HOME": str(pins)}
    for directory in (there, installed, pins):
        shutil.rmtree(directory, ignore_errors=True)
    with served(SITE) as (address, asked):
        pip(
            "download", "--no-deps", "--index-url", f"{address}simple/", "--dest", short(there), f"{PROJECT}=={VERSION}"
        )
        wheel = next(there.glob("*.whl"))
        if not any(path.endswith(wheel.name) for path in asked):
            sys.exit(f"the demo stopped: pip took {wheel.name} from somewhere else than {address}")
        print(f"    {wheel.name}\n")
        for name in (f"{wheel.name}.tlog-proof", f"{PROJECT}-{VERSION}.tag"):
            fetch(f"{address}{PROJECT}/{name}", there / name)
        show("trust", address, "--yes", home=None, env=consumer)
    show("verify", short(wheel), home=None, env=consumer)
    pip("install", "--no-deps", "--no-index", "--target", short(installed), short(wheel))
    script = f"import oslo_config, importlib.metadata as m; print(m.version({PROJECT!r}), oslo_config.__file__)"
    version, where = run(PYTHON, "-c", script, env={"PYTHONPATH": str(installed)}).split(maxsplit=1)
    if version != VERSION or not Path(where.strip()).is_relative_to(installed):
        sys.exit(f"the demo stopped: imported {PROJECT} {version} from {where}")
    print(f"    import oslo_config: {version}, from {short(installed)}\n")


def _farewell(*, complete: bool, took: float) -> None:
    if complete:
        print(f"{PROJECT} {VERSION} was already released and complete: nothing was built, logged or published again.")
    print(f"proved in three ways, in {took:.0f} s.   site   {short(SITE)}")
    tagtrail = f"{short(TAGTRAIL)} -C {short(HOME)}"
    print(f"next   {short(PYTHON)} -m http.server --bind 127.0.0.1 --directory {short(SITE)}      look at the site")
    print(f"       {tagtrail} audit {short(SITE)}      every file against the trail")
    print(f"       {tagtrail} status")


def title(text: str) -> None:
    """The head of a proof."""
    print(f"proof {text}")


def show(command: str, *arguments: str, home: Path | None = HOME, env: dict[str, str] | None = None) -> None:
    """Runs tagtrail and shows the command line and, line by line, what it says."""
    line = [*(("-C", short(home)) if home else ()), command, *arguments]
    print(f"  $ tagtrail {' '.join(line)}", flush=True)
    with subprocess.Popen(
        [TAGTRAIL, *line], cwd=ROOT, env=environment(env), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    ) as process:  # fmt: skip
        for said in process.stdout or ():
            print(f"    {said}".rstrip(), flush=True)
    if process.returncode != 0:
        sys.exit(f"\nthe demo stopped: tagtrail {' '.join(line)} ended with {process.returncode}")
    print(flush=True)


def pip(*arguments: str) -> None:
    """pip without this machine's configuration: another index in it would join every command."""
    line = [arguments[0], "--isolated", *arguments[1:]]
    print(f"  $ PIP_CONFIG_FILE={os.devnull} pip {' '.join(line)}", flush=True)
    run(PYTHON, "-m", "pip", *line, "--quiet", "--no-cache-dir", env={"PIP_CONFIG_FILE": os.devnull})


def run(*command: str | Path, cwd: Path = ROOT, env: dict[str, str] | None = None) -> str:
    """The output of a command that must succeed, else what it said and the end."""
    done = subprocess.run(
        command, cwd=cwd, env=environment(env), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=LIMIT, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        sys.exit(f"{done.stdout}\nthe demo stopped: {' '.join(map(str, command))} ended with {done.returncode}")
    return done.stdout


def environment(more: dict[str, str] | None) -> dict[str, str]:
    """The caller's, without another instance in it and with no proxy before loopback."""
    kept = {name: value for name, value in os.environ.items() if name != "TAGTRAIL_HOME"}
    return kept | {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"} | (more or {})


def short(path: Path) -> str:
    """A path as one would type it here."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def fetch(url: str, path: Path) -> None:
    """One file from the loopback server, past any proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=30) as answer:
        path.write_bytes(answer.read())


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and remembers which were asked for instead of printing them."""

    def __init__(self, *args: Any, asked: list[str], **kwargs: Any) -> None:
        self.asked = asked
        super().__init__(*args, **kwargs)

    def log_message(self, *_: Any) -> None:
        """Called once for each request."""
        self.asked.append(self.path)


@contextmanager
def served(directory: Path) -> Iterator[tuple[str, list[str]]]:
    """A directory on a free loopback port, and the paths that were asked for, until the block ends."""
    asked: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(directory), asked=asked))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


if __name__ == "__main__":
    sys.exit(main())

"""Rows: `tagtrail release` of three projects against the same by hand, with `python -m build` (goal: at most a quarter
of the time) and with `uv build` (a half); the same with nothing kept (no goal); and ours against the backend alone.

Ours is one process on an instance that has never released it: checks the tag, builds, signs, logs, writes the site. By
hand is what packaging guides say: build, `twine check`, `gpg --detach-sign` of each file, `sha256sum`, `twine upload`
to a pypiserver on loopback. Both start from a warm machine: what pip, uv and tagtrail keep between releases (caches,
tagtrail's build environment) is there, nothing of this release is. Cold, none of it is. Copying the prepared instance
or checkout into place and starting the server are not counted.

The backend alone is one process in the environment that tagtrail has ready: import it, make the sdist, unpack it, make
the wheel. What ours takes longer is our own share (goal: at most a quarter of a second): checkout, isolation, normal
form, comparison with the tag, SBOM, signatures, trail, site.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

from bench.race import Race, environment, seconds

PROJECTS = (("oslo.config", "9.7.0"), ("python-novaclient", "18.8.0"), ("structlog", "25.1.0"))
BIN = Path(sys.executable).parent
RECIPE = Path(__file__).parents[2] / "scripts" / "real_project.py"
WARM = (Path("state", "envs"), Path("state", "learned"), Path("state", "templates"))
"""What tagtrail keeps in HOME between releases: build environments, what a project's backend asked for last, and
compiled templates."""
PEERS = {"build": (BIN / "python", "-m", "build"), "uv": (BIN / "uv", "build", "--no-progress")}
GOALS = {"build": 0.25, "uv": 0.5}
BACKEND = """
import os, sys, tarfile, tomllib
from importlib import import_module
out, named = sys.argv[1], "setuptools.build_meta:__legacy__"
if os.path.exists("pyproject.toml"):
    named = tomllib.load(open("pyproject.toml", "rb")).get("build-system", {}).get("build-backend", named)
module, _, name = named.partition(":")
backend = import_module(module)
backend = getattr(backend, name) if name else backend
def asked(kind):
    getattr(backend, f"get_requires_for_build_{kind}", list)()
asked("sdist")
name = backend.build_sdist(out)
tarfile.open(os.path.join(out, name)).extractall(out, filter="data")
os.chdir(os.path.join(out, name.removesuffix(".tar.gz")))
asked("wheel")
backend.build_wheel(out)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A signed tag of a real project, and where its releases are made; `timed` runs a command."""

    name: str
    version: str
    scratch: Path
    timed: Callable[..., float]

    @property
    def checkout(self) -> Path:
        """The project; releases build copies."""
        return self.scratch / "checkout"


@contextmanager
def bench(name: str, tag: str, scratch: Path) -> Iterator[Bench]:
    """The project is fetched, tagged and signed by a throw-away key."""
    gnupg = scratch / "gnupg"
    gnupg.mkdir(mode=0o700)
    env, log = environment(GNUPGHOME=str(gnupg)), scratch / "log"

    def timed(*command: str | Path, cwd: Path = scratch, **more: str) -> float:
        return seconds(command, log=log, cwd=cwd, env=env | more)

    try:
        timed(BIN / "python", RECIPE, name, tag, scratch / "checkout", "--key", "openpgp", "--gnupghome", gnupg)
        yield Bench(name=name, version=tag, scratch=scratch, timed=timed)
    finally:
        subprocess.run(["gpgconf", "--homedir", gnupg, "--kill", "all"], env=env, check=False, timeout=30)


@contextmanager
def warm(project: tuple[str, str], peer: str, scratch: Path) -> Iterator[Race]:
    """What every release after the first takes."""
    with bench(*project, scratch) as at:
        yield Race(
            name=f"release of {at.name} {at.version}",
            ours=ours(at),
            peer=_by_hand(at, PEERS[peer]),
            peer_version=_versions(peer),
            goal=GOALS[peer],
            rounds=3,
        )


@contextmanager
def cold(project: tuple[str, str], peer: str, scratch: Path) -> Iterator[Race]:
    """What the very first takes: all build requirements come from the index."""
    without = {"build": {"PIP_NO_CACHE_DIR": "1"}, "uv": {"UV_NO_CACHE": "1"}}[peer]
    with bench(*project, scratch) as at:
        yield Race(
            name=f"the first, cold, of {at.name} {at.version}",
            ours=ours(at, ()),
            peer=_by_hand(at, PEERS[peer], without),
            peer_version=_versions(peer),
            goal=None,
            rounds=1,
            warm=False,
        )


@contextmanager
def share(project: tuple[str, str], scratch: Path) -> Iterator[Race]:
    """What of a release is ours."""
    with bench(*project, scratch) as at:
        yield Race(
            name=f"own share of {at.name} {at.version}",
            ours=ours(at),
            peer=_backend(at),
            peer_version="its backend alone",
            goal=0.25,
            measure="difference",
            rounds=15,
        )


RACES: tuple[Callable[[Path], AbstractContextManager[Race]], ...] = (
    *(partial(warm, project, peer) for project in PROJECTS for peer in PEERS),
    *(partial(share, project) for project in PROJECTS),
    *(partial(cold, PROJECTS[0], peer) for peer in PEERS),
)


def ours(at: Bench, kept: tuple[Path, ...] = WARM) -> Callable[[], float]:
    """A release on an instance of which only what is in `kept` was there before."""
    home, fresh = at.scratch / "home", at.scratch / "fresh"
    at.timed(BIN / "tagtrail", "init", home, "--origin", "bench.example/trail")
    at.timed(BIN / "tagtrail", "-C", home, "add-project", at.checkout)
    shutil.copytree(home, fresh, symlinks=True)
    if kept:
        at.timed(BIN / "tagtrail", "-C", home, "release", at.name, at.version)
    for path in filter(lambda path: (home / path).is_dir(), kept):
        shutil.copytree(home / path, fresh / path, symlinks=True, dirs_exist_ok=True)

    def once() -> float:
        anew(home, fresh)
        return at.timed(BIN / "tagtrail", "-C", home, "release", at.name, at.version)

    return once


def _backend(at: Bench) -> Callable[[], float]:
    pythons = (at.scratch / "fresh" / "state" / "envs").glob("*/bin/python")
    # the environment that also has what the backend's hooks asked for
    python = max(pythons, key=lambda path: len(list(path.parents[1].glob("lib/*/site-packages/*"))))
    work, out = at.scratch / "work", at.scratch / "out"
    says = dict.fromkeys(("PBR_VERSION", "SETUPTOOLS_SCM_PRETEND_VERSION"), at.version)

    def once() -> float:
        anew(out)
        anew(work, at.checkout)
        return at.timed(python, "-c", BACKEND, out, cwd=work, PYTHONDONTWRITEBYTECODE="1", **says)

    return once


def anew(directory: Path, source: Path | None = None) -> None:
    """An empty directory, or a copy, on disk before anybody is timed. What was there is put aside, not removed: for a
    minute after files went, ext4 is slow to make others in their place, and that is no cost of either side."""
    if directory.exists():
        directory.rename(directory.with_name(f"{directory.name}.{time.monotonic_ns()}"))
    if source is None:
        directory.mkdir()
    else:
        shutil.copytree(source, directory, symlinks=True)
    os.sync()


def _versions(peer: str) -> str:
    return ", ".join(f"{name} {version(name)}" for name in (peer, "twine", "pypiserver"))


def _by_hand(at: Bench, build: tuple[str | Path, ...], without: dict[str, str] | None = None) -> Callable[[], float]:
    work, shelf, timed = at.scratch / "work", at.scratch / "shelf", at.timed

    def once() -> float:
        anew(shelf)
        anew(work, at.checkout)
        took = timed(*build, cwd=work, **(without or {}))
        dist = work / "dist"
        files = sorted(path for path in dist.iterdir() if not path.name.startswith("."))
        took += timed(BIN / "twine", "check", *files)
        took += sum(timed("gpg", "--batch", "--yes", "--detach-sign", "--armor", file) for file in files)
        took += timed("sh", "-c", 'sha256sum "$@" > SHA256SUMS', "sh", *[file.name for file in files], cwd=dist)
        with _index(shelf) as address:
            login = ("--username", "bench", "--password", "bench", "--non-interactive", "--disable-progress-bar")
            upload = (BIN / "twine", "upload", "--config-file", "/dev/null", "--repository-url", address, *login)
            took += timed(*upload, *files)
        return took

    return once


@contextmanager
def _index(shelf: Path) -> Iterator[str]:
    """A pypiserver over an empty shelf on a free loopback port, until the upload is done."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = [
        "-i",
        "127.0.0.1",
        "-p",
        str(port),
        "-P",
        ".",
        "-a",
        ".",
        "--disable-fallback",
        "--backend",
        "simple-dir",
    ]
    server = subprocess.Popen(
        [BIN / "pypi-server", "run", *options, shelf], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port, server)
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.terminate()
        server.wait(timeout=30)


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        if server.poll() is not None:
            msg = f"pypiserver ended with {server.returncode} before it listened"
            raise RuntimeError(msg)
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    msg = "pypiserver did not listen within ten seconds"
    raise RuntimeError(msg)

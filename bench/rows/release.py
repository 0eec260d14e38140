"""Row: `tagtrail release` of oslo.config 9.7.0 against the same release by hand (goal: at most a quarter of the time).

Ours is one process on an instance that has never released it: checks the tag, builds, signs, logs, writes the site. By
hand is what packaging guides say: `python -m build`, `twine check`, `gpg --detach-sign` of each file, `sha256sum`,
`twine upload` to a pypiserver on loopback. Both start from a warm machine: what pip and tagtrail keep between releases
(pip's cache, tagtrail's build environment) is there, nothing of this release is. Copying the prepared instance or
checkout into place and starting the server are not counted.
"""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from bench.race import Race, environment, seconds

NAME, VERSION = "oslo.config", "9.7.0"
BIN = Path(sys.executable).parent
RECIPE = Path(__file__).parents[2] / "scripts" / "real_project.py"
MAINTAINER = "Release Bench <bench@example.org>"
WARM = (Path("state", "envs"), Path("state", "learned"))
"""What tagtrail keeps in HOME between releases: build environments, and what a project's backend asked for last."""


@contextmanager
def race(scratch: Path) -> Iterator[Race]:
    """A signed tag of the real project, one maintainer's key, and both roads ready to go."""
    gnupg = scratch / "gnupg"
    gnupg.mkdir(mode=0o700)
    env, log = environment(GNUPGHOME=str(gnupg)), scratch / "log"

    def timed(*command: str | Path, cwd: Path = scratch) -> float:
        return seconds(command, log=log, cwd=cwd, env=env)

    checkout = scratch / "checkout"
    try:
        timed(BIN / "python", RECIPE, NAME, VERSION, checkout, "--key", "openpgp", "--gnupghome", gnupg)
        yield Race(
            name=f"release of {NAME} {VERSION}",
            ours=_ours(scratch, checkout, timed),
            peer=_by_hand(scratch, checkout, timed),
            peer_version=", ".join(f"{name} {version(name)}" for name in ("build", "twine", "pypiserver")),
            goal=0.25,
        )
    finally:
        subprocess.run(["gpgconf", "--homedir", gnupg, "--kill", "all"], env=env, check=False, timeout=30)


def _ours(scratch: Path, checkout: Path, timed: Callable[..., float]) -> Callable[[], float]:
    home, fresh = scratch / "home", scratch / "fresh"
    timed(BIN / "tagtrail", "init", home, "--origin", "bench.example/trail")
    timed(BIN / "tagtrail", "-C", home, "add-project", checkout)
    shutil.copytree(home, fresh, symlinks=True)
    timed(BIN / "tagtrail", "-C", home, "release", NAME, VERSION)
    for kept in WARM:
        shutil.copytree(home / kept, fresh / kept, symlinks=True, dirs_exist_ok=True)

    def once() -> float:
        shutil.rmtree(home)
        shutil.copytree(fresh, home, symlinks=True)
        return timed(BIN / "tagtrail", "-C", home, "release", NAME, VERSION)

    return once


def _by_hand(scratch: Path, checkout: Path, timed: Callable[..., float]) -> Callable[[], float]:
    work, shelf = scratch / "work", scratch / "shelf"

    def once() -> float:
        for directory in (work, shelf):
            shutil.rmtree(directory, ignore_errors=True)
        shutil.copytree(checkout, work, symlinks=True)
        shelf.mkdir()
        took = timed(BIN / "python", "-m", "build", cwd=work)
        dist = work / "dist"
        files = sorted(dist.iterdir())
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

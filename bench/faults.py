"""Prints what becomes of a release of two files on an index that goes wrong: ours, twine's, uv's (`make bench` does).

One fault meets the first upload; `+ stale` pages show an upload only after three looks. Each client is run once, and
once more if it said that it failed; tagtrail is run until it is done, waiting as it was told. A cell says how many
files of two are there, and what the client said of it at the end.

The three are not run alike: ours is the adapter and its driver in this process, with files of its own, up to twelve
runs and a clock that is put ten minutes on between them; the others are whole commands that get two tries at once. A
stale page counts looks, not minutes, so a peer that fails there twice might not fail the third time.

`twine upload --skip-existing` is not in the table: twine refuses the option, before it sends anything, for every index
but those whose addresses it knows, so it cannot be tried on this one. It is run without.
"""

import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

from tests.adapters.shelved import metadata
from tests.adapters.strict_index import Fault, Index, served
from tests.adapters.test_index import carried

BIN = Path(sys.executable).parent
FAULTS: tuple[Fault, ...] = ("fine", "lost", "lost-before", "500-before", "500-after", "403", "429", "503", "hang")
LIMIT = 15.0
SECRET = "secret-token"  # noqa: S105  (a toy's)


def _files(scratch: Path) -> list[Path]:
    """A wheel and an sdist that every client takes."""
    core, wheel, sdist = metadata("1.0.0"), scratch / "nova-1.0.0-py3-none-any.whl", scratch / "nova-1.0.0.tar.gz"
    with ZipFile(wheel, "w") as archive:
        archive.writestr("nova-1.0.0.dist-info/METADATA", core)
        archive.writestr("nova-1.0.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("nova-1.0.0.dist-info/RECORD", "")
    with tarfile.open(sdist, "w:gz") as tar:
        for name, data in (("PKG-INFO", core), ("pyproject.toml", b"")):
            about = tarfile.TarInfo(f"nova-1.0.0/{name}")
            about.size = len(data)
            tar.addfile(about, BytesIO(data))
    return [wheel, sdist]


def _ours(index: Index, _: list[Path]) -> str:
    codes = carried(index, lost=False, wait=1.0)[1]
    return f"{_there(index)} exit {codes[-1]}, {len(codes)} runs" if len(codes) > 1 else f"{_there(index)} exit 0"


def _client(argv: Callable[[Index], list[str]]) -> Callable[[Index, list[Path]], str]:
    def run(index: Index, files: list[Path]) -> str:
        codes: list[str] = []
        while len(codes) < 2 and (not codes or codes[-1] != "0"):
            env = {"PATH": os.environ["PATH"], "HOME": str(files[0].parent), "UV_NO_CACHE": "1"}
            try:
                command = [*argv(index), *map(str, files)]
                done = subprocess.run(command, env=env, capture_output=True, timeout=LIMIT, check=False)
                codes.append(str(done.returncode))
            except subprocess.TimeoutExpired:
                codes.append("hangs")
        return f"{_there(index)} exit {', then '.join(codes)}"

    return run


def _there(index: Index) -> str:
    return f"{len(index.files)} of 2 "


def _twine(index: Index) -> list[str]:
    return [str(BIN / "twine"), "upload", "--non-interactive", "--disable-progress-bar",
            "--config-file", "/dev/null", "--repository-url", index.upload,
            "-u", "__token__", "-p", SECRET]  # fmt: skip


def _uv(index: Index) -> list[str]:
    return [str(BIN / "uv"), "publish", "--publish-url", index.upload, "--check-url", index.simple, "--token", SECRET]


CLIENTS: dict[str, Callable[[Index, list[Path]], str]] = {
    "tagtrail": _ours,
    "twine upload": _client(_twine),
    "uv --check-url": _client(_uv),
}


def main() -> None:
    """A line for each fault, with fresh and with stale pages."""
    print(f"{'two files, an index with a fault':<34} " + " ".join(f"{name:<28}" for name in CLIENTS), flush=True)
    with tempfile.TemporaryDirectory(prefix="tagtrail-faults-") as scratch:
        # a client that cannot do it where nothing is wrong says nothing about faults
        files = _files(Path(scratch))
        for stale in (0, 3):
            for fault in FAULTS:
                cells = []
                for client in CLIENTS.values():
                    with served(Index(script=[fault], stale=stale, friendly=False)) as index:
                        cells.append(client(index, files))
                if fault == "fine" and not all(cell.startswith("2 of 2") for cell in cells):
                    sys.exit(f"the comparison is broken: with no fault, {cells}")
                name = f"{fault}{' + stale' if stale else ''}"
                print(f"  {name:<32} " + " ".join(f"{cell:<28}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()

"""Prints what becomes of a release of two files on an index that goes wrong: ours, twine's, uv's (`make bench` does).

One fault meets the first upload; `+ stale` pages show an upload only after three looks. Each client is run once, and
once more if it said that it failed; tagtrail is run until it is done, waiting as it was told. A cell says how many
files of two are there, and what the client said of it at the end.

They are not run alike: ours is the adapter and its driver in this process, with files of its own, up to twelve runs and
a clock that is put ten minutes on between them, its journal kept, or lost after the first; the others are whole
commands that get two tries at once. A stale page counts looks, not minutes, so a peer that fails there twice might not
fail the third time.

twine takes `--skip-existing` for no index but those whose addresses it knows. It is started with this one in their
place, so it does here what it does there: it asks for `/pypi/NAME/json` before its first file and passes over the names
that are listed; the option is wanted there, for twine to take "File already exists" for success.
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
OTHER = b"other bytes"
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


def _ours(index: Index, *, lost: bool) -> str:
    codes = carried(index, lost=lost, wait=1.0)[1]
    return f"{_there(index)} exit {codes[-1]}{f', {len(codes)} runs' if len(codes) > 1 else ''}"


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
    return f"{sum(data != OTHER for _, data in index.files.values())} of 2 "


TWINE = """
import sys
from twine import __main__, repository, utils
repository.WAREHOUSE = utils.DEFAULT_REPOSITORY = sys.argv.pop(1)
repository.LEGACY_PYPI = sys.argv.pop(1)
sys.exit(__main__.main())
"""
"""twine, to which our index is the one that it knows; it refuses to upload to the address where it asks."""


def _twine(index: Index) -> list[str]:
    return [sys.executable, "-c", TWINE, index.upload, index.url.replace("127.0.0.1", "localhost") + "/",
            "upload", "--skip-existing", "--non-interactive", "--disable-progress-bar",
            "--config-file", "/dev/null", "--repository-url", index.upload,
            "-u", "__token__", "-p", SECRET]  # fmt: skip


def _uv(index: Index) -> list[str]:
    return [str(BIN / "uv"), "publish", "--publish-url", index.upload, "--check-url", index.simple, "--token", SECRET]


CLIENTS: dict[str, Callable[[Index, list[Path]], str]] = {
    "tagtrail": lambda index, _: _ours(index, lost=False),
    "tagtrail, journal lost": lambda index, _: _ours(index, lost=True),
    "twine --skip-existing": _client(_twine),
    "uv --check-url": _client(_uv),
}
ASKS = {"twine --skip-existing": "/pypi/nova/json", "uv --check-url": "/simple/nova/"}
"""What a client looks at before it uploads, if its option has taken effect."""


def _row(name: str, files: list[Path], script: list[Fault], stale: int = 0, *, taken: bool = False) -> list[str]:
    """A line of the table; with `taken`, somebody's other bytes have the sdist's name."""
    cells = []
    for client, run in CLIENTS.items():
        with served(Index(script=script[:], stale=stale, friendly=False)) as index:
            if taken:
                index.lay("nova", files[1].name, OTHER)
            cells.append(run(index, files))
            if client in ASKS and ASKS[client] not in [path for _, path, _ in index.asked]:
                sys.exit(f"the comparison is broken: {client} never asked for {ASKS[client]}")
    print(f"  {name:<32} " + " ".join(f"{cell:<28}" for cell in cells), flush=True)
    return cells


def main() -> None:
    """A line for each fault, with fresh and with stale pages; and one where the name is taken."""
    print(f"{'two files, an index with a fault':<34} " + " ".join(f"{name:<28}" for name in CLIENTS), flush=True)
    with tempfile.TemporaryDirectory(prefix="tagtrail-faults-") as scratch:
        files = _files(Path(scratch))
        for stale in (0, 3):
            for fault in FAULTS:
                cells = _row(f"{fault}{' + stale' if stale else ''}", files, [fault], stale)
                # a client that cannot do it where nothing is wrong says nothing about faults
                if fault == "fine" and not all(cell.startswith("2 of 2") for cell in cells):
                    sys.exit(f"the comparison is broken: with no fault, {cells}")
        _row("other bytes have the name", files, [], taken=True)


if __name__ == "__main__":
    main()

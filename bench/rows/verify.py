"""Rows: `tagtrail verify` of a small file and of 1 GB, against bare python, gpgv and `openssl dgst -sha256`.

Ours proves the file offline: its digest, the entry, the log's signature, the root's and the tag's. gpgv checks the
release key's detached signature over the same file; openssl only makes the digest. Goals: a small file at most 60 ms
over bare python; 1 GB at most 1.15 times openssl, start-up counted. Peaks of memory stand in the names.
"""

import compileall
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bench.race import Race, environment, peak, seconds
from bench.toysite import ToySite

BIN = Path(sys.executable).parent
SOURCE = Path(__file__).parents[2] / "src"
NAME = "toy0000-1.0.tar.gz"
PIECE, PIECES = 64 * 2**20, 16


class Shelf(ToySite):
    """A site where one artifact has 1 GB."""

    large = False

    def content(self, name: str) -> bytes:
        """See `ToySite`."""
        return os.urandom(PIECE) * PIECES if self.large and name == NAME else super().content(name)


@contextmanager
def _race(scratch: Path, *, peer: str, large: bool, goal: float) -> Iterator[Race]:
    """A file with its proof and its signature, a root, and what gpgv wants to know."""
    compileall.compile_dir(SOURCE, quiet=2)  # as an installed package is
    shelf = Shelf(scratch / "site", int(time.time()))  # noqa: TID251  (entries may not be of the future)
    shelf.large = large
    (scratch / "root.json").write_bytes(shelf.fill(1))
    armour, keyring = scratch / "release-key.asc", scratch / "release-key.gpg"
    armour.write_text(shelf.release_key.certificate)
    subprocess.run(["gpg", "--dearmor", "-o", keyring, armour], check=True)
    file, log, env = scratch / "site" / "toy0000" / NAME, scratch / "log", environment()
    ours: list[str | Path] = [BIN / "tagtrail", "verify", file, "--root", scratch / "root.json"]
    peers: dict[str, tuple[list[str | Path], str]] = {
        "python": ([BIN / "python", "-c", "pass"], f"python {platform.python_version()}"),
        "gpgv": (["gpgv", "--keyring", keyring, f"{file}.asc", file], _version("gpgv", "--version")),
        "openssl": (["openssl", "dgst", "-sha256", file], _version("openssl", "version")),
    }
    theirs, version = peers[peer]
    yield Race(
        name=f"verify, {'1 GB' if large else '2 kB'}, {peak(ours):.0f} MB; {peer}",
        ours=lambda: seconds(ours, log=log, cwd=scratch, env=env),
        peer=lambda: seconds(theirs, log=log, cwd=scratch, env=env),
        peer_version=version,
        goal=goal,
        measure="ratio" if large else "difference",
        rounds=5 if large else 21,
    )


def _version(*command: str) -> str:
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return said.partition("\n")[0].partition(" (Lib")[0].lower()


RACES = (
    partial(_race, peer="python", large=False, goal=0.060),
    partial(_race, peer="gpgv", large=False, goal=0.080),  # python's own start besides
    partial(_race, peer="openssl", large=True, goal=1.15),
    partial(_race, peer="gpgv", large=True, goal=1.15),
)

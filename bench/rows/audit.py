"""Row: `tagtrail audit` of a site of 10,000 small files, `sha256sum -c` of the same (goal: at most 20 s more).

The peer is the least that anybody would do: it reads every file and compares a digest. Ours does that too, and proves
every entry, tag, signature and proof, and makes every page anew. The peak of its memory stands in the row's name.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.race import Race, environment, peak, seconds
from bench.toysite import RELEASES, ToySite

FILES = 10_000
BIN = Path(sys.executable).parent
PER_RELEASE = 13.6
"""Files of the toy site for each release, pages and tiles counted."""


@contextmanager
def race(scratch: Path) -> Iterator[Race]:
    """A site on disk, its root of trust, and a list of SHA-256 sums of all its files."""
    site, sums, log, env = scratch / "site", scratch / "SHA256SUMS", scratch / "log", environment()
    toy = ToySite(site, int(time.time()))  # noqa: TID251  (entries may not be of the future, nor older than the key)
    (scratch / "root.json").write_bytes(toy.fill(round(FILES / PER_RELEASE / RELEASES)))
    with sums.open("wb") as out:
        listed = sorted(str(path.relative_to(site)) for path in site.rglob("*") if path.is_file())
        subprocess.run(["sha256sum", *listed], cwd=site, stdout=out, check=True)
    ours = [str(BIN / "tagtrail"), "audit", str(site), "--root", str(scratch / "root.json")]
    yield Race(
        name=f"audit, {toy.count:,} files, {peak(ours):.0f} MB",
        ours=lambda: seconds(ours, log=log, cwd=scratch, env=env),
        peer=lambda: seconds(["sha256sum", "--quiet", "-c", sums], log=log, cwd=site, env=env),
        peer_version="sha256sum -c",
        goal=20.0,
        measure="difference",
        rounds=3,
    )

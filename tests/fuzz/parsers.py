"""The fuzz target over every parser of tests/formats/parsers.py: the first byte of the input chooses which.

    python -m tests.fuzz.parsers CORPUS [libFuzzer options]     such as -max_total_time=30

The seeds of the table are written into the directory CORPUS first. An exception that is not tagtrail's own, or a law
that is broken, is a finding: libFuzzer prints it and writes the input to a file `crash-...` where it was started.
"""

import sys
from hashlib import sha256
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["tagtrail"]):
    from tests.formats.parsers import PARSERS, judged

NAMES = sorted(PARSERS)


def one(data: bytes) -> None:
    """One input."""
    if data:
        judged(PARSERS[NAMES[data[0] % len(NAMES)]], data[1:])


def sow(corpus: Path) -> None:
    """The seeds, each under its digest, in `corpus`."""
    corpus.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(NAMES):
        for seed in PARSERS[name].seeds:
            data = bytes([number]) + seed
            (corpus / sha256(data).hexdigest()).write_bytes(data)


def main() -> None:
    """Fuzz until libFuzzer has had enough."""
    sow(Path(sys.argv[1]))
    atheris.Setup([*sys.argv, "-timeout=10", "-max_len=20000", "-rss_limit_mb=1500"], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

"""Runs the races of bench/rows and writes bench/results.json (`make bench`; some: `python -m bench.run NAME...`)."""

import json
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from bench.race import Race, Result, run

HERE = Path(__file__).parent
COLUMNS = f"{'':<42} {'ours':>9} {'peer':>9} {'ratio':>7} {'more':>9} {'goal':>16}  "

Row = Callable[[Path], AbstractContextManager[Race]]


def rows(wanted: list[str], *, full: bool = False) -> list[Row]:
    """The `race` of each module in bench/rows, or all its `RACES`, by file name; of every module if none is named.

    With `full`, also those in its `FULL`, which take minutes and gigabytes.
    """
    names = sorted(path.stem for path in (HERE / "rows").glob("*.py"))
    unknown = set(wanted) - set(names)
    if unknown:
        sys.exit(f"no row is called {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    modules = [import_module(f"bench.rows.{name}") for name in wanted or names]
    found = [row for module in modules for row in getattr(module, "RACES", None) or (module.race,)]
    return found + [row for module in modules for row in getattr(module, "FULL", ()) if full]


def line(result: Result) -> str:
    """A result as one line of the table."""
    ours, peer = ((f"{n:>6.1f} MB" if result.measure == "peak" else f"{n:>7.3f} s") for n in (result.ours, result.peer))
    more = "" if result.measure == "peak" else f"{result.difference:>+7.3f} s"
    verdict = "" if result.goal is None else "holds" if result.holds else "MISSED"
    return f"{result.name:<42} {ours} {peer} {result.ratio:>7.3f} {more:>9} {_goal(result):>16}  {verdict}"


def _goal(result: Result) -> str:
    if result.goal is None:
        return "none"
    if result.measure == "peak":
        return f"<= {result.goal:.0f} MB"
    return f"ratio <= {result.goal:.2f}" if result.measure == "ratio" else f"+ <= {result.goal * 1000:.0f} ms"


def main() -> None:
    """Every row in turn; a missed goal is a figure, not a failure.

    What they wrote is removed when all are done: for minutes after files went, ext4 takes up to thirty times as long to
    make others (it passes over every inode that was lately in use), and that is no cost of either side.
    """
    results = []
    print(COLUMNS, flush=True)
    named = [word for word in sys.argv[1:] if word != "--full"]
    with tempfile.TemporaryDirectory(prefix="tagtrail-bench-") as scratch:
        for number, row in enumerate(rows(named, full="--full" in sys.argv)):
            at = Path(scratch, str(number))
            at.mkdir()
            with row(at) as race:
                results.append(run(race))
            print(line(results[-1]), f"  against {results[-1].peer_version}", flush=True)
    (HERE / "results.json").write_text(json.dumps({"rows": [asdict(r) for r in results]}, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""`tagtrail status`: everything unfinished, and whether a version is burned; made for two in the morning."""

import argparse

from tagtrail.app.console import Console
from tagtrail.app.home import find_home
from tagtrail.app.outcomes import target_summary, verdict_of
from tagtrail.app.wiring import open_road
from tagtrail.model.facts import Entry, Row
from tagtrail.workflows.begun import LATER
from tagtrail.workflows.carry import exit_code
from tagtrail.workflows.resume import unfinished
from tagtrail.workflows.road import Road

__all__ = ["arguments", "run"]


def arguments(parser: argparse.ArgumentParser) -> None:
    """[PROJECT]."""
    parser.add_argument("project", metavar="PROJECT", nargs="?", help="only this project")


def run(args: argparse.Namespace, console: Console) -> int:
    """Say what is unfinished; 0 where nothing is, else the worst code that `resume` would end with now."""
    home = find_home(args.home)
    road = open_road(home, tell=console.tell)
    codes = [0, *_tell_all(road, args.project, console)]
    worst = max(codes)
    head = road.ledger.committed()
    size = f"{head.size if head else 0} entries in {road.site.origin}"
    said = {
        "exit": worst,
        "state": "unfinished" if worst else "complete",
        "text": size if worst else f"{size}; nothing is unfinished",
        "next": f"tagtrail -C {home} resume" if worst else "",
    }
    console.tell("outcome", said)
    return worst


def _tell_all(road: Road, only: str | None, console: Console) -> list[int]:
    left = unfinished(road.ledger, road.journal)
    codes = []
    for row in left.begun:
        if only in (None, row.effect.key.partition("/")[0]):
            console.tell("status", _begun(row))
            codes.append(exit_code((row,)))
    for entry, rows in left.entries:
        if only in (None, entry.project):
            seen = road.ledger.cosigned(covering=entry.index) is not None
            console.tell("status", _unfinished(entry, rows) if seen else _unwitnessed(entry))
            codes.append((exit_code(rows) or 5) if seen else 4)
    return codes


def _begun(row: Row) -> dict[str, object]:
    project, _, tag = row.effect.key.partition("/")
    what = "files were added, not in the trail" if row.effect.target == LATER else "begun, not in the trail"
    return {
        "project": project,
        "version": tag,
        "index": None,
        "burned": False,
        "text": f"{what}, nothing {'of them ' * (row.effect.target == LATER)}is public.  not burned: safe to run again",
        "why": row.why,
        "since": row.since,
        "targets": [],
    }


def _unwitnessed(entry: Entry) -> dict[str, object]:
    return {
        "project": entry.project,
        "version": entry.version,
        "index": entry.index,
        "burned": False,
        "text": f"signed (entry {entry.index}), waits for witnesses; nobody sees it.  not burned: safe to run again",
        "why": "",
        "since": entry.time,
        "targets": [],
    }


def _unfinished(entry: Entry, rows: tuple[Row, ...]) -> dict[str, object]:
    burned, words = verdict_of(rows)
    return {
        "project": entry.project,
        "version": entry.version,
        "index": entry.index,
        "burned": burned,
        "text": f"logged (entry {entry.index}), not everywhere yet.  {words}",
        "why": "",
        "since": entry.time,
        "targets": target_summary(rows),
    }

"""`tagtrail status`: everything unfinished, and whether a version is burned; made for two in the morning."""

import argparse

from tagtrail.app.console import Console
from tagtrail.app.home import find_home
from tagtrail.app.outcomes import target_summary, verdict_of
from tagtrail.app.wiring import open_road
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
    text = f"{head.size if head else 0} entries in {road.site.origin}; " + ("nothing is unfinished" if not worst else "")
    following = f"tagtrail -C {home} resume" if worst else ""
    state = {"exit": worst, "state": "unfinished" if worst else "complete", "text": text.rstrip("; "), "next": following}
    console.tell("outcome", state)
    return worst


def _tell_all(road: Road, only: str | None, console: Console) -> list[int]:
    left = unfinished(road.ledger, road.journal)
    codes = []
    for row in left.begun:
        project, _, tag = row.effect.key.partition("/")
        if only in (None, project):
            about = {"project": project, "version": tag, "index": None, "burned": False, "targets": []}
            words = "begun, not in the trail: nothing is public. not burned: safe to run again"
            console.tell("status", about | {"text": words, "why": row.why, "since": row.since})
            codes.append(5)
    for entry, rows in left.entries:
        if only in (None, entry.project):
            burned, words = verdict_of(rows)
            about = {"project": entry.project, "version": entry.version, "index": entry.index, "burned": burned}
            said = f"logged (entry {entry.index}), not everywhere yet.  {words}"
            console.tell("status", about | {"text": said, "why": "", "since": entry.time, "targets": target_summary(rows)})
            codes.append(exit_code(rows) or 5)
    return codes

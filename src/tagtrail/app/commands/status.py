"""`tagtrail status`: everything unfinished, and whether a version is burned; made for two in the morning."""

import argparse
from pathlib import Path

from tagtrail.adapters.builder.logs import logs_of
from tagtrail.app.instance.home import find_home
from tagtrail.app.instance.wiring import open_road
from tagtrail.app.terminal.console import Console
from tagtrail.app.terminal.outcomes import target_summary, verdict_of
from tagtrail.formats.facts import dump
from tagtrail.io.process import said
from tagtrail.model.facts import Entry, Row
from tagtrail.model.names import project_key, says_version
from tagtrail.workflows.begun import LATER
from tagtrail.workflows.carry import exit_code
from tagtrail.workflows.hold import holds
from tagtrail.workflows.resume import unfinished
from tagtrail.workflows.road import Road

__all__ = ["arguments", "run"]

FEW, MORE = 5, 60
"""Lines of a log that are shown of everything unfinished, and of one release that was asked about."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """[PROJECT [VERSION]]."""
    parser.add_argument("project", metavar="PROJECT", nargs="?", help="only this project")
    parser.add_argument("version", metavar="VERSION|TAG", nargs="?", help="only this release, with its build's log")


def run(args: argparse.Namespace, console: Console) -> int:
    """Say what is unfinished; 0 where nothing is, else the worst code that `resume` would end with now."""
    home = find_home(args.home)
    road = open_road(home, tell=console.tell)
    codes = [0, *_tell_all(road, home, args, console)]
    worst = max(codes)
    head = road.ledger.committed()
    size = f"{head.size if head else 0} entries in {road.site.origin}"
    ending = {
        "exit": worst,
        "state": "unfinished" if worst else "complete",
        "text": size if worst else f"{size}; nothing is unfinished",
        "next": f"tagtrail -C {home} resume" if worst else "",
    }
    console.tell("outcome", ending)
    return worst


def _tell_all(road: Road, home: Path, args: argparse.Namespace, console: Console) -> list[int]:
    left = unfinished(road.ledger, road.journal)
    codes = []
    for row in left.begun:
        project, _, tag = row.effect.key.partition("/")
        if _asked(args, project, tag):
            console.tell("status", _begun(row))
            _tell_logs(home, project, tag, console, MORE if args.version else FEW)
            codes.append(exit_code((row,)))
    for entry, rows in left.entries:
        if _asked(args, entry.project, entry.version):
            seen = road.ledger.cosigned(covering=entry.index) is not None
            console.tell("status", _unfinished(entry, rows) if seen else _unwitnessed(entry))
            codes.append((exit_code(rows) or 5) if seen else 4)
    for one in holds(road.journal, road.clock()):
        if _asked(args, one.project, one.tag):
            console.tell("held", dump(one))
            codes.append(4)
    if args.version and not codes:
        _tell_finished(road, home, args, console)
    return codes


def _asked(args: argparse.Namespace, project: str, version: str) -> bool:
    named = args.project is None or project_key(args.project) == project_key(project)
    return named and (not args.version or says_version(version, args.version) or says_version(args.version, version))


def _tell_finished(road: Road, home: Path, args: argparse.Namespace, console: Console) -> None:
    entries = [e for e in road.ledger.entries(project=args.project) if _asked(args, e.project, e.version)]
    for entry in (e for e in entries if e.event == "release"):
        rows = road.journal.rows(entry.index)
        console.tell("status", _unfinished(entry, rows) | {"text": f"released (entry {entry.index})"})
        _tell_logs(home, entry.project, entry.version, console, MORE)


def _tell_logs(home: Path, project: str, version: str, console: Console, lines: int) -> None:
    """The ends of what the builds of a release said, as text that is safe to print."""
    for path in logs_of(home / "state", project, version):
        text = said(path.read_bytes(), lines)
        console.tell("log", {"file": str(path), "size": path.stat().st_size, "lines": text.splitlines()})


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

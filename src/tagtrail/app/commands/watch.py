"""`tagtrail watch [PROJECT...]`: tell the release team of every new tag before anything is built; moved ones: alarm."""

import argparse
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tagtrail.app.terminal.console import Console
from tagtrail.model.errors import SetupError

if TYPE_CHECKING:
    from pathlib import Path

    from tagtrail.model.settings import Project
    from tagtrail.workflows.road import Road

__all__ = ["arguments", "run"]

EVERY = 300
SLICE = 2.0
"""Seconds between two looks for hints of webhooks."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """[PROJECT...] [--once] [--every SECONDS] [--spread SECONDS] [--release]."""
    parser.add_argument("projects", metavar="PROJECT", nargs="*", help="all of the settings by default")
    parser.add_argument("--once", action="store_true", help="look once and end, for a timer or a hook")
    parser.add_argument("--every", metavar="SECONDS", type=int, default=EVERY, help=f"{EVERY} by default")
    parser.add_argument(
        "--spread", metavar="SECONDS", type=int, default=0, help="spread the looks of a round over so many seconds"
    )
    parser.add_argument(
        "--release", action="store_true", help="go on with tags that have rested and are not held ([watch] after)"
    )


def run(args: argparse.Namespace, console: Console) -> int:
    """With --once the round's code: 6 where a tag moved or vanished. Raises SetupError."""
    from tagtrail.app.instance.home import find_home

    if args.every < 1 or args.spread < 0:
        raise SetupError("--every is at least 1, --spread at least 0", code="usage", hint="tagtrail watch --every 300")
    home = find_home(args.home)
    if args.once:
        return _round(args, home, console, told=set())
    told: set[str] = set()
    console.tell("note", {"text": f"a look every {args.every} s, and at each hint of a webhook; Ctrl-C ends it"})
    while True:
        _round(args, home, console, told=told)
        _rest(home, args.every)


def _round(args: argparse.Namespace, home: "Path", console: Console, *, told: set[str]) -> int:
    """One look at everything, with the settings as they are now."""
    from tagtrail.adapters.git import GitSource
    from tagtrail.app.instance.home import Home
    from tagtrail.app.instance.wiring import open_road
    from tagtrail.app.terminal.outcomes import outcome_event
    from tagtrail.workflows import hints
    from tagtrail.workflows.watch import go_on, listed, watch

    def tell(name: str, fields: Mapping[str, Any]) -> None:
        """An alarm that stands is told once, not in every round."""
        key = " ".join(str(fields.get(part)) for part in ("project", "tag", "before", "object"))
        if name != "sighted" or key not in told:
            console.tell(name, fields)
        told.update([key] if name == "sighted" else [])

    road = open_road(home, tell=tell)
    projects = _projects(road, args.projects)
    asked = hints.waiting(road.journal)
    look = GitSource(Home(path=home).state("repos")).listed
    found = watch(road, projects, listed(sorted({p.repo for p in projects}), look, time.sleep, args.spread))
    hints.answered(road.journal, asked)
    outcomes = go_on(road, projects) if args.release else ()
    for outcome in outcomes:
        console.tell("outcome", outcome_event(road, home, outcome))
    code = max((found.exit, *(outcome.exit for outcome in outcomes)))
    if args.once or found.sightings:
        _end(console, home, code, len(found.sightings), len(projects), len(found.silent))
    return code


def _end(console: Console, home: "Path", code: int, seen: int, projects: int, silent: int) -> None:
    state = {0: "quiet" if not seen else "told", 4: "waiting", 5: "partial", 6: "ALARM"}.get(code, "stopped")
    words = [f"{projects} project{'s'[: projects != 1]} looked at", f"{seen or 'no'} tag{'s'[: seen != 1]} to tell of"]
    words += [f"{silent} did not answer"] if silent else []
    again, look = f"tagtrail -C {home} watch --once", f"tagtrail -C {home} status"
    following = {0: "", 5: again}.get(code, look)
    ending = {"exit": code, "state": state, "text": ", ".join(words), "next": following}
    console.tell("outcome", ending)


def _projects(road: "Road", names: list[str]) -> "tuple[Project, ...]":
    from tagtrail.formats.settings import project_of

    return tuple(project_of(road.settings, name) for name in names) if names else road.settings.projects


def _rest(home: "Path", seconds: int) -> None:
    """Until the next round, or until a webhook says that there is something to see."""
    from tagtrail.adapters.sqlite import SqliteJournal
    from tagtrail.app.instance.home import Home
    from tagtrail.workflows import hints

    journal, until = SqliteJournal(Home(path=home).database), time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0 and not hints.waiting(journal):
        time.sleep(min(SLICE, left))

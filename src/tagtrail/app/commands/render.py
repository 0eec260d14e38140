"""`tagtrail render [--check]`: make the site's pages from the trail, or only compare them."""

import argparse

from tagtrail.app.instance.home import find_home
from tagtrail.app.instance.wiring import open_road
from tagtrail.app.terminal.console import Console
from tagtrail.formats.facts import dump
from tagtrail.workflows.render import check, render
from tagtrail.workflows.road import Road

__all__ = ["arguments", "run"]


def arguments(parser: argparse.ArgumentParser) -> None:
    """[--check]."""
    parser.add_argument("--check", action="store_true", help="write nothing; say which pages are not as they must be")


def run(args: argparse.Namespace, console: Console) -> int:
    """Every page made and looked at; 0, or with --check 7 where one is missing, different or surplus."""
    road = open_road(find_home(args.home), tell=console.tell)
    if args.check:
        return _check(road, console)
    pages = road.lease("pages")
    written = render(
        road.ledger, road.store, road.kept, road.journal, tell=road.tell, clock=road.clock, whole=True, lock=pages
    )
    text = f"{written} pages were written anew" if written else "every page was right already"
    console.tell("outcome", {"exit": 0, "state": "complete", "text": text, "next": ""})
    return 0


def _check(road: Road, console: Console) -> int:
    findings = check(road.ledger, road.store, road.kept, tell=road.tell, clock=road.clock)
    for finding in findings:
        console.tell("finding", dump(finding))
    code = 7 if findings else 0
    text = f"{len(findings)} pages are not what the trail says" if findings else "every page is what the trail says"
    following = "tagtrail render" if findings else ""
    console.tell("outcome", {"exit": code, "state": "differs" if code else "same", "text": text, "next": following})
    return code

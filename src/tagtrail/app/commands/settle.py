"""`tagtrail settle KEY|TARGET [PROJECT [VERSION]] --done|--again|--drop --because TEXT`: a person looked, and says."""

import argparse
import getpass

from tagtrail.app.terminal.console import Console

__all__ = ["arguments", "run"]


def arguments(parser: argparse.ArgumentParser) -> None:
    """KEY|TARGET [PROJECT [VERSION]] --done|--again|--drop --because TEXT."""
    parser.add_argument(
        "what", metavar="KEY|TARGET", help="a place, one file there, or a word to the team, as `status` names it"
    )
    parser.add_argument("project", metavar="PROJECT", nargs="?", help="only this project's")
    parser.add_argument("version", metavar="VERSION|TAG", nargs="?", help="only this release's")
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--done", dest="how", action="store_const", const="done", help="it is there: I have seen it")
    how.add_argument("--again", dest="how", action="store_const", const="again", help="it is not there: try once more")
    how.add_argument("--drop", dest="how", action="store_const", const="drop", help="it will not be done")
    parser.add_argument("--because", metavar="TEXT", required=True, help="what you saw; kept with your name here")


def run(args: argparse.Namespace, console: Console) -> int:
    """0 where the effects stand as said. Raises what `settle` raises."""
    from tagtrail.app.instance.home import find_home
    from tagtrail.app.instance.wiring import open_road
    from tagtrail.workflows.settle import chosen, settle

    home = find_home(args.home)
    road = open_road(home, tell=console.tell)
    rows = chosen(road, args.what, args.project or "", args.version or "")
    rows = settle(road, rows, args.how, by=getpass.getuser(), because=args.because)
    count = f"{len(rows)} effect{'' if len(rows) == 1 else 's'}"
    said = {"done": "done", "again": "to be tried again", "drop": "dropped"}[args.how]
    text = f"{count} at {rows[0].effect.target}: {said}"
    console.tell("outcome", {"exit": 0, "state": "settled", "text": text, "next": f"tagtrail -C {home} resume"})
    return 0

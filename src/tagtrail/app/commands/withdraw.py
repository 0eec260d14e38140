"""`tagtrail withdraw PROJECT VERSION --reason TEXT`: take a release back, for ever; run it again to resume."""

import argparse

from tagtrail.app.terminal.console import Console

__all__ = ["arguments", "run"]


def arguments(parser: argparse.ArgumentParser) -> None:
    """PROJECT VERSION --reason TEXT."""
    parser.add_argument("project", metavar="PROJECT")
    parser.add_argument("version", metavar="VERSION|TAG", help="a version that the trail has")
    parser.add_argument("--reason", metavar="TEXT", required=True, help="one line, public in the entry and on the site")


def run(args: argparse.Namespace, console: Console) -> int:
    """Withdraw; the exit code is the outcome's: 0 also where it was withdrawn before."""
    from tagtrail.app.instance.home import find_home
    from tagtrail.app.instance.wiring import open_road
    from tagtrail.app.terminal.outcomes import outcome_event
    from tagtrail.formats.settings import project_of
    from tagtrail.workflows.withdraw import reason_of, withdraw

    reason, home = reason_of(args.reason), find_home(args.home)
    road = open_road(home, tell=console.tell)
    outcome = withdraw(road, project_of(road.settings, args.project), args.version, reason)
    console.tell("outcome", outcome_event(road, home, outcome))
    return outcome.exit

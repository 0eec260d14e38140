"""`tagtrail resume [--early] [--quiet]`: go on with everything unfinished; what cron runs."""

import argparse

from tagtrail.app.terminal.console import Console

__all__ = ["arguments", "run"]


def arguments(parser: argparse.ArgumentParser) -> None:
    """[--early] [--quiet]."""
    parser.add_argument(
        "--early", action="store_true", help="tell the releases of the day together now, and not at its end"
    )
    what = "for timers: silent where nobody must act (0, 4), and once for each change on 5 and 6"
    parser.add_argument("--quiet", action="store_true", help=what)


def run(args: argparse.Namespace, console: Console) -> int:
    """Resume; the exit code is the worst outcome's."""
    from tagtrail.app.instance.home import find_home
    from tagtrail.app.instance.wiring import open_road
    from tagtrail.app.terminal.outcomes import outcome_event
    from tagtrail.app.terminal.quiet import Told
    from tagtrail.workflows.resume import resume, unfinished
    from tagtrail.workflows.witnessed import recosign

    home, told = find_home(args.home), Told()
    road = open_road(home, tell=told if args.quiet else console.tell)
    outcomes = resume(road, early=args.early)
    for outcome in outcomes:
        road.tell("outcome", outcome_event(road, home, outcome))
    if not outcomes:
        recosign(road)
        drafts = len(unfinished(road.ledger, road.journal).drafts)
        text = f"nothing is unfinished{f'; {drafts} with files in a draft, and no release begun' if drafts else ''}"
        following = f"tagtrail -C {home} status" if drafts else ""
        road.tell("outcome", {"exit": 0, "state": "complete", "text": text, "next": following})
    if args.quiet and told.is_new(road.journal):
        told.say(console.tell)
    return max((outcome.exit for outcome in outcomes), default=0)

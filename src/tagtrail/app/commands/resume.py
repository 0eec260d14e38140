"""`tagtrail resume`: go on with everything unfinished; what cron runs."""

import argparse

from tagtrail.app.terminal.console import Console

__all__ = ["arguments", "run"]


def arguments(parser: argparse.ArgumentParser) -> None:
    """No arguments."""


def run(args: argparse.Namespace, console: Console) -> int:
    """Resume; the exit code is the worst outcome's."""
    from tagtrail.app.instance.home import find_home
    from tagtrail.app.instance.wiring import open_road
    from tagtrail.app.terminal.outcomes import outcome_event
    from tagtrail.workflows.resume import resume
    from tagtrail.workflows.witnessed import recosign

    home = find_home(args.home)
    road = open_road(home, tell=console.tell)
    outcomes = resume(road)
    for outcome in outcomes:
        console.tell("outcome", outcome_event(road, home, outcome))
    if not outcomes:
        recosign(road)
        console.tell("outcome", {"exit": 0, "state": "complete", "text": "nothing is unfinished", "next": ""})
    return max((outcome.exit for outcome in outcomes), default=0)

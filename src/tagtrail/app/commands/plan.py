"""`tagtrail plan PROJECT TAG`: all that would happen, and who would see it; nothing is written."""

import argparse

from tagtrail.app.overriding import add_overrides, overrides_of
from tagtrail.app.terminal.console import Console

__all__ = ["arguments", "run"]


def arguments(parser: argparse.ArgumentParser) -> None:
    """PROJECT TAG [--override RULE --because TEXT]..."""
    parser.add_argument("project", metavar="PROJECT")
    parser.add_argument("tag", metavar="TAG", help="the tag, or the version")
    add_overrides(parser)


def run(args: argparse.Namespace, console: Console) -> int:
    """Tell the plan."""
    from tagtrail.app.instance.home import find_home
    from tagtrail.app.instance.wiring import open_road
    from tagtrail.app.terminal.plans import tell_plan
    from tagtrail.formats.settings import project_of

    road = open_road(find_home(args.home), tell=console.tell)
    return tell_plan(road, project_of(road.settings, args.project), args.tag, console, overrides_of(args))

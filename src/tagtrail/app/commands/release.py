"""`tagtrail release PROJECT TAG`: the road; run it again to resume."""

import argparse
from contextlib import nullcontext

from tagtrail.app.overriding import add_overrides, overrides_of
from tagtrail.app.terminal.console import Console
from tagtrail.model.steps import STEPS

__all__ = ["arguments", "run"]


def arguments(parser: argparse.ArgumentParser) -> None:
    """PROJECT TAG [--dry-run] [--until STEP] [--refresh] [--override RULE --because TEXT]..."""
    parser.add_argument("project", metavar="PROJECT")
    parser.add_argument("tag", metavar="TAG", help="the tag, or the version")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done; write nothing")
    parser.add_argument(
        "--refresh", action="store_true", help="look for newer versions of build requirements; else once a day"
    )
    parser.add_argument(
        "--until", choices=STEPS, default=STEPS[-1], metavar="STEP", help=f"stop after {', '.join(STEPS)}"
    )
    add_overrides(parser)


def run(args: argparse.Namespace, console: Console) -> int:
    """Release; the exit code is the outcome's."""
    from tagtrail.app.instance.home import find_home
    from tagtrail.app.instance.workshop import open_workshop
    from tagtrail.formats.settings import project_of
    from tagtrail.workflows import ahead

    overrides, home = overrides_of(args), find_home(args.home)
    shop = open_workshop(home, refresh=args.refresh)
    project = project_of(shop.settings, args.project)
    early = args.until != "plan" and not args.dry_run
    with ahead.begun(shop, project, args.tag) if early else nullcontext() as tagged:
        # loaded meanwhile
        from tagtrail.app.instance.wiring import open_road
        from tagtrail.app.terminal.outcomes import outcome_event
        from tagtrail.app.terminal.plans import tell_plan
        from tagtrail.workflows.release import release

        road = open_road(home, tell=console.tell, shop=shop)
        if args.dry_run:
            return tell_plan(road, project, args.tag, console, overrides)
        outcome = release(road, project, args.tag, until=args.until, overrides=overrides, tagged=tagged)
        console.tell("outcome", outcome_event(road, home, outcome))
        return outcome.exit

"""`tagtrail hold PROJECT TAG [--until TIME] [--because TEXT]`: keep a tag out of the trail; `--lift` lets it go on."""

import argparse
from shlex import quote

from tagtrail.app.terminal.console import Console
from tagtrail.formats.times import parse_span, parse_time
from tagtrail.model.errors import SetupError, TamperError

__all__ = ["arguments", "run"]


def arguments(parser: argparse.ArgumentParser) -> None:
    """PROJECT TAG [--until TIME] [--because TEXT] | PROJECT TAG --lift."""
    parser.add_argument("project", metavar="PROJECT")
    parser.add_argument("tag", metavar="TAG", help="the tag, or the version; it need not exist yet")
    parser.add_argument(
        "--until",
        metavar="TIME",
        default="",
        help="2h, 3d, a date or 2026-04-01T15:00:00Z; else until it is lifted",
    )
    parser.add_argument("--because", metavar="TEXT", default="", help="what whoever meets it is told; it stays here")
    parser.add_argument("--lift", action="store_true", help="let it go on")


def run(args: argparse.Namespace, console: Console) -> int:
    """0 where it is held, or lifted. Raises ProjectError `hold-late` where it is in the trail already; SetupError."""
    from tagtrail.app.instance.home import find_home
    from tagtrail.app.instance.wiring import open_road
    from tagtrail.formats.facts import dump
    from tagtrail.formats.settings import project_of
    from tagtrail.workflows.hold import hold, lift

    home = find_home(args.home)
    road = open_road(home, tell=console.tell)
    project = project_of(road.settings, args.project)
    if args.lift:
        if args.until or args.because:
            hint = f"tagtrail hold {project.name} {quote(args.tag)} --lift"
            raise SetupError("--lift takes neither --until nor --because", code="usage", hint=hint)
        found = lift(road, project, args.tag)
        text = f"{found.tag if found else args.tag} {'is not held any more' if found else 'was not held'}"
        following = f"tagtrail -C {home} release {project.name} {found.tag if found else args.tag}"
    else:
        made = hold(road, project, args.tag, until=_time(args.until, road.clock()), because=args.because)
        console.tell("held", dump(made))
        text = "release and resume stop before the trail"
        following = f"tagtrail -C {home} hold {project.name} {quote(made.tag)} --lift"
    ending = {"exit": 0, "project": project.name, "version": "", "state": "lifted" if args.lift else "held"}
    console.tell("outcome", ending | {"text": text, "next": following})
    return 0


def _time(text: str, now: int) -> int:
    """Unix seconds of a time, a date (its beginning, in UTC) or a span from now; 0 for nothing."""
    if not text:
        return 0
    span = parse_span(text)
    if span is not None:
        return now + span
    try:
        return parse_time(f"{text}T00:00:00Z" if len(text) == 10 else text)
    except TamperError:
        what = f"--until {text!r} is no time"
        raise SetupError(what, code="usage", hint="--until 2h, 3d, 2026-04-01 or 2026-04-01T15:00:00Z") from None

"""`tagtrail adopt PROJECT [--from PLACE]...`: what was released before becomes known to the trail; nobody is told."""

import argparse
from shlex import quote
from typing import TYPE_CHECKING

from tagtrail.app.terminal.console import Console

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tagtrail.model.facts import Survey
    from tagtrail.model.settings import Project
    from tagtrail.workflows.adopt import Adoption
    from tagtrail.workflows.road import Road

__all__ = ["arguments", "run"]


def arguments(parser: argparse.ArgumentParser) -> None:
    """PROJECT [--from PLACE]... [--tags] [--deep] [--dry-run]."""
    parser.add_argument("project", metavar="PROJECT")
    parser.add_argument(
        "--from",
        dest="places",
        metavar="PLACE",
        action="append",
        default=[],
        help="a target of the settings, a directory, or the address of one; {project} stands for the name "
        "(else the targets where the project is published; may be given again)",
    )
    parser.add_argument("--tags", action="store_true", help="tags without a file at any place are history too")
    parser.add_argument("--deep", action="store_true", help="hash every file of a directory, also where another tells")
    parser.add_argument("--dry-run", action="store_true", help="say what would be imported; write nothing")


def run(args: argparse.Namespace, console: Console) -> int:
    """0 where all history is known to the trail now; 6 where places disagree: what they agree on is imported."""
    from tagtrail.app.instance.home import find_home
    from tagtrail.app.instance.wiring import open_road
    from tagtrail.formats.settings import project_of
    from tagtrail.workflows.adopt import adopt, adoption

    home = find_home(args.home)
    road = open_road(home, tell=console.tell)
    project = project_of(road.settings, args.project)
    places = _asked(road, project, args, console)
    tags = road.source.peeled(project.repo)
    history = road.ledger.entries(project=project.name)
    found = adoption(project, history, tags, places, tags_alone=args.tags)
    _tell(found, project, console)
    entered = () if args.dry_run else adopt(road, project, found)
    ending = _outcome(found, project, args, home)
    if entered:
        ending["text"] = f"{ending['text']}\nentries {entered[0].index} to {entered[-1].index} of {road.site.origin}"
    console.tell("outcome", ending)
    return int(str(ending["exit"]))


def _asked(road: "Road", project: "Project", args: argparse.Namespace, console: Console) -> "tuple[Survey, ...]":
    """The targets first: what they tell of a file need not be hashed again."""
    from tagtrail.app.existing import is_place, known_places, surely, tarball_survey, tarballs
    from tagtrail.workflows.surveys import surveys

    targets = [t.name for t in road.settings.targets if t.name != road.site_target]
    known_places(args.places, targets)
    named = [place for place in args.places if not is_place(place)]
    if not args.places:
        named = [name for name in project.publish if name != road.site_target]
    told = surveys(road.targets, named, project.name, limit=60.0)
    digests = {name for place in told for name, digest in place.files if digest}
    for where in filter(is_place, args.places):
        at = tarballs(where, project.name)
        told += (tarball_survey(at, at.where, lambda name: _hashed(name, digests, deep=args.deep), console.tell),)
    for place in told:
        console.tell("place", place_event(place))
    surely(told)
    return told


def _hashed(name: str, told: "set[str]", *, deep: bool) -> bool:
    from tagtrail.rules.filenames import beside

    return not beside(name) and (deep or name not in told)


def place_event(place: "Survey") -> dict[str, object]:
    """The fields of the `place` event."""
    return {
        "place": place.target,
        "noun": "file",
        "files": len(place.files),
        "digests": sum(bool(digest) for _, digest in place.files),
        "silent": place.silent,
        "note": place.note,
    }


def _tell(found: "Adoption", project: "Project", console: Console) -> None:
    for old in found.new:
        files = [{"name": name, "sha256": digest} for name, digest in old.files]
        about = {"project": project.name, "version": old.version, "channel": old.channel, "commit": old.commit}
        console.tell("imported", about | {"files": files})
    for trouble in found.troubles:
        level = "error" if trouble.alarm else "warning"
        about = {"rule": trouble.code, "name": trouble.name, "level": level, "code": trouble.code}
        console.tell("finding", about | {"text": trouble.text, "fix": ""})


def _outcome(found: "Adoption", project: "Project", args: argparse.Namespace, home: "Path") -> dict[str, object]:
    alarms = [trouble for trouble in found.troubles if trouble.alarm]
    done = "would be imported" if args.dry_run else "imported"
    files = [file for old in found.new for file in old.files]
    what = f"{_count(found.new, 'release')} with {_count(files, 'file')}"
    text = f"{project.name}: {what} {done}; nothing is announced"
    if not found.new:
        text = f"{project.name}: nothing to import"
    if found.known:
        were = "1 version was" if found.known == 1 else f"{found.known:,} versions were"
        text += f"\n{were} known to the trail before"
    if left := len(found.troubles) - len(alarms):
        text += f"\n{left:,} left out, as said above"
    if alarms:
        text += f"\n{_count(alarms, 'file')} with two digests: nobody here can say which was released"
    asked = (f" --from {quote(place)}" for place in args.places)
    more = " --tags" * args.tags + " --deep" * args.deep
    again = f"tagtrail -C {home} adopt {project.name}{''.join(asked)}{more}" if args.dry_run and found.new else ""
    following = "find out who put the other bytes there, then run it again" if alarms else again
    return {"exit": 6 if alarms else 0, "state": "conflict" if alarms else "", "text": text, "next": following}


def _count(things: "Sequence[object]", noun: str) -> str:
    return f"{len(things):,} {noun}{'' if len(things) == 1 else 's'}"

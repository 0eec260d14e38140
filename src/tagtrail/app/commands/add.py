"""`tagtrail add PROJECT TAG FILE... [--by KEY]`: files built elsewhere, into the draft of a release or behind one.

All of them are looked at before one is taken; nothing is re-packed. They wait for the approval of a signer.
"""

import argparse
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from tagtrail.app.terminal.console import Console

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tagtrail.model.facts import Artifact
    from tagtrail.model.settings import Project
    from tagtrail.workflows.examine import Examined
    from tagtrail.workflows.intake import Judge
    from tagtrail.workflows.road import Road

__all__ = ["arguments", "bringer", "draft_says", "run", "staged_event", "tagged"]

_PIECE = 1 << 20


def arguments(parser: argparse.ArgumentParser) -> None:
    """PROJECT TAG FILE... [--by KEY] [--drop NAME]."""
    parser.add_argument("project", metavar="PROJECT")
    parser.add_argument("tag", metavar="TAG", help="the tag, or the version")
    parser.add_argument("files", metavar="FILE", nargs="*", type=Path)
    parser.add_argument(
        "--by",
        metavar="KEY",
        help="who brings them, as said by whoever runs this, with nothing proven: a public key's file or fingerprint "
        "(else git's user.signingkey)",
    )
    parser.add_argument("--drop", metavar="NAME", action="append", default=[], help="take a file out of the draft")


def run(args: argparse.Namespace, console: Console) -> int:
    """0 where the files are in the draft; of a version that is logged, what `release` ends with."""
    from tagtrail.app.instance.home import address_of, find_home
    from tagtrail.app.instance.wiring import open_road
    from tagtrail.app.terminal.outcomes import outcome_event
    from tagtrail.formats.settings import project_of
    from tagtrail.model.errors import SetupError
    from tagtrail.workflows.add import stage
    from tagtrail.workflows.prepare import look
    from tagtrail.workflows.release import release
    from tagtrail.workflows.staged import drop

    if not args.files and not args.drop:
        raise SetupError("add needs a FILE", code="usage", hint="tagtrail add PROJECT TAG FILE...")
    names = [path.name for path in args.files]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise SetupError(f"{twice} is named twice", code="usage", hint="tagtrail add PROJECT TAG FILE...")
    if url := address_of(args.home):
        return _from_afar(url, args, console)
    home = find_home(args.home)
    road = open_road(home, tell=console.tell)
    project = project_of(road.settings, args.project)
    version, tag, logged = tagged(road, look(road, project, args.tag))
    for name in args.drop:
        drop(road, project, version, tag, name)
        console.line(f"{name} is no longer in the draft")
    by = bringer(road, project, args.by) if args.files else ""
    for artifact in _taken(road, home, project, version, tag, args.files, by):
        new = stage(road, project, version, tag, artifact)
        console.tell("staged", staged_event(project, version, artifact, new=new))
    if logged:
        outcome = release(road, project, args.tag)
        console.tell("outcome", outcome_event(road, home, outcome))
        return outcome.exit
    console.tell("outcome", _outcome(road, home, project, args.tag, tag))
    return 0


def _from_afar(url: str, args: argparse.Namespace, console: Console) -> int:
    from tagtrail.app.bringing import bring
    from tagtrail.model.errors import SetupError

    if args.drop or args.by:
        what = "--by and --drop are said where the instance is"
        raise SetupError(what, code="usage", hint=f"tagtrail -C {url} add PROJECT TAG FILE...")
    return bring(url, args.project, args.tag, args.files, console)


def staged_event(project: "Project", version: str, artifact: "Artifact", *, new: bool) -> dict[str, object]:
    """The fields of the `staged` event."""
    return {
        "project": project.name,
        "version": version,
        "file": artifact.name,
        "size": artifact.blob.size,
        "sha256": artifact.blob.sha256,
        "by": artifact.origin.by,
        "new": new,
    }


def tagged(road: "Road", examined: "Examined") -> tuple[str, str, bool]:
    """Version, SHA-256 of the tag object, and whether the trail has it: of a tag that counts. Raises what `release`
    raises before it builds."""
    from tagtrail.model.errors import ProjectError
    from tagtrail.workflows.examine import refuse
    from tagtrail.workflows.prepare import already

    if examined.taken:
        entry = already(road, examined, examined.taken)
        return entry.version, entry.tag.sha256 if entry.tag else "", True
    refuse(examined)
    if examined.tag is None:
        name = f"{examined.project.name} {examined.tagged.name}"
        raise ProjectError(
            f"{name}: the tag's signature does not count", code="tag-unsigned", hint=f"tagtrail check {name}"
        )
    return examined.tag.version, examined.tag.sha256, False


def bringer(road: "Road", project: "Project", given: str | None) -> str:
    """The fingerprint of who brings files, a key of the settings; or a builder of the project by its name.

    Raises SetupError `add-stranger`, what `person_of_file` raises, and the codes of `person_of_git`.
    """
    from tagtrail.app.instance.signers import person_of_file, person_of_git
    from tagtrail.model.errors import SetupError

    known = {key.fingerprint for keys in road.people.values() for key in keys}
    if given in project.builders:
        return f"builder:{given}"
    if given is None:
        try:
            mine = [key.fingerprint for key in person_of_git(Path.cwd()).keys]
        except SetupError as error:
            what, why = "git does not say whose key brings these files", error.why or error.what
            raise SetupError(what, code=error.code, why=why, hint="tagtrail add ... --by KEY") from error
    else:
        mine = [k.fingerprint for k in person_of_file(Path(given)).keys] if Path(given).is_file() else [given]
    found = next((key for key in mine if key in known), None)
    if found is None:
        hint = "--by KEY, of somebody under [people], or the name of a builder of the project"
        raise SetupError(f"{', '.join(mine)} is nobody's key in the settings", code="add-stranger", hint=hint)
    return found


def _taken(
    road: "Road", home: Path, project: "Project", version: str, tag: str, files: "Sequence[Path]", by: str
) -> "list[Artifact]":
    """Every file looked at, beside those before it, or all that is wrong with them at once."""
    from tagtrail.app.instance.home import Home
    from tagtrail.io.scratch import scratch
    from tagtrail.model.errors import ProjectError
    from tagtrail.model.frozen import replace
    from tagtrail.workflows.add import judged

    quiet, found, wrong = replace(road, tell=lambda *_: None), list["Artifact"](), list[ProjectError]()

    def judge(artifact: "Artifact", unkept: "Mapping[str, bytes]") -> bool:
        return judged(quiet, project, version, tag, artifact, beside=found, unkept=unkept)

    with scratch(Home(path=home).state("scratch"), "add") as room:
        for number, path in enumerate(files):
            try:
                found.append(_one(road, room / str(number), path, project, version, by, judge))
            except ProjectError as error:
                wrong.append(error)
    if len(wrong) == 1:
        raise wrong[0]
    if wrong:
        what = f"{len(wrong)} of {len(files)} files are refused; none was taken"
        raise ProjectError(what, code=wrong[0].code, why="\n".join(error.what for error in wrong), hint=wrong[0].hint)
    return found


def _one(road: "Road", room: Path, path: Path, project: "Project", version: str, by: str, judge: "Judge") -> "Artifact":
    """A copy of our own is looked at: what is judged is what is kept."""
    import errno

    from tagtrail.io.foreign import check_name, plain
    from tagtrail.model.errors import ProjectError, SetupError
    from tagtrail.workflows.intake import LARGEST, take_in

    room.mkdir()
    check_name(path.name)
    try:
        with plain(path) as source, (room / "file").open("x+b") as copy, (room / "spool").open("x+b") as spool:
            size = 0
            while piece := source.read(_PIECE):
                size += len(piece)
                if size > LARGEST:
                    raise ProjectError(f"{path.name} is bigger than {LARGEST} bytes", code="add-size")
                copy.write(piece)
            copy.seek(0)
            return take_in(
                copy, path.name, project=project, version=version, by=by, kept=road.kept, spool=spool, judge=judge
            )
    except FileNotFoundError as error:
        hint = f"ls -l {quote(str(path.parent))}"
        raise SetupError(f"there is no file {path}", code="file-missing", hint=hint) from error
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise SetupError("the disk is full", code="disk-full", hint="df -h") from error
        raise


def _outcome(road: "Road", home: Path, project: "Project", name: str, tag: str) -> dict[str, object]:
    text, missing = draft_says(road, project, name, tag)
    following = "" if missing else f"tagtrail -C {home} release {project.name} {name}"
    return {"exit": 0, "state": "", "project": project.name, "text": text, "next": following}


def draft_says(road: "Road", project: "Project", name: str, tag: str) -> tuple[str, tuple[str, ...]]:
    """Of the draft of `name`, whose tag object has SHA-256 `tag`: what was brought, and the patterns that fit nothing
    that is there."""
    from tagtrail.workflows.staged import awaited, here, staged

    brought = len(staged(road, project.name, tag))
    missing = awaited(project, here(road, project.name, tag))
    text = f"{project.name} {name}: {brought} file{'' if brought == 1 else 's'} brought"
    if project.expect:
        text = (
            f"{project.name} {name}: {len(project.expect) - len(missing)} of {len(project.expect)} expected files here"
        )
    if missing:
        text += f"; waiting for {', '.join(missing)}"
    return text, missing

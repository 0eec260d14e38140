"""Uploads as twine and uv make them: POST /PROJECT/TAG/legacy/, one file in a form, staged in the tag's draft."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import BinaryIO, cast

from tagtrail.app.commands.add import draft_says, staged_event, tagged
from tagtrail.app.instance.home import Home
from tagtrail.app.serve.identity import Denied, Desk
from tagtrail.formats.multipart import boundary_of, parts
from tagtrail.formats.settings import project_of
from tagtrail.io.foreign import check_name
from tagtrail.io.scratch import scratch
from tagtrail.model.errors import ProjectError
from tagtrail.model.facts import Artifact
from tagtrail.model.frozen import replace
from tagtrail.model.settings import Bringer, Project
from tagtrail.trail import sequencer
from tagtrail.workflows.add import asked_later, judged, stage
from tagtrail.workflows.examine import Examined
from tagtrail.workflows.intake import Judge, take_in
from tagtrail.workflows.release import look
from tagtrail.workflows.road import Road

__all__ = ["Received", "builders_of", "receive"]

_TEXT = 4 << 20
"""Bytes of all texts of a form together: the description of a package is one of them."""
_READ = (":action", "sha256_digest")


@dataclass(frozen=True, slots=True)
class _Form:
    """What a form said that matters here."""

    texts: dict[str, str]
    name: str
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """An upload that is staged: its event, a line about the file, and one about its draft."""

    staged: Mapping[str, object]
    text: str
    draft: str


def builders_of(road: Road, project: Project) -> tuple[Bringer, ...]:
    """Who may bring files of a project."""
    return tuple(builder for builder in road.settings.builders if builder.name in project.builders)


def receive(
    road: Road, home: Path, desk: Desk, name: str, tag: str, token: str, content_type: str, body: BinaryIO
) -> Received:
    """Stage the file of a form. Raises Denied, and what `take_in` and `stage` raise."""
    project = project_of(road.settings, name)
    builders = builders_of(road, project)
    if not builders:
        raise Denied(f"nobody may bring files of {project.name}", code="token-unknown", hint="builders in its settings")
    desk.judge(token, builders, None)  # before anything is looked up for a stranger
    found = look(road, project, tag)
    version, sha256, _ = tagged(road, found)
    by = desk.judge(token, builders, {"tag": found.tagged.name, "commit": found.tagged.commit})
    with scratch(Home(path=home).state("scratch"), "upload") as room:
        form = _form(content_type, body, room)
        quiet = replace(road, tell=lambda *_: None)

        def judge(artifact: Artifact, unkept: Mapping[str, bytes]) -> bool:
            return judged(quiet, project, version, sha256, artifact, unkept=unkept)

        artifact = _taken(road, form, room, project, version, by, judge)
    new = stage(road, project, version, sha256, artifact)
    event = staged_event(project, version, artifact, new=new)
    road.tell("staged", event)
    released, waits = _later(road, project, found)
    late = "; a later entry waits for approval" if waits else ""
    place = "trail as a file" if artifact.name in released else "draft"
    text = f"{artifact.name} is {'' if new else 'already '}in the {place} of {project.name} {version}{late}"
    return Received(staged=event, text=text, draft=f"{draft_says(road, project, version, sha256)[0]}{late}")


def _later(road: Road, project: Project, found: Examined) -> tuple[frozenset[str], bool]:
    """The files of a version that the trail has, and whether others wait to join them."""
    if found.taken is None:
        return frozenset(), False
    entry = sequencer.find_release(road.ledger, project.name, found.taken.version) or found.taken
    return frozenset(file.name for file in entry.files), asked_later(road, project, entry) is not None


def _form(content_type: str, body: BinaryIO, room: Path) -> _Form:
    texts: dict[str, str] = {}
    name, size = "", 0
    for part, pieces in parts(body, boundary_of(content_type)):
        if part.name == "content" and part.filename:
            if name:
                raise _invalid("it has two files")
            name = part.filename
            check_name(name)
            with (room / "file").open("xb") as file:
                file.writelines(pieces)
        elif part.name in _READ:
            kept = []
            for piece in pieces:
                size += len(piece)
                if size > _TEXT:
                    raise _invalid("its texts are too long")
                kept.append(piece)
            texts[part.name] = b"".join(kept).decode("utf-8", "replace")
    if not name or texts.get(":action") != "file_upload":
        raise _invalid("it is no file_upload with a file in `content`")
    return _Form(texts, name, room / "file")


def _taken(
    road: Road,
    form: _Form,
    room: Path,
    project: Project,
    version: str,
    by: str,
    judge: Judge,
) -> Artifact:
    with form.path.open("rb") as file, (room / "spool").open("x+b") as spool:
        said = form.texts.get("sha256_digest", "").lower()
        if said and file_digest(file, "sha256").hexdigest() != said:
            what = f"{form.name} did not arrive as it was sent"
            raise ProjectError(what, code="upload-digest", why=f"sha256_digest is {said[:64]!r}", hint="send it again")
        file.seek(0)
        return take_in(
            cast("BinaryIO", file), form.name, project=project, version=version, by=by, kept=road.kept, spool=spool,
            judge=judge,
        )  # fmt: skip


def _invalid(why: str) -> ProjectError:
    return ProjectError("this is no upload that can be read", code="form-invalid", why=why)

"""Uploads as twine and uv make them: POST /PROJECT/TAG/legacy/, one file in a form, staged in the tag's draft.

What the form says of the file is compared with it: digests, name and version. The core metadata is read from the file.
What would be dropped is refused, for clients show nothing of an answer that is none.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b, file_digest, md5, sha256
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO, cast

from tagtrail.app.commands.add import draft_says, staged_event, tagged
from tagtrail.app.instance.home import Home
from tagtrail.app.serve.identity import Denied, Desk
from tagtrail.formats.encoding import shown
from tagtrail.formats.multipart import Part, boundary_of, parts
from tagtrail.formats.settings import project_of
from tagtrail.io.foreign import check_name
from tagtrail.io.scratch import scratch
from tagtrail.model.errors import ProjectError
from tagtrail.model.facts import Artifact
from tagtrail.model.frozen import replace
from tagtrail.model.names import project_key, version_key
from tagtrail.model.settings import Bringer, Project
from tagtrail.trail import sequencer
from tagtrail.workflows.add import asked_later, judged, stage
from tagtrail.workflows.examine import Examined
from tagtrail.workflows.intake import Judge, take_in
from tagtrail.workflows.release import look
from tagtrail.workflows.road import Road

__all__ = ["Received", "builders_of", "receive"]

_TEXT = 8 << 10
"""Bytes of all texts that are read of a form, together."""
_DIGESTS: Mapping[str, Callable[[], Any]] = {
    "sha256_digest": sha256,
    "blake2_256_digest": lambda: blake2b(digest_size=32),
    "md5_digest": lambda: md5(usedforsecurity=False),
}
_READ = frozenset({":action", "name", "version", *_DIGESTS})
_UNUSED = {
    "gpg_signature": "upload without it (twine: no --sign): the instance's own key signs what is released",
    "attestations": "upload without them (twine: no --attestations; uv publish --no-attestations)",
    "comment": "upload without it (twine: no --comment)",
}
"""Fields of which nothing would be kept, and what to do."""


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
    name, room_left = "", _TEXT
    for part, pieces in parts(body, boundary_of(content_type)):
        _refuse_unused(part)
        if part.filename:
            if name:
                raise _invalid("it has two files")
            name = part.filename
            check_name(name)
            with (room / "file").open("xb") as file:
                file.writelines(pieces)
        elif part.name in _READ:
            if part.name in texts:
                raise _invalid(f"it has {part.name} twice")
            texts[part.name] = _text(pieces, room_left)
            room_left -= len(texts[part.name])
    if not name or texts.get(":action") != "file_upload":
        raise _invalid("it is no file_upload with a file in `content`")
    return _Form(texts, name, room / "file")


def _refuse_unused(part: Part) -> None:
    """Raises ProjectError `upload-unused`, `form-invalid`."""
    if part.name in _UNUSED:
        what = f"{part.name} is not taken here"
        why = "nothing of it would be kept, and the upload is not taken as if it were"
        raise ProjectError(what, code="upload-unused", why=why, hint=_UNUSED[part.name])
    if part.filename and part.name != "content":
        raise _invalid(f"it has a file in {shown(part.name)}")


def _text(pieces: Iterable[bytes], most: int) -> str:
    kept = b""
    for piece in pieces:
        kept += piece
        if len(kept) > most:
            raise _invalid("its texts are too long")
    return kept.decode("utf-8", "replace")


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
        _compare(form, file, project, version)
        file.seek(0)
        return take_in(
            cast("BinaryIO", file), form.name, project=project, version=version, by=by, kept=road.kept, spool=spool,
            judge=judge,
        )  # fmt: skip


def _compare(form: _Form, file: BufferedReader, project: Project, version: str) -> None:
    """What the form says of the file. Raises ProjectError `name-mismatch`, `version-mismatch`, `upload-digest`."""
    name, said = form.texts.get("name"), form.texts.get("version")
    if name is not None and project_key(name) != project_key(project.name):
        raise _mismatch(form, "name", name, project.name)
    if said is not None and version_key(said) != version_key(version):
        raise _mismatch(form, "version", said, version)
    for field, kind in _DIGESTS.items():
        file.seek(0)
        given = form.texts.get(field, "").lower()
        if given and file_digest(file, kind).hexdigest() != given:
            what = f"{form.name} did not arrive as it was sent"
            raise ProjectError(what, code="upload-digest", why=f"{field} is {given[:64]!r}", hint="send it again")


def _mismatch(form: _Form, field: str, said: str, here: str) -> ProjectError:
    what = f"the form says of {form.name} that its {field} is {shown(said)}, not {here!r}"
    return ProjectError(what, code=f"{field}-mismatch", hint="upload it where it belongs, /PROJECT/TAG/legacy/")


def _invalid(why: str) -> ProjectError:
    return ProjectError("this is no upload that can be read", code="form-invalid", why=why)

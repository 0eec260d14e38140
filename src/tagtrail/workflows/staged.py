"""What is staged: the files in the Draft of a tag, brought from elsewhere or built here, before anything is public.

It belongs to a tag object: a moved tag begins with nothing, and what was brought before is brought again or dropped
before its release goes on. The journal has a line for each file that came or was dropped again, and what was built.
"""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from shlex import quote

from tagtrail.formats.facts import dump
from tagtrail.model.errors import ProjectError, TamperError
from tagtrail.model.facts import Artifact, Built, Entry, Finding, Tag, TagRef
from tagtrail.model.frozen import frozen
from tagtrail.model.names import FORM, is_own, name_key, project_key, version_key
from tagtrail.model.settings import Project
from tagtrail.workflows.begun import BROUGHT, owed, settled
from tagtrail.workflows.remembered import newest, remembered, renew
from tagtrail.workflows.road import Road

__all__ = [
    "awaited", "drafted", "drop", "here", "refuse_left", "remember_brought", "remember_built", "staged",
    "tell_brought", "tell_unfit",
]  # fmt: skip


@frozen
class _Staged:
    """A line of what happened to a Draft: a file came, or (None) was dropped again."""

    name: str
    artifact: Artifact | None = None


@frozen
class _Of:
    """SHA-256 of a tag object for which files of a version were brought."""

    tag: str


@frozen
class _Drafted:
    """What was built for a draft."""

    artifacts: tuple[Artifact, ...]


def staged(road: Road, project: str, tag: str) -> tuple[Artifact, ...]:
    """What was added to the Draft of the tag object with SHA-256 `tag`, by name: the first of a name stands, however
    it is spelled. What no file of a release can be called is left out (`tell_unfit`): it keeps nothing else back."""
    return _lying(road, project, tag, fit=True)


def tell_unfit(road: Road, project: str, tag: Tag | TagRef) -> None:
    """Say what lies in the Draft and is left out of the release: it came before its name was judged."""
    for artifact in _lying(road, project, tag.sha256, fit=False):
        text = f"{artifact.name!a} is left out of the draft: no file of a release can be called so"
        fix = f"tagtrail add {project} {quote(tag.name)} --drop {quote(artifact.name)}"
        said = Finding(rule="FILE003", name=_FREE, level="warning", text=text, fix=fix, code=_FREE)
        road.tell("finding", dump(said))


_FREE = "file-name-free"


def _is_fit(name: str) -> bool:
    return FORM.fullmatch(name) is not None and not is_own(name)


def _lying(road: Road, project: str, tag: str, *, fit: bool) -> tuple[Artifact, ...]:
    place, found = _place(project, tag), dict[str, Artifact]()
    for number in range(road.journal.cursor(place)):
        line = remembered(road.journal, f"{place}:{number}", _Staged)
        if line is None or _is_fit(line.name) != fit:
            continue
        if line.artifact is not None:
            found.setdefault(name_key(project, line.name), line.artifact)
        else:
            found.pop(name_key(project, line.name), None)
    return tuple(sorted(found.values(), key=lambda a: a.name))


def drafted(road: Road, project: str, tag: str) -> tuple[Artifact, ...]:
    """What was built for the tag object with SHA-256 `tag`, where its release stopped before the trail."""
    line = newest(road.journal, _built_place(project, tag), _Drafted)
    return line.artifacts if line else ()


def here(road: Road, project: str, tag: str) -> tuple[str, ...]:
    """The names of a tag object's files: built, as far as is known, brought or released."""
    entry = _entry_of(road, project, tag)
    waiting = (*drafted(road, project, tag), *staged(road, project, tag))
    return tuple(sorted({a.name for a in waiting} | {file.name for file in (entry.files if entry else ())}))


def awaited(project: Project, names: Sequence[str]) -> tuple[str, ...]:
    """The patterns of `expect` for which no file is there."""
    return tuple(p for p in project.expect if not any(fnmatchcase(name, p) for name in names))


def remember_brought(road: Road, project: str, version: str, tag: str, artifact: Artifact) -> None:
    """A file of a version came for the tag object with SHA-256 `tag`."""
    if tag not in _tags(road, project, version):
        _write(road, _tags_place(project, version), _Of(tag=tag))
    _write(road, _place(project, tag), _Staged(name=artifact.name, artifact=artifact))


def tell_brought(road: Road, project: str, version: str, names: Sequence[str]) -> None:
    """For `status`: these files wait for a release that may never be begun; none: nothing does any more."""
    if not names:
        settled(road, project, version, BROUGHT)
        return
    were = f"{len(names)} files were" if len(names) > 1 else f"{names[0]} was"
    owed(road, project, version, BROUGHT, f"{were} brought, and no release of it is under way")


def remember_built(road: Road, built: Built) -> None:
    """For whoever looks at the draft without building: the staging index. A release that goes through needs no line."""
    tag = built.plan.tag
    renew(road.journal, _built_place(tag.project, tag.sha256), _Drafted(artifacts=built.artifacts))


def drop(road: Road, project: Project, version: str, tag: str, name: str) -> None:
    """Take a file out of the Draft again, and out of those of the objects that the tag was before. Raises ProjectError
    `add-not-staged`, `add-released`."""
    known = {
        sha256: [a.name for fit in (True, False) for a in _lying(road, project.name, sha256, fit=fit)]
        for sha256 in (tag, *_left(road, project.name, version, tag))
    }
    if entry := _entry_of(road, project.name, tag, name):
        what, why = f"{name} is released (entry {entry.index})", "what is in the trail stays there"
        raise ProjectError(what, code="add-released", why=why, hint="tagtrail withdraw takes a whole version back")
    if not any(name in names for names in known.values()):
        why = f"there are {', '.join(known[tag])}" if known[tag] else "nothing is staged"
        raise ProjectError(f"{name} is not in the draft", code="add-not-staged", why=why)
    for sha256 in (sha256 for sha256, names in known.items() if name in names):
        _write(road, _place(project.name, sha256), _Staged(name=name))
    left = sorted({other for names in known.values() for other in names} - {name})
    if not left or _entry_of(road, project.name, tag) is None:
        tell_brought(road, project.name, version, left)


def refuse_left(road: Road, project: str, version: str, tag: Tag) -> None:
    """Files that were brought for another object of the tag are brought again, or dropped, before a release goes on.

    Raises TamperError `tag-moved`.
    """
    anew = {name_key(project, a.name) for a in staged(road, project, tag.sha256)}
    others = (a for sha256 in _left(road, project, version, tag.sha256) for a in staged(road, project, sha256))
    left = sorted({a.name for a in others if name_key(project, a.name) not in anew})
    if left:
        listed = f"{', '.join(left[:3])}{f' and {len(left) - 3} more' if len(left) > 3 else ''}"
        name = f"{project} {quote(tag.name)}"
        raise TamperError(
            f"tag {tag.name} was another object when {listed} came, it is {tag.object[:12]} now",
            code="tag-moved",
            why="what was brought for one object is no part of another's release; nothing was logged",
            hint=f"find out who moved it; then for each: tagtrail add {name} FILE, or tagtrail add {name} --drop NAME",
        )


def _entry_of(road: Road, project: str, tag: str, name: str = "") -> Entry | None:
    """The newest entry of a tag object; the one that has a file, with its `name`."""
    entries = (e for e in reversed(road.ledger.entries(project=project)) if e.event == "release")
    mine = (e for e in entries if e.tag and e.tag.sha256 == tag)
    return next((e for e in mine if not name or name in {file.name for file in e.files}), None)


def _tags(road: Road, project: str, version: str) -> tuple[str, ...]:
    """SHA-256 of all tag objects for which files of a version were brought."""
    place = _tags_place(project, version)
    lines = (remembered(road.journal, f"{place}:{number}", _Of) for number in range(road.journal.cursor(place)))
    return tuple(line.tag for line in lines if line)


def _left(road: Road, project: str, version: str, tag: str) -> tuple[str, ...]:
    """Those that the tag is no more."""
    return tuple(sha256 for sha256 in _tags(road, project, version) if sha256 != tag)


def _write(road: Road, place: str, line: _Staged | _Of) -> None:
    """Behind the lines that are there; who loses the place to another takes the next one."""
    while True:
        number = road.journal.cursor(place)
        won = road.journal.once(f"{place}:{number}", type(line), lambda: line)
        road.journal.cursor(place, number, number + 1)
        if won == line:
            return


def _place(project: str, tag: str) -> str:
    return f"draft:{project_key(project)}:{tag}"


def _tags_place(project: str, version: str) -> str:
    return f"drafts:{project_key(project)}:{version_key(version)}"


def _built_place(project: str, tag: str) -> str:
    return f"{_place(project, tag)}:built"

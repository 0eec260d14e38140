"""The port `Notes` from git: what the project wrote, by the rules of the tool that it uses, else its commits."""

import posixpath
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tagtrail.formats import changelog, fragments, reno
from tagtrail.formats.commonmark import escaped, tame
from tagtrail.formats.gitfiles import Files
from tagtrail.io import process
from tagtrail.io.git import Git, lay_out, objects_missing
from tagtrail.io.objects import Reader, reader
from tagtrail.io.scratch import scratch
from tagtrail.model.errors import ProjectError
from tagtrail.model.frozen import frozen, replace
from tagtrail.model.notes import Notes, Section, Wrote
from tagtrail.ports import NotesOrder, Objects

__all__ = ["MOST", "GitNotes"]

MOST = 200
"""Commits shown; of more it is said how many there are."""
_LONGEST = 200
_ID = 10
_FILES, _SIZE, _TOTAL = 2000, 1 << 20, 4 << 20
"""How many files are read, how large each and all of them may be, in bytes."""

_DEEPEST = 3
"""Directories within that of reno's notes."""

_SECTIONS, _SHOWN = 40, 96 * 1024
"""How many sections are taken, and how many characters of all of them."""


class GitNotes:
    """See `tagtrail.ports.Notes`. Read at the commit's id, from git's objects; nothing of the project runs.

    Foreign text is made tame. How many people wrote is counted; who they are is not said.
    """

    def __init__(self, scratch_root: Path) -> None:
        self._scratch = scratch_root

    def read(self, objects: Objects, order: NotesOrder) -> Notes:
        """See `tagtrail.ports.Notes`. Raises ProjectError `objects-missing`, `notes-missing`."""
        with scratch(self._scratch, "notes") as room:
            git = lay_out(objects, room, head=order.commit, bare=True)
            commits = _commits(git, order.commit, f"{order.since}..{order.commit}" if order.since else order.commit)
            with reader(git) as opened:
                told = _read(opened, order) or _listed(commits)
        people = len({who for _, who, _ in commits})
        return replace(told, since=order.follows, commits=len(commits), authors=people)


# --- the commits ----------------------------------------------------------------------------------------------------


def _commits(git: Git, commit: str, which: str) -> Sequence[tuple[str, str, str]]:
    """(id, who, subject), newest first."""
    done = git.run(
        "rev-list", "--no-merges", "--topo-order", "--no-commit-header", "--encoding=UTF-8", "--format=%H%x00%ae%x00%s",
        which, "--",
    )  # fmt: skip
    if not done.ok:
        raise objects_missing(commit, process.said(done.err, 3))
    lines = [line.split("\0", 2) for line in done.out.decode("utf-8", "replace").split("\n") if line]
    return [(line[0], line[1].casefold(), line[2]) for line in lines if len(line) == 3]


def _listed(commits: Sequence[tuple[str, str, str]]) -> Notes:
    lines = [f"- `{oid[:_ID]}` {_subject(subject)}" for oid, _, subject in commits[:MOST]]
    rest = [f"- and {len(commits) - MOST} earlier ones"] if len(commits) > MOST else []
    body = "\n".join([*lines, *rest])
    return Notes(source="commits", sections=(Section(title="Commits", body=body),) if body else ())


def _subject(subject: str) -> str:
    text = " ".join(subject.split())
    return escaped(text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "...")


# --- what the project wrote -----------------------------------------------------------------------------------------


def _texts(files: Files, ids: Mapping[str, str]) -> dict[str, str]:
    """The texts of these files, of those that are no larger and no more than anybody writes."""
    chosen = {path: oid for path, oid in list(ids.items())[:_FILES] if oid}
    found = files.contents(chosen.values(), _Room(_TOTAL).fits)
    both = zip(chosen, found, strict=True)
    return {path: data.decode("utf-8", "replace") for path, data in both if data is not None}


def _text(files: Files, path: str) -> str:
    """The text of one file; empty where there is none."""
    return _texts(files, {path: files.id(path)}).get(path, "")


class _Room:
    """Room for so many more bytes."""

    def __init__(self, left: int) -> None:
        self.left = left

    def fits(self, size: int) -> bool:
        """Whether a file of that size is read; its room is taken."""
        taken = 0 < size <= min(_SIZE, self.left)
        self.left -= size if taken else 0
        return taken


@frozen
class _Project:
    """A project's files, those at the release before this one, and the settings of tools that lie at its top."""

    files: Files
    before: Files | None
    order: NotesOrder
    settings: Mapping[str, str]


def _read(reader: Reader, order: NotesOrder) -> Notes | None:
    """What the settings ask for, else the first that has something. Raises ProjectError `notes-missing`."""
    how, _, path = order.how.partition(":")
    if how == "commits":
        return None
    files = Files(reader, order.commit, order.subdirectory)
    before = Files(reader, order.since, order.subdirectory) if order.since else None
    settings = _texts(files, {name: files.id(name) for name in _SETTINGS})
    project = _Project(files=files, before=before, order=order, settings=settings)
    ways = _WAYS if how not in _WAYS else {how: _WAYS[how]}
    told = next(filter(None, (way(project, path) for way in ways.values())), None)
    if told is None and how in _WAYS:
        raise ProjectError(
            f"no notes of {order.version} are where the settings say: {order.how}",
            code="notes-missing",
            why=f"read at commit {order.commit[:12]}",
            hint='write them and tag that commit, or set notes = "auto" for this project',
        )
    return told


def _reno(project: _Project, _: str) -> Notes | None:
    """Notes whose id the release before does not have."""
    files, before = project.files, project.before
    if not files.names("releasenotes"):
        return None
    said = _text(files, reno.CONFIGS[0]) or project.settings.get(reno.CONFIGS[1], "")
    config = reno.parse_config(said) if said else reno.Config()
    old = {reno.identity(name) for name in _below(before, config.notes)} if before else set[str]()
    now = {name: oid for name, oid in _below(files, config.notes).items() if reno.identity(name) not in {"", *old}}
    notes = [note for note in map(reno.parse_note, _texts(files, now).values()) if note]
    return _told("reno", config.notes, reno.sections_of(config, notes))


def _below(files: Files, directory: str, depth: int = 0) -> dict[str, str]:
    """The files of a directory and of those in it, by their paths."""
    found: dict[str, str] = {}
    for path, oid in files.names(directory).items():
        if oid:
            found[path] = oid
        elif depth < _DEEPEST:
            found |= _below(files, path, depth + 1)
    return found


def _changelog(project: _Project, path: str) -> Notes | None:
    """The section of this version in the file that is named, in towncrier's, or in one that is called so."""
    if path:
        names = [path]
    else:
        own = _towncrier_of(project)
        files = project.files
        near = (*files.names(), *(files.names("docs") if project.order.how == "" else ()))
        names = [*([own.filename] if own else []), *(name for name in near if changelog.fits(posixpath.basename(name)))]
    for name in dict.fromkeys(names):
        found = changelog.sections_of(name, _text(project.files, name), project.order.version)
        if found:
            return _told("changelog", name, found)
    return None


def _fragments(project: _Project, path: str) -> Notes | None:
    """What has not been gathered yet, as the tool reads it whose settings there are."""
    files, town, scriv = project.files, _towncrier_of(project), _scriv_of(project)
    if town or (path and not scriv):
        town = town or fragments.Towncrier()
        for place in fragments.places(town, path):
            parts = [(name, _texts(files, files.names(directory))) for name, directory in place.sections]
            if told := fragments.towncrier_sections(town, parts):
                return _told("towncrier", place.shown, told)
    scriv = scriv or fragments.Scriv()
    where = path or scriv.directory
    return _told("scriv", where, fragments.scriv_sections(scriv, _texts(files, files.names(where))))


def _scriv_of(project: _Project) -> fragments.Scriv | None:
    pyproject, *before = (project.settings.get(name, "") for name in ("pyproject.toml", "setup.cfg", "tox.ini"))
    found = fragments.scriv_of(pyproject, before) or fragments.Scriv()
    own = _text(project.files, f"{found.directory}/scriv.ini")
    return fragments.scriv_of(pyproject, before, own)


def _towncrier_of(project: _Project) -> fragments.Towncrier | None:
    return fragments.towncrier_of(*(project.settings.get(name, "") for name in ("pyproject.toml", "towncrier.toml")))


def _told(source: Wrote, where: str, sections: tuple[Section, ...]) -> Notes | None:
    return Notes(source=source, where=where, sections=_bounded(sections)) if sections else None


def _bounded(sections: tuple[Section, ...]) -> tuple[Section, ...]:
    """No more sections than anybody reads, and of them the first characters."""
    left, kept = _SHOWN, []
    for section in sections[:_SECTIONS]:
        if len(section.body) > left:
            kept.append(replace(section, body=f"{tame(section.body[:left])}\n\n\\[...]"))
            break
        left -= len(section.body)
        kept.append(section)
    return tuple(kept)


_SETTINGS = ("pyproject.toml", "towncrier.toml", "reno.yaml", "setup.cfg", "tox.ini")
_WAYS: Mapping[str, Callable[[_Project, str], Notes | None]] = {
    "reno": _reno,
    "changelog": _changelog,
    "fragments": _fragments,
}

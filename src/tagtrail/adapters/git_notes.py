"""The port `Notes` from git: what the project wrote, by the rules of the tool that it uses, else its commits."""

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tagtrail.formats import changelog, fragments, reno
from tagtrail.formats.commonmark import escaped, tame
from tagtrail.io import process
from tagtrail.io.git import Git, lay_out, objects_missing
from tagtrail.io.scratch import scratch
from tagtrail.model.errors import ProjectError
from tagtrail.model.frozen import replace
from tagtrail.model.notes import Notes, Section, Wrote
from tagtrail.ports import NotesOrder, Objects

__all__ = ["MOST", "GitNotes"]

MOST = 200
"""Commits shown; of more it is said how many there are."""
_LONGEST = 200
_ID = 10
_FILES, _SIZE, _TOTAL = 2000, 1 << 20, 4 << 20
"""How many files are read, how large each and all of them may be, in bytes."""

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
            told = _read(_Tree(git, order.commit, order.subdirectory), order) or _listed(commits)
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


@dataclass(frozen=True, slots=True)
class _Tree:
    """The plain files at a commit; paths count from the project's directory (empty: the top)."""

    git: Git
    commit: str
    project: str = ""

    def names(self, directory: str = "") -> dict[str, int]:
        """The files of a directory and their sizes, by their paths, sorted; of a directory in it the size is 0."""
        within = self._path(directory)
        done = self.git.run(
            "ls-tree", "-z", "--full-tree", "--long", self.commit, "--", *([f"{within}/"] if within else [])
        )
        rows = done.out.decode("utf-8", "replace").split("\0")
        return dict(_plain(rows, f"{self.project}/" if self.project else ""))

    def texts(self, files: Mapping[str, int]) -> dict[str, str]:
        """The texts of the files, of those that are no larger and no more than anybody writes."""
        chosen, total = [], 0
        for name, size in list(files.items())[:_FILES]:
            if 0 < size <= _SIZE and total + size <= _TOTAL:
                chosen.append(name)
                total += size
        if not chosen:
            return {}
        found = self.git.items(f"{self.commit}:{self._path(name)}" for name in chosen)
        both = zip(chosen, found, strict=True)
        return {name: item.content.decode("utf-8", "replace") for name, item in both if item.kind == "blob"}

    def text(self, path: str) -> str:
        """The text of one file; empty where there is none."""
        files = self.names(posixpath.dirname(path))
        return self.texts({path: files[path]}).get(path, "") if path in files else ""

    def _path(self, name: str) -> str:
        return posixpath.join(self.project, name) if name else self.project


def _plain(rows: Iterable[str], top: str) -> Iterator[tuple[str, int]]:
    for row in rows:
        about, _, path = row.partition("\t")
        words = about.split()
        if len(words) != 4 or not path.startswith(top) or not path.isprintable():
            continue
        if words[0] in {"100644", "100755"} and words[3].isdigit():
            yield path.removeprefix(top), int(words[3])
        elif words[1] == "tree":
            yield path.removeprefix(top), 0


@dataclass(frozen=True, slots=True)
class _Project:
    """A project's files: what lies at its top, and the settings of tools that are there."""

    tree: _Tree
    order: NotesOrder
    top: Mapping[str, int]
    settings: Mapping[str, str]

    def names(self, directory: str) -> dict[str, int]:
        """As in a tree, without asking git for a directory that is not there."""
        return self.tree.names(directory) if directory.partition("/")[0] in self.top else {}

    def before(self) -> _Tree | None:
        """The tree of the release before this one."""
        since = self.order.since
        return _Tree(self.tree.git, since, self.tree.project) if since else None


def _read(tree: _Tree, order: NotesOrder) -> Notes | None:
    """What the settings ask for, else the first that has something. Raises ProjectError `notes-missing`."""
    how, _, path = order.how.partition(":")
    if how == "commits":
        return None
    top = tree.names()
    settings = tree.texts({name: top[name] for name in _SETTINGS if name in top})
    project = _Project(tree, order, top, settings)
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
    if "releasenotes" not in project.top:
        return None
    said = project.tree.text(reno.CONFIGS[0]) or project.settings.get(reno.CONFIGS[1], "")
    config = reno.parse_config(said) if said else reno.Config()
    before = project.before()
    old = {reno.identity(name) for name in before.names(config.notes)} if before else set[str]()
    now = {name: size for name, size in project.names(config.notes).items() if reno.identity(name) not in {"", *old}}
    notes = [note for note in map(reno.parse_note, project.tree.texts(now).values()) if note]
    return _told("reno", config.notes, reno.sections_of(config, notes))


def _changelog(project: _Project, path: str) -> Notes | None:
    """The section of this version in the file that is named, in towncrier's, or in one that is called so."""
    if path:
        names = [path]
    else:
        own = _towncrier_of(project)
        near = (*project.top, *(project.names("docs") if project.order.how == "" else ()))
        names = [*([own.filename] if own else []), *(name for name in near if changelog.fits(posixpath.basename(name)))]
    for name in dict.fromkeys(names):
        found = changelog.sections_of(name, project.tree.text(name), project.order.version)
        if found:
            return _told("changelog", name, found)
    return None


def _fragments(project: _Project, path: str) -> Notes | None:
    """What has not been gathered yet, as the tool reads it whose settings there are."""
    town, scriv = _towncrier_of(project), fragments.scriv_of(project.settings.get("pyproject.toml", ""))
    if town or (path and not scriv):
        town = town or fragments.Towncrier()
        for directory in [path] if path else town.directories:
            told = fragments.towncrier_sections(town, project.tree.texts(project.names(directory)))
            if told:
                return _told("towncrier", directory, told)
    scriv = scriv or fragments.Scriv()
    where = path or scriv.directory
    return _told("scriv", where, fragments.scriv_sections(scriv, project.tree.texts(project.names(where))))


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


_SETTINGS = ("pyproject.toml", "towncrier.toml", "reno.yaml")
_WAYS: Mapping[str, Callable[[_Project, str], Notes | None]] = {
    "reno": _reno,
    "changelog": _changelog,
    "fragments": _fragments,
}

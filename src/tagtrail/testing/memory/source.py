"""A version control system in memory: commits and raw tag objects made in code, as git would store them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha1
from pathlib import Path

from tagtrail.model.errors import ProjectError, RemoteError, SetupError
from tagtrail.model.facts import Tagged
from tagtrail.model.notes import Notes as Told
from tagtrail.model.notes import Section
from tagtrail.ports import NotesOrder, Objects

__all__ = ["Commit", "Notes", "Repository", "Source"]

PYPROJECT = '[project]\nname = "{name}"\ndynamic = ["version"]\n\n[build-system]\nrequires = ["hatchling"]\n'
TAGGER = "Ada Example <ada@example.org> {time} +0000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit: its id, committer time in Unix seconds, the two files that a Source reads, and further ones."""

    id: str
    time: int
    pyproject: str | None = None
    setup_cfg: str | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Repository:
    """A repository under construction; the newest commit is HEAD."""

    name: str
    commits: list[Commit] = field(default_factory=list)
    refs: dict[str, str] = field(default_factory=dict)
    tags: dict[str, bytes] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)

    def commit(
        self,
        time: int,
        pyproject: str | None = None,
        setup_cfg: str | None = None,
        files: Mapping[str, bytes] | None = None,
    ) -> Commit:
        """A new commit on HEAD, the branch main; without a text, a pyproject.toml that names the project."""
        text = PYPROJECT.format(name=self.name) if pyproject is None else pyproject
        identity = _id("commit", f"{self.name} {len(self.commits)} {time} {text} {setup_cfg}".encode())
        self.commits.append(Commit(id=identity, time=time, pyproject=text, setup_cfg=setup_cfg, files=files or {}))
        return self.commits[-1]

    def light(self, name: str, commit: str) -> None:
        """A lightweight tag."""
        self.refs[name] = commit

    def tag(self, name: str, commit: str, sign: Callable[[bytes], bytes] | None = None, **headers: str) -> bytes:
        """An annotated tag, signed by `sign(payload)` if given; `headers` replace those that git would write.

        Returns the raw object. What a hostile repository can hold can be made: `type="tag"`, `tag="other"`.
        """
        when = next((c.time for c in self.commits if c.id == commit), 0)
        lines = {"object": commit, "type": "commit", "tag": name, "tagger": TAGGER.format(time=when)} | headers
        head = "".join(f"{key} {value}\n" for key, value in lines.items())
        payload = f"{head}\n{self.name} {name}\n".encode()
        return self.store(name, payload + (sign(payload) if sign else b""))

    def store(self, name: str, raw: bytes) -> bytes:
        """The ref `name` points at a tag object of exactly these bytes, whatever they say."""
        identity = _id("tag", raw)
        self.tags[identity] = raw
        self.refs[name] = identity
        return raw


class Source:
    """The port over repositories by their address. `down` are addresses that do not answer."""

    def __init__(self, repositories: Mapping[str, Repository]) -> None:
        self.repositories = dict(repositories)
        self.down: set[str] = set()

    def read(self, repo: str, tag: str, at: str | None = None) -> Tagged:
        """What is at the tag now, else at `at` (HEAD)."""
        repository = self._repository(repo)
        target = repository.refs.get(tag)
        raw = repository.tags.get(target or "")
        commit = _commit(repository, at or (_pointed(raw) if raw else target))
        return Tagged(
            repo=repo if "://" in repo else f"local:{repository.name}",
            name=tag,
            kind="absent" if target is None else "light" if raw is None else "annotated",
            raw=raw,
            object=target if raw is not None else None,
            commit=commit.id,
            time=commit.time,
            pyproject=commit.pyproject,
            setup_cfg=commit.setup_cfg,
        )

    def objects(self, repo: str, tag: str, commit: str) -> Objects:
        """A directory that does not exist, and the refs; of tags on the same commit only the released one."""
        repository = self._repository(repo)
        if commit in repository.missing:
            raise ProjectError(f"the clone of {repo} lacks objects of commit {commit}", code="objects-missing")
        place = {c.id: n for n, c in enumerate(repository.commits)}
        peeled = {name: _peeled(repository, target) for name, target in repository.refs.items()}
        seen = sorted(n for n, c in peeled.items() if n == tag or place.get(c, len(place)) < place[commit])
        refs = tuple((f"refs/tags/{name}", repository.refs[name]) for name in seen)
        return Objects(directory=Path("memory", repository.name), refs=refs)

    def tags(self, repo: str) -> tuple[tuple[str, str], ...]:
        """All tags, unpeeled, sorted by name."""
        return tuple(sorted(self._repository(repo).refs.items()))

    def peeled(self, repo: str) -> tuple[tuple[str, str], ...]:
        """All tags of commits, sorted by name."""
        repository = self._repository(repo)
        commits = {commit.id for commit in repository.commits}
        found = (
            (name, _pointed(repository.tags[to]) if to in repository.tags else to)
            for name, to in repository.refs.items()
        )
        return tuple(sorted((name, commit) for name, commit in found if commit in commits))

    def file(self, repo: str, commit: str, path: str) -> bytes | None:
        """Of the files that the commit was made with; None where there is none."""
        found = _commit(self._repository(repo), commit)
        texts = {"pyproject.toml": found.pyproject, "setup.cfg": found.setup_cfg}
        return {**{name: text.encode() for name, text in texts.items() if text}, **found.files}.get(path)

    def lacking(self, repo: str, ids: Iterable[str]) -> tuple[str, ...]:
        """Those that lead to no commit, or to one that the clone lacks."""
        repository = self._repository(repo)
        there = {commit.id for commit in repository.commits} - repository.missing
        return tuple(oid for oid in ids if _peeled(repository, oid) not in there)

    def has_directory(self, repo: str, commit: str, path: str) -> bool:
        """Whether one of the commit's files lies there."""
        return any(name.startswith(f"{path}/") for name in _commit(self._repository(repo), commit).files)

    def branches(self, repo: str, commit: str) -> tuple[str, ...]:
        """Everything is on main, which is the only one."""
        return ("main",) if any(c.id == commit for c in self._repository(repo).commits) else ()

    def _repository(self, repo: str) -> Repository:
        if repo in self.down:
            raise RemoteError(f"{repo} does not answer", code="repo-unreachable")
        if repo not in self.repositories:
            raise SetupError(f"{repo} is not a repository", code="repo-missing")
        return self.repositories[repo]


class Notes:
    """Release notes that name what they were asked for."""

    def read(self, objects: Objects, order: NotesOrder) -> Told:
        """See `tagtrail.ports.Notes`."""
        since = f" since {order.since[:12]}." if order.since else ", the first release."
        said = Section(title="Changes", body=f"Up to {order.commit[:12]}{since}")
        return Told(source="changelog", where="CHANGES.md", since=order.follows, sections=(said,))


def _id(kind: str, content: bytes) -> str:
    return sha1(b"%s %d\0%s" % (kind.encode(), len(content), content), usedforsecurity=False).hexdigest()


def _pointed(raw: bytes) -> str:
    """The id in the tag's own `object` header."""
    return raw.split(b"\n", 1)[0].removeprefix(b"object ").decode("ascii", "replace")


def _peeled(repository: Repository, target: str) -> str:
    while target in repository.tags:
        target = _pointed(repository.tags[target])
    return target


def _commit(repository: Repository, wanted: str | None) -> Commit:
    target = _peeled(repository, wanted or repository.commits[-1].id)
    found = next((c for c in repository.commits if c.id == target), None)
    if found is None or found.id in repository.missing:
        raise ProjectError(f"{repository.name} lacks the objects of {target}", code="objects-missing")
    return found

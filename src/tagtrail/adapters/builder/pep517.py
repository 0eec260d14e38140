"""The port `Builder` for Python: a clean checkout at an object id, the backend's hooks, archives in normal form."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import cache, partial
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from tagtrail.adapters.builder.backends import Backends, Environments, Lent, Tree, place
from tagtrail.adapters.builder.checkout import (
    check_limits,
    check_path,
    closed,
    disk,
    entrance,
    furnished,
    how_ended,
    no_subdirectory,
    where_said,
)
from tagtrail.adapters.builder.learned import Memory
from tagtrail.adapters.builder.logs import keep_log, log_of
from tagtrail.formats.archive import Limits
from tagtrail.formats.buildsystem import parse_build_system
from tagtrail.formats.gitobject import parse_tree
from tagtrail.io import process, sandbox
from tagtrail.io.backend import Answers
from tagtrail.io.foreign import check_name, take
from tagtrail.io.git import Git, objects_missing
from tagtrail.io.scratch import scratch
from tagtrail.model.errors import Error, ProjectError, SetupError
from tagtrail.model.facts import Artifact
from tagtrail.model.frozen import frozen, replace
from tagtrail.ports import BuildOrder, Kept, Objects

if TYPE_CHECKING:
    from tagtrail.adapters.builder.archives import Archives
    from tagtrail.adapters.builder.outputs import Made

__all__ = ["Pep517"]

_KINDS = ("sdist", "sdist.xz", "wheel")
_SAYING = (b".cfg", b".in", b".ini", b".json", b".lock", b".py", b".toml", b".txt", b".yaml", b".yml")
"""Files beside pyproject.toml and setup.py that a build may read its requirements from, by their ends."""


@frozen
class _Work:
    """One build under way: `room` is its scratch directory, of which foreign code sees `room/in`; `git` reads the tag,
    `lent` is what of its objects foreign code sees."""

    order: BuildOrder
    objects: Objects
    room: Path
    git: Git
    lent: Lent
    backends: Backends


class Pep517:
    """See `tagtrail.ports.Builder`. `state` is where logs and what was learned of projects lie, `scratch_root` where
    builds run (swept by the wiring), `environments` makes build environments; `limit` is the time for one backend run
    in seconds, `most` what one may use up, `limits` what archives may hold.

    Besides the port's errors: SetupError `build-kind`, `subdirectory`; ProjectError `pyproject-invalid`,
    `build-system-missing`, `metadata-invalid`, `output-invalid`, `requirements-...`, `wheel-...` and `archive-...`;
    TamperError `object-altered`.
    """

    def __init__(
        self,
        state: Path,
        scratch_root: Path,
        environments: Environments,
        limit: float = 3600.0,
        limits: Limits | None = None,
        most: sandbox.Limits | None = None,
    ) -> None:
        self._state = state
        self._scratch = scratch_root
        self._limit = limit
        self._limits = limits or Limits()
        memory = Memory(state / "learned")
        self._learned = memory.of
        self._backends = partial(
            Backends, environments=environments, memory=memory, limit=limit, most=most or sandbox.Limits()
        )
        self._expected: tuple[_Work, Tree] | None = None

    def build(
        self, order: BuildOrder, objects: Objects, kept: Kept, meanwhile: Iterable[Callable[[], object]] = ()
    ) -> tuple[Artifact, ...]:
        """See `tagtrail.ports.Builder`. The wheel is built from the sdist, whether that is wanted too or not."""
        _check_kinds(order.builds)
        check_path(order.subdirectory)
        with self._work(order, objects) as (work, tree), disk(work.room):
            with closing(work.backends), self._logged(work):
                self._start(work, tree)
                made = self._made(work, tree, iter(meanwhile))
            from tagtrail.adapters.builder.outputs import keep

            materials = tuple(sorted(work.backends.materials, key=lambda m: (m.uri, m.record)))
            resolved = min(work.backends.resolved, default=0)
            artifacts = keep([made[kind] for kind in order.builds], kept)
            return tuple(replace(one, materials=materials, resolved=resolved) for one in artifacts)

    @contextmanager
    def expecting(self, project: str) -> Iterator[Callable[[BuildOrder, Objects], None]]:
        """See `tagtrail.ports.Builder`: a process stands ready while the tag is read; a backend that is not the
        project's own imports itself while that tag is judged, if its environment is there."""

        def begin(order: BuildOrder, objects: Objects) -> None:
            with suppress(Error, OSError):
                self._expected = self._early(order, objects, room, backends)

        with scratch(self._scratch, "build") as room, closing(self._backends(room)) as backends:
            with suppress(Error, OSError):
                entrance(room)
                backends.stand(project)
            try:
                yield begin
            finally:
                self._expected = None

    def tree(self, order: BuildOrder, objects: Objects) -> str:
        """See `tagtrail.ports.Builder`."""
        from tagtrail.adapters.builder.tarred import tree_digest

        with scratch(self._scratch, "tree") as room:
            return tree_digest(order, objects, room)

    def _early(self, order: BuildOrder, objects: Objects, room: Path, backends: Backends) -> tuple[_Work, Tree]:
        """The backend begun, where nothing has to be installed and nothing of the project is run."""
        work = _begun(order, objects, room, backends)
        tree = _checkout(work)
        if not tree.system.path and backends.installed(order, tree, self._foreseen(order, tree)):
            self._start(work, tree)
        return work, tree

    @contextmanager
    def _work(self, order: BuildOrder, objects: Objects) -> Iterator[tuple[_Work, Tree]]:
        """What was begun for this order, or a beginning."""
        begun, self._expected = self._expected, None
        if begun and (begun[0].order, begun[0].objects) == (order, objects):
            yield begun
            return
        with scratch(self._scratch, "build") as room, disk(room), closing(self._backends(room)) as backends:
            entrance(room)
            work = _begun(order, objects, room, backends)
            yield work, _checkout(work)

    @contextmanager
    def _logged(self, work: _Work) -> Iterator[None]:
        try:
            yield
        finally:
            keep_log(self._log(work.order), work.backends.log)

    def _log(self, order: BuildOrder) -> Path:
        return log_of(self._state, order)

    def _made(self, work: _Work, tree: Tree, steps: Iterator[Callable[[], object]]) -> dict[str, "Made"]:
        """The sdist, and what is wanted beside it. All that can wait is done while the backend is at work."""
        order, seen, made = work.order, work.room / "in" / "sdist", dict[str, "Made"]()

        @cache
        def archives() -> "Archives":
            from tagtrail.adapters.builder.archives import Archives

            return Archives(order, work.room, seen, self._limits)

        def read() -> None:
            archives().compare(work.git)

        def packed() -> None:
            made["sdist"] = archives().packed()
            if "sdist.xz" in order.builds:
                made["sdist.xz"] = archives().xzed(made["sdist"])

        sdist = self._call(work, tree, "sdist", chain((read,), steps))
        system = archives().sdist(sdist)
        if "wheel" in order.builds:
            unpacked = Tree(name="unpacked", source={"sdist": seen}, below="", system=system, said=tree.said)
            wheel = self._call(work, unpacked, "wheel", chain((packed,), steps))
            work.backends.stop()
            made["wheel"] = archives().wheel(wheel)
        else:
            packed()
        return made

    def _foreseen(self, order: BuildOrder, tree: Tree) -> tuple[str, ...]:
        """What is installed before this tag's hooks ask for it: what the last build's asked for, if no file has changed
        that could say so. What an older tag asked for could answer in the place of this one."""
        last = self._learned(order.project)
        return last.extras if tree.said and last.said == tree.said else ()

    def _start(self, work: _Work, tree: Tree) -> tuple[str, ...]:
        """Begin the backend, if none is begun, before anything is asked of it: it takes long to import. What was
        foreseen for it and is there; nothing, where that is to be had no more."""
        extras = self._foreseen(work.order, tree)
        try:
            work.backends.get(work.order, work.lent, tree, extras)
        except ProjectError as error:
            if not extras or error.code == "requirements-late":
                raise
            extras = ()
            work.backends.get(work.order, work.lent, tree, extras)
        return extras

    def _call(self, work: _Work, tree: Tree, kind: str, meanwhile: Iterator[Callable[[], object]]) -> Path:
        """Ask the backend for what it needs, then for the file; our own copy of that file.

        It is asked where what the tag itself requires is installed, and what is foreseen. One process does all where
        nothing more is needed, and at once where it asks for what it asked for the last time.
        """
        order, backends = work.order, work.backends
        asked, extras = self._learned(order.project).requires, self._start(work, tree)
        guess = asked if extras or backends.meets(order, tree, asked) else ()
        ask: dict[str, object] = {"hook": f"get_requires_for_build_{kind}", "if_only": list(guess)}
        build = {"hook": f"build_{kind}", "directory": ""}
        said = self._asked(work, tree, extras, (ask, build), meanwhile)
        asked, loaded = _lines(said.values[0]), said.loaded
        if len(said.values) == 1:
            extras = () if backends.meets(order, tree, asked) else asked
            said = self._asked(work, tree, extras, (build,), meanwhile)
        modules = (*loaded, *said.loaded)
        backends.learn(order, work.lent, tree, requires=asked, extras=extras, modules=modules)
        cell, running = backends.get(order, work.lent, tree, extras)
        name = str(said.values[-1])
        check_name(name)
        made = running.take(f"{cell.build}/out-{tree.name}/{name}")
        return take(name, made, work.room / f"taken-{kind}", self._limits.unpacked)

    def _asked(
        self,
        work: _Work,
        tree: Tree,
        extras: Sequence[str],
        calls: Sequence[Mapping[str, object]],
        meanwhile: Iterator[Callable[[], object]],
    ) -> Answers:
        """What the hooks said, at least one value. Raises ProjectError `build-failed`."""
        order, backends = work.order, work.backends
        cell, running = backends.get(order, work.lent, tree, extras)
        out = {"directory": f"{cell.build}/out-{tree.name}"}
        calls = [{**call, **out} if "directory" in call else call for call in calls]
        answers = running.call(place(cell, tree), calls, meanwhile)
        if not answers.fault and answers.values:
            return answers
        backends.forget(order)
        why = process.said(running.log)
        check_limits(work.room, running)
        if answers.fault == "checkout":
            raise closed(work.objects) or objects_missing(order.commit, process.said(running.log, 5))
        how = {**_FAULTS, "late": f"no end within {self._limit:g} s"}.get(answers.fault, _FAULTS["hook"])
        if answers.ended is not None:
            how = f"its build backend {how_ended(answers.ended)} before it answered"
        raise ProjectError(
            f"building {order.project} {order.version} failed: {how}", code="build-failed", why=why,
            hint=where_said(self._log(order), running, answers.ended),
        )  # fmt: skip


_FAULTS = {
    "backend": "its build backend cannot be imported",
    "unsupported": "its build backend cannot do it",
    "hook": "its build backend says no",
}


def _lines(value: object) -> tuple[str, ...]:
    """The requirements that a hook named."""
    return tuple(map(str, value if isinstance(value, list) else (value,)))


def _check_kinds(kinds: Sequence[str]) -> None:
    for kind in kinds:
        if kind not in _KINDS:
            what = f"no build backend makes {kind!r}"
            raise SetupError(what, code="build-kind", hint=f"use {', '.join(_KINDS)}")


def _begun(order: BuildOrder, objects: Objects, room: Path, backends: Backends) -> _Work:
    """The room furnished: what foreign code may read, and a repository that only we use."""
    git, lent = furnished(room, order, objects)
    return _Work(order=order, objects=objects, room=room, git=git, lent=lent, backends=backends)


def _checkout(work: _Work) -> Tree:
    """The tag's tree. Raises SetupError `subdirectory`, and what `parse_build_system` raises."""
    order, below = work.order, work.order.subdirectory
    start = f"{order.commit}:{below}/" if below else f"{order.commit}:"
    there, pyproject, setup = work.git.items((f"{order.commit}:{below}", f"{start}pyproject.toml", f"{start}setup.py"))
    if there.kind != "tree":
        raise no_subdirectory(below) if below else objects_missing(order.commit)
    text = pyproject.content.decode("utf-8", "replace") if pyproject.kind == "blob" else None
    system = parse_build_system(text, has_setup=setup.kind == "blob")
    source = {"git": work.room / "in" / "layout" / ".git"}
    return Tree(name="tree", source=source, below=below, system=system, said=_said(there.content, len(order.commit)))


def _said(tree: bytes, digits: int) -> str:
    """The digest of the files of a directory (a tree object) that may say what a build needs; nothing if it is none."""
    try:
        found = [(item.name, item.id) for item in parse_tree(tree, digits) if item.name.endswith(_SAYING)]
    except ValueError:
        return ""
    return sha256(repr(found).encode()).hexdigest()

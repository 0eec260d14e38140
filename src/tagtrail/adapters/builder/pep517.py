"""The port `Builder` for Python: a clean checkout at an object id, the backend's hooks, archives in normal form."""

import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tagtrail.adapters.builder.checkout import check_space, closed, disk, files, furnished, no_subdirectory
from tagtrail.adapters.builder.environments import Environment, installed
from tagtrail.adapters.builder.logs import keep_log, log_of, plain_name
from tagtrail.formats.archive import Limits
from tagtrail.formats.buildsystem import BuildSystem, parse_build_system
from tagtrail.formats.facts import dump, load
from tagtrail.formats.purl import purl
from tagtrail.io import durable, process, sandbox
from tagtrail.io.backend import PROGRAM, Backend, backend
from tagtrail.io.foreign import check_name, take
from tagtrail.io.git import Git, objects_missing
from tagtrail.io.sandbox import Cell
from tagtrail.io.scratch import scratch
from tagtrail.model.errors import Error, ProjectError, SetupError, TamperError
from tagtrail.model.facts import Artifact, Material
from tagtrail.model.frozen import frozen
from tagtrail.ports import BuildOrder, Kept, Objects

if TYPE_CHECKING:
    from tagtrail.adapters.builder.outputs import Made

__all__ = ["Pep517"]


class Environments(Protocol):
    """Environments that hold these requirements, made with that kind of isolation."""

    def __call__(self, requirements: Sequence[str], kind: str) -> Environment:
        """The one, made now if it is not there."""
        ...

    def known(self, requirements: Sequence[str], kind: str) -> Environment | None:
        """The one, if it is there."""
        ...


_KINDS = ("sdist", "sdist.xz", "wheel")
_ENV = "/env"
_PIECE = 1 << 20
_MODULES = 3000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """One build under way: `room` is its scratch directory, of which foreign code sees `room/in`; `git` reads the tag,
    `lent` is what of its objects foreign code sees (path within, ours); `materials` is what was installed in the
    environments that took part, `resolved` when they were resolved."""

    order: BuildOrder
    objects: Objects
    room: Path
    git: Git
    lent: tuple[tuple[Path, Path], ...]
    materials: set[Material] = field(default_factory=set)
    resolved: set[int] = field(default_factory=set)
    backends: dict[object, tuple[Cell, Backend]] = field(default_factory=dict)
    running: ExitStack = field(default_factory=ExitStack)

    @property
    def seen(self) -> Path:
        """What foreign code may read: we write there, it cannot."""
        return self.room / "in"


@frozen
class _Tree:
    """A tree to build in: its name in the cell, how it gets there, the project's directory in it, and what that says of
    its build system."""

    name: str
    source: Mapping[str, Path]
    below: str
    system: BuildSystem


@frozen
class _Learned:
    """What a project's backend asked for, and which modules its hooks imported: what is there before it is asked for
    takes no time then. The project says it, so no more is done with it than its own build might do."""

    requires: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()


class Pep517:
    """See `tagtrail.ports.Builder`. `state` is where logs and what was learned of projects lie, `scratch_root` where
    builds run (swept by the wiring), `environments` makes build environments; `limit` is the time for one backend run
    in seconds, `most` what one may use up, `limits` what archives may hold.

    Besides the port's errors: SetupError `build-kind`, `subdirectory`; ProjectError `pyproject-invalid`,
    `build-system-missing`, `metadata-invalid`, `output-invalid`, `requirements-...` and `archive-...`; TamperError
    `object-altered`.
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
        self._environments = environments
        self._limit = limit
        self._limits = limits or Limits()
        self._most = most or sandbox.Limits()
        self._expected: tuple[_Work, _Tree] | None = None

    def build(
        self, order: BuildOrder, objects: Objects, kept: Kept, meanwhile: Iterable[Callable[[], object]] = ()
    ) -> tuple[Artifact, ...]:
        """See `tagtrail.ports.Builder`. The wheel is built from the sdist, whether that is wanted too or not."""
        from tagtrail.adapters.builder.outputs import keep

        _check_kinds(order.builds)
        _check_subdirectory(order.subdirectory)
        with self._work(order, objects) as (work, tree), disk(work.room):
            with work.running, self._logged(work):
                self._start(work, tree)
                made = self._made(work, tree, iter(meanwhile))
            materials = tuple(sorted(work.materials, key=lambda m: (m.uri, m.record)))
            resolved, kinds = min(work.resolved, default=0), order.builds
            return tuple(replace(keep(made[k], kept), materials=materials, resolved=resolved) for k in kinds)

    @contextmanager
    def expecting(self, order: BuildOrder, objects: Objects) -> Iterator[None]:
        """See `tagtrail.ports.Builder`: a backend that is not the project's own imports itself while its tag is judged,
        if its environment is there."""
        with scratch(self._scratch, "build") as room, ExitStack() as running:
            with suppress(Error, OSError):
                work = _begun(room, order, objects)
                running.callback(work.running.close)
                self._expected = self._early(work)
            try:
                yield
            finally:
                self._expected = None

    def tree(self, order: BuildOrder, objects: Objects) -> str:
        """See `tagtrail.ports.Builder`."""
        from tagtrail.adapters.builder.tarred import tree_digest

        with scratch(self._scratch, "tree") as room:
            return tree_digest(order, objects, room)

    def _early(self, work: _Work) -> tuple[_Work, _Tree] | None:
        """The backend begun, where nothing has to be installed and nothing of the project is run."""
        tree, learned = _checkout(work), self._learned(work.order).requires
        if tree.system.path or not self._environments.known((*tree.system.requires, *learned), work.order.isolation):
            return None
        self._start(work, tree)
        return work, tree

    @contextmanager
    def _work(self, order: BuildOrder, objects: Objects) -> Iterator[tuple[_Work, _Tree]]:
        """What was begun for this order, or a beginning."""
        begun, self._expected = self._expected, None
        if begun and (begun[0].order, begun[0].objects) == (order, objects):
            yield begun
            return
        with scratch(self._scratch, "build") as room, disk(room):
            work = _begun(room, order, objects)
            yield work, _checkout(work)

    @contextmanager
    def _logged(self, work: _Work) -> Iterator[None]:
        try:
            yield
        finally:
            said = b"".join(running.log for _, running in work.backends.values())
            keep_log(self._log(work.order), said)

    def _log(self, order: BuildOrder) -> Path:
        return log_of(self._state, order)

    def _made(self, work: _Work, tree: _Tree, steps: Iterator[Callable[[], object]]) -> dict[str, "Made"]:
        """The sdist, and what is wanted beside it. All that can wait is done while the backend is at work."""
        from tagtrail.adapters.builder.archives import Archives

        order, seen, made = work.order, work.seen / "sdist", dict[str, "Made"]()
        archives = Archives(order, work.room, seen, self._limits)

        def packed() -> None:
            made["sdist"] = archives.packed()
            if "sdist.xz" in order.builds:
                made["sdist.xz"] = archives.xzed(made["sdist"])

        read = partial(archives.compare, partial(files, work.git, order.commit))
        system = archives.sdist(self._call(work, tree, "sdist", chain((read,), steps)))
        if "wheel" in order.builds:
            unpacked = _Tree(name="unpacked", source={"sdist": seen}, below="", system=system)
            made["wheel"] = archives.wheel(self._call(work, unpacked, "wheel", chain((packed,), steps)))
        else:
            packed()
        return made

    def _start(self, work: _Work, tree: _Tree) -> None:
        """Start the backend before anything is asked of it: it takes long to import."""
        with suppress(ProjectError):  # said when it is asked
            self._backend(work, tree, self._learned(work.order).requires)

    def _call(self, work: _Work, tree: _Tree, kind: str, meanwhile: Iterator[Callable[[], object]]) -> Path:
        """Ask the backend for what it needs, then for the file; our own copy of that file.

        What this project's backend asked for the last time is there already, so that one process does all.
        """
        guess = self._learned(work.order).requires
        try:
            self._backend(work, tree, guess)
        except ProjectError:
            # what it once asked for may be gone from the index, and it may not ask for it any more
            guess = ()
        ask: dict[str, object] = {"hook": f"get_requires_for_build_{kind}", "if_only": list(guess)}
        build = {"hook": f"build_{kind}", "directory": ""}
        values = self._asked(work, tree, guess, (ask, build), meanwhile)
        if len(values) == 1:
            guess = tuple(str(line) for line in values[0])
            self._learn(work.order, guess, ())
            values = self._asked(work, tree, guess, (build,), meanwhile)
        cell, running = self._backend(work, tree, guess)
        name = str(values[-1])
        check_name(name)
        made = running.take(f"{cell.build}/out-{tree.name}/{name}")
        return take(name, made, work.room / f"taken-{kind}", self._limits.unpacked)

    def _memory(self, order: BuildOrder) -> Path:
        return self._state / "learned" / f"{plain_name(order.project)}.json"

    def _learned(self, order: BuildOrder) -> _Learned:
        """What this project's backend asked for and imported the last time."""
        try:
            return load(_Learned, json.loads(self._memory(order).read_text()))
        except (FileNotFoundError, ValueError, TamperError):
            return _Learned()

    def _learn(self, order: BuildOrder, requires: tuple[str, ...], modules: tuple[str, ...]) -> None:
        """Remember it. What a backend does not import any more stays until what it asks for changes."""
        before = self._learned(order)
        known = before.modules if before.requires == requires else ()
        after = _Learned(requires=requires, modules=tuple(dict.fromkeys((*known, *modules)))[:_MODULES])
        if after != before:
            durable.write(self._memory(order), json.dumps(dump(after)).encode(), sync=False)

    def _backend(self, work: _Work, tree: _Tree, extras: Sequence[str]) -> tuple[Cell, Backend]:
        """A backend with its requirements and `extras` at hand, and `tree` laid out: the one that runs, if it is the
        same; and its cell."""
        system = tree.system
        key = (system, tuple(extras), tree.name if system.path else None)
        if key not in work.backends:
            found = self._environments((*system.requires, *extras), work.order.isolation)
            environment = found.path
            work.materials.update(_materials(environment))
            work.resolved.add(found.resolved)
            cell = self._cell(work, environment)
            python = cell.within(environment / "bin" / "python")
            env = _environment(work.order, python.rpartition("/")[0], cell.build)
            env |= _mapped({cell.build: sandbox.BUILD, str(environment): _ENV}) if cell.kind == "none" else {}
            started = backend(cell, python, cell.within(work.seen / PROGRAM.name), env=env, limit=self._limit)
            running = work.running.enter_context(started)
            work.backends[key] = cell, running
            _lay_out(cell, running, tree)
            along = () if system.path else self._learned(work.order).modules
            running.bring(system.backend, system.path, _place(cell, tree), along)
        cell, running = work.backends[key]
        _lay_out(cell, running, tree)
        return cell, running

    def _cell(self, work: _Work, environment: Path) -> Cell:
        room = work.room / f"cell-{len(work.backends)}"
        room.mkdir()
        read = ((Path("/in"), work.seen), (Path(_ENV), environment), *work.lent)
        return Cell(kind=work.order.isolation, room=room, limits=self._most, read=read)

    def _asked(
        self,
        work: _Work,
        tree: _Tree,
        extras: Sequence[str],
        calls: Sequence[Mapping[str, object]],
        meanwhile: Iterator[Callable[[], object]],
    ) -> tuple[Any, ...]:
        cell, running = self._backend(work, tree, extras)
        out = {"directory": f"{cell.build}/out-{tree.name}"}
        calls = [{**call, **out} if "directory" in call else call for call in calls]
        answers = running.call(_place(cell, tree), calls, meanwhile)
        if not answers.fault:
            self._learn(work.order, tuple(extras), answers.loaded)
            return answers.values
        order, why = work.order, process.said(running.log)
        check_space(work.room, running.log)
        if answers.fault == "checkout":
            raise closed(work.objects) or objects_missing(order.commit, process.said(running.log, 5))
        how = {**_FAULTS, "late": f"no end within {self._limit:g} s"}[answers.fault]
        raise ProjectError(
            f"building {order.project} {order.version} failed: {how}", code="build-failed", why=why,
            hint=f"the whole log: {self._log(order)}",
        )  # fmt: skip


_FAULTS = {
    "backend": "its build backend cannot be imported",
    "unsupported": "its build backend cannot do it",
    "hook": "its build backend says no",
}


def _check_kinds(kinds: Sequence[str]) -> None:
    for kind in kinds:
        if kind not in _KINDS:
            what = f"no build backend makes {kind!r}"
            raise SetupError(what, code="build-kind", hint=f"use {', '.join(_KINDS)}")


def _check_subdirectory(subdirectory: str) -> None:
    if subdirectory and any(part in {"", ".", ".."} for part in subdirectory.split("/")):
        raise no_subdirectory(subdirectory)


def _begun(room: Path, order: BuildOrder, objects: Objects) -> _Work:
    """The room furnished: what foreign code may read, and a repository that only we use."""
    git, lent = furnished(room, order, objects)
    return _Work(order=order, objects=objects, room=room, git=git, lent=lent)


def _checkout(work: _Work) -> _Tree:
    """The tag's tree. Raises SetupError `subdirectory`, and what `parse_build_system` raises."""
    order, below = work.order, work.order.subdirectory
    start = f"{order.commit}:{below}/" if below else f"{order.commit}:"
    there, pyproject, setup = work.git.items((f"{order.commit}:{below}", f"{start}pyproject.toml", f"{start}setup.py"))
    if there.kind != "tree":
        raise no_subdirectory(below) if below else objects_missing(order.commit)
    text = pyproject.content.decode("utf-8", "replace") if pyproject.kind == "blob" else None
    system = parse_build_system(text, has_setup=setup.kind == "blob")
    return _Tree(name="tree", source={"git": work.seen / "layout" / ".git"}, below=below, system=system)


def _lay_out(cell: Cell, running: Backend, tree: _Tree) -> None:
    running.lay_out(f"{cell.build}/{tree.name}", **{how: cell.within(path) for how, path in tree.source.items()})


def _place(cell: Cell, tree: _Tree) -> str:
    return "/".join(filter(None, (cell.build, tree.name, tree.below)))


def _materials(environment: Path) -> Iterator[Material]:
    """The interpreter and what is installed beside it: looked at before anything foreign runs there."""
    yield Material(uri=purl(sys.implementation.name, sys.version.partition(" ")[0], python=False))
    for record in installed(environment):
        name, _, version = record.parent.name.removesuffix(".dist-info").rpartition("-")
        yield Material(uri=purl(name, version, python=True), record=hashlib.sha256(record.read_bytes()).hexdigest())


def _environment(order: BuildOrder, programs: str, room: str) -> dict[str, str]:
    """The whole environment of a build: nothing of the caller's, the version said in every way that backends know."""
    name = re.sub(r"[-_.]+", "_", order.project).upper()
    version = {
        "PBR_VERSION", "SETUPTOOLS_SCM_PRETEND_VERSION", f"SETUPTOOLS_SCM_PRETEND_VERSION_FOR_{name}",
        f"VCS_VERSIONING_PRETEND_VERSION_FOR_{name}", "PDM_BUILD_SCM_VERSION", "POETRY_DYNAMIC_VERSIONING_BYPASS",
        "UV_DYNAMIC_VERSIONING_BYPASS",
    }  # fmt: skip
    return dict.fromkeys(sorted(version), order.version) | {
        "PATH": f"{programs}:/usr/bin:/bin",
        "HOME": f"{room}/home",
        "TMPDIR": f"{room}/tmp",  # noqa: S108  (the cell's own)
        "VIRTUAL_ENV": programs.rpartition("/")[0],
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "SOURCE_DATE_EPOCH": str(order.epoch),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        # an instance may lie in somebody's checkout: git does not look for that repository above us
        "GIT_CEILING_DIRECTORIES": room,
    }


def _mapped(paths: Mapping[str, str]) -> dict[str, str]:
    """Where there is no isolation: compilers write paths as a cell's, so that no random one is in their output.

    CFLAGS takes the place of the interpreter's own flags (`-O3 -DNDEBUG` and others), so these are in it.
    """
    flags = [f"-ffile-prefix-map={ours}={theirs}" for ours, theirs in paths.items()]
    import sysconfig

    return {"CFLAGS": " ".join([*(sysconfig.get_config_var("CFLAGS") or "").split(), *flags])}

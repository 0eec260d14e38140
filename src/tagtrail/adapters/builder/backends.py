"""The processes of a build's backend: environment, cell and program of each, and one that stands ready before it is
known for which build."""

import hashlib
import re
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from tagtrail.adapters.builder.checkout import check_lent
from tagtrail.adapters.builder.environments import Environment, installed
from tagtrail.adapters.builder.learned import Learned, Memory
from tagtrail.formats.buildsystem import BuildSystem
from tagtrail.formats.purl import purl
from tagtrail.io import sandbox
from tagtrail.io.backend import PROGRAM, Backend, backend
from tagtrail.io.sandbox import Cell
from tagtrail.model.facts import Material
from tagtrail.model.frozen import frozen
from tagtrail.ports import BuildOrder

__all__ = ["Backends", "Environments", "Lent", "Tree", "place"]

Lent = tuple[tuple[Path, Path], ...]
"""What of git's objects foreign code sees, as (path within, ours)."""

_ENV = "/env"


class Environments(Protocol):
    """Environments that hold these requirements, made with that kind of isolation."""

    def __call__(self, requirements: Sequence[str], kind: str) -> Environment:
        """The one, made now if it is not there."""
        ...

    def known(self, requirements: Sequence[str], kind: str) -> Environment | None:
        """The one, if it is there."""
        ...

    def said(self) -> bytes:
        """What their installer said since this was asked last."""
        ...


@frozen
class Tree:
    """A tree to build in: its name in the cell, how it gets there, the project's directory in it, what that says of
    its build system, and the digest of the tag's files that may say what a build needs."""

    name: str
    source: Mapping[str, Path]
    below: str
    system: BuildSystem
    said: str = ""


@frozen
class _Spare:
    """A process that stands ready in a cell; `seen` is what it was shown, for under the same path may be another."""

    cell: Cell
    running: Backend
    seen: tuple[tuple[int, int] | None, ...]

    def fits(self, cell: Cell) -> bool:
        """Whether that cell is this one, and the process lives."""
        return cell == self.cell and _seen(cell) == self.seen and self.running.waits


class Backends:
    """Those of one build, which end with it (`close`). `room` is its scratch directory, of which foreign code sees
    `room/in`; `limit` is the time for one order in seconds, `most` what one process may use up.

    `materials` is what was installed where one of them ran, `resolved` when that was resolved (Unix seconds).
    """

    def __init__(
        self, room: Path, environments: Environments, memory: Memory, *, limit: float, most: sandbox.Limits
    ) -> None:
        self.materials: set[Material] = set()
        self.resolved: set[int] = set()
        self._room = room
        self._environments = environments
        self._memory = memory
        self._limit = limit
        self._most = most
        self._running = ExitStack()
        self._begun: dict[object, tuple[Cell, Backend]] = {}
        self._spare: _Spare | None = None
        self._installing = b""

    @property
    def log(self) -> bytes:
        """The end of all that they said."""
        return b"".join((self._installing, *(running.log for _, running in self._begun.values())))

    def stop(self) -> None:
        """Kill them: nothing more is asked of them. They have ended with `close`."""
        for _, running in self._begun.values():
            running.stop()

    def close(self) -> None:
        """End them, and all they began."""
        self._running.close()

    def stand(self, project: str) -> None:
        """Have a process ready that is started as the project's last build was, if its environment is still there.

        It has no order yet, and what it sees is what that build saw; it may import what that build did of the standard
        library. Never where nothing would keep it apart, nor where it would see the instance, wherever that was moved
        since.
        """
        last = self._memory.of(project)
        if last.isolation in {"bubblewrap", "namespaces"} and sandbox.hidden(self._room):
            lent = tuple((Path(within), Path(ours)) for within, ours in last.lent)
            for _, ours in lent:
                check_lent(ours)
            if found := self._environments.known(last.installed, last.isolation):
                cell = self._cell(last.isolation, found.path, lent)
                seen = _seen(cell)
                running = self._start(cell, found.path)
                running.foresee(last.standard)
                self._spare = _Spare(cell=cell, running=running, seen=seen)

    def get(self, order: BuildOrder, lent: Lent, tree: Tree, extras: Sequence[str]) -> tuple[Cell, Backend]:
        """A backend with its requirements and `extras` at hand, and `tree` laid out: the one that runs, if it is the
        same; and its cell. Raises what `Environments` raises."""
        system = tree.system
        key = (system, tuple(extras), tree.name if system.path else None)
        if key not in self._begun:
            try:
                found = self._environments((*system.requires, *extras), order.isolation)
            finally:
                self._installing += self._environments.said()
            self.resolved.add(found.resolved)
            cell = self._cell(order.isolation, found.path, lent)
            running = self._new(cell, found.path)
            self._begun[key] = cell, running
            _lay_out(cell, running, tree)
            along = () if system.path else self._memory.of(order.project).modules
            running.bring(system.backend, system.path, place(cell, tree), along, _version(order))
            self.materials.update(_materials(found.path))
        cell, running = self._begun[key]
        _lay_out(cell, running, tree)
        return cell, running

    def installed(self, order: BuildOrder, tree: Tree, extras: Sequence[str]) -> bool:
        """Whether all that such a backend needs is there."""
        return self._environments.known((*tree.system.requires, *extras), order.isolation) is not None

    def meets(self, order: BuildOrder, tree: Tree, asked: Sequence[str]) -> bool:
        """Whether the tag's own requirements brought all that was asked for: nothing more has to be installed."""
        return not asked or _meets(self._environments(tree.system.requires, order.isolation).path, asked)

    def forget(self, order: BuildOrder) -> None:
        """What was learned of the project may be why a build failed."""
        self._memory.forget(order.project)

    def learn(
        self,
        order: BuildOrder,
        lent: Lent,
        tree: Tree,
        *,
        requires: tuple[str, ...],
        extras: tuple[str, ...],
        modules: tuple[str, ...],
    ) -> None:
        """Remember what a backend asked for, and what of it was not there; what it imported (nothing of one in the
        tree, which may have its own by any name), and how it was started."""
        learned = Learned(
            requires=requires,
            extras=extras,
            said=tree.said,
            modules=() if tree.system.path else modules,
            installed=(*tree.system.requires, *extras),
            isolation=order.isolation,
            lent=tuple((str(within), str(ours)) for within, ours in lent),
        )
        self._memory.learn(order.project, learned)

    def _new(self, cell: Cell, environment: Path) -> Backend:
        """The one that stands ready, if it is just such a one."""
        spare, self._spare = self._spare, None
        return spare.running if spare and spare.fits(cell) else self._start(cell, environment)

    def _start(self, cell: Cell, environment: Path) -> Backend:
        python = cell.within(environment / "bin" / "python")
        env = _environment(python.rpartition("/")[0], cell.build)
        env |= _mapped({cell.build: sandbox.BUILD, str(environment): _ENV}) if cell.kind == "none" else {}
        started = backend(cell, python, cell.within(self._room / "in" / PROGRAM.name), env=env, limit=self._limit)
        return self._running.enter_context(started)

    def _cell(self, kind: str, environment: Path, lent: Lent) -> Cell:
        room = self._room / f"cell-{len(self._begun)}"
        room.mkdir(exist_ok=True)
        read = ((Path("/in"), self._room / "in"), (Path(_ENV), environment), *lent)
        return Cell(kind=kind, room=room, limits=self._most, read=read)


def _seen(cell: Cell) -> tuple[tuple[int, int] | None, ...]:
    """Device and inode of what a cell is shown; None: it is not there."""
    return tuple(_identity(ours) for _, ours in cell.read)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def place(cell: Cell, tree: Tree) -> str:
    """The project's directory of a tree, in the cell's words."""
    return "/".join(filter(None, (cell.build, tree.name, tree.below)))


def _lay_out(cell: Cell, running: Backend, tree: Tree) -> None:
    running.lay_out(f"{cell.build}/{tree.name}", **{how: cell.within(path) for how, path in tree.source.items()})


def _meets(environment: Path, asked: Sequence[str]) -> bool:
    """Whether what is installed there meets all of these; never for an address, or what brings more (`name[extra]`)."""
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    names = (record.parent.name.removesuffix(".dist-info").rpartition("-") for record in installed(environment))
    there = {canonicalize_name(name): version for name, _, version in names}
    try:
        wanted = [Requirement(line) for line in asked]
        needed = [line for line in wanted if line.marker is None or line.marker.evaluate()]
        return not any(
            line.url
            or line.extras
            or not line.specifier.contains(there[canonicalize_name(line.name)], prereleases=True)
            for line in needed
        )
    except (InvalidRequirement, KeyError, ValueError):
        return False


def _materials(environment: Path) -> Iterator[Material]:
    """The interpreter and what is installed beside it, which nothing foreign can change."""
    yield Material(uri=purl(sys.implementation.name, sys.version.partition(" ")[0], python=False))
    for record in installed(environment):
        name, _, version = record.parent.name.removesuffix(".dist-info").rpartition("-")
        yield Material(uri=purl(name, version, python=True), record=hashlib.sha256(record.read_bytes()).hexdigest())


def _environment(programs: str, room: str) -> dict[str, str]:
    """The whole environment of a process that nothing is built with yet: nothing of the caller's."""
    return {
        "PATH": f"{programs}:/usr/bin:/bin",
        "HOME": f"{room}/home",
        "TMPDIR": f"{room}/tmp",  # noqa: S108  (the cell's own)
        "VIRTUAL_ENV": programs.rpartition("/")[0],
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        # an instance may lie in somebody's checkout: git does not look for that repository above us
        "GIT_CEILING_DIRECTORIES": room,
    }


def _version(order: BuildOrder) -> dict[str, str]:
    """What a build adds to it: the version, said in every way that backends know, and the time."""
    name = re.sub(r"[-_.]+", "_", order.project).upper()
    version = {
        "PBR_VERSION", "SETUPTOOLS_SCM_PRETEND_VERSION", f"SETUPTOOLS_SCM_PRETEND_VERSION_FOR_{name}",
        f"VCS_VERSIONING_PRETEND_VERSION_FOR_{name}", "PDM_BUILD_SCM_VERSION", "POETRY_DYNAMIC_VERSIONING_BYPASS",
        "UV_DYNAMIC_VERSIONING_BYPASS",
    }  # fmt: skip
    return dict.fromkeys(sorted(version), order.version) | {"SOURCE_DATE_EPOCH": str(order.epoch)}


def _mapped(paths: Mapping[str, str]) -> dict[str, str]:
    """Where there is no isolation: compilers write paths as a cell's, so that no random one is in their output.

    Each variable is added to the flags that are there, as a cell has them; CFLAGS and CXXFLAGS would take their place.
    setuptools, Meson and autoconf read CPPFLAGS, for C and C++; CMake has no such variable, and whoever calls it for a
    Python project reads CMAKE_ARGS.
    """
    flags = " ".join(f"-ffile-prefix-map={ours}={theirs}" for ours, theirs in paths.items())
    cmake = " ".join(shlex.quote(f"-DCMAKE_{language}_FLAGS_INIT={flags}") for language in ("C", "CXX", "Fortran"))
    return {"CPPFLAGS": flags, "FFLAGS": flags, "CMAKE_ARGS": cmake}

"""The port `Builder` for what is not Python: the project's own commands, run apart; what they make is named and taken.

First a cell with the network runs `prepare` in a checkout of the tag; all that it leaves below /build (the checkout,
HOME with its caches) is carried, as one tar that nobody here reads, into a second cell, which has no network and runs
`run`. `files` are looked for there, and taken as they are: whether two builds make the same bytes is the project's
matter. Archives among them are read strictly, and compared with the tag's files, but never packed anew
(`tagtrail.adapters.builder.delivered`).
"""

import os
import platform
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from tagtrail.adapters.builder.blobs import Blobs
from tagtrail.adapters.builder.checkout import (
    check_limits,
    check_subdirectory,
    closed,
    disk,
    entrance,
    furnished,
    how_ended,
    where_said,
)
from tagtrail.adapters.builder.delivered import delivered
from tagtrail.adapters.builder.logs import keep_log, log_of
from tagtrail.adapters.builder.outputs import keep
from tagtrail.adapters.builder.tarred import tree_digest
from tagtrail.formats.archive import Limits
from tagtrail.formats.forms import relative_fault
from tagtrail.formats.purl import purl
from tagtrail.io import process, sandbox
from tagtrail.io.backend import PROGRAM, Answers, Backend, backend
from tagtrail.io.foreign import check_name, take
from tagtrail.io.git import Git, objects_missing
from tagtrail.io.sandbox import Cell
from tagtrail.io.scratch import scratch
from tagtrail.model.errors import ProjectError, SetupError
from tagtrail.model.facts import Artifact, Material
from tagtrail.model.frozen import frozen, replace
from tagtrail.ports import BuildOrder, Kept, Objects

__all__ = ["Commands"]

_MOST_FILES = 1000
_NETWORK = (
    "http_proxy", "https_proxy", "no_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY",
)  # fmt: skip
"""What `prepare` keeps of the caller's environment: the way to the network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """One build under way: `room` is its scratch directory, of which foreign code sees `seen`, read-only, and `lent`
    (path within, ours); `blobs` are the ids of the tag's files; `said` is the output of the cells that have ended."""

    order: BuildOrder
    objects: Objects
    room: Path
    seen: Path
    git: Git
    lent: tuple[tuple[Path, Path], ...]
    blobs: Blobs
    said: list[bytes] = field(default_factory=list)

    @property
    def prepared(self) -> Path:
        """What `prepare` left, on its way into the second cell."""
        return self.seen / "prepared.tar"


@frozen
class _Place:
    """A cell with its worker, and the project's directory in it."""

    cell: Cell
    running: Backend
    directory: str


class Commands:
    """See `tagtrail.ports.Builder`. `state` is where logs lie, `scratch_root` where builds run (swept by the wiring);
    `limit` is the time for one command in seconds, `most` what a cell may use up, `limits` what archives may hold.

    Besides the port's errors: SetupError `subdirectory`, `command-missing`; ProjectError `files-missing`, `files-many`,
    `output-invalid`, `name-mismatch`, `version-mismatch`, `metadata-invalid`, `wheel-...` and `archive-...`;
    TamperError `object-altered`.
    """

    def __init__(
        self,
        state: Path,
        scratch_root: Path,
        limit: float = 3600.0,
        limits: Limits | None = None,
        most: sandbox.Limits | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._state = state
        self._scratch = scratch_root
        self._limit = limit
        self._limits = limits or Limits()
        self._most = most or sandbox.Limits()
        self._environ = environ

    def build(
        self, order: BuildOrder, objects: Objects, kept: Kept, meanwhile: Iterable[Callable[[], object]] = ()
    ) -> tuple[Artifact, ...]:
        """See `tagtrail.ports.Builder`: the files that fit `files`, sorted by their paths."""
        with scratch(self._scratch, "build") as room, disk(room):
            entrance(room)
            git, lent = furnished(room, order, objects)
            check_subdirectory(git, order)
            blobs = Blobs(digits=len(order.commit), below=order.subdirectory)
            work = _Work(order=order, objects=objects, room=room, seen=room / "in", git=git, lent=lent, blobs=blobs)
            try:
                self._prepare(work)
                taken = self._run(work)
            finally:
                keep_log(self._log(order), b"".join(work.said))
            blobs.read(git, order.commit)
            made = [delivered(path, order, blobs, self._limits) for path in taken]
            return tuple(replace(artifact, materials=_materials()) for artifact in keep(made, kept))

    def expecting(self, project: str) -> AbstractContextManager[Callable[[BuildOrder, Objects], None]]:
        """Nothing can begin early."""
        return nullcontext(lambda *_: None)

    def tree(self, order: BuildOrder, objects: Objects) -> str:
        """See `tagtrail.ports.Builder`."""
        with scratch(self._scratch, "tree") as room:
            return tree_digest(order, objects, room)

    def _log(self, order: BuildOrder) -> Path:
        return log_of(self._state, order, "run" if order.builds else "")

    def _prepare(self, work: _Work) -> None:
        if not work.order.prepare:
            return
        with self._place(work, network=True) as place:
            self._lay_out(work, place)
            self._all(work, place, work.order.prepare)
            if place.cell.kind == "none":
                return  # the same room serves
            size = 0
            try:
                with work.prepared.open("xb") as file:
                    for piece in place.running.pack(place.cell.build):
                        size += file.write(piece)
                        if size > self._most.disk:
                            self._fail(work, place, f"what `prepare` left is bigger than {self._most.disk} bytes")
            except ValueError as error:
                self._fail(work, place, f"what `prepare` left cannot be carried on: {error}")
        work.prepared.chmod(0o644)

    def _run(self, work: _Work) -> tuple[Path, ...]:
        with self._place(work, network=False) as place:
            if work.prepared.exists():
                place.running.unpack(place.cell.within(work.prepared), place.cell.build)
            elif not work.order.prepare:
                self._lay_out(work, place)
            self._all(work, place, work.order.run)
            return tuple(self._taken(work, place))

    @contextmanager
    def _place(self, work: _Work, *, network: bool) -> Iterator[_Place]:
        room = work.room / "cell"
        room.mkdir(exist_ok=True)
        cell = Cell(
            kind=work.order.isolation, room=room, network=network, limits=self._most,
            read=((Path("/in"), work.seen), *work.lent),
        )  # fmt: skip
        env = _environment(work.order, cell.build) | (self._way_out() if network else {})
        python = str(Path(getattr(sys, "_base_executable", sys.executable)).resolve())
        with backend(cell, python, cell.within(work.seen / PROGRAM.name), env=env, limit=self._limit) as running:
            try:
                directory = "/".join(filter(None, (cell.build, "tree", work.order.subdirectory)))
                yield _Place(cell=cell, running=running, directory=directory)
            finally:
                work.said.append(running.log)

    def _way_out(self) -> dict[str, str]:
        return {name: self._environ[name] for name in _NETWORK if name in self._environ}

    def _lay_out(self, work: _Work, place: _Place) -> None:
        git = place.cell.within(work.seen / "layout" / ".git")
        place.running.lay_out(f"{place.cell.build}/tree", git=git)

    def _all(self, work: _Work, place: _Place, lines: Sequence[Sequence[str]]) -> None:
        for line in lines:
            argv = [_filled(word, work.order) for word in line]
            answers = place.running.run(place.directory, argv)
            if answers.fault:
                self._failed(work, place, argv, answers)
        left = place.running.end()  # what is carried on, or taken, nobody writes any more
        if left.fault:
            check_limits(work.room, place.running)
            how = f"did not end within {self._limit:g} s" if left.fault == "late" else "ended the build"
            self._fail(work, place, f"what its commands left running {how}")

    def _failed(self, work: _Work, place: _Place, argv: Sequence[str], answers: Answers) -> NoReturn:
        order, line = work.order, shlex.join(argv)
        shown = line if len(line) <= 80 and line.isprintable() else f"{argv[0]!a} ..."
        check_limits(work.room, place.running)
        if answers.fault == "checkout":
            raise closed(work.objects) or objects_missing(order.commit, process.said(place.running.log, 5))
        if answers.fault == "absent":
            raise SetupError(
                f"{order.project} is built with {argv[0]!a}, which cannot be run here", code="command-missing",
                why=process.said(place.running.log, 1),
                hint="install it for the whole machine: a build sees /usr, and nothing of /opt or of anybody's HOME",
            )  # fmt: skip
        status = answers.values[0] if answers.values else None
        status = status if isinstance(status, int) else answers.ended
        ended = "was killed" if status is None else how_ended(status)
        late = f"did not end within {self._limit:g} s"
        self._fail(work, place, f"`{shown}` {late if answers.fault == 'late' else ended}", status)

    def _fail(self, work: _Work, place: _Place, how: str, status: int | None = None) -> NoReturn:
        order = work.order
        raise ProjectError(
            f"building {order.project} {order.version} failed: {how}", code="build-failed",
            why=process.said(place.running.log), hint=where_said(self._log(order), place.running, status),
        )  # fmt: skip

    def _taken(self, work: _Work, place: _Place) -> Iterator[Path]:
        """Our own copy of each file that fits."""
        patterns = [_filled(pattern, work.order) for pattern in work.order.files]
        found = place.running.find(place.directory, patterns)
        for pattern, paths in zip(patterns, found, strict=True):
            if not paths:
                raise ProjectError(
                    f"the build made no file {pattern}", code="files-missing", why=process.said(place.running.log),
                    hint=f"correct run or files of {work.order.project}; the whole log: {self._log(work.order)}",
                )  # fmt: skip
        wanted = sorted({path for paths in found for path in paths})
        if len(wanted) > _MOST_FILES:
            what = f"{len(wanted)} files fit {', '.join(patterns)}, a release has at most {_MOST_FILES}"
            raise ProjectError(what, code="files-many", hint=f"narrow the files of {work.order.project}")
        # a cell has no more to give, but for holes and second names of one file
        left = self._most.disk if place.cell.kind != "none" else self._limits.unpacked * len(wanted)
        for number, path in enumerate(wanted):
            name = path if relative_fault(path) else path.rpartition("/")[2]
            check_name(name)
            pieces = place.running.take(f"{place.directory}/{path}")
            taken = take(name, pieces, work.room / f"taken-{number}", min(left, self._limits.unpacked))
            left -= taken.stat().st_size
            yield taken


def _filled(text: str, order: BuildOrder) -> str:
    """What the settings write, with what stands in braces said."""
    said = {
        "{project}": order.project, "{version}": order.version, "{tag}": order.tag, "{commit}": order.commit,
        "{epoch}": str(order.epoch),
    }  # fmt: skip
    for word, value in said.items():
        text = text.replace(word, value)
    return text


def _environment(order: BuildOrder, room: str) -> dict[str, str]:
    """The whole environment of a command: nothing of the caller's."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": f"{room}/home",
        "TMPDIR": f"{room}/tmp",  # noqa: S108  (the cell's own)
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "SOURCE_DATE_EPOCH": str(order.epoch),
        "PYTHONHASHSEED": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CEILING_DIRECTORIES": room,
    }


def _materials() -> tuple[Material, ...]:
    """The operating system, from which the commands come."""
    try:
        said = platform.freedesktop_os_release()
    except OSError:
        return ()
    return (Material(uri=purl(said["ID"], said.get("VERSION_ID", "unknown"), python=False)),)

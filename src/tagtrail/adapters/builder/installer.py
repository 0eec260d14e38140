"""The installer of build environments: uv in a cell with the network, and who must act where it fails.

Where there is isolation, it works in a place of that cell that has a limit, and what it leaves is carried over as a tar
and laid out on the disk in a second cell, where nothing foreign runs.
"""

import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from tagtrail.adapters.builder.checkout import entrance, memory_full
from tagtrail.adapters.builder.telling import named, told
from tagtrail.io import process
from tagtrail.io.backend import PROGRAM, Backend, backend
from tagtrail.io.sandbox import Cell, Limits, lent
from tagtrail.model.errors import Error, ProjectError, RemoteError, SetupError
from tagtrail.model.frozen import frozen

__all__ = ["Installer"]

_ENV, _UV, _PINS, _IN = Path("/env"), Path("/tool/uv"), Path("/tool/pins"), Path("/in")
_OPEN = ("/bin/sh", "-c", "chmod -R u+rwX -- *")
"""Whoever packs it can read all that lies there."""
_UNPACK = ("/bin/sh", "-c", "cat /in/packed | tar --no-same-owner -xpf -")
"""Out of a pipe: of a file that foreign code may have written, tar would undo a compression that nothing limits."""
_CORRECT = "correct build-system.requires in pyproject.toml"
_MORE = "in [build] of tagtrail.toml"
_BUILDS = re.compile(r"^ *(Building|Built) (\S+)", re.MULTILINE)
_SETTINGS = re.compile(
    r"^warning: Relative paths passed to|^error: (Failed to parse environment variable|invalid value"
    r"|failed to open file|Failed to read `--find-links`)",
    re.MULTILINE,
)
_INDEX = re.compile(
    r"^hint: An index |^error: .*`?Content-Type`?|^hint: .*network was disabled"
    r"|^  cause: Because there are no versions of [\w.-]+ and you require", re.MULTILINE,
)  # fmt: skip
_MISSING = re.compile(r"^  cause: Because there is no version of ([\w.-]+)==", re.MULTILINE)
_CREDENTIALS = re.compile(rb"(\w://)[^/\s]*@")


@frozen
class _Ended:
    """How one run ended: its status (None: it was killed, and perhaps all of its cell), whether time was up, whether a
    place of its cell was full, whether it used more memory than it may."""

    code: int | None
    late: bool = False
    full: bool = False
    beyond: bool = False


_Run = Callable[[Sequence[str]], _Ended]


class Installer:
    """Makes `room/env`, once. `uv` is the program, `environ` the caller's environment, `limit` in seconds for each run,
    `most` what one may use up, `kind` the isolation; of `pins` are installed these versions and no others.

    `said` is what it said, without credentials in addresses.
    """

    def __init__(
        self,
        room: Path,
        uv: Path,
        kind: str,
        *,
        environ: Mapping[str, str],
        limit: float,
        most: Limits,
        pins: Sequence[str],
    ) -> None:
        self._room = room
        self._uv = uv
        self._environ = environ
        self._limit = limit
        self._pins = pins
        self._said = b""
        self._cell = self._furnished(kind, most)

    @property
    def said(self) -> bytes:
        """What it said."""
        return _CREDENTIALS.sub(rb"\1***@", self._said)

    @property
    def _text(self) -> str:
        return self.said.decode("utf-8", "replace")

    def fill(self, requirements: Sequence[str]) -> None:
        """Install them. Raises ProjectError `requirements-unsatisfiable`, `requirements-late`; RemoteError
        `requirements-unreachable`; SetupError `disk-full`, `memory-full`, `installer-settings`, `not-writable`,
        `command-missing`, and with pins `requirements-gone`."""
        if self._cell.kind == "none":
            self._steps(self._straight, str(self._room / "env"), requirements)
            return
        env = {"TMPDIR": f"{self._cell.build}/tmp", **told(self._environ, self._cell)}  # noqa: S108  (of the cell)
        python = str(Path(getattr(sys, "_base_executable", sys.executable)).resolve())
        program = str(_IN / PROGRAM.name)
        with backend(self._cell, python, program, env=env, limit=self._limit) as running:
            self._steps(partial(self._ordered, running), str(_ENV), requirements)
            self._pack(running, requirements)
        self._lay_out(python, program, requirements)

    def _furnished(self, kind: str, most: Limits) -> Cell:
        room, pinned = self._room, tuple[tuple[Path, Path], ...]()
        for name in ("env", "own"):
            (room / name).mkdir()
        (room / "env").chmod(0o755)
        entrance(room)
        if self._pins:
            (room / "pins").write_text("".join(f"{pin}\n" for pin in self._pins), encoding="utf-8")
            (room / "pins").chmod(0o644)
            pinned = ((_PINS, room / "pins"),)
        shown = ((path, path) for path in named(self._environ))
        return Cell(
            kind=kind, room=room / "own", network=True, limits=most, rooms=(_ENV,),
            read=((_UV, self._uv), (_IN, room / "in"), *pinned, *shown),
        )  # fmt: skip

    def _straight(self, argv: Sequence[str]) -> _Ended:
        done = self._cell.run(argv, told(self._environ, self._cell), limit=self._limit, merge=True)
        self._said += done.out
        full = os.statvfs(self._room).f_bavail == 0
        return _Ended(code=done.code if done.code >= 0 else None, late=done.late, full=full)

    def _ordered(self, running: Backend, argv: Sequence[str]) -> _Ended:
        answers = running.run("/", argv)
        self._said = running.log
        status = (*answers.values, 0 if not answers.fault else None)[0]
        return _Ended(
            code=status if isinstance(status, int) and status >= 0 else None,
            late=answers.fault == "late",
            full=bool(answers.fault) and running.full,
            beyond=running.beyond,
        )

    def _steps(self, run: _Run, path: str, requirements: Sequence[str]) -> None:
        uv = self._cell.within(self._uv)
        base = getattr(sys, "_base_executable", sys.executable)
        made = run([uv, "venv", "--quiet", "--relocatable", "--no-project", "--python", base, path])
        if made.code != 0:
            raise self._failure(made, requirements, made=False)
        if requirements:
            pins = ["--constraint", self._cell.within(self._room / "pins")] if self._pins else []
            how = ["--link-mode=copy", "--compile-bytecode", *pins]
            # words after `--` are requirements: whoever asks for them has read and written each
            install = [uv, "pip", "install", "--python", f"{path}/bin/python", *how]
            done = run([*install, "--", *requirements])
            if done.code == 1 and (missing := _MISSING.search(self._text)):
                # of an index that is none, a page with no files at all, the installer says the same
                run([*install, "--dry-run", "--no-deps", "--", missing[1]])
            if done.code != 0:
                raise self._failure(done, requirements)

    def _pack(self, running: Backend, requirements: Sequence[str]) -> None:
        running.run(str(_ENV), _OPEN)
        size, most = 0, self._cell.limits.disk
        try:
            with (self._room / "in" / "packed").open("xb") as file:
                for piece in running.pack(str(_ENV)):
                    size += file.write(piece)
                    if size > most:
                        raise self._failure(_Ended(code=None, full=True), requirements)
        except ValueError as error:
            raise _unfit(requirements, f"what it left cannot be carried on: {error}") from error
        (self._room / "in" / "packed").chmod(0o644)

    def _lay_out(self, python: str, program: str, requirements: Sequence[str]) -> None:
        env = self._room / "env"
        cell = Cell(
            kind=self._cell.kind, room=self._room / "own", limits=self._cell.limits,
            read=((_IN, self._room / "in"),), write=((_ENV, env),),
        )  # fmt: skip
        own = {
            "HOME": f"{cell.build}/home",
            "TMPDIR": f"{cell.build}/tmp",  # noqa: S108  (of the cell)
            "PATH": "/usr/bin:/bin",
            "LC_ALL": "C.UTF-8",
        }
        with lent(env, cell), backend(cell, python, program, env=own, limit=self._limit) as running:
            if running.run(str(_ENV), _UNPACK).fault:
                if os.statvfs(env).f_bavail == 0:
                    raise self._failure(_Ended(code=None, full=True), requirements)
                deep = "one leaves directories too deep\n" if b"File name too long" in running.log else ""
                raise _unfit(requirements, f"{deep}{process.said(running.log, 5)}")
        (self._room / "in" / "packed").unlink()

    def _failure(self, ended: _Ended, requirements: Sequence[str], *, made: bool = True) -> Error:
        """Who must act, and how. `made`: the empty environment is there."""
        names, why, text = ", ".join(requirements) or "nothing", process.said(self.said), self._text
        cannot = f"cannot install the build requirements {names}" if made else "cannot make a build environment"
        if ended.full:
            hint = f"df -h {self._room.parent}; what one installation may fill is `disk` {_MORE}"
            return SetupError(f"no space to install {names}", code="disk-full", why=why, hint=hint)
        if ended.beyond:
            return memory_full(f"installing {names}", self._cell.limits.memory, why)
        if ended.late:
            return self._late(names, text)
        if _SETTINGS.search(text):
            hint = "correct the UV_* variables of whoever runs tagtrail; an index is an address, https://..."
            return SetupError(f"{cannot}: its settings are wrong", code="installer-settings", why=why, hint=hint)
        if not made:
            return SetupError(cannot, code="not-writable", why=why, hint=f"df -h {self._room.parent}; id -un")
        if ended.code not in {1, 2}:
            how = "was killed" if ended.code is None else f"ended with {ended.code}"
            hint = f"{_CORRECT}; or give it more: `memory` and `processes` {_MORE}"
            return ProjectError(
                f"{cannot}: the installer {how}", code="requirements-unsatisfiable", why=why, hint=hint
            )  # fmt: skip
        if _INDEX.search(text):
            hint = "look at the index that UV_* names, and at what it asks for (credentials); then run it again"
            return RemoteError(cannot, code="requirements-unreachable", why=why, hint=hint)
        if ended.code == 2:
            hint = "run it again when the package index answers"
            return RemoteError(cannot, code="requirements-unreachable", why=why, hint=hint)
        if self._pins:
            return _gone(names, self._pins, why)
        return _unfit(requirements, why, "; where it is right, the index that UV_* names has no such package")

    def _late(self, names: str, text: str) -> Error:
        """It hangs: what is built is the project's choice; else it waits for the index."""
        what, more = f"installing {names} did not end within {self._limit:g} s", f"give it more: `time` {_MORE}"
        begun = _BUILDS.findall(text)
        built = [name for how, name in begun if how == "Built"]
        if left := [name for how, name in begun if how == "Building" and name not in built]:
            why = f"{', '.join(left)} was still being built"
            return ProjectError(what, code="requirements-late", why=why, hint=f"{_CORRECT}; or {more}")
        why, hint = (
            "the package index did not give all of it",
            f"run it again when the package index answers; or {more}",
        )
        return RemoteError(what, code="requirements-unreachable", why=why, hint=hint)


def _unfit(requirements: Sequence[str], why: str, more: str = "") -> ProjectError:
    what = f"the build requirements {', '.join(requirements)} cannot be met"
    return ProjectError(what, code="requirements-unsatisfiable", why=why, hint=f"{_CORRECT}{more}")


def _gone(names: str, pins: Sequence[str], why: str) -> SetupError:
    """What was recorded cannot be installed: whoever made the project had it. The installer says which pins hinder."""
    from packaging.utils import canonicalize_name

    told = " ".join(why.split())
    wanted = (pin.partition("==") for pin in pins)
    named = [f"{canonicalize_name(name)}=={version}" for name, _, version in wanted]
    hinder = [pin for pin in named if re.search(rf"(?<![\w.-]){re.escape(pin)}(?![\w+!-]|\.\w)", told, re.IGNORECASE)]
    what = f"recorded versions of build requirements cannot be installed any more: {', '.join(hinder)}"
    if not hinder:
        what = f"the build requirements {names} cannot be met with the versions that were recorded"
    hint = "name an index that still has them, in UV_DEFAULT_INDEX, or a directory with their files, in UV_FIND_LINKS"
    return SetupError(what, code="requirements-gone", why=why, hint=hint)

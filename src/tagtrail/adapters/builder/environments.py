"""Build environments, kept by the digest of what is in them: made by uv, under another name until complete.

What a set of requirements comes to is found out (resolved) once a day; one that comes to the same versions as before is
the environment that is there already. What nobody has used for thirty days goes when the next one is made.
"""

import errno
import hashlib
import json
import os
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path

from tagtrail.adapters.builder.installer import Installer
from tagtrail.io import durable
from tagtrail.io.durable import setup_error
from tagtrail.io.sandbox import Limits
from tagtrail.io.scratch import scratch
from tagtrail.model.errors import ProjectError, SetupError
from tagtrail.model.frozen import frozen
from tagtrail.ports import Clock

__all__ = ["Environment", "Environments", "installed"]

DAY = 86_400
_UNUSED = 30 * DAY
_LINE = 1 << 16
_RECORD = 1 << 24


@frozen
class Environment:
    """A directory with what is installed, and when that was what the requirements came to (Unix seconds)."""

    path: Path
    resolved: int


class Environments:
    """Directories under `root`, one per set of requirements, Python, uv and kind of isolation, and what it came to.
    Called with requirements and that kind, it returns an environment that holds them; `environ` is the caller's
    environment, `limit` in seconds, `most` what the installer may use up; with `pins` (`pbr==7.0.1`) these versions are
    installed and no others, also of what the requirements require in turn, and are not looked for again.

    `clock` tells Unix seconds; with `refresh` every set is resolved anew, once, whatever its age.

    `scratch` is where one is made (swept by the wiring), on the same file system. The installer runs apart, for it runs
    the build hooks of requirements that come as source: it has the network, and a cache of its own that goes with it.
    Raises ProjectError `requirements-invalid`, and what `Installer` raises.
    """

    def __init__(
        self,
        root: Path,
        scratch: Path,
        environ: Mapping[str, str] = os.environ,
        limit: float = 900.0,
        most: Limits | None = None,
        pins: Sequence[str] = (),
        *,
        clock: Clock,
        refresh: bool = False,
    ) -> None:
        self._root = root
        self._pins = tuple(sorted(pins))
        self._scratch = scratch
        self._environ = environ
        self._limit = limit
        self._most = most or Limits()
        self._clock = clock
        self._stale = refresh
        self._resolved: set[str] = set()
        self._said = b""

    def __call__(self, requirements: Sequence[str], kind: str) -> Environment:
        """The environment with these requirements, made now if it is not there or was resolved too long ago."""
        asked = self._digest(requirements, kind)
        found = self._known(asked)
        if found is None:
            found = self._new(asked, _wanted(requirements), kind)
            self._resolved.add(asked)
        with suppress(OSError):  # of another user: theirs to sweep
            os.utime(found.path, (self._clock(), self._clock()))
        return found

    def known(self, requirements: Sequence[str], kind: str) -> Environment | None:
        """That environment, if it is there and was resolved not too long ago; nothing is made."""
        return self._known(self._digest(requirements, kind))

    def said(self) -> bytes:
        """What the installer said since this was asked last."""
        said, self._said = self._said, b""
        return said

    def _known(self, asked: str) -> Environment | None:
        """What was resolved last, if that is not too old."""
        try:
            said = json.loads(self._memory(asked).read_text())
            found = Environment(path=self._root / str(said["environment"]), resolved=int(said["resolved"]))
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None
        young = 0 <= self._clock() - found.resolved < DAY and not self._stale
        if found.path.is_dir() and (young or self._pins or asked in self._resolved):
            return found
        return None

    def _memory(self, asked: str) -> Path:
        return self._root / f"{asked}.json"

    def _new(self, asked: str, wanted: tuple[str, ...], kind: str) -> Environment:
        """Resolve now. The set asked for is in the name too: what one requirement spoils while it is installed, no
        other set meets, whatever versions it pretends to be."""
        with scratch(self._scratch, "environment") as room:
            self._make(room, wanted, kind)
            versions = sorted(file.parent.name for file in installed(room / "env"))
            name = f"{asked}-{hashlib.sha256(json.dumps(versions).encode()).hexdigest()[:16]}"
            found = Environment(path=self._root / name, resolved=self._clock())
            if not found.path.is_dir():
                _move(room / "env", found.path)
            said = {"environment": name, "resolved": found.resolved}
            durable.write(self._memory(asked), json.dumps(said).encode(), sync=False)
            self._sweep(room, name)
        return found

    def _sweep(self, room: Path, new: str) -> None:
        """What was not used for long goes with the room."""
        for path in self._root.iterdir():
            with suppress(OSError):  # gone meanwhile, or not ours
                used = path.stat().st_mtime
                if path.name != new and self._clock() - used > _UNUSED:
                    path.rename(room / f"old-{path.name}")

    def _digest(self, requirements: Sequence[str], kind: str) -> str:
        """Of the lines as they were written: whether they say anything is looked at when one is made."""
        python = (sys.implementation.cache_tag, sys.version.partition(" ")[0], os.uname().machine, sys.base_prefix)
        facts = [sorted({*requirements}), python, self._installer, kind, *([self._pins] if self._pins else [])]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]

    @cached_property
    def _uv(self) -> str:
        beside = Path(sys.executable).with_name("uv")
        if beside.is_file():
            return str(beside)
        try:
            from uv import find_uv_bin  # it looks in more places, and takes its time

            return str(find_uv_bin())
        except (ImportError, FileNotFoundError) as error:
            raise SetupError(
                "uv, the installer of build environments, is not there", code="command-missing", hint="pip install uv"
            ) from error

    @cached_property
    def _installer(self) -> tuple[int, int]:
        """What is another one with another uv; its version would take a process."""
        program = Path(self._uv).stat()
        return program.st_size, program.st_mtime_ns

    def _make(self, room: Path, requirements: tuple[str, ...], kind: str) -> None:
        installer = Installer(
            room, Path(self._uv), kind, environ=self._environ, limit=self._limit, most=self._most,
            pins=[_requirement(pin) for pin in self._pins],
        )  # fmt: skip
        try:
            with _shallow(requirements):
                installer.fill(requirements)
                _close(room / "env")
        finally:
            self._said += installer.said


def installed(environment: Path) -> Iterator[Path]:
    """The lists of files (RECORD) of what is installed there. Foreign code made them: what leads elsewhere, is no plain
    file, or is bigger than any, is none."""
    for site in environment.glob("lib/python*/site-packages"):
        if any(path.is_symlink() for path in (environment, site.parent.parent, site.parent, site)):
            continue
        with os.scandir(site) as found:
            names = sorted(e.name for e in found if e.name.endswith(".dist-info") and e.is_dir(follow_symlinks=False))
        for record in (site / name / "RECORD" for name in names):
            with suppress(FileNotFoundError):
                about = record.lstat()
                if stat.S_ISREG(about.st_mode) and about.st_size <= _RECORD:
                    yield record


def _wanted(requirements: Sequence[str]) -> tuple[str, ...]:
    """As the installer is told them, in its command line: as many as fit there."""
    wanted = tuple(sorted({_requirement(line) for line in requirements}))
    size = sum(len(line.encode("utf-8", "replace")) for line in wanted)
    if size > _LINE:
        what = f"the build requirements are {size} bytes long, at most {_LINE} are installed"
        hint = "correct build-system.requires in pyproject.toml"
        raise ProjectError(what, code="requirements-invalid", hint=hint)
    return wanted


def _requirement(line: str) -> str:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return str(Requirement(line))
    except InvalidRequirement as error:
        raise ProjectError(
            f"{line!r} is no build requirement", code="requirements-invalid", why=str(error).splitlines()[0],
            hint="correct build-system.requires in pyproject.toml",
        ) from error  # fmt: skip


def _move(made: Path, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        made.rename(path)
    except OSError as error:
        # another process made the same one meanwhile: theirs is as good
        if not path.is_dir():
            raise setup_error(path, error) from error


@contextmanager
def _shallow(requirements: tuple[str, ...]) -> Iterator[None]:
    """Directories deeper than a path can say are no environment. Raises ProjectError `requirements-unsatisfiable`."""
    try:
        yield
    except (OSError, RecursionError) as error:
        if isinstance(error, OSError) and error.errno != errno.ENAMETOOLONG:
            raise
        what, why = f"the build requirements {', '.join(requirements)} cannot be met", "one leaves directories too deep"
        hint = "correct build-system.requires in pyproject.toml"
        raise ProjectError(what, code="requirements-unsatisfiable", why=why, hint=hint) from error


def _close(path: Path) -> None:
    """Nothing in it is writable: a build that tries is found out. Nobody else writes there, or becomes who made it."""
    path.chmod(0o755)
    for directory, below, names in os.walk(path):
        for child in (Path(directory, name) for name in (*below, *names)):
            if not child.is_symlink():
                child.chmod(0o755 if child.is_dir() else child.stat().st_mode & 0o555)

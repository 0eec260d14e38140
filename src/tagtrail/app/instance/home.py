"""Finding HOME, the directory of an instance: `-C`, `$TAGTRAIL_HOME`, else the nearest parent that may be trusted.

What is only found, not named, must be ours alone: a `tagtrail.toml` in a parent directory, a tarball or a checkout
could
be somebody else's, and its settings run commands. So it must belong to us, be writable by nobody else, and lie where
`init` made it (`private/place` holds the directory's inode number). Any other is refused, never passed over.
"""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from tagtrail.model.errors import SetupError
from tagtrail.model.frozen import frozen
from tagtrail.model.settings import FILE

__all__ = ["Home", "address_of", "find_home", "place_mark", "spoken"]

_OTHERS_WRITE = 0o022


def find_home(given: str | None, *, env: Mapping[str, str] | None = None, start: Path | None = None) -> Path:
    """The absolute path of HOME.

    `given` is `-C`; `env` and `start` are this process's environment and directory by default. Raises SetupError
    `no-home`, `not-an-instance`, `home-not-ours`, `not-from-afar`.
    """
    named = given or (os.environ if env is None else env).get("TAGTRAIL_HOME")
    if named is None or not named:
        return _found(start or Path.cwd())
    if "://" in named:
        raise SetupError(
            f"{named} is an address; this command is run where the instance is",
            code="not-from-afar",
            why="`tagtrail serve` takes files from `add`, twine and uv; it opens no secret key",
            hint="tagtrail -C DIRECTORY",
        )
    home = Path(named).expanduser().absolute()
    if not (home / FILE).is_file():
        raise SetupError(f"{home} has no {FILE}", code="not-an-instance", hint=f"tagtrail init {home} --origin NAME")
    return home


def address_of(given: str | None) -> str:
    """The address, where `-C` or `$TAGTRAIL_HOME` names one; else nothing."""
    named = given or os.environ.get("TAGTRAIL_HOME") or ""
    return named if "://" in named else ""


def spoken(path: Path) -> str:
    """A path as a person would type it: `~/rel`, quoted where a shell needs it."""
    user = Path("~").expanduser()
    if path != user and path.is_relative_to(user):
        return f"~/{shlex.quote(str(path.relative_to(user)))}"
    return shlex.quote(str(path))


def _found(start: Path) -> Path:
    for directory in (start.absolute(), *start.absolute().parents):
        if os.path.lexists(directory / FILE):
            _refuse_others(directory)
            return directory
    raise SetupError(
        f"no instance: neither {start} nor a parent of it has a {FILE}",
        code="no-home",
        hint="tagtrail -C HOME, or export TAGTRAIL_HOME=HOME; a new one: tagtrail init HOME --origin NAME",
    )


def place_mark(home: Path) -> str:
    """What `private/place` holds in an instance that still lies where `init` made it: no archive can carry it along."""
    return f"{home.stat().st_ino}\n"


def _refuse_others(home: Path) -> None:
    fault = _fault(home) or _fault(home / FILE) or _misplaced(home)
    if fault:
        raise SetupError(
            f"{home / FILE} is not trusted: {fault}",
            code="home-not-ours",
            why="it was found in a parent directory, not named, and settings can run commands",
            hint=f"tagtrail -C {spoken(home)} if you mean this one; else remove it",
        )


def _fault(path: Path) -> str:
    about = path.lstat()
    if path.is_symlink():
        return f"{path} is a link"
    if about.st_uid != os.geteuid():
        return f"{path} belongs to user {about.st_uid}, not to you ({os.geteuid()})"
    if about.st_mode & _OTHERS_WRITE:
        return f"{path} can be written by others (mode {about.st_mode & 0o7777:04o})"
    return ""


def _misplaced(home: Path) -> str:
    mark = home / "private" / "place"
    try:
        found = mark.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        found = ""
    return "" if found == place_mark(home) else f"{home} is not where `tagtrail init` made it, but copied or unpacked"


@frozen
class Home:
    """Where things lie in an instance's directory."""

    path: Path

    @property
    def database(self) -> Path:
        """The ledger and the journal."""
        return self.path / "state" / "tagtrail.db"

    @property
    def kept(self) -> Path:
        """Bytes by their SHA-256."""
        return self.path / "kept"

    def state(self, name: str) -> Path:
        """A directory of work in flight."""
        return self.path / "state" / name

    def holds(self, name: str) -> bool:
        """Whether there is such a secret key's file. Raises SetupError `key-missing` where nobody may look."""
        path = self.path / "private" / name
        try:
            return path.exists()
        except PermissionError as error:
            raise _unreadable(path, error) from error

    def secret(self, name: str) -> bytes:
        """A secret key's file. Raises SetupError `key-missing`, `key-mode`."""
        path = self.path / "private" / name
        try:
            mode = path.stat().st_mode
            data = path.read_bytes()
        except OSError as error:
            raise _unreadable(path, error) from error
        if mode & 0o077:
            raise SetupError(f"{path} can be read by others", code="key-mode", hint=f"chmod 600 {path}")
        return data


def _unreadable(path: Path, error: OSError) -> SetupError:
    gone = isinstance(error, FileNotFoundError)
    return SetupError(
        f"the secret key {path} cannot be read: {error.strerror}",
        code="key-missing",
        hint="restore private/ from its back-up" if gone else f"ls -ld {path.parent}; id -un",
    )

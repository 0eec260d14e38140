"""Finding HOME, the directory of an instance: `-C`, `$TAGTRAIL_HOME`, else the nearest parent that may be trusted.

What is only found, not named, must be ours alone: a `tagtrail.toml` in a parent directory, a tarball or a checkout
could
be somebody else's, and its settings run commands. One that others own or may write is refused, never passed over.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from tagtrail.formats.settings import FILE
from tagtrail.model.errors import SetupError

__all__ = ["find_home"]

_OTHERS_WRITE = 0o022


def find_home(given: str | None, *, env: Mapping[str, str] | None = None, start: Path | None = None) -> Path:
    """The absolute path of HOME.

    `given` is `-C`; `env` and `start` are this process's environment and directory by default. Raises SetupError
    `no-home`, `not-an-instance`, `home-not-ours`, `serve-later`.
    """
    named = given or (os.environ if env is None else env).get("TAGTRAIL_HOME")
    if named is None or not named:
        return _found(start or Path.cwd())
    if "://" in named:
        raise SetupError(
            f"{named} is an address: speaking to `tagtrail serve` comes later",
            code="serve-later",
            hint="tagtrail -C DIRECTORY, where the instance is",
        )
    home = Path(named).expanduser().absolute()
    if not (home / FILE).is_file():
        raise SetupError(f"{home} has no {FILE}", code="not-an-instance", hint=f"tagtrail init {home} --origin NAME")
    return home


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


def _refuse_others(directory: Path) -> None:
    for path in (directory, directory / FILE):
        about = path.lstat()
        if about.st_uid != os.geteuid():
            fault = f"belongs to user {about.st_uid}, not to you ({os.geteuid()})"
        elif about.st_mode & _OTHERS_WRITE and not path.is_symlink():
            fault = f"can be written by others (mode {about.st_mode & 0o7777:04o})"
        elif path.is_symlink():
            fault = "is a link"
        else:
            continue
        raise SetupError(
            f"{path} {fault}: its settings are not trusted",
            code="home-not-ours",
            why=f"{FILE} was found in a parent directory, not named, and settings can run commands",
            hint=f"tagtrail -C {directory} if you mean this one; else go elsewhere or chmod go-w {path}",
        )

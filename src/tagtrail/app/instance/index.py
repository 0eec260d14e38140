"""A package index from the settings: where it is, and who we are there, found out as twine does.

Where: `upload` and `simple` in the settings; else the section of ~/.pypirc that `repository` names; else, of `pypi` and
`testpypi`, the addresses that an installed twine knows (`pip install tagtrail[index]`): tagtrail itself knows none.
Where only the form's address is known, the pages are taken to be beside it: `https://upload.HOST/legacy/` has
`https://HOST/simple/`, any other `URL/` has `URL/simple/`.

Who: `token`, or `username` and `password`, in the settings; else TWINE_USERNAME and TWINE_PASSWORD where they are for
this place (TWINE_REPOSITORY names it, TWINE_REPOSITORY_URL is its address, or neither is set and it is `pypi`); else
the section of ~/.pypirc; else the keyring, if the package `keyring` is installed; else a CI's identity
(`tagtrail.app.instance.trusted`). Else nobody: some indexes ask for no name.
"""

import configparser
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tagtrail.adapters.index.shelf import Shelf
from tagtrail.adapters.index.target import IndexTarget
from tagtrail.app.instance.targets import Context
from tagtrail.app.instance.trusted import Trusted
from tagtrail.model.errors import SetupError
from tagtrail.model.settings import TargetSettings
from tagtrail.ports import Clock

__all__ = ["Known", "index_target", "known_index", "simple_of"]

TOKEN = "__token__"  # noqa: S105  (the user's name that goes with a token)
NAMED = ("pypi", "testpypi")

Login = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """An index: its name in ~/.pypirc (empty: it has an address only), where its form and its pages are, and what
    ~/.pypirc says of who we are."""

    repository: str
    upload: str
    simple: str
    section: Mapping[str, str]


def index_target(target: TargetSettings, context: Context) -> IndexTarget:
    """The target. Raises SetupError `index-unknown`, `pypirc`."""
    environ = context.secrets.environ
    known = known_index(target, environ)
    trusted = Trusted(upload=known.upload, environ=environ, clock=context.clock)
    ways = tuple(_ways(target, known, context, trusted))

    def login() -> Login | None:
        return next((found for way in ways if (found := way())), None)

    shelf = Shelf(known.simple, login=login, login_at=known.upload)
    upload = "" if target.by else known.upload
    clock: Clock = context.clock
    return IndexTarget(target.name, upload=upload, shelf=shelf, kept=context.kept, login=login, clock=clock)


# --- where ----------------------------------------------------------------------------------------------------------


def known_index(target: TargetSettings, environ: Mapping[str, str]) -> Known:
    """Where the index of a target is. Raises SetupError `index-unknown`, `pypirc`."""
    name, upload, simple = (target.option(key, "") for key in ("repository", "upload", "simple"))
    section = _section(name, environ) if name else {}
    if name and not upload:
        upload = section.get("repository", "") or _of_twine(name)
    if not upload and not (simple and target.by):
        hint = f'in [targets.{target.name}]: upload = "URL" and simple = "URL" in the place of repository'
        why = "~/.pypirc has no such section with a repository"
        if name in NAMED:
            hint, why = (
                f"pip install 'tagtrail[index]', or {hint}",
                f"{why}, and twine, which knows it, is not installed",
            )
        raise SetupError(f"nobody here knows where {name!r} is", code="index-unknown", why=why, hint=hint)
    return Known(repository=name, upload=upload, simple=simple or simple_of(upload), section=section)


def simple_of(upload: str) -> str:
    """Where the pages are, by the address of the form."""
    parts = urlsplit(upload)
    path = parts.path.rstrip("/")
    if path.endswith("/legacy"):
        host = parts.netloc.removeprefix("upload.")
        return parts._replace(netloc=host, path=path.removesuffix("legacy") + "simple/").geturl()
    return parts._replace(path=f"{path}/simple/").geturl()


def _section(name: str, environ: Mapping[str, str]) -> dict[str, str]:
    path = Path(environ.get("HOME", "~")).expanduser() / ".pypirc"
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        why = type(error).__name__  # its text may hold a password
        raise SetupError(f"{path} cannot be read", code="pypirc", why=why, hint=f"mend {path}") from None
    return dict(parser.items(name)) if parser.has_section(name) else {}


def _of_twine(name: str) -> str:
    if name not in NAMED:
        return ""
    try:
        from twine.utils import DEFAULT_REPOSITORY, TEST_REPOSITORY
    except ModuleNotFoundError:
        return ""
    return DEFAULT_REPOSITORY if name == "pypi" else TEST_REPOSITORY


# --- who ------------------------------------------------------------------------------------------------------------


def _ways(
    target: TargetSettings, known: Known, context: Context, trusted: Trusted
) -> Iterator[Callable[[], Login | None]]:
    """Ways to find out who we are, the first that answers counts; what is said in the settings stands alone."""
    secret, environ = context.secrets.value, context.secrets.environ
    if token := target.option("token"):
        yield lambda: (TOKEN, secret(token))
    elif password := target.option("password"):
        yield lambda: (target.option("username"), secret(password))
    else:
        yield lambda: _of_environment(known, environ)
        yield lambda: _both(known.section.get("username", ""), known.section.get("password", ""), known)
        yield lambda: _of_keyring(known, environ)
        yield lambda: _both(TOKEN, trusted.token(), known)


def _of_environment(known: Known, environ: Mapping[str, str]) -> Login | None:
    """What twine would take for the place it would upload to, and for no other."""
    url, name = environ.get("TWINE_REPOSITORY_URL", ""), environ.get("TWINE_REPOSITORY", "pypi")
    if (url != known.upload) if url else (name != known.repository):
        return None
    return _both(environ.get("TWINE_USERNAME", ""), environ.get("TWINE_PASSWORD", ""), known)


def _both(username: str, password: str, known: Known) -> Login | None:
    username = username or (TOKEN if known.repository in NAMED else "")
    return (username, password) if username and password else None


def _of_keyring(known: Known, environ: Mapping[str, str]) -> Login | None:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ModuleNotFoundError:
        return None
    name = environ.get("TWINE_USERNAME", "") or known.section.get("username", "")
    try:
        found = keyring.get_credential(known.upload, name or (TOKEN if known.repository in NAMED else None))
    except KeyringError:
        return None
    return (found.username, found.password) if found else None

"""`tagtrail init [DIR] --origin NAME | --url URL`: a new instance, whole or not at all."""

import argparse
import contextlib
import secrets
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path
from urllib.parse import urlsplit

from tagtrail.adapters.openpgp import OpenPGP, generate
from tagtrail.adapters.sqlite import connect
from tagtrail.app.instance.home import Home, place_mark, spoken
from tagtrail.app.terminal.console import Console
from tagtrail.formats.forms import origin_fault, url_fault
from tagtrail.formats.note import Signer
from tagtrail.formats.provenance import builder_name
from tagtrail.formats.settings import parse_settings
from tagtrail.formats.settings_text import initial
from tagtrail.io import durable
from tagtrail.model.errors import SetupError
from tagtrail.model.settings import FILE

__all__ = ["arguments", "run"]

DIRECTORIES = {"keys": 0o755, "site": 0o755, "kept": 0o700, "state": 0o700, "private": 0o700}
"""What lies in HOME beside the settings, with its mode whatever the umask is."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """[DIR] [--origin NAME] [--url URL]."""
    parser.add_argument(
        "directory", metavar="DIR", nargs="?", help="where: a new or an empty directory (else -C, else here)"
    )
    parser.add_argument("--origin", metavar="NAME", help="the trail's name, permanent: HOST/PATH, without https://")
    parser.add_argument("--url", metavar="URL", help="where people will see the site; the origin follows from it")


def run(args: argparse.Namespace, console: Console) -> int:
    """Make the instance. Raises SetupError `usage`, `origin`, `url`, `home-exists`, `not-writable`."""
    url = f"{args.url.rstrip('/')}/" if args.url else ""
    origin = args.origin or _origin(url)
    _check("--url", "url", url and url_fault(url))
    _check("--origin", "origin", origin_fault(origin))
    home = Path(args.directory or args.home or ".").expanduser().absolute()
    _refuse_taken(home)
    with _directory(home) as new:
        fingerprint = _fill(new, origin, url)
        mark = place_mark(home if home.exists() else new)
        durable.write(new / "private" / "place", mark.encode("ascii"), mode=0o600)
    fields = {"home": str(home), "origin": origin, "url": url, "release_key": fingerprint}
    console.tell("made", fields)
    following = f"export TAGTRAIL_HOME={spoken(home)}\ntagtrail add-project PATH"
    console.tell("outcome", {"exit": 0, "state": "", "text": _words(home, origin), "next": following})
    return 0


def _origin(url: str) -> str:
    if not url:
        raise SetupError(
            "a trail needs a name: neither --origin nor --url is given",
            code="usage",
            why="the name is part of every signature and can never change",
            hint="tagtrail init DIR --url https://releases.example.org/\n"
            "tagtrail init DIR --origin releases.example.org/trail",
        )
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path}trail"


def _check(option: str, code: str, fault: str) -> None:
    if fault:
        raise SetupError(f"{option} {fault}", code=code, hint="tagtrail init --help")


def _refuse_taken(home: Path) -> None:
    if (home / FILE).exists():
        hint = f"tagtrail -C {spoken(home)} status; or choose another directory"
        raise SetupError(f"{home} is an instance already", code="home-exists", why="nothing was changed", hint=hint)
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise SetupError(
            f"{home} is not empty", code="home-exists", why="nothing was changed", hint="tagtrail init NEW-DIRECTORY"
        )
    if not home.parent.is_dir():
        raise SetupError(
            f"{home.parent} is not a directory", code="not-writable", hint=f"mkdir -p {spoken(home.parent)}"
        )


@contextlib.contextmanager
def _directory(home: Path) -> Generator[Path, None, None]:
    """A directory to fill, which becomes `home` when the block ends well and vanishes when it does not."""
    try:
        new = Path(tempfile.mkdtemp(prefix=f".{home.name}-", dir=home.parent))
    except OSError as error:
        raise durable.setup_error(home, error) from error
    try:
        yield new
        new.chmod(0o755)
        if home.exists():  # empty, and perhaps somebody's current directory: it stays what it is
            _move_in(new, home)
        else:
            new.rename(home)
    except OSError as error:
        raise durable.setup_error(home, error) from error
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _move_in(new: Path, home: Path) -> None:
    home.chmod(home.stat().st_mode & ~0o022)
    for path in sorted(new.iterdir(), key=lambda p: p.name == FILE):  # the settings last: they make it an instance
        path.rename(home / path.name)


def _fill(new: Path, origin: str, url: str) -> str:
    text = initial(origin.partition("/")[0], origin, url)
    parse_settings({FILE: text.encode()})
    for name, mode in DIRECTORIES.items():
        (new / name).mkdir()
        (new / name).chmod(mode)
    for file, name in (("log.key", origin), ("root.key", origin), ("builder.key", builder_name(origin))):
        secret = Signer(name=name, seed=secrets.token_bytes(32)).skey()
        durable.write(new / "private" / file, f"{secret}\n".encode("ascii"), mode=0o600)
    release = generate(f"{origin} release key").encode("ascii")
    durable.write(new / "private" / "release-key.pgp", release, mode=0o600)
    connect(Home(path=new).database).close()  # an empty trail
    durable.write(new / FILE, text.encode(), mode=0o644)
    return OpenPGP(release).fingerprint


def _words(home: Path, origin: str) -> str:
    return (
        f"origin {origin} is permanent: choose a domain you will keep (to change it now: remove {spoken(home)})\n"
        f"keys in {spoken(home / 'private')}: back them up, nobody can make them again; site in {spoken(home / 'site')}"
    )

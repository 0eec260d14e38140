"""`tagtrail audit DIR`: a whole copy of a site against its trail, both ways, from a root that you chose."""

import argparse
import os
import time
from collections.abc import Iterator
from pathlib import Path

from tagtrail.app.beside import files_in, measure, read_small
from tagtrail.app.console import Console
from tagtrail.app.trusted import chosen_trust
from tagtrail.formats import note
from tagtrail.formats.facts import dump
from tagtrail.formats.policy import Policy
from tagtrail.formats.root import Root
from tagtrail.formats.site import CHECKPOINT
from tagtrail.model.errors import SetupError, TamperError
from tagtrail.ports import Tell
from tagtrail.verify.release import Measured
from tagtrail.workflows.audit import Audited, audit

__all__ = ["arguments", "run"]

MAX_PAGE = 256 * 1024 * 1024
"""Bytes of the largest page or sidecar that is read."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """[DIR] and what to trust."""
    parser.add_argument(
        "site", metavar="DIR", nargs="?", help="a copy of the site, for example by rsync (else the instance's own)"
    )
    trust = parser.add_mutually_exclusive_group()
    trust.add_argument("--root", metavar="FILE", type=Path, help="trust this root.json, which you got from elsewhere")
    trust.add_argument("--policy", metavar="FILE", type=Path, help="trust these logs and witnesses, check no signer")


def run(args: argparse.Namespace, console: Console) -> int:
    """0 if site and trail agree; 5 if only the newest entry is still on its way; else 7."""
    directory = _directory(args.site) if args.site else _own_site(args.home)
    site = _LocalSite(directory, console.tell)
    found = audit(site, _trust(site, args), tell=console.tell, clock=_now, pause=time.sleep)
    for finding in found.findings:
        console.tell("finding", dump(finding))
    for what, because in found.left_out:
        console.tell("skip", {"target": "", "what": f"not compared: {what}", "because": because})
    console.tell("outcome", _outcome(found, str(directory)))
    return found.exit_code


def _now() -> int:
    return int(time.time())  # noqa: TID251  (a command is where the clock is read)


def _own_site(home: str | None) -> Path:
    from tagtrail.app.home import find_home
    from tagtrail.app.reading import open_instance

    instance = open_instance(find_home(home))
    return _directory(str(instance.home / instance.settings.site.option("root", "site")))


def _directory(name: str) -> Path:
    path = Path(name)
    if "://" in name:
        hint = f"rsync or wget a copy of {name} into a directory, then: tagtrail audit DIRECTORY"
        raise SetupError(f"{name} is an address: what is audited lies on this disk", code="usage", hint=hint)
    if not path.is_dir():
        raise SetupError(f"there is no directory {path}", code="file-missing")
    return path


def _trust(site: "_LocalSite", args: argparse.Namespace) -> Root | Policy:
    """What the auditor believes of the log that the site says it shows."""
    data = site.read(CHECKPOINT)
    if data is None:
        what = f"{args.site} has no {CHECKPOINT}"
        raise TamperError(what, code="checkpoint-missing", why="it is no copy of a site, or not a whole one")
    return chosen_trust(args)(note.parse_checkpoint(note.parse(data).text).origin)


def _outcome(found: Audited, site: str) -> dict[str, object]:
    code = found.exit_code
    about = f"{found.size} entries of {found.origin}, {found.files} files, {found.pages} pages"
    text = about if not code else f"{len(found.findings)} findings in {about}"
    state = {0: "agrees", 5: "unfinished", 7: "disagrees"}[code]
    again = f"tagtrail audit {site}    once the release is complete" if code == 5 else ""
    return {"exit": code, "state": state, "text": text, "next": again}


class _LocalSite:
    """A site in a directory, for `tagtrail.workflows.audit`."""

    def __init__(self, root: Path, tell: Tell) -> None:
        self._root = root
        self._tell = tell

    def paths(self) -> Iterator[str]:
        """Every path; what is no UTF-8 is written with escapes, and so is unknown."""
        found = (os.fsencode(path.relative_to(self._root)) for path in files_in(self._root))
        return iter(sorted(name.decode("utf-8", "backslashreplace") for name in found))

    def read(self, path: str) -> bytes | None:
        """The bytes at `path`, or None where there is no file."""
        at = self._root / path
        return read_small(at, MAX_PAGE) if at.is_file() else None

    def measure(self, path: str) -> Measured | None:
        """Digest and size of the file at `path`."""
        at = self._root / path
        return measure(at, at.name, self._tell) if at.is_file() else None

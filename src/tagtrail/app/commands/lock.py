"""`tagtrail lock`: requirement lines with hashes for pip and uv, made of verified entries; no file is downloaded.

    tagtrail lock nova oslo.config==9.7.0 > requirements.txt
    pip install --require-hashes --no-deps -r requirements.txt

The site says which versions there are and which of them are yanked: its word. Every digest comes from an entry that is
proven. With no version the newest is taken that pip would pick. Dependencies are not resolved.
"""

import argparse
import time
from functools import partial
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from tagtrail.app.consumer.pins import together
from tagtrail.app.consumer.sources import Listed, Source, sources
from tagtrail.app.terminal.console import Console
from tagtrail.formats.encoding import shown
from tagtrail.formats.root import Root
from tagtrail.model.errors import SetupError, TamperError
from tagtrail.model.facts import Entry
from tagtrail.model.names import project_key, version_key
from tagtrail.model.visibility import picked
from tagtrail.verify.proofs import entry_of
from tagtrail.verify.release import Measured, Verdict, verify_file

__all__ = ["arguments", "run"]

_DISTRIBUTIONS = (".whl", ".tar.gz", ".zip")


def arguments(parser: argparse.ArgumentParser) -> None:
    """PROJECT..., what to trust and where to look."""
    parser.add_argument("projects", metavar="PROJECT[==V]", nargs="+", help="projects that a trusted root names")
    parser.add_argument("--version", metavar="V", help="this version (of one project)")
    parser.add_argument("--pre", action="store_true", help="a pre-release is as good as others")
    parser.add_argument(
        "--from", dest="where", metavar="URL|DIR", help="read this copy of the site, not the pinned one"
    )
    trust = parser.add_mutually_exclusive_group()
    trust.add_argument("--root", metavar="FILE", type=Path, help="trust this root.json, which you got from elsewhere")
    trust.add_argument("--policy", metavar="FILE", type=Path, help="trust these logs and witnesses, check no signer")
    parser.add_argument("--require-witnessed", action="store_true", help="refuse what only the operator vouches for")
    parser.add_argument("--allow-imported", action="store_true", help="accept files that were imported from elsewhere")


def run(args: argparse.Namespace, console: Console) -> int:
    """Print the requirement of each project; 0, or nothing more is printed from the first that is refused."""
    if args.version is not None and (len(args.projects) != 1 or "==" in args.projects[0]):
        raise SetupError("--version is of one project", code="usage", hint="tagtrail lock PROJECT==V PROJECT==V")
    options = {"require_witnessed": args.require_witnessed, "allow_imported": args.allow_imported}
    lock = _Lock(
        sources(args, args.where),
        now=int(time.time()),  # noqa: TID251  (a command is where the clock is read)
        options=options,
        pre=True if args.pre else None,
    )
    # all are verified before the first is printed: half a requirements file looks like a whole one
    for fields in [lock.fields(*_named(word, args.version)) for word in args.projects]:
        console.tell("locked", fields)
    return 0


def _named(word: str, version: str | None) -> tuple[str, str | None]:
    name, pinned, wanted = word.partition("==")
    return name.strip(), wanted.strip() if pinned else version


class _Lock:
    """Picks versions and proves their files."""

    def __init__(self, known: tuple[Source, ...], *, now: int, options: dict[str, Any], pre: bool | None) -> None:
        self._sources = known
        self._now = now
        self._options = options
        self._pre = pre

    def fields(self, name: str, wanted: str | None) -> dict[str, Any]:
        """The event of one project. Raises TamperError unknown, not-listed, withdrawn, hash-unproven, ..."""
        source, listed = self._listed(name)
        version = self._version(name, listed, wanted)
        rows = [row for row in listed if _version_of(name, row) == version]
        proven = self._proven(name, version, source, rows)
        entry, site = max(proven, key=lambda one: one.entry.index).entry, source.site().where
        digests = sorted({one.file.sha256 for one in proven})
        told = together(proven)
        told["not_proven"].append(f"that {site} shows all versions, and which of them are withdrawn")
        told["doubts"].append("newest-unchecked")
        return {
            "project": entry.project,
            "version": entry.version,
            "index": entry.index,
            "origin": source.origin,
            "from": site,
            "lines": _lines(f"{entry.project}=={entry.version}", digests),
            "files": [{"name": v.file.name, "sha256": v.file.sha256, "index": v.entry.index} for v in proven],
            **told,
        }

    def _listed(self, name: str) -> tuple[Source, tuple[Listed, ...]]:
        known = [source for source in self._sources if source.project(name)]
        if not known:
            roots = ", ".join(source.origin for source in self._sources)
            why = f"no such project is in the root of {roots}" if roots else "nothing is pinned"
            raise TamperError(
                f"no pinned trail names {_plain(name)}", code="unknown", why=why, hint="tagtrail trust URL"
            )
        for source in known:
            if listed := source.index(name):
                return source, listed
        where = ", ".join(source.site().where for source in known)
        raise TamperError(f"the index of {where} lists no file of {_plain(name)}", code="not-listed")

    def _version(self, name: str, listed: tuple[Listed, ...], wanted: str | None) -> Version:
        """The version that pip would pick, or the one that is wanted, unless it is withdrawn."""
        there = {version: row.yanked for row in listed if (version := _version_of(name, row))}
        gone = [version for version, yanked in there.items() if yanked]
        if wanted is None:
            found = picked("", there, yanked=gone, pre=self._pre)
            if found is None:
                left = len(gone) < len(there)  # pip takes no pre-release beside a yanked final
                what = f"every {'final ' if left else ''}version of {_plain(name)} is withdrawn"
                hint = f"tagtrail lock --pre {_plain(name)}" if left else ""
                raise TamperError(what, code="withdrawn", hint=hint)
            return found
        version = next((v for v in there if version_key(str(v)) == version_key(wanted)), None)
        if version is None:
            hint = f"there are {', '.join(str(v) for v in sorted(there)[-6:])}"
            raise TamperError(f"the index lists no {_plain(name)} {_plain(wanted)}", code="not-listed", hint=hint)
        if there[version]:
            why = "its people took it back; a lock file would keep it alive"
            raise TamperError(f"{_plain(name)} {version} is withdrawn", code="withdrawn", why=why)
        return version

    def _proven(self, name: str, version: Version, source: Source, rows: list[Listed]) -> list[Verdict]:
        """A verdict on every distribution that the entries of a version name, and so on all that the index lists."""
        verdicts: dict[str, Verdict] = {}
        for row in rows:
            if row.sha256 in verdicts:
                continue
            proof = self._proof(source, row)
            entry = entry_of(proof)
            tag = source.tag(entry) if isinstance(source.trust, Root) else None
            judge = partial(verify_file, proof=proof, trust=source.trust, tag=tag[0] if tag else None, now=self._now)
            size = next((file.size for file in entry.files if file.name == row.name), 0)
            verdict = judge(Measured(name=row.name, sha256=row.sha256, size=size), **self._options)
            _check_same(name, version, row, verdict.entry)
            for file in (f for f in entry.files if f.name.endswith(_DISTRIBUTIONS)):
                each = Measured(name=file.name, sha256=file.sha256, size=file.size)
                verdicts[file.sha256] = judge(each, **self._options)
        return list(verdicts.values())

    def _proof(self, source: Source, row: Listed) -> bytes:
        found = source.proof_at(row.path)
        if found is None:
            what = f"{source.site().shown(row.path)} has no proof beside it"
            raise TamperError(what, code="proof-missing", why="nothing says that it was released")
        return found[0]


def _check_same(name: str, version: Version, row: Listed, entry: Entry) -> None:
    wanted = (project_key(name), version_key(str(version)))
    if (project_key(entry.project), version_key(entry.version)) != wanted:
        what = f"the index lists {row.name} as {_plain(name)} {version}"
        why = f"its entry is of {entry.project} {entry.version}"
        raise TamperError(what, code="requirement-mismatch", why=why)


def _lines(pin: str, digests: list[str]) -> list[str]:
    """As pip and uv read it: one hash a line, each but the last continued."""
    words = [pin, *(f"    --hash=sha256:{digest}" for digest in digests)]
    return [*(f"{word} \\" for word in words[:-1]), words[-1]]


def _plain(text: str) -> str:
    return shown(text)[1:-1]


def _version_of(name: str, row: Listed) -> Version | None:
    """The version in the name of a wheel or an sdist of this project; None: pip would not read it either."""
    from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename

    try:
        wheel = row.name.endswith(".whl")
        found = parse_wheel_filename(row.name)[:2] if wheel else parse_sdist_filename(row.name)
    except (InvalidSdistFilename, InvalidWheelFilename, InvalidVersion):
        return None
    return found[1] if found[0] == project_key(name) else None

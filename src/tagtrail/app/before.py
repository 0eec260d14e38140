"""`tagtrail audit --existing PROJECT...`: an index, tarballs and tags of people who do not use tagtrail, side by side.

Nothing is written, and no instance is needed. Nobody's server gets more than four requests at a time.
"""

import argparse
import tempfile
from pathlib import Path

from tagtrail.app.existing import index_survey, simple_address, tarball_survey, tarballs
from tagtrail.app.terminal.console import Console
from tagtrail.app.terminal.phrases.words import count
from tagtrail.formats.forms import project_fault
from tagtrail.model.errors import RemoteError, SetupError
from tagtrail.model.facts import Survey
from tagtrail.model.names import name_key
from tagtrail.rules.filenames import beside
from tagtrail.workflows.audit.existing import Difference, Tag, Told, columns, differences

__all__ = ["audit_existing"]


def audit_existing(args: argparse.Namespace, console: Console) -> int:
    """0 where they agree, 7 where they differ, 5 where one of them did not answer."""
    for name in args.existing:
        if fault := project_fault(name):
            raise SetupError(f"{name!r} is no project's name: {fault}", code="usage", hint="--existing NAME")
    simple = simple_address(args.index) if args.index else ""
    found, versions, untold, silent = 0, 0, 0, False
    with tempfile.TemporaryDirectory(prefix="tagtrail-") as mirrors:
        for project in args.existing:
            told = _told(args, project, simple, Path(mirrors), console)
            many, differ, open_ = differences(told)
            console.tell("compared", _event(told, many, differ, open_))
            found, versions, untold = found + len(differ), versions + many, untold + open_
            silent |= any(place and place.silent for place in (told.index, told.tarballs)) or _no_tags(args, told)
    return _end(args, console, found=found, versions=versions, untold=untold, silent=silent)


def _no_tags(args: argparse.Namespace, told: Told) -> bool:
    return bool(args.repo) and told.tags is None


def _told(args: argparse.Namespace, project: str, simple: str, mirrors: Path, console: Console) -> Told:
    index = index_survey(simple, f"index {simple}", project) if simple else None
    beside_it = _tarballs(args, project, index, console) if args.tarballs else None
    for place in filter(None, (index, beside_it)):
        console.tell("place", _place(place, project))
    tags = _tags(args.repo, project, mirrors, console) if args.repo else None
    return Told(project=project, index=index, tarballs=beside_it, tags=tags)


def _tarballs(args: argparse.Namespace, project: str, index: Survey | None, console: Console) -> Survey:
    """Of a server, what is on the index too is hashed, and only if that was asked for; on this machine always."""
    at = tarballs(args.tarballs, project)
    both = {name_key(project, name) for name, _ in index.files} if index else set()
    deep = args.deep or "://" not in args.tarballs

    def wanted(name: str) -> bool:
        return deep and not beside(name) and name_key(project, name) in both

    return tarball_survey(at, f"tarballs {at.where}", wanted, console.tell)


def _tags(repo: str, project: str, mirrors: Path, console: Console) -> tuple[Tag, ...] | None:
    from tagtrail.adapters.git import GitSource, public_name

    at = repo.replace("{project}", project)
    source = GitSource(mirrors)
    told = {"place": f"tags {public_name(at)}", "noun": "tag", "files": 0, "digests": 0, "silent": "", "note": project}
    try:
        signed = source.signed(at)
        found = tuple(Tag(name=name, signed=name in signed) for name, _ in source.tags(at))
    except (RemoteError, SetupError) as error:
        console.tell("place", told | {"silent": f"{error.what}: {error.why}".rstrip(": ")})
        return None
    console.tell("place", told | {"files": len(found), "digests": sum(tag.signed for tag in found)})
    return found


def _place(place: Survey, project: str) -> dict[str, object]:
    told = sum(bool(digest) for _, digest in place.files)
    note = "; ".join(filter(None, (project, place.note)))
    about = {"place": place.target, "noun": "file", "files": len(place.files), "digests": told}
    return about | {"silent": place.silent, "note": note}


def _event(told: Told, versions: int, differ: tuple[Difference, ...], by_name: int) -> dict[str, object]:
    silent = {"index": told.index and told.index.silent, "tarballs": told.tarballs and told.tarballs.silent}
    return {
        "project": told.project,
        "total": versions,
        "noun": "version",
        "columns": list(columns(told)),
        "summary": ["silent" if silent.get(name) else "" for name in columns(told)],
        "by_name": by_name,
        "unasked": 0,
        "rows": [_row(one) for one in differ],
    }


def _row(one: Difference) -> dict[str, object]:
    digests = [{"name": name, "index": here, "tarballs": there} for name, here, there in one.digests]
    row = {"name": one.name, "cells": list(one.cells), "codes": list(one.codes), "notes": list(one.notes)}
    return row | {"digests": digests}


def _end(args: argparse.Namespace, console: Console, *, found: int, versions: int, untold: int, silent: bool) -> int:
    code = 7 if found else 5 if silent else 0
    text = f"{count(versions, 'version')} of {count(len(args.existing), 'project')}"
    text += f", {count(found, 'difference')}" if found else ", no difference"
    if untold:
        what = "1 file is in two places" if untold == 1 else f"{untold:,} files are in two places"
        text += f"; {what}, and nobody tells both digests{'' if args.deep else ' (--deep hashes them)'}"
    if silent:
        text += "\nnot everything was asked: a place did not answer"
    state = {0: "agrees", 5: "unfinished", 7: "disagrees"}[code]
    console.tell("outcome", {"exit": code, "state": state, "text": text, "next": ""})
    return code

"""`tagtrail audit --places`: every name at every place of an instance against its trail, one table for each project."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from tagtrail.adapters.sqlite import SqliteJournal, SqliteLedger
from tagtrail.app.instance.home import Home, find_home
from tagtrail.app.instance.places import places
from tagtrail.app.instance.reading import open_instance
from tagtrail.app.terminal.console import Console
from tagtrail.app.terminal.phrases.words import count
from tagtrail.formats.settings import project_of
from tagtrail.io import http
from tagtrail.model.errors import SetupError
from tagtrail.model.facts import Entry, Survey
from tagtrail.model.names import project_key
from tagtrail.model.settings import Project, Settings
from tagtrail.ports import Target
from tagtrail.workflows.audit.deep import hashed, withdrawals
from tagtrail.workflows.audit.places import (
    BAD,
    Belonging,
    Cell,
    Line,
    belongings,
    by_name,
    compared,
    exit_code,
    marks,
    unasked,
)
from tagtrail.workflows.surveys import everywhere

__all__ = ["LIMIT", "audit_places"]

LIMIT = 600.0
"""Seconds for all places together; a deep audit hashes as long again."""
_STATES = {0: "agrees", 4: "waiting", 5: "unfinished", 7: "disagrees"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A project of the trail, where its releases belong, which files belong there, and what is to be marked there."""

    project: Project
    entries: tuple[Entry, ...]
    places: tuple[str, ...]
    belong: tuple[Belonging, ...]
    marks: tuple[Belonging, ...]


def audit_places(args: argparse.Namespace, console: Console) -> int:
    """0 where all places agree with the trail; 7 where one does not, else 5 where one does not answer, else 4."""
    home = find_home(args.home)
    instance, at = open_instance(home), Home(path=home)
    if not at.database.is_file():
        raise SetupError(f"{home} has no trail yet", code="trail-empty", hint="tagtrail release PROJECT TAG")
    ledger, journal = SqliteLedger(at.database), SqliteJournal(at.database)
    targets = places(instance, lambda index: ledger.entries(index, index + 1)[0])
    asked = tuple(_asked(instance.settings, targets, ledger, journal, args.project))
    site = instance.settings.site.name
    projects: dict[str, list[str]] = {}
    for one in asked:
        for place in one.places:
            projects.setdefault(place, []).append(one.project.name)
    told = everywhere(targets, projects, LIMIT)
    for place, named in projects.items():
        console.tell("place", _place(place, [told[place, name] for name in named]))
    names = {file.name for one in asked for e in one.entries for file in e.files}
    lines = list[Line]()
    for one in asked:
        surveys = [told[place, one.project.name] for place in one.places]
        others = names - {f.name for e in one.entries for f in e.files}
        found = compared(one.entries, one.belong, surveys, known=others, own=[site])
        found = hashed(found, one.belong, targets, http.digest, LIMIT) if args.deep else found
        found = withdrawals(found, one.marks, targets, surveys, LIMIT)
        console.tell("compared", _event(one, found))
        lines += found
    code = exit_code(lines)
    text, following = _text(lines, asked, deep=args.deep), _next(home, lines, code)
    console.tell("outcome", {"exit": code, "state": _STATES[code], "text": text, "next": following})
    return code


def _asked(
    settings: Settings, targets: Mapping[str, Target], ledger: SqliteLedger, journal: SqliteJournal, only: str | None
) -> Iterator[_Asked]:
    """Projects of the settings that have releases in the trail."""
    if only:
        project_of(settings, only)
    for project in settings.projects:
        if only and project_key(only) != project_key(project.name):
            continue
        entries = ledger.entries(project=project.name)
        names = tuple(dict.fromkeys((settings.site.name, *project.publish)))
        taken = [(entry, _takes(settings, targets, names, entry)) for entry in entries]
        belong = [belongings(e, at, journal.rows(e.index)) for e, at in taken if e.event == "release"]
        to_mark = [marks(e, at, journal.rows(e.index)) for e, at in taken if e.event == "withdraw"]
        if any(entry.event in ("release", "import") for entry in entries):
            yield _Asked(
                project=project,
                entries=entries,
                places=names,
                belong=tuple(chain(*belong)),
                marks=tuple(chain(*to_mark)),
            )


def _takes(settings: Settings, targets: Mapping[str, Target], names: Sequence[str], entry: Entry) -> dict[str, Target]:
    return {n: targets[n] for n in names if n == settings.site.name or entry.channel in settings.target(n).on}


# --- what is told ---------------------------------------------------------------------------------------------------


def _place(name: str, told: Sequence[Survey]) -> dict[str, object]:
    silent = [one.silent for one in told if one.silent]
    files = [digest for one in told for _, digest in one.files]
    notes = dict.fromkeys(one.note for one in told if one.note)
    why = f"{silent[0]} ({len(silent)} of {len(told)} projects)" if silent else ""
    return {
        "place": name,
        "noun": "file",
        "files": len(files),
        "digests": sum(map(bool, files)),
        "silent": why,
        "note": "; ".join(list(notes)[:3]),
    }


def _event(asked: _Asked, lines: Sequence[Line]) -> dict[str, object]:
    """Each file that is not the same everywhere, and how many are at each place."""
    loud = [line for line in lines if any(_is_loud(cell) for cell in line.cells)]
    counts = [
        sum(line.cells[number].state in ("same", "there", "yanked") for line in lines if line.name)
        for number in range(len(asked.places))
    ]
    return {
        "project": asked.project.name,
        "total": sum(bool(line.name) for line in lines),
        "noun": "file",
        "columns": list(asked.places),
        "summary": [str(count) if count else "-" for count in counts],
        "by_name": by_name(lines),
        "unasked": unasked(lines),
        "rows": [_row(line, asked.project.name) for line in loud],
    }


def _is_loud(cell: Cell) -> bool:
    return cell.state not in ("same", "there", "-", "gone", "yanked", "dropped", "unasked")


def _row(line: Line, project: str) -> dict[str, object]:
    trail = f"the trail {line.sha256[:16]}..." if line.sha256 else "the trail does not know it"
    notes = [f"{cell.place}: {_SAID[cell.state]}" for cell in line.cells if cell.state in _SAID]
    notes += [f"{cell.place} {cell.sha256[:16]}..., {trail}" for cell in line.cells if cell.sha256]
    states = [cell.state for cell in line.cells]
    return {
        "name": line.name or f"{project} {line.version}",
        "version": line.version,
        "sha256": line.sha256,
        "cells": states,
        "there": [cell.sha256 for cell in line.cells],
        "notes": notes,
    }


_SAID = {
    "shown": "withdrawn, and it does not say so",
    "unsaid": "shown as yanked, and the trail does not say so",
    "unsent": "never sent there",
}


def _text(lines: Sequence[Line], asked: Sequence[_Asked], *, deep: bool) -> str:
    projects, files = len(asked), sum(bool(line.name) for line in lines)
    wrong = sum(any(cell.state in BAD for cell in line.cells) for line in lines)
    gone = sum(entry.event == "withdraw" for one in asked for entry in one.entries)
    text = f"{count(files, 'file')} of {count(projects, 'project')}"
    text += f", {wrong:,} of them not as the trail says" if wrong else ""
    parts = ((by_name(lines), "by name alone"), (unasked(lines), "not looked at"))
    open_ = ", ".join(f"{number:,} {words}" for number, words in parts if number)
    text += f"; of their copies {open_}{'' if deep else ' (--deep hashes what it can)'}" if open_ else ""
    text += f"\n{count(gone, 'version')} withdrawn: {_said_so(lines)}" if gone else ""
    return text


def _next(home: Path, lines: Sequence[Line], code: int) -> str:
    """What a person does about the gravest: what is only not marked yet is no riddle."""
    if code in (4, 5):
        words = "resume" if code == 4 else "audit --places    when it answers again"
        return f"tagtrail -C {home} {words}"
    bad = {cell.state for line in lines for cell in line.cells} & BAD
    if bad == {"shown"}:
        return "yank or remove by hand what does not say that it is withdrawn"
    return "find out who put it there, or took it away, before anything else is released" if bad else ""


def _said_so(lines: Sequence[Line]) -> str:
    """Which places show a mark of what was withdrawn, and which do not."""
    marks = [(cell.place, cell.state) for line in lines for cell in line.cells if cell.state in ("yanked", "shown")]
    silent = {place for place, state in marks if state == "shown"}
    parts = [("marked at ", {place for place, _ in marks} - silent), ("not at ", silent)]
    return "; ".join(words + ", ".join(sorted(places)) for words, places in parts if places) or "no place shows a mark"

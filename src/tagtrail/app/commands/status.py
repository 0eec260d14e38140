"""`tagtrail status`: everything unfinished, and whether a version is burned; made for two in the morning."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from tagtrail.adapters.builder.logs import logs_of
from tagtrail.app.instance.home import find_home
from tagtrail.app.instance.looking import Looking, look
from tagtrail.app.terminal.console import Console
from tagtrail.app.terminal.outcomes import free_version, target_summary, verdict_of
from tagtrail.formats.facts import dump
from tagtrail.io.process import said
from tagtrail.model.facts import Entry, Row
from tagtrail.model.names import project_key, says_version
from tagtrail.trail.sequencer import find_withdrawal
from tagtrail.workflows.announce import tells
from tagtrail.workflows.begun import BROUGHT, LATER, WITHDRAWAL
from tagtrail.workflows.carry import exit_code
from tagtrail.workflows.hold import holds, stands_for
from tagtrail.workflows.resume import unfinished
from tagtrail.workflows.words import address, tag_of

__all__ = ["arguments", "run"]

FEW, MORE = 5, 60
"""Lines of a log that are shown of everything unfinished, and of one release that was asked about."""

DROP = '--drop --because "..."'

_OPEN = frozenset({"none", "asked", "sent", "refused"})
"""States that `resume` goes on with, at a place that the settings have."""

_BEGUN = {
    LATER: "files were added, not in the trail, nothing of them is public.  not burned: safe to run again",
    BROUGHT: "files are in its draft, nothing of them is public.  not burned: safe to release",
    WITHDRAWAL: "its withdrawal was begun and is not in the trail: nobody knows of it yet",
}
_FIRST = "begun, not in the trail, nothing is public.  not burned: safe to run again"


def arguments(parser: argparse.ArgumentParser) -> None:
    """[PROJECT [VERSION]]."""
    parser.add_argument("project", metavar="PROJECT", nargs="?", help="only this project")
    parser.add_argument("version", metavar="VERSION|TAG", nargs="?", help="only this release, with its build's log")


def run(args: argparse.Namespace, console: Console) -> int:
    """Say what is unfinished; 0 where nothing is, else the worst code that `resume` would end with (4: a draft)."""
    home = find_home(args.home)
    here = look(home)
    told = _Told(here, home, args, console)
    told.unfinished()
    if args.version and not told.codes:
        told.finished()
    worst = max(told.codes, default=0)
    ending = {
        "exit": worst,
        "state": "unfinished" if worst else "complete",
        "text": told.ending(),
        "next": "\n".join(dict.fromkeys(told.commands)),
    }
    console.tell("outcome", ending)
    return worst


class _Told:
    """What was said so far: the code of each release, and the commands that help."""

    def __init__(self, here: Looking, home: Path, args: argparse.Namespace, console: Console) -> None:
        self.here, self.home, self.args, self.console = here, home, args, console
        self.codes: list[int] = []
        self.commands: list[str] = []

    def unfinished(self) -> None:
        """Everything that `resume` would go on with, and drafts that wait for whoever begins their release."""
        left = unfinished(self.here.ledger, self.here.journal)
        for row in (*left.begun, *left.drafts):
            project, _, tag = row.effect.key.partition("/")
            if self._asked(project, tag):
                self._begun(row, project, tag)
        for entry, rows in left.entries:
            if self._asked(entry.project, entry.version):
                self._entry(entry, rows)
        for rows in _by_tag(left.words):
            if self._asked(*tag_of(rows[0])):
                self._words(rows, left.words)
        for one in holds(self.here.journal, self.here.clock()):
            if self._asked(one.project, one.tag):
                self.console.tell("held", dump(one))
                self.codes.append(4)
                self._next("hold", one.project, quote(one.tag), "--lift")

    def finished(self) -> None:
        """The release that was asked about, though nothing of it is left to do."""
        entries = [e for e in self.here.ledger.entries(project=self.args.project) if e.event == "release"]
        for entry in (e for e in entries if self._asked(e.project, e.version)):
            self._say(entry, self.here.journal.rows(entry.index), f"released (entry {entry.index}){self._gone(entry)}")
            self._logs(entry.project, entry.version, MORE)

    def ending(self) -> str:
        """The closing line."""
        head = self.here.ledger.committed()
        size = f"{head.size if head else 0} entries in {self.here.site.origin}"
        about = " ".join(filter(None, (self.args.project, self.args.version)))
        return size if self.codes else f"{size}; nothing{f' of {about}' * bool(about)} is unfinished"

    def _asked(self, project: str, version: str) -> bool:
        wanted = self.args.version
        named = self.args.project is None or project_key(self.args.project) == project_key(project)
        return named and (not wanted or says_version(version, wanted) or says_version(wanted, version))

    def _begun(self, row: Row, project: str, tag: str) -> None:
        about = {"project": project, "version": tag, "index": None, "burned": False}
        text, now = _BEGUN.get(row.effect.target, _FIRST), self.here.clock()
        why = stands_for(self.here.journal, row, now)
        more = {"text": text, "why": why, "since": row.since, "now": now, "targets": []}
        self.console.tell("status", about | more)
        self._logs(project, tag, MORE if self.args.version else FEW)
        self.codes.append(exit_code((row,)))
        if row.effect.target == BROUGHT:
            self._next("release", project, quote(tag))
        else:
            self._next("approve", project, quote(tag)) if "approval" in row.why else self._next("resume")

    def _entry(self, entry: Entry, rows: tuple[Row, ...]) -> None:
        if self.here.ledger.cosigned(covering=entry.index) is None:
            text = f"signed (entry {entry.index}), waits for witnesses; nobody sees it.  not burned: safe to run again"
            self._say(entry, (), text)
            self.codes.append(4)
            self._next("resume")
            return
        burned, words = verdict_of(rows)
        instead = free_version(self.here.ledger, entry.project, entry.version) if burned else ""
        words += f"; use {instead}" if burned else ""
        state = f"{'withdrawn' if entry.event == 'withdraw' else 'logged'} (entry {entry.index}), {_half(rows)}"
        gone = self._gone(entry)
        verdict = f".  {words}" if entry.event == "release" and (burned or not gone) else ""
        self._say(entry, rows, f"{state}{gone}{verdict}")
        self.codes.append(exit_code(rows) or 5)
        going = [row for row in rows if row.state in _OPEN and self._known(row.effect.target)]
        for row in rows:
            if row.state in _OPEN | {"held"} and row not in going:
                self._next(
                    "settle", row.effect.target, entry.project, quote(entry.version), self._how(row.effect.target)
                )
        if burned:
            self._next("withdraw", entry.project, quote(entry.version), f'--reason "..." and tag {instead}')
        elif going or not rows:
            self._next("resume")

    def _words(self, rows: tuple[Row, ...], among: tuple[Row, ...]) -> None:
        """What the release team is to be told of one tag."""
        project, tag = tag_of(rows[0])
        about = {"project": project, "version": tag, "index": None, "burned": False}
        more = {
            "text": "a word to the release team",
            "why": "",
            "since": rows[0].since,
            "now": self.here.clock(),
            "targets": target_summary(rows),
        }
        self.console.tell("status", about | more)
        self.codes.append(exit_code(rows))
        for row in rows:
            if row.state == "held" or not self._known(row.effect.target):
                self._next("settle", quote(address(row, among)), self._how(row.effect.target))
            else:
                self._next("resume")

    def _known(self, target: str) -> bool:
        """Whether the settings have it still."""
        return target in {known.name for known in self.here.settings.targets}

    def _how(self, target: str) -> str:
        """What can be said of what is held at a place."""
        if not self._known(target):
            return DROP
        how = f"--again|{DROP}"
        return f"--done|{how}" if self.here.targets()[target].retry == "blind" else how

    def _say(self, entry: Entry, rows: tuple[Row, ...], text: str) -> None:
        about = {"project": entry.project, "version": entry.version, "index": entry.index}
        more = {"burned": verdict_of(rows)[0], "text": text, "why": "", "since": entry.time, "now": self.here.clock()}
        self.console.tell("status", about | more | {"targets": target_summary(rows)})

    def _gone(self, entry: Entry) -> str:
        gone = find_withdrawal(self.here.ledger, entry.project, entry.version) if entry.event == "release" else None
        return f", withdrawn in entry {gone.index}: {gone.reason or 'no reason given'}" if gone else ""

    def _next(self, *words: str) -> None:
        self.commands.append(f"tagtrail -C {self.home} {' '.join(words)}")

    def _logs(self, project: str, version: str, lines: int) -> None:
        """The ends of what the builds of a release said, as text that is safe to print."""
        for path in logs_of(self.home / "state", project, version):
            if said_all := path.read_bytes():
                text = said(said_all, lines)
                self.console.tell("log", {"file": str(path), "size": len(said_all), "lines": text.splitlines()})


def _by_tag(rows: tuple[Row, ...]) -> Iterator[tuple[Row, ...]]:
    for tag in dict.fromkeys(map(tag_of, rows)):
        yield tuple(row for row in rows if tag_of(row) == tag)


def _half(rows: tuple[Row, ...]) -> str:
    """How far it came, in few words; no rows: the journal was lost, or it was killed before there were any."""
    if not rows:
        return "and nobody remembers how far it came"
    open_rows = [row for row in rows if row.state not in ("seen", "dropped")]
    if open_rows and all(map(tells, open_rows)):
        return "published, not announced"
    if len(open_rows) == len(rows):
        return "not published yet"
    return "half published" if open_rows else "published"

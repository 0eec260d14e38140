"""Any other place by two commands of the operator: one that looks whether a file is there, one that puts it there.

    find   exit 0: it is there; the first line of its output is the SHA-256 (hex) of what is there, a second one where
           exit 1: it is not there          anything else: could not look
    apply  exit 0: done; a first line of output is where it is
           exit 75 (EX_TEMPFAIL): not now, nothing was stored; a first line of output is in how many seconds
           exit 73 (EX_CANTCREAT): other bytes are there          anything else: nobody knows

    withdrawn, withdraw   likewise for a release that was taken back: what looks whether it is marked (0 or 1), and what
           marks it; {reason} is why. They know no {file}, {signature}, {name}

{file} is a private copy whose bytes were checked, {signature} its .asc beside it; {name}, {sha256}, {size} are of the
file; {project}, {version}, {tag}, {url} of the release ({url}: its page), {subject} both in words.

Under `announce`, and of a word to the release team (`watch`), `apply` tells people: {file} has the text of the notice,
{notice} all of it as JSON (`formats.notice`), of which {sha256} and {size} are; {subject}, {short} and {event} are its
own; {project}, {version}, {tag} are empty where it is of several releases. Of `find`, 0 then says that they were told.
Codes are those of sysexits.h.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tagtrail.formats.carried import address, link, own_files
from tagtrail.formats.notice import parse_notice
from tagtrail.formats.site import Site
from tagtrail.formats.told import notice_effects
from tagtrail.io.durable import write
from tagtrail.io.process import Finished, run, said
from tagtrail.io.scratch import scratch
from tagtrail.model.errors import RemoteError
from tagtrail.model.facts import Blob, Effect, Entry, Logged, Receipt, Skip, Survey
from tagtrail.model.notice import Notice
from tagtrail.ports import Conflict, Kept, Refused, Unknown

__all__ = ["Command"]

CAP = 1 << 16
"""Bytes of output that are kept."""
NOT_NOW, TAKEN = 75, 73
WAIT, LONGEST = 300, 86_400
TEXT, NOTICE = "notice.txt", "notice.json"
"""What {file} and {notice} are called where people are told something; {name} is the first."""
_SAYING = {"file", "notice", "subject", "short", "event"}
"""Words that tell a withdrawal from a release."""
_WORD = re.compile(r"\{([a-z0-9]+)\}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(slots=True, kw_only=True)
class Command:
    """The port `Target` over two command lines, each a list of its words; there is no shell.

    `env` gives the whole environment, and the secrets in it, which are not repeated; commands run in `home`, for
    `limit` seconds at most; copies are made below `rooms`. With `files` False there is one effect for a release: its
    page. `entry` gives the trail's entry at an index.
    """

    name: str
    retry: Literal["keyed", "searchable", "blind"]
    finding: tuple[str, ...]
    applying: tuple[str, ...]
    limit: int
    env: Callable[[], tuple[Mapping[str, str], Sequence[str]]]
    home: Path
    rooms: Path
    site: Site
    kept: Kept
    entry: Callable[[int], Entry]
    files: bool = True
    withdrawing: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()
    lag: int = field(init=False)

    def __post_init__(self) -> None:
        self.lag = self.limit + 1  # one attempt takes no longer

    def survey(self, project: str) -> Survey:
        """See `tagtrail.ports.Target`: a command is asked for one file at a time."""
        return Survey(target=self.name, note="a command is asked for one file at a time", unlisted=True)

    def plan(self, logged: Logged, notice: Notice | None) -> tuple[Effect | Skip, ...]:
        """See `tagtrail.ports.Target`."""
        entry = logged.entry
        if notice is not None:
            return self._told(logged, notice)
        if entry.event == "withdraw":
            because = "mark or remove it by hand, or say `withdraw` in the settings of this target"
            skip = Skip(target=self.name, what=f"{entry.project} {entry.version}", because=because)
            return (self._effect(entry, "withdraw", "", link(address(self.site, entry))) if self.withdrawing else skip,)
        if entry.event != "release":
            return ()
        if not self.files:
            return (self._effect(entry, "page", "", link(address(self.site, entry))),)
        return tuple(self._effect(entry, "file", file.name, file.blob) for file in own_files(logged))

    def _told(self, logged: Logged, notice: Notice) -> tuple[Effect | Skip, ...]:
        """One word; of a withdrawal only where the command can say that it is one."""
        if notice.event == "withdraw" and not self.withdrawing and not _asked(self.applying) & _SAYING:
            because = "apply would say that it is out: say {subject} or {file} in it, or `withdraw`"
            return (Skip(target=self.name, what=notice.subject, because=because),)
        return notice_effects(self.name, logged, notice)

    def _effect(self, entry: Entry, step: str, name: str, blob: Blob) -> Effect:
        path = f"{entry.project}/{entry.version}/{name}"
        return Effect(target=self.name, key=f"{entry.index}/{step}:{name}", entry=entry.index, path=path, blob=blob)

    def find(self, effect: Effect) -> Receipt | None:
        """See `tagtrail.ports.Target`."""
        if self.retry == "blind":
            return None
        ended, why = self._run("find", effect)
        if ended.code == 1 and not ended.late:
            return None
        if ended.ok and (_is_told(effect) or _is_withdrawal(effect)):
            return Receipt(where=self._where(effect), sha256=effect.blob.sha256)
        digest, where = _lines(ended)
        if not ended.ok or not _DIGEST.fullmatch(digest):
            raise RemoteError(f"{self.name}: find {_end(ended)}", code="command-find", why=why)
        return Receipt(where=where or self._where(effect), sha256=digest)

    def apply(self, effect: Effect) -> Receipt:
        """See `tagtrail.ports.Target`."""
        ended, why = self._run("apply", effect)
        first, _ = _lines(ended)
        if ended.ok:
            return Receipt(where=first or self._where(effect), sha256=effect.blob.sha256)
        if ended.late or ended.code not in (NOT_NOW, TAKEN):
            raise Unknown(f"apply {_end(ended)}: {why}")
        if ended.code == TAKEN:
            raise Conflict(f"apply says that other bytes are there: {why}")
        wait = int(first) if first.isascii() and first.isdigit() and len(first) < 10 else WAIT
        raise Refused(f"apply says not now: {why}", min(max(wait, 1), LONGEST))

    def _run(self, which: str, effect: Effect) -> tuple[Finished, str]:
        """How it ended, and the last line of its errors, without our secrets."""
        words, (env, secrets) = self._words(which, effect), self.env()
        with self._copies(words, effect) as files:
            stand = self._stand_for(effect) | files
            argv = [_WORD.sub(lambda found: stand.get(found[1], found[0]), word) for word in words]
            ended = run(argv, env=env, cwd=self.home, limit=self.limit, cap=CAP)
        why = said(ended.err, lines=1)
        for secret in secrets:
            why = why.replace(secret, "***")
        return ended, why[:200] or "it says nothing"

    def _words(self, which: str, effect: Effect) -> tuple[str, ...]:
        """Whoever is told has the words for withdrawals where the settings say some, else the usual ones."""
        gone = _is_withdrawal(effect)
        if _is_told(effect) and self.withdrawing:
            gone = self._notice(effect).event == "withdraw"
        if which == "find":
            return self.withdrawn if gone else self.finding
        return self.withdrawing if gone else self.applying

    def _stand_for(self, effect: Effect) -> dict[str, str]:
        if _is_told(effect):
            return self._said(effect)
        entry, name = self.entry(effect.entry), _name(effect)
        return {
            "name": name,
            "sha256": effect.blob.sha256,
            "size": str(effect.blob.size),
            "project": entry.project,
            "version": entry.version,
            "tag": entry.tag.name if entry.tag else "",
            "url": address(self.site, entry),
            "reason": entry.reason,
            "subject": f"{entry.project} {entry.version}",
            "short": f"{entry.project} {entry.version}",
            "event": entry.event,
        }

    def _said(self, effect: Effect) -> dict[str, str]:
        """Of what people are told: a release, a withdrawal, several at once, or a word to the team, of no entry."""
        notice, blob = self._notice(effect), effect.blob
        entry = self.entry(effect.entry) if len(notice.entries) == 1 else None
        own = ("project", "version", "url", "subject", "short", "event")
        about = {"tag": entry.tag.name if entry and entry.tag else "", "reason": entry.reason if entry else ""}
        about |= {key: getattr(notice, key) for key in own}
        return about | {"name": TEXT, "sha256": blob.sha256, "size": str(blob.size)}

    def _notice(self, effect: Effect) -> Notice:
        return parse_notice(self.kept.read(effect.blob.sha256))

    @contextmanager
    def _copies(self, words: Sequence[str], effect: Effect) -> Iterator[dict[str, str]]:
        """The files that the words ask for, in a directory of this attempt."""
        asked = _asked(words) & {"file", "signature", "notice"}
        found = self._texts(effect) if _is_told(effect) else self._files(effect)
        if not asked or not found:
            yield {}
            return
        with scratch(self.rooms, "command") as room:
            for name, chunks in (found[each] for each in asked & set(found)):
                write(room / name, chunks, mode=0o600, sync=False)
            yield {each: str(room / found[each][0]) if each in found else "" for each in asked}

    def _texts(self, effect: Effect) -> Mapping[str, tuple[str, Iterable[bytes]]]:
        data = self.kept.read(effect.blob.sha256)
        return {"file": (TEXT, [parse_notice(data).text.encode()]), "notice": (NOTICE, [data])}

    def _files(self, effect: Effect) -> Mapping[str, tuple[str, Iterable[bytes]]]:
        """Of a file that is carried; what marks a withdrawal has none."""
        name, signature = _name(effect), dict(self.entry(effect.entry).sidecars).get(f"{_name(effect)}.asc", "")
        found = {"file": (name, self.kept.chunks(effect.blob.sha256))} if name else {}
        return found | ({"signature": (f"{name}.asc", self.kept.chunks(signature))} if signature else {})

    def _where(self, effect: Effect) -> str:
        return f"{self.name}: {effect.path}"


def _is_withdrawal(effect: Effect) -> bool:
    return effect.key.partition("/")[2].startswith("withdraw:")


def _is_told(effect: Effect) -> bool:
    """Whether people are told something, by a key of `notice_effects`, or of a word to the team."""
    return effect.key.removeprefix(f"{effect.entry}/").startswith("notice:")


def _asked(words: Sequence[str]) -> set[str]:
    return {found for word in words for found in _WORD.findall(word)}


def _name(effect: Effect) -> str:
    return effect.key.partition(":")[2]


def _lines(ended: Finished) -> tuple[str, str]:
    """The first two lines of its output, fit to be shown."""
    lines = [said(line, lines=1).strip()[:500] for line in ended.out.split(b"\n", 2)[:2]]
    return (*lines, "", "")[0], (*lines, "", "")[1]


def _end(ended: Finished) -> str:
    return "takes too long" if ended.late else f"ends with {ended.code}"

"""What must hold between the entries of a trail, whoever wrote it: times, names, versions, withdrawals, roots.

Reason codes: time-decreased, time-impossible, name-twice, version-twice, files-dropped, withdrawn-used, root-skipped.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise

from tagtrail.formats.times import format_time
from tagtrail.model.facts import Entry, Finding
from tagtrail.model.names import name_key, project_key, version_key
from tagtrail.verify.proofs import TOLERANCE

__all__ = ["broken_laws", "finding"]


def finding(code: str, name: str, text: str, fix: str = "") -> Finding:
    """A mismatch: its reason code, the path or entry concerned, both values."""
    return Finding(rule=code, name=name, level="error", text=f"{name}: {text}", fix=fix)


def broken_laws(entries: Iterable[Entry], now: int) -> Iterator[Finding]:
    """Everything that two entries say and that cannot both be right; `now` in Unix seconds."""
    entries = tuple(entries)
    yield from _times(entries, now)
    yield from _roots(entries)
    yield from _names(entries)
    yield from _versions(entries)


def _times(entries: tuple[Entry, ...], now: int) -> Iterator[Finding]:
    for before, entry in pairwise(entries):
        if entry.time < before.time:
            text = f"is of {format_time(entry.time)}, entry {before.index} of {format_time(before.time)}"
            yield finding("time-decreased", _name(entry), text)
    for entry in entries[-1:]:
        if entry.time > now + TOLERANCE:
            text = f"is of {format_time(entry.time)}, now it is {format_time(now)}"
            yield finding("time-impossible", _name(entry), text)


def _roots(entries: tuple[Entry, ...]) -> Iterator[Finding]:
    last = 0
    for entry in entries:
        names = [file.name for file in entry.files if file.name.endswith(".root.json")] if entry.event == "key" else []
        for name in names:
            last += 1
            if name != f"{last}.root.json":
                yield finding("root-skipped", _name(entry), f"names {name}, the next root is {last}.root.json")


def _names(entries: tuple[Entry, ...]) -> Iterator[Finding]:
    """One (project, file name) has one SHA-256 for ever; names are compared by `name_key`."""
    known: dict[tuple[str, str], tuple[str, str, Entry]] = {}
    for entry in entries:
        if entry.event != "release":
            continue
        named = [(f.name, f.sha256) for f in entry.files] + list(entry.sidecars)
        for name, digest in named:
            key = (project_key(entry.project), name_key(entry.project, name))
            first_name, first_digest, first = known.setdefault(key, (name, digest, entry))
            if digest != first_digest:
                text = f"{name} has SHA-256 {digest}, in entry {first.index} {first_name} has {first_digest}"
                yield finding("name-twice", _name(entry), text)


def _versions(entries: tuple[Entry, ...]) -> Iterator[Finding]:
    """A version has one release; later entries of it add files, drop none, and come before it is withdrawn."""
    known: dict[tuple[str, str], Entry] = {}
    gone: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        key = (project_key(entry.project), version_key(entry.version))
        if entry.event == "withdraw":
            gone.setdefault(key, entry)
        if entry.event != "release":
            continue
        if key in gone:
            text = f"releases {entry.version}, which entry {gone[key].index} has withdrawn"
            yield finding("withdrawn-used", _name(entry), text)
        if key in known:
            yield from _again(known[key], entry)
        known[key] = entry


def _again(before: Entry, entry: Entry) -> Iterator[Finding]:
    tags = [e.tag.sha256 if e.tag else "" for e in (before, entry)]
    if not entry.added or tags[0] != tags[1]:
        text = f"releases {entry.version} from tag {tags[1]}, entry {before.index} did from tag {tags[0]}"
        yield finding("version-twice", _name(entry), text)
    dropped = sorted({f.name for f in before.files} - {f.name for f in entry.files})
    if dropped:
        text = f"no longer names {', '.join(dropped)}, which entry {before.index} named"
        yield finding("files-dropped", _name(entry), text)


def _name(entry: Entry) -> str:
    return f"entry {entry.index}"

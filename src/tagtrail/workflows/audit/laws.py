"""What must hold between the entries of a trail, whoever wrote it: times, names, versions, withdrawals, roots, people.

Reason codes: time-decreased, time-impossible, time-backdated, root-skipped, name-twice, origin-changed, version-twice,
files-dropped, withdrawn-used, signer-not-allowed, added-unapproved, unexpected-signer, tag-twice, tag-version,
tar-differs, and those of the rules on files: file-name-agrees, file-version-agrees, file-name-free.
"""

from collections.abc import Collection, Iterable, Iterator
from itertools import pairwise

from tagtrail.formats.root import Root
from tagtrail.formats.times import format_time
from tagtrail.model.facts import Entry, File
from tagtrail.model.names import name_key, project_key, says_version, version_key
from tagtrail.rules.book import judge
from tagtrail.rules.facts import After
from tagtrail.rules.registry import AFTER
from tagtrail.verify.proofs import TOLERANCE
from tagtrail.workflows.audit.report import Mismatch

__all__ = ["backdated", "broken_laws", "in_order", "unexpected_signers", "without_right"]

SLOW = 3600
"""Seconds that an honest operator may take to show witnesses what he has logged."""

_MAKES_FILES = frozenset({"release", "import"})


def in_order(entries: Iterable[Entry], now: int) -> Iterator[Mismatch]:
    """What the whole trail keeps: times and the numbers of roots; `now` in Unix seconds."""
    entries = tuple(entries)
    for before, entry in pairwise(entries):
        if entry.time < before.time:
            expected = f"{format_time(before.time)} or later, as entry {before.index}"
            yield _broken("time-decreased", entry, f"of {format_time(entry.time)}", expected)
    for entry in entries[-1:]:
        if entry.time > now + TOLERANCE:
            expected = f"before now, {format_time(now)}"
            yield _broken("time-impossible", entry, f"of {format_time(entry.time)}", expected)
    yield from _roots(entries)
    yield from _tags(entries)


def broken_laws(entries: Iterable[Entry]) -> Iterator[Mismatch]:
    """Everything that two entries of one project say and that cannot both be right."""
    entries = tuple(entries)
    yield from _names(entries)
    yield from _versions(entries)
    for entry in (e for e in entries if e.event == "release"):
        yield from _files(entry)


def without_right(entries: Iterable[Entry], root: Root) -> Iterator[Mismatch]:
    """Releases by people whom the root does not allow there, and files that came later without a signer's approval."""
    for entry in (e for e in entries if e.event == "release"):
        allowed = {key.fingerprint for key in root.allowed(entry.project, entry.index)}
        signer = entry.tag.signer if entry.tag else "nobody"
        if signer not in allowed:
            expected = f"one of {', '.join(sorted(allowed)) or 'nobody'}, by root {root.version}"
            yield _broken("signer-not-allowed", entry, f"{entry.project}'s tag by {signer}", expected)
        brought = sorted({*entry.added, *(f.name for f in entry.files if f.origin.how == "added")})
        approved = [approval.key for approval in entry.approvals]
        if brought and not allowed & {*approved}:
            there = f"{', '.join(brought)} approved by {', '.join(approved) or 'nobody'}"
            yield _broken("added-unapproved", entry, there, "an approval by one of the project's signers")


def unexpected_signers(entries: Iterable[Entry], expected: Collection[str]) -> Iterator[Mismatch]:
    """Releases whose tag is by nobody whom their maintainer expects."""
    for entry in (e for e in entries if expected and e.event == "release"):
        signer = entry.tag.signer if entry.tag else "nobody"
        if signer not in expected:
            there = f"{entry.project} {entry.version} signed by {signer}"
            yield _broken("unexpected-signer", entry, there, " or ".join(expected))


def backdated(entries: Iterable[Entry], seen: Iterable[tuple[int, int]]) -> Iterator[Mismatch]:
    """Entries that say they are older than a tree without them; `seen` are sizes, and when witnesses saw them."""
    latest: dict[int, int] = {}
    for size, moment in seen:
        latest[size] = max(moment, latest.get(size, moment))
    for entry in entries:
        moment = latest.get(entry.index, 0)
        if entry.time + SLOW < moment:
            expected = f"later than {format_time(moment)}, when witnesses saw {entry.index} entries and not this one"
            yield _broken("time-backdated", entry, f"of {format_time(entry.time)}", expected)


def _roots(entries: tuple[Entry, ...]) -> Iterator[Mismatch]:
    last = 0
    for entry in entries:
        names = [file.name for file in entry.files if file.name.endswith(".root.json")] if entry.event == "key" else []
        for name in names:
            last += 1
            if name != f"{last}.root.json":
                yield _broken("root-skipped", entry, f"names {name}", f"{last}.root.json is next")


def _tags(entries: tuple[Entry, ...]) -> Iterator[Mismatch]:
    """A signed tag object is one version of one repository, and says so."""
    known: dict[str, Entry] = {}
    for entry in (e for e in entries if e.event == "release" and e.tag):
        first = known.setdefault(entry.tag.sha256, entry) if entry.tag else entry
        if entry.tag and first.tag and entry.tag.repo != first.tag.repo:
            there = f"tag object {entry.tag.object} of {entry.tag.repo}"
            yield _broken("tag-twice", entry, there, f"of {first.tag.repo}, as entry {first.index} says")
        if entry.tag and version_key(entry.version) != version_key(first.version):
            there = f"{entry.version} from tag object {entry.tag.object}"
            yield _broken("tag-twice", entry, there, f"{first.version}, as entry {first.index} says")
        if entry.tag and not says_version(entry.tag.name, entry.version):
            there = f"{entry.version} from the tag {entry.tag.name}"
            yield _broken("tag-version", entry, there, "the tag's own version")


def _files(entry: Entry) -> Iterator[Mismatch]:
    """Files bear the names of their project and version, and what differs in compression only is one tar."""
    facts = After(project=entry.project, version=entry.version, files=tuple(file.name for file in entry.files))
    for found in judge(AFTER, facts, ()).findings:
        if found.level == "error":
            yield _broken(found.name, entry, found.text, f"names of {entry.project} {entry.version}")
    tars: dict[str, File] = {}
    for file in entry.files:
        first = tars.setdefault(file.name.rpartition(".tar.")[0], file) if ".tar." in file.name and file.tar else file
        if first.tar != file.tar:
            there = f"{file.name} holds the tar {file.tar}"
            yield _broken("tar-differs", entry, there, f"{first.tar}, as {first.name} does")


def _names(entries: tuple[Entry, ...]) -> Iterator[Mismatch]:
    """One (project, file name) has one SHA-256 for ever, and one origin; names are compared by `name_key`."""
    known: dict[tuple[str, str], tuple[str, str, Entry]] = {}
    origins: dict[tuple[str, str], tuple[str, Entry]] = {}
    for entry in entries:
        if entry.event not in _MAKES_FILES:
            continue
        for name, digest, how in _named(entry):
            key = (project_key(entry.project), name_key(entry.project, name))
            first_name, first_digest, first = known.setdefault(key, (name, digest, entry))
            if digest != first_digest:
                there = f"{name} has SHA-256 {digest}"
                yield _broken("name-twice", entry, there, f"{first_digest}, as {first_name} in entry {first.index}")
            was, by = origins.setdefault(key, (how, entry))
            if how != was:
                there = f"{name} is {how}"
                yield _broken("origin-changed", entry, there, f"{was}, as entry {by.index} says")


def _named(entry: Entry) -> Iterator[tuple[str, str, str]]:
    """Name, SHA-256 and origin of everything that an entry gives a digest for ever."""
    release = entry.event == "release"
    for file in entry.files:
        # an import may name a commit: that is no file
        if release or b'"sha256":"%s"' % file.sha256.encode() in entry.raw:
            yield file.name, file.sha256, file.origin.how if release else "imported"
    for name, digest in entry.sidecars:
        yield name, digest, ""


def _versions(entries: tuple[Entry, ...]) -> Iterator[Mismatch]:
    """A version has one release; later entries of it add files, drop none, and come before it is withdrawn."""
    known: dict[tuple[str, str], Entry] = {}
    gone: dict[tuple[str, str], Entry] = {}
    buried: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        key = (project_key(entry.project), version_key(entry.version))
        if entry.event == "withdraw":
            gone.setdefault(key, entry)
            buried |= dict.fromkeys(_keys(known[key]) if key in known else (), entry)
        if entry.event != "release":
            continue
        if key in gone:
            there, expected = f"releases {entry.version}", f"withdrawn by entry {gone[key].index} for ever"
            yield _broken("withdrawn-used", entry, there, expected)
        elif taken := sorted(buried.keys() & _keys(entry)):
            expected = f"withdrawn by entry {buried[taken[0]].index} for ever"
            yield _broken("withdrawn-used", entry, f"names {taken[0][1]}", expected)
        if key in known:
            yield from _again(known[key], entry)
        known[key] = entry


def _keys(entry: Entry) -> set[tuple[str, str]]:
    return {(project_key(entry.project), name_key(entry.project, file.name)) for file in entry.files}


def _again(before: Entry, entry: Entry) -> Iterator[Mismatch]:
    tags = [e.tag.sha256 if e.tag else "none" for e in (before, entry)]
    if not entry.added or tags[0] != tags[1]:
        expected = f"tag {tags[0]}, as entry {before.index} did"
        yield _broken("version-twice", entry, f"releases {entry.version} from tag {tags[1]}", expected)
    dropped = sorted({f.name for f in before.files} - {f.name for f in entry.files})
    if dropped:
        expected = f"{', '.join(dropped)} too, as entry {before.index} did"
        yield _broken("files-dropped", entry, f"names {', '.join(f.name for f in entry.files)}", expected)


def _broken(code: str, entry: Entry, there: str, expected: str) -> Mismatch:
    return Mismatch(code=code, path=f"entry {entry.index}", there=there, expected=expected)

"""Release notes as the one text that is kept, PROJECT-VERSION.notes.md: CommonMark, and the fact can be read back.

    What the project wrote before any heading.

    ## New Features

    - The road can be resumed.

    ## Since 1.1.0

    - 14 commits by 3 people
    - notes from `CHANGELOG.md`
    - requires `click>=8`, was `click>=7`
    - requires `httpx`, new
    - requires no more: `requests`
    - wheel: 43,100 bytes, was 41,200
    - .tar.xz: 9,000 bytes, new

The last section is ours: `Since VERSION`, or `The first release`; its lines have these forms alone and this order. A
kind of file is `new` beside one that `was`; where nothing is known of the files before, sizes stand alone.
Every line of a body that could pass for a heading of level 2 has a space before it. A text without our section
(somebody else's, or one of an earlier tagtrail) is sections and nothing else. Foreign CommonMark goes through
`formats/commonmark.py` first. Reading never raises; `parse_notes(format_notes(x)) == x` for every x whose texts are
tame.
"""

import re
from collections.abc import Iterable, Iterator

from tagtrail.model.frozen import replace
from tagtrail.model.notes import Changed, Notes, Section, Sized, Wrote

__all__ = ["format_notes", "parse_notes"]

_HEADING = re.compile(r"^## (.*)$", re.MULTILINE)
_FIRST = "The first release"
_SINCE = re.compile(r"Since (\S+)")
_FROM: dict[Wrote, str] = {
    "reno": "notes from `{}`, read as reno does",
    "towncrier": "notes from `{}`, read as towncrier does",
    "scriv": "notes from `{}`, read as scriv does",
    "changelog": "notes from `{}`",
    "commits": "notes: the commits",
}
_FORMS = {source: re.compile(re.escape(form).replace(r"\{\}", "([^`]+)")) for source, form in _FROM.items()}
_COUNT = re.compile(r"(?:no commits|([0-9,]+) commits?(?: by ([0-9,]+) (?:person|people))?)")
_REQUIRES = re.compile(r"requires(?P<no> no more:)? `(?P<one>[^`]+)`(?:, (?:was `(?P<was>[^`]+)`|new))?")
_SIZE = re.compile(r"(?P<kind>[^:]+): (?:none|(?P<now>[0-9,]+) bytes)(?:, (?:was (?P<was>[0-9,]+)|new))?")
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def format_notes(notes: Notes) -> str:
    """The text; it ends with one line feed."""
    parts = [f"## {s.title}\n\n{_apart(s.body)}" if s.title else _apart(s.body) for s in notes.sections]
    title = f"Since {notes.since}" if notes.since else _FIRST
    lines = "".join(f"- {line}\n" for line in _lines(notes))
    blocks = (*parts, f"## {title}", lines)
    return "\n\n".join(filter(None, (block.strip("\n") for block in blocks))) + "\n"


def parse_notes(text: str) -> Notes:
    """The fact that the text tells. Never raises."""
    sections = tuple(_sections(text))
    last = sections[-1] if sections else Section(title="", body="")
    since = _SINCE.fullmatch(last.title)
    if not since and last.title != _FIRST:
        return Notes(sections=sections)
    notes: Notes | None = Notes(sections=sections[:-1], since=since[1] if since else "")
    for line in filter(None, last.body.split("\n")):
        notes = _with(notes, line.removeprefix("- ")) if notes and line.startswith("- ") else None
    return notes or Notes(sections=sections)


# --- writing --------------------------------------------------------------------------------------------------------


def _apart(body: str) -> str:
    return _HEADING.sub(r" ## \1", body)


def _lines(notes: Notes) -> Iterator[str]:
    if notes.commits is not None:
        yield _counted(notes.commits, notes.authors)
    if notes.source:
        yield _FROM[notes.source].format(notes.where)
    yield from map(_required, notes.requires)
    compared = any(size.before is not None for size in notes.sizes)
    yield from (_sized(size, compared=compared) for size in notes.sizes)


def _counted(commits: int, authors: int | None) -> str:
    if not commits:
        return "no commits"
    people = "" if authors is None else f" by {authors:,} {'person' if authors == 1 else 'people'}"
    return f"{commits:,} commit{'' if commits == 1 else 's'}{people}"


def _required(changed: Changed) -> str:
    if not changed.now:
        return f"requires no more: `{changed.before}`"
    return f"requires `{changed.now}`, " + (f"was `{changed.before}`" if changed.before else "new")


def _sized(sized: Sized, *, compared: bool) -> str:
    """With what it was; a kind is new only where the files of the release before are known."""
    now = "none" if sized.now is None else f"{sized.now:,} bytes"
    before = ", new" if compared else ""
    return f"{sized.kind}: {now}" + (before if sized.before is None else f", was {sized.before:,}")


# --- reading --------------------------------------------------------------------------------------------------------


def _sections(text: str) -> Iterator[Section]:
    first, *others = _HEADING.split(text)
    pairs: Iterable[tuple[str, str]] = (("", first), *zip(others[::2], others[1::2], strict=True))
    for title, body in pairs:
        if title or body.strip():
            yield Section(title=title.strip(), body=body.strip("\n").rstrip())


def _with(notes: Notes, line: str) -> Notes | None:
    """The notes with what a line of our own section says; None where no line of ours reads so."""
    if found := _COUNT.fullmatch(line):
        return replace(notes, commits=_number(found[1]) or 0, authors=_number(found[2]))
    for source, form in _FORMS.items():
        if found := form.fullmatch(line):
            return replace(notes, source=source, where=found[1] if form.groups else "")
    if found := _REQUIRES.fullmatch(line):
        before, now = (found["one"], "") if found["no"] else (found["was"] or "", found["one"])
        name = _NAME.match(now or before)
        return replace(notes, requires=(*notes.requires, Changed(name=name[0] if name else "", before=before, now=now)))
    if found := _SIZE.fullmatch(line):
        sized = Sized(kind=found["kind"], before=_number(found["was"]), now=_number(found["now"]))
        return replace(notes, sizes=(*notes.sizes, sized))
    return None


def _number(text: str | None) -> int | None:
    digits = (text or "").replace(",", "")
    return int(digits) if digits and len(digits) < 16 else None

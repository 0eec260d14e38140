"""A changelog: the section of one version, from CommonMark or reStructuredText.

    ## [1.2.0](https://e.org/compare/1.1.0...1.2.0) - 2026-01-31      the same version is meant by
    1.2 (2026-01-31)                                                  each of these headings
    v1.2.0 / Version 1.2.0 / mylib 1.2.0

The heading says the version first, or after one word; PEP 440 says what is the same version. Where several headings do,
the highest counts, then the first. The section goes up to the next heading that is as high.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from packaging.version import InvalidVersion, Version

from tagtrail.formats import commonmark, restructured
from tagtrail.model.notes import Section

__all__ = ["NAMES", "fits", "sections_of"]

NAMES = ("CHANGELOG", "CHANGES", "HISTORY", "NEWS", "RELEASES", "RELEASE_NOTES")
"""What such a file is called, in any case, at the top or in `docs`."""

_SUFFIXES = ("", ".md", ".markdown", ".rst", ".txt")
_MOST = 1 << 20

_Titles = Callable[[list[str]], Iterator[tuple[int, int, str, int]]]


def fits(name: str) -> bool:
    """Whether a file's name (without directories) is one of a changelog."""
    stem, dot, suffix = name.partition(".")
    return stem.upper().replace("-", "_") in NAMES and dot + suffix.lower() in _SUFFIXES


def sections_of(name: str, text: str, version: str) -> tuple[Section, ...]:
    """What the changelog called `name` says of a version, tame; empty where it says nothing. Never raises."""
    text = text[:_MOST].replace("\r\n", "\n")
    if name.lower().endswith((".md", ".markdown")) or (not name.lower().endswith((".rst", ".txt")) and _marked(text)):
        body = _section(text.split("\n"), version, commonmark.headings)
        found = commonmark.sections(body, commonmark.definitions(text))
    else:
        body = _section(text.split("\n"), version, restructured.titles)
        targets = "\n".join(line for line in text.split("\n") if line.startswith((".. _", ".. |")))
        found = commonmark.sections(restructured.commonmark(f"{body}\n\n{targets}" if body else ""))
    return tuple(Section(title=title, body=said) for title, said in found if said)


def _marked(text: str) -> bool:
    """A file without a suffix: headings with `#` make it CommonMark."""
    return bool(re.search(r"^#{1,3} \S", text, re.MULTILINE))


def _section(lines: list[str], version: str, titles: _Titles) -> str:
    found = [(at, level, after, _says(title, version)) for at, level, title, after in titles(lines)]
    top = min((level for _, level, _, own in found if own), default=0)
    start = next((after for _, level, after, own in found if own and level == top), None)
    if start is None:
        return ""
    end = next((at for at, level, _, _ in found if at >= start and level <= top), len(lines))
    return "\n".join(lines[start:end])


def _says(title: str, version: str) -> bool:
    """Whether a heading is about the version."""
    plain = re.sub(r"\]\([^()]*\)|\]\[[^\]]*\]", "] ", title[:500])
    words = re.sub(r"[\[\](),`*:_]", " ", plain).split()[:2]
    return any(_same(word, version) for word in _first_numbers(words))


def _first_numbers(words: Iterable[str]) -> Iterator[str]:
    """The first word that has a digit."""
    for word in words:
        if re.search(r"\d", word):
            yield word
            return


def _same(word: str, version: str) -> bool:
    if word in {version, f"v{version}"}:
        return True
    try:
        return Version(word) == Version(version)
    except InvalidVersion:
        return False

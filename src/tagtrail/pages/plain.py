r"""Release notes as plain text for mail: CommonMark as people write it, lines at most 72 characters where words allow.

    ### Fixes                           Fixes
                                        ~~~~~
    - a long line of `code` and         - a long line of `code` and
      [a link](https://e.org/1)           a link <https://e.org/1>
    ```                                     as it is
    as it is

A link shows where it goes, so nothing hides behind a word. Headings are underlined; code and tables are not wrapped; a
character that is two columns wide counts two, and a line may end behind it. The time is linear in the length; what is
longer than `MOST` is cut at a line, and says so; its last section stays, for ours is the last.
"""

import re
from collections.abc import Iterator
from textwrap import TextWrapper
from unicodedata import east_asian_width

from tagtrail.pages.text import clean

__all__ = ["MOST", "WIDTH", "parted", "plain_notes", "wrapped"]

MOST = 24 * 1024
"""Characters of notes in a message; the rest is on the release page."""

WIDTH = 72
_LAST = 4 * 1024
"""Characters of a last section that stays where the notes are cut."""

_HEADING = re.compile(r" {0,3}(#{1,6})[ ]+(.*?)[ #]*")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})[^`]*")
_ITEM = re.compile(r"( *)([-*+]|[0-9]{1,9}[.)])[ ]+(.*)")
_SPAN = re.compile(
    r"(`+)([^`]+)\1|\[([^\[\]]{1,500})\]\((https?://[^\s()<>]+)\)|<(https?://[^\s<>]+)>|\\([!-/:-@\[-`{-~])"
)

_CJK = "\u1100-\u115f\u2e80-\u3000\u3003-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff05-\uff60\U0001f300-\U0003fffd"
_STOPS = "\u3001\u3002\uff01-\uff04"
_PIECE = rf"[{_CJK}][{_STOPS}]* ?|[^ {_CJK}]+ ?| "
"""What a line of wide characters may end behind: each of them with the stops behind it, or a word."""


def wrapped(text: str, first: str = "", later: str = "") -> str:
    """Words in lines of at most `WIDTH` characters; a longer word stands alone: no address is broken."""
    words = " ".join(clean(text).split())
    if not words.isascii() and any(map(_is_wide, words)):
        return _wide(words, first, later)
    wrapper = TextWrapper(
        width=WIDTH,
        initial_indent=first,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return wrapper.fill(words)


def parted(text: str) -> tuple[str, str]:
    """Notes that are too long: what is told from their beginning, whole lines, and their last section; all of them, and
    nothing, where they are short enough."""
    if len(text) <= MOST:
        return text, ""
    at = text.rfind("\n## ", MOST)
    last = text[at + 1 :] if at > 0 and len(text) - at <= _LAST else ""
    head = text[: MOST - len(last)]
    return head.rpartition("\n")[0] or head, last


def plain_notes(text: str) -> str:
    """The notes, without line feeds at their ends."""
    head, last = parted(text)
    found = "\n".join([*_plain(head), *(["", "[...]"] if len(text) > MOST else []), *_plain(last)])
    return re.sub(r"\n{3,}", "\n\n", found).strip("\n")


def _plain(text: str) -> Iterator[str]:
    return _lines(clean(text).expandtabs(4).split("\n"))


def _is_wide(char: str) -> bool:
    return east_asian_width(char) in "WF"


def _wide(words: str, first: str, later: str) -> str:
    """Lines by columns: they end at a space, or behind a character of two columns (Unicode, UAX 11)."""
    lines, line, width = [], first, len(first)
    empty = True
    for piece in re.findall(_PIECE, words):
        own = sum(1 + _is_wide(char) for char in piece)
        if width + own - piece.endswith(" ") > WIDTH and not empty:
            lines.append(line.rstrip())
            line, width = later, len(later)
        line, width, empty = line + piece, width + own, False
    return "\n".join([*lines, line.rstrip()])


def _lines(lines: list[str]) -> Iterator[str]:
    block: list[str] = []
    fence = ""
    for line in [*lines, ""]:
        mark = _FENCE.fullmatch(line)
        if fence:
            closes = line.strip().startswith(fence) and not line.strip().strip(fence[0])
            fence = "" if closes else fence
            yield from () if closes else (f"    {line}".rstrip(),)
            continue
        ends = not line.strip() or mark or _HEADING.fullmatch(line) or _ITEM.fullmatch(line)
        if (ends or (not block and line.startswith("    "))) and block:
            yield _block(block)
            block = []
        if mark:
            fence = mark[1]
        elif heading := _HEADING.fullmatch(line):
            yield from ("", *_titled(_inline(heading[2]), len(heading[1])))
        elif not line.strip():
            yield ""
        elif line.lstrip().startswith("|") and not block:
            yield _inline(line.rstrip())
        elif not block and line.startswith("    ") and not _ITEM.fullmatch(line):
            yield line.rstrip()
        else:
            block.append(line)


def _titled(title: str, level: int) -> tuple[str, str]:
    shown = " ".join(title.split())
    return shown, ("-" if level < 3 else "~") * min(len(shown), WIDTH)


def _block(lines: list[str]) -> str:
    item = _ITEM.fullmatch(lines[0])
    if not item:
        return wrapped(_inline("\n".join(lines)))
    indent = " " * min(len(item[1]), 16)
    head = f"{indent}{item[2]} "
    return wrapped(_inline("\n".join([item[3], *lines[1:]])), head, " " * len(head))


def _inline(text: str) -> str:
    return _SPAN.sub(_shown, text)


def _shown(span: re.Match[str]) -> str:
    if span[2]:
        return span[0]
    if span[4]:
        return span[4] if span[3] == span[4] else f"{_inline(span[3])} <{span[4]}>"
    return span[5] or span[6]

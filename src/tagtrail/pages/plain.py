r"""Release notes as plain text for mail: CommonMark as people write it, lines at most 72 characters where words allow.

    ### Fixes                           Fixes
                                        ~~~~~
    - a long line of `code` and         - a long line of `code` and
      [a link](https://e.org/1)           a link <https://e.org/1>
    ```                                     as it is
    as it is

A link shows where it goes, so nothing hides behind a word. Headings are underlined; code is not wrapped. The time is
linear in the length; what is longer than `MOST` is cut, and says so.
"""

import re
from collections.abc import Iterator
from textwrap import TextWrapper

from tagtrail.pages.text import clean

__all__ = ["MOST", "WIDTH", "plain_notes", "wrapped"]

MOST = 24 * 1024
"""Characters of notes in a message; the rest is on the release page."""

WIDTH = 72

_HEADING = re.compile(r" {0,3}(#{1,6})[ ]+(.*?)[ #]*")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})[^`]*")
_ITEM = re.compile(r"( *)([-*+]|[0-9]{1,9}[.)])[ ]+(.*)")
_SPAN = re.compile(
    r"(`+)([^`]+)\1|\[([^\[\]]{1,500})\]\((https?://[^\s()<>]+)\)|<(https?://[^\s<>]+)>|\\([!-/:-@\[-`{-~])"
)


def wrapped(text: str, first: str = "", later: str = "") -> str:
    """Words in lines of at most `WIDTH` characters; a longer word stands alone: no address is broken."""
    words = " ".join(clean(text).split())
    wrapper = TextWrapper(
        width=WIDTH,
        initial_indent=first,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return wrapper.fill(words)


def plain_notes(text: str) -> str:
    """The notes, without line feeds at their ends."""
    cut = len(text) > MOST
    lines = clean(text[:MOST]).expandtabs(4).split("\n")
    found = "\n".join([*_lines(lines), *(["", "[...]"] if cut else [])])
    return re.sub(r"\n{3,}", "\n\n", found).strip("\n")


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

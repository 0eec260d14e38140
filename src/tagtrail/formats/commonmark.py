r"""Foreign CommonMark made tame: what it says stays, what it could do goes.

    <b>bold</b>                      \<b>bold\</b>                 HTML is text, its comments are left out
    [x](javascript:alert(1))         \[x](javascript:alert(1))     links have the schemes http and https
    ![x](https://e.org/i.png)        [x](https://e.org/i.png)      nothing is loaded
    [#12][12]                        [#12](https://e.org/12)       by the definitions that the whole file has
    jo@example.org                   ...                           addresses of people stand nowhere
    # Title                          ### Title                     headings begin at level 3

Control characters and what turns the writing direction round are left out; what is open at the end (a fence) is
closed. Every reader of CommonMark sees the same code in it: code spans never cross a line that could begin a block, and
a backtick without its partner is escaped. The time is linear in the length.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import MappingProxyType

__all__ = ["MOST", "definitions", "escaped", "headings", "plain", "sections", "tame"]

MOST = 64 * 1024
"""Characters of one text that are taken; where there were more, a last line `[...]` says so."""

_LONGEST = 4000
"""A line longer than this, in characters, is cut: nobody wrote it to be read."""

_FENCE = re.compile(r"((?:[ >]|[-*+] |[0-9]{1,9}[.)] )*)(`{3,}|~{3,})([^`]*)")
_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ ]+(.*?))?(?:[ ]+#+)?[ ]*")
_UNDERLINE = re.compile(r" {0,3}(=+|-+) *")
_BEGINS = re.compile(r" *(?:[-*+|>#<=~:]|[0-9]{1,9}[.)]|`{3,})")
_ITEM = re.compile(r" *(?:[-*+]|[0-9]{1,9}[.)])(?: |$)")
_DEFINITION = re.compile(r" {0,3}\[([^\[\]]{1,200})\]:[ ]*<?([^\s<>]+)>?(?:[ ]+(?:\"[^\"]*\"|'[^']*'|\([^()]*\)))?[ ]*")
_WEB = r"https?://(?:[^\s()<>\\\"'`\[\]]|\([^\s()<>\\\"'`\[\]]*\)){1,1000}"
_ADDRESS = re.compile(r"(?<![\w.+-])(?:mailto:)?[\w.+-]{1,200}@(?:[\w-]{1,63}\.){1,9}[A-Za-z]{2,}")
_INLINE = re.compile(
    r"(?P<escape>\\[!-/:-@\[-`{-~])"
    r"|(?P<code>(?<!`)(?P<ticks>`+)(?!`)(?:.(?!(?P=ticks)(?!`)))*?[^`](?P=ticks)(?!`))"
    r"|!?\[(?P<text>[^\[\]\n]{0,500})\]"
    rf"(?:\((?P<url>{_WEB})(?:[ ]+\"[^\"\n]{{0,200}}\")?\)|\[(?P<ref>[^\[\]\n]{{0,200}})\])?"
    rf"|(?P<auto><{_WEB}>)"
    rf"|(?P<bare>\b{_WEB})"
    r"|(?P<ticked>`+)"
    r"|(?P<mark>[<\[])",
    re.DOTALL,
)

_NONE: Mapping[str, str] = MappingProxyType({})


def tame(text: str, targets: Mapping[str, str] = _NONE) -> str:
    """The text made tame, without line feeds at its ends; `targets` are what `definitions` found. Never raises."""
    return "\n".join(_tamed(_lines(text), targets)).strip("\n")


def plain(text: str) -> str:
    """A text in one line: what cannot be seen is a space, addresses of people are left out."""
    seen = text if text.isprintable() else "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text)
    return " ".join(_ADDRESS.sub("...", seen).split())


def escaped(text: str) -> str:
    """Plain text as CommonMark, in one line, with no meaning but its own."""
    return re.sub(r"([\\`*_\[\]<>&|~#!@$]|:(?=//)|(?<=[Ww]{3})\.)", r"\\\1", plain(text))


def definitions(text: str) -> dict[str, str]:
    """The targets of links that the text defines, by their names in lower case; web addresses alone."""
    found = (_DEFINITION.fullmatch(line) for line in text.split("\n") if line.lstrip(" ").startswith("["))
    return {d[1].casefold(): d[2] for d in found if d and re.fullmatch(_WEB, d[2])}


def headings(lines: list[str]) -> Iterator[tuple[int, int, str, int]]:
    """(line, level, title, first line after it) of each heading outside of fenced code."""
    fence = ""
    for at, line in enumerate(lines):
        fence, inside = _fence(fence, line)
        if inside:
            continue
        if found := _HEADING.fullmatch(line):
            yield at, len(found[1]), found[2] or "", at + 1
        elif line.strip() and not _BEGINS.match(line) and at + 1 < len(lines) and _UNDERLINE.fullmatch(lines[at + 1]):
            yield at, 1 if "=" in lines[at + 1] else 2, line.strip(), at + 2


def sections(text: str, targets: Mapping[str, str] = _NONE, *, as_first: bool = False) -> Iterator[tuple[str, str]]:
    """(title, tame body) of each section of the highest level there is; the title is plain text, and empty for what
    stands before the first heading. `as_first`: of the level of the first heading that begins with `#`."""
    lines = _lines(text)
    found = [heading for heading in headings(lines) if not as_first or heading[3] == heading[0] + 1]
    levels = [level for _, level, _, _ in found]
    top = levels[0] if as_first and levels else min(levels, default=0)
    starts = [(at, title, after) for at, level, title, after in found if level == top]
    ends = [at for at, _, _ in starts] + [len(lines)]
    pieces = [(0, "", 0), *starts]
    for (_, title, after), end in zip(pieces, ends, strict=True):
        body = tame("\n".join(lines[after:end]), targets)
        if title or body:
            yield _unmarked(title), body


# --- lines ----------------------------------------------------------------------------------------------------------


def _lines(text: str) -> list[str]:
    cut = len(text) > MOST
    text = text[:MOST].replace("\r\n", "\n").replace("\r", "\n").expandtabs(4)
    text = _ADDRESS.sub("...", re.sub(r"<!--.*?(?:-->|\Z)", "", text, flags=re.DOTALL))
    found = [_seen(line)[:_LONGEST].rstrip(" ") + ("  " if line.endswith("  ") else "") for line in text.split("\n")]
    return [*(line if line.strip() else "" for line in found), *(["", r"\[...]"] if cut else [])]


def _seen(line: str) -> str:
    return line if line.isprintable() else "".join(c for c in map(_visible, line))


def _visible(char: str) -> str:
    kind = unicodedata.category(char)[0]
    return "" if kind == "C" else " " if kind == "Z" else char


def _tamed(lines: list[str], targets: Mapping[str, str]) -> Iterator[str]:
    """The lines, block by block: code as it is, headings lowered, everything else escaped."""
    titles = {at: (level, title) for at, level, title, _ in headings(lines)}
    top = min((level for level, _ in titles.values()), default=1)
    block: list[str] = []
    for at, (kind, line) in enumerate(_kinds(lines)):
        if kind != "text" or _BEGINS.match(line):
            yield from _ended(block, targets)
            block = []
        if kind == "text":
            block.append(line)
        elif kind == "title":
            level, title = titles[at]
            yield f"{'#' * min(6, level - top + 3)} {_inline(title, targets)}".rstrip()
        elif kind != "gone":
            yield line
    yield from _ended(block, targets)


def _kinds(lines: list[str]) -> Iterator[tuple[str, str]]:
    """What each line is: `code` and blank lines (`as it is`), `title`, `text`, or `gone`; a last one closes a fence."""
    titles = {at: after for at, _, _, after in headings(lines)}
    fence, listed, indented, rest = "", False, True, 0
    for at, line in enumerate(lines):
        before = fence
        fence, inside = _fence(fence, line)
        code = indented and not listed and line.startswith("    ")
        if inside:
            yield "as it is", _fence_line(line) if fence != before else line
        elif not line or code:
            yield "gone" if at and not line and not lines[at - 1] else "as it is", line
        elif at in titles:
            rest = titles[at]
            yield "title", line
        else:
            yield "gone" if at < rest or _DEFINITION.fullmatch(line) else "text", line
        listed = bool(_ITEM.match(line)) or (listed and (not line or line.startswith(" ") or not indented))
        indented = code or not line or at in titles
    if fence:
        yield "as it is", fence


def _fence(fence: str, line: str) -> tuple[str, bool]:
    """The fence that is open after a line (with what stands before it), and whether the line belongs to fenced code."""
    if fence:
        mark = fence.strip()
        words = line.strip()
        closed = words.startswith(mark) and not words.strip(mark[0])
        return ("" if closed else fence), True
    found = _FENCE.fullmatch(line)
    return (" " * len(found[1]) + found[2], True) if found else ("", False)


def _fence_line(line: str) -> str:
    """What stands behind an opening fence is the language's name."""
    return re.sub(r"([`~]{3,})[ ]*([A-Za-z0-9_+#.-]*).*", r"\1\2", line)


def _ended(block: list[str], targets: Mapping[str, str]) -> Iterator[str]:
    if block:
        yield from _inline("\n".join(block), targets).split("\n")


# --- inside a block -------------------------------------------------------------------------------------------------


def _inline(text: str, targets: Mapping[str, str], *, links: bool = True) -> str:
    show: Callable[[re.Match[str]], str] = partial(_span, targets=targets, links=links)
    return _INLINE.sub(show, text)


def _span(span: re.Match[str], *, targets: Mapping[str, str], links: bool) -> str:
    if span["ticked"] or span["mark"]:
        return "".join(f"\\{char}" for char in span[0])
    if span["text"] is None:
        return span[0]
    shown = _inline(span["text"], targets, links=False)
    target = span["url"] or targets.get((span["ref"] or span["text"]).casefold(), "")
    if target and links:
        return f"[{shown or target}]({target})"
    return shown if links and span["ref"] is not None else span[0].replace(span["text"], shown).replace("[", r"\[")


def _unmarked(title: str) -> str:
    """A heading's text without its links and marks."""
    text = re.sub(r"!?\[([^\[\]]*)\](?:\([^()]*\)|\[[^\[\]]*\])?", r"\1", title)
    return plain(re.sub(r"[`*<>\[\]\\]", "", text))[:200]

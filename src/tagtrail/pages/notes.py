r"""Release notes as HTML: a small subset of CommonMark, and everything else as the text that it is.

    # heading, or underlined with === or ---       shown two levels lower, for the page has headings of its own
    - item, * item, + item, 1. item                nested by indentation
    > quotation, ``` or ~~~ fenced code, four spaces of indentation for code, --- rule, paragraphs
    `code`  *emphasis*  **strong**  [text](https://...)  <https://...>  https://...  \* and a line's last \

Raw HTML is text. Links have the schemes https, http or mailto; images are not loaded, they become links. The renderer
is our own because pages must come out byte for byte the same for everybody for years (`renderer` in site.json), and
because notes are written by others: its time is linear in their length, quadratic only within a block of at most 4,000
characters, and what is nested deeper than eight levels is text.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from html import escape

from tagtrail.pages.text import clean

__all__ = ["MAX_NOTES", "render_notes"]

MAX_NOTES = 256 * 1024
"""Characters that are rendered; longer notes are shown as plain text up to here."""

_MAX_INLINE = 4000
_MAX_DEPTH = 8
_CODE = "    "

_HEADING = re.compile(r" {0,3}(#{1,6})(?=[ \t]|$)")
_UNDERLINE = re.compile(r" {0,3}(=+|-+) *")
_RULE = re.compile(r" {0,3}(?:(?:\* *){3,}|(?:- *){3,}|(?:_ *){3,})")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})[^`]*")
_ITEM = re.compile(r" {0,3}(?:[-*+]|([0-9]{1,9})[.)])(?: {1,4}(?=\S)|$)")
_QUOTE = re.compile(r" {0,3}> ?")

_INLINE = re.compile(
    r"\\(?P<escaped>[!-/:-@\[-`{-~])"
    r"|(?P<hard>\\\n|  +\n)"
    r"|(?P<ticks>`+)(?P<code>.+?)(?<!`)(?P=ticks)(?!`)"
    r"|!?\[(?P<text>[^\[\]]*)\]\((?P<url>(?:https?://|mailto:)(?:[^\s()<>]|\([^\s()<>]*\))+)\)"
    r"|<(?P<auto>(?:https?://|mailto:)[^\s<>]+)>"
    r"|(?<!\w)(?P<bare>https?://[^\s<>\"'`*()\[\]]*[^\s<>\"'`*()\[\].,;:!?])"
    r"|\*\*(?=\S)(?P<strong>.+?)(?<=\S)\*\*"
    r"|\*(?=[^\s*])(?P<em>[^*]+)(?<=\S)\*",
    re.DOTALL,
)

_Found = tuple[str, int] | None
"""A block as HTML and the line after it; None where another kind of block begins."""


@lru_cache(maxsize=8)
def render_notes(text: str) -> str:
    """The notes as HTML that is safe to stand in a page: a release's own, its project's, and a feed's show the same."""
    text = clean(text).expandtabs(4)
    if len(text) > MAX_NOTES:
        return f"<pre>{escape(text[:MAX_NOTES])}\n[...]</pre>\n"
    return "".join(_blocks(text.split("\n"), 0))


# --- blocks ---------------------------------------------------------------------------------------------------------


def _blocks(lines: list[str], depth: int) -> list[str]:
    found, at = [], 0
    while at < len(lines):
        if not lines[at].strip():
            at += 1
            continue
        block = next(filter(None, (kind(lines, at, depth) for kind in _KINDS)))
        found.append(block[0])
        at = block[1]
    return found


def _code(lines: list[str], at: int, _depth: int) -> _Found:
    stop = _while(lines, at, lambda line: line.startswith(_CODE) or not line.strip())
    return (_pre([line[4:] for line in lines[at:stop]]), stop) if lines[at].startswith(_CODE) else None


def _fenced(lines: list[str], at: int, _depth: int) -> _Found:
    fence = _FENCE.fullmatch(lines[at])
    if not fence:
        return None
    stop = _while(lines, at + 1, lambda line: not line.strip().startswith(fence[1]))
    return _pre(lines[at + 1 : stop]), stop + 1


def _heading(lines: list[str], at: int, _depth: int) -> _Found:
    heading = _HEADING.match(lines[at])
    if not heading:
        return None
    text = lines[at][heading.end() :].strip()
    bare = text.rstrip("#")
    return _titled(len(heading[1]), bare if bare.endswith(" ") or not bare else text), at + 1


def _rule(lines: list[str], at: int, _depth: int) -> _Found:
    return ("<hr>\n", at + 1) if _RULE.fullmatch(lines[at]) else None


def _quote(lines: list[str], at: int, depth: int) -> _Found:
    stop = _while(lines, at, lambda line: bool(_QUOTE.match(line)))
    if stop == at or depth >= _MAX_DEPTH:
        return None
    inner = _blocks([_QUOTE.sub("", line, count=1) for line in lines[at:stop]], depth + 1)
    return f"<blockquote>\n{''.join(inner)}</blockquote>\n", stop


def _list(lines: list[str], at: int, depth: int) -> _Found:
    first = _ITEM.match(lines[at])
    if not first or depth >= _MAX_DEPTH:
        return None
    items, stop = _items(lines, at, ordered=bool(first[1]))
    loose = any("" in item for item in items)
    blocks = [_blocks(item, depth + 1) for item in items]
    inner = "".join(f"<li>{''.join(found if loose else map(_bare, found))}</li>\n" for found in blocks)
    start = f' start="{int(first[1])}"' if first[1] and int(first[1]) != 1 else ""
    tag = "ol" if first[1] else "ul"
    return f"<{tag}{start}>\n{inner}</{tag}>\n", stop


def _items(lines: list[str], at: int, *, ordered: bool) -> tuple[list[list[str]], int]:
    """The lines of each item without their indentation, and the line after the list."""
    items: list[list[str]] = []
    offset = 0
    while at < len(lines):
        line = lines[at]
        item = _ITEM.match(line)
        gap = bool(items) and items[-1][-1] == ""
        if items and not line.strip():
            items[-1].append("")
        elif items and len(line) - len(line.lstrip()) >= offset:
            items[-1].append(line[offset:])
        elif item and bool(item[1]) == ordered and not _RULE.fullmatch(line):
            offset = item.end()
            items.append([line[offset:]])
        elif gap or _begins(line):
            break
        else:
            items[-1].append(line.strip())
        at += 1
    while items[-1][-1:] == [""]:
        items[-1].pop()
    return items, at


def _paragraph(lines: list[str], at: int, _depth: int) -> _Found:
    stop = _while(lines, at + 1, lambda line: bool(line.strip()) and not _begins(line))
    text = "\n".join(line.lstrip() for line in lines[at:stop])
    underline = _UNDERLINE.fullmatch(lines[stop]) if stop < len(lines) else None
    if underline:
        return _titled(1 if "=" in underline[1] else 2, text), stop + 1
    return f"<p>{_inline(text.rstrip())}</p>\n", stop


_KINDS: tuple[Callable[[list[str], int, int], _Found], ...] = (
    _code, _fenced, _heading, _rule, _quote, _list, _paragraph,
)  # fmt: skip


def _begins(line: str) -> bool:
    """Whether a line ends the paragraph before it."""
    if _RULE.fullmatch(line) or _UNDERLINE.fullmatch(line):
        return True
    return any(form.match(line) for form in (_HEADING, _FENCE, _QUOTE, _ITEM))


def _while(lines: list[str], at: int, test: Callable[[str], bool]) -> int:
    while at < len(lines) and test(lines[at]):
        at += 1
    return at


def _bare(block: str) -> str:
    """A paragraph of a tight list stands without its tags."""
    return block[len("<p>") : -len("</p>\n")] if block.startswith("<p>") else "\n" + block


def _titled(level: int, text: str) -> str:
    tag = f"h{min(6, level + 2)}"
    return f"<{tag}>{_inline(text.strip())}</{tag}>\n"


def _pre(lines: list[str]) -> str:
    text = escape("\n".join(lines).rstrip())
    return f"<pre><code>{text}\n</code></pre>\n"


# --- inside a block -------------------------------------------------------------------------------------------------


def _inline(text: str, *, links: bool = True) -> str:
    if len(text) > _MAX_INLINE:
        return escape(text)
    parts, at = [], 0
    for span in _INLINE.finditer(text):
        parts.append(escape(text[at : span.start()]))
        parts.append(_span(span, links=links))
        at = span.end()
    return "".join(parts) + escape(text[at:])


def _span(span: re.Match[str], *, links: bool) -> str:
    value = span.groupdict(default="")
    kind = str(span.lastgroup)
    if kind in ("em", "strong"):
        return f"<{kind}>{_inline(value[kind], links=links)}</{kind}>"
    if kind == "code":
        code = value["code"].replace("\n", " ")
        return f"<code>{escape(code.strip() or code)}</code>"
    if kind in ("url", "auto", "bare"):
        shown = _inline(value["text"], links=False) if kind == "url" else escape(value[kind])
        return f'<a href="{escape(value[kind])}" rel="nofollow noopener">{shown}</a>' if links else shown
    return "<br>\n" if kind == "hard" else escape(value["escaped"])

r"""reStructuredText as CommonMark: the part of it that people use in release notes; the rest is left out or stays text.

    Title                               ### Title          levels by the order in which underlines appear
    =====
    ``code``  :func:`x`  `x`            `code`  `x`  `x`
    `text <https://e.org>`_  text_      [text](https://e.org)      by the targets that the text has
    *em*  **strong**  |word|            *em*  **strong**  word     `replace::` once, never within itself
    - item, * item, 1. item, #. item    - item, 1. item            nested by indentation
    like this::                         like this:                 and a fenced block; `code-block::` likewise
    .. note:: text                      **Note:** text             also versionadded and its kin
    .. include:: x   .. raw:: html      nothing: what reads files, loads pictures, runs code or asks the clock
    .. a comment                        nothing

Nothing is opened, included or computed: the result depends on the text alone, and its time is linear in the length.
What comes out goes through `formats/commonmark.py` before it is shown. After docutils' specification of the language.
"""

import re
from collections.abc import Iterator

__all__ = ["commonmark", "titles"]

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])\1{2,}")
_ITEM = re.compile(r"(?:([-*+\u2022])|(?:\(?(?:([0-9]{1,9})|#|[a-zA-Z])[.)]))(?: +(?=\S)|$)")
_DIRECTIVE = re.compile(r"\.\. (?:\|([^|]+)\| )?([A-Za-z][A-Za-z0-9_-]*) ?::(?: +(.*))?")
_TARGET = re.compile(r"\.\. _`?([^`:\\]+)`?: +(https?://\S+)")
_CODE = frozenset({"code", "code-block", "sourcecode", "parsed-literal", "literalinclude"})
_SAID = {
    "attention": "Attention", "caution": "Caution", "danger": "Danger", "error": "Error", "hint": "Hint",
    "important": "Important", "note": "Note", "tip": "Tip", "warning": "Warning", "seealso": "See also",
    "versionadded": "New in", "versionchanged": "Changed in", "deprecated": "Deprecated since", "admonition": "",
}  # fmt: skip

_INLINE = re.compile(
    r"(?P<escape>\\.)"
    r"|``(?P<code>.+?)``(?!`)"
    r"|(?::[A-Za-z][A-Za-z0-9_.+:-]{0,40}:)?`(?P<text>[^`<>]{0,300}?)\s*(?:<(?P<target>[^<>`\s]{1,1000})>)?`(?P<link>__?)?"
    r"|\|(?P<word>[^|\s](?:[^|\n]{0,60}[^|\s])?)\|_{0,2}"
    r"|(?P<strong>\*\*(?=\S)[^*]{1,500}?(?<=\S)\*\*)"
    r"|(?P<em>\*(?=[^\s*])[^*]{1,500}?(?<=\S)\*)"
    r"|(?P<bare>\bhttps?://[^\s<>`]{1,1000})"
    r"|(?<![\w`])(?P<name>[A-Za-z0-9](?:[\w.+-]{0,100}[A-Za-z0-9])?)__?(?![\w`])"
    r"|(?P<mark>[\[\]<*_`#])",
    re.DOTALL,
)

_SPECIAL, _ESCAPED = re.compile(r"([\\`*_<>])"), r"\\\1"
_DEEPEST = 4
"""Directives within directives; what lies deeper is left out."""


def commonmark(text: str, depth: int = 0) -> str:
    """The text as CommonMark. Never raises."""
    lines = text.replace("\r\n", "\n").expandtabs(8).split("\n")
    return "\n".join(_Writer(lines, depth).written()).strip("\n")


def titles(lines: list[str]) -> Iterator[tuple[int, int, str, int]]:
    """(line, level, title, first line after it) of each section title; levels count from 1 in the order of their
    styles."""
    styles: list[str] = []
    at = 0
    while at + 1 < len(lines):
        over = _is_line(lines[at]) and at + 2 < len(lines) and lines[at + 2].rstrip() == lines[at].rstrip()
        title = lines[at + over].strip()
        under = lines[at + over + 1].rstrip()
        plain = not over and (
            lines[at].startswith(" ") or _is_line(lines[at]) or (at > 0 and bool(lines[at - 1].strip()))
        )
        if not title or plain or not _is_line(under) or len(under) < min(len(title), 4):
            at += 1
            continue
        style = under[0] * (1 + over)
        if style not in styles:
            styles.append(style)
        yield at, styles.index(style) + 1, title, at + over + 2
        at += over + 2


def _is_line(line: str) -> bool:
    return bool(_PUNCTUATION.fullmatch(line.rstrip()))


class _Writer:
    """One text on its way; `open` are the items that we are inside of: (column of their text here, and there)."""

    def __init__(self, lines: list[str], depth: int) -> None:
        self.depth = depth
        self.lines = [line.rstrip() for line in lines]
        self.titles = {at: (level, title, after) for at, level, title, after in titles(self.lines)}
        self.open: list[tuple[int, int]] = []
        self.targets: dict[str, str] = {}
        self.words: dict[str, str] = {}
        for line in self.lines:
            self._learn(line.strip())

    def _learn(self, line: str) -> None:
        if found := _TARGET.fullmatch(line):
            self.targets[_named(found[1])] = found[2]
        elif (found := _DIRECTIVE.fullmatch(line)) and found[1] and found[2] == "replace":
            self.words[found[1]] = found[3] or ""

    def written(self) -> Iterator[str]:
        """The lines of the CommonMark."""
        at = 0
        while at < len(self.lines):
            line = self.lines[at]
            if at in self.titles:
                level, title, at = self.titles[at]
                self.open.clear()
                yield f"{'#' * min(6, level)} {self._inline(title)}"
                yield ""
            elif line.lstrip().startswith(".. ") or line.strip() == "..":
                found, at = self._explicit(at)
                yield from found
            elif _is_line(line):
                at += 1
                yield ""
            else:
                found, at = self._paragraph(at)
                yield from found

    def _paragraph(self, at: int) -> tuple[list[str], int]:
        """The lines up to the next blank one or item, as they are in CommonMark; and a literal block after `::`."""
        line = self.lines[at]
        if not line:
            return [""], at + 1
        first, indent = self._placed(line)
        stop = at + 1
        while stop < len(self.lines) and self._goes_on(stop):
            stop += 1
        text = "\n".join([first, *(line.strip() for line in self.lines[at + 1 : stop])])
        literal = text.endswith("::")
        text = (text[:-2] if text[:-2] != text[:-2].rstrip() or text == "::" else text[:-1]) if literal else text
        said = [f"{' ' * indent if n else ''}{part}" for n, part in enumerate(self._marked(text).split("\n"))]
        if not literal:
            return said, stop
        column = len(line) - len(line.lstrip())
        block, stop = self._block(stop, column)
        return [*said, "", *_fenced(block, self._there(column))], stop

    def _goes_on(self, at: int) -> bool:
        line = self.lines[at]
        return (
            bool(line)
            and at not in self.titles
            and not _ITEM.match(line.strip())
            and not line.lstrip().startswith(".. ")
        )

    def _marked(self, text: str) -> str:
        """The text with its item's mark left as it is."""
        mark = re.match(r" *(?:[-]|[0-9]+\.)(?: |$)|", text)
        end = mark.end() if mark else 0
        return text[:end] + self._inline(text[end:])

    def _placed(self, line: str) -> tuple[str, int]:
        """The line where it stands in CommonMark, its mark `-` or a number, and the column of its text there."""
        text = line.lstrip()
        column = len(line) - len(text)
        there = self._there(column)
        item = _ITEM.match(text)
        if not item:
            return " " * there + text, there
        mark = "-" if item[1] else f"{item[2] or 1}."
        self.open.append((column + item.end(), there + len(mark) + 1))
        return f"{' ' * there}{mark} {text[item.end() :]}".rstrip(), there + len(mark) + 1

    def _there(self, column: int) -> int:
        """The column in CommonMark of what stands in this one: within the items whose text begins before it."""
        while self.open and self.open[-1][0] > column:
            self.open.pop()
        return self.open[-1][1] if self.open else 0

    def _explicit(self, at: int) -> tuple[list[str], int]:
        """What begins with two dots: a directive that says something, else nothing; its block belongs to it."""
        line = self.lines[at]
        column = len(line) - len(line.lstrip())
        found = _DIRECTIVE.fullmatch(line.strip())
        block, stop = self._block(at + 1, column)
        if found is None or found[1] or found[2] not in {*_CODE, *_SAID} or self.depth > _DEEPEST:
            return [""], stop
        there = self._there(column)
        if found[2] in _CODE:
            body = block[_options(block) :] if found[2] != "literalinclude" else []
            return ["", *_fenced(body, there)], stop
        return [
            "",
            *(" " * there + part if part else "" for part in self._told(found[2], found[3] or "", block)),
            "",
        ], stop

    def _told(self, kind: str, argument: str, block: list[str]) -> list[str]:
        """An admonition: its name (with a version, where it is about one), then what it says."""
        name = _SAID[kind]
        versioned = kind in {"versionadded", "versionchanged", "deprecated"}
        version, _, argument = argument.partition(" ") if versioned else ("", "", argument)
        lead = f"**{' '.join(filter(None, (name, self._inline(version))))}:** " if name else ""
        text = "\n".join([argument, *block[_options(block) :]])
        return f"{lead}{commonmark(text, self.depth + 1)}".rstrip().split("\n")

    def _block(self, at: int, column: int) -> tuple[list[str], int]:
        """The lines from `at` on that are indented more than `column`, without what all of them share."""
        stop = at
        while stop < len(self.lines) and (
            not self.lines[stop] or len(self.lines[stop]) - len(self.lines[stop].lstrip()) > column
        ):
            stop += 1
        block = self.lines[at:stop]
        shared = min((len(line) - len(line.lstrip()) for line in block if line), default=0)
        block = [line[shared:] for line in block]
        while block and not block[0]:
            block.pop(0)
        while block and not block[-1]:
            block.pop()
        return block, stop

    def _inline(self, text: str) -> str:
        return _INLINE.sub(self._span, text)

    def _span(self, span: re.Match[str]) -> str:
        value = span.groupdict()
        if value["escape"]:
            return "" if span[0][1].isspace() else f"\\{span[0][1]}" if span[0][1] in "\\`*_[]<>#" else span[0][1]
        if value["code"]:
            return _code(value["code"])
        if value["text"] is not None:
            return self._interpreted(value["text"], value["target"] or "", link=bool(value["link"]))
        if value["word"]:
            return _INLINE.sub(lambda found: found[0], self.words.get(value["word"], value["word"]))
        if value["name"]:
            return (
                self._interpreted(value["name"], "", link=True)
                if _named(value["name"]) in self.targets
                else (re.sub(r"_", r"\\_", span[0]))
            )
        return f"\\{span[0]}" if value["mark"] else span[0]

    def _interpreted(self, text: str, target: str, *, link: bool) -> str:
        shown = " ".join(text.split())
        address = target if target.startswith(("http://", "https://")) else self.targets.get(_named(shown), "")
        if link and address:
            return f"[{_SPECIAL.sub(_ESCAPED, shown) or address}]({address})"
        return _code(shown or target) if not link else shown


def _named(text: str) -> str:
    return " ".join(text.casefold().split())


def _code(text: str) -> str:
    text = " ".join(text.split())
    return f"`` {text} ``" if "`" in text else f"`{text}`" if text else ""


def _options(block: list[str]) -> int:
    """How many lines at the beginning are options of a directive."""
    count = 0
    while count < len(block) and re.match(r":[A-Za-z-]+:", block[count]):
        count += 1
    while 0 < count < len(block) and not block[count]:
        count += 1
    return count


def _fenced(block: list[str], column: int) -> list[str]:
    if not block:
        return []
    fence = "~~~" if any(line.lstrip().startswith("```") for line in block) else "```"
    return [f"{' ' * column}{line}".rstrip() for line in (fence, *block, fence)]

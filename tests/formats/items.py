"""The items of a text by the headings above them, as other readers of CommonMark and reStructuredText see them."""

from collections.abc import Iterable, Iterator
from typing import Any

from docutils import nodes
from docutils.core import publish_doctree
from markdown_it import MarkdownIt

from tagtrail.model.notes import Section

Told = dict[tuple[str, str], list[str]]
"""(section, category) and the texts of the items there, in order, as plain words."""

NOTHING = "No significant changes."


def plain(text: str) -> str:
    return " ".join(text.split())


def of_markdown(text: str, depth: int = 2) -> Told:
    """The items of lists below headings; those of level `depth` are sections where one more level is below them."""
    found: Told = {}
    place, words, level, heading = ["", ""], list[str](), 0, 0
    for token in MarkdownIt("commonmark").parse(text):
        if token.type == "heading_open":
            heading = int(token.tag[1:])
        elif token.type == "inline" and heading:
            place = [plain(token.content), ""] if heading <= depth else [place[0], plain(token.content)]
            heading = 0
        elif token.type in {"bullet_list_open", "bullet_list_close"}:
            level += 1 if token.type.endswith("open") else -1
        elif token.type == "list_item_close" and level == 1:
            found.setdefault((place[0], place[1]), []).append(plain(" ".join(words)))
            words = []
        elif level and token.type == "inline":
            words += [c.content if c.type in {"text", "code_inline"} else " " * (c.type == "softbreak") for c in
                      token.children or ()]  # fmt: skip
            words = ["".join(words), " "]
        elif level and token.type in {"fence", "code_block"}:
            words.append(token.content)
        elif token.type == "inline" and plain(token.content) != NOTHING:
            found.setdefault((place[0], place[1]), []).append(plain(token.content))
    return found


def of_restructured(text: str) -> Told:
    """The items of lists below titles."""
    quiet = {"report_level": 5, "doctitle_xform": False, "raw_enabled": False, "file_insertion_enabled": False}
    return dict(_below(publish_doctree(text, settings_overrides=quiet), ()))


def _below(node: Any, titles: tuple[str, ...]) -> Iterator[tuple[tuple[str, str], list[str]]]:
    items: list[str] = []
    for child in node.children:
        if isinstance(child, nodes.section):
            yield from _below(child, (*titles, plain(child[0].astext())))
        elif isinstance(child, nodes.bullet_list):
            items += [plain(item.astext()) for item in child.children]
        elif isinstance(child, nodes.paragraph) and plain(child.astext()) != NOTHING:
            items.append(plain(child.astext()))
    if items:
        section, category = ("", "", *titles)[-2:]
        yield (section, category), items


def ours(found: Iterable[Section]) -> Told:
    """The same of what was read here."""
    told: Told = {}
    for section in found:
        for (_, below), items in of_markdown(section.body).items():
            told[section.title, below] = items
    return told

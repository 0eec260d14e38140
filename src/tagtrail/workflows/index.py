"""A stranger's index read by its fields, for an auditor whose own renderer makes other bytes.

Compared are, of each file: name, SHA-256, requires-python and whether it is yanked, in HTML and in JSON.
"""

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any, Protocol
from urllib.parse import unquote

from tagtrail.formats import canonical
from tagtrail.formats.site import simple_page
from tagtrail.model.errors import TamperError
from tagtrail.model.facts import Finding
from tagtrail.pages import View, page
from tagtrail.workflows.laws import finding

__all__ = ["compare_index"]

MAX_INDEX = 256 * 1024 * 1024

Fields = tuple[str, str, bool]
"""SHA-256, requires-python, yanked."""


class _Site(Protocol):
    def read(self, path: str) -> bytes | None: ...


def compare_index(view: View, site: _Site) -> Iterator[Finding]:
    """The index pages of every Python project. Findings: index-missing, index-differs, json-*."""
    for project in view.projects("pypi"):
        html = simple_page(project)
        for path, read in ((html, _html), (html.removesuffix("html") + "json", _json)):
            there = site.read(path)
            if there is None:
                yield finding("index-missing", path, "not there")
                continue
            try:
                yield from _differences(path, read(there), read(page(path, view)))
            except TamperError as error:
                yield finding(error.code, path, error.what)


def _differences(path: str, there: dict[str, Fields], wanted: dict[str, Fields]) -> Iterator[Finding]:
    for name in sorted(there.keys() | wanted.keys()):
        if there.get(name) != wanted.get(name):
            text = f"{name} there {_said(there.get(name))}, by the trail {_said(wanted.get(name))}"
            yield finding("index-differs", path, text)


def _said(fields: Fields | None) -> str:
    if fields is None:
        return "not at all"
    digest, python, yanked = fields
    return f"{digest or 'no digest'} for Python {python or 'any'}{', yanked' if yanked else ''}"


def _json(data: bytes) -> dict[str, Fields]:
    value: Any = canonical.loads_strict(data, MAX_INDEX)
    try:
        return {
            f["filename"]: (f["hashes"].get("sha256", ""), f.get("requires-python", ""), bool(f.get("yanked")))
            for f in value["files"]
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise TamperError("no index as PEP 691 says", code="json-type", why=str(error)) from error


def _html(data: bytes) -> dict[str, Fields]:
    reader = _Anchors()
    reader.feed(data.decode("utf-8", "replace"))
    reader.close()
    return reader.files


class _Anchors(HTMLParser):
    """The files that a PEP 503 page links to; a name is the last part of its address."""

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, Fields] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An anchor is a file."""
        if tag == "a":
            given = {name: value or "" for name, value in attrs}
            address, _, fragment = given.get("href", "").partition("#")
            name = unquote(address.rpartition("/")[2])
            digest = fragment.removeprefix("sha256=") if fragment.startswith("sha256=") else ""
            self.files[name] = (digest, given.get("data-requires-python", ""), "data-yanked" in given)

"""A stranger's index read by its fields, for an auditor whose own renderer makes other bytes.

Compared are, of each file: name, SHA-256, requires-python and whether it is yanked, in HTML and in JSON.
"""

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote

from tagtrail.formats import canonical
from tagtrail.formats.site import simple_page
from tagtrail.model.errors import TamperError
from tagtrail.model.names import project_key
from tagtrail.pages import View, page
from tagtrail.workflows.audit.report import Mismatch
from tagtrail.workflows.audit.site import LARGEST, SiteReader, read

__all__ = ["compare_index", "compare_page"]

Fields = tuple[str, str, bool]
"""SHA-256, requires-python, yanked."""


def compare_index(view: View, site: SiteReader, project: str = "") -> Iterator[Mismatch]:
    """The index pages of every Python project, or of one. Findings: index-missing, index-differs, json-*."""
    for name in view.projects("pypi"):
        if project and project_key(name) != project_key(project):
            continue
        html = simple_page(name)
        for path in (html, html.removesuffix("html") + "json"):
            there = read(site, path, LARGEST)
            if there is None:
                yield Mismatch(code="index-missing", path=path, there="not there", expected="an index")
            else:
                yield from compare_page(path, there, page(path, view))


def compare_page(path: str, there: bytes, wanted: bytes) -> Iterator[Mismatch]:
    """The fields of one index page, nothing of any other page. Findings: index-differs, json-*."""
    if not path.startswith("simple/") or path.count("/") != 2:
        return
    reader = _json if path.endswith(".json") else _html
    try:
        yield from _differences(path, reader(there), reader(wanted))
    except TamperError as error:
        yield Mismatch(code=error.code, path=path, there=error.what)


def _differences(path: str, there: dict[str, Fields], wanted: dict[str, Fields]) -> Iterator[Mismatch]:
    for name in sorted(there.keys() | wanted.keys()):
        if there.get(name) != wanted.get(name):
            said = [f"{name} {_said(fields.get(name))}" for fields in (there, wanted)]
            yield Mismatch(code="index-differs", path=path, there=said[0], expected=said[1])


def _said(fields: Fields | None) -> str:
    if fields is None:
        return "not at all"
    digest, python, yanked = fields
    return f"{digest or 'no digest'} for Python {python or 'any'}{', yanked' if yanked else ''}"


def _json(data: bytes) -> dict[str, Fields]:
    value: Any = canonical.loads_strict(data, LARGEST)
    try:
        return {
            "" + f["filename"]: (f["hashes"].get("sha256", ""), f.get("requires-python", ""), bool(f.get("yanked")))
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

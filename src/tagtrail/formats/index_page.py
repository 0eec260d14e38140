"""A project's page on a package index, as a consumer reads it: which files it lists, with which SHA-256.

    {"meta": {"api-version": "1.1"}, "name": "nova",
     "files": [{"filename": "nova-33.0.0.tar.gz", "url": "../../f/nova-33.0.0.tar.gz",
                "hashes": {"sha256": "09bd..."}}]}

    <a href="../../f/nova-33.0.0.tar.gz#sha256=09bd...">nova-33.0.0.tar.gz</a>

Source: PEP 691 (JSON), PEP 503 (HTML; a file's name is the last part of its address), PEP 592 (yanked). Every index has
more on its pages, so only what is asked for is read, and what is unreadable about it is an error. Reason code
(RemoteError): index-page.
"""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from tagtrail.model.errors import RemoteError
from tagtrail.model.frozen import frozen

__all__ = ["ACCEPT", "Listed", "read_page"]

ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"  # PEP 691
_DIGEST = re.compile(r"[0-9a-f]{64}")


@frozen
class Listed:
    """One file on the page: its name, its address, its SHA-256 (empty where the page does not say it)."""

    name: str
    url: str
    sha256: str = ""
    yanked: bool = False


def read_page(data: bytes, content_type: str, url: str) -> tuple[Listed, ...]:
    """The files on the page at `url`, in its order. Raises RemoteError `index-page`."""
    kind = content_type.partition(";")[0].strip().lower()
    try:
        text = data.decode("utf-8")
        found = tuple(_json(json.loads(text), url) if kind.endswith("json") else _html(text, url))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        why = f"{type(error).__name__}: {error}"
        raise RemoteError(f"{url} is no page of an index", code="index-page", why=why) from error
    if kind.endswith("json") or found or kind in ("text/html", "application/vnd.pypi.simple.v1+html"):
        return found
    raise RemoteError(f"{url} is {kind or 'of no type'}, and no page of an index", code="index-page")


def _json(value: Any, url: str) -> Iterator[Listed]:
    for file in value["files"]:
        name, digest = "" + file["filename"], file["hashes"].get("sha256", "")
        yield Listed(name=name, url=urljoin(url, file["url"]), sha256=_checked(digest), yanked=bool(file.get("yanked")))


def _html(text: str, url: str) -> Iterator[Listed]:
    reader = _Anchors()
    reader.feed(text)
    reader.close()
    for given in reader.anchors:
        parts = urlsplit(urljoin(url, given.get("href", "")))
        name = unquote(parts.path.rpartition("/")[2])
        how, _, digest = parts.fragment.partition("=")
        if name:
            sha256 = _checked(digest.partition("&")[0]) if how == "sha256" else ""
            address = parts._replace(fragment="").geturl()
            yield Listed(name=name, url=address, sha256=sha256, yanked="data-yanked" in given)


def _checked(digest: str) -> str:
    lower = digest.lower()
    if lower and not _DIGEST.fullmatch(lower):
        raise ValueError(f"{digest[:80]!r} is no SHA-256")
    return lower


class _Anchors(HTMLParser):
    """The attributes of every anchor."""

    def __init__(self) -> None:
        super().__init__()
        self.anchors: list[dict[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An anchor is a file."""
        if tag == "a":
            self.anchors.append({name: value or "" for name, value in attrs})

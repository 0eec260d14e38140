"""A directory listing as web servers make it: the names of the files in one directory, and nothing else of the page.

    <a href="?C=N;O=D">Name</a>  <a href="../">Parent Directory</a>
    <a href="nova-33.0.0.tar.gz">nova-33.0.0.tar.gz</a>   2026-04-01 15:02   9.3M

Apache (mod_autoindex), nginx (autoindex), Caddy and Python's http.server differ in all but this: a file is an anchor
whose address is the directory's with one more name behind it. What leads to another host, another directory, a query or
another scheme is no file of this directory and is not followed; names are ASCII letters, digits and `._+!~-`, as in a
trail. Reason codes (RemoteError): listing-page, listing-size.
"""

from html.parser import HTMLParser
from urllib.parse import unquote, urljoin, urlsplit

from tagtrail.model.errors import RemoteError
from tagtrail.model.frozen import frozen
from tagtrail.model.names import FORM

__all__ = ["MOST", "Listing", "read_listing"]

MOST = 100_000
"""Files of one directory."""


@frozen
class Listing:
    """The names of the files, sorted; `folders` likewise; `passed` are addresses that lead elsewhere, as they stand."""

    files: tuple[str, ...]
    folders: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()


def read_listing(data: bytes, url: str) -> Listing:
    """What the page at `url` (which ends with a slash) lists. Raises RemoteError `listing-page`, `listing-size`."""
    reader = _Anchors()
    reader.feed(data.decode("utf-8", "replace"))
    reader.close()
    if not reader.anchors:
        raise RemoteError(f"{url} lists nothing", code="listing-page", why="no directory listing has no links at all")
    if len(reader.anchors) > MOST:
        raise RemoteError(f"{url} has {len(reader.anchors):,} links", code="listing-size", why=f"{MOST:,} are read")
    files, folders, passed = set(), set(), set()
    for href in reader.anchors:
        name = _name(href, url)
        if name is None:
            passed.add(href[:200])
        elif name.endswith("/"):
            folders.add(name[:-1])
        elif name:
            files.add(name)
    return Listing(files=tuple(sorted(files)), folders=tuple(sorted(folders)), passed=tuple(sorted(passed)))


def _name(href: str, url: str) -> str | None:
    """The file's name, a folder's with a slash; empty for what every listing has; None: it leads elsewhere."""
    try:
        base, there = urlsplit(url), urlsplit(urljoin(url, href.strip()))
    except ValueError:
        return None
    if (there.scheme, there.netloc) != (base.scheme, base.netloc):
        return None
    if there.path == base.path or base.path.startswith(there.path):
        return ""  # sorted otherwise, or the directory above
    if there.query or there.fragment or not there.path.startswith(base.path):
        return None
    rest = there.path.removeprefix(base.path)
    name, slash = unquote(rest.removesuffix("/")), "/" * rest.endswith("/")
    return f"{name}{slash}" if FORM.fullmatch(name) else None


class _Anchors(HTMLParser):
    """The address of every anchor."""

    def __init__(self) -> None:
        super().__init__()
        self.anchors: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An anchor may be a file."""
        href = dict(attrs).get("href") if tag == "a" else None
        if href:
            self.anchors.append(href)

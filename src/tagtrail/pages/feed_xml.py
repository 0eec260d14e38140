"""One document of a feed as Atom (RFC 4287) or as RSS 2.0, with the links of archived feeds (RFC 5005, section 4).

An entry's id is a tag URI (RFC 4151) of the origin's host, the day that the trail gave it and its index; `updated` is
the time in the trail. Its content is the announcement, as far as the trail itself has it: where else the release was
seen is not in it. Nothing in an entry depends on what came after it: a withdrawal is an entry of its own. Where the
site has no `url`, addresses are relative to the document.
"""

import re
from collections.abc import Callable
from email.utils import formatdate
from hashlib import sha256
from types import MappingProxyType
from urllib.parse import quote
from xml.etree import ElementTree as ET

from tagtrail.formats.contacts import parse_contacts
from tagtrail.formats.site import Site, media
from tagtrail.formats.times import format_time
from tagtrail.model.facts import Entry, File
from tagtrail.model.frozen import frozen
from tagtrail.model.texts import Sayings
from tagtrail.pages.history import PRE, page_about, reason, releases, same_version
from tagtrail.pages.notice import notice
from tagtrail.pages.text import clean, relative
from tagtrail.pages.view import View

__all__ = ["FORMS", "Document", "atom", "rss"]

_ATOM = "http://www.w3.org/2005/Atom"
_HISTORY = "http://purl.org/syndication/history/1.0"
_CONTENT = "http://purl.org/rss/1.0/modules/content/"

_TOLD: dict[bytes, tuple[str, tuple[str, ...]]] = {}
_MOST_TOLD = 128


@frozen
class Document:
    """One document of a feed: `entries` newest first, the rest are paths below the site's root.

    `current` is the document that people subscribe to (`path` itself, or this is an archive), `identity` what the
    feed's id is made of, `page` what people read instead, `before` the archive before this document (empty: none).
    """

    path: str
    current: str
    identity: str
    title: str
    page: str
    before: str
    entries: tuple[Entry, ...]


class _Then:
    """The trail as it was when an entry came into it, below the site as it is now: all that is asked of a `View`."""

    def __init__(self, view: View, entry: Entry) -> None:
        self.site: Site = view.site
        self.read: list[str] = []
        self._view, self._entry = view, entry

    def kept(self, sha256: str) -> bytes:
        """See `tagtrail.pages.View`; `read` has what was asked for."""
        self.read.append(sha256)
        return self._view.kept(sha256)

    def entries(self, project: str) -> tuple[Entry, ...]:
        """See `tagtrail.pages.View`."""
        return tuple(e for e in self._view.entries(project) if e.index <= self._entry.index)

    def digest(self) -> bytes:
        """Of all that a page about the entry is made of: the trail names what is kept."""
        made = sha256(repr((self.site, self._entry)).encode())
        for entry in self.entries(self._entry.project):
            made.update(sha256(entry.raw).digest())
        return made.digest()


def atom(view: View, made: Document) -> bytes:
    """The document as Atom. Raises what `View.kept` raises."""
    feed = ET.Element("feed", {"xmlns": _ATOM, "xmlns:fh": _HISTORY})
    _add(feed, "title", made.title)
    _add(feed, "id", _tag(view, view.keys()[0], quote(made.identity)))
    _add(feed, "updated", format_time(_updated(view, made)))
    _links(feed, "link", view, made)
    _add(feed, "link", rel="alternate", type="text/html", href=_address(view, made.path, made.page))
    _add(ET.SubElement(feed, "author"), "name", view.site.name)
    _add(feed, "generator", _generator(view))
    for entry in made.entries:
        _atom_entry(feed, view, made.path, entry)
    return _bytes(feed)


def rss(view: View, made: Document) -> bytes:
    """The document as RSS 2.0. Raises what `View.kept` raises."""
    names = {"xmlns:atom": _ATOM, "xmlns:content": _CONTENT, "xmlns:fh": _HISTORY}
    feed = ET.Element("rss", {"version": "2.0", **names})
    channel = ET.SubElement(feed, "channel")
    _add(channel, "title", made.title)
    _add(channel, "link", _address(view, made.path, made.page))
    _add(channel, "description", f"Releases logged in {view.site.origin}")
    _add(channel, "lastBuildDate", formatdate(_updated(view, made), usegmt=True))
    _add(channel, "generator", _generator(view))
    _links(channel, "atom:link", view, made)
    for entry in made.entries:
        _rss_item(channel, view, made.path, entry)
    return _bytes(feed)


FORMS: MappingProxyType[str, Callable[[View, Document], bytes]] = MappingProxyType({"atom": atom, "rss": rss})
"""Suffix to what makes a document."""


def _links(parent: ET.Element, name: str, view: View, made: Document) -> None:
    """Where this document lies, and the others of its feed."""
    current = made.current if made.current != made.path else ""
    for rel, path in (("self", made.path), ("current", current), ("prev-archive", made.before)):
        if path:
            _add(parent, name, rel=rel, type=media(path), href=_address(view, made.path, path))
    if current:
        _add(parent, "fh:archive")


def _atom_entry(feed: ET.Element, view: View, path: str, entry: Entry) -> None:
    item = ET.SubElement(feed, "entry")
    _add(item, "title", _title(entry))
    _add(item, "id", _id(view, entry))
    _add(item, "updated", format_time(entry.time))
    _add(item, "link", rel="alternate", type="text/html", href=_page(view, path, entry))
    for file in _enclosed(entry):
        href = _file_address(view, path, entry, file)
        _add(item, "link", rel="enclosure", type=media(file.name), length=str(file.size), title=file.name, href=href)
    _add(item, "summary", _summary(entry))
    if content := _content(view, entry):
        _add(item, "content", content, type="html")


def _rss_item(channel: ET.Element, view: View, path: str, entry: Entry) -> None:
    item = ET.SubElement(channel, "item")
    _add(item, "title", _title(entry))
    _add(item, "link", _page(view, path, entry))
    _add(item, "guid", _id(view, entry), isPermaLink="false")
    _add(item, "pubDate", formatdate(entry.time, usegmt=True))
    _add(item, "description", _summary(entry))
    if content := _content(view, entry):
        _add(item, "content:encoded", content)
    for file in _source(_enclosed(entry)):
        url = _file_address(view, path, entry, file)
        _add(item, "enclosure", url=url, length=str(file.size), type=media(file.name))


# --- words and addresses --------------------------------------------------------------------------------------------


def _content(view: View, entry: Entry) -> str:
    """The announcement as HTML; empty for files that were added later, of which nobody is told.

    The last ones are remembered by all that they are made of: every release shows the 30 before it anew, in two forms.
    """
    if entry.added:
        return ""
    then = _Then(view, entry)
    key = then.digest()
    html, read = _TOLD.get(key, ("", ()))
    for digest in read:
        view.kept(digest)  # raises where it is not what it was
    if not html:
        html = _announcement(then, entry)
        while len(_TOLD) >= _MOST_TOLD:
            _TOLD.pop(next(iter(_TOLD)), None)
        _TOLD[key] = html, tuple(then.read)
    return html


def _announcement(then: _Then, entry: Entry) -> str:
    about = next((r for r in releases(then.entries(entry.project)) if same_version(r.version, entry.version)), None)
    said = parse_contacts(then.kept(about.contacts[1])) if about and about.contacts else Sayings()
    return notice(then, entry, said).html  # type: ignore[arg-type]  # a notice reads no more of a view


def _title(entry: Entry) -> str:
    name = f"{entry.project} {entry.version}"
    if entry.event == "withdraw":
        return f"{name} withdrawn"
    about = ", ".join(filter(None, (entry.series, entry.channel if entry.channel in PRE else "")))
    count = len(entry.added)
    added = f": {count} file{'' if count == 1 else 's'} added" if count else ""
    return f"{name} ({about}){added}" if about else f"{name}{added}"


def _summary(entry: Entry) -> str:
    if entry.event == "withdraw":
        return f"Withdrawn: {reason(entry) or 'no reason given'}. Entry {entry.index} of the trail."
    count = len(_enclosed(entry))
    what = f"{count} file{'' if count == 1 else 's'}{' added' if entry.added else ''}"
    signer = f", tag {entry.tag.name} signed by {entry.tag.signer}" if entry.tag else ""
    return f"{what}{signer}. Entry {entry.index} of the trail."


def _enclosed(entry: Entry) -> list[File]:
    if entry.event != "release":
        return []
    return [f for f in entry.files if f.name in entry.added or not entry.added]


def _source(files: list[File]) -> list[File]:
    """The one file that RSS has room for (readers disagree about more): the sdist, else what is no wheel, else any."""
    return sorted(files, key=lambda f: (not f.name.endswith(".tar.gz"), f.name.endswith(".whl"), f.name))[:1]


def _id(view: View, entry: Entry) -> str:
    return _tag(view, entry, f"entry/{entry.index}")


def _tag(view: View, entry: Entry, specific: str) -> str:
    host = re.sub("[^a-z0-9.-]", "-", re.split("[/:]", view.site.origin)[0].lower())
    return f"tag:{host},{format_time(entry.time)[:10]}:{specific}"


def _page(view: View, source: str, entry: Entry) -> str:
    return _address(view, source, page_about(_Then(view, entry), entry))  # type: ignore[arg-type]  # it reads no more


def _address(view: View, source: str, path: str) -> str:
    if view.site.url:
        return view.site.url + quote(path.removesuffix("index.html"))
    return relative(source, path)


def _file_address(view: View, source: str, entry: Entry, file: File) -> str:
    return _address(view, source, view.site.file(entry.project, file.name))


def _updated(view: View, made: Document) -> int:
    return max((e.time for e in made.entries), default=view.keys()[0].time)


def _generator(view: View) -> str:
    return f"tagtrail, renderer {view.site.renderer}"


def _add(parent: ET.Element, name: str, text: str = "", **attributes: str) -> None:
    element = ET.SubElement(parent, name, {key: clean(value) for key, value in attributes.items()})
    element.text = clean(text) or None


def _bytes(root: ET.Element) -> bytes:
    ET.indent(root, " ")
    text: str = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode()

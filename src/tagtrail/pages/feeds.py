"""What is new, for feed readers: Atom (RFC 4287) and RSS 2.0, the same bytes for the same trail.

An entry's id is a tag URI (RFC 4151) of the origin's host, the day that the trail gave it and its index; `updated` is
the time in the trail. Where the site has no `url`, addresses are relative to the feed.
"""

import re
from collections.abc import Mapping, Sequence
from email.utils import formatdate
from types import MappingProxyType
from urllib.parse import quote
from xml.etree import ElementTree as ET

from tagtrail.formats.site import media, project_page
from tagtrail.formats.times import format_time
from tagtrail.model.facts import Entry, File
from tagtrail.pages.history import PRE, page_about, reason, releases
from tagtrail.pages.html import notes_html
from tagtrail.pages.text import clean, relative
from tagtrail.pages.view import ANNOUNCED, View

__all__ = ["NEWEST", "atom", "project_atom", "rss"]

NEWEST = 50
"""Entries of a feed."""

_FULL = 10
"""Entries of a project's feed that carry the release notes."""

_ATOM = "http://www.w3.org/2005/Atom"


def atom(view: View) -> bytes:
    """`/feed.atom`."""
    return _atom(view, "feed.atom", f"{view.site.name}: releases", "index.html", view.recent(NEWEST))


def project_atom(view: View, name: str) -> bytes:
    """`/PROJECT/feed.atom`, with the release notes. KeyError for a project that nobody writes so."""
    entries = view.entries(name)
    found = releases(entries)
    if not found or not any(e.project == name for e in entries):
        raise KeyError(name)
    newest = [e for e in reversed(entries) if e.event in ANNOUNCED][:NEWEST]
    notes = {r.first.index: notes_html(view, r) for r in found[-_FULL:]}
    return _atom(view, f"{name}/feed.atom", f"{name}: releases", project_page(name), newest, notes)


def rss(view: View) -> bytes:
    """`/feed.rss`. One enclosure per item, as readers expect: the first file."""
    site, recent = view.site, view.recent(NEWEST)
    feed = ET.Element("rss", version="2.0")
    channel = ET.SubElement(feed, "channel")
    _add(channel, "title", f"{site.name}: releases")
    _add(channel, "link", _address(view, "feed.rss", "index.html"))
    _add(channel, "description", f"Releases logged in {site.origin}")
    _add(channel, "lastBuildDate", formatdate(_updated(view, recent), usegmt=True))
    for entry in recent:
        item = ET.SubElement(channel, "item")
        _add(item, "title", _title(entry))
        _add(item, "link", _address(view, "feed.rss", page_about(view, entry)))
        _add(item, "guid", _id(view, entry), isPermaLink="false")
        _add(item, "pubDate", formatdate(entry.time, usegmt=True))
        _add(item, "description", _summary(entry))
        for file in _enclosed(entry)[:1]:
            url = _file_address(view, "feed.rss", entry, file)
            _add(item, "enclosure", url=url, length=str(file.size), type=media(file.name))
    return _bytes(feed)


def _atom(
    view: View,
    path: str,
    title: str,
    page: str,
    entries: Sequence[Entry],
    notes: Mapping[int, str] = MappingProxyType({}),
) -> bytes:
    feed = ET.Element("feed", xmlns=_ATOM)
    _add(feed, "title", title)
    _add(feed, "id", _tag(view, view.keys()[0], quote(path)))
    _add(feed, "updated", format_time(_updated(view, entries)))
    _add(feed, "link", rel="self", type=media(path), href=_address(view, path, path))
    _add(feed, "link", rel="alternate", type="text/html", href=_address(view, path, page))
    _add(ET.SubElement(feed, "author"), "name", view.site.name)
    _add(feed, "generator", f"tagtrail, renderer {view.site.renderer}")
    for entry in entries:
        _atom_entry(feed, view, path, entry, notes.get(entry.index, ""))
    return _bytes(feed)


def _atom_entry(feed: ET.Element, view: View, path: str, entry: Entry, notes: str) -> None:
    item = ET.SubElement(feed, "entry")
    _add(item, "title", _title(entry))
    _add(item, "id", _id(view, entry))
    _add(item, "updated", format_time(entry.time))
    _add(item, "link", rel="alternate", type="text/html", href=_address(view, path, page_about(view, entry)))
    for file in _enclosed(entry):
        href = _file_address(view, path, entry, file)
        _add(item, "link", rel="enclosure", type=media(file.name), length=str(file.size), title=file.name, href=href)
    _add(item, "summary", _summary(entry))
    if notes:
        _add(item, "content", notes, type="html")


# --- words and addresses --------------------------------------------------------------------------------------------


def _title(entry: Entry) -> str:
    name = f"{entry.project} {entry.version}"
    if entry.event == "withdraw":
        return f"{name} withdrawn"
    about = ", ".join(filter(None, (entry.series, entry.channel if entry.channel in PRE else "")))
    return f"{name} ({about})" if about else name


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


def _id(view: View, entry: Entry) -> str:
    return _tag(view, entry, f"entry/{entry.index}")


def _tag(view: View, entry: Entry, specific: str) -> str:
    host = re.sub("[^a-z0-9.-]", "-", re.split("[/:]", view.site.origin)[0].lower())
    return f"tag:{host},{format_time(entry.time)[:10]}:{specific}"


def _address(view: View, source: str, path: str) -> str:
    if view.site.url:
        return view.site.url + quote(path.removesuffix("index.html"))
    return relative(source, path)


def _file_address(view: View, source: str, entry: Entry, file: File) -> str:
    return _address(view, source, view.site.file(entry.project, file.name))


def _updated(view: View, entries: Sequence[Entry]) -> int:
    return max((e.time for e in entries), default=view.keys()[0].time)


def _add(parent: ET.Element, name: str, text: str = "", **attributes: str) -> None:
    element = ET.SubElement(parent, name, {key: clean(value) for key, value in attributes.items()})
    element.text = clean(text) or None


def _bytes(root: ET.Element) -> bytes:
    ET.indent(root, " ")
    text: str = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode()

"""What RFC 4287 and RSS 2.0 ask of every document of a feed, and what readers stumble over, whatever releases say."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import feedparser
import pytest

from tagtrail.model.texts import Sayings
from tagtrail.pages import all_paths, page
from tests.pages.test_hostile import EVIL, plain
from tests.pages.trails import SITE, begun

A = "{http://www.w3.org/2005/Atom}"
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
DATE = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [0-9]{4} "
    r"[0-9]{2}:[0-9]{2}:[0-9]{2} GMT"
)
MEDIA = re.compile(r"[a-z]+/[a-z0-9.+-]+")


@pytest.fixture(scope="module")
def documents() -> dict[str, bytes]:
    """Every feed of a trail with forty releases, whose words are an enemy's."""
    trail = begun()
    for number in range(40):
        evil = EVIL[number % len(EVIL)]
        said = Sayings(bugs="https://bugs.example.org/?a=1&b=2") if number % 2 else None
        trail.release("nova", f"{number}.0", notes=f"# {evil}\n\n{evil}", series=evil, channel=evil, contacts=said)
        trail.withdraw("nova", f"{number}.0", plain(evil))
    view = trail.view
    return {path: page(path, view) for path in all_paths(view) if path.endswith((".atom", ".rss"))}


@pytest.fixture(scope="module")
def read(documents: dict[str, bytes]) -> dict[str, Any]:
    """What a reader makes of each."""
    return {path: feedparser.parse(data) for path, data in documents.items()}


def atoms(documents: dict[str, bytes]) -> Iterator[ET.Element]:
    yield from (ET.fromstring(data) for path, data in documents.items() if path.endswith(".atom"))  # noqa: S314


def channels(documents: dict[str, bytes]) -> Iterator[ET.Element]:
    yield from (ET.fromstring(data)[0] for path, data in documents.items() if path.endswith(".rss"))  # noqa: S314


def is_absolute(address: str | None) -> bool:
    parts = urlsplit(address or "")
    return (
        parts.scheme in ("https", "http")
        and bool(parts.netloc)
        and (address or "").isascii()
        and " " not in str(address)
    )


def one(parent: ET.Element, name: str) -> str:
    found = parent.findall(name)
    assert len(found) == 1, (name, len(found))
    assert (found[0].text or "").strip(), name
    return found[0].text or ""


def required(feed: ET.Element) -> bool:
    """4.1.1 and 4.1.2: one id, title and updated each; an author; a self link; an alternate of each type once."""
    for element in (feed, *feed.findall(f"{A}entry")):
        assert all(one(element, f"{A}{name}") for name in ("id", "title", "updated"))
        alternates = [link.get("type") for link in element.findall(f"{A}link") if link.get("rel") == "alternate"]
        assert alternates == ["text/html"]
    assert [link.get("rel") for link in feed.findall(f"{A}link")].count("self") == 1
    return bool(one(feed, f"{A}author/{A}name"))


def unique(feed: ET.Element) -> bool:
    """4.2.6: ids are IRIs, and differ."""
    ids = [one(entry, f"{A}id") for entry in feed.findall(f"{A}entry")]
    return len(ids) == len({*ids}) and all(re.fullmatch(r"tag:[a-z0-9.-]+,[0-9-]{10}:entry/[0-9]+", i) for i in ids)


def moments(feed: ET.Element) -> bool:
    """3.3: RFC 3339 in upper case; the feed's is the newest of its entries, which stand newest first."""
    found = [one(entry, f"{A}updated") for entry in feed.findall(f"{A}entry")]
    assert found == sorted(found, reverse=True)
    return all(MOMENT.fullmatch(moment) for moment in found) and one(feed, f"{A}updated") == found[0]


def addresses(feed: ET.Element) -> bool:
    """4.2.7: every link has an address, here a whole one, and a media type."""
    links = list(feed.iter(f"{A}link"))
    return all(is_absolute(link.get("href")) and MEDIA.match(link.get("type", "")) for link in links)


def lengths(feed: ET.Element) -> bool:
    """4.2.7.6: an enclosure's length is a number of bytes."""
    enclosed = [link for link in feed.iter(f"{A}link") if link.get("rel") == "enclosure"]
    return bool(enclosed) and all(re.fullmatch("[1-9][0-9]*", link.get("length", "")) for link in enclosed)


def contents(feed: ET.Element) -> bool:
    """3.1.1.2: HTML is escaped text in its element, without elements of its own; a summary is plain."""
    for element in (*feed.iter(f"{A}content"), *feed.iter(f"{A}summary"), *feed.iter(f"{A}title")):
        assert not len(element)
        assert element.get("type", "text") == ("html" if element.tag == f"{A}content" else "text")
    return all("<script" not in (e.text or "") and "<svg" not in (e.text or "") for e in feed.iter(f"{A}content"))


@pytest.mark.parametrize("law", [required, unique, moments, addresses, lengths, contents])
def test_atom(documents: dict[str, bytes], law: Callable[[ET.Element], bool]) -> None:
    assert [law(feed) for feed in atoms(documents)] == [True] * 6


def channel_and_items(channel: ET.Element) -> bool:
    """A channel has a title, a link and a description; an item a title or a description, here both, and a link."""
    return all(
        one(element, name)
        for element in (channel, *channel.findall("item"))
        for name in ("title", "link", "description")
    )


def dates(channel: ET.Element) -> bool:
    """RFC 822 with English names and a year of four digits, and they are what they say."""
    found = [one(item, "pubDate") for item in channel.findall("item")]
    assert all(DATE.fullmatch(date) for date in (*found, one(channel, "lastBuildDate")))
    assert all(f"{parsedate_to_datetime(date):%a}" == date[:3] for date in found)
    return parsedate_to_datetime(found[0]) > datetime(2026, 4, 1, tzinfo=UTC)


def guids(channel: ET.Element) -> bool:
    """Ids that are no addresses say so, and differ."""
    found = [item.findall("guid") for item in channel.findall("item")]
    assert all(len(guid) == 1 and guid[0].get("isPermaLink") == "false" for guid in found)
    return len({guid[0].text for guid in found}) == len(found)


def enclosures(channel: ET.Element) -> bool:
    """One at most: an http address, a length and a media type."""
    for item in channel.findall("item"):
        found = item.findall("enclosure")
        assert len(found) == (0 if "withdrawn" in one(item, "title") else 1)
        assert all(is_absolute(e.get("url")) and e.get("length", "").isdigit() and e.get("type") for e in found)
    return True


def whole_addresses(channel: ET.Element) -> bool:
    """Links are whole, and the channel says where it lies."""
    own = [link.get("href") for link in channel.findall(f"{A}link") if link.get("rel") == "self"]
    assert len(own) == 1
    assert is_absolute(own[0])
    return all(is_absolute(one(element, "link")) for element in (channel, *channel.findall("item")))


@pytest.mark.parametrize("law", [channel_and_items, dates, guids, enclosures, whole_addresses])
def test_rss(documents: dict[str, bytes], law: Callable[[ET.Element], bool]) -> None:
    assert [law(channel) for channel in channels(documents)] == [True] * 6


def test_both_are_bytes_that_every_reader_takes(documents: dict[str, bytes], read: dict[str, Any]) -> None:
    assert len(documents) == 12
    for path, data in documents.items():
        assert data.startswith(b'<?xml version="1.0" encoding="utf-8"?>\n<')
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufffe\uffff]", data.decode()), path
        found = read[path]
        assert not found.bozo, path
        held = 29 if path.startswith("feed/1.") else 30  # the trail's first entry names keys
        assert (found.version, len(found.entries)) == ("atom10" if path.endswith(".atom") else "rss20", held)
        assert all(e.link.startswith(SITE.url) and e.id and e.content for e in found.entries)


def test_atom_and_rss_say_the_same(read: dict[str, Any]) -> None:
    for path in read:
        if path.endswith(".atom"):
            ours, theirs = (read[p].entries for p in (path, path.replace(".atom", ".rss")))
            assert [(e.id, e.title, e.link, e.content[0].value.strip()) for e in ours] == [
                (e.id, e.title, e.link, e.content[0].value.strip()) for e in theirs
            ]

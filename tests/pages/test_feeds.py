"""Feeds as feed readers see them."""

import feedparser
import pytest

from tagtrail.formats.site import Site
from tagtrail.model.texts import Sayings
from tagtrail.pages import notice, page
from tagtrail.pages.feeds import NEWEST
from tests.pages.trails import HOUR, SITE, START, begun


def test_atom_tells_what_is_new() -> None:
    trail = begun()
    trail.release("nova", "1.0")
    trail.release("nova", "1.1rc1", channel="rc")
    trail.withdraw("nova", "1.0.0", "broken")
    feed = feedparser.parse(page("feed.atom", trail.view))
    assert not feed.bozo
    assert (feed.version, feed.feed.title, feed.feed.link) == ("atom10", "Example Cloud: releases", SITE.url)
    assert feed.feed.id == "tag:releases.example.org,2026-04-01:feed.atom"
    assert feed.feed.updated == "2026-04-01T18:02:00Z"
    assert [e.title for e in feed.entries] == ["nova 1.0.0 withdrawn", "nova 1.1rc1 (rc)", "nova 1.0"]
    gone, candidate, first = feed.entries
    assert gone.link == first.link == "https://releases.example.org/nova/1.0/"
    assert "broken" in gone.summary
    assert first.id == "tag:releases.example.org,2026-04-01:entry/1"
    assert len({e.id for e in feed.entries}) == 3
    assert candidate.updated == "2026-04-01T17:02:00Z"
    enclosure = first.enclosures[1]
    assert (enclosure.href, enclosure.length) == ("https://releases.example.org/nova/nova-1.0.tar.gz", "41032")
    assert enclosure.type == "application/gzip"


def test_rss_tells_the_same() -> None:
    trail = begun()
    trail.release("nova", "1.0")
    feed = feedparser.parse(page("feed.rss", trail.view))
    assert not feed.bozo
    assert feed.version == "rss20"
    (item,) = feed.entries
    assert (item.title, item.link) == ("nova 1.0", "https://releases.example.org/nova/1.0/")
    assert (item.id, item.published) == ("tag:releases.example.org,2026-04-01:entry/1", "Wed, 01 Apr 2026 16:02:00 GMT")
    assert len(item.enclosures) == 1


@pytest.mark.parametrize("path", ["feed.atom", "feed.rss", "nova/feed.atom"])
def test_titles_have_the_label_that_people_know(path: str) -> None:
    trail = begun()
    trail.release("nova", "33.0.0rc1", channel="rc", series="2026.1 Gazpacho")
    trail.release("nova", "33.0.0", series="2026.1 Gazpacho")
    titles = [e.title for e in feedparser.parse(page(path, trail.view)).entries]
    assert titles == ["nova 33.0.0 (2026.1 Gazpacho)", "nova 33.0.0rc1 (2026.1 Gazpacho, rc)"]


@pytest.mark.parametrize("path", ["feed.atom", "feed.rss", "nova/feed.atom", "nova/feed.rss"])
def test_the_content_is_the_announcement(path: str) -> None:
    trail = begun()
    said = Sayings(bugs="https://bugs.example.org/nova", support_until="2031")
    first = trail.release("nova", "1.0", notes="- faster", contacts=said)
    gone = trail.withdraw("nova", "1.0.0", "broken")
    found = feedparser.parse(page(path, trail.view), sanitize_html=False, resolve_relative_uris=False).entries
    told = [notice(trail.upto(e.index + 1), e, said).html.strip() for e in (gone, first)]
    assert [e.content[0].value.strip() for e in found] == told
    assert "<li>faster</li>" in told[1]
    assert "https://bugs.example.org/nova" in told[0]


def test_a_projects_feed_has_its_own_entries_alone() -> None:
    trail = begun()
    trail.release("nova", "1.0")
    trail.release("glance", "1.0")
    for form in ("atom", "rss"):
        feed = feedparser.parse(page(f"nova/feed.{form}", trail.view))
        assert (feed.feed.title, [e.title for e in feed.entries]) == ("nova: releases", ["nova 1.0"])


def test_files_that_were_added_later_are_told_as_what_they_are() -> None:
    trail = begun()
    trail.release("nova", "1.0", files={"nova-1.0.tar.gz": {}})
    trail.release("nova", "1.0", files={"nova-1.0.tar.gz": {}, "nova-1.0.zip": {}}, added=("nova-1.0.zip",))
    added = feedparser.parse(page("feed.atom", trail.view)).entries[0]
    assert (added.title, [e.title for e in added.enclosures]) == ("nova 1.0: 1 file added", ["nova-1.0.zip"])
    assert "content" not in added


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (("nova-1.0-py3-none-any.whl", "nova-1.0.tar.gz", "nova-1.0.zip"), "nova-1.0.tar.gz"),
        (("nova-1.0-py3-none-any.whl", "nova-1.0.zip"), "nova-1.0.zip"),
        (("nova-1.0-py3-none-any.whl",), "nova-1.0-py3-none-any.whl"),
    ],
)
def test_rss_encloses_the_sdist(names: tuple[str, ...], chosen: str) -> None:
    trail = begun()
    trail.release("nova", "1.0", files={name: {} for name in names})
    (item,) = feedparser.parse(page("feed.rss", trail.view)).entries
    assert [e.href for e in item.enclosures] == [f"{SITE.url}nova/{chosen}"]


@pytest.mark.parametrize(
    ("path", "link"), [("feed.atom", "nova/1.0/index.html"), ("nova/feed.atom", "../nova/1.0/index.html")]
)
def test_without_a_url_addresses_are_relative(path: str, link: str) -> None:
    trail = begun(Site(name="Local", origin="laptop/trail"))
    trail.release("nova", "1.0")
    feed = feedparser.parse(page(path, trail.view))
    assert feed.entries[0].link == link
    assert feed.entries[0].id == "tag:laptop,2026-04-01:entry/1"


def test_the_host_of_an_id_has_no_port() -> None:
    trail = begun(Site(name="Local", origin="Localhost:8080/trail"))
    trail.release("nova", "1.0")
    assert feedparser.parse(page("feed.atom", trail.view)).entries[0].id == "tag:localhost,2026-04-01:entry/1"


def test_an_empty_feed_is_of_the_first_entrys_time() -> None:
    trail = begun()
    assert feedparser.parse(page("feed.atom", trail.view)).feed.updated == "2026-04-01T15:02:00Z"
    assert START % HOUR == 120


def test_feeds_stop_at_thirty() -> None:
    trail = begun()
    for number in range(35):
        trail.release("nova", f"{number}.0", notes="x")
    for path in ("feed.atom", "feed.rss", "nova/feed.atom", "nova/feed.rss"):
        found = feedparser.parse(page(path, trail.view)).entries
        assert (len(found), found[0].title, found[-1].title) == (NEWEST, "nova 34.0", "nova 5.0")
        assert all("content" in e for e in found)

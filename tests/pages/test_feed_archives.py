"""Archives of feeds: all that there ever was, each full one the same for ever, and a bounded number of them touched."""

from xml.etree import ElementTree as ET

import pytest

from tagtrail.formats.site import Site
from tagtrail.model.texts import Sayings
from tagtrail.pages import ListView, all_paths, page, touched
from tagtrail.pages.feeds import NEWEST
from tests.pages.trails import SITE, Trail, begun

LINK = "{http://www.w3.org/2005/Atom}link"
HISTORY = "{http://purl.org/syndication/history/1.0}archive"
FORMS = ("atom", "rss")


def parsed(view: ListView, path: str) -> ET.Element:
    root = ET.fromstring(page(path, view))  # noqa: S314  (our own bytes)
    return root if root.tag != "rss" else root[0]


def archives(view: ListView) -> dict[str, bytes]:
    """All full documents, as one process makes them."""
    return {path: page(path, view) for path in all_paths(view) if "feed/" in path}


def links(document: ET.Element) -> dict[str, str]:
    return {link.get("rel", ""): link.get("href", "").removeprefix(SITE.url) for link in document.findall(LINK)}


def ids(document: ET.Element) -> list[str]:
    entries = document.findall("{http://www.w3.org/2005/Atom}entry") + document.findall("item")
    return [e.findtext("{http://www.w3.org/2005/Atom}id") or e.findtext("guid") or "" for e in entries]


def walked(view: ListView, path: str) -> list[str]:
    """What a reader reconstructs (RFC 5005, section 4.2): from the newest document back, the newest ids first."""
    found: dict[str, None] = {}
    while path:
        document = parsed(view, path)
        found |= dict.fromkeys(ids(document))
        path = links(document).get("prev-archive", "")
    return list(found)


def long(releases: int = 95) -> Trail:
    """Releases of two projects, a withdrawal now and then, and entries that nobody is told of between them."""
    trail = begun()
    for number in range(releases):
        trail.release("glance" if number % 3 == 2 else "nova", f"{number}.0")
        if number % 7 == 3:
            trail.event("reproduced", "nova", {"nova-0.0.tar.gz": "0" * 64}, version="0.0")
        if number % 20 == 10:
            trail.withdraw("nova", f"{number - 1}.0" if number % 3 else f"{number}.0", "broken")
    return trail


@pytest.fixture(scope="module")
def trail() -> Trail:
    return long()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("project", ["", "nova/", "glance/"])
def test_a_reader_gets_every_entry_once_and_in_order(trail: Trail, project: str, form: str) -> None:
    own = [e for e in trail.entries if e.event in ("release", "withdraw") and project in ("", f"{e.project}/")]
    wanted = [e.index for e in reversed(own)]
    assert [int(found.rpartition("/")[2]) for found in walked(trail.view, f"{project}feed.{form}")] == wanted
    assert len(wanted) > NEWEST


@pytest.mark.parametrize("form", FORMS)
def test_what_the_documents_say_of_each_other(trail: Trail, form: str) -> None:
    view = trail.view
    newest, last, first = (parsed(view, f"{p}.{form}") for p in ("nova/feed", "nova/feed/2", "nova/feed/1"))
    assert links(newest).get("self") == f"nova/feed.{form}"
    assert links(newest)["prev-archive"] == links(last)["self"] == f"nova/feed/2.{form}"
    assert links(last)["prev-archive"] == links(first)["self"] == f"nova/feed/1.{form}"
    assert links(last)["current"] == links(first)["current"] == f"nova/feed.{form}"
    assert "prev-archive" not in links(first)
    assert not any("next-archive" in links(document) for document in (newest, last, first))
    assert [document.find(HISTORY) is not None for document in (newest, last, first)] == [False, True, True]


def test_all_documents_of_a_feed_have_one_id(trail: Trail) -> None:
    view = trail.view
    for project in ("", "nova/"):
        documents = [parsed(view, f"{project}{path}.atom") for path in ("feed", "feed/1", "feed/2")]
        assert len({d.findtext("{http://www.w3.org/2005/Atom}id") for d in documents}) == 1


@pytest.mark.slow
def test_a_full_archive_never_changes(trail: Trail) -> None:
    seen: dict[str, bytes] = {}
    for size in range(2, len(trail.entries) + 1, 9):
        view = trail.upto(size)
        there = archives(view)
        assert seen.items() <= there.items()
        seen = there
    assert {"feed/1.atom", "feed/3.rss", "nova/feed/2.atom", "glance/feed/1.rss"} <= seen.keys()


def test_not_even_for_a_withdrawal_or_files_or_another_spelling() -> None:
    trail = long(55)
    before = archives(trail.view)
    trail.withdraw("nova", "0.0", "broken")
    trail.release("nova", "1.0", files={"nova-1.0.tar.gz": {}, "nova-1.0.zip": {}}, added=("nova-1.0.zip",))
    trail.release("Nova", "99.0")
    after = archives(trail.view)
    assert after == before
    assert before.keys() > {"feed/1.atom", "nova/feed/1.atom"}
    for size in (40, len(trail.entries)):
        with pytest.raises(KeyError):
            page("Nova/feed/1.atom", trail.upto(size))


def test_another_address_of_the_site_is_another_site(trail: Trail) -> None:
    moved = long(40)
    entry = moved.key(site=Site(name=SITE.name, origin=SITE.origin, url="https://other.example.org/"))
    assert "feed/1.atom" in touched(entry, moved.view)
    assert b"https://other.example.org/feed/1.atom" in page("feed/1.atom", moved.view)


def test_an_entry_touches_no_archive_or_those_that_it_fills(trail: Trail) -> None:
    filled: list[str] = []
    for entry in trail.entries[1:]:
        view = trail.upto(entry.index + 1)
        new = [path for path in touched(entry, view) if "feed/" in path]
        before = {*all_paths(trail.upto(entry.index))}
        assert {*new} == {path for path in {*all_paths(view)} - before if "feed/" in path}
        assert len(new) <= 4
        filled += new
    assert sorted(filled) == [path for path in all_paths(trail.view) if "feed/" in path]


def test_where_nothing_was_announced_there_is_no_archive() -> None:
    trail = begun()
    trail.release("nova", "1.0")
    for _ in range(3 * NEWEST):
        trail.event("reproduced", "nova", {"x": "0" * 64}, version="1.0")
    trail.release("nova", "2.0")
    assert [path for path in all_paths(trail.view) if "feed/" in path] == ["feed/1.atom", "feed/1.rss"]
    assert links(parsed(trail.view, "feed.atom"))["prev-archive"] == "feed/1.atom"
    for path in ("feed/2.atom", "feed/4.atom", "nova/feed/1.atom"):
        with pytest.raises(KeyError):
            page(path, trail.view)


@pytest.mark.parametrize(
    "path",
    ["feed/0.atom", "feed/01.atom", "feed/9.atom", "feed/1.xml", "feed/index.html", "feed/1", "nova/feed/1.json"],
)
def test_what_is_no_archive(trail: Trail, path: str) -> None:
    assert path not in all_paths(trail.view)
    with pytest.raises(KeyError):
        page(path, trail.view)


def test_withdrawals_before_the_first_release_wait_for_it() -> None:
    trail = begun()
    for _ in range(NEWEST):
        trail.withdraw("nova", "1.0", "never was")
    assert not [path for path in all_paths(trail.view) if path.startswith("nova/")]
    entry = trail.release("nova", "2.0")
    assert {"nova/feed/1.atom", "nova/feed/1.rss"} <= {*touched(entry, trail.view)}


@pytest.fixture(scope="module")
def at_once() -> tuple[Trail, dict[str, bytes]]:
    """A trail, and all its feeds as one process makes them from nothing."""
    trail = long(50)
    view = trail.view
    return trail, {path: page(path, view) for path in all_paths(view) if "feed" in path}


@pytest.mark.parametrize("cuts", [(), (29, 30, 31), (7, 42, 59)])
def test_in_steps_is_from_nothing(at_once: tuple[Trail, dict[str, bytes]], cuts: tuple[int, ...]) -> None:
    trail, whole = at_once
    site: dict[str, bytes] = {}
    start = 0
    for stop in (*cuts, len(trail.entries)):
        view = trail.upto(min(stop, len(trail.entries)))
        for path in {p for entry in trail.entries[start : view.size] for p in touched(entry, view)}:
            if "feed" in path:
                site[path] = page(path, view)
        start = view.size
    assert site == whole


def test_an_entry_that_nobody_is_told_of_may_fill_an_archive() -> None:
    trail = begun()
    last = trail.release("nova", "1.0")
    while len(trail.entries) < NEWEST:
        last = trail.event("reproduced", "nova", {"x": "0" * 64}, version="1.0")
    before, after = trail.upto(last.index), trail.view
    changed = {path for path in ("feed.atom", "feed.rss") if page(path, before) != page(path, after)}
    assert changed == {"feed.atom", "feed.rss"}
    assert changed | {"feed/1.atom", "feed/1.rss"} <= {*touched(last, after)}


@pytest.mark.parametrize("form", FORMS)
def test_what_comes_later_changes_no_entry(form: str) -> None:
    trail = begun()
    trail.release("nova", "1.0")
    trail.withdraw("nova", "9.0", "never was")
    while len(trail.entries) < NEWEST:
        trail.event("reproduced", "nova", {"x": "0" * 64}, version="1.0")
    before = page(f"feed/1.{form}", trail.view)
    trail.release("nova", "9.0", contacts=Sayings(bugs="https://bugs.example.org/"))
    assert page(f"feed/1.{form}", trail.view) == before
    assert b"https://releases.example.org/nova/9.0/" not in before

"""Whatever tags, notes and settings say, pages stay pages: HTML, XML and JSON with nothing of theirs in the markup."""

import json
import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tagtrail.formats.site import Site, marker
from tagtrail.pages import all_paths, page
from tests.pages.trails import SITE, SSH, begun

EVIL = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; --><svg/onload=alert(1)>",
    "]]><x/>&lt;b&gt;&amp;#0;",
    "a\x00b\x08c\x1b[31m\x7fd\x85",
    "right-to-left \u202e cod.exe \u2066 isolated",
    "{{ 7*7 }}{% raw %}",
    "line\u2028two\r\nBcc: x@example.org\rthree",
    "\ufffe\uffff\u0000",
]
VOID = {"meta", "link", "br", "hr", "wbr", "img"}


class Page(HTMLParser):
    """The tags of a page, and whether they are balanced."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(data.decode("utf-8"))
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def pages_of(evil: str, site: Site = SITE) -> dict[str, bytes]:
    trail = begun(site)
    overrides = [{"rule": evil, "because": evil}]
    repo = {"repo": evil, "name": evil, "object": "1" * 40, "sha256": "2" * 64, "commit": "3" * 40, "signer": evil}
    named = {
        "nova-1.0.tar.gz": {"requires-python": evil, "generated": [evil]},
        "nova-1.0.zip": {"origin": {"how": "added", "by": evil}},
        "nova-1.0.whl": {"origin": {"how": "imported", "by": evil}},
    }
    fields: dict[str, Any] = {"kind": evil, "channel": evil, "series": evil, "overrides": overrides, "tag": repo}
    approvals = [{"key": evil, "digest": evil}]
    trail.release(
        "nova", "1.0", files=named, notes=f"# {evil}\n\n{evil}\n\n- {evil}\n\n`{evil}`", approvals=approvals, **fields
    )
    trail.release("nova", "2.0", signer=SSH.fingerprint, notes=evil, series=evil)
    trail.withdraw("nova", "1.0", plain(evil))
    trail.event("import", "nova", {"commit": "0" * 64}, version="0.1", series=evil)
    return {path: page(path, trail.view) for path in all_paths(trail.view)}


def plain(text: str) -> str:
    """As much of it as the reason of a withdrawal can be."""
    return "".join(c for c in text if c.isprintable()).strip() or "?"


@pytest.fixture(scope="module", params=range(len(EVIL)), ids=[ascii(evil)[1:20] for evil in EVIL])
def evil(request: pytest.FixtureRequest) -> tuple[str, dict[str, bytes]]:
    text = EVIL[request.param]
    return text, pages_of(text, Site(name=text.replace("\x00", ""), origin="Releases.Example.org:8443/trail"))


def test_html_holds_only_our_own_tags(evil: tuple[str, dict[str, bytes]]) -> None:
    ours = set(
        "html head meta title style link body header strong nav a main h1 h2 h3 h4 p ul ol li dl dt dd table thead "
        "tbody tr th td div section details summary span small code pre wbr br time footer hr blockquote em".split()
    )
    for path, data in evil[1].items():
        if path.endswith(".html"):
            found = Page(data)
            assert {tag for tag, _ in found.tags} <= ours, path
            assert not [name for _, attributes in found.tags for name in attributes if name.startswith("on")], path
            links = [
                value or "" for _, attributes in found.tags for name, value in attributes.items() if name == "href"
            ]
            assert all(re.match(r"https?://|mailto:|(\.\./)*[\w%#=.+/~-]*$", link) for link in links), (path, links)


def test_no_page_holds_control_characters_or_turns_text_round(evil: tuple[str, dict[str, bytes]]) -> None:
    for path, data in evil[1].items():
        text = data.decode("utf-8") if path != "trail/site.json" else ""  # that one is the logged bytes
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufffe\uffff]", text), path


def test_feeds_are_xml_and_tables_are_json(evil: tuple[str, dict[str, bytes]]) -> None:
    for path, data in evil[1].items():
        if path.endswith((".atom", ".rss")):
            ET.fromstring(data)  # noqa: S314  (our own bytes)
        if path.endswith(".json") and not path.startswith("trail/"):
            assert data.isascii()
            json.loads(data)


def test_what_was_said_is_kept_exactly_in_json(evil: tuple[str, dict[str, bytes]]) -> None:
    text, site = evil
    record = json.loads(site["nova/releases.json"])
    assert record["releases"][1]["withdrawn"]["reason"] == plain(text)
    assert record["releases"][0]["series"] == text
    index = json.loads(site["simple/nova/index.json"])
    assert index["files"][0]["yanked"] == plain(text)


@pytest.mark.parametrize("path", ["index.html", "nova/index.html", "nova/1.0/index.html", "verify/index.html"])
def test_the_policy_allows_our_stylesheet_and_nothing_else(path: str) -> None:
    text = pages_of("x")[path].decode()
    style = re.search("<style>(.*?)</style>", text, re.DOTALL)
    assert style
    digest = b64encode(sha256(style[1].encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert policy in text.replace("&#39;", "'")
    assert len(style[1]) < 8000
    assert "<script" not in text
    assert " style=" not in text


def test_a_release_page_names_every_entry_it_shows() -> None:
    trail = begun()
    first = trail.release("nova", "1.0")
    later = trail.release("nova", "1.0", files={"nova-1.0.tar.gz": {}, "nova-1.0.zip": {}}, added=("nova-1.0.zip",))
    gone = trail.withdraw("nova", "1.0.0", "broken")
    other = trail.release("nova", "2.0")
    text = page("nova/1.0/index.html", trail.view).decode()
    for entry in (first, later, gone):
        assert marker(entry) in text
    assert marker(other) not in text

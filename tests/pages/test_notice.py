"""What is said of releases, by golden files; and what hostile names and notes cannot do to it."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tagtrail.formats.notice import notice_blob, notice_bytes, parse_notice
from tagtrail.model.entry import Entry
from tagtrail.model.errors import SetupError, TamperError
from tagtrail.model.frozen import replace
from tagtrail.model.notice import SHORT, Notice, Place
from tagtrail.model.texts import Sayings, Text
from tagtrail.pages import digest, notice
from tagtrail.pages.plain import MOST, WIDTH, plain_notes, wrapped
from tests.pages.trails import SITE, Trail, begun

GOLDEN = Path(__file__).parent / "golden" / "notices"
NOTES = (
    "Prelude.\n\n## New Features\n\n- Faster, see [the plan](https://elsewhere.example/1).\n\n"
    "## Since 32.0.0\n\n- 14 commits by 3 people\n"
)
SAID = Sayings(
    bugs="https://bugs.example.org/nova", security="mailto:security@example.org", support_until="2031-12", on_pypi=True
)
EVIL = 'x"><script>alert(1)</script>\r\nBcc: all@example.org\n\x1b[2J\u202e'


def said_of(trail: Trail, entry: Entry, sayings: Sayings) -> Notice:
    return notice(trail.view, entry, sayings)


def final(trail: Trail) -> Notice:
    trail.release("nova", "32.0.0")
    places = (Place(name="pypi", where="https://index.example/simple/nova/"),)
    entry = trail.release("nova", "33.0.0", series="2026.1 Gazpacho", notes=NOTES)
    return said_of(trail, entry, Sayings(bugs=SAID.bugs, security=SAID.security, on_pypi=True, places=places))


def candidate(trail: Trail) -> Notice:
    trail.release("nova", "32.0.0")
    return said_of(trail, trail.release("nova", "33.0.0rc1", channel="rc", series="2026.1 Gazpacho"), SAID)


def described(trail: Trail) -> Notice:
    """A server whose metadata says what it is; one that its wheel repeats."""
    said = "Metadata-Version: 2.1\nName: nova\nVersion: 33.0.1\nSummary: Cloud computing fabric controller\n"
    files = {"nova-33.0.1-py3-none-any.whl": {"metadata": trail.keep(said.encode())}, "nova-33.0.1.tar.gz": {}}
    trail.release("nova", "33.0.0")
    return said_of(trail, trail.release("nova", "33.0.1", files=files), SAID)


def replaced(trail: Trail) -> Notice:
    """Withdrawn, with a newer one of its series, and one of the next."""
    for version, series in (("32.0.0", "2025.2"), ("32.0.1", "2025.2"), ("33.0.0", "2026.1"), ("33.0.1rc1", "2026.1")):
        trail.release("nova", version, series=series, channel="rc" if "rc" in version else "final")
    return said_of(trail, trail.withdraw("nova", "32.0.0", "loses data"), SAID)


def generic(trail: Trail) -> Notice:
    entry = trail.release("tool", "1.2.0", files={"tool-1.2.0-linux-amd64": {}, "tool-1.2.0.tar.gz": {}}, purl="")
    return said_of(trail, entry, Sayings())


def withdrawn(trail: Trail) -> Notice:
    trail.release("nova", "32.0.0")
    return said_of(
        trail, trail.withdraw("nova", "32.0.0", f"loses data {''.join(filter(str.isprintable, EVIL))}"), SAID
    )


def together(trail: Trail) -> Notice:
    told = [said_of(trail, trail.release(name, "1.0"), Sayings()) for name in ("nova", "glance", "oslo.config")]
    return digest(trail.view, told[::-1], Sayings())


CASES: dict[str, Callable[[Trail], Notice]] = {
    "final": final,
    "library": lambda trail: said_of(trail, trail.release("oslo.config", "9.7.0", notes=NOTES), Sayings()),
    "candidate": candidate,
    "first-pre": lambda trail: said_of(trail, trail.release("nova", "1.0rc1", channel="rc"), Sayings()),
    "generic": generic,
    "described": described,
    "withdrawn": withdrawn,
    "replaced": replaced,
    "together": together,
    "hostile": lambda trail: said_of(trail, trail.release("nova", "1.0", series=EVIL, notes=EVIL), SAID),
}


@pytest.mark.parametrize("name", CASES)
def test_golden(name: str, request: pytest.FixtureRequest) -> None:
    found = CASES[name](begun())
    text = "\n".join((found.subject, found.short, "-" * 72, found.text + "-" * 72, found.html))
    path = GOLDEN / f"{name}.txt"
    if request.config.getoption("--update"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
    assert found == CASES[name](begun()), "the same release, the same bytes"


@pytest.mark.parametrize("name", CASES)
def test_what_every_channel_may_rely_on(name: str) -> None:
    found = CASES[name](begun())
    for line in (found.subject, found.short):
        assert line.isprintable()
        assert line
    assert len(found.short) <= SHORT
    assert found.url in found.short
    assert found.text.endswith("\n")
    assert not any(char < " " and char != "\n" for char in found.text + found.html)
    assert all(len(line) <= 72 or " " not in line.strip() or "http" in line for line in found.text.split("\n"))
    assert "<script" not in found.html
    assert parse_notice(notice_bytes(found)) == found
    assert notice_blob(found).size == len(notice_bytes(found))


def test_links_are_ours_or_seen() -> None:
    found = final(begun())
    assert "<https://elsewhere.example/1>" in found.text
    assert 'href="https://elsewhere' not in found.html
    assert "the plan (https://elsewhere.example/1)" in found.html


def test_nobody_is_told_to_fetch_from_a_site_that_has_no_address() -> None:
    trail = begun(replace(SITE, url=""))
    found = said_of(trail, trail.release("nova", "1.0"), Sayings())
    assert "tagtrail verify nova-1.0" in found.text
    assert "--fetch" not in found.text + found.html


def test_an_address_of_a_place_that_is_none_is_no_link() -> None:
    trail = begun()
    said = Sayings(places=(Place(name="shop", where="javascript:alert(1)"),))
    found = said_of(trail, trail.release("nova", "1.0"), said)
    assert found.places == (Place(name="shop"),)
    assert "javascript" not in found.text + found.html


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("one\n{{ projct }}\n", "texts.notice: texts/n.txt, line 2: 'projct' is undefined"),
        ("one\n\n{% if %}\n", "texts.notice: texts/n.txt, line 3: "),
        ("{{ ''.__class__.__mro__ }}", "texts.notice: texts/n.txt, line 1: access to attribute"),
        ("{% include '/etc/passwd' %}", "texts.notice: texts/n.txt, line 1: "),
        ("\n\n{{ 1 // 0 }}", "texts.notice: texts/n.txt, line 3: "),
        ("{{ project * 999999 }}", "texts.notice: texts/n.txt: it makes"),
    ],
)
def test_a_template_that_cannot_be_filled_is_named_with_its_line(source: str, why: str) -> None:
    trail = begun()
    said = Sayings(texts=(Text(name="notice", file="texts/n.txt", source=source),))
    with pytest.raises(SetupError) as caught:
        said_of(trail, trail.release("nova", "1.0"), said)
    assert caught.value.code == "text-template"
    assert caught.value.what.startswith(why)


def test_a_template_of_ones_own() -> None:
    trail = begun()
    texts = (Text(name="subject", file="s", source="[release] {{ project }}\n{{ version }}"),)
    found = said_of(trail, trail.release("nova", "1.0"), Sayings(texts=texts))
    assert found.subject == "[release] nova 1.0"


@pytest.mark.parametrize("data", [b"{}", b'{"_type":"https://tagtrail.dev/notice/v1"}', b"[]"])
def test_other_bytes_are_no_notice(data: bytes) -> None:
    with pytest.raises(TamperError) as caught:
        parse_notice(data)
    assert caught.value.code == "notice-form"


@pytest.mark.parametrize(
    ("notes", "wanted"),
    [
        ("### Fixes\n\ntext", "Fixes\n~~~~~\n\ntext"),
        ("```sh\n  a  b\n```\nafter", "      a  b\nafter"),
        ("    code\n", "    code"),
        (r"\<b\> \* `a\*b`", r"<b> * `a\*b`"),
        ("- one\n  more\n- two", "- one more\n- two"),
        ("1. " + "word " * 20, "1. " + "word " * 13 + "word\n   " + "word " * 5 + "word"),
        ("<https://a.example/x>", "https://a.example/x"),
    ],
)
def test_notes_as_plain_text(notes: str, wanted: str) -> None:
    assert plain_notes(notes).strip("\n") == wanted.strip("\n")


def test_a_table_keeps_its_rows_and_says_where_its_links_go() -> None:
    table = "Before.\n\n| a | b |\n|---|---|\n| 1 | [x](https://e.org/) |\n\nBehind | it.\n"
    assert plain_notes(table) == table.replace("[x](https://e.org/)", "x <https://e.org/>").rstrip("\n")


@pytest.mark.parametrize("first", ["", "* "])
def test_wide_characters_count_two_columns_and_a_line_may_end_behind_one(first: str) -> None:
    words = "Ein Wort " + "\u65e5\u672c\u8a9e\u3002" * 30 + " und dann https://e.org/eine-lange-adresse/ am Ende"
    lines = wrapped(words, first, " " * len(first)).split("\n")
    assert max(sum(1 + (char >= "\u3000") for char in line.rstrip("\u3002")) for line in lines) <= WIDTH
    assert "".join(line[len(first) :] for line in lines).replace(" ", "") == words.replace(" ", "")
    assert not any(line.strip().startswith("\u3002") for line in lines)
    assert len(lines) < 6
    assert any("https://e.org/eine-lange-adresse/" in line for line in lines)


def test_notes_are_cut_at_a_line_and_what_we_counted_stays() -> None:
    """In the text and in its HTML: the last section says what is required now, and is short."""
    item = f"- {'word ' * 20}end.\n"
    notes = f"## Added\n\n{item * (MOST // len(item) * 2)}\n## Since 1.0.0\n\n- 3 commits by 1 person\n"
    trail = begun()
    told = said_of(trail, trail.release("nova", "1.1.0", notes=notes), Sayings())
    for said in (told.text, told.html):
        cut = said.index("[...]")
        assert re.sub(r"</?(li|ul|p)>", "", said[:cut]).rstrip().endswith("end.")
        assert cut < said.index("Since 1.0.0") < said.index("3 commits by 1 person") < said.index("All of it: ")
        assert said.count("end.") <= MOST // len(item)


def test_long_notes_are_cut_and_say_so() -> None:
    assert plain_notes("word " * MOST).endswith("\n\n[...]")

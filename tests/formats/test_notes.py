"""Release notes: one text and one fact, and that nothing foreign gets through that could do something."""

import re
import time

import pytest
import yaml
from docutils.core import publish_string
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tagtrail.formats import changelog, commonmark, fragments, reno, restructured
from tagtrail.formats.notes import format_notes, parse_notes
from tagtrail.model.notes import Changed, Notes, Section, Sized

WORD = st.from_regex(r"[a-z][a-z0-9.]{0,8}", fullmatch=True)
BODY = st.text(st.sampled_from("ab -#*\n`"), max_size=40).map(commonmark.tame).filter(lambda t: t.strip())
COUNT = st.integers(0, 10**9)
SIZED = st.one_of(
    st.builds(Sized, kind=WORD, now=COUNT), st.builds(Sized, kind=WORD, before=COUNT, now=st.none() | COUNT)
)
CHANGED = st.builds(lambda n, b, a: Changed(name=n, before=b and f"{n}>{b}", now=a and f"{n}<{a}"), WORD, WORD, WORD)
FACT = st.builds(
    Notes,
    source=st.sampled_from(["reno", "towncrier", "scriv", "changelog"]),
    where=WORD,
    sections=st.lists(st.builds(Section, title=WORD, body=BODY.map(str.rstrip)), max_size=3).map(tuple),
    since=st.just("") | WORD,
    commits=st.integers(1, 10**6),
    authors=st.integers(1, 999),
    requires=st.lists(CHANGED, max_size=3).map(tuple),
    sizes=st.lists(SIZED, max_size=3).map(tuple),
)
FOREIGN = st.text(
    st.sampled_from("ab<>&\"'`*_[]()!#-+=~>1.)\\ \t\n\r\x00\x1b\u202e\u2028:/|@^") | st.characters(), max_size=300
)
UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


LINES = st.lists(
    st.sampled_from(
        """features:|  - one|  - >-|    text: here|    more `x`|fixes:|- a: b|prelude: >|    folded|  # c|||   |\ttab
        |'q'|"d\\n"|key: 'it''s'|\u00e9: \u00fc|a: b: c|? x|: y|---|...|%YAML 1.1|- - x|&a b|!t x|{a: b}|[a]|x: @y
        |k:  # c|a:\u2028b|a:\r\n  - b""".split("|")
    ),
    max_size=8,
).map("\n".join)  # fmt: skip


@given(FOREIGN | LINES)
def test_a_note_is_read_alike_with_and_without_libyaml(text: str) -> None:
    """But for a byte order mark within it, which nobody writes."""
    found: list[object] = []
    for loader in (yaml.SafeLoader, yaml.CSafeLoader):
        try:
            found.append(reno._built(yaml.parse(text.replace("\ufeff", ""), Loader=loader)))
        except (yaml.YAMLError, ValueError, RecursionError):
            found.append(None)
    assert found[0] == found[1]


@given(FACT)
def test_the_text_says_the_fact(notes: Notes) -> None:
    text = format_notes(notes)
    assert format_notes(parse_notes(text)) == text
    assert (found := parse_notes(text)).requires == notes.requires
    assert (found.source, found.where, found.since) == (notes.source, notes.where, notes.since)
    assert (found.commits, found.authors, found.sizes) == (notes.commits, notes.authors, notes.sizes)


@given(FOREIGN)
def test_reading_never_raises(text: str) -> None:
    parse_notes(text)
    parse_notes(f"{text}\n\n## Since 1.0\n\n{text}")
    reno.parse_note(text)
    reno.parse_config(text)
    for own in (None, text):
        town = fragments.towncrier_of(own or "", own or "") or fragments.Towncrier()
        fragments.towncrier_sections(town, [("", {"1.feature": text}), (text, {f"{text}.feature": "x"})])
        scriv = fragments.scriv_of(own or "", [f"[scriv]\n{text}"], text) or fragments.Scriv()
        fragments.scriv_sections(scriv, {"a.md": text, "b.rst": text})
    for name in ("CHANGES", "CHANGES.md", "CHANGES.rst"):
        changelog.sections_of(name, f"1.0\n---\n\n{text}", "1.0")


@given(FOREIGN)
def test_what_is_tame_is_inert_in_another_reader(text: str) -> None:
    tame = commonmark.tame(text + "\n`a <i> b\n<script>` x\n[x](javascript:x)", {"x": "https://e.org"})
    assert not UNSEEN.search(tame)
    tokens = MarkdownIt("commonmark").parse(tame)
    for token in [inner for outer in tokens for inner in (outer, *(outer.children or ()))]:
        assert token.type not in {"html_block", "html_inline", "image"}
        if token.type == "link_open":
            assert str(token.attrs["href"]).lower().startswith(("http://", "https://"))


@pytest.mark.parametrize(
    ("text", "tame"),
    [
        ("<b>x</b>", r"\<b>x\</b>"),
        ("<!-- hidden -->x", "x"),
        ("[x](javascript:alert(1))", r"\[x](javascript:alert(1))"),
        ("[x](https://e.org/a(1))", "[x](https://e.org/a(1))"),
        ("![x](https://e.org/i.png)", "[x](https://e.org/i.png)"),
        ("thanks to jo@example.org", "thanks to ..."),
        ("[mail](mailto:jo@example.org)", r"\[mail](...)"),
        ("# A\n## B", "### A\n#### B"),
        ("Title\n=====\ntext", "### Title\ntext"),
        ("```\nopen <b>", "```\nopen <b>\n```"),
        ("a\x1b[31m\u202eb", r"a\[31mb"),
        ("a\n\n\n\nb", "a\n\nb"),
    ],
)
def test_foreign_commonmark(text: str, tame: str) -> None:
    assert commonmark.tame(text) == tame


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("``a[0]`` and :func:`~b.c`", "`a[0]` and `~b.c`"),
        ("`text <https://e.org/x>`_", "[text](https://e.org/x)"),
        ("`Docs`_\n\n.. _docs: https://e.org", "[Docs](https://e.org)"),
        ("snake_case_", r"snake\_case\_"),
        ("like this::\n\n    x = 1", "like this:\n\n```\nx = 1\n```"),
        (".. include:: /etc/passwd", ""),
        (".. raw:: html\n\n   <script>", ""),
        (".. |d| date::\n\n|d|", "d"),
        (".. |a| replace:: |b||b|\n.. |b| replace:: |a||a|\n\n|a|", "|b||b|"),
        (".. note:: Take care", "**Note:** Take care"),
        (".. versionadded:: 1.2\n   It is new.", "**New in 1.2:** It is new."),
        ("* a\n\n  * b", "- a\n\n  - b"),
        ("Title\n=====\n\nSub\n---", "# Title\n\n\n## Sub"),
    ],
)
def test_restructured_text(text: str, shown: str) -> None:
    assert restructured.commonmark(text).strip() == shown


@pytest.mark.parametrize(
    "text", ["A *b* ``c``.\n\n* one\n* two ``x``\n\n  * three\n", "Go::\n\n    code\n\nEnd `x <https://e.org>`_.\n"]
)
def test_docutils_reads_the_same_words(text: str) -> None:
    def words(html: str) -> list[str]:
        return re.findall(r"[a-z]+", re.sub(r"<[^>]*>", " ", html.partition("<body>")[2] or html).casefold())

    theirs = publish_string(text, writer="html5", settings_overrides={"output_encoding": "unicode"})
    assert words(MarkdownIt("commonmark").render(restructured.commonmark(text))) == words(str(theirs))


@pytest.mark.parametrize(
    "heading",
    [
        "1.2.0",
        "v1.2",
        "## [1.2.0] - 2026-01-31",
        "# mylib 1.2.0",
        "### Version 1.2.0 (2026)",
        "## [1.2.0](https://e.o)",
    ],
)
def test_headings_of_a_version(heading: str) -> None:
    text = f"{heading if heading.startswith('#') else '# ' + heading}\n\n- it\n\n# 1.1.0\n\n- old\n"
    assert [s.body for s in changelog.sections_of("CHANGES.md", text, "1.2.0")] == ["- it"]


@pytest.mark.parametrize("heading", ["# Unreleased", "# 1.2.0rc1", "# 11.2.0", "# Upgrading from old 1.2.0", "1.2.0"])
def test_other_headings(heading: str) -> None:
    assert changelog.sections_of("CHANGES.md", f"{heading}\n\n- it\n", "1.2.0") == ()


@pytest.mark.parametrize(
    "text",
    ["a: &x [y]\nb: *x", "a: !!python/object/apply:os.system [x]", "[" * 10_000, "- a", "a: {b: c}", "x", "",
     "[ " * 50_000, "a: [x, [" * 2000, "- " * 100_000, "a: " + "x" * (1 << 20)],
)  # fmt: skip
def test_what_is_no_note(text: str) -> None:
    start = time.process_time()
    assert reno.parse_note(text) is None
    assert time.process_time() - start < 0.5


EVIL = ["`", "[", "<", "[a](", "``a`", "- ", "    ", "*a ", "https://", "[x](https://e.org/(", "\\", "a@a.", "```\n",
        "# ", "<!--", "|a ", "a_ ", ":a:`", "a\n=\n", ".. ", ".. note::\n", "::\n", "- a\n  "]  # fmt: skip


@pytest.mark.parametrize("evil", EVIL)
def test_nobody_can_make_it_slow(evil: str) -> None:
    text = evil * (commonmark.MOST // 4 // len(evil))
    start = time.process_time()
    commonmark.tame(restructured.commonmark(text))
    commonmark.tame(text)
    assert time.process_time() - start < 0.5


def test_the_settings_of_this_project_are_read() -> None:
    text = '[tool.towncrier]\ndirectory = "news"\n[[tool.towncrier.type]]\ndirectory = "fix"\nname = "Mended"\n'
    found = fragments.towncrier_of(text)
    assert found is not None
    assert (found.bases, found.types) == ((("news", ""),), (("fix", "Mended", True),))
    assert fragments.towncrier_of('[tool.towncrier]\ndirectory = "../../etc"\n') != found

"""What towncrier, scriv, reno and keepachangelog make of the same files, item by item beside what is read here."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keepachangelog
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from scriv.config import Config as ScrivConfig
from scriv.scriv import Scriv as RealScriv
from towncrier._shell import cli

from tagtrail.formats import changelog, fragments
from tests.formats.items import Told, of_markdown, of_restructured, ours, plain

pytestmark = pytest.mark.client

often = settings(max_examples=15, phases=(Phase.generate,), deadline=None, suppress_health_check=list(HealthCheck))


# --- towncrier ------------------------------------------------------------------------------------------------------

OTHERS = ("README.rst", ".gitkeep", "notes.txt", "template.jinja")
KEYS = ("feature", "bugfix", "doc", "removal", "misc", "fix", "chores", "zeta", "alpha", "other")
ALL = "".join(f"[tool.towncrier.fragment.{key}]\n" for key in KEYS)
TYPES = '[[tool.towncrier.type]]\ndirectory = "fix"\nname = "Mended"\n[[tool.towncrier.type]]\nname = "Chores"\n'
HIDDEN = f"{TYPES}showcontent = false\n"
TABLES = '[tool.towncrier.fragment.zeta]\n[tool.towncrier.fragment.alpha]\nname = "First"\nshowcontent = false\n'
PARTS = '[[tool.towncrier.section]]\nname = ""\npath = ""\n[[tool.towncrier.section]]\nname = "Web"\npath = "web"\n'
NAMED = (
    '[[tool.towncrier.section]]\nname = "Core"\npath = "core"\n[[tool.towncrier.section]]\nname = "Web"\npath = "w"\n'
)
CONFIGS = {
    "defaults, rst": 'directory = "news"\n',
    "defaults, md": 'directory = "news"\nfilename = "CHANGES.md"\n',
    "a package": 'package = "nova"\npackage_dir = "src"\n',
    "types": f'directory = "news"\n{TYPES}',
    "types, one hidden": f'directory = "news"\nfilename = "N.md"\n{HIDDEN}',
    "fragment tables": f'directory = "news"\n{TABLES}',
    "both, of which one counts": f'directory = "news"\n{TABLES}{TYPES}',
    "links, rst": 'directory = "news"\nissue_format = "`#{issue} <https://e.org/{issue}>`__"\n',
    "links, md": 'directory = "news"\nfilename = "N.md"\nissue_format = "[#{issue}](https://e.org/{issue})"\n',
    "words for issues": 'directory = "news"\nissue_format = "issue {issue}"\n',
    "a sign for all issues": 'directory = "news"\nissue_format = "#{issue}"\n',
    "other orphans": 'directory = "news"\norphan_prefix = "gh"\n',
    "no orphans": 'directory = "news"\norphan_prefix = ""\n',
    "ignored": f'directory = "news"\nfilename = "N.md"\nignore = ["alpha*", "*.TXT", "notes*", "*.jinja"]\n{ALL}',
    "parts": f'directory = "news"\n{PARTS}',
    "parts, md": f'directory = "news"\nfilename = "N.md"\n{PARTS}{TYPES}',
    "parts of a package": f'package = "nova"\n{NAMED}',
}
TEXTS = {
    "rst": (
        "One line.", "Two\nlines.", "It is ``code`` and *more*.", "First.\n\nSecond.", "A list:\n\n- one\n- two",
        "See `there <https://e.org/x>`_.", "One line.\n", "  Indented. ", "Zeta", "An example::\n\n    x = 1",
    ),
    "md": (
        "One line.", "Two\nlines.", "It is `code` and *more*.", "First.\n\nSecond.", "A list:\n\n- one\n- two",
        "See [there](https://e.org/x).", "One line.\n", "A tight list:\n- one\n- two", "Zeta", "1 < 2 & 3",
    ),
}  # fmt: skip
NAMES = st.builds(
    "{}.{}{}{}".format,
    st.sampled_from(["1", "2", "12", "007", "#11", "gh-3", "gh-12", "fix-1.2", "alpha", "omega", "+", "+x", "+1"]),
    st.sampled_from(KEYS),
    st.sampled_from(["", "", ".1", ".2", ".10"]),
    st.sampled_from(["", "", ".SUFFIX", ".txt"]),
)


@pytest.mark.parametrize("config", CONFIGS)
def test_towncrier_has_the_same_items(config: str) -> None:
    own = f"[tool.towncrier]\n{CONFIGS[config]}"
    form = "md" if ".md" in own else "rst"
    found = fragments.towncrier_of(own)
    assert found is not None
    places = [directory for _, directory in next(iter(fragments.places(found))).sections]
    texts = st.sampled_from(TEXTS[form])
    several = st.dictionaries(st.tuples(st.sampled_from(places), NAMES), texts, min_size=1, max_size=9)

    @often
    @given(several)
    def law(written: Mapping[tuple[str, str], str]) -> None:
        with TemporaryDirectory() as room:
            _write(Path(room), own, {(p, n.replace("SUFFIX", form)): text for (p, n), text in written.items()}, places)
            done = CliRunner().invoke(cli, ["build", "--draft", "--dir", room, "--version", "1", "--name", "nova"])
            assume(not isinstance(done.exception, ValueError))  # two files of one name to it, which it refuses
            assert done.exit_code == 0, done.output
            read = _read(Path(room), found)
        named = any(name for name, _ in found.sections)
        theirs = of_markdown(done.stdout) if form == "md" else of_restructured(done.stdout)
        # twice the same issue for one text is said once here
        once = {
            titles: [re.sub(r"(\S+)(, \1)+(?=[,)]|$)", r"\1", item) for item in items]
            for titles, items in theirs.items()
        }
        assert list(_flat(read, named=named)) == list(_flat(once, named=named))

    law()


def _flat(told: Told, *, named: bool) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Titles from the top, without that of the whole."""
    for (first, second), items in told.items():
        titles = tuple(t for t in (first, second) if t and not t.startswith("nova 1 ("))
        if items:
            yield titles if named else titles[-1:], items


def _write(room: Path, own: str, written: Mapping[tuple[str, str], str], places: list[str]) -> None:
    (room / "pyproject.toml").write_text(own)
    for place in places:
        (room / place).mkdir(parents=True)
        for name in OTHERS:
            (room / place / name).write_text("no fragment")
    for (place, name), text in written.items():
        (room / place / name).write_text(text)


def _read(room: Path, found: fragments.Towncrier) -> Told:
    place = next(iter(fragments.places(found)))
    parts = [(name, _files(room / directory)) for name, directory in place.sections]
    return ours(fragments.towncrier_sections(found, parts))


def _files(directory: Path) -> dict[str, str]:
    return {str(path): path.read_text() for path in directory.iterdir() if path.is_file()}


# --- scriv ----------------------------------------------------------------------------------------------------------

HEADINGS = ("", "Added", "Fixed", "Security", "Removed", "Other things")
SAID = {
    "md": ("- One.", "- One.\n- Two,\n  longer.", "A paragraph.\n\nAnother.", "- With `code`\n\n  and more.", "* Star"),
    "rst": (
        "- One.",
        "- One.\n- Two,\n  longer.",
        "A paragraph.\n\nAnother.",
        "- With ``code``\n\n  and more.",
        "* Star",
    ),
}
HIDDEN_IN = {
    "md": "<!--\nUncomment what fits.\n### Removed\n\n- A bullet item.\n-->\n",
    "rst": ".. Uncomment what fits.\n..\n.. Removed\n.. -------\n..\n.. - A bullet item.\n..\n\n",
}
SCRIV: dict[str, dict[str, Any]] = {
    "defaults": {},
    "own categories": {"categories": ["Security", "Other things", "Added"]},
    "no categories": {"categories": []},
    "others are skipped": {"skip_fragments": "2026*"},
}


def _fragment(form: str, parts: list[tuple[str, str]], *, hidden: bool) -> str:
    """A fragment as people write it: each heading once, what has none first."""
    written = []
    for title, text in sorted(dict(parts).items(), key=lambda part: bool(part[0])):
        head = f"### {title}\n\n" if form == "md" else f"{title}\n{'-' * len(title)}\n\n"
        written.append(f"{head if title else ''}{text}\n")
    return HIDDEN_IN[form] * hidden + "\n".join(written)


@pytest.mark.parametrize("form", ["md", "rst"])
@pytest.mark.parametrize("config", SCRIV)
def test_scriv_has_the_same_items(config: str, form: str) -> None:
    parts = st.tuples(st.sampled_from(HEADINGS), st.sampled_from(SAID[form]))
    several = st.dictionaries(
        st.sampled_from(["2025_ada", "2026_ada", "2026_Bob_road", "x", "README", "readme"]),
        st.tuples(st.lists(parts, max_size=3), st.booleans()),
        min_size=1, max_size=5,
    )  # fmt: skip
    categories = SCRIV[config].get("categories")
    table = "".join(f"{key} = {value!r}\n" for key, value in SCRIV[config].items())
    found = fragments.scriv_of(f"[tool.scriv]\n{table}")
    assert found is not None

    @often
    @given(several)
    def law(written: Mapping[str, tuple[list[tuple[str, str]], bool]]) -> None:
        with TemporaryDirectory() as room:
            for name, (parts, hidden) in written.items():
                Path(room, f"{name}.{form}").write_text(_fragment(form, parts, hidden=hidden))
            scriv = RealScriv(config=ScrivConfig(fragment_directory=room, format=form, **SCRIV[config]))
            gathered = scriv.combine_fragments(scriv.fragments_to_combine())
            rendered = scriv.changelog().format_tools().format_sections(gathered)
            read = ours(fragments.scriv_sections(found, _files(Path(room))))
        theirs = of_markdown(rendered) if form == "md" else of_restructured(rendered)
        assert {title: items for (title, _), items in read.items()} == {"".join(t): i for t, i in theirs.items()}
        known = [title for (title, _) in read if title in (categories if categories is not None else found.categories)]
        assert known == [title for title in map("".join, theirs) if title in known], "in the order of the categories"

    law()


@pytest.mark.parametrize(
    "text",
    [
        "### Added\n\n- One.\n\n# Above\n\n- Two.\n",
        "## Added\n\n- One.\n\n# Above\n\n- Two.\n\n## Fixed\n\n- Three.\n\n### Below\n\n- Four.\n",
        "- None.\n\n### Added\n\n- One.\n\n## Above\n\n- Two.\n\n### Added\n\n- Three.\n",
        "Underlined\n----------\n\n- None.\n\n### Added\n\n- One.\n",
        "Underlined\n==========\n\n- None.\n",
        "### Added ###\n\n- One.\n",
    ],
)
def test_scriv_has_the_same_sections_whatever_stands_above_them(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.md").write_text(text)
    scriv = RealScriv(config=ScrivConfig(fragment_directory=str(tmp_path), format="md"))
    theirs = scriv.combine_fragments(scriv.fragments_to_combine())
    read = fragments.scriv_sections(fragments.Scriv(), _files(tmp_path))
    assert [s.title for s in read] == [(title or "").strip("# ") for title in theirs]
    for section, paragraphs in zip(read, theirs.values(), strict=True):
        words = re.findall(r"[A-Z]\w+", section.body)
        assert words == re.findall(r"[A-Z]\w+", "\n".join(paragraphs)), section.title


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("setup.cfg", "[scriv]\nfragment_directory = news.d\ncategories = One, Two\n"),
        ("tox.ini", "[tool.scriv]\ncategories =\n    One\n    Two\nskip_fragments = _*\n"),
        ("scriv.ini", "[scriv]\nformat = md\ncategories =\n"),
        ("scriv.ini", "[metadata]\nname = x\n"),
        ("pyproject.toml", '[tool.scriv]\nfragment_directory = "news.d"\ncategories = ["One", "Two"]\n'),
        ("pyproject.toml", '[tool.scriv]\ncategories = "One, Two"\n'),
    ],
)
def test_scriv_reads_the_same_settings(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    theirs = ScrivConfig(post_create_=False)
    (theirs.read_one_toml if name.endswith("toml") else theirs.read_one_config)(str(tmp_path / name))
    read = fragments.scriv_of(text) if name.endswith("toml") else fragments.scriv_of("", [text])
    assert name.endswith("toml") or fragments.scriv_of("", own=text) == read
    read = read or fragments.Scriv()
    assert (read.directory, list(read.categories), read.skip) == (
        theirs.fragment_directory, theirs.categories, theirs.skip_fragments,
    )  # fmt: skip


# --- keep a changelog -----------------------------------------------------------------------------------------------

KEPT = """\
# Changelog
All notable changes are here, as [Keep a Changelog](https://keepachangelog.com/en/1.1.0/) says.

## [Unreleased]
### Added
- nothing yet

## [1.2.0] - 2026-01-31
### Added
- A road that can be resumed, [#12](https://e.org/12)
- `code` and more

### Fixed
- It, at last

### Security
- Nobody gets in

## [1.1.0] - 2025-12-01 [YANKED]
### Changed
- All of it

### Removed
- The old one
- The older one

## [1.0.0rc1] - 2025-11-01
### Added
- First

[Unreleased]: https://e.org/compare/1.2.0...HEAD
[1.2.0]: https://e.org/compare/1.1.0...1.2.0
[1.1.0]: https://e.org/compare/1.0.0rc1...1.1.0
"""


@pytest.mark.parametrize("version", ["1.2.0", "1.1.0", "1.0.0rc1"])
def test_keepachangelog_has_the_same_items(tmp_path: Path, version: str) -> None:
    path = tmp_path / "CHANGELOG.md"
    path.write_text(KEPT)
    theirs = keepachangelog.to_dict(str(path))[version]
    read = {title: items for (title, _), items in ours(changelog.sections_of(path.name, KEPT, version)).items()}
    links = re.compile(r"\[([^]]*)\]\([^)]*\)")
    assert {title.casefold(): items for title, items in read.items()} == {
        category: [plain(links.sub(r"\1", item).replace("`", "")) for item in items]
        for category, items in theirs.items() if category != "metadata"
    }  # fmt: skip

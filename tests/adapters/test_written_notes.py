"""Notes that projects wrote: where each is found, which wins, and what enemies may put there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tagtrail.adapters.git import GitSource
from tagtrail.adapters.git_notes import GitNotes
from tagtrail.formats.notes import format_notes, parse_notes
from tagtrail.model.errors import ProjectError
from tagtrail.model.notes import Notes
from tagtrail.ports import NotesOrder
from tests.adapters.projects import Repo, repository
from tests.formats.items import of_restructured, ours

pytestmark = pytest.mark.client

OLD, NEW = "releasenotes/notes/old-0123456789abcdef.yaml", "releasenotes/notes/new-fedcba9876543210.yaml"
CHANGELOG = "# Changes\n\n## 1.1.0 (2026-01-31)\n\n### Added\n\n- a road\n\n## 1.0.0\n\n- first\n"
TOWNCRIER = '[tool.towncrier]\ndirectory = "news"\nfilename = "NEWS.md"\n'


def read(repo: Repo, room: Path, since: str | None = None, how: str = "", version: str = "1.1.0") -> Notes:
    commit = repo.git("rev-parse", "HEAD")
    objects = GitSource(room / "mirrors").objects(str(repo.path), version, commit)
    order = NotesOrder(version=version, commit=commit, follows="1.0.0" if since else "", since=since, how=how)
    notes = GitNotes(room / "scratch").read(objects, order)
    assert parse_notes(format_notes(notes)) == notes
    return notes


def said(notes: Notes) -> dict[str, str]:
    return {section.title: section.body for section in notes.sections}


def test_reno_notes_of_this_release_alone(tmp_path: Path) -> None:
    repo = repository(tmp_path / "nova")
    first = repo.commit({OLD: "features:\n  - old\n"}, "Begin")
    repo.commit({NEW: "prelude: Hello.\nfixes:\n  - |\n    A ``crash``.\n", OLD: "features:\n  - older\n"}, "Go on")
    notes = read(repo, tmp_path, first)
    assert (notes.source, notes.where) == ("reno", "releasenotes/notes")
    assert said(notes) == {"": "Hello.", "Bug Fixes": "- A `crash`."}
    assert said(read(repo, tmp_path))["New Features"] == "- older", "a note's text is the one at the tag"


@pytest.mark.parametrize(
    ("files", "source", "where", "sections"),
    [
        ({"CHANGELOG.md": CHANGELOG}, "changelog", "CHANGELOG.md", {"Added": "- a road"}),
        ({"docs/changelog.md": CHANGELOG}, "changelog", "docs/changelog.md", {"Added": "- a road"}),
        ({"CHANGES.rst": "Changes\n=======\n\n1.1\n---\n\n* ``x``\n\n1.0\n---\n\n* y\n"}, "changelog", "CHANGES.rst",
         {"": "- `x`"}),
        ({"pyproject.toml": TOWNCRIER, "news/12.feature.md": "A road\n", "news/+x.misc.md": "no"}, "towncrier", "news",
         {"Features": "- A road (\\#12)", "Misc": "- no"}),
        ({"changelog.d/20260101_jo.md": "<!--\nhelp\n-->\n### Fixed\n\n- it\n"}, "scriv", "changelog.d",
         {"Fixed": "- it"}),
        ({"CHANGELOG.md": CHANGELOG.replace("1.1.0", "2.0.0")}, "commits", "", None),
        ({OLD: "features: [&a x, *a]\n"}, "commits", "", None),
        ({"CHANGELOG.md": ""}, "commits", "", None),
    ],
)  # fmt: skip
def test_where_notes_are(
    tmp_path: Path, files: dict[str, str], source: str, where: str, sections: dict[str, str] | None
) -> None:
    repo = repository(tmp_path / "nova")
    repo.commit(files, "Begin")
    notes = read(repo, tmp_path)
    assert (notes.source, notes.where) == (source, where)
    assert sections is None or said(notes) == sections


@pytest.mark.parametrize(
    ("how", "source"),
    [("", "reno"), ("reno", "reno"), ("changelog", "changelog"), ("changelog:CHANGELOG.md", "changelog"),
     ("fragments:news", "towncrier"), ("commits", "commits")],
)  # fmt: skip
def test_the_settings_choose(tmp_path: Path, how: str, source: str) -> None:
    repo = repository(tmp_path / "nova")
    repo.commit({NEW: "fixes: [x]\n", "CHANGELOG.md": CHANGELOG, "news/1.feature.rst": "y"}, "Begin")
    assert read(repo, tmp_path, how=how).source == source


@pytest.mark.parametrize("how", ["reno", "changelog", "changelog:NEWS.md", "fragments", "fragments:news"])
def test_what_the_settings_name_must_be_there(tmp_path: Path, how: str) -> None:
    repo = repository(tmp_path / "nova")
    repo.commit({"README": ""}, "Begin")
    with pytest.raises(ProjectError) as caught:
        read(repo, tmp_path, how=how)
    assert caught.value.code == "notes-missing"


def test_a_link_is_not_followed_and_a_large_file_is_not_read(tmp_path: Path) -> None:
    repo = repository(tmp_path / "nova")
    (tmp_path / "outside").write_text(CHANGELOG)
    (repo.path / "CHANGELOG.md").symlink_to(tmp_path / "outside")
    repo.git("add", "CHANGELOG.md")
    repo.commit({"CHANGES.md": CHANGELOG + "x" * (1 << 20)}, "Begin")
    assert read(repo, tmp_path).source == "commits"


RENO = {
    "titles": {
        "a-1111111111111111": "upgrade:\n  - up ``code``\n  - |\n    two\n\n    paragraphs\nfixes:\n  - crash\n"
    },
    "a prelude": {
        "b-2222222222222222": "prelude: >\n  Hello.\nsecurity:\n  - holes\n",
        "c-3333333333333333": "other: [x]\n",
    },
    "an old note with new words": {"old-0123456789abcdef": "features:\n  - old, in new words\n"},
    "an old note under a new name": {
        "new-0123456789abcdef": "features:\n  - old\n",
        "d-4444444444444444": "critical: [y]\n",
    },
    "a list in a note": {"e-5555555555555555": "features:\n  - |\n    Some:\n\n    * one\n    * two\n"},
    "old names and directories": {"8888888888888888-x-y": "other: [x]\n", "below/h-9999999999999999": "fixes: [y]\n"},
    "one text for a section": {"f-6666666666666666": "issues: known\n"},
    "a name without an id": {"README": "features: [text]\n", "g-7777777777777777": "deprecations: [z]\n"},
}


@pytest.mark.parametrize("written", RENO)
@pytest.mark.parametrize("config", ["", "sections:\n  - [fixes, Mended]\n  - [upgrade, To do]\n  - [features, New]\n"])
def test_reno_itself_finds_the_same(tmp_path: Path, written: str, config: str) -> None:
    repo = repository(tmp_path / "nova")
    first = repo.commit(
        {OLD: "features:\n  - old\n", "releasenotes/config.yaml": f"---\n{config or 'collapse_pre_releases: true'}"}
    )
    repo.git("tag", "--annotate", "--message", "1.0.0", "1.0.0")
    files: dict[str, str | None] = {f"releasenotes/notes/{name}.yaml": text for name, text in RENO[written].items()}
    gone = {OLD: None} if "under a new name" in written else {}
    repo.commit(files | gone, "Go on")
    repo.git("tag", "--annotate", "--message", "1.1.0", "1.1.0")
    program = "import sys; from reno.main import main; sys.exit(main())"
    reno = [sys.executable, "-c", program, "-q", "report", "--version", "1.1.0", "--no-show-source", "."]
    told = subprocess.run(reno, cwd=repo.path, env=os.environ, check=False, capture_output=True, text=True)
    found = read(repo, tmp_path, first)
    assert told.returncode == 0 or "KeyError: '1.1.0'" in told.stderr, "it has nothing of that version"
    theirs = {titles[1].replace("Prelude", ""): items for titles, items in of_restructured(told.stdout).items()}
    mine = ours(found.sections) if found.source == "reno" else {}
    assert {title: items for (title, _), items in mine.items()} == theirs

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


@pytest.mark.index
@pytest.mark.slow
def test_reno_itself_finds_the_same(tmp_path: Path) -> None:
    repo = repository(tmp_path / "nova")
    first = repo.commit({OLD: "features:\n  - old\n"}, "Begin")
    repo.git("tag", "--annotate", "--message", "1.0.0", "1.0.0")
    repo.commit({NEW: "prelude: Hello.\nfixes:\n  - |\n    A ``crash``.\nupgrade:\n  - up\n"}, "Go on")
    repo.git("tag", "--annotate", "--message", "1.1.0", "1.1.0")
    tool = str(tmp_path / "tool")
    pip = [sys.executable, "-m", "pip", "install", "-qq", "--target", tool, "reno==4.1.0", "setuptools"]
    subprocess.run(pip, check=True, capture_output=True)
    program = "import sys; from reno.main import main; sys.exit(main())"
    reno = [sys.executable, "-c", program, "report", "--version", "1.1.0", "--no-show-source", "."]
    env = os.environ | {"PYTHONPATH": tool}
    told = subprocess.run(reno, cwd=repo.path, env=env, check=True, capture_output=True, text=True).stdout
    notes = said(read(repo, tmp_path, first))
    assert [title for title in notes if title] == [t for t in ("Upgrade Notes", "Bug Fixes") if t in told]
    assert "old" not in told
    for text in ("Hello.", "up", "crash"):
        assert text in told
        assert any(text in body for body in notes.values())

from pathlib import Path

import pytest

from tagtrail.adapters.git import GitSource
from tagtrail.adapters.git_notes import MOST, GitNotes
from tagtrail.formats.notes import format_notes
from tagtrail.model.errors import ProjectError
from tagtrail.ports import NotesOrder
from tests.adapters.projects import Repo, repository

pytestmark = pytest.mark.client


def notes(repo: Repo, since: str | None, scratch: Path) -> str:
    commit = repo.git("rev-parse", "HEAD")
    objects = GitSource(scratch / "mirrors").objects(str(repo.path), "1.0", commit)
    order = NotesOrder(version="1.0", commit=commit, follows="0.9" if since else "", since=since)
    text = format_notes(GitNotes(scratch / "scratch").read(objects, order))
    assert list((scratch / "scratch").iterdir()) == []
    return text


def lines(text: str) -> list[str]:
    """What stands after the shortened ids."""
    return [line.split("` ", 1)[1] for line in text.splitlines() if line.startswith("- `")]


def test_what_happened_since_the_previous_release(tmp_path: Path) -> None:
    repo = repository(tmp_path / "nova")
    first = repo.commit({"a": "1"}, "Begin")
    second = repo.commit({"a": "2"}, "Go on\n\nThe body is not shown.")
    assert notes(repo, None, tmp_path) == (
        f"## Commits\n\n- `{second[:10]}` Go on\n- `{first[:10]}` Begin\n\n"
        "## The first release\n\n- 2 commits by 1 person\n- notes: the commits\n"
    )
    assert notes(repo, first, tmp_path) == (
        f"## Commits\n\n- `{second[:10]}` Go on\n\n## Since 0.9\n\n- 1 commit by 1 person\n- notes: the commits\n"
    )
    assert notes(repo, second, tmp_path) == "## Since 0.9\n\n- no commits\n- notes: the commits\n"


def test_merges_are_left_out_and_people_are_counted(tmp_path: Path) -> None:
    repo = repository(tmp_path / "nova")
    first = repo.commit({"a": "1"}, "Begin")
    repo.git("switch", "--quiet", "--create", "side")
    repo.commit({"b": "1"}, "Aside")
    repo.git("switch", "--quiet", "main")
    repo.git("commit", "--quiet", "--allow-empty", "--message", "By Bob", "--author", "Bob <bob@example.org>")
    repo.git("merge", "--quiet", "--message", "Merge it", "side")
    text = notes(repo, first, tmp_path)
    assert "\n- 2 commits by 2 people\n" in text
    assert sorted(lines(text)) == ["Aside", "By Bob"]
    assert "bob" not in text.casefold().replace("by bob", "")


@pytest.mark.parametrize(
    ("subject", "shown"),
    [
        ("plain words, (and) more; 100% - yes", "plain words, (and) more; 100% - yes"),
        ("*bold* _it_ `code`", r"\*bold\* \_it\_ \`code\`"),
        ("[text](http://evil.example)", r"\[text\](http\://evil.example)"),
        ("![image](x) # heading | cell", r"\!\[image\](x) \# heading \| cell"),
        ("<script>alert(1)</script> &amp;", r"\<script\>alert(1)\</script\> \&amp;"),
        ("<https://evil.example> www.evil.example", r"\<https\://evil.example\> www\.evil.example"),
        ("back\\slash ~~gone~~ $x$", r"back\\slash \~\~gone\~\~ \$x\$"),
        ("thanks to jo@example.org and @jo", r"thanks to ... and \@jo"),
        ("\u202eright to left\u200b\x1b[31m red", "right to left [31m red".replace("[", r"\[")),
        ("a\u2028b\x85c\rd", "a b c d"),
        ("x" * 300, "x" * 197 + "..."),
        ("\u00fcber \u2014 caf\u00e9", "\u00fcber \u2014 caf\u00e9"),
    ],
)
def test_subjects_are_plain_text_whatever_they_hold(tmp_path: Path, subject: str, shown: str) -> None:
    repo = repository(tmp_path / "nova")
    repo.commit({}, subject)
    assert lines(notes(repo, None, tmp_path)) == [shown]


def test_a_long_history_is_cut_and_says_so(tmp_path: Path) -> None:
    repo = repository(tmp_path / "nova")
    stream = "".join(
        f"commit refs/heads/main\ncommitter a <a> {n} +0000\ndata <<E\nnumber {n}\nE\n" for n in range(1, MOST + 8)
    )
    repo.git("fast-import", "--quiet", stdin=stream.encode())
    text = notes(repo, None, tmp_path)
    assert f"\n- {MOST + 7} commits by 1 person\n" in text
    assert len(lines(text)) == MOST
    assert "\n- and 7 earlier ones\n\n## The first release\n" in text
    assert lines(text)[0] == f"number {MOST + 7}"


def test_subjects_in_other_encodings(tmp_path: Path) -> None:
    repo = repository(tmp_path / "nova")
    repo.git("-c", "i18n.commitEncoding=ISO-8859-1", "commit", "--quiet", "--allow-empty", "--file=-", stdin=b"caf\xe9")
    assert lines(notes(repo, None, tmp_path)) == ["caf\u00e9"]


def test_settings_of_the_repository_run_nothing(tmp_path: Path) -> None:
    repo = repository(tmp_path / "nova")
    repo.commit({}, "Begin")
    (tmp_path / "program").write_text(f"#!/bin/sh\ntouch {tmp_path}/mark\n")
    (tmp_path / "program").chmod(0o755)
    for key, value in (("log.showSignature", "true"), ("gpg.program", str(tmp_path / "program"))):
        repo.git("config", key, value)
    notes(repo, None, tmp_path)
    assert not (tmp_path / "mark").exists()


def test_a_commit_that_is_not_there(tmp_path: Path) -> None:
    repo = repository(tmp_path / "nova")
    repo.commit({}, "Begin")
    with pytest.raises(ProjectError) as caught:
        notes(repo, "0" * 40, tmp_path)
    assert caught.value.code == "objects-missing"

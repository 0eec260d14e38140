"""`tagtrail check`: findings for tags that are there or not, with and without an instance; nothing is written."""

import shutil
from pathlib import Path

import pytest

from tests.app.places import PYPROJECT, Place

pytestmark = pytest.mark.client


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Place:
    made = Place(tmp_path_factory.mktemp("template")).make()
    made.instance()
    assert made.add("mylib").code == 0
    return made


@pytest.fixture
def known(template: Place, tmp_path: Path) -> Place:
    """With an instance that knows the project and its signer."""
    return template.copy(tmp_path)


@pytest.fixture
def place(known: Place) -> Place:
    """Without an instance."""
    shutil.rmtree(known.home)
    return known


def check(place: Place, *words: str) -> tuple[int, list[str]]:
    before = place.files()
    ended = place.run("-C", str(place.home), "check", *words)
    assert place.files() == before
    return ended.code, ended.findings


# --- any checkout ---


def test_before_the_tag_is_there(place: Place) -> None:
    place.git("tag", "1.1.0")
    before = place.files()
    ended = place.run("check", ".", "1.2.0", cwd=place.repo)
    commit = place.git("rev-parse", "HEAD")
    assert (ended.code, ended.findings) == (0, [])
    assert ended.outcome["text"] == (
        f"1.2.0 at HEAD ({commit[:8]}): nothing against it.  follows 1.1.0; plain `pip install mylib` will pick it"
    )
    assert ended.outcome["next"] == "git tag -s 1.2.0 && git push origin 1.2.0"
    assert place.files() == before


def test_a_refusal_that_teaches(place: Place) -> None:
    place.git("tag", "33.0.2")
    ended = place.run("check", ".", "2026.1", cwd=place.repo)
    assert (ended.code, ended.findings) == (3, ["year-jump"])
    assert ended.outcome["next"] == "tagtrail check --explain TAG007"
    finding = next(e for e in ended.events if e["event"] == "finding")
    assert finding["fix"].startswith('keep 34.0.0 and set series = "2026.1')


def test_what_was_not_asked_is_said(place: Place) -> None:
    ended = place.run("check", ".", "1.0", cwd=place.repo)
    assert [(e["what"], e["because"]) for e in ended.events if e["event"] == "skip"] == [
        ("PLACE001, PLACE002, PLACE003, PLACE004 were not asked", "where it goes is known to an instance only"),
        ("TAG001 was not asked", "there is no tag 1.0 yet"),
    ]
    place.git("tag", "-s", "-m", "x", "1.0")
    ended = place.run("check", ".", "1.0", cwd=place.repo)
    assert (ended.code, ended.findings) == (0, [])
    assert [e["because"] for e in ended.events if e["event"] == "skip"] == [
        "where it goes is known to an instance only",
        "who may sign is known to an instance only",
    ]


@pytest.mark.parametrize(
    ("tag", "options", "code"),
    [
        ("1.0", [], "tag-light"),
        ("1.0", ["-a", "-m", "x"], "tag-unsigned"),
        ("stein-eol", ["-s", "-m", "x"], "tag-lifecycle"),
    ],
)
def test_what_is_wrong_for_everybody(tag: str, options: list[str], code: str, place: Place) -> None:
    place.git("tag", *options, tag)
    ended = place.run("check", ".", tag, cwd=place.repo)
    assert (ended.code, ended.findings) == (3, [code])


def test_from_below_and_from_elsewhere(place: Place) -> None:
    (place.repo / "deep" / "er").mkdir(parents=True)
    assert place.run("check", ".", "1.0", cwd=place.repo / "deep" / "er").code == 0
    assert place.run("check", str(place.repo), "1.0", cwd=place.root).code == 0
    assert place.run("check", "./mylib", "1.0", cwd=place.root).code == 0


def test_tags_with_v(place: Place) -> None:
    place.git("tag", "v1.0")
    assert place.run("check", ".", "v1.1", cwd=place.repo).findings == []
    assert place.run("check", ".", "1.1", cwd=place.repo).outcome["next"] == "git tag -s v1.1 && git push origin v1.1"


def test_what_is_no_python_may_write_semver(place: Place) -> None:
    place.git("rm", "-q", "pyproject.toml")
    place.commit({"main.go": "package main"})
    words = ("check", ".", "v0.6.0-rc.1")
    assert place.run(*words, cwd=place.repo).findings == []
    place.git("tag", "v0.5.0")
    assert place.run(*words, cwd=place.repo).findings == []
    place.commit({"setup.py": "from setuptools import setup; setup()"})
    assert place.run(*words, cwd=place.repo).findings == ["canonical-version"]


def test_at_a_commit(place: Place) -> None:
    first = place.git("rev-parse", "HEAD")
    place.commit({"pyproject.toml": PYPROJECT.replace("mylib", "other")})
    ended = place.run("check", ".", "1.0", "--at", first[:10], cwd=place.repo)
    assert ended.outcome["text"].startswith(f"1.0 at {first[:10]} ({first[:8]}): nothing against it.")
    assert ended.outcome["project"] == "mylib"
    assert place.run("check", ".", "1.0", "--at", "nowhere", cwd=place.repo).refusal == "commit-missing"


def test_no_checkout(place: Place) -> None:
    ended = place.run("check", ".", "1.0", cwd=place.user)
    assert (ended.code, ended.refusal) == (2, "repo-missing")


def test_settings_that_lie_in_the_checkout_are_not_used(place: Place) -> None:
    (place.repo / "tagtrail.toml").write_text("[planted]\n")
    assert place.run("check", ".", "1.0", cwd=place.repo).code == 0


# --- with an instance ---


def test_a_signed_tag(known: Place) -> None:
    known.git("tag", "-s", "-m", "x", "1.0.0")
    ended = known.run("-C", str(known.home), "check", "mylib", "1.0.0")
    assert (ended.code, ended.findings) == (0, [])
    assert [e["person"] for e in ended.events if e["event"] == "tag"] == ["jo-doe"]
    assert not [e for e in ended.events if e["event"] == "skip"]
    assert ended.outcome["next"] == "tagtrail release mylib 1.0.0"


def light(place: Place) -> None:
    place.git("tag", "1.0.0")


def unsigned(place: Place) -> None:
    place.git("tag", "-a", "-m", "x", "1.0.0")


def unknown_signer(place: Place) -> None:
    place.config("user.signingkey", f"{place.new_key('stranger')}.pub")
    place.git("tag", "-s", "-m", "x", "1.0.0")


def other_ref(place: Place) -> None:
    place.git("tag", "-s", "-m", "x", "0.9.0")
    place.git("update-ref", "refs/tags/1.0.0", place.git("rev-parse", "refs/tags/0.9.0"))
    place.git("tag", "-d", "0.9.0")


def tag_of_tag(place: Place) -> None:
    place.git("tag", "-s", "-m", "x", "inner")
    place.git("tag", "-s", "-m", "x", "1.0.0", "inner")


def other_name(place: Place) -> None:
    place.commit({"pyproject.toml": PYPROJECT.replace("mylib", "other")})
    place.git("tag", "-s", "-m", "x", "1.0.0")


def other_version(place: Place) -> None:
    text = PYPROJECT.replace('dynamic = ["version"]', 'version = "1.1.0"')
    place.commit({"pyproject.toml": text})
    place.git("tag", "-s", "-m", "x", "1.0.0")


def own_settings(place: Place) -> None:
    place.commit({"pyproject.toml": PYPROJECT + '[tool.tagtrail]\npublish = ["elsewhere"]\n'})
    place.git("tag", "-s", "-m", "x", "1.0.0")


def two_tags(place: Place) -> None:
    place.git("tag", "-s", "-m", "x", "1.0.0")
    place.git("tag", "-s", "-m", "x", "1.0")


WRONG = {
    light: "tag-light",
    unsigned: "tag-unsigned",
    unknown_signer: "tag-signer-unknown",
    other_ref: "tag-name",
    tag_of_tag: "tag-of-tag",
    other_name: "name-declared",
    other_version: "version-declared",
    own_settings: "own-settings",
    two_tags: "one-tag-per-version",
}


@pytest.mark.parametrize("prepare", WRONG, ids=lambda prepare: prepare.__name__)
def test_one_thing_wrong(prepare: object, known: Place) -> None:
    prepare(known)  # type: ignore[operator]
    assert check(known, "mylib", "1.0.0") == (3, [WRONG[prepare]])  # type: ignore[index]


@pytest.mark.parametrize("tag", ["1.0.0.x", "one"])
def test_no_version(tag: str, known: Place) -> None:
    known.git("tag", "-s", "-m", "x", tag)
    assert check(known, "mylib", tag) == (3, ["pep440"])


def test_a_checkout_that_is_a_project_of_the_named_instance(known: Place) -> None:
    known.config("user.signingkey", f"{known.new_key('stranger')}.pub")
    known.git("tag", "-s", "-m", "x", "1.0.0")
    ended = known.run("check", ".", "1.0.0", cwd=known.repo, TAGTRAIL_HOME=str(known.home))
    assert ended.findings == ["tag-signer-unknown"]
    assert known.run("check", ".", "1.0.0", cwd=known.repo).findings == []


def test_a_switched_rule(known: Place) -> None:
    with (known.home / "tagtrail.toml").open("a") as settings:
        settings.write('[project.mylib.rules]\nTAG009 = { level = "off", because = "renamed upstream" }\n')
    other_name(known)
    assert check(known, "mylib", "1.0.0") == (0, [])


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("mylub", "1.0"), "project-unknown"),
        (("mylib",), "usage"),
        ((), "usage"),
        (("--explain", "TAG99"), "rule-unknown"),
        (("mylib", "a..b"), "tag-name"),
    ],
)
def test_usage(words: tuple[str, ...], code: str, known: Place) -> None:
    ended = known.run("-C", str(known.home), "check", *words)
    assert (ended.code, ended.refusal) == (2, code)


def test_missing_repository(known: Place) -> None:
    known.repo.rename(known.root / "gone")
    ended = known.run("-C", str(known.home), "check", "mylib", "1.0")
    assert (ended.code, ended.refusal) == (2, "repo-missing")


def test_missing_key_file(known: Place) -> None:
    (known.home / "keys" / "jo-doe.allowed_signers").unlink()
    ended = known.run("-C", str(known.home), "check", "mylib", "1.0")
    assert (ended.code, ended.refusal) == (2, "people-keys")


def test_explain(place: Place) -> None:
    ended = place.run("check", "--explain", "year-jump")
    assert ended.code == 0
    assert ended.events[0]["text"].startswith("TAG007 year-jump\n")


def test_notes_that_are_not_where_the_settings_say_are_missed_before_the_tag(known: Place) -> None:
    settings = known.home / "tagtrail.toml"
    settings.write_text(settings.read_text().replace("[project.mylib]\n", '[project.mylib]\nnotes = "changelog"\n'))
    assert check(known, "mylib", "1.2.0") == (3, ["notes-missing"])
    assert check(known, str(known.repo), "1.2.0") == (3, ["notes-missing"])
    ended = known.run("-C", str(known.home), "check", "mylib", "1.2.0")
    assert ended.outcome["next"] == "", "no rule has that name: there is nothing to explain"
    known.commit({"CHANGELOG.md": "# Changes\n\n## 1.2.0\n\n- all of it\n"})
    assert check(known, "mylib", "1.2.0") == (0, [])
    assert check(known, "mylib", "1.2.0", "--at", "HEAD~1") == (3, ["notes-missing"])

"""`check` with its options: set aside, saved and judged again, annotated, and judged as a release was."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.app.places import TAGTRAIL, Place
from tests.app.world import World

pytestmark = pytest.mark.client


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Place:
    made = Place(tmp_path_factory.mktemp("options")).make()
    made.git("tag", "33.0.2")
    return made


@pytest.fixture
def place(template: Place, tmp_path: Path) -> Place:
    return template.copy(tmp_path)


def test_the_page_is_what_people_read(place: Place) -> None:
    argv = [str(TAGTRAIL), "check", ".", "2026.1"]
    done = subprocess.run(argv, cwd=place.repo, env=place.env, capture_output=True, text=True, check=False)
    first, fix, *_, last, following = done.stdout.splitlines()
    assert first.startswith("TAG007  error   2026.1 starts with a year, 33.0.2 did not")
    assert fix.startswith("        fix     keep 34.0.0 and set series = ")
    assert last.endswith("rules   (exit 3)")
    assert ": 1 error of " in last
    assert following == "next   tagtrail check --explain TAG007"
    assert done.returncode == 3


def test_set_aside(place: Place) -> None:
    ended = place.run("check", ".", "2026.1", "--override", "TAG007", "--because", "we count years", cwd=place.repo)
    assert (ended.code, [(e["rule"], e["level"]) for e in ended.events if e["event"] == "finding"]) == (
        0,
        [("TAG007", "warning")],
    )
    assert [e["because"] for e in ended.events if e["event"] == "override"] == ["we count years"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--override", "TAG007"), "usage"),
        (("--because", "x"), "usage"),
        (("--override", "TAG007", "--override", "TAG005", "--because", "x"), "usage"),
        (("--override", "TAG001", "--because", "x"), "rule-firm"),
        (("--override", "TAG777", "--because", "x"), "rule-unknown"),
        (("--override", "TAG007", "--because", "jo@example.org"), "because"),
        (("--annotate", "jenkins"), "usage"),
        (("--save", "/nowhere/at/all.json"), "not-writable"),
    ],
)
def test_usage(words: tuple[str, ...], code: str, place: Place) -> None:
    ended = place.run("check", ".", "34.0.0", *words, cwd=place.repo)
    assert (ended.code, ended.refusal) == (2, code)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("--facts missing.json", "not-readable", "missing.json cannot be read"),
        ("--facts pyproject.toml", "json-syntax", "not JSON"),
        ("--facts missing.json .", "usage", "--facts knows no PROJECT"),
        ("--facts missing.json --at HEAD", "usage", "--facts knows no --at"),
        ("--facts missing.json --recorded", "usage", "--facts knows no --recorded"),
        ("mylib 1.0 --recorded --at HEAD", "usage", "--recorded knows no --at"),
        ("--pre-push mylib", "usage", "--pre-push knows no PROJECT"),
        ("--pre-push --override TAG007 --because x", "usage", "--pre-push knows no --override"),
        ("--pre-push --annotate sarif", "usage", "--pre-push knows no --annotate"),
        ("--declared --save facts.json", "usage", "--declared knows no --save"),
        ("--declared . 1.0", "usage", "--declared knows no TAG"),
    ],
)
def test_nothing_is_passed_over(words: str, code: str, said: str, place: Place) -> None:
    ended = place.run("check", *words.split(), cwd=place.repo)
    assert (ended.code, ended.refusal) == (2, code)
    (refused,) = (event for event in ended.events if event["event"] == "refused")
    assert said in refused["text" if "text" in refused else "what"]


def test_saved_and_judged_again_without_the_repository(place: Place) -> None:
    aside = ("--override", "TAG007", "--because", "we count years")
    first = place.run("check", ".", "2026.1", *aside, "--save", str(place.root / "facts.json"), cwd=place.repo)
    place.repo.rename(place.root / "gone")
    again = place.run("check", "--facts", "facts.json")
    assert again.code == first.code
    (note,) = [e for e in again.events if e["event"] == "note"]
    assert note["text"].endswith(": the same verdict")
    assert [e for e in again.events if e is not note and e != note] == first.events
    assert place.run("check", "--facts", "facts.json", "--save", "again.json").code == 0
    assert (place.root / "again.json").read_bytes() == (place.root / "facts.json").read_bytes()


def test_another_verdict_is_said(place: Place) -> None:
    place.run("check", ".", "2026.1", "--save", str(place.root / "facts.json"), cwd=place.repo)
    data = json.loads((place.root / "facts.json").read_bytes())
    data["verdict"]["findings"] = []
    (place.root / "facts.json").write_text(json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False))
    ended = place.run("check", "--facts", "facts.json")
    assert ended.code == 3
    assert any("NOT the same verdict, TAG007 speaks now" in e.get("text", "") for e in ended.events)


def test_annotated(place: Place) -> None:
    words = ("check", ".", "2026.1", "--annotate", "github", "--annotate", "gitlab=g.json", "--annotate", "sarif")
    ended = place.run(*words, cwd=place.repo)
    assert ended.err.startswith("::error title=TAG007 year-jump::2026.1 starts with a year")
    assert json.loads((place.repo / "g.json").read_bytes())[0]["check_name"] == "TAG007 year-jump"
    assert json.loads((place.repo / "tagtrail.sarif").read_bytes())["runs"][0]["results"][0]["ruleId"] == "TAG007"


@pytest.mark.parametrize(
    ("environ", "options", "told"),
    [
        ({}, (), False),
        ({"GITHUB_ACTIONS": "true"}, (), True),
        ({"GITHUB_ACTIONS": "true"}, ("--annotate", "none"), False),
        ({"CI": "true"}, (), False),
    ],
)
def test_annotated_unasked(environ: dict[str, str], options: tuple[str, ...], told: bool, place: Place) -> None:
    ended = place.run("check", ".", "2026.1", *options, cwd=place.repo, **environ)
    assert ended.err.startswith("::error") is told
    assert len(ended.events) > 2


# --- with an instance: a release, its entry and page, and what it was judged by ---


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("released")).make()
    world.tag("1.0.0rc1")
    aside = ("--override", "first-prerelease", "--because", "everybody may have it")
    ended = world.tell("release", "toy", "1.0.0rc1", *aside)
    assert ended.code == 0, ended.out
    return world


def test_the_reason_is_in_the_entry_and_on_the_page(released: World) -> None:
    page = (released.site / "toy" / "1.0.0rc1" / "index.html").read_text()
    assert "TAG011" in page
    assert "everybody may have it" in page
    assert (released.tell("release", "toy", "1.0.0rc1")).code == 0


def test_what_it_was_judged_by(released: World) -> None:
    ended = released.tell("check", "toy", "1.0.0rc1", "--recorded")
    assert ended.code == 0, ended.out
    assert ended.event("override")["because"] == "everybody may have it"
    assert any("the same verdict" in e.get("text", "") for e in ended.events)
    by_version = released.tell("check", "toy", "1.0rc1", "--recorded")
    assert by_version.events == ended.events


@pytest.mark.parametrize("words", [("toy", "9.9"), ("toy",)])
def test_what_nobody_remembers(words: tuple[str, ...], released: World) -> None:
    ended = released.tell("check", *words, "--recorded")
    assert (ended.code, ended.event("refused")["code"]) == (2, "case-missing" if words[1:] else "usage")


@pytest.mark.client
@pytest.mark.parametrize("depth", [0, 1])
def test_what_a_shallow_clone_cannot_know_is_said(depth: int, place: Place) -> None:
    place.commit({"x": "1"})
    place.git("clone", "-q", *(["--depth", "1"] if depth else []), place.repo.as_uri(), str(place.root / "clone"))
    ended = place.run("check", ".", "34.0.0", cwd=place.root / "clone")
    skips = [event["because"] for event in ended.events if event["event"] == "skip" and "this clone" in event["what"]]
    assert skips == (["it is shallow: git fetch --unshallow --tags"] if depth else [])


@pytest.mark.client
@pytest.mark.parametrize("what", ["HEAD^{tree}", "HEAD:pyproject.toml"])
def test_a_tag_of_no_commit_says_what_to_do(what: str, place: Place) -> None:
    place.git("tag", "-s", "-m", "x", "34.0.0", what)
    ended = place.run("check", ".", "34.0.0", cwd=place.repo)
    assert (ended.code, ended.refusal) == (3, "tag-not-commit")
    assert ended.events[-1]["next"].startswith("git tag -f -s TAG COMMIT ")


@pytest.mark.client
def test_what_comes_next_can_be_pasted(place: Place) -> None:
    place.git("tag", "-s", "-m", "x", "1!1.0.0")
    ended = place.run("check", ".", "1!1.0.1", cwd=place.repo)
    assert ended.outcome["next"] == "git tag -s '1!1.0.1' && git push origin '1!1.0.1'"

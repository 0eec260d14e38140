"""The rules about places: for each, a survey with exactly one thing wrong; what a place does not say is not held
against it."""

import dataclasses
from typing import Any

import pytest

from tagtrail.model.facts import Entry, File, Survey, TagRef
from tagtrail.model.settings import Project
from tagtrail.rules.book import judge
from tagtrail.rules.facts import Before
from tagtrail.rules.places import PLACES

OURS, OTHER = "a" * 64, "b" * 64
SDIST = "mylib-1.1.0.tar.gz"


def released(version: str, **files: str) -> Entry:
    tag = TagRef(repo="local:mylib", name=version, object="1" * 40, sha256="6" * 64, commit="2" * 40, signer="SHA256:x")
    named = tuple(File(name=name, sha256=digest, size=1000) for name, digest in files.items())
    about: dict[str, Any] = {"index": 0, "raw": b"", "event": "release", "project": "mylib", "time": 0}
    return Entry(**about, files=named, version=version, tag=tag)


HISTORY = (released("1.1.0", **{SDIST: OURS, "mylib-1.1.0-py3-none-any.whl": OURS}),)


def facts(survey: Survey, tag: str = "1.2.0", history: tuple[Entry, ...] = HISTORY) -> Before:
    project = Project(name="mylib", kind="library", repo="/src/mylib", signers=("jo",))
    return Before(project=project, tag=tag, kind="annotated", commit="2" * 40, history=history, surveys=(survey,))


def survey(**says: Any) -> Survey:
    good: dict[str, Any] = {"name": "ours", "may_upload": True, "quota": 10_000, "limit": 5_000}
    return Survey(target="pypi", **good | {"files": ((SDIST, OURS),)} | says)


def found(before: Before) -> list[tuple[str, str, str]]:
    findings = judge(PLACES, before).findings
    assert all(f.fix and f.text.startswith("pypi") for f in findings)
    return [(f.rule, f.code, f.level) for f in findings]


def test_nothing_against_a_good_place() -> None:
    assert found(facts(survey())) == []


def test_what_a_place_does_not_say_is_not_held_against_it() -> None:
    assert found(facts(Survey(target="pypi"))) == []
    assert found(facts(Survey(target="pypi", silent="no answer within 10 s"))) == []
    assert found(facts(survey(name="free", files=((SDIST, ""),)))) == []


def test_what_just_fits_and_what_came_after_the_last_release() -> None:
    assert found(facts(survey(quota=2000, limit=1000))) == []
    withdrawn = dataclasses.replace(released("1.1.0"), event="withdraw", tag=None)
    assert found(facts(survey(quota=1999), history=(*HISTORY, withdrawn))) == [("PLACE003", "place-room", "warning")]
    brought = dataclasses.replace(released("1.0.0", **{"mylib-1.0.0.tar.gz": OURS}), event="attach", tag=None)
    assert found(facts(survey(quota=1999), history=(*HISTORY, brought))) == [("PLACE003", "place-room", "warning")]


VERSION = ("PLACE004", "place-version-taken", "error")
WRONG = {
    "somebody else's name": (survey(name="taken"), ("PLACE001", "place-name", "error")),
    "may not": (survey(may_upload=False), ("PLACE002", "place-upload", "error")),
    "full": (survey(quota=0), ("PLACE003", "place-full", "error")),
    "nearly full": (survey(quota=1999), ("PLACE003", "place-room", "warning")),
    "large files": (survey(limit=999), ("PLACE003", "place-file-limit", "warning")),
    "other bytes": (survey(files=((SDIST, OTHER),)), ("PLACE004", "place-files", "error")),
    "other spelling": (survey(files=(("MyLib-1.1.tgz", OTHER),)), ("PLACE004", "place-files", "error")),
    "an sdist": (survey(files=(("mylib-1.2.0.tar.gz", OTHER),)), VERSION),
    "a wheel": (survey(files=(("mylib-1.2-cp311-cp311-manylinux_2_17_x86_64.whl", ""),)), VERSION),
    "a sidecar": (survey(files=(("mylib-1.2.0-py3-none-any.whl.asc", ""),)), VERSION),
    "something else": (survey(files=(("mylib-1.2.0-linux-amd64.zip", ""),)), VERSION),
}


@pytest.mark.parametrize("name", WRONG)
def test_one_thing_wrong(name: str) -> None:
    place, said = WRONG[name]
    assert found(facts(place)) == [said]


def test_every_rule_has_a_row() -> None:
    assert {said[0] for _, said in WRONG.values()} == {rule.id for rule in PLACES}


@pytest.mark.parametrize(
    "name",
    [
        "mylib-1.2.0.post1.tar.gz",
        "mylib-1.2.0rc1-py3-none-any.whl",
        "mylib-11.2.0.tar.gz",
        "mylib2-1.2.0.tar.gz",
        "other-1.2.0.tar.gz",
        "mylib-2.0-cp311-cp311-manylinux_1_2_x86_64.whl",
        "mylib-.whl",
        "mylib-1.0-py1.2.0-none-any.whl.asc",
        "mylib-1.0-linux1.2.0.zip",
        "index.html",
        "",
    ],
)
def test_files_of_others_and_of_other_versions(name: str) -> None:
    assert found(facts(survey(files=((name, OTHER),)))) == []


def test_a_version_that_is_released_may_be_there() -> None:
    there = survey(files=((SDIST, OURS), ("mylib-1.1.0.tar.gz.asc", OTHER)))
    assert found(facts(there, "1.1.0")) == []
    assert found(facts(survey(files=((SDIST, OTHER),)), "1.1.0")) == [("PLACE004", "place-files", "error")]


def test_where_no_place_is_known_none_is_asked_about() -> None:
    before = Before(
        project=facts(survey()).project, tag="1.2.0", kind="absent", commit="2" * 40, unsurveyed="no instance"
    )
    assert judge(PLACES, before).skipped == tuple((rule.id, "no instance") for rule in PLACES)

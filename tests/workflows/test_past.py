"""What rules are told of earlier releases: the candidates of a final and what a patch follows, from the repository."""

from dataclasses import replace
from typing import Any

import pytest

from tagtrail.formats.facts import dump, load
from tagtrail.model.facts import Entry, TagRef
from tagtrail.model.settings import Project
from tagtrail.rules.book import judge
from tagtrail.rules.declared import declared
from tagtrail.rules.facts import Before
from tagtrail.rules.own_files import patch_asks_no_more
from tagtrail.rules.registry import BEFORE
from tagtrail.rules.tags import final_is_rc
from tagtrail.testing.memory import Repository, Source
from tagtrail.workflows.past import with_past

REPO = "/src/mylib"
PROJECT = Project(name="mylib", kind="library", repo=REPO, signers=("jo",))
OLD = '[project]\nname = "mylib"\nrequires-python = ">=3.8"\ndependencies = ["six>=1.0"]\n'
NEW = '[project]\nname = "mylib"\nrequires-python = ">=3.10"\ndependencies = ["six>=1.2"]\n'
DYNAMIC = '[project]\nname = "mylib"\ndynamic = ["dependencies"]\n'
PBR = '[build-system]\nrequires = ["pbr"]\nbuild-backend = "pbr.build"\n'


def place(*commits: tuple[str, str | None, dict[str, bytes]]) -> tuple[Repository, Source]:
    """A repository with a tag on each commit: its name, pyproject.toml, further files."""
    repository = Repository(name="mylib")
    for n, (tag, pyproject, files) in enumerate(commits):
        repository.tag(tag, repository.commit(1_700_000_000 + n, pyproject, files=files).id)
    return repository, Source({REPO: repository})


def look(source: Source, tag: str, project: Project = PROJECT, history: tuple[Entry, ...] = ()) -> Before:
    tagged = source.read(REPO, tag)
    facts = Before(
        project=project, tag=tag, kind=tagged.kind, commit=tagged.commit, history=history,
        tags=tuple(name for name, _ in source.tags(REPO)), declared=declared(tagged.pyproject, tagged.setup_cfg),
    )  # fmt: skip
    return with_past(source, facts, tagged)


def said(facts: Before) -> list[tuple[str, str]]:
    return [(f.code, f.level) for f in judge((patch_asks_no_more, final_is_rc), facts).findings]


def test_a_patch_is_held_against_the_release_before_it() -> None:
    _, source = place(("1.2.0", OLD, {}), ("2.0.0", NEW, {}), ("1.2.1", NEW, {}))
    facts = look(source, "1.2.1")
    assert facts.patch is not None
    assert (facts.patch.follows, facts.patch.before.pythons, facts.patch.now.pythons) == ("1.2.0", ">=3.8", ">=3.10")
    assert said(facts) == [("python-dropped", "error"), ("minimum-raised", "warning")]
    assert facts.time == 1_700_000_002


@pytest.mark.parametrize(
    ("tag", "follows"), [("1.3.0", None), ("1.2.1", "1.2.0"), ("1.2.2", "1.2.1"), ("1.2.3rc1", None)]
)
def test_only_patches_follow_something(tag: str, follows: str | None) -> None:
    _, source = place(*((name, OLD, {}) for name in ("1.2.0", "1.2.1", "1.2.2", "1.2.3rc1", "1.3.0")))
    patch = look(source, tag).patch
    assert (patch.follows if patch else None) == follows


def test_requirements_of_pbr_are_in_a_file_of_their_own() -> None:
    _, source = place(
        ("1.2.0", PBR, {"setup.cfg": b"", "requirements.txt": b"six>=1.0\n"}),
        ("1.2.1", PBR, {"requirements.txt": b"six>=1.2 # MIT\n"}),
    )
    assert said(look(source, "1.2.1")) == [("minimum-raised", "warning")]


def test_in_a_subdirectory() -> None:
    _, source = place(
        ("1.2.0", None, {"lib/pyproject.toml": OLD.encode()}), ("1.2.1", None, {"lib/pyproject.toml": NEW.encode()})
    )
    facts = look(source, "1.2.1", replace(PROJECT, subdirectory="lib"))
    assert [code for code, _ in said(facts)] == ["python-dropped", "minimum-raised"]


def entry(version: str, commit: str) -> Entry:
    tag = TagRef(repo="local:mylib", name=version, object="1" * 40, sha256="6" * 64, commit=commit, signer="SHA256:x")
    about: dict[str, Any] = {"raw": b"", "event": "release", "project": "mylib", "time": 0, "files": ()}
    return Entry(index=0, version=version, tag=tag, **about)


def test_what_the_trail_says_was_released_counts() -> None:
    """Not what somebody tagged again since."""
    repository, source = place(("1.2.0", OLD, {}), ("1.2.1", NEW, {}))
    first = repository.commits[0].id
    repository.tag("1.2.0", repository.commits[1].id)
    assert said(look(source, "1.2.1")) == []
    assert len(said(look(source, "1.2.1", history=(entry("1.2.0", first),)))) == 2


@pytest.mark.parametrize(
    ("pyproject", "why"), [(DYNAMIC, "do not say what the project needs"), (OLD, "lacks the objects")]
)
def test_what_nobody_can_know_is_said(pyproject: str, why: str) -> None:
    _, source = place(("1.2.0", pyproject, {}), ("1.2.1", NEW, {}))
    gone = (entry("1.2.0", "9" * 40),) if pyproject == OLD else ()
    verdict = judge((patch_asks_no_more,), look(source, "1.2.1", history=gone))
    assert verdict.ran == ()
    assert why in dict(verdict.skipped)["TAG017"]


WANTED = replace(PROJECT, final_is_rc=True)


def test_a_final_is_its_last_candidate() -> None:
    repository, source = place(("1.2.0rc1", OLD, {}), ("1.2.0rc2", OLD, {}), ("1.1.0rc9", OLD, {}))
    repository.tag("1.2.0", repository.commits[1].id)
    repository.light("1.2.0rc10.dev1", repository.commits[0].id)
    facts = look(source, "1.2.0", WANTED)
    assert facts.candidates == tuple((f"1.2.0rc{n + 1}", repository.commits[n].id) for n in (0, 1))
    assert said(facts) == []
    repository.light("1.2.0.0rc3", repository.commits[0].id)
    assert said(look(source, "1.2.0", WANTED)) == [("final-is-rc", "error")]
    assert look(source, "1.2.0").candidates == (), "nobody asked"
    assert look(source, "1.2.0rc2", WANTED).candidates == (), "it is no final"


def test_facts_from_the_past_are_values() -> None:
    """A stored fact file is judged again, identically."""
    repository, source = place(("1.2.0", OLD, {}), ("1.2.1", NEW, {}))
    repository.light("1.2.1rc1", repository.commits[0].id)
    facts = look(source, "1.2.1", WANTED)
    again = load(Before, dump(facts))
    assert again == facts
    assert judge(BEFORE, again) == judge(BEFORE, facts)
    assert len(said(again)) == 3

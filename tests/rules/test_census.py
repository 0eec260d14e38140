"""The census: real tags are read for what they are, and docs/census.md says what the rules say of real releases."""

from pathlib import Path
from typing import Any

import pytest

from bench.census import IGNORED, repositories
from scripts.census import page
from tagtrail.rules.grammar import Grammar, classify, collisions

REPOSITORIES = {repo: (grammar, tags) for repo, grammar, tags in repositories()}

# Written down by looking at the tags, each by its own eyes: what is no release, and closes no series.
NONE = {
    "bats-core": "v1.5.0-docfix",
    "devstack": "kilo-2",
    "gitsign": "v0.0.0-test",
    "keystone": (
        "2013.1.g3 essex-1 essex-2 essex-3 essex-4 essex-rc1 essex-rc2 folsom-1 folsom-2 folsom-3 folsom-rc1 "
        "folsom-rc2 grizzly-1 grizzly-2"
    ),
    "nova": (
        "2011.2gamma1 2013.1.g3 diablo-1 diablo-2 diablo-3 diablo-4 essex-1 essex-2 essex-3 essex-4 essex-rc1 "
        "essex-rc2 essex-rc3 essex-rc4 folsom-1 folsom-2 folsom-3 folsom-rc1 folsom-rc2 folsom-rc3 grizzly-1 grizzly-2"
    ),
    "pyyaml": "4.1-retracted dec-11",
    "requests": "2.0",
    "restic": "v0.1.0-doc",
}
LIFECYCLE = {"devstack": 29, "keystone": 40, "nova": 40, "oslo.config": 36, "pbr": 2, "puppet-nova": 38,
             "requirements": 29, "tripleo-heat-templates": 11}  # fmt: skip
PATTERNS = {
    "setuptools-scm": "setuptools-scm-v{version}",
    **dict.fromkeys("bats-core gitsign jsonschema requests restic sigstore-python".split(), "v{version}"),
}


def kinds(repo: str) -> dict[str, list[str]]:
    grammar, tags = REPOSITORIES[repo]
    found: dict[str, list[str]] = {"release": [], "lifecycle": [], "ignored": [], "unfit": []}
    for tag in tags:
        found[classify(grammar, tag).kind].append(tag)
    return found


def test_all_twenty_are_there() -> None:
    assert len(REPOSITORIES) == 20
    assert sum(len(tags) for _, tags in REPOSITORIES.values()) == 2485
    assert NONE.keys() | LIFECYCLE.keys() | PATTERNS.keys() | IGNORED.keys() < REPOSITORIES.keys()


@pytest.mark.parametrize("repo", REPOSITORIES)
def test_the_pattern_is_guessed(repo: str) -> None:
    assert REPOSITORIES[repo][0].pattern == PATTERNS.get(repo, "{version}")


@pytest.mark.parametrize("repo", sorted(REPOSITORIES.keys() - {"setuptools-scm"}))
def test_no_lifecycle_branch_like_or_joke_tag_is_a_release(repo: str) -> None:
    found = kinds(repo)
    assert found["unfit"] == NONE.get(repo, "").split()
    assert len(found["lifecycle"]) == LIFECYCLE.get(repo, 0)
    assert all(tag.endswith(("-eol", "-em", "-eom")) for tag in found["lifecycle"])
    assert found["ignored"] == (["junit_output.bak", "v0.13.37"] if repo == "bats-core" else [])


def test_two_projects_in_one_repository() -> None:
    _, tags = REPOSITORIES["setuptools-scm"]
    own, other = (
        [tag for tag in tags if classify(Grammar(pattern=f"{name}-v{{version}}"), tag).kind == "release"]
        for name in ("setuptools-scm", "vcs-versioning")
    )
    assert (own[-1], other[-1], len(own), len(other)) == ("setuptools-scm-v10.2.1", "vcs-versioning-v2.3.1", 11, 15)
    assert not set(own) & set(other)


def test_every_collision_is_reported() -> None:
    found = {repo: collisions(grammar, tags) for repo, (grammar, tags) in REPOSITORIES.items()}
    assert {repo: groups for repo, groups in found.items() if groups} == {"requests": (("2.0", "v2.0", "v2.0.0"),)}


@pytest.mark.slow
def test_the_page_is_what_the_rules_say(golden: Any) -> None:
    golden(Path(__file__).parents[2] / "docs" / "census.md", page().encode())

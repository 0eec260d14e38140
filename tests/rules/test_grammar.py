"""The tag grammar and the schemes of versions: tables for what tags are, laws for their order."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from tagtrail.rules.grammar import Grammar, alike, classify, collisions
from tagtrail.rules.versions import (
    is_patch,
    is_version,
    overtaken_by,
    parse,
    pattern_of,
    read,
    spelled,
    tag_for,
    year_of,
)

PLAIN, V = Grammar(), Grammar(pattern="v{version}")
LIB = Grammar(pattern="lib-v{version}")
OWN = Grammar(lifecycle=("*-closed",), ignore=("junit_output*", "nightly"))
SEMVER, ANY = Grammar(scheme="semver"), Grammar(pattern="release/{version}", scheme="any")

# What SemVer says of order, in its own words (semver.org, rule 11), for versions that its scheme takes here.
NUMBERS = st.tuples(*[st.integers(0, 12)] * 3)
PRES = st.sampled_from(["alpha", "beta", "rc"])
SEMVERS = st.builds(
    lambda numbers, pre, count: ".".join(map(str, numbers)) + (f"-{pre}.{count}" if pre else ""),
    NUMBERS, st.none() | PRES, st.integers(0, 12),
)  # fmt: skip


@pytest.mark.parametrize(
    ("grammar", "tag", "kind", "version"),
    [
        (PLAIN, "1.2.0", "release", "1.2.0"),
        (PLAIN, "v1.2.0", "release", "v1.2.0"),  # a version in another spelling: a rule says so
        (PLAIN, "2014.1.b1", "release", "2014.1.b1"),
        (PLAIN, "essex-1", "unfit", "essex-1"),
        (PLAIN, "4.1-retracted", "unfit", "4.1-retracted"),
        (PLAIN, "stein-eol", "lifecycle", ""),
        (PLAIN, "ocata-em", "lifecycle", ""),
        (PLAIN, "2023.1-eom", "lifecycle", ""),
        (PLAIN, "pike-last", "lifecycle", ""),
        (PLAIN, "1.0-EOL", "lifecycle", ""),
        (PLAIN, "eol", "unfit", "eol"),
        (PLAIN, "stein-eol2", "unfit", "stein-eol2"),
        (PLAIN, "oslo-emulator", "unfit", "oslo-emulator"),
        (OWN, "1.2.0-closed", "lifecycle", ""),
        (OWN, "1.2.0-eol", "lifecycle", ""),
        (OWN, "junit_output.bak", "ignored", ""),
        (OWN, "nightly", "ignored", ""),
        (OWN, "nightly-2", "unfit", "nightly-2"),
        (V, "v1.2.0", "release", "1.2.0"),
        (V, "1.2.0", "unfit", ""),
        (V, "v1.5.0-docfix", "unfit", "1.5.0-docfix"),
        (LIB, "lib-v1.2.0", "release", "1.2.0"),
        (LIB, "other-v1.2.0", "unfit", ""),
        (LIB, "v1.2.0", "unfit", ""),
        (SEMVER, "1.2.0-rc.1", "release", "1.2.0-rc.1"),
        (SEMVER, "1.2.0-nightly.1", "unfit", "1.2.0-nightly.1"),
        (SEMVER, "1.2.0.post1", "unfit", "1.2.0.post1"),
        (ANY, "release/spring", "release", "spring"),
        (ANY, "release/spring/2", "unfit", "spring/2"),
        (ANY, "release/spring-eol", "lifecycle", ""),
    ],
)
def test_what_a_tag_is(grammar: Grammar, tag: str, kind: str, version: str) -> None:
    meaning = classify(grammar, tag)
    assert (meaning.kind, meaning.version) == (kind, version)


@pytest.mark.parametrize(
    ("grammar", "tags", "found"),
    [
        (V, ("2.0", "v2.0", "v2.0.0", "v2.1"), [("2.0", "v2.0", "v2.0.0")]),
        (PLAIN, ("1.0", "1.0.0", "1"), [("1", "1.0", "1.0.0")]),
        (PLAIN, ("2.0", "v2.0"), [("2.0", "v2.0")]),
        (PLAIN, ("essex-1", "1", "diablo-1"), []),
        (PLAIN, ("stein-eol", "stein-em"), []),
        (LIB, ("lib-v1.0", "v1.0", "1.0", "other-v1.0"), []),
        (LIB, ("lib-v1.0", "lib-v1.0.0"), [("lib-v1.0", "lib-v1.0.0")]),
        (SEMVER, ("1.2.0-rc.1", "1.2.0rc1"), [("1.2.0-rc.1", "1.2.0rc1")]),
        (Grammar(scheme="any"), ("spring", "Spring", "autumn"), [("Spring", "spring")]),
    ],
)
def test_tags_of_one_version(grammar: Grammar, tags: tuple[str, ...], found: list[tuple[str, ...]]) -> None:
    assert list(collisions(grammar, tags)) == found
    assert list(collisions(grammar, reversed(tags))) == found


def test_what_says_no_version_is_alike_nothing() -> None:
    assert alike(PLAIN, "stein-eol") == alike(LIB, "1.0") == ""


@pytest.mark.parametrize(
    ("scheme", "text", "normal"),
    [
        ("pep440", "v1.2.0-RC1", "1.2.0rc1"),
        ("pep440", "1.2.0+ours", "1.2.0"),
        ("semver", "1.2", "1.2.0"),
        ("semver", "1.2.0rc1", "1.2.0-rc.1"),
        ("semver", "v1.2.0-alpha", "1.2.0-alpha.0"),
        ("semver", "1.2.0+20260401", "1.2.0"),
        ("calver", "2026.1", "2026.1.0"),
        ("calver", "2026", "2026.0.0"),
        ("calver", "2026.1rc1", "2026.1.0rc1"),
        ("calver", "1!2026.1.post1", "1!2026.1.0.post1"),
        ("calver", "2026.04.01", "2026.4.1"),
    ],
)
def test_the_one_spelling(scheme: str, text: str, normal: str) -> None:
    version = read(scheme, text)
    assert version is not None
    assert spelled(scheme, version) == normal
    assert spelled(scheme, Version(normal)) == normal


@pytest.mark.parametrize(
    "text", ["1!1.0.0", "1.2.3.4", "1.2.0.dev1", "1.2.0.post1", "1.2.0rc1.dev1", "1.2.0-x.7", "one"]
)
def test_no_semver(text: str) -> None:
    assert not is_version("semver", text)


@pytest.mark.parametrize(
    ("text", "word"), [("spring", True), ("r2+b!~-", True), ("", False), (".x", False), ("a/b", False), ("a b", False),
                       ("é", False), ("a\n", False), ("x" * 101, False)],
)  # fmt: skip
def test_any_word(text: str, word: bool) -> None:
    assert is_version("any", text) is word
    assert read("any", text) is None


def by_semver(text: str) -> tuple[object, ...]:
    """SemVer's own order: numbers; a pre-release comes before its release; words by ASCII, numbers by value."""
    found = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)(?:-([a-z]+)\.(\d+))?", text)
    assert found
    major, minor, patch, word, count = found.groups()
    return (int(major), int(minor), int(patch), word is None, word or "", int(count or 0))


@given(SEMVERS, SEMVERS)
def test_semver_and_ours_agree_on_order(one: str, other: str) -> None:
    first, second = read("semver", one), read("semver", other)
    assert first is not None
    assert second is not None
    assert (first < second) == (by_semver(one) < by_semver(other))
    assert spelled("semver", first) == one


@given(NUMBERS, st.permutations([".dev1", "a1", "b1", "rc1", ""]))
def test_dev_alpha_beta_rc_final_is_the_only_way(numbers: tuple[int, ...], suffixes: list[str]) -> None:
    base, rank = ".".join(map(str, numbers)), {".dev1": 0, "a1": 1, "b1": 2, "rc1": 3, "": 4}
    released: list[Version] = []
    for suffix in suffixes:
        may = overtaken_by(Version(base + suffix), released) is None
        higher = [v for v in released if v > Version(base + suffix)]
        assert may == (not higher)
        assert bool(higher) == any(rank[s] > rank[suffix] for s in suffixes[: len(released)])
        released.append(Version(base + suffix))


@pytest.mark.parametrize(
    ("new", "before", "patch"),
    [
        ("1.2.1", "1.2.0", True),
        ("1.2.0.1", "1.2.0", True),
        ("1.3.0", "1.2.0", False),
        ("1.2", "1.1", False),
        ("1.2.1rc1", "1.2.0", False),
        ("1.2.1", "1.2.0rc1", False),
        ("1!1.2.1", "1.2.0", False),
        ("1.2.0", "1.2.1", False),
    ],
)
def test_a_patch(new: str, before: str, patch: bool) -> None:
    assert is_patch(Version(new), Version(before)) is patch


@pytest.mark.parametrize(
    ("text", "year"),
    [("2026.1", 2026), ("202604.1", 2026), ("20260401", 2026), ("1979.1", None), ("33.0", None), ("19991", None)],
)
def test_the_year_of_a_version(text: str, year: int | None) -> None:
    assert year_of(Version(text)) == year


MONOREPO = ("v1.0", "v1.1", "v1.2", "lib-v2.0", "lib-v2.1", "tool-1.0", "tool-1.1")


@pytest.mark.parametrize(
    ("tags", "name", "pattern"),
    [
        (MONOREPO, "lib", "lib-v{version}"),
        (MONOREPO, "Tool", "tool-{version}"),
        (MONOREPO, "", "v{version}"),
        (MONOREPO, "elsewhere", "v{version}"),
        (("1.0", "1.1", "lib-0.1"), "lib", "{version}"),
        (("lib-1.0", "lib-1.1", "0.1"), "lib", "lib-{version}"),
        (("release-1.0", "release-1.1"), "lib", "release-{version}"),
        (("kilo-2", "stein-eol"), "lib", "{version}"),
    ],
)
def test_the_pattern_that_is_guessed(tags: tuple[str, ...], name: str, pattern: str) -> None:
    assert pattern_of(tags, name) == pattern


def test_a_version_of_any_scheme_may_be_typed() -> None:
    assert tag_for("release/{version}", "spring", "any") == "release/spring"
    assert tag_for("release/{version}", "release/spring", "any") == "release/spring"
    assert tag_for("v{version}", "1.2.0-rc.1", "semver") == "v1.2.0-rc.1"


def test_a_number_that_python_does_not_read_is_no_version() -> None:
    assert parse("9" * 5000) is None

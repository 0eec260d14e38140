"""Versions: tables for what tags say, laws for what may come after what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from tagtrail.rules.versions import (
    channel_of,
    comparable,
    latest,
    overtaken_by,
    pattern_of,
    predecessor,
    scheme_of,
    shared,
    starts_with_year,
    tag_for,
    version_in,
)

NUMBERS = st.lists(st.integers(0, 40), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))
SUFFIXES = st.sampled_from(["", "", "", "a1", "b2", "rc1", "rc2", ".post1", ".dev3"])
VERSIONS = st.builds(lambda numbers, suffix: Version(numbers + suffix), NUMBERS, SUFFIXES)
FINALS = NUMBERS.map(Version)
RELEASED = st.lists(VERSIONS, max_size=12)


@pytest.mark.parametrize(
    ("version", "channel"),
    [
        ("33.0.0", "final"),
        ("33.0.0.0rc1", "rc"),
        ("1.0b2", "beta"),
        ("1.0a1", "alpha"),
        ("1.0.dev3", "dev"),
        ("1.0rc1.dev3", "dev"),
        ("1.0.post1", "post"),
        ("1.0.post1.dev2", "dev"),
        ("1!2.0", "final"),
    ],
)
def test_channel(version: str, channel: str) -> None:
    assert channel_of(Version(version)) == channel


@pytest.mark.parametrize(
    ("pattern", "tag", "version"),
    [
        ("{version}", "1.2.0", "1.2.0"),
        ("v{version}", "v1.2.0", "1.2.0"),
        ("v{version}", "1.2.0", None),
        ("v{version}", "v", None),
        ("lib-v{version}", "lib-v10.2.1", "10.2.1"),
        ("lib-v{version}", "other-v10.2.1", None),
        ("{version}-release", "1.2.0-release", "1.2.0"),
        ("{version}-release", "1.2.0", None),
    ],
)
def test_version_in(pattern: str, tag: str, version: str | None) -> None:
    assert version_in(pattern, tag) == version


@pytest.mark.parametrize(
    ("pattern", "text", "tag"),
    [
        ("{version}", "1.2.0", "1.2.0"),
        ("v{version}", "1.2.0", "v1.2.0"),
        ("v{version}", "v1.2.0", "v1.2.0"),
        ("v{version}", "stein-eol", "stein-eol"),
        ("{version}", "v1.2.0", "v1.2.0"),
        ("{version}-release", "1.2.0", "1.2.0-release"),
    ],
)
def test_a_tag_or_a_version_may_be_typed(pattern: str, text: str, tag: str) -> None:
    assert tag_for(pattern, text) == tag


@pytest.mark.parametrize(
    ("tags", "pattern"),
    [
        ((), "{version}"),
        (("1.0", "1.1"), "{version}"),
        (("v1.0", "v1.1", "2.0"), "v{version}"),
        (("v1.0", "v1.1", "2.0", "2.1", "2.2"), "{version}"),
        (("release-1",), "{version}"),
        (("v0.6.0-rc.1",), "v{version}"),
        (("v0.6.0-nightly.1", "1.0-rc1"), "{version}"),
    ],
)
def test_pattern_of(tags: tuple[str, ...], pattern: str) -> None:
    assert pattern_of(tags) == pattern


@pytest.mark.parametrize(
    ("tags", "scheme"),
    [
        ((), "pep440"),
        (("v1.0.0", "v1.1.0"), "pep440"),
        (("v1.0.0-rc.1", "v1.0.0"), "semver"),
        (("v1.0.0-rc.1", "v1.1.0rc1"), "pep440"),
        (("v1.0.0-rc.1", "v1.1.0-rc.1", "v1.2.0rc1"), "semver"),
        (("1.0.0-rc.1",), "pep440"),
        (("v1.0.0-rc1",), "pep440"),
    ],
)
def test_scheme_of(tags: tuple[str, ...], scheme: str) -> None:
    assert scheme_of(tags, "v{version}") == scheme


@pytest.mark.parametrize(("one", "other", "count"), [("1.0", "1.0.0", 4), ("33.0.3", "33.0.2", 3), ("1!1", "1", 0)])
def test_shared(one: str, other: str, count: int) -> None:
    assert shared(Version(one), Version(other)) == count


# What real federations do with stable branches, and what went wrong there.
@pytest.mark.parametrize(
    ("new", "released", "over"),
    [
        # the usual way up
        ("1.0.0", "", None),
        ("1.1.0", "1.0.0", None),
        ("34.0.0.0rc1", "33.0.0 33.0.1", None),
        ("34.0.0", "33.0.0 34.0.0.0b1 34.0.0.0rc1 34.0.0.0rc2", None),
        ("34.0.0.0rc2", "33.0.0 34.0.0.0rc1", None),
        # patches of a stable series, by the first number and by the first two
        ("33.0.3", "33.0.2 34.0.0", None),
        ("33.1.0", "33.0.2 34.0.0", None),
        ("9.7.1", "9.7.0 9.8.0", None),
        ("1.2.0.post1", "1.2.0 1.3.0", None),
        ("2.1", "2.0 1!1.0", None),
        # below the last of the series
        ("33.0.2", "33.0.3 34.0.0", "33.0.3"),
        ("1.2.0", "1.1.0 1.3.0 2.0.0", "1.3.0"),
        ("33.0.0.0rc1", "32.0.0 33.0.0.0rc2", "33.0.0.0rc2"),
        # a series that was never released
        ("32.0.0", "31.0.0 33.0.0", "33.0.0"),
        ("0.9", "1.0", "1.0"),
        ("2.0", "1!1.0", "1!1.0"),
        ("3.0", "2.0 1!1.0", "1!1.0"),
        # a pre-release below a final of any series
        ("31.0.0.0b2", "30.0.0 31.0.0", "31.0.0"),
        ("33.0.3rc1", "33.0.2 34.0.0", "34.0.0"),
        ("1.0.0.dev1", "1.0.0", "1.0.0"),
        # pre-releases of the next series do not stop finals, nor pre-releases of an older one that is not final
        ("33.5.0", "33.0.0 34.0.0.0b1", None),
        ("1.1.0", "1.0.0 1.2.0rc1", None),
        ("33.0.0", "32.0.0 33.0.0.0rc1 34.0.0.0b1", None),
        ("34.0.0.0rc2", "33.0.0 34.0.0.0rc1 35.0.0.0b1", None),
        ("34.0.0.0rc1", "33.0.0 35.0.0.0b1", "35.0.0.0b1"),
        # an epoch heals everything
        ("1!1.0", "2015.1.0", None),
    ],
)
def test_overtaken_by(new: str, released: str, over: str | None) -> None:
    found = overtaken_by(Version(new), map(Version, released.split()))
    assert (str(found) if found else None) == over


@given(st.builds(lambda number, suffix: Version(f"{number}{suffix}"), st.integers(41, 60), SUFFIXES), RELEASED)
def test_above_everything_may_come(new: Version, released: list[Version]) -> None:
    assert overtaken_by(new, released) is None


@given(VERSIONS.filter(lambda version: version.is_prerelease), RELEASED)
def test_a_prerelease_is_never_below_a_final(new: Version, released: list[Version]) -> None:
    finals = [r for r in released if not r.is_prerelease]
    if overtaken_by(new, released) is None:
        assert all(r < new for r in finals)


@given(FINALS, st.lists(FINALS, max_size=12))
def test_a_final_below_another_is_the_highest_of_a_released_series(new: Version, released: list[Version]) -> None:
    released = [r for r in released if r != new]
    may = overtaken_by(new, released) is None
    width = max((len(v.release) for v in (new, *released)), default=1)
    parts = {v: (v.release + (0,) * width)[:width] for v in (new, *released)}
    series = [[r for r in released if parts[r][:n] == parts[new][:n]] for n in range(1, width + 1)]
    continues = any(group and max(group) < new for group in series)
    assert may == (continues or all(r < new for r in released))


@given(VERSIONS, RELEASED)
def test_order_and_repetition_of_the_history_do_not_matter(new: Version, released: list[Version]) -> None:
    assert overtaken_by(new, released) == overtaken_by(new, [*reversed(released), *released])


@given(VERSIONS, RELEASED)
def test_what_overtakes_is_higher_and_released(new: Version, released: list[Version]) -> None:
    over = overtaken_by(new, released)
    assert over is None or (over > new and over in released)


@given(VERSIONS, RELEASED)
def test_the_same_version_again_says_nothing(new: Version, released: list[Version]) -> None:
    assert overtaken_by(new, [*released, new]) == overtaken_by(new, released)


@pytest.mark.parametrize(
    ("new", "released", "left"),
    [
        ("13.0.0", "2014.2 2015.1.0 12.0.0", "12.0.0"),  # the project has left years behind
        ("12.0.0", "2014.2 2015.1.0", "2014.2 2015.1.0"),  # this is where it leaves: refused, unless switched
        ("13.0.0", "2014.2 12.0.0 2015.1.1", "12.0.0"),  # whose last patches come later
        ("3.0.0", "2.0.0 2026.1.0", "2.0.0 2026.1.0"),  # years came last: they are not left
        ("2016.1", "2014.2 2015.1.0 12.0.0", "2014.2 2015.1.0 12.0.0"),
    ],
)
def test_comparable(new: str, released: str, left: str) -> None:
    assert [str(v) for v in comparable(Version(new), [Version(v) for v in released.split()])] == left.split()


@pytest.mark.parametrize(
    ("new", "released", "before"),
    [
        ("1.2.0", "1.0.0 1.1.0 1.2.0rc1 2.0.0", "1.1.0"),
        ("1.2.0rc2", "1.0.0 1.1.0 1.2.0rc1 2.0.0", "1.2.0rc1"),
        ("1.0.0", "2.0.0", None),
    ],
)
def test_predecessor(new: str, released: str, before: str | None) -> None:
    found = predecessor(Version(new), map(Version, released.split()))
    assert (str(found) if found else None) == before


def test_latest_is_the_highest_final_else_the_highest() -> None:
    assert latest(map(Version, ["1.0", "2.0rc1"])) == Version("1.0")
    assert latest(map(Version, ["1.0rc1", "2.0b1"])) == Version("2.0b1")
    assert latest([]) is None


@pytest.mark.parametrize(
    ("version", "year"), [("1979.1", False), ("1980.0", True), ("20260101", True), ("80.9", False)]
)
def test_starts_with_year(version: str, year: bool) -> None:
    assert starts_with_year(Version(version)) is year

"""Versions and tag names: what a tag says, which channel a version belongs to, and which release it comes too late
for.

A tag fits a project's pattern, `{version}` with a prefix and a suffix: under `v{version}` the tag `v1.2.0` says
`1.2.0`. Order is that of PEP 440. Two versions share as many leading components as their epochs and release numbers
have in common, zeros filled in: `33.0.3` and `33.0.2` share 33 and 0.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import product, takewhile

from packaging.version import InvalidVersion, Version

__all__ = [
    "LIFECYCLE", "PATTERNS", "channel_of", "comparable", "latest", "overtaken_by", "parse", "pattern_of", "predecessor",
    "shared", "starts_with_year", "tag_for", "version_in",
]  # fmt: skip

LIFECYCLE = re.compile(r".*-(eol|em|eom|last)", re.IGNORECASE)
"""Tags that close a series: end of life, extended and end of maintenance, last. They are no versions."""

PATTERNS = ("{version}", "v{version}")
"""How tags look nearly everywhere; another pattern is for the operator to write."""

FIRST_YEAR = 1980

_PRE = {"a": "alpha", "b": "beta", "rc": "rc"}


def parse(text: str) -> Version | None:
    """The version that `text` spells, in any spelling of PEP 440; None where it spells none."""
    try:
        return Version(text)
    except InvalidVersion:
        return None


def version_in(pattern: str, tag: str) -> str | None:
    """What stands at `{version}` in `tag`; None where the tag does not fit the pattern."""
    prefix, _, suffix = pattern.partition("{version}")
    fits = tag.startswith(prefix) and tag.endswith(suffix) and len(tag) > len(prefix) + len(suffix)
    return tag[len(prefix) : len(tag) - len(suffix)] if fits else None


def pattern_of(tags: Iterable[str]) -> str:
    """The usual pattern that most of these tags fit, their versions in normal form; the plain one where none does."""
    fits = Counter(dict.fromkeys(PATTERNS, 0))
    for tag, pattern in product(tags, PATTERNS):
        text = version_in(pattern, tag) or ""
        fits[pattern] += str(parse(text)) == text
    return fits.most_common(1)[0][0]


def tag_for(pattern: str, text: str) -> str:
    """The tag's name, where a person may have typed the tag or the version."""
    if parse(version_in(pattern, text) or "") is None and parse(text) is not None:
        return pattern.replace("{version}", text)
    return text


def channel_of(version: Version) -> str:
    """`dev`, `alpha`, `beta`, `rc`, `post` or `final`; a development release of anything is `dev`."""
    if version.is_devrelease:
        return "dev"
    if version.pre:
        return _PRE[version.pre[0]]
    return "post" if version.is_postrelease else "final"


def starts_with_year(version: Version) -> bool:
    """Whether the first number looks like a year (1980 or later), so that no plain number ever sorts above it."""
    return version.release[0] >= FIRST_YEAR


def shared(one: Version, other: Version) -> int:
    """How many leading components two versions have in common; the epoch is the first."""
    width = max(len(one.release), len(other.release))
    return sum(
        1
        for _ in takewhile(lambda pair: pair[0] == pair[1], zip(_parts(one, width), _parts(other, width), strict=True))
    )


def _parts(version: Version, width: int) -> tuple[int, ...]:
    return (version.epoch, *version.release, *(0,) * (width - len(version.release)))


def latest(released: Iterable[Version]) -> Version | None:
    """What "the last release" means to most people: the highest final or post release, else the highest there is."""
    return max(released, key=lambda version: (not version.is_prerelease, version), default=None)


def comparable(new: Version, released: Sequence[Version]) -> tuple[Version, ...]:
    """The releases, oldest first, that `new` is held against: without those that start with a year, once the project
    has left them behind (its newest release and `new` do not).
    """
    left = bool(released) and not starts_with_year(released[-1]) and not starts_with_year(new)
    return tuple(r for r in released if not (left and starts_with_year(r)))


def predecessor(new: Version, released: Iterable[Version]) -> Version | None:
    """The release that `new` follows: the nearest below it, of finals for a final."""
    return max((r for r in released if r < new and (new.is_prerelease or not r.is_prerelease)), default=None)


def overtaken_by(new: Version, released: Iterable[Version]) -> Version | None:
    """The release that `new` comes too late for, or None where `new` may come now.

    1. A final (or post) release is held against finals only, a pre-release against everything.
    2. Above all of those, it may come.
    3. A pre-release below a final of any series may never come: nobody would see it.
    4. Otherwise it must be the highest of a released series: it shares the first number and more leading components
       with the nearest release below it than with the nearest above (33.0.3 after 34.0.0, where 33.0.2 is the last of
       33.0).
    """
    rivals = [r for r in released if r != new and (new.is_prerelease or not r.is_prerelease)]
    above = [r for r in rivals if r > new]
    if not above:
        return None
    finals = [r for r in above if not r.is_prerelease]
    if new.is_prerelease and finals:
        return min(finals)
    nearest = min(above)
    below = max((r for r in rivals if r < new), default=None)
    if below is not None and shared(new, below) > max(1, shared(new, nearest)):
        return None
    return nearest

"""Versions and tag names: what a tag says, which channel a version belongs to, and which release it comes too late
for.

A tag fits a project's pattern, `{version}` with a prefix and a suffix: under `v{version}` the tag `v1.2.0` says
`1.2.0`. Order is that of PEP 440. Two versions share as many leading components as their epochs and release numbers
have in common, zeros filled in: `33.0.3` and `33.0.2` share 33 and 0.

A project says how it writes versions. `pep440`: 1.2.0rc1. `semver`: 1.2.0-rc.1, three numbers, with alpha, beta and rc
alone, because of these three SemVer and PEP 440 think the same order. `calver`: as pep440, at least three numbers, the
first one a year. `any`: one word, and nobody knows what comes after what.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import takewhile

from packaging.version import Version

from tagtrail.model.names import project_key

__all__ = [
    "PATTERNS", "channel_of", "comparable", "is_patch", "is_version", "latest", "overtaken_by", "parse", "pattern_of",
    "predecessor", "read", "scheme_of", "shared", "spelled", "starts_with_year", "tag_for", "version_in", "year_of",
]  # fmt: skip

PATTERNS = ("{version}", "v{version}")
"""How tags look nearly everywhere; another pattern is for the operator to write."""

FIRST_YEAR = 1980
_THREE = 3

_NAMED = r"(?P<name>[A-Za-z][A-Za-z0-9._+/@-]*?)(?P<mark>[-_/@]v?)(?P<version>[0-9]+\.[0-9].*)"
"""A name before a version: `vcs-versioning-v2.3.1`; two numbers at least, because of `kilo-2`."""
_NAME_OF = r"[-_/@]v?\{version\}"
_WORD = r"[A-Za-z0-9][A-Za-z0-9._+!~-]{0,99}"
"""What can be a directory of the site and part of a file's name."""

_PRE = {"a": "alpha", "b": "beta", "rc": "rc"}


@lru_cache(maxsize=1 << 16)
def parse(text: str) -> Version | None:
    """The version that `text` spells, in any spelling of PEP 440; None where it spells none."""
    try:
        return Version(text)
    except ValueError:  # also for numbers that Python does not read
        return None


@lru_cache(maxsize=1 << 16)
def read(scheme: str, text: str) -> Version | None:
    """The version that `text` means in a scheme, however it is spelled; None where it means none, and in `any`."""
    version = None if scheme == "any" else parse(text)
    return version if version and spelled(scheme, version) else None


def is_version(scheme: str, text: str) -> bool:
    """Whether `text` is a version of the scheme, in any spelling."""
    return bool(re.fullmatch(_WORD, text)) if scheme == "any" else read(scheme, text) is not None


def spelled(scheme: str, version: Version) -> str:
    """The one spelling of a version in a scheme, without its local part; empty where the scheme has none."""
    if scheme == "semver":
        return _semver(version)
    plain = version.public
    if scheme == "calver" and len(version.release) < _THREE:
        numbers = ".".join(map(str, version.release))
        epoch = f"{version.epoch}!" if version.epoch else ""
        return plain.replace(f"{epoch}{numbers}", f"{epoch}{numbers}{'.0' * (_THREE - len(version.release))}", 1)
    return plain


def _semver(version: Version) -> str:
    if version.epoch or version.is_postrelease or version.is_devrelease or len(version.release) > _THREE:
        return ""
    numbers = ".".join(map(str, (*version.release, 0, 0)[:_THREE]))
    return f"{numbers}-{_PRE[version.pre[0]]}.{version.pre[1]}" if version.pre else numbers


def version_in(pattern: str, tag: str) -> str | None:
    """What stands at `{version}` in `tag`; None where the tag does not fit the pattern."""
    prefix, _, suffix = pattern.partition("{version}")
    fits = tag.startswith(prefix) and tag.endswith(suffix) and len(tag) > len(prefix) + len(suffix)
    return tag[len(prefix) : len(tag) - len(suffix)] if fits else None


def pattern_of(tags: Iterable[str], name: str = "") -> str:
    """The pattern that most of these tags fit, their versions in normal form; the plain one where none does.

    Where tags bear the names of several projects (`lib-v1.2.0` beside `tool-2.0`), that of the project `name`; where
    no usual pattern fits any tag, whatever stands before the most versions.
    """
    fits = Counter(dict.fromkeys(PATTERNS, 0))
    named: Counter[str] = Counter()
    for tag in tags:
        fits.update(pattern for pattern in PATTERNS if _is_normal(version_in(pattern, tag) or ""))
        found = re.fullmatch(_NAMED, tag)
        if found and _is_normal(found["version"]):
            named[f"{found['name']}{found['mark']}{{version}}"] += 1
    owners = {pattern: project_key(re.sub(_NAME_OF, "", pattern)) for pattern in named}
    own = Counter({p: n for p, n in named.items() if name and owners[p] == project_key(name)})
    if own and (len(set(owners.values())) > 1 or own.most_common(1)[0][1] > max(fits.values())):
        return own.most_common(1)[0][0]
    return (fits if any(fits.values()) or not named else named).most_common(1)[0][0]


def _is_normal(text: str) -> bool:
    version = parse(text)
    return version is not None and text in (str(version), spelled("semver", version))


def scheme_of(tags: Iterable[str], pattern: str) -> str:
    """How what is no Python project seems to write its versions: `semver` where more tags are SemVer's normal form of
    a pre-release than PEP 440's, else `pep440`."""
    found = [(text, version) for tag in tags if (version := parse(text := version_in(pattern, tag) or ""))]
    semver = sum(1 for text, version in found if version.pre and text == spelled("semver", version))
    python = sum(1 for text, version in found if version.pre and text == str(version))
    return "semver" if semver > python else "pep440"


def tag_for(pattern: str, text: str, scheme: str = "pep440") -> str:
    """The tag's name, where a person may have typed the tag or the version."""
    fits = is_version(scheme, version_in(pattern, text) or "")
    return pattern.replace("{version}", text) if not fits and is_version(scheme, text) else text


def channel_of(version: Version | None) -> str:
    """`dev`, `alpha`, `beta`, `rc`, `post` or `final`; a development release of anything is `dev`.

    None is a version of which nobody knows the order: it is final.
    """
    if version is None:
        return "final"
    if version.is_devrelease:
        return "dev"
    if version.pre:
        return _PRE[version.pre[0]]
    return "post" if version.is_postrelease else "final"


def starts_with_year(version: Version) -> bool:
    """Whether the first number looks like a year (1980 or later), so that no plain number ever sorts above it."""
    return version.release[0] >= FIRST_YEAR


def year_of(version: Version) -> int | None:
    """The year that the first number says: 2026, 202604 or 20260401; None where it says none."""
    first = str(version.release[0])
    dated = starts_with_year(version) and len(first) in (4, 6, 8)
    return int(first[:4]) if dated else None


def is_patch(new: Version, before: Version) -> bool:
    """Whether `new` only patches the release `before`: finals that share the epoch and the first two of their
    numbers, of which there are three at least."""
    final = not (new.is_prerelease or before.is_prerelease) and new > before
    return final and len(new.release) >= _THREE and shared(new, before) >= _THREE


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
    has left them behind (a release without one came after them, and `new` starts with none; the last patches of the
    old series may come later still).
    """
    years = [starts_with_year(r) for r in released]
    left = True in years and False in years[years.index(True) :] and not starts_with_year(new)
    return tuple(r for r, year in zip(released, years, strict=True) if not (left and year))


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

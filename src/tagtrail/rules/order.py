"""Rules about the version: how it is written, what it comes after, and what installers will make of it."""

from collections.abc import Iterator

from packaging.version import Version

from tagtrail.rules.book import Rule, Said, rule
from tagtrail.rules.facts import Before
from tagtrail.rules.versions import LIFECYCLE, comparable, latest, overtaken_by, starts_with_year

__all__ = ["ORDER"]


@rule("TAG003", "pep440", firm=True)
def pep440(facts: Before) -> Iterator[Said]:
    """The version is one that installers understand (PEP 440).

    What they do not understand they sort somewhere, or pass over: nobody could say who will get it.

        bad   1.2.0-final2
        good  1.2.0, 33.0.0.0rc1, 1.2.0.post1, 1.2.0.dev3
    """
    if facts.version and not LIFECYCLE.fullmatch(facts.tag) and facts.parsed is None:
        text = f"{facts.version} is no version that installers understand"
        fix = "numbers with dots, then a1, b1, rc1, .post1 or .dev1 where it is not final: 1.2.0, 1.2.0rc1"
        yield Said(text=text, fix=fix)


@rule("TAG004", "canonical-version", needs=("version",), firm=True)
def canonical_version(facts: Before) -> Iterator[Said]:
    """The version is written the one way that PEP 440 calls normal, so that the tag, the files and the index agree.

    A local version (`+something`) is for somebody else's patched copy and is never published.

        bad   v1.2.0, 1.2.0-rc1, 1.2.0+ours
        good  1.2.0, 1.2.0rc1
    """
    version = facts.parsed
    if version is None:
        return
    if version.local:
        yield Said(
            text=f"{facts.version} is a local version, which no index takes",
            fix=f"tag {facts.project.tag.replace('{version}', version.public)}",
            code="version-local",
        )
    elif str(version) != facts.version:
        prefix = facts.version[: -len(str(version))] if facts.version.endswith(str(version)) else ""
        other = f', or set tag = "{facts.project.tag.replace("{version}", prefix + "{version}")}"' if prefix else ""
        good = facts.project.tag.replace("{version}", str(version))
        yield Said(text=f"{facts.version} is written {version} (PEP 440)", fix=f"git tag -s {good}{other}")


@rule("TAG005", "not-lower", needs=("version",))
def not_lower(facts: Before) -> Iterator[Said]:
    """The version is not lower than the last release.

    A final release is held against final (and post) releases, a pre-release against all. Above all of these it may
    come. Below, a pre-release never may: nobody would see it. A final may if it is the highest of a released series,
    that is if it shares more leading numbers with the nearest release below it than with the nearest above: 33.0.3
    after 34.0.0 is the normal patch of a stable branch whose last release was 33.0.2. Withdrawn versions do not
    count. Versions that start with a year do not count once the project has left them. Where the trail has nothing of
    the project, its tags stand in; they do not say what came first, so for a tag that is there already this is a
    warning.

        bad   31.0.0.0b2      (31.0.0 is released)
        bad   33.0.2          (33.0.3 is released)
        bad   32.0.0          (31.0.0 and 33.0.0 are released, nothing of 32)
        good  33.0.3          (33.0.2 and 34.0.0 are released)
    """
    new = facts.parsed
    if new is None:
        return
    released = comparable(new, facts.released)
    over = overtaken_by(new, released)
    if over is not None:
        top = latest(released)
        by = "tagged" if facts.by_tags else "released"
        patch = "" if new.is_prerelease else ", or the next patch of a released series"
        yield Said(
            text=f"{facts.version} is below {over}, which is {by}",
            fix=f"tag a version above {top}{patch}",
            code="version-lower",
            level=facts.mildly,
        )


@rule("TAG007", "year-jump", needs=("version",))
def year_jump(facts: Before) -> Iterator[Said]:
    """The version does not jump to the numbers of years.

    2026.1 sorts above 34.0.0 and above every later plain version, for ever; only an epoch heals it. What is refused
    is the jump from plain numbers (1980 is where years begin here); a project that always used years goes on. A first
    release that starts with a year is asked about. A project that means it says so once, with the reason:
    `[project.X.rules] TAG007 = { level = "off", because = "..." }`, and then tags three numbers, 2026.1.0, because
    some backends (pbr) know no two-part versions.

        bad   2026.1          (33.0.2 is released)
        good  34.0.0          (with series = "2026.1 Gazpacho", which is shown on pages)
        good  2026.1.0        (2025.2.0 is released)
    """
    new = facts.parsed
    last = latest(facts.released)
    if new is None or not starts_with_year(new):
        return
    if last is None:
        text = f"the first release starts with a year, {facts.version}: no plain version can ever follow it"
        yield Said(
            text=text, fix="start with 1.0.0; or go on, if years are what you want", code="year-first", level="warning"
        )
    elif not starts_with_year(last) and last.epoch == new.epoch:
        yield Said(
            text=f"{facts.version} starts with a year, {last} did not: "
            "it sorts above every later plain version, for ever",
            fix=f'tag {last.release[0] + 1}.0.0 and set series = "{facts.version}" (shown on pages); '
            f"or switch TAG007 off with the reason, then tag {_three_parts(new)}",
            level=facts.mildly,
        )


def _three_parts(version: Version) -> str:
    return str(version) if len(version.release) > 2 else f"{version.base_version}.0"


@rule("TAG011", "first-prerelease", "warning", needs=("version",))
def first_prerelease(facts: Before) -> Iterator[Said]:
    """A first pre-release of a new project reaches everybody.

    While a project has no final release, plain `pip install` takes a pre-release. What is not Python is not asked.

        asked 1.0.0rc1        (nothing is released yet)
        good  1.0.0
    """
    new = facts.parsed if facts.project.is_python else None
    if new is not None and new.is_prerelease and all(v.is_prerelease for v in facts.released):
        install = f"plain `pip install {facts.project.name}`"
        text = f"no final release yet: {install} takes the pre-release {facts.version}"
        yield Said(text=text, fix="release a final version first; or go on, if everybody may have it")


ORDER: tuple[Rule[Before], ...] = (pep440, canonical_version, not_lower, year_jump, first_prerelease)

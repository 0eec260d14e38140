"""Rules about the version: how it is written, what it comes after, and what installers will make of it."""

import time
from collections.abc import Iterator
from shlex import quote

from packaging.version import Version

from tagtrail.rules.book import Rule, Said, rule
from tagtrail.rules.facts import Before
from tagtrail.rules.versions import comparable, latest, overtaken_by, spelled, starts_with_year, year_of

__all__ = ["ORDER"]


@rule("TAG003", "pep440", firm=True)
def pep440(facts: Before) -> Iterator[Said]:
    """The version is one that installers understand (PEP 440), or one of the scheme that the project has chosen.

    What they do not understand they sort somewhere, or pass over: nobody could say who will get it. With
    `versions = "semver"` it is SemVer 2.0 with no pre-release but alpha, beta and rc: of those alone SemVer and all
    that reads Python versions think the same order. With `versions = "any"` it is a word that can be part of a file's
    name.

        bad   1.2.0-final2
        bad   1.2.0-nightly.3    (versions = "semver")
        good  1.2.0, 33.0.0.0rc1, 1.2.0.post1, 1.2.0.dev3
    """
    if facts.version and facts.meaning.kind == "unfit":
        what, fix = _FORMS.get(facts.project.versions, _FORMS["pep440"])
        yield Said(text=f"{facts.version} is no {what}", fix=fix)


_FORMS = {
    "pep440": (
        "version that installers understand",
        "numbers with dots, then a1, b1, rc1, .post1 or .dev1 where it is not final: 1.2.0, 1.2.0rc1",
    ),
    "semver": (
        "SemVer version whose order everybody agrees on",
        "three numbers, then -alpha.1, -beta.1 or -rc.1 where it is not final: 1.2.0, 1.2.0-rc.1",
    ),
    "any": ("word that can be part of a file's name", "use letters, digits and ._+~- within: 20260401-r2"),
}


@rule("TAG004", "canonical-version", needs=("order",), firm=True)
def canonical_version(facts: Before) -> Iterator[Said]:
    """The version is written the one way that its scheme calls normal, so that tag, files and index agree.

    That is PEP 440's normal form; with `versions = "semver"` SemVer's, which for a Python project must be PEP 440's
    too; with `versions = "calver"` PEP 440's of at least three numbers, because some backends (pbr) know no two-part
    versions. A local version (`+something`) is for somebody else's patched copy, and build metadata does not count in
    any order: neither is ever published.

        bad   v1.2.0, 1.2.0-rc1, 1.2.0+ours
        bad   2026.1          (versions = "calver")
        good  1.2.0, 1.2.0rc1
    """
    version, scheme = facts.parsed, facts.project.versions
    if version is None:
        return
    normal = spelled(scheme, version)
    good = quote(facts.project.tag.replace("{version}", normal))
    if version.local:
        why = "has build metadata, which no order knows" if scheme == "semver" else "is local, and no index takes it"
        yield Said(text=f"{facts.version} {why}", fix=f"git tag -s {good}", code="version-local")
    elif normal != facts.version:
        prefix = facts.version[: -len(normal)] if facts.version.endswith(normal) else ""
        other = f', or set tag = "{facts.project.tag.replace("{version}", prefix + "{version}")}"' if prefix else ""
        yield Said(text=f"{facts.version} is written {normal} ({_NORMAL[scheme]})", fix=f"git tag -s {good}{other}")
    elif facts.project.is_python and normal != str(version):
        text = f"{facts.version} is SemVer; Python's installers and indexes write it {version} (PEP 440)"
        yield Said(text=text, fix=f'set versions = "pep440" for {facts.project.name}, and tag {version}')


_NORMAL = {"pep440": "PEP 440", "semver": "SemVer 2.0", "calver": "PEP 440, three numbers"}


@rule("TAG005", "not-lower", needs=("order",))
def not_lower(facts: Before) -> Iterator[Said]:
    """The version is not lower than the last release.

    A final release is held against final (and post) releases, a pre-release against all. Above all of these it may
    come. Below, a pre-release never may: nobody would see it. A final may if it is the highest of a released series,
    that is if it shares more leading numbers with the nearest release below it than with the nearest above: 33.0.3
    after 34.0.0 is the normal patch of a stable branch whose last release was 33.0.2. Withdrawn versions do not
    count. Versions that start with a year do not count once the project has left them. Where the trail has nothing of
    the project, its tags stand in; they do not say what came first, so for a tag that is there already this is a
    warning, but for one that is about to be pushed (`check --pre-push`).

        bad   31.0.0.0b2      (31.0.0 is released)
        bad   33.0.2          (33.0.3 is released)
        bad   32.0.0          (31.0.0 and 33.0.0 are released, nothing of 32)
        bad   1.2.0b2         (1.2.0rc1 is released: dev, alpha, beta, rc, final)
        good  33.0.3          (33.0.2 and 34.0.0 are released)
    """
    new = facts.parsed
    if new is None:
        return
    released = comparable(new, facts.released)
    over = overtaken_by(new, released)
    if over is not None and over.epoch == new.epoch:
        top = latest(released)
        by = "tagged" if facts.by_tags else "released"
        patch = "" if new.is_prerelease else ", or the next patch of a released series"
        yield Said(
            text=f"{facts.version} is below {facts.spelling(over)}, which is {by}",
            fix=f"tag a version above {facts.spelling(top)}{patch}",
            code="version-lower",
            level=facts.mildly,
        )


@rule("TAG007", "year-jump", needs=("order",))
def year_jump(facts: Before) -> Iterator[Said]:
    """The version does not jump to the numbers of years.

    2026.1 sorts above 34.0.0 and above every later plain version, for ever; only an epoch heals it. What is refused
    is the jump from plain numbers (1980 is where years begin here); a project that always used years goes on. A first
    release that starts with a year is asked about. A project that means it says so once, with the reason, and then tags
    three numbers, 2026.1.0:

        [project.nova]
        versions = "calver"
        calver-because = "this project has always counted years"

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
        fix = f"start with 1.0.0; or, if years are what you want, tag {spelled('calver', new)}"
        yield Said(text=text, fix=fix, code="year-first", level="warning")
    elif not starts_with_year(last) and last.epoch == new.epoch:
        label = facts.project.series or f"{'.'.join(map(str, new.release[:2]))} NAME"
        yield Said(
            text=f"{facts.version} starts with a year, {last} did not: it sorts above every later plain version, for "
            f"ever; next must be >= {_after(new)}, {(new.release[0] // 1000 + 1) * 1000}.x, or an epoch",
            fix=f'keep {last.release[0] + 1}.0.0 and set series = "{label}" (shown on pages and in mail); '
            f'or versions = "calver" with calver-because = "WHY", then {spelled("calver", new)}',
            level=facts.mildly,
        )


def _after(version: Version) -> str:
    """The least that can follow in the same year."""
    return f"{version.release[0]}.{(*version.release, 0)[1] + 1}"


@rule("TAG020", "year-plausible", needs=("order",))
def year_plausible(facts: Before) -> Iterator[Said]:
    """A version that starts with a year names one that its commit can know.

    A year that is more than one after the commit's is a slip of the pen that every later version would have to
    outbid. One that is long past is asked about, unless something of that year is released.

        bad   2062.1.0        (committed in 2026)
        asked 2006.1.0        (committed in 2026, nothing of 2006 is released)
        good  2026.1.0, 2027.1.0
    """
    new, now = facts.parsed, time.gmtime(facts.time).tm_year
    year = year_of(new) if new and facts.time else None
    if new is None or year is None or now - 1 <= year <= now + 1:
        return
    if year > now:
        fix = f"tag the year that you mean: {spelled(facts.project.versions, new).replace(str(year), str(now), 1)}"
        yield Said(text=f"{facts.version} names the year {year}, its commit is of {now}", fix=fix, code="year-future")
    elif year not in map(year_of, facts.released):
        text = f"{facts.version} names the year {year}, its commit is of {now}, and nothing of {year} is released"
        yield Said(text=text, fix="tag the year that you mean; or go on", code="year-past", level="warning")


@rule("TAG018", "epoch", needs=("order",))
def epoch(facts: Before) -> Iterator[Said]:
    """The version neither begins an epoch nor goes back behind one.

    An epoch (`1!`) sorts above everything without one, for ever: it heals a jump of numbers once, and there is no way
    back. Many tools that are no Python installers do not know it. A project that needs it switches the rule off with
    the reason. Below a released epoch only the next patch of a released series may come.

        bad   1!1.0           (2015.1.0 is released)
        bad   3.0             (2.0 and 1!1.0 are released)
        good  1!1.1           (1!1.0 is released)
    """
    new = facts.parsed
    if new is None:
        return
    released = comparable(new, facts.released)
    over, top = overtaken_by(new, released), max((v.epoch for v in released), default=0)
    if new.epoch > top:
        last = latest(released)
        plain = f"a version above {facts.spelling(last)}" if last else str(new).partition("!")[2]
        fix = f"tag {plain}; or, under [project.{facts.project.name}.rules]: {_OFF}"
        text = f"{facts.version} begins the epoch {new.epoch}: every later version must bear it, for ever"
        yield Said(text=text, fix=fix, code="epoch-begun", level=facts.mildly if released else None)
    elif over is not None and over.epoch > new.epoch:
        yield Said(
            text=f"{facts.version} is behind {facts.spelling(over)}: there is no way back from an epoch",
            fix=f"tag a version above {facts.spelling(latest(released))}",
            code="epoch-dropped",
            level=facts.mildly,
        )


@rule("TAG011", "first-prerelease", "warning", needs=("order",))
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


_OFF = 'TAG018 = { level = "off", because = "WHY" }'
"""What begins an epoch all the same."""


ORDER: tuple[Rule[Before], ...] = (
    pep440, canonical_version, not_lower, year_jump, first_prerelease, epoch, year_plausible,
)  # fmt: skip

"""Who will see a version: what today's pip and uv take out of a project's released versions.

Both take the highest version that fits, and a pre-release only where no final fits or where one is asked for. They part
in four places:

- a specifier that names a pre-release (`<2.0rc1`) makes pre-releases as good as finals for pip; uv prefers finals;
- a yanked final hides pre-releases from pip, which then takes nothing; uv takes the pre-release;
- pip takes a yanked version where any `==` or `===` leaves nothing else; uv where the pin stands alone and names that
  very version, local part included;
- `===` compares texts for pip (the version's in normal form), versions for uv.

Sources: pip 26.3 (`PackageFinder.get_applicable_candidates`, `Factory._iter_found_candidates`), uv-resolver of uv 0.12
(`prerelease.rs`, `candidate_selector.rs`, `yanks.rs`), and what both chose: tests/model/visibility_cases.json, and
tests/model/test_visibility_real.py, which asks those that are installed.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

from packaging.specifiers import Specifier, SpecifierSet
from packaging.version import InvalidVersion, Version

__all__ = ["MEASURED", "because", "picked", "picked_by_uv", "seen_by"]

MEASURED = {"pip": "26.3", "uv": "0.13.9"}
"""The releases that the model was compared with."""

_PINS = ("==", "===")


def picked(
    specifier: str, among: Iterable[Version], *, yanked: Iterable[Version] = (), pre: bool | None = None
) -> Version | None:
    """What pip takes for `specifier` (`""`, `>=2,<3`, `==1.0`) of the versions `among` and `yanked`; None: it refuses.

    A version in both is yanked. With `pre`, pre-releases are as good as finals (`--pre`). Python versions and platforms
    are not judged. Raises packaging's InvalidSpecifier.
    """
    wanted, gone = SpecifierSet(specifier), frozenset(yanked)
    fit = tuple(wanted.filter(gone.union(among), prereleases=pre or None))
    pinned = any(_pin(one) for one in wanted)
    return max(fit if pinned and gone.issuperset(fit) else (v for v in fit if v not in gone), default=None)


def picked_by_uv(
    specifier: str, among: Iterable[Version], *, yanked: Iterable[Version] = (), pre: bool | None = None
) -> Version | None:
    """What uv takes; the arguments are those of `picked`."""
    wanted, gone = tuple(SpecifierSet(specifier)), frozenset(yanked)
    asked = _version(wanted[0]) if len(wanted) == 1 and _pin(wanted[0]) else None
    there = (v for v in gone.union(among) if v not in gone or v == asked)
    fit = tuple(v for v in there if all(_fits(one, v) for one in wanted))
    finals = () if pre else tuple(v for v in fit if not v.is_prerelease)
    return max(finals or fit, default=None)


def because(
    specifier: str,
    among: Iterable[Version],
    took: Version | None,
    *,
    yanked: Iterable[Version] = (),
    pre: bool | None = None,
) -> str:
    """Why one of the two took this, or nothing, where that may surprise; else empty."""
    wanted, gone = SpecifierSet(specifier), frozenset(yanked)
    fit = tuple(v for v in gone.union(among) if wanted.contains(v, prereleases=True) or v == took)
    finals = tuple(v for v in fit if not v.is_prerelease)
    if took in gone:
        return "it is yanked, and an exact pin takes it all the same"
    if took is None and gone.issuperset(fit):
        return "all that satisfy it are yanked" if fit else "no version satisfies it"
    if took is None:
        return "finals that satisfy it are yanked, and hide the pre-releases"
    if not took.is_prerelease:
        return ""
    if gone.issuperset(finals):
        return f"a pre-release, for {'every final that satisfies it is yanked' if finals else 'no final satisfies it'}"
    return f"a pre-release, for {'--pre asks for it' if pre else 'the requirement names one'}"


def _pin(one: Specifier) -> bool:
    return one.operator in _PINS and not one.version.endswith(".*")


def _fits(one: Specifier, version: Version) -> bool:
    return version == _version(one) if one.operator == "===" else one.contains(version, prereleases=True)


def _version(one: Specifier) -> Version | None:
    """The version that a pin names; None: `===` may be followed by anything."""
    try:
        return Version(one.version)
    except InvalidVersion:
        return None


def seen_by(project: str, new: Version, released: Iterable[Version], *, yanked: Iterable[Version] = ()) -> str:
    """One line that says who will see `new` beside what is released: plain `pip install`, or only who asks for it."""
    gone = frozenset(yanked) - {new}
    there = gone | {new, *released}
    pip, uv = (tool("", there, yanked=gone) for tool in (picked, picked_by_uv))
    plain = f"plain `pip install {project}`"
    if pip == uv == new:
        first = new.is_prerelease and all(v.is_prerelease for v in there)
        return f"{plain} will pick it{': no final is there yet, so everybody gets a pre-release' if first else ''}"
    keeps = f"keeps {pip}" if pip else "finds nothing, for yanked finals hide pre-releases"
    others = "" if uv == pip else ", uv will pick it" if uv == new else f", uv keeps {uv}"
    ways = (f"`{written}`" for written, specifier in _ways(new) if _reached(written, specifier, new, there, gone))
    return f"{plain} {keeps}{others}; {' or '.join(islice(ways, 2)) or f'`==={new}`'} gets this one"


def _ways(new: Version) -> Iterator[tuple[str, str]]:
    """How to ask for a version, from the widest to the narrowest: (as it is written, the specifier).

    All may fail, for `==1.0` takes 1.0+local; `===` never does.
    """
    yield "--pre", ""
    if not new.local:
        yield f">={new}", f">={new}"
        if len(new.release) > 1:
            yield f"~={new}", f"~={new}"
    yield f"=={new}", f"=={new}"


def _reached(written: str, specifier: str, new: Version, there: frozenset[Version], gone: frozenset[Version]) -> bool:
    pre = written == "--pre"
    return all(tool(specifier, there, yanked=gone, pre=pre) == new for tool in (picked, picked_by_uv))

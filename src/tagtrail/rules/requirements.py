"""What a project asks of others, held against what its last release asked: minimums raised, Python versions dropped.

Requirements are PEP 508's, specifiers PEP 440's; what is neither is left to the rules that judge form. A minimum is the
highest of what `>=`, `>`, `~=`, `==` and `===` ask for.

    raised(["oslo.utils>=3.33"], ["oslo.utils>=4.0"])   (("oslo-utils", "3.33", "4.0"),)
    dropped_python(">=3.8", ">=3.10")                   ("3.8", "3.9")
    changed(["a>=1", "b"], ["a>=2", "c"])               a: "a>=1" is "a>=2" now, "b" went, "c" is new
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from packaging.version import Version

from tagtrail.model.notes import Changed
from tagtrail.rules.versions import parse

if TYPE_CHECKING:  # slow to load, and asked for after the build
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet

__all__ = ["PYTHONS", "capped", "changed", "dropped_python", "raised"]

PYTHONS = ("2.7", *(f"3.{minor}" for minor in range(16)))
"""The Python series that there are (end of 2026)."""

_ANY = "*"
"""Stands for whatever marker."""
_AT_LEAST = frozenset({">=", ">", "~=", "==", "==="})


def raised(before: Sequence[str], now: Sequence[str]) -> tuple[tuple[str, str, str], ...]:
    """(name, minimum before, minimum now) of each requirement whose minimum went up, sorted; empty: it had none.

    A new requirement is not a raised one. One with several markers is compared with the one of the same marker, else
    with the highest of that name.
    """
    were: dict[tuple[str, str], Version | None] = {}
    for r in _read(before):
        for key in ((r.name, str(r.marker)), (r.name, _ANY)):
            were[key] = max(filter(None, (were.get(key), _minimum(r))), default=None)
    found = set()
    for r in _read(now):
        new, old = _minimum(r), were.get((r.name, str(r.marker)), were.get((r.name, _ANY)))
        if (r.name, _ANY) in were and new and (old is None or new > old):
            found.add((r.name, str(old or ""), str(new)))
    return tuple(sorted(found))


def changed(before: Sequence[str], now: Sequence[str]) -> tuple[Changed, ...]:
    """What is required otherwise than before, sorted by name; of an address, credentials and query are left out."""
    old, new = _shown(before), _shown(now)
    found = []
    for name in sorted({*old, *new}):
        gone = [text for text in old.get(name, ()) if text not in new.get(name, ())]
        come = [text for text in new.get(name, ()) if text not in old.get(name, ())]
        both = zip_longest(gone, come, fillvalue="")
        found += [Changed(name=name, before=one, now=other) for one, other in both]
    return tuple(found)


def dropped_python(before: str, now: str) -> tuple[str, ...]:
    """The Python series that `Requires-Python: before` let in and `now` does not, oldest first (empty: all are in)."""
    allowed, left = _specifiers(before), _specifiers(now)
    if allowed is None or left is None:
        return ()
    return tuple(series for series in PYTHONS if _lets_in(allowed, series) and not _lets_in(left, series))


def capped(specifier: str) -> str:
    """The part of a Requires-Python that shuts out every later Python, such as `<4`; empty where there is none."""
    parts = _specifiers(specifier) or ()
    return next((str(s) for s in sorted(parts, key=str) if s.operator in {"<", "<=", "==", "~=", "==="}), "")


def _lets_in(specifiers: "SpecifierSet", series: str) -> bool:
    return any(specifiers.contains(f"{series}.{patch}") for patch in (0, 1, 2, 4, 9, 99))


def _specifiers(text: str) -> "SpecifierSet | None":
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        return SpecifierSet(text)
    except InvalidSpecifier:
        return None


def _read(texts: Iterable[str]) -> Iterator["Requirement"]:
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    for text in texts:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        requirement.name = canonicalize_name(requirement.name)
        yield requirement


def _shown(texts: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for requirement in _read(texts):
        if requirement.url:
            requirement.url = re.sub(
                r"//[^/@]*@|[?#].*", lambda part: "//" if part[0][0] == "/" else "", requirement.url
            )
        text = "".join(c for c in str(requirement) if c.isprintable() and c != "`")
        found.setdefault(requirement.name, []).append(text)
    return {name: sorted(set(said)) for name, said in found.items()}


def _minimum(requirement: "Requirement") -> Version | None:
    asked = (s for s in requirement.specifier if s.operator in _AT_LEAST)
    return max(filter(None, (parse(s.version.removesuffix(".*")) for s in asked)), default=None)

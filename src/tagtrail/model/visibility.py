"""Who will see a version: what today's pip takes out of a project's released versions.

The model: the specifier filters the versions that are not yanked, pre-releases only where nothing else fits (or where
they are asked for); a yanked version is taken only by a lone `==` or `===` pin that names it; of what is left, the
highest. It was measured against pip 26: the cases are in tests/model/visibility_cases.json.
"""

from collections.abc import Iterable

from packaging.specifiers import SpecifierSet
from packaging.version import Version

__all__ = ["picked", "seen_by"]


def picked(
    specifier: str, among: Iterable[Version], *, yanked: Iterable[Version] = (), pre: bool | None = None
) -> Version | None:
    """What pip takes for `specifier` (`""`, `>=2,<3`, `==1.0`) among these versions; None: it refuses.

    With `pre`, pre-releases are as good as others (`--pre`).
    """
    wanted, gone = SpecifierSet(specifier), frozenset(yanked)
    versions = tuple(among)
    found = max(wanted.filter((v for v in versions if v not in gone), prereleases=pre), default=None)
    if found is None and _pins(wanted):
        found = max(wanted.filter(gone, prereleases=pre), default=None)
    return found


def _pins(wanted: SpecifierSet) -> bool:
    only = tuple(wanted)
    return len(only) == 1 and only[0].operator in ("==", "===") and not only[0].version.endswith(".*")


def seen_by(project: str, new: Version, released: Iterable[Version]) -> str:
    """One line that says who will see `new` beside what is released: plain `pip install`, or only who asks for it."""
    before = frozenset(released) - {new}
    plain = picked("", before | {new})
    if plain == new:
        return f"plain `pip install {project}` will pick it"
    asks = f"; `pip install --pre {project}` will pick it" if picked("", before | {new}, pre=True) == new else ""
    return f"plain `pip install {project}` keeps {plain}{asks}"

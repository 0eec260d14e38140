"""Names of generated members, folded where an entry has no room for them all.

    com/example/A.class, com/example/b/B.class, com/example/b/C.class, run.sh
    com/example/A.class, com/example/b/*.class, run.sh
    com/*.class, run.sh

The deepest directories are folded first, each suffix apart, so that a stranger among a thousand classes keeps its name;
`*` also stands for `/`. A folded name says that members which fit are none of the tag's, not that all are: what fits no
name is the tag's.
"""

from collections.abc import Iterable, Iterator

from tagtrail.formats import canonical

__all__ = ["folded"]


def folded(names: Iterable[str], most: int) -> tuple[str, ...]:
    """The names, folded as far as they need more than `most` bytes in an entry."""
    shown = tuple(names)
    for depth in range(max((name.count("/") for name in shown), default=0), -1, -1):
        if len(canonical.dumps(list(shown))) <= most:
            return shown
        shown = tuple(_folded(shown, depth))
    return shown if len(canonical.dumps(list(shown))) <= most else ("*",)


def _folded(names: Iterable[str], depth: int) -> Iterator[str]:
    """Those below a directory of this depth as one, if they are some."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(_pattern(name, depth) if name.count("/") >= depth else name, []).append(name)
    return (pattern if len(group) > 1 else group[0] for pattern, group in groups.items())


def _pattern(name: str, depth: int) -> str:
    stem, dot, suffix = name.rpartition("/")[2].rpartition(".")
    return "/".join((*name.split("/")[:depth], f"*{dot}{suffix}" if stem else "*"))

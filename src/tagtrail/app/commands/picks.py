"""`tagtrail picks`: what pip and uv would take for a requirement among versions; nothing is fetched or asked.

    tagtrail picks 'nova>=31' --among 31.0.0 32.0.0rc1
    pip 26.3 and uv 0.13.9 pick 31.0.0

With `--json` the last line is the answer alone, `{"pip": "31.0.0", "uv": "31.0.0"}`; null is none. Python versions,
platforms and dependencies are not judged (docs/picks.md).
"""

import argparse
from collections.abc import Iterable, Mapping

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

from tagtrail.app.terminal.console import Console
from tagtrail.model.errors import SetupError
from tagtrail.model.visibility import MEASURED, because, picked, picked_by_uv

__all__ = ["arguments", "run"]

_HINT = "tagtrail picks 'nova>=31' --among 31.0.0 32.0.0rc1"


def arguments(parser: argparse.ArgumentParser) -> None:
    """REQUIREMENT --among V..."""
    parser.add_argument("requirement", metavar="REQUIREMENT", help="as pip takes it: x, 'x>=1.2', x==1.0")
    parser.add_argument(
        "--among", metavar="V", nargs="*", action="extend", default=[], help="the versions that are there"
    )
    parser.add_argument("--yanked", metavar="V", nargs="*", action="extend", default=[], help="those that are yanked")
    parser.add_argument("--pre", action="store_true", help="as with --pre: a pre-release is as good as others")


def run(args: argparse.Namespace, console: Console) -> int:
    """Say what each takes; 0, also where that is nothing. Raises SetupError `usage`."""
    requirement = _requirement(args.requirement)
    written = _written((*args.among, *args.yanked))
    gone = frozenset(map(Version, args.yanked))
    specifier, pre = str(requirement.specifier), args.pre
    took = {
        name: tool(specifier, written, yanked=gone, pre=pre) for name, tool in (("pip", picked), ("uv", picked_by_uv))
    }
    why = {name: because(specifier, written, found, yanked=gone, pre=pre) for name, found in took.items()}
    answer = {name: written[found] if found else None for name, found in took.items()}
    if requirement.marker:
        console.line(f"the marker `{requirement.marker}` is taken to hold: no Python was asked")
    console.tell("picks", {"requirement": str(requirement), **answer, "because": why, "tools": MEASURED})
    console.answer(answer)
    return 0


def _requirement(text: str) -> Requirement:
    try:
        found = Requirement(text)
    except InvalidRequirement as error:
        why = str(error).partition("\n")[0]
        raise SetupError(f"{text!r} is no requirement", code="usage", why=why, hint=_HINT) from None
    if found.url:
        why = "a URL leaves nothing to pick"
        raise SetupError(f"{text!r} names one file, no versions", code="usage", why=why, hint=_HINT)
    return found


def _written(words: Iterable[str]) -> Mapping[Version, str]:
    """The versions, each as it was written; `1.0` and `1.0.0` are one, and which of them is there matters to `===`."""
    written: dict[Version, str] = {}
    for word in words:
        version = _version(word)
        if written.setdefault(version, word) != word:
            what = f"{written[version]} and {word} are one version"
            raise SetupError(what, code="usage", why="PEP 440 compares them as equal", hint=_HINT)
    if not written:
        raise SetupError("picks needs versions to pick among", code="usage", hint=_HINT)
    return written


def _version(word: str) -> Version:
    try:
        return Version(word)
    except InvalidVersion:
        raise SetupError(f"{word!r} is no version (PEP 440)", code="usage", hint=_HINT) from None

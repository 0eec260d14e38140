"""A case: all that a release is judged by, as values; kept with the verdict, it can be judged again without the world.

`release` keeps the case that it went by, `check --save` writes one, `check --facts` judges one again.
"""

from functools import cache

from tagtrail import __version__
from tagtrail.formats.casefile import CaseFile, format_case, parse_case
from tagtrail.formats.facts import dump, load
from tagtrail.model.errors import TamperError
from tagtrail.model.facts import Override, Tagged
from tagtrail.model.frozen import frozen, replace
from tagtrail.model.settings import RuleSwitch
from tagtrail.rules.book import Verdict, judge
from tagtrail.rules.facts import After, Before
from tagtrail.rules.registry import AFTER, BEFORE
from tagtrail.verify.tags import JudgedTag

__all__ = ["Case", "Recorded", "read_case", "tools", "verdict", "write_case"]

LEANT_ON = ("packaging", "readme-renderer", "trove-classifiers")
"""What the rules' words depend on beside our own code."""


@frozen
class Case:
    """What was read and asked: `tagged` as it was found, `judged` whose signature counts, `before` and `after` the
    facts for the rules; `switches` are the settings', the instance's first; `overrides` are this release's own."""

    tagged: Tagged
    judged: JudgedTag | None
    before: Before
    after: After | None = None
    switches: tuple[RuleSwitch, ...] = ()
    overrides: tuple[Override, ...] = ()


@frozen
class Recorded:
    """A case from a file: what the rules said then, and the versions of what judged, (name, version)."""

    case: Case
    verdict: Verdict
    tools: tuple[tuple[str, str], ...]


def verdict(case: Case) -> Verdict:
    """What the rules say; a pure function of the case."""
    said = judge(BEFORE, case.before, case.switches, case.overrides)
    return said + judge(AFTER, case.after, case.switches, case.overrides) if case.after else said


@cache
def tools() -> tuple[tuple[str, str], ...]:
    """The versions here of what judges, (name, version); of what is not installed, none."""
    return (("tagtrail", __version__), *((name, found) for name in LEANT_ON if (found := _version(name))))


def _version(name: str) -> str:
    from importlib.metadata import PackageNotFoundError, version  # slow to load, and needed where a case is kept

    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def write_case(case: Case) -> bytes:
    """The case file. What rules do not ask for is left out: entries' own bytes, the project's files as text."""
    history = tuple(replace(entry, raw=b"") for entry in case.before.history)
    tagged = replace(case.tagged, pyproject=None, setup_cfg=None)
    lean = replace(case, before=replace(case.before, history=history), tagged=tagged)
    return format_case(CaseFile(tools=tools(), case=dump(lean), verdict=dump(verdict(lean))))


def read_case(data: bytes) -> Recorded:
    """The case in a file. Raises TamperError `case-form` and what `parse_case` raises."""
    file = parse_case(data)
    try:
        case, said = load(Case, file.case), load(Verdict, file.verdict)
    except TamperError as error:
        by = dict(file.tools).get("tagtrail", "somebody")
        raise TamperError(
            error.what, code="case-form", why=f"tagtrail {by!a} wrote it, this is {__version__}"
        ) from None
    return Recorded(case=case, verdict=said, tools=file.tools)

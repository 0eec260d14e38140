"""Rules set aside for one release, with the reason: remembered from the moment it begins, public once it is logged.

They belong to a tag object, as what is built from it does: a moved tag begins with none. Another reason for the same
rule takes the place of the one before; whoever approved that Draft approves again, for its digest holds the reason.
"""

from collections.abc import Iterable

from tagtrail.formats.casefile import MEDIA
from tagtrail.formats.drafts import draft
from tagtrail.formats.forms import reason_fault
from tagtrail.model.errors import SetupError
from tagtrail.model.facts import Blob, Override, Signed
from tagtrail.model.names import project_key
from tagtrail.rules.registry import rule_called
from tagtrail.trail.sequencer import draft_digest
from tagtrail.workflows.case import Case, write_case
from tagtrail.workflows.remembered import remembered
from tagtrail.workflows.road import Road

__all__ = ["joined", "keep_case", "kept_case", "override", "remember", "set_aside"]


def override(rule: str, because: str) -> Override:
    """A rule, by id or name, set aside with a reason. Raises SetupError `rule-unknown`, `rule-firm`, `because`."""
    known = rule_called(rule)
    if known.firm:
        why = "the road would make no sense without it"
        hint = f"tagtrail check --explain {known.id}"
        raise SetupError(f"{known.id} {known.name} cannot be set aside", code="rule-firm", why=why, hint=hint)
    if fault := reason_fault(because) if because else "is empty":
        hint = f'--override {known.id} --because "security fix, reviewed by the release team"'
        raise SetupError(f"the reason for {known.id} {fault}", code="because", hint=hint)
    return Override(rule=known.id, because=because)


def joined(overrides: Iterable[Override]) -> tuple[Override, ...]:
    """One for each rule; the last reason stands."""
    return tuple({o.rule: o for o in overrides}.values())


def set_aside(road: Road, project: str, tag: str) -> tuple[Override, ...]:
    """What was set aside for the tag object with SHA-256 `tag` when its release began, or since."""
    place = _place(project, tag)
    lines = (remembered(road.journal, f"{place}:{n}", Override) for n in range(road.journal.cursor(place)))
    return joined(line for line in lines if line)


def remember(road: Road, project: str, tag: str, overrides: Iterable[Override]) -> None:
    """Write down what is new; from here on it holds without being said again."""
    place = _place(project, tag)
    for new in joined(overrides):
        while new not in set_aside(road, project, tag):
            number = road.journal.cursor(place)
            road.journal.once(f"{place}:{number}", Override, _same, new)
            road.journal.cursor(place, number, number + 1)


def _same(override: Override) -> Override:
    return override


def _place(project: str, tag: str) -> str:
    return f"overrides:{project_key(project)}:{tag}"


def keep_case(road: Road, case: Case, signed: Signed) -> None:
    """Keep what this release was judged by, under its Draft's digest, which can be made from its entry too."""
    key = _key(draft(signed).digest)
    road.journal.once(key, Blob, lambda: road.kept.put([write_case(case)], MEDIA))


def kept_case(road: Road, statement: bytes) -> bytes | None:
    """The case file of a logged release, by its entry's bytes; None: nobody here remembers."""
    found = remembered(road.journal, _key(draft_digest(statement)), Blob)
    return road.kept.read(found.sha256) if found else None


def _key(digest: str) -> str:
    return f"case:{digest}"

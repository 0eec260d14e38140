"""Every rule there is, by its stable id, and its documentation."""

from typing import Any

from tagtrail.model.errors import SetupError
from tagtrail.rules.archives import ARCHIVES
from tagtrail.rules.book import Rule
from tagtrail.rules.facts import After, Before
from tagtrail.rules.files import FILES
from tagtrail.rules.metadata import METADATA
from tagtrail.rules.order import ORDER
from tagtrail.rules.own_files import OWN_FILES
from tagtrail.rules.places import PLACES
from tagtrail.rules.tags import TAGS

__all__ = ["AFTER", "BEFORE", "FIRM", "RULES", "explain", "page", "rule_called"]

BEFORE: tuple[Rule[Before], ...] = tuple(sorted((*TAGS, *ORDER, *OWN_FILES, *PLACES), key=lambda rule: rule.id))
"""What is asked of a tag, before anything is built."""

AFTER: tuple[Rule[After], ...] = tuple(sorted((*FILES, *ARCHIVES, *METADATA), key=lambda rule: rule.id))
"""What is asked of the files of a release."""

RULES: tuple[Rule[Any], ...] = (*BEFORE, *AFTER)

FIRM = {rule.id: rule.firm for rule in RULES}
"""Whether a rule is firm, by id: what the settings' reader needs to know."""


def explain(text: str) -> str:
    """The documentation of a rule, by id or name. Raises SetupError `rule-unknown`."""
    return _part(rule_called(text))


def rule_called(text: str) -> Rule[Any]:
    """The rule with this id or name. Raises SetupError `rule-unknown`."""
    for rule in RULES:
        if text.lower() in (rule.id.lower(), rule.name):
            return rule
    from difflib import get_close_matches

    close = get_close_matches(text.upper(), FIRM, n=1) or get_close_matches(text, [r.name for r in RULES], n=1)
    raise SetupError(
        f"there is no rule {text!r}",
        code="rule-unknown",
        why=f"did you mean {close[0]}?" if close else "",
        hint=f"one of {', '.join(FIRM)}",
    )


def page() -> str:
    """docs/rules.md."""
    parts = [f"## {_part(rule)}" for rule in RULES]
    return "\n\n".join([_OPENING, *parts]) + "\n"


def _part(rule: Rule[Any]) -> str:
    title, _, rest = rule.about.partition("\n")
    level = f"{rule.level}, cannot be switched" if rule.firm else f"{rule.level}; switch it with {rule.id} in [rules]"
    return f"{rule.id} {rule.name}\n\n{title}\n*({level})*\n\n{rest.strip(chr(10))}"


_OPENING = """\
# The rules

`tagtrail check PROJECT TAG` asks all of them and shows everything they say at once; `release` asks them again and stops
with 3 at an error. `tagtrail check --explain TAG007` prints a part of this page.

A rule is switched in the settings, for everybody or for one project, and always with a reason; where that sets a
finding aside, the reason goes into the release's entry in the trail, for all to read:

    [project.nova.rules]
    TAG007 = { level = "off", because = "this project has always counted years" }

Levels are `error`, `warning` and `off`. This page is made from the rules themselves (`pytest tests/rules --update`)."""

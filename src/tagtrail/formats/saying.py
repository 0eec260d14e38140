"""The settings that say what announcements tell beside the release: where bugs go, and templates of one's own.

    [texts]
    notice = "texts/notice.txt"                  # a template (Jinja2); paths from the settings' directory
    [kind.server]
    bugs          = "https://bugs.example.org/{project}"
    security      = "mailto:security@example.org"
    support-until = "2031-12"                    # a year, a month or a day
    [project.nova]                               # a project may repeat each key of its kind
    support-until = "2032"

{project} stands for the project's name. docs/announcements.md tells which texts there are, and what they may name.
"""

import re
from typing import Any

from tagtrail.formats.contacts import ADDRESS, DATE
from tagtrail.formats.forms import plain_fault, relative_fault
from tagtrail.formats.toml import Table
from tagtrail.model.settings import Kind
from tagtrail.model.texts import TEXTS

__all__ = ["saying", "texts"]


def saying(table: Table, above: Kind) -> dict[str, Any]:
    """What a kind or a project says of bugs and support, else what stands in the kind `above` it."""
    said = {key: table.text(key, getattr(above, key)) for key in ("bugs", "security")}
    for key, text in said.items():
        if key in table.values and text and (plain_fault(text) or not re.fullmatch(ADDRESS, text)):
            table.problem(key, 'is an address: "https://..." or "mailto:..."')
    until = table.text("support-until", above.support_until)
    if "support-until" in table.values and until and not re.fullmatch(DATE, until):
        table.problem("support-until", 'is a year, a month or a day: "2031", "2031-12", "2031-12-31"')
    return {**said, "support_until": until}


def texts(table: Table) -> tuple[tuple[str, str], ...]:
    """Which templates replace ours, by name."""
    found = tuple((name, table.text(name)) for name in TEXTS if name in table.values)
    for name, path in found:
        if path:
            table.fault(name, relative_fault(path))
    table.close(TEXTS)
    return found

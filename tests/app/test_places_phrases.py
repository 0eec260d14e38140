"""What is said of a project of which nothing disagrees: only as much as somebody looked at."""

from typing import Any

import pytest

from tagtrail.app.terminal.phrases import lines

NONE: dict[str, Any] = {
    "project": "toy",
    "total": 6,
    "noun": "file",
    "columns": ["site", "pypi"],
    "by_name": 0,
    "unasked": 0,
}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"summary": ["3", "3"]}, "all agree"),
        ({"summary": ["3", "3"], "by_name": 4}, "no difference seen: 4 by name alone"),
        ({"summary": ["3", "-"], "by_name": 3, "unasked": 3}, "no difference seen: 3 by name alone, 3 not looked at"),
        ({"summary": ["", "silent"]}, "not all of them answered"),
        ({"summary": ["", ""], "total": 0}, "nothing is there"),
    ],
)
def test_agreement(more: dict[str, Any], said: str) -> None:
    _, line = [line.plain() for line in lines("compared", NONE | {"rows": []} | more)]
    assert line[2:].split("   ")[0] == said

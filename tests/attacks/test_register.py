"""The register of attacks is whole, and names tests that exist and codes that they know."""

import re
from functools import cache
from pathlib import Path

import pytest

from tests.attacks.register import ROWS, Row

TESTS = Path(__file__).parents[1]
LINES = {*range(1, 17), 19, 21, 22, *range(26, 34)}


@cache
def room(name: str) -> tuple[frozenset[str], str]:
    """The test functions of a room, and its text."""
    texts = [path.read_text() for path in sorted((TESTS / name).glob("*.py")) if path.name != "register.py"]
    return frozenset(re.findall(r"^def (\w+)\(", "".join(texts), re.MULTILINE)), "".join(texts)


def test_every_line_has_a_row() -> None:
    assert {row.line for row in ROWS} == LINES


def test_no_phrase_stands_twice() -> None:
    phrases = [(row.line, row.phrase) for row in ROWS]
    assert len(set(phrases)) == len(phrases)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.line} {row.phrase}")
def test_a_row_names_tests_that_exist_and_know_its_codes(row: Row) -> None:
    named = [test.split("::") for test in row.tests.split()]
    assert named
    assert [test for where, test in named if test not in room(where)[0]] == []
    text = "".join(room(where)[1] for where, _ in named)
    assert [code for code in row.codes.split() if f'"{code}"' not in text] == []

"""Minimums raised and Python versions dropped, between two sets of requirements."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagtrail.rules.requirements import capped, changed, dropped_python, raised

RAISED: list[tuple[list[str], list[str], tuple[tuple[str, str, str], ...]]] = [
    (["oslo.utils>=3.33"], ["oslo.utils>=4.0"], (("oslo-utils", "3.33", "4.0"),)),
    (["oslo.utils>=3.33"], ["Oslo_Utils>=3.33.0"], ()),
    (["oslo.utils>=4"], ["oslo.utils>=3"], ()),
    (["requests"], ["requests>=2"], (("requests", "", "2"),)),
    ([], ["requests>=2"], ()),  # a new one is not a raised one
    (["a>=1,!=1.5"], ["a>=1,!=1.5,!=1.6,<9"], ()),
    (["a~=1.2"], ["a~=1.3"], (("a", "1.2", "1.3"),)),
    (["a==1.*"], ["a==2.*"], (("a", "1", "2"),)),
    (["a>=1"], ["a==2"], (("a", "1", "2"),)),
    (["a>1;python_version<'3.9'", "a>2"], ["a>1 ; python_version < '3.9'", "a>2"], ()),
    (["a>1;python_version<'3.9'", "a>2"], ["a>2;python_version<'3.10'"], ()),
    (["a>1;python_version<'3.9'"], ["a>2;python_version<'3.10'"], (("a", "1", "2"),)),
    (["a>=1", "a>=2"], ["a>=2", "a>=1"], ()),
    (["b>=1", "a>=1"], ["b>=2", "a>=2"], (("a", "1", "2"), ("b", "1", "2"))),
    (["a>=1"], ["a @ https://example.org/a.zip"], ()),
    (["not a requirement", "a>=1"], ["///", "a>=1"], ()),
]


@pytest.mark.parametrize(("before", "now", "found"), RAISED)
def test_raised(before: list[str], now: list[str], found: tuple[tuple[str, str, str], ...]) -> None:
    assert raised(before, now) == found


DROPPED = [
    (">=3.8", ">=3.10", ("3.8", "3.9")),
    (">=3.8", ">=3.8.1", ()),
    (">=3.10", ">=3.8", ()),
    (">=3.12", ">=3.12,<3.14", ("3.14", "3.15")),
    (">=2.7,!=3.0.*,!=3.1.*", ">=3.2", ("2.7",)),
    (">=3.14", "", ()),
    ("nonsense", ">=3.10", ()),
]


@pytest.mark.parametrize(("before", "now", "found"), DROPPED)
def test_dropped(before: str, now: str, found: tuple[str, ...]) -> None:
    assert dropped_python(before, now) == found


@pytest.mark.parametrize(
    ("said", "cap"), [(">=3.8", ""), (">=3.8,<4", "<4"), ("==3.*", "==3.*"), ("!=3.0.*", ""), ("~=3.8", "~=3.8")]
)
def test_a_cap(said: str, cap: str) -> None:
    assert capped(said) == cap


@given(st.lists(st.text(max_size=20), max_size=4), st.text(max_size=20))
def test_nothing_has_changed_against_itself(texts: list[str], python: str) -> None:
    assert raised(texts, texts) == ()
    assert dropped_python(python, python) == ()
    assert changed(texts, texts) == ()


@pytest.mark.parametrize(
    ("before", "now", "found"),
    [
        (["a>=1", "b"], ["A>=2", "c"], [("a", "a>=1", "a>=2"), ("b", "b", ""), ("c", "", "c")]),
        (["a>=1 ; x"], ["a>=1"], [("a", "", "a>=1")]),  # what is no requirement is left to the rules
        (["a <2, >1"], ["a>1,<2"], []),
        (["a; python_version < '3'", "a>1"], ["a>1"], [("a", 'a; python_version < "3"', "")]),
        ([], ["a @ https://jo:secret@e.org/a.whl?token=x"], [("a", "", "a @ https://e.org/a.whl")]),
    ],
)
def test_changed(before: list[str], now: list[str], found: list[tuple[str, str, str]]) -> None:
    assert [(c.name, c.before, c.now) for c in changed(before, now)] == found

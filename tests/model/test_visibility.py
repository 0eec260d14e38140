"""Who will see a version: our model against what real pip chose."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from tagtrail.model.visibility import picked, seen_by

CASES = json.loads((Path(__file__).parent / "visibility_cases.json").read_text())["cases"]
VERSIONS = st.sets(st.sampled_from("1.0a1 1.0 1.1.dev1 1.1 1.2rc1 1.2 2.0a1 2.0 2.0.post1".split()).map(Version))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_as_pip(case: dict[str, Any]) -> None:
    yanked = [Version(v) for v in case.get("yanked", ())]
    found = picked(case["specifier"], map(Version, case["among"]), yanked=yanked, pre=case.get("pre"))
    assert found == (Version(case["pip"]) if case["pip"] else None)


@given(VERSIONS)
def test_plain_install_takes_the_highest_final_if_there_is_one(versions: set[Version]) -> None:
    finals = [v for v in versions if not v.is_prerelease]
    assert picked("", versions) == max(finals or versions, default=None)


@given(VERSIONS, VERSIONS)
def test_yanked_versions_are_as_good_as_absent(versions: set[Version], yanked: set[Version]) -> None:
    assert picked(">=0", versions, yanked=yanked) == picked(">=0", versions - yanked)


@pytest.mark.parametrize(
    ("new", "released", "words"),
    [
        ("1.2.0", "1.1.0", "plain `pip install mylib` will pick it"),
        ("1.1.1", "1.1.0 2.0.0", "plain `pip install mylib` keeps 2.0.0"),
        ("2.0.0rc1", "1.1.0", "plain `pip install mylib` keeps 1.1.0; `pip install --pre mylib` will pick it"),
        ("1.0.0rc1", "", "plain `pip install mylib` will pick it"),
        ("34.0.0", "33.0.0 2015.1.0", "plain `pip install mylib` keeps 2015.1.0"),
    ],
)
def test_in_words(new: str, released: str, words: str) -> None:
    assert seen_by("mylib", Version(new), map(Version, released.split())) == words

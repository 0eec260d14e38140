"""Who will see a version: our model against what real pip and uv chose."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.version import Version

from tagtrail.model.visibility import because, picked, picked_by_uv, seen_by

CASES = json.loads((Path(__file__).parent / "visibility_cases.json").read_text())["cases"]
TOOLS = {"pip": picked, "uv": picked_by_uv}
POOL = "1.0a1 1.0 1.0+l.1 1.1.dev1 1.1 1.2rc1 1.2 2.0a1 2.0 2.0.post1 1!0.5".split()
VERSIONS = st.sets(st.sampled_from(POOL).map(Version))
SPECIFIERS = st.sampled_from(["", ">=1.1", "<2", "==1.0", "===1.0", "==1.*", "~=1.1", "<2.0rc1", ">=1.2rc1", "!=1.0"])
ANY = st.sampled_from([picked, picked_by_uv])


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_as_the_real_ones(case: dict[str, Any], tool: str) -> None:
    yanked = [Version(v) for v in case.get("yanked", ())]
    specifier = str(Requirement(case["requirement"]).specifier)
    found = TOOLS[tool](specifier, map(Version, case["among"]), yanked=yanked, pre=case.get("pre"))
    assert found == (Version(case[tool]) if case[tool] else None)


@given(VERSIONS, ANY)
def test_plain_install_takes_the_highest_final_if_there_is_one(versions: set[Version], tool: Any) -> None:
    finals = [v for v in versions if not v.is_prerelease]
    assert tool("", versions) == max(finals or versions, default=None)


@given(SPECIFIERS, VERSIONS, VERSIONS, st.booleans(), ANY)
def test_a_yanked_version_counts_wherever_it_is_named(
    specifier: str, versions: set[Version], yanked: set[Version], pre: bool, tool: Any
) -> None:
    apart, both = (tool(specifier, there, yanked=yanked, pre=pre) for there in (versions - yanked, versions | yanked))
    assert apart == both


@given(SPECIFIERS.filter(lambda s: not s.startswith(("==1.0", "==="))), VERSIONS, VERSIONS, st.booleans(), ANY)
def test_without_a_pin_nothing_yanked_is_taken(
    specifier: str, versions: set[Version], yanked: set[Version], pre: bool, tool: Any
) -> None:
    assert tool(specifier, versions, yanked=yanked, pre=pre) not in yanked


@given(SPECIFIERS.filter(lambda s: not s.startswith(("==1.0", "==="))), VERSIONS, VERSIONS, st.booleans())
def test_for_uv_what_is_yanked_is_not_there_unless_it_is_pinned(
    specifier: str, versions: set[Version], yanked: set[Version], pre: bool
) -> None:
    found = picked_by_uv(specifier, versions, yanked=yanked, pre=pre)
    assert found == picked_by_uv(specifier, versions - yanked, pre=pre)


@given(SPECIFIERS, VERSIONS, ANY)
def test_with_pre_the_highest_that_fits(specifier: str, versions: set[Version], tool: Any) -> None:
    found = tool(specifier, versions, pre=True)
    assert found == tool(specifier, {found} if found else set(), pre=True)
    assert all(tool(specifier, {other}, pre=True) is None for other in versions if found is None or other > found)


@pytest.mark.parametrize(
    ("specifier", "among", "yanked", "pre", "pip", "uv"),
    [
        ("", "1.0 1.1a1", "", False, "", ""),
        (">=1.1a1", "1.0 1.1a1", "", False, *2 * ("a pre-release, for no final satisfies it",)),
        ("", "1.0 1.1a1", "", True, *2 * ("a pre-release, for --pre asks for it",)),
        ("<1.1a2", "1.0 1.1a1", "", False, "a pre-release, for the requirement names one", ""),
        (">2", "1.0", "", False, *2 * ("no version satisfies it",)),
        ("", "", "1.0", False, *2 * ("all that satisfy it are yanked",)),
        ("==1.0", "", "1.0", False, *2 * ("it is yanked, and an exact pin takes it all the same",)),
        (
            "", "1.1a1", "1.0", False,
            "finals that satisfy it are yanked, and hide the pre-releases",
            "a pre-release, for every final that satisfies it is yanked",
        ),
    ],
)  # fmt: skip
def test_why(specifier: str, among: str, yanked: str, pre: bool, pip: str, uv: str) -> None:
    there, gone = (tuple(map(Version, words.split())) for words in (among, yanked))
    for tool, why in ((picked, pip), (picked_by_uv, uv)):
        took = tool(specifier, there, yanked=gone, pre=pre)
        assert because(specifier, there, took, yanked=gone, pre=pre) == why


PLAIN = "plain `pip install mylib`"


@pytest.mark.parametrize(
    ("new", "released", "yanked", "words"),
    [
        ("1.2.0", "1.1.0", "", "will pick it"),
        ("1.2.0", "1.3.0rc1", "1.1.0", "will pick it"),
        ("1.1.1", "1.1.0 2.0.0", "", "keeps 2.0.0; `~=1.1.1` or `==1.1.1` gets this one"),
        ("1.1.1", "1.1.0", "2.0.0", "will pick it"),
        ("32.0.0rc1", "31.0.0", "", "keeps 31.0.0; `--pre` or `>=32.0.0rc1` gets this one"),
        ("31.0.0rc1", "30.0.0 32.0.0", "", "keeps 32.0.0; `~=31.0.0rc1` or `==31.0.0rc1` gets this one"),
        ("2.0.0a1", "1.0 2.0.0b1", "", "keeps 1.0; `==2.0.0a1` gets this one"),
        ("1.0.0rc1", "", "", "will pick it: no final is there yet, so everybody gets a pre-release"),
        ("1.0.0rc2", "1.0.0rc1", "", "will pick it: no final is there yet, so everybody gets a pre-release"),
        ("34.0.0", "33.0.0 2015.1.0", "", "keeps 2015.1.0; `~=34.0.0` or `==34.0.0` gets this one"),
        ("34", "2015.1.0", "", "keeps 2015.1.0; `==34` gets this one"),
        ("1!34.0.0", "2015.1.0", "", "will pick it"),
        ("1.0", "1.0+l.1", "", "keeps 1.0+l.1; `===1.0` gets this one"),
        ("1.0+l.1", "1.0+l.2", "", "keeps 1.0+l.2; `==1.0+l.1` gets this one"),
        (
            "2.0rc1", "", "1.0",
            "finds nothing, for yanked finals hide pre-releases, uv will pick it; `--pre` or `>=2.0rc1` gets this one",
        ),
        (
            "2.0rc1", "2.0rc2", "1.0",
            "finds nothing, for yanked finals hide pre-releases, uv keeps 2.0rc2; `==2.0rc1` gets this one",
        ),
    ],
)  # fmt: skip
def test_in_words(new: str, released: str, yanked: str, words: str) -> None:
    there, gone = (tuple(map(Version, text.split())) for text in (released, yanked))
    assert seen_by("mylib", Version(new), there, yanked=gone) == f"{PLAIN} {words}"


@given(st.sampled_from(POOL).map(Version), VERSIONS, VERSIONS)
def test_there_is_always_a_way_to_get_it(new: Version, released: set[Version], yanked: set[Version]) -> None:
    line = seen_by("mylib", new, released, yanked=yanked)
    assert line.endswith("` gets this one") or " will pick it" in line

"""`tagtrail picks`: the answer, the words, what is refused; and the page, which is run as it stands."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

from tagtrail.app.main import main
from tests.app.test_events import SCHEMA, fits
from tests.model.test_visibility import CASES

PAGE = (Path(__file__).parents[2] / "docs" / "picks.md").read_text()
SHOWN = re.findall(r"^    \$ tagtrail (picks .*)\n((?:    [^$\n].*\n)+)", PAGE, re.MULTILINE)
ROWS = re.findall(r"^\| `([^`]*)` \| (\S*) \| (\S*) \| .* \|$", PAGE, re.MULTILINE)


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    """The last line of a run with `--json` that ends well."""
    assert main(["picks", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def words_of(case: dict[str, Any]) -> list[str]:
    yanked = ["--yanked", *case["yanked"]] if case.get("yanked") else []
    return [case["requirement"], "--among", *case["among"], *yanked, *(["--pre"] if case.get("pre") else [])]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_as_the_real_ones(case: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(capsys, *words_of(case))
    assert {tool: version and Version(version) for tool, version in found.items()} == {
        tool: case[tool] and Version(case[tool]) for tool in ("pip", "uv")
    }


def test_the_last_line_is_the_answer_and_the_one_before_is_an_event(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--json", "picks", "x[a]>=1.0", "--among", "1.0.0", "2.0rc1"]) == 0
    event, line = capsys.readouterr().out.splitlines()
    assert line == '{"pip": "1.0.0", "uv": "1.0.0"}'
    assert fits(SCHEMA["$defs"]["picks"], json.loads(event))
    assert json.loads(event)["requirement"] == "x[a]>=1.0"


@pytest.mark.parametrize("among", [["1.0", "1.1"], ["1.0"]])
def test_a_yanked_version_may_be_in_both_lists_or_in_one(among: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(capsys, "x", "--among", *among, "--yanked", "1.1") == {"pip": "1.0", "uv": "1.0"}


def test_only_yanked_versions_are_versions(capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(capsys, "x", "--yanked", "1.1", "1.0") == {"pip": None, "uv": None}


def test_lists_may_be_given_in_pieces_and_be_empty(capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(capsys, "x", "--yanked", "--among", "1.0", "2.0") == {"pip": "2.0", "uv": "2.0"}
    assert answer(capsys, "x", "--among", "1.0", "--among", "2.0", "1.5") == {"pip": "2.0", "uv": "2.0"}


def test_versions_are_shown_as_they_were_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(capsys, "x", "--pre", "--among", "v1.0", "2.0-RC1") == {"pip": "2.0-RC1", "uv": "2.0-RC1"}


def test_a_marker_is_taken_to_hold_and_that_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["picks", "x>=1; python_version < '3'", "--among", "1.0"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said == [
        'the marker `python_version < "3"` is taken to hold: no Python was asked',
        "pip 26.3 and uv 0.13.9 pick 1.0",
    ]


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["x"], "picks needs versions to pick among"),
        (["x", "--among", "1.foo"], "'1.foo' is no version (PEP 440)"),
        (["x", "--among", "1.0", "--yanked", "one"], "'one' is no version (PEP 440)"),
        (["x", "--among", "1.0", "1.0.0"], "1.0 and 1.0.0 are one version"),
        (["x", "--among", "1.0", "--yanked", "1.0.0"], "1.0 and 1.0.0 are one version"),
        (["x y", "--among", "1.0"], "'x y' is no requirement"),
        (["", "--among", "1.0"], "'' is no requirement"),
        (["x>=", "--among", "1.0"], "'x>=' is no requirement"),
        (["x>=1.0+l", "--among", "1.0"], "'x>=1.0+l' is no requirement"),
        (
            ["x@https://example.org/x.whl", "--among", "1.0"],
            "'x@https://example.org/x.whl' names one file, no versions",
        ),
        (["x", "--among"], "picks needs versions to pick among"),
        (["--among", "1.0"], "the following arguments are required: REQUIREMENT"),
    ],
)
def test_what_is_refused(words: list[str], what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--json", "picks", *words]) == 2
    (event,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (event["event"], event["code"], event["exit"], event["what"]) == ("refused", "usage", 2, what)
    assert event["next"].startswith("tagtrail picks ")


@pytest.mark.parametrize(("command", "printed"), SHOWN)
def test_what_the_page_shows(command: str, printed: str, capsys: pytest.CaptureFixture[str]) -> None:
    command, _, tail = command.partition(" | ")
    assert main(shlex.split(command)) == 0
    lines = capsys.readouterr().out.splitlines(keepends=True)
    assert "".join(lines[-1:] if tail == "tail -n 1" else lines) == re.sub("^    ", "", printed, flags=re.MULTILINE)


@pytest.mark.parametrize(("asked", "pip", "uv"), ROWS)
def test_every_row_of_the_page(asked: str, pip: str, uv: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(capsys, *shlex.split(asked))
    assert (found["pip"] or "nothing", found["uv"] or "nothing") == (pip, uv)


def test_the_page_was_read() -> None:
    assert len(SHOWN) == 4
    assert len(ROWS) == PAGE.partition("## What surprises")[2].count("\n| `")

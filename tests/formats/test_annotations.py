"""Annotations: what is escaped how, and the forms that CI systems read."""

import json

import pytest

from tagtrail.formats.annotations import github, gitlab, sarif
from tagtrail.model.facts import Finding

ERROR = Finding(
    rule="TAG007", name="year-jump", level="error", text="50 % of\r\nit", fix="tag 2, now", code="year-jump"
)
WARNING = Finding(rule="TAG011", name="a:b,c", level="warning", text="::set-output name=x::y", code="x")


def test_github() -> None:
    assert github([ERROR, WARNING]) == (
        "::error title=TAG007 year-jump::50 %25 of%0D%0Ait%0Afix: tag 2, now\n"
        "::warning title=TAG011 a%3Ab%2Cc::::set-output name=x::y\n"
    )
    assert github([]) == ""


@pytest.mark.parametrize("char", ["\n", "\r"])
def test_no_finding_writes_a_command_of_its_own(char: str) -> None:
    foreign = Finding(rule="R", name=f"n{char}::error::", level="error", text=f"x{char}::stop-commands::y", code="c")
    assert github([foreign]).count("\n") == 1
    assert "\r" not in github([foreign])


def test_gitlab() -> None:
    one, two = json.loads(gitlab([ERROR, WARNING], tag="2026.1", path="pyproject.toml"))
    assert set(one) == {"description", "check_name", "fingerprint", "severity", "location"}
    assert (one["check_name"], one["severity"], two["severity"]) == ("TAG007 year-jump", "major", "minor")
    assert one["location"] == {"path": "pyproject.toml", "lines": {"begin": 1}}
    assert one["fingerprint"] != two["fingerprint"]
    (other,) = json.loads(gitlab([ERROR], tag="2026.2", path="pyproject.toml"))
    assert other["fingerprint"] != one["fingerprint"]
    assert json.loads(gitlab([], tag="1", path="x")) == []


def test_sarif() -> None:
    titles = [("TAG007", "year-jump", "The version does not jump."), ("TAG011", "first", "A first.")]
    log = json.loads(sarif([ERROR], titles, tag="2026.1", path="pyproject.toml", version="0.1.0"))
    assert (log["version"], len(log["runs"])) == ("2.1.0", 1)
    (run,) = log["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["TAG007", "TAG011"]
    (result,) = run["results"]
    assert (result["ruleId"], result["level"]) == ("TAG007", "error")
    assert result["message"]["text"] == "50 % of\r\nit\nfix: tag 2, now"
    place = result["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "pyproject.toml"}, "region": {"startLine": 1}}

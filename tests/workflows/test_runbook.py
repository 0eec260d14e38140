"""The runbook: the same settings give the same text, every setting that matters shows, nothing private does."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tagtrail.model.settings import Approve, RuleSwitch, TargetSettings, Watch
from tagtrail.pages.runbook import Runbook, runbook, steps
from tagtrail.workflows.runbook import runbook_of
from tests.workflows.world import World

GOLDEN = Path(__file__).parent / "golden" / "runbook.md"
TARGETS = (
    TargetSettings(name="pypi", type="index", on=("final", "rc"), by="ci", options=(("repository", "pypi"),)),
    TargetSettings(name="announce", type="mail", on=("final",), options=(("to", ("list@example.org",)),)),
    TargetSettings(name="team", type="command"),
)


def facts(**changes: Any) -> Runbook:
    road, project = World(public=True).road(), World().project()
    settings = replace(
        road.settings,
        targets=(*road.settings.targets, *TARGETS),
        org=replace(road.settings.org, approve=Approve(need=2, group="team")),
        watch=Watch(tell=("team",)),
        rules=(RuleSwitch(rule="TAG007", level="off", because="years are wanted here"),),
    )
    said = {"repo": "git@git.example.org:x/nova", "publish": ("site", "pypi"), "announce": ("announce",)}
    project = replace(project, **(said | changes))
    return runbook_of(replace(road, settings=settings), project)


def test_the_whole_text(request: pytest.FixtureRequest) -> None:
    text = runbook(facts(expect=("*win*.whl",), branches=("main", "stable/*"), final_is_rc=True))
    if request.config.getoption("--update"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()
    assert text == runbook(facts(expect=("*win*.whl",), branches=("main", "stable/*"), final_is_rc=True))


@pytest.mark.parametrize(
    ("repo", "shown"),
    [
        ("git@git.example.org:x/nova", "in git.example.org:x/nova,"),
        ("ssh://jo@git.example.org/x/nova", "in ssh://git.example.org/x/nova,"),
        ("/srv/private/nova", "in the project's repository,"),
        ("file:///srv/private/nova", "in the project's repository,"),
        ("https://git.example.org/x/nova", "in https://git.example.org/x/nova,"),
    ],
)
def test_nothing_private(repo: str, shown: str) -> None:
    text = runbook(facts(repo=repo))
    assert shown in text
    assert [word for word in ("@", "/srv") if word in text] == []


def test_where_nobody_is_asked_there_is_no_step() -> None:
    road, project = World().road(), World().project()
    assert [title for title, _ in steps(runbook_of(road, project))] == [
        "Tag", "Check", "Build", "Log", "Publish, in this order",
    ]  # fmt: skip


def test_foreign_text_stays_in_its_line() -> None:
    assert "# no" not in runbook(facts(declares="a`\n# no:version")).splitlines()

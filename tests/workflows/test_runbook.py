"""The runbook: the same settings give the same text, every setting that matters shows, nothing private does."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tagtrail.formats.contacts import parse_contacts
from tagtrail.model.settings import Approve, RuleSwitch, TargetSettings, Watch
from tagtrail.model.texts import Sayings
from tagtrail.pages.runbook import Runbook, runbook, steps
from tagtrail.workflows.release import release
from tagtrail.workflows.runbook import runbook_of, said_beside
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


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("see https://jo:secret@ci.example.org/nova?token=x#y", "see https://ci.example.org/nova"),
        ("/home/jo/bin/make --key=/home/jo/key.pem", "make --key=key.pem"),
        ("ask jo@example.org of file:///srv/private/x", "ask example.org of x"),
        ("branches stable/* and a/b/c stay", "branches stable/* and a/b/c stay"),
    ],
)
def test_nothing_private_in_what_people_wrote(said: str, shown: str) -> None:
    words = facts(run=((said,),))
    because = replace(words.settings, rules=(RuleSwitch(rule="TAG007", level="off", because=said),))
    text = runbook(replace(words, settings=because))
    assert f"is `off` here: {shown}\n" in text
    assert f"run, without network: `{shown}`\n" in text


def test_where_a_target_lies_is_nobodys_business() -> None:
    target = TargetSettings(
        name="pypi", type="index", options=(("upload", "https://jo:secret@up.example.org/legacy/"),)
    )
    words = facts()
    settings = replace(words.settings, targets=tuple(target if t.name == "pypi" else t for t in words.settings.targets))
    assert "- [ ] pypi (index, https://up.example.org/legacy/): " in runbook(replace(words, settings=settings))


def test_it_lies_beside_each_release_and_is_a_page() -> None:
    world = World(public=True)
    road = world.road()
    said = replace(world.project(), bugs="https://bugs.example.org/{project}", support_until="2031-12")
    road = replace(road, settings=replace(road.settings, projects=(said,)))
    entry = release(road, said, "1.0.0").entry
    assert entry
    sidecars = dict(entry.sidecars)
    assert road.kept.read(sidecars["nova-1.0.0.runbook.md"]).decode() == runbook(runbook_of(road, said))
    contacts = parse_contacts(road.kept.read(sidecars["nova-1.0.0.contacts.json"]))
    assert contacts == Sayings(bugs="https://bugs.example.org/nova", support_until="2031-12")
    assert b"How nova is released" in world.store.files["nova/runbook/index.html"]
    assert b"https://bugs.example.org/nova" in world.store.files["nova/feed.atom"]


def test_who_says_nothing_of_bugs_has_no_contacts() -> None:
    road = World().road()
    assert [name for name, _ in said_beside(road, "nova", "1.0.0")] == ["nova-1.0.0.runbook.md"]
    assert said_beside(road, "gone", "1.0.0") == ()


def test_where_nobody_is_asked_there_is_no_step() -> None:
    road, project = World().road(), World().project()
    assert [title for title, _ in steps(runbook_of(road, project))] == [
        "Tag", "Check", "Build", "Log", "Publish, in this order",
    ]  # fmt: skip


def test_foreign_text_stays_in_its_line() -> None:
    assert "# no" not in runbook(facts(declares="a`\n# no:version")).splitlines()


def test_the_command_that_tags_can_be_pasted() -> None:
    assert "`git tag -s 'it;VERSION' && git push origin 'it;VERSION'`" in runbook(facts(tag="it;{version}"))

"""StoryBoard against a stub of it: the suite, one task and one comment whatever goes wrong, and what is refused."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import pytest

from tagtrail.adapters.storyboard import StoryBoard
from tagtrail.io.api import Api
from tagtrail.model.errors import RemoteError
from tagtrail.model.facts import Effect
from tagtrail.ports import Conflict, Refused
from tagtrail.testing.suites import target as suite
from tagtrail.testing.suites.promise import refusal
from tests.adapters.trackers.ground import PAGE, SAID, SITE, URL, Drive, Ground
from tests.adapters.trackers.storyboard_stub import TOKEN, StoryBoardStub
from tests.adapters.trackers.stub import FAULTS, PATIENCE

pytestmark = pytest.mark.client


@dataclass
class Place:
    stub: StoryBoardStub
    ground: Ground = field(default_factory=Ground)

    def target(self, *, files: bool = True, branch: str = "stable/1", required: bool = False) -> StoryBoard:
        return StoryBoard(
            name="storyboard",
            api=Api(base=self.stub.api, authorization=lambda: f"Bearer {TOKEN}", timeout=PATIENCE),
            project="example/{project}",
            tag="{project}-{version}",
            branch=branch,
            site=SITE,
            entry=self.ground.entry,
            files=files,
            required=required,
        )

    def effects(self, **options: bool) -> dict[str, Effect]:
        items = self.target(**options).plan(self.ground.logged, None)  # type: ignore[arg-type]
        return {item.path: item for item in items if isinstance(item, Effect)}

    def links(self) -> list[str]:
        return sorted(task["link"] for task in self.stub.state["tasks"])

    def intrude(self, effect: Effect) -> None:
        title, story = effect.path.partition(": ")[2], self.stub.state["stories"][0]["id"]
        link = "https://elsewhere.example/"
        self.stub.add(self.stub.state, "tasks", {"title": title, "link": link, "story_id": story, "project_id": 1})


@pytest.fixture
def place() -> Iterator[Place]:
    with StoryBoardStub() as stub:
        stub.story("nova-1.0.0", "other")
        stub.story("nova-1.1.0")
        yield Place(stub)


def whole(place: Place) -> suite.Case:
    return suite.Case(target=place.target(), logged=place.ground.logged, later=place.ground.later)


def tasks_alone(place: Place) -> suite.Case:
    shows = lambda effect: effect.path.startswith("task")  # noqa: E731
    return replace(whole(place), target=place.target(branch=""), shows=shows, intrude=place.intrude)


@pytest.mark.parametrize("check", suite.CHECKS)
@pytest.mark.parametrize("case", [whole, tasks_alone])
def test_suite(check: Callable[[suite.Case], None], case: Callable[[Place], suite.Case], place: Place) -> None:
    check(case(place))


# --- one of each, whatever goes wrong -------------------------------------------------------------------------------

WRITES = {"the milestone": "POST /api/v1/milestones", "a task": "POST /api/v1/tasks", "the comment": "/comments"}
# what StoryBoard would take twice: where its lists are old and our journal is lost, a person is told of the second one
TOLD = {("stale", "a task", True), ("stale", "the comment", True)}


@pytest.mark.parametrize("lose", [False, True], ids=["journal kept", "journal lost"])
@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("fault", FAULTS)
def test_one_of_each_whatever_goes_wrong(fault: str, write: str, lose: bool, place: Place) -> None:
    place.stub.fault(fault, WRITES[write])
    drive = Drive(place.ground, place.target(files=False))
    code = drive.to_the_end(lose=lose)
    assert place.stub.faults == [], "the fault has happened"
    if code == 6:
        assert (fault, write, lose) in TOLD
        assert any("remove all but one" in row.why for row in drive.journal.rows(3))
        return
    assert code == 0
    assert place.links() == [PAGE]
    assert [c["content"] for c in place.stub.state["comments"]] == [f"nova 1.0.0 is released: {PAGE}"]
    assert [m["name"] for m in place.stub.state["milestones"]] == ["1.0.0"]


def test_each_file_has_a_task_with_its_address(place: Place) -> None:
    assert Drive(place.ground, place.target()).to_the_end() == 0
    files = [f"{URL}nova/{file.name}" for file in place.ground.logged.entry.files]
    assert place.links() == sorted([PAGE, *files])
    (milestone,) = place.stub.state["milestones"]
    assert {(t["status"], t["milestone_id"]) for t in place.stub.state["tasks"]} == {("merged", milestone["id"])}


def test_a_task_that_is_there_gets_the_link(place: Place) -> None:
    story = place.stub.state["stories"][0]["id"]
    task = {"title": "nova 1.0.0", "link": None, "story_id": story, "project_id": 1}
    place.stub.add(place.stub.state, "tasks", task)
    assert Drive(place.ground, place.target(files=False)).to_the_end() == 0
    assert place.links() == [PAGE]
    assert [r.method for r in place.stub.asked if "/tasks" in r.path and r.writes] == ["PUT"]


def test_the_oldest_story_with_the_tag_counts(place: Place) -> None:
    first, second = place.stub.state["stories"][0]["id"], place.stub.story("nova-1.0.0")
    assert first < second
    assert Drive(place.ground, place.target(files=False)).to_the_end() == 0
    assert [task["story_id"] for task in place.stub.state["tasks"]] == [first]


# --- what is refused ------------------------------------------------------------------------------------------------


def test_a_story_that_is_required_is_waited_for(place: Place) -> None:
    place.stub.state["stories"] = []
    task = place.effects()["task: nova 1.0.0"]
    assert place.target(required=True).find(task) is None
    with pytest.raises(Refused, match=r"no story has the tag nova-1\.0\.0"):
        place.target(required=True).apply(task)


@pytest.mark.parametrize("withdrawn", [False, True])
def test_a_release_without_a_story_is_told_to_nobody_and_that_is_said(withdrawn: bool, place: Place) -> None:
    place.stub.state["stories"] = []
    drive = Drive(place.ground, place.target(branch=""), logged=place.ground.withdrawal if withdrawn else None)
    rows = drive.once()
    assert {(row.state, row.why) for row in rows} == {
        ("seen", "no story has the tag nova-1.0.0, so there is nothing to tell it")
    }
    assert [request for request in place.stub.asked if request.writes] == []


def test_a_story_that_comes_later_is_told_when_it_is_run_again(place: Place) -> None:
    stories, place.stub.state["stories"] = place.stub.state["stories"], []
    drive = Drive(place.ground, place.target(files=False))
    assert drive.to_the_end() == 0
    assert [milestone["name"] for milestone in place.stub.state["milestones"]] == ["1.0.0"], "it needs no story"
    place.stub.state["stories"] = stories
    assert drive.to_the_end() == 0
    assert place.links() == [PAGE]
    assert {row.why for row in drive.once()} == {""}


def test_a_task_waits_for_the_milestone(place: Place) -> None:
    with pytest.raises(Refused, match="waits for the milestone"):
        place.target().apply(place.effects()["task: nova 1.0.0"])
    assert place.links() == []


def test_another_link_is_a_conflict(place: Place) -> None:
    task = place.effects()["task: nova 1.0.0"]
    place.intrude(task)
    with pytest.raises(Conflict, match="says https://elsewhere"):
        place.target().apply(task)
    assert place.links() == ["https://elsewhere.example/"]


@pytest.mark.parametrize(("kind", "path"), [("tasks", "task: nova 1.0.0"), ("comments", "comment: nova 1.0.0")])
def test_two_of_ours_are_told(kind: str, path: str, place: Place) -> None:
    story, text = place.stub.state["stories"][0]["id"], f"nova 1.0.0 is released: {PAGE}"
    for _ in range(2):
        place.stub.add(place.stub.state, kind, {"title": "x", "link": PAGE, "content": text, "story_id": story})
    with pytest.raises(Conflict, match="remove all but one"):
        place.target().apply(place.effects()[path])


def test_a_branch_that_is_not_there_is_said(place: Place) -> None:
    with refusal(RemoteError, "api-missing"):
        place.target(branch="stable/9").find(place.effects()["milestone: 1.0.0"])


def test_what_it_does_not_want_is_refused(place: Place) -> None:
    place.stub.state["milestones"] = [{"id": 5, "name": "1.0.0x", "branch_id": 2}]
    target = place.target()
    effect = place.effects()["milestone: 1.0.0"]
    assert target.find(effect) is None, "a longer name is another"
    assert target.apply(effect).sha256 == effect.blob.sha256


def test_a_survey_says_whether_there_is_a_project(place: Place) -> None:
    assert place.target().survey("nova").note == ""
    assert "no project example/glance" in place.target().survey("glance").note


# --- taken back -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", FAULTS)
def test_a_withdrawal_is_one_comment(fault: str, place: Place) -> None:
    assert Drive(place.ground, place.target()).to_the_end() == 0
    place.stub.fault(fault, "/comments")
    assert Drive(place.ground, place.target(), logged=place.ground.withdrawal).to_the_end() == 0
    said = [comment["content"] for comment in place.stub.state["comments"]]
    assert said.count(SAID) == 1
    assert len(said) == 2

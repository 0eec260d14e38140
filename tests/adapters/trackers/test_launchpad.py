"""Launchpad: the real launchpadlib against a stub of the service; one release whatever goes wrong; what is refused."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

import pytest

from tagtrail.adapters.launchpad.service import connect
from tagtrail.adapters.launchpad.target import Launchpad
from tagtrail.io.api import Api
from tagtrail.model.errors import RemoteError, SetupError
from tagtrail.model.facts import Effect
from tagtrail.ports import Conflict, Refused, Unknown
from tagtrail.testing.suites import target as suite
from tagtrail.testing.suites.promise import refusal
from tests.adapters.trackers.ground import PAGE, SAID, SITE, URL, Drive, Ground
from tests.adapters.trackers.launchpad_stub import CREDENTIALS, LaunchpadStub
from tests.adapters.trackers.stub import FAULTS, PATIENCE

pytestmark = pytest.mark.client


@dataclass
class Place:
    stub: LaunchpadStub
    service: Any
    ground: Ground = field(default_factory=Ground)

    def target(self, *, files: bool = True, series: str = "trunk") -> Launchpad:
        return Launchpad(
            name="launchpad",
            root=lambda: self.service,
            digest=Api(base="", timeout=PATIENCE).digest,
            project="{project}",
            series=series,
            site=SITE,
            kept=self.ground.kept,
            entry=self.ground.entry,
            files=files,
        )

    def effects(self) -> list[Effect]:
        return [item for item in self.target().plan(self.ground.logged, None) if isinstance(item, Effect)]

    def put(self, effect: Effect, notes: str = PAGE, *, active: bool = True) -> dict[str, Any]:
        """A release that is there before we come; its files."""
        version = effect.path.replace(" ", "/").partition("/")[0]
        fresh = {"is_active": active, "release": {"release_notes": notes, "files": {}}}
        held: dict[str, Any] = self.stub.state["milestones"].setdefault(version, fresh)["release"]["files"]
        return held

    def intrude(self, effect: Effect) -> None:
        if "/file:" in effect.key:
            name = effect.path.rpartition("/")[2]
            self.put(effect)[name] = {"filename": name, "file_content": b"other bytes"}
        else:
            self.put(effect, "not what you think", active=False)


@pytest.fixture(scope="module")
def launchpad() -> Iterator[tuple[LaunchpadStub, Any]]:
    """The stub, and launchpadlib connected to it: reading the description of the service takes it a quarter second."""
    with LaunchpadStub() as stub:
        service = connect(stub.url, CREDENTIALS, timeout=PATIENCE)
        yield stub, service
        service._browser._connection.close()


@pytest.fixture
def place(launchpad: tuple[LaunchpadStub, Any]) -> Place:
    stub, service = launchpad
    stub.state, stub.faults, stub.stale = {"milestones": {}}, [], 0
    stub.asked.clear()
    return Place(stub, service)


def whole(place: Place) -> suite.Case:
    return suite.Case(target=place.target(), logged=place.ground.logged, later=place.ground.later)


def page_only(place: Place) -> suite.Case:
    return replace(whole(place), target=place.target(files=False), intrude=place.intrude)


def files_alone(place: Place) -> suite.Case:
    place.put(place.effects()[0])
    shows = lambda effect: "/file:" in effect.key  # noqa: E731
    return replace(whole(place), shows=shows, intrude=place.intrude, alter=place.ground.alter)


@pytest.mark.parametrize("check", suite.CHECKS)
@pytest.mark.parametrize("case", [whole, page_only, files_alone])
def test_suite(check: Callable[[suite.Case], None], case: Callable[[Place], suite.Case], place: Place) -> None:
    check(case(place))


# --- one release, whatever goes wrong -------------------------------------------------------------------------------

WRITES = {
    "the milestone": "POST /1.0/nova/trunk",
    "the release": "POST /1.0/nova/+milestone",
    "a file": "POST /1.0/nova/trunk/1.0.0",
    "closing": "PATCH",
}


def whole_release(place: Place) -> None:
    ((version, milestone),) = place.stub.state["milestones"].items()
    assert (version, milestone["is_active"]) == ("1.0.0", False)
    assert PAGE in milestone["release"]["release_notes"]
    digests, held = place.ground.digests, milestone["release"]["files"]
    names = {file.name for file in place.ground.logged.entry.files}
    assert {name: sha256(file["file_content"]).hexdigest() for name, file in held.items()} == {
        n: digests[n] for n in names
    }
    for name, file in held.items():
        assert file["signature_filename"] == f"{name}.asc"
        assert sha256(file["signature_content"]).hexdigest() == digests[f"{name}.asc"]


@pytest.mark.parametrize("lose", [False, True], ids=["journal kept", "journal lost"])
@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("fault", FAULTS)
def test_one_release_whatever_goes_wrong(fault: str, write: str, lose: bool, place: Place) -> None:
    place.stub.fault(fault, WRITES[write])
    assert Drive(place.ground, place.target()).to_the_end(lose=lose) == 0
    assert place.stub.faults == [], "the fault has happened"
    whole_release(place)


def test_one_pass_is_enough(place: Place) -> None:
    drive = Drive(place.ground, place.target())
    assert [row.state for row in drive.once()] == ["sent"] * 4, "release, two files, closed"
    assert [row.state for row in drive.once()] == ["seen"] * 4
    kinds = {
        f["filename"]: f["file_type"] for f in place.stub.state["milestones"]["1.0.0"]["release"]["files"].values()
    }
    assert set(kinds.values()) == {"Code Release Tarball", "Installer file"}
    survey = place.target().survey("nova")
    assert [name for name, _ in survey.files] == sorted(kinds)
    assert "there is no project glance" in place.target().survey("glance").note


def test_a_milestone_that_is_there_is_taken(place: Place) -> None:
    place.stub.state["milestones"]["1.0.0"] = {"is_active": True, "release": None}
    assert Drive(place.ground, place.target()).to_the_end() == 0
    whole_release(place)


# --- what is refused ------------------------------------------------------------------------------------------------


def test_a_series_that_is_not_there_is_said(place: Place) -> None:
    with pytest.raises(Refused, match="no series nova/mitaka"):
        place.target(series="mitaka").apply(place.effects()[0])
    assert place.stub.state["milestones"] == {}


def test_files_wait_for_the_release_and_closing_for_the_files(place: Place) -> None:
    target, (release, file, *_, close) = place.target(), place.effects()
    with pytest.raises(Refused, match="waits for the release"):
        target.apply(file)
    target.apply(release)
    with pytest.raises(Refused, match="waits for 2 files"):
        target.apply(close)
    assert place.stub.state["milestones"]["1.0.0"]["is_active"]


def test_a_larger_file_is_other_bytes(place: Place) -> None:
    file = place.effects()[1]
    place.put(file)[file.path.rpartition("/")[2]] = {"file_content": b"x" * (file.blob.size + 1)}
    with pytest.raises(Conflict, match="more than"):
        place.target().apply(file)


@pytest.mark.parametrize(
    ("fault", "raises"), [("403", Refused), ("429", Refused), ("500 before", Unknown), ("502", Unknown)]
)
def test_what_an_answer_means(fault: str, raises: type[Exception], place: Place) -> None:
    place.stub.fault(fault, WRITES["the milestone"])
    target, effect = place.target(), place.effects()[0]
    with pytest.raises(raises) as caught:
        target.apply(effect)
    assert getattr(caught.value, "after", 7) in (7, 3600)
    assert [r for r in place.stub.asked if r.writes][1:] == [], "one attempt is one"


def test_credentials_that_are_none(place: Place) -> None:
    with refusal(SetupError, "launchpad-credentials"):
        connect(place.stub.url, "nothing of the kind")


def test_nobody_there_is_not_now() -> None:
    with refusal(RemoteError, "api-unreachable"):
        connect("http://127.0.0.1:9", CREDENTIALS, timeout=PATIENCE)


# --- taken back -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lose", [False, True], ids=["journal kept", "journal lost"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_withdrawal_stands_in_the_notes_once(fault: str, lose: bool, place: Place) -> None:
    assert Drive(place.ground, place.target()).to_the_end() == 0
    before = place.stub.state["milestones"]["1.0.0"]["release"]["release_notes"]
    place.stub.fault(fault, "PATCH")
    assert Drive(place.ground, place.target(), logged=place.ground.withdrawal).to_the_end(lose=lose) == 0
    release = place.stub.state["milestones"]["1.0.0"]["release"]
    assert release["release_notes"] == f"{SAID}\n\n{before}"
    assert release["files"], "nothing is removed"
    assert place.target().survey("nova").yanked == tuple(sorted(release["files"]))


@pytest.mark.parametrize(
    ("notes", "marked"),
    [
        (f"{SAID}\n\nsee {PAGE}", True),
        (f"see {PAGE}", False),
        (SAID, False),
        (f"{SAID}\n\nsee {URL}nova/1.1.0/", False),
    ],
)
def test_a_survey_tells_what_is_marked_in_our_words_and_of_this_release(notes: str, marked: bool, place: Place) -> None:
    place.put(place.effects()[0], notes, active=False)["nova-1.0.0.tar.gz"] = {}
    survey = place.target().survey("nova")
    assert survey.yanked == (("nova-1.0.0.tar.gz",) if marked else ())


@pytest.mark.parametrize("fault", ["500 before", "403", "429"])
def test_a_mark_that_was_refused_is_not_told(fault: str, place: Place) -> None:
    assert Drive(place.ground, place.target()).to_the_end() == 0
    place.stub.fault(fault, "PATCH")
    Drive(place.ground, place.target(), logged=place.ground.withdrawal).once()
    assert place.target().survey("nova").yanked == ()


def test_what_is_not_there_needs_no_mark(place: Place) -> None:
    assert Drive(place.ground, place.target(), logged=place.ground.withdrawal).to_the_end() == 0
    assert place.stub.state["milestones"] == {}

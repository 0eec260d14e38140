"""GitHub releases against a stub of them: the suite, one release whatever goes wrong, and what is refused."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

import pytest

from tagtrail.adapters.github.target import GitHub
from tagtrail.io.api import Api
from tagtrail.model.errors import RemoteError
from tagtrail.model.facts import Effect, Skip
from tagtrail.ports import Conflict, Refused, Unknown
from tagtrail.testing.suites import target as suite
from tagtrail.testing.suites.promise import refusal
from tests.adapters.trackers.github_stub import TOKEN, GitHubStub
from tests.adapters.trackers.ground import PAGE, SAID, SITE, URL, Drive, Ground
from tests.adapters.trackers.stub import FAULTS, PATIENCE

pytestmark = pytest.mark.client


@dataclass
class Place:
    stub: GitHubStub
    ground: Ground = field(default_factory=Ground)
    timeout: float = PATIENCE

    def target(self, *, files: bool = True) -> GitHub:
        api = Api(base=self.stub.url, authorization=lambda: f"Bearer {TOKEN}", timeout=self.timeout)
        repository = "example/{project}"
        return GitHub(
            name="github",
            api=api,
            repository=repository,
            site=SITE,
            kept=self.ground.kept,
            entry=self.ground.entry,
            files=files,
        )

    @property
    def releases(self) -> list[dict[str, Any]]:
        return list(self.stub.state["releases"].values())

    def put(self, effect: Effect, body: str = f"see {PAGE}", *, draft: bool = True) -> None:
        """A release that is there before we come."""
        if not self.releases:
            tag = effect.path.replace(" ", "/").partition("/")[0]
            self.stub.create({"tag_name": tag, "name": "", "body": body, "draft": draft}, self.stub.state)

    def intrude(self, effect: Effect) -> None:
        """Somebody else's release; or in ours, somebody else's file."""
        if "/file:" not in effect.key:
            self.put(effect, "not what you think", draft=False)
            return
        self.put(effect)
        self.stub.store(self.stub.state, self.releases[0], effect.path.rpartition("/")[2], b"other bytes")


def tags(ground: Ground) -> dict[str, str]:
    return {e.tag.name: e.tag.object for e in (ground.logged.entry, ground.later.entry) if e.tag}


@pytest.fixture
def place() -> Iterator[Place]:
    ground = Ground()
    with GitHubStub(tags(ground)) as stub:
        yield Place(stub, ground)


# --- the suite ------------------------------------------------------------------------------------------------------


def whole(place: Place) -> suite.Case:
    return suite.Case(target=place.target(), logged=place.ground.logged, later=place.ground.later)


def page_only(place: Place) -> suite.Case:
    return replace(whole(place), target=place.target(files=False), intrude=place.intrude)


def files_alone(place: Place) -> suite.Case:
    """In a draft that is there already."""
    place.stub.tells = False
    place.put(effects(place)[0])
    shows = lambda effect: "/file:" in effect.key  # noqa: E731
    return replace(whole(place), shows=shows, intrude=place.intrude, alter=place.ground.alter)


@pytest.mark.parametrize("check", suite.CHECKS)
@pytest.mark.parametrize("case", [whole, page_only, files_alone])
def test_suite(check: Callable[[suite.Case], None], case: Callable[[Place], suite.Case], place: Place) -> None:
    check(case(place))


def effects(place: Place, *, files: bool = True) -> list[Effect]:
    return [item for item in place.target(files=files).plan(place.ground.logged, None) if isinstance(item, Effect)]


# --- one release, whatever goes wrong -------------------------------------------------------------------------------

WRITES = {"a draft": "POST /repos/example/nova/releases", "a file": "/assets", "publishing": "PATCH"}


def whole_release(place: Place) -> None:
    (release,) = place.releases
    assert not release["draft"]
    assert PAGE in release["body"]
    digests = place.ground.digests
    wanted = {name: digests[name] for name in digests if name.endswith((".tar.gz", ".whl", ".asc"))}
    found = [(asset["name"], sha256(asset["data"]).hexdigest()) for asset in release["assets"]]
    assert sorted(found) == sorted(wanted.items())
    assert {asset["state"] for asset in release["assets"]} == {"uploaded"}


@pytest.mark.parametrize("lose", [False, True], ids=["journal kept", "journal lost"])
@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("fault", FAULTS)
def test_one_release_whatever_goes_wrong(fault: str, write: str, lose: bool, place: Place) -> None:
    place.stub.fault(fault, WRITES[write])
    assert Drive(place.ground, place.target()).to_the_end(lose=lose) == 0
    assert place.stub.faults == [], "the fault has happened"
    whole_release(place)


def test_a_release_says_what_it_is(place: Place) -> None:
    drive = Drive(place.ground, place.target())
    assert [row.state for row in drive.once()] == ["sent"] * 6, "one pass: draft, files, published"
    assert drive.to_the_end() == 0
    whole_release(place)
    survey = place.target().survey("nova")
    assert survey.may_upload is True
    assert dict(survey.files) == {e.path.rpartition("/")[2]: e.blob.sha256 for e in effects(place) if "/file:" in e.key}
    assert not any(
        "target_commitish" in r.body.decode() for r in place.stub.asked if r.method == "POST" and b"{" in r.body[:1]
    )


def test_the_page_alone(place: Place) -> None:
    assert Drive(place.ground, place.target(files=False)).to_the_end() == 0
    (release,) = place.releases
    assert (release["draft"], release["assets"], PAGE in release["body"]) == (False, [], True)


def test_a_starter_is_removed_and_sent_again(place: Place) -> None:
    place.stub.fault("502", "/assets")
    drive = Drive(place.ground, place.target())
    drive.once()
    assert place.releases[0]["assets"][0]["state"] == "starter"
    assert drive.to_the_end() == 0
    whole_release(place)
    assert [r.method for r in place.stub.asked if "/releases/assets/" in r.path] == ["DELETE"]


def test_drafts_of_ours_beside_the_release_go(place: Place) -> None:
    """Two attempts while the list was stale; somebody else's draft of the tag stays."""
    first = effects(place)[0]
    for body in (f"see {PAGE}", f"see {PAGE}", "my own notes"):
        place.stub.create({"tag_name": first.path, "name": "", "body": body, "draft": True}, place.stub.state)
    assert Drive(place.ground, place.target()).to_the_end() == 0
    assert sorted((r["draft"], r["body"]) for r in place.releases) == [(False, f"see {PAGE}"), (True, "my own notes")]


# --- what is refused, one thing wrong at a time ---------------------------------------------------------------------


def test_a_tag_that_is_not_there_yet_is_waited_for(place: Place) -> None:
    place.stub.state["tags"] = {}
    with pytest.raises(Refused) as refused:
        place.target().apply(effects(place)[0])
    assert "1.0.0 is not at example/nova yet" in refused.value.why
    assert place.releases == []


def test_another_tag_there_is_a_conflict(place: Place) -> None:
    place.stub.state["tags"] = {"1.0.0": "0" * 40}
    with pytest.raises(Conflict, match="000000000000"):
        place.target().apply(effects(place)[0])
    assert place.releases == []


def test_files_wait_for_the_release_and_publishing_for_the_files(place: Place) -> None:
    target, (release, file, *_, publish) = place.target(), effects(place)
    with pytest.raises(Refused, match="waits for the release") as refused:
        target.apply(file)
    assert refused.value.after < 60
    target.apply(release)
    with pytest.raises(Refused, match="waits for 4 files"):
        target.apply(publish)
    assert place.releases[0]["draft"]


def test_a_name_that_github_changes_is_a_conflict(place: Place) -> None:
    target, (release, file, *_) = place.target(), effects(place)
    target.apply(release)
    place.stub.renames = "x."
    with pytest.raises(Conflict, match="is called 'x"):
        target.apply(file)


def test_too_many_requests_say_when(place: Place) -> None:
    place.stub.fault("429", "releases")
    with pytest.raises(Refused) as refused:
        place.target().apply(effects(place)[0])
    assert refused.value.after == place.stub.retry_after


@pytest.mark.parametrize("fault", ["500 before", "502", "lost", "hang"])
def test_nobody_knows(fault: str, place: Place) -> None:
    place.stub.fault(fault, "releases")
    with pytest.raises(Unknown):
        place.target().apply(effects(place)[0])


def test_a_wrong_token_is_said_and_not_shown(place: Place) -> None:
    target = place.target()
    target.api = Api(base=place.stub.url, authorization=lambda: "Bearer secret-of-mine")
    with refusal(RemoteError, "api-status"):
        target.find(effects(place)[0])
    with pytest.raises(Refused) as refused:
        target.api.send("POST", "repos/example/nova/releases", {})
    assert "secret" not in refused.value.why


def test_nobody_there_is_not_now(place: Place) -> None:
    target = place.target()
    target.api = Api(base="http://127.0.0.1:9")
    with refusal(RemoteError, "api-unreachable"):
        target.find(effects(place)[0])
    with pytest.raises(Refused):
        target.api.send("POST", "repos/example/nova/releases", {})


def test_files_of_two_gib_are_left_out_and_said(place: Place) -> None:
    blobs = tuple(
        replace(s, blob=replace(s.blob, size=1 << 31)) if s.name.endswith(".whl") else s
        for s in place.ground.logged.blobs
    )
    items = place.target().plan(replace(place.ground.logged, blobs=blobs), None)
    (skip,) = [item for item in items if isinstance(item, Skip)]
    assert (skip.what, "2 GiB" in skip.because) == ("nova-1.0.0-py3-none-any.whl", True)


# --- taken back -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lose", [False, True], ids=["journal kept", "journal lost"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_withdrawal_stands_in_its_text_once(fault: str, lose: bool, place: Place) -> None:
    assert Drive(place.ground, place.target()).to_the_end() == 0
    before = place.releases[0]["body"]
    place.stub.fault(fault, "PATCH")
    assert Drive(place.ground, place.target(), logged=place.ground.withdrawal).to_the_end(lose=lose) == 0
    whole_release(place)
    assert place.releases[0]["body"] == f"**{SAID}**\n\n{before}"
    assert place.releases[0]["prerelease"] is True
    survey = place.target().survey("nova")
    assert (survey.yanked, len(survey.files)) == (tuple(name for name, _ in survey.files), 4)


@pytest.mark.parametrize(
    ("body", "marked"),
    [
        (f"**{SAID}**\n\nsee {PAGE}", True),
        (f"see {PAGE}\r\n\r\n{SAID}\r\n", True),
        (f"see {PAGE}", False),
        (SAID, False),
        (f"instead of: {SAID}\n\nsee {PAGE}", False),
        (f"{SAID}\n\nsee {URL}nova/1.1.0/", False),
        (f"{SAID.replace('nova 1', 'glance 1')}\n\nsee {PAGE}", False),
        (f"{SAID.replace(URL, 'https://elsewhere.example/')}\n\nsee {PAGE}", False),
    ],
)
def test_a_survey_tells_what_is_marked_in_our_words_and_of_this_release(body: str, marked: bool, place: Place) -> None:
    place.put(effects(place)[0], body, draft=False)
    place.stub.store(place.stub.state, place.releases[0], "nova-1.0.0.tar.gz", b"x")
    place.stub.store(place.stub.state, place.releases[0], "half.tar.gz", b"")["state"] = "starter"
    assert place.target().survey("nova").yanked == (("nova-1.0.0.tar.gz",) if marked else ())


@pytest.mark.parametrize("fault", ["500 before", "403", "429"])
def test_a_mark_that_was_refused_is_not_told(fault: str, place: Place) -> None:
    assert Drive(place.ground, place.target()).to_the_end() == 0
    place.stub.fault(fault, "PATCH")
    Drive(place.ground, place.target(), logged=place.ground.withdrawal).once()
    assert place.target().survey("nova").yanked == ()


@pytest.mark.parametrize("draft", [False, True])
def test_what_is_not_public_needs_no_mark(draft: bool, place: Place) -> None:
    if draft:
        place.put(effects(place)[0])
    assert Drive(place.ground, place.target(), logged=place.ground.withdrawal).to_the_end() == 0
    assert [request for request in place.stub.asked if request.writes] == []

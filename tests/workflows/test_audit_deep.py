"""A deep audit of places: every file hashed as it is fetched there, every mark of a withdrawn version looked at."""

import time
from dataclasses import dataclass, field
from typing import Literal

import pytest

from tagtrail.formats.drafts import withdraw_draft
from tagtrail.model.errors import RemoteError
from tagtrail.model.facts import Effect, Entry, Logged, Receipt, Row, Skip, Survey
from tagtrail.model.notice import Notice
from tagtrail.testing import memory, samples
from tagtrail.workflows.audit.deep import hashed, withdrawals
from tagtrail.workflows.audit.places import Line, belongings, by_name, compared, exit_code, marks

RELEASE = samples.entry(0, samples.release())
SDIST, WHEEL = RELEASE.files[1], RELEASE.files[0]
GONE = samples.entry(1, withdraw_draft(RELEASE, "a mistake", policy="a" * 64))
ALL = {file.name: file.sha256 for file in RELEASE.files}
OTHER = "0" * 64
State = Literal["none", "asked", "sent", "seen", "refused", "conflict", "held", "dropped"]


@dataclass
class Shelf(memory.Target):
    """A place that shows `files`, at addresses behind which `behind` lies, and `marked` versions."""

    files: dict[str, str]
    behind: dict[str, str] = field(default_factory=dict)
    name: str = "pypi"
    retry: Literal["keyed", "searchable", "blind"] = "searchable"
    lag: int = 0
    tells: bool = True
    unlisted: bool = False
    yanks: tuple[str, ...] | None = None
    marked: bool | None = None
    broken: bool = False
    slow: float = 0

    def survey(self, project: str) -> Survey:
        files = () if self.unlisted else tuple((n, d if self.tells else "") for n, d in self.files.items())
        return Survey(target=self.name, files=files, yanked=self.yanks, unlisted=self.unlisted)

    def plan(self, logged: Logged, notice: Notice | None) -> tuple[Effect | Skip, ...]:
        entry = logged.entry
        if entry.event == "withdraw":
            return (Effect(target=self.name, key="1/withdraw:", entry=1, path="mark", blob=samples.blob(b"marked")),)
        blobs = {s.name: s.blob for s in logged.blobs}
        return tuple(
            Effect(target=self.name, key=f"0/{f.name}", entry=0, path=f.name, blob=blobs[f.name]) for f in entry.files
        )

    def find(self, effect: Effect) -> Receipt | None:
        time.sleep(self.slow)
        if self.broken:
            raise RemoteError("down", code="x")
        if effect.path == "mark":
            return Receipt(where="there", sha256=effect.blob.sha256) if self.marked else None
        there = self.files.get(effect.path)
        return Receipt(where=f"https://shelf.example/{effect.path}", sha256=there) if there else None

    def digest(self, url: str, limit: int) -> str | None:
        name = url.rpartition("/")[2]
        found = {**self.files, **self.behind}[name]
        if found in ("too-large", "status"):
            raise RemoteError(url, code=f"url-{found}")
        return found or None


def deep(shelf: Shelf, state: State = "seen", limit: float = 5) -> dict[str, tuple[str, str]]:
    targets = {shelf.name: shelf}
    rows = [Row(effect=one.effect, state=state) for one in belongings(RELEASE, targets, ())]
    belong = belongings(RELEASE, targets, rows)
    lines = compared((RELEASE,), belong, [shelf.survey("nova")])
    found = hashed(lines, belong, targets, shelf.digest, limit)
    return {line.name: (line.cells[0].state, line.cells[0].sha256) for line in found}


GOOD = dict.fromkeys(ALL, ("same", ""))


@pytest.mark.parametrize("tells", [False, True])
@pytest.mark.parametrize("unlisted", [False, True])
def test_all_agree(tells: bool, unlisted: bool) -> None:
    assert deep(Shelf(ALL, tells=tells, unlisted=unlisted)) == GOOD


@pytest.mark.parametrize(
    ("behind", "found"),
    [(OTHER, ("other", OTHER)), ("too-large", ("other", "")), ("status", ("there", "")), ("", ("there", ""))],
)
def test_other_bytes_behind_the_right_digest(behind: str, found: tuple[str, str]) -> None:
    assert deep(Shelf(ALL, {SDIST.name: behind})) == GOOD | {SDIST.name: found}


@pytest.mark.parametrize("unlisted", [False, True])
def test_other_bytes_of_which_nobody_told_a_digest(unlisted: bool) -> None:
    found = deep(Shelf(ALL | {SDIST.name: OTHER}, tells=False, unlisted=unlisted))
    assert found == GOOD | {SDIST.name: ("other", OTHER)}


@pytest.mark.parametrize(("state", "word"), [("seen", "missing"), ("sent", "waiting"), ("dropped", "dropped")])
def test_what_is_not_there(state: State, word: str) -> None:
    there = {WHEEL.name: WHEEL.sha256}
    assert deep(Shelf(there, unlisted=True), state) == GOOD | {SDIST.name: (word, "")}


def test_a_place_that_does_not_answer_or_not_in_time_is_told() -> None:
    assert {state for state, _ in deep(Shelf(ALL, tells=False, broken=True)).values()} == {"silent"}
    assert {state for state, _ in deep(Shelf(ALL, slow=0.2), limit=0.01).values()} == {"there"}


def test_nobody_looks_at_a_blind_place() -> None:
    assert deep(Shelf({}, unlisted=True, retry="blind")) == dict.fromkeys(ALL, ("unasked", ""))


# --- marks ----------------------------------------------------------------------------------------------------------


def withdrawn(shelf: Shelf, state: State | None = "seen") -> tuple[tuple[Line, ...], list[str]]:
    targets = {shelf.name: shelf}
    belong = [Row(effect=one.effect, state="seen") for one in belongings(RELEASE, targets, ())]
    wanted = marks(GONE, targets, ())
    wanted = marks(GONE, targets, [Row(effect=one.effect, state=state) for one in wanted] if state else ())
    entries: tuple[Entry, ...] = (RELEASE, GONE)
    lines = compared(entries, belongings(RELEASE, targets, belong), [shelf.survey("nova")])
    found = withdrawals(lines, wanted, targets, [shelf.survey("nova")], 5)
    return found, [line.cells[0].state for line in found]


@pytest.mark.parametrize(
    ("yanks", "marked", "state", "words", "code"),
    [
        (tuple(ALL), None, "seen", "yanked", 0),
        ((), False, "seen", "shown", 7),
        ((), False, "refused", "waiting", 4),
        ((), False, None, "unsent", 4),
        ((), False, "dropped", "dropped", 0),
        ((), True, "seen", "yanked", 0),
        (None, True, "seen", "yanked", 0),
        (None, False, "seen", "shown", 7),
    ],
)
def test_the_files_of_a_withdrawn_version(
    yanks: tuple[str, ...] | None, marked: bool | None, state: State | None, words: str, code: int
) -> None:
    lines, found = withdrawn(Shelf(ALL, yanks=yanks, marked=marked), state)
    assert (found, exit_code(lines)) == ([words] * 2, code)


@pytest.mark.parametrize(("marked", "state", "code"), [(True, "yanked", 0), (False, "shown", 7)])
def test_a_place_that_shows_no_files_has_a_line_for_the_version(marked: bool, state: str, code: int) -> None:
    lines, _ = withdrawn(Shelf({}, unlisted=True, marked=marked))
    assert [(line.name, line.version, line.cells[0].state) for line in lines if not line.name] == [("", "1.0.0", state)]
    assert exit_code(lines) == code


def test_a_mark_that_nobody_could_look_at() -> None:
    assert withdrawn(Shelf(ALL, marked=True, broken=True))[1] == ["silent"] * 2
    assert withdrawn(Shelf(ALL, yanks=(), marked=True, broken=True))[1] == ["shown"] * 2
    assert withdrawn(Shelf(ALL, retry="blind"))[1] == ["same"] * 2


def deep_withdrawn(shelf: Shelf) -> tuple[dict[str, str], int]:
    """The states of the files of a withdrawn version, and how many were taken by name alone."""
    targets = {shelf.name: shelf}
    belong = belongings(RELEASE, targets, ())
    found = hashed(compared((RELEASE, GONE), belong, [shelf.survey("nova")]), belong, targets, shelf.digest, 5)
    return {line.name: line.cells[0].state for line in found}, by_name(found)


@pytest.mark.parametrize("tells", [True, False])
@pytest.mark.parametrize(("yanks", "word"), [(tuple(ALL), "yanked"), ((), "shown")])
def test_the_bytes_of_a_withdrawn_version_count_too(yanks: tuple[str, ...], word: str, tells: bool) -> None:
    good = dict.fromkeys(ALL, word)
    assert deep_withdrawn(Shelf(ALL, yanks=yanks, tells=tells)) == (good, 0)
    hidden = (
        Shelf(ALL, {SDIST.name: OTHER}, yanks=yanks)
        if tells
        else Shelf(ALL | {SDIST.name: OTHER}, yanks=yanks, tells=False)
    )
    assert deep_withdrawn(hidden)[0][SDIST.name] == "other"


@pytest.mark.parametrize(
    ("files", "word"), [(ALL, "same"), (ALL | {SDIST.name: OTHER}, "other"), ({WHEEL.name: WHEEL.sha256}, "gone")]
)
def test_of_a_withdrawn_version_a_place_that_tells_no_names_is_asked_too(files: dict[str, str], word: str) -> None:
    assert deep_withdrawn(Shelf(files, unlisted=True))[0][SDIST.name] == word


@pytest.mark.parametrize("state", ["sent", "dropped", "conflict"])
def test_what_the_journal_says_gives_way_to_what_is_there(state: State) -> None:
    assert deep(Shelf(ALL, unlisted=True), state) == GOOD


def test_a_withdrawn_file_that_cannot_be_fetched_is_taken_by_its_name() -> None:
    assert deep_withdrawn(Shelf(ALL, {SDIST.name: ""}, yanks=tuple(ALL))) == (dict.fromkeys(ALL, "yanked"), 1)
    assert deep_withdrawn(Shelf(ALL, tells=False, yanks=tuple(ALL), broken=True)) == (dict.fromkeys(ALL, "yanked"), 2)


def test_other_bytes_stay_other_bytes() -> None:
    assert withdrawn(Shelf(ALL | {SDIST.name: OTHER}, marked=True))[1] == ["yanked", "other"]

"""The table of states, every cell: the rows of the design by number, over the pure functions of the driver."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any, Literal, get_args

import pytest

from tagtrail.formats.notice import notice_bytes
from tagtrail.model.errors import TamperError
from tagtrail.model.facts import Effect, Receipt, Row, State
from tagtrail.ports import Conflict, Refused, Unknown
from tagtrail.testing import samples
from tagtrail.testing.memory import Fault, Journal, Kept, Target
from tagtrail.workflows import carry

Retry = Literal["keyed", "searchable", "blind"]
STATES: tuple[State, ...] = get_args(State)
RETRIES: tuple[Retry, ...] = ("keyed", "searchable", "blind")
NOW, LAG = 10_000, 600

BLOB = samples.blob(b"ours")
EFFECT = Effect(target="place", key="0:a", entry=0, path="a", blob=BLOB)
SAME = Receipt(where="https://example.org/a", sha256=BLOB.sha256)
OTHER = Receipt(where="https://example.org/a", sha256=samples.blob(b"theirs").sha256)


def row(state: State, *, since: int = NOW - 1, due: int = 0) -> Row:
    return Row(effect=EFFECT, state=state, since=since, due=due, tries=3, why="before")


def looked(before: Row, found: Receipt | None, retry: Retry = "searchable", now: int = NOW) -> Row:
    return carry.looked(before, found, now, retry, LAG)


# --- a look ---------------------------------------------------------------------------------------------------------

# Row 1, 3 and 8: what a look that finds something makes of each state (blind places are not looked at).
HITS: dict[State, tuple[State, State]] = {
    # state      same bytes   other bytes
    "none": ("seen", "conflict"),
    "refused": ("seen", "conflict"),
    "asked": ("seen", "conflict"),
    "sent": ("seen", "conflict"),
    "seen": ("seen", "conflict"),
    "conflict": ("conflict", "conflict"),
    "held": ("held", "conflict"),
    "dropped": ("dropped", "conflict"),
}


@pytest.mark.parametrize(("retry", "state"), [*product(("keyed", "searchable"), STATES)])
def test_rows_1_3_8_a_look_that_finds(retry: Retry, state: State) -> None:
    same, other = HITS[state]
    found = looked(row(state), SAME, retry)
    assert found.state == same
    assert found.tries == 3, "what is found is not asked for again"
    if same == "seen":
        assert found.receipt == SAME
    there = looked(row(state), OTHER, retry)
    assert (there.state, there.tries) == (other, 3)
    assert there.receipt == OTHER
    assert OTHER.sha256[:16] in there.why
    assert BLOB.sha256[:16] in there.why


# Rows 2, 7 and 8: what a look that finds nothing makes of each state; True: the place is asked (again).
MISSES: dict[tuple[Retry, State], tuple[State, bool]] = {
    ("keyed", "none"): ("asked", True),
    ("keyed", "refused"): ("asked", True),
    ("keyed", "asked"): ("asked", True),
    ("keyed", "sent"): ("sent", False),
    ("keyed", "seen"): ("asked", True),
    ("keyed", "conflict"): ("conflict", False),
    ("keyed", "held"): ("held", False),
    ("keyed", "dropped"): ("dropped", False),
    ("searchable", "none"): ("asked", True),
    ("searchable", "refused"): ("asked", True),
    ("searchable", "asked"): ("asked", False),  # before its lag; after it: below
    ("searchable", "sent"): ("sent", False),
    ("searchable", "seen"): ("asked", True),
    ("searchable", "conflict"): ("conflict", False),
    ("searchable", "held"): ("held", False),
    ("searchable", "dropped"): ("dropped", False),
    ("blind", "none"): ("asked", True),
    ("blind", "refused"): ("asked", True),
    ("blind", "asked"): ("held", False),
    ("blind", "sent"): ("sent", False),
    ("blind", "seen"): ("seen", False),
    ("blind", "conflict"): ("conflict", False),
    ("blind", "held"): ("held", False),
    ("blind", "dropped"): ("dropped", False),
}


def test_the_table_is_whole() -> None:
    assert set(MISSES) == set(product(RETRIES, STATES))
    assert set(HITS) == set(STATES)


@pytest.mark.parametrize(("retry", "state"), MISSES)
def test_rows_2_7_8_a_look_that_misses(retry: Retry, state: State) -> None:
    wanted, asks = MISSES[retry, state]
    before = row(state)
    after = looked(before, None, retry)
    assert (after.state, after.tries - before.tries) == (wanted, int(asks))
    if asks:
        assert after.since == NOW
    elif wanted == state:
        assert after == before


@pytest.mark.parametrize("state", ["none", "refused"])
@pytest.mark.parametrize("retry", RETRIES)
def test_row_2_not_before_its_time(state: State, retry: Retry) -> None:
    for due, asks in ((NOW + 1, False), (NOW, True), (NOW - 1, True)):
        before = row(state, due=due)
        after = looked(before, None, retry)
        assert (after.tries > before.tries) is asks
        assert asks or after == before


def test_row_7_searchable_is_asked_again_after_its_lag() -> None:
    for since, asks in ((NOW - LAG + 1, False), (NOW - LAG, True), (NOW - LAG - 1, True)):
        before = row("asked", since=since)
        after = looked(before, None, "searchable")
        assert (after.tries > before.tries) is asks
        assert asks or after == before
        assert after.since == (NOW if asks else since), "a new attempt has a lag of its own"


@pytest.mark.parametrize(("state", "found"), [*product(STATES, (None, SAME, OTHER))])
def test_nobody_looks_at_a_blind_place(state: State, found: Receipt | None) -> None:
    assert looked(row(state), found, "blind") == looked(row(state), None, "blind")


# --- an answer ------------------------------------------------------------------------------------------------------

ANSWERS: list[tuple[carry.Answer, Retry, State]] = [
    (SAME, "keyed", "sent"),  # row 4
    (SAME, "searchable", "sent"),
    (SAME, "blind", "seen"),
    (Refused("busy", 30), "keyed", "refused"),  # row 5
    (Refused("busy", 30), "searchable", "refused"),
    (Refused("busy", 30), "blind", "refused"),
    (Conflict("taken"), "keyed", "conflict"),  # row 6
    (Conflict("taken"), "searchable", "conflict"),
    (Conflict("taken"), "blind", "conflict"),
    (Unknown("lost"), "keyed", "asked"),  # row 7
    (Unknown("lost"), "searchable", "asked"),
    (Unknown("lost"), "blind", "held"),
]


@pytest.mark.parametrize(
    ("answer", "retry", "wanted"), ANSWERS, ids=lambda v: getattr(v, "__class__", type(v)).__name__
)
def test_rows_4_to_7_an_answer(answer: carry.Answer, retry: Retry, wanted: State) -> None:
    asked = replace(row("asked", since=NOW), why="")
    after = carry.answered(asked, answer, NOW + 5, retry)
    assert (after.state, after.tries) == (wanted, asked.tries)
    if isinstance(answer, Refused):
        assert (after.due, after.why) == (NOW + 5 + 30, "busy")
    if isinstance(answer, Receipt):
        assert after.receipt == SAME
    if isinstance(answer, Conflict | Unknown):
        assert after.why == str(answer)


def test_since_is_when_the_state_began() -> None:
    for state, answer, kept in (
        ("asked", Unknown("lost"), True),
        ("asked", SAME, False),
        ("asked", Refused("busy", 30), False),
        ("asked", Conflict("taken"), False),
    ):
        after = carry.answered(row("asked", since=NOW - 9), answer, NOW, "keyed")
        assert after.since == (NOW - 9 if kept else NOW), state
    assert looked(row("sent", since=NOW - 9), SAME).since == NOW
    assert looked(row("none", since=NOW - 9), OTHER).since == NOW


def test_row_7_an_answer_that_says_nothing_still_has_a_reason() -> None:
    for retry in RETRIES:
        assert carry.answered(row("asked"), Unknown(), NOW, retry).why


# --- the exit code --------------------------------------------------------------------------------------------------

EXITS: dict[State, int] = {
    "conflict": 6, "refused": 5, "asked": 5, "none": 4, "held": 4, "sent": 4, "seen": 0, "dropped": 0,
}  # fmt: skip


@pytest.mark.parametrize(("one", "other"), [*product(STATES, STATES)])
def test_row_10_the_worst_state_counts(one: State, other: State) -> None:
    assert carry.exit_code([row(one), row(other)]) == max(EXITS[one], EXITS[other])


def test_row_10_nothing_to_do_is_done() -> None:
    assert carry.exit_code([]) == 0


# --- the driver over the table --------------------------------------------------------------------------------------


class Place:
    """One effect at an in-memory place, driven as often as a test says."""

    def __init__(self, retry: Retry, *faults: Fault, late: int = 0, lag: int = 0, ours: bool = True) -> None:
        self.target = Target("place", retry, carries="notice", faults=faults, late=late, lag=lag)
        self.journal = Journal()
        self.ours = ours
        self.now = NOW
        self.logged = samples.logged(Kept())
        self.told: list[tuple[str, dict[str, object]]] = []

    def drive(self) -> Row:
        (row,) = carry.drive(
            self.logged,
            self.target,
            self.journal,
            notice=samples.notice(self.logged.entry),
            ours=self.ours,
            clock=lambda: self.now,
            tell=lambda name, fields: self.told.append((name, dict(fields))),
        )
        assert self.journal.rows(0) == (row,)
        return row

    def states(self, passes: int) -> list[State]:
        return [self.drive().state for _ in range(passes)]


def test_a_place_that_works() -> None:
    firsts: dict[Retry, str] = {"keyed": "seen", "searchable": "sent"}
    for retry, first in firsts.items():
        place = Place(retry)
        assert place.states(3) == [first, "seen", "seen"]
        assert len(place.target.arrived) == len(place.target.attempts) == 1
        states = [fields["state"] for _, fields in place.told]
        assert states == (["asked", "seen"] if first == "seen" else ["asked", "sent", "seen"])
        wheres = [fields["where"] for _, fields in place.told]
        assert wheres == ["", *["memory:place/notice-0"] * (len(states) - 1)]
    blind = Place("blind")
    assert blind.states(3) == ["seen"] * 3
    assert len(blind.target.arrived) == 1


def test_a_place_that_shows_late() -> None:
    place = Place("searchable", late=2)
    assert place.states(5) == ["sent", "sent", "sent", "seen", "seen"]
    assert len(place.target.attempts) == 1


@pytest.mark.parametrize("retry", RETRIES)
def test_a_place_that_refuses_for_now(retry: Retry) -> None:
    place = Place(retry, Fault(what="refused", after=60), Fault(what="refused", after=60))
    assert place.drive().state == "refused"
    place.now += 59
    assert place.drive().tries == 1
    place.now += 1
    assert (place.drive().state, len(place.target.attempts)) == ("refused", 2)
    place.now += 60
    assert place.drive().state in ("sent", "seen")
    assert len(place.target.arrived) == 1


@pytest.mark.parametrize(("what", "copies"), [("lost-reply", 1), ("unknown", 1)])
def test_a_lost_reply(what: Literal["lost-reply", "unknown"], copies: int) -> None:
    for retry in ("keyed", "searchable"):
        place = Place(retry, Fault(what=what), lag=LAG)
        assert place.drive().state == "asked"
        place.states(2)
        place.now += LAG
        place.states(2)
        assert place.drive().state == "seen"
        assert len(place.target.arrived) == copies
    blind = Place("blind", Fault(what=what))
    assert blind.states(4) == ["held"] * 4
    assert len(blind.target.attempts) == 1, "a blind place is never asked again by itself"


class Watched(Target):
    """A blind place; while it is asked, `meanwhile` happens."""

    meanwhile: Callable[[], object] = staticmethod(lambda: None)

    def apply(self, effect: Effect) -> Receipt:
        """See `Target`."""
        self.meanwhile()
        return super().apply(effect)


def watched(meanwhile: Callable[[Place], object], *faults: Fault) -> Place:
    place = Place("blind")
    target = Watched("place", "blind", carries="notice", faults=faults)
    place.target = target

    def once() -> None:
        target.meanwhile = lambda: None
        meanwhile(place)

    target.meanwhile = once
    return place


@pytest.mark.parametrize(("fault", "state"), [("fine", "seen"), ("refused", "refused"), ("unknown", "held")])
def test_row_14_the_answer_counts_though_somebody_looked_meanwhile(fault: Any, state: State) -> None:
    """`watch` and a timer's `resume` at one time: what the one asks, the other cannot know."""
    looks: list[State] = []
    place = watched(lambda place: looks.append(place.drive().state), Fault(what=fault, after=9))
    assert (place.drive().state, looks, len(place.target.attempts)) == (state, ["held"], 1)
    assert place.drive().state == state


@pytest.mark.parametrize(("to", "tries"), [("seen", 1), ("dropped", 1), ("none", 1), ("asked", 2), ("held", 2)])
def test_row_14_what_a_person_said_meanwhile_stands(to: State, tries: int) -> None:
    def said(place: Place) -> None:
        held = place.drive()
        assert place.journal.move(held, replace(held, state=to, tries=tries, why="ada looked"))

    place = watched(said)
    row = place.drive()
    assert (row.state, row.tries, row.why) == (to, tries, "ada looked")
    assert len(place.target.attempts) == 1


def test_a_searchable_place_that_shows_within_its_lag_is_asked_once() -> None:
    place = Place("searchable", Fault(what="lost-reply"), late=2, lag=LAG)
    assert place.states(4) == ["asked", "asked", "asked", "seen"]
    assert len(place.target.attempts) == 1


def test_a_conflict_stays_until_a_person_looked() -> None:
    for retry in RETRIES:
        place = Place(retry, Fault(what="conflict"))
        assert place.states(3) == ["conflict"] * 3
        assert (len(place.target.attempts), place.target.arrived) == (1, [])


@pytest.mark.parametrize("passes", [0, 1])
def test_a_place_that_lies_is_a_conflict(passes: int) -> None:
    place = Place("searchable")
    place.states(passes)
    if not passes:
        place.target.place("notice-0", OTHER.sha256)
    place.target.lies = True
    assert place.drive().state == "conflict"
    assert len(place.target.attempts) == min(passes, 1)


def test_what_is_there_already_is_adopted() -> None:
    for retry in ("keyed", "searchable"):
        first = Place(retry)
        first.states(2)
        first.journal = Journal()
        assert first.drive().state == "seen"
        assert len(first.target.attempts) == 1


def test_a_blind_effect_of_an_entry_of_others_is_held() -> None:
    place = Place("blind", ours=False)
    assert place.states(2) == ["held", "held"]
    assert place.target.attempts == []
    assert "did not log" in place.drive().why
    place.ours = True
    assert place.drive().state == "held", "only a person settles it"


def test_nobody_looks_where_there_is_nothing_to_see() -> None:
    """A blind place, and what a person has settled or must settle."""
    cases: tuple[tuple[Retry, State], ...] = (("blind", "none"), ("keyed", "held"), ("keyed", "dropped"))
    for retry, state in cases:
        place = Place(retry)
        (effect,) = place.target.plan(place.logged, samples.notice(place.logged.entry))
        assert isinstance(effect, Effect)
        place.journal.move(None, Row(effect=effect, state=state, since=NOW))
        place.target.down = 1
        assert place.drive().state == {"none": "seen"}.get(str(state), state)


def test_what_a_place_skips_is_told() -> None:
    place, told = Place("keyed"), []
    rows = carry.drive(
        place.logged,
        place.target,
        place.journal,
        notice=None,
        ours=True,
        clock=lambda: NOW,
        tell=lambda name, fields: told.append((name, fields["target"], fields["because"])),
    )
    assert (rows, told) == ((), [("skip", "place", "there is nothing to say")])


def test_only_moves_are_told() -> None:
    place = Place("searchable", late=9)
    place.states(5)
    assert [fields["state"] for _, fields in place.told] == ["asked", "sent"]


def test_a_place_that_cannot_be_looked_at_is_not_asked() -> None:
    place = Place("searchable")
    place.target.down = 1
    row = place.drive()
    assert row.state == "none"
    assert row.why, "the reason is kept for status"
    assert place.target.attempts == []
    assert place.states(2) == ["sent", "seen"]


def test_altered_bytes_are_an_alarm_and_never_arrive() -> None:
    place = Place("keyed")
    kept = Kept()
    place.target.kept = kept
    data = notice_bytes(samples.notice(place.logged.entry))
    digest = kept.put([data], "application/json").sha256
    kept.blobs[digest] = b"altered"
    with pytest.raises(TamperError) as caught:
        place.drive()
    assert caught.value.code == "kept-altered"
    assert place.target.arrived == []
    kept.blobs[digest] = data
    assert place.states(2) == ["seen", "seen"]


def test_somebody_else_moves_the_row_between() -> None:
    """Whoever loses the compare-and-set applies nothing."""
    place = Place("keyed")
    (effect,) = place.target.plan(place.logged, samples.notice(place.logged.entry))
    assert isinstance(effect, Effect)
    none = Row(effect=effect, since=NOW)
    place.journal.move(None, none)
    slow = SlowTarget(place)
    carry.drive(
        place.logged,
        slow,
        place.journal,
        notice=samples.notice(place.logged.entry),
        ours=True,
        clock=lambda: NOW,
        tell=lambda *_: None,
    )
    assert place.target.attempts == []
    assert place.journal.rows(0)[0].state == "held"


class SlowTarget(Target):
    """While it looks, somebody else takes the row."""

    def __init__(self, place: Place) -> None:
        super().__init__("place", "keyed", carries="notice")
        self.place_ = place

    def find(self, effect: Effect) -> Receipt | None:
        (row,) = self.place_.journal.rows(0)
        self.place_.journal.move(row, replace(row, state="held"))
        return None

    def apply(self, effect: Effect) -> Receipt:
        raise AssertionError("it was taken")


# --- others apply ---------------------------------------------------------------------------------------------------

AWAITED: dict[State, State] = {
    "none": "none",
    "refused": "none",
    "asked": "none",
    "sent": "sent",
    "seen": "none",
    "conflict": "conflict",
    "held": "held",
    "dropped": "dropped",
}


@pytest.mark.parametrize(("retry", "state"), [*product(RETRIES, STATES)])
def test_row_12_somebody_else_applies(retry: Retry, state: State) -> None:
    missed = carry.looked(row(state), None, NOW, retry, LAG, awaited=True)
    assert (missed.state, missed.tries) == (AWAITED[state], 3), "nothing is asked for"
    same, other = HITS[state]
    assert carry.looked(row(state), SAME, NOW, retry, LAG, awaited=True).state == same
    assert carry.looked(row(state), OTHER, NOW, retry, LAG, awaited=True).state == other


def test_what_others_upload_waits() -> None:
    missed = carry.looked(row("none"), None, NOW, "keyed", LAG, awaited=True)
    assert (missed.why, carry.exit_code([missed])) == ("a workflow uploads it", 4)


@pytest.mark.parametrize("retry", RETRIES)
def test_row_13_what_people_were_told_is_not_told_again(retry: Retry) -> None:
    assert carry.looked(row("seen"), None, NOW, retry, LAG, told=True) == row("seen")
    wanted = "sent" if retry == "searchable" else "seen"
    assert carry.answered(row("asked"), SAME, NOW, retry, told=True).state == wanted


def test_row_13_nobody_looks_at_what_was_seen() -> None:
    place = Place("searchable")
    place.states(2)
    place.target.lies = True
    assert place.drive().state == "seen"


def test_what_somebody_else_may_still_be_at_is_said() -> None:
    held = looked(row("asked"), None, "blind")
    assert (held.state, held.why) == ("held", carry.UNSEEN)
    assert "still at it" in held.why

"""Approvals on the road: who counts, what voids them, and that nothing is signed or logged before."""

from dataclasses import replace

import pytest

from tagtrail.formats.approval import NAMESPACE, format_approval
from tagtrail.formats.drafts import draft_digest
from tagtrail.model.errors import ProjectError
from tagtrail.testing.people import Person
from tagtrail.workflows.approve import VALID, count, record
from tagtrail.workflows.release import pending, release
from tagtrail.workflows.resume import resume, unfinished
from tests.workflows.intake import BOB, BOB2, CAT, EVE, MAC, Desk
from tests.workflows.world import ADA


def waits(desk: Desk) -> str:
    """For what the release waits; nothing is signed, logged or shown."""
    outcome = desk.go()
    assert (outcome.exit, outcome.reached, outcome.entry) == (4, "built", None)
    assert "approve nova 1.0.0" in outcome.next
    assert desk.signer.signed == []
    assert desk.ledger.committed() is None
    assert desk.store.files == {}
    return outcome.waits


def refused(desk: Desk, data: bytes) -> str:
    with pytest.raises(ProjectError) as caught:
        record(desk.road(), desk.asked(), data)
    return caught.value.code


def test_one_approval_and_it_is_logged() -> None:
    desk = Desk()
    assert waits(desk) == "nova 1.0.0 waits for 1 of 1 approvals by release-team"
    digest = desk.asked().digest
    desk.approve(CAT)
    outcome = desk.go()
    assert (outcome.exit, outcome.reached) == (0, "announced")
    assert outcome.entry is not None
    assert [(a.key, a.digest) for a in outcome.entry.approvals] == [(CAT.key.fingerprint, digest)]
    assert draft_digest(outcome.entry.raw) == digest
    assert len(desk.builder.built) == 1


def test_nobody_is_asked_where_the_settings_ask_for_none() -> None:
    desk = Desk(need=0)
    outcome = desk.go()
    assert outcome.entry is not None
    assert (outcome.exit, outcome.entry.approvals) == (0, ())
    assert "approval" not in dict(desk.told)


def test_waiting_is_shown_and_resumed() -> None:
    desk = Desk()
    waits(desk)
    (row,) = unfinished(desk.ledger, desk.journal).begun
    assert (row.state, row.why) == ("held", "nova 1.0.0 waits for 1 of 1 approvals by release-team")
    assert [o.exit for o in resume(desk.road())] == [4]
    desk.approve(BOB)
    assert [o.exit for o in resume(desk.road())] == [0]
    assert unfinished(desk.ledger, desk.journal).begun == ()


def test_two_of_a_group_are_two_persons() -> None:
    desk = Desk(need=2)
    waits(desk)
    desk.approve(BOB)
    assert waits(desk) == "nova 1.0.0 waits for 1 of 2 approvals by release-team"
    desk.approve(BOB)  # the same again is the same
    assert count(desk.road(), desk.asked()).have == 1
    asked = desk.asked()
    assert refused(desk, BOB2.sign(format_approval(asked.text), NAMESPACE)) == "approval-person-twice"
    desk.approve(CAT)
    assert desk.go().exit == 0


def test_two_keys_that_turn_out_to_be_one_persons_count_once() -> None:
    desk = Desk(need=2)
    desk.more = {BOB2.key.fingerprint: frozenset({"robert"})}
    waits(desk)
    desk.approve(BOB, BOB2)
    desk.more = {}
    assert waits(desk) == "nova 1.0.0 waits for 1 of 2 approvals by release-team"


def test_the_authors_approval_counts_where_the_settings_say_so() -> None:
    desk = Desk()
    waits(desk)
    assert refused(desk, ADA.sign(format_approval(desk.asked().text), NAMESPACE)) == "approval-by-author"
    assert waits(desk)
    other = Desk(author=True)
    waits(other)
    other.approve(ADA)
    assert other.go().exit == 0


def test_the_authors_second_key_is_the_authors() -> None:
    desk = Desk()
    desk.more = {CAT.key.fingerprint: frozenset({"cat", "ada"})}
    waits(desk)
    assert refused(desk, CAT.sign(format_approval(desk.asked().text), NAMESPACE)) == "approval-by-author"


@pytest.mark.parametrize(
    ("person", "namespace", "code"),
    [
        (EVE, NAMESPACE, "approval-signer-unknown"),
        (BOB, "git", "approval-namespace"),
    ],
)
def test_whose_signature_it_is_and_for_what(person: Person, namespace: str, code: str) -> None:
    desk = Desk()
    waits(desk)
    assert refused(desk, person.sign(format_approval(desk.asked().text), namespace)) == code
    assert waits(desk)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("origin", "other.example.org/trail"),
        ("project", "cinder"),
        ("settings", "e" * 64),
        ("targets", ()),
        ("files", (("nova-1.0.0.tar.gz", "e" * 64),)),
    ],
)
def test_an_approval_of_another_draft(field: str, value: object) -> None:
    desk = Desk()
    waits(desk)
    text = format_approval(replace(desk.asked().text, **{field: value}))  # type: ignore[arg-type]
    assert refused(desk, text + BOB.sign(text, NAMESPACE)) == f"approval-other-{field}"
    assert refused(desk, BOB.sign(text, NAMESPACE)) == "approval-signature-bad"


def test_an_expired_approval_counts_no_more() -> None:
    desk = Desk(need=2)
    waits(desk)
    old = format_approval(desk.asked().text)
    desk.approve(BOB)
    desk.now += VALID
    assert refused(desk, CAT.sign(old, NAMESPACE)) == "approval-expired"
    assert waits(desk) == "nova 1.0.0 waits for 2 of 2 approvals by release-team"
    assert refused(desk, old + CAT.sign(old, NAMESPACE)) == "approval-expired"
    desk.approve(BOB, CAT)
    assert desk.go().exit == 0


def test_an_approval_is_void_when_a_file_is_added() -> None:
    desk = Desk()
    waits(desk)
    text = format_approval(desk.asked().text)
    desk.approve(BOB)
    desk.add(MAC)
    said = waits(desk)
    assert said.startswith("nova 1.0.0 waits for 1 of 1 approvals by release-team and the approval of a signer (team)")
    assert refused(desk, text + BOB.sign(text, NAMESPACE)) == "approval-other-files"


def test_an_approval_is_void_when_the_settings_change() -> None:
    desk = Desk()
    waits(desk)
    desk.approve(BOB)
    changed = replace(desk.road(), policy=lambda project: "f" * 64)
    assert release(changed, desk.project(), "1.0.0").exit == 4


def test_somebody_who_left_the_group_does_not_count() -> None:
    desk = Desk()
    waits(desk)
    desk.approve(BOB)
    road = desk.road()
    left = replace(road, people={**road.people, "release-team": (CAT.key,)})
    assert release(left, desk.project(), "1.0.0").exit == 4


def test_files_from_elsewhere_need_a_signer_whatever_the_settings_say() -> None:
    desk = Desk(need=0)
    desk.add(MAC)
    assert waits(desk).startswith("nova 1.0.0 waits for the approval of a signer (team) for")
    text = format_approval(desk.asked().text)
    assert refused(desk, BOB.sign(text, NAMESPACE)) == "approval-signer-unknown"
    desk.approve(ADA)  # the author is a signer; tagging did not approve these bytes
    assert desk.go().exit == 0


def test_a_signer_is_wanted_beside_the_group() -> None:
    desk = Desk()
    desk.add(MAC)
    waits(desk)
    desk.approve(BOB)
    assert waits(desk).startswith("nova 1.0.0 waits for the approval of a signer (team) for")
    desk.approve(ADA)
    outcome = desk.go()
    assert outcome.entry is not None
    assert {a.key for a in outcome.entry.approvals} == {ADA.key.fingerprint, BOB.key.fingerprint}


def test_nothing_to_approve() -> None:
    desk = Desk()
    assert pending(desk.road(), desk.project(), "1.0.0") is None, "nothing is built yet"
    waits(desk)
    silent = replace(desk.asked(), text=replace(desk.asked().text, expires=0))
    with pytest.raises(ProjectError) as caught:
        record(desk.road(), silent, b"")
    assert caught.value.code == "approval-not-asked"
    free = Desk(need=0)
    assert free.go().exit == 0
    assert pending(free.road(), free.project(), "1.0.0") is None


def test_what_is_asked_is_told_with_its_text() -> None:
    desk = Desk()
    waits(desk)
    told = dict(desk.told)["approval"]
    asked = desk.asked()
    assert told["text"] == format_approval(asked.text).decode()
    assert (told["digest"], told["have"], told["need"]) == (asked.digest, 0, 1)
    assert dict(desk.told)["waiting"]["for"] == "approval"


def test_an_author_who_approves_as_signer_does_not_count_for_the_group() -> None:
    desk = Desk()
    desk.add(MAC)
    waits(desk)
    desk.approve(ADA)
    assert waits(desk) == "nova 1.0.0 waits for 1 of 1 approvals by release-team"
    desk.approve(BOB)
    assert desk.go().exit == 0

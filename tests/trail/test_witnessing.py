"""Witnesses asked: what they have seen is a prefix of ours, or nothing is signed; who counts, counts once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from tagtrail.formats import merkle, note, policy
from tagtrail.formats.policy import Group, Log, Policy
from tagtrail.model.errors import Error, RemoteError, TamperError
from tagtrail.model.facts import Draft
from tagtrail.ports import Behind
from tagtrail.ports import Witness as WitnessPort
from tagtrail.testing import memory, samples
from tagtrail.trail import sequencer, witnessing

ORIGIN = "releases.example.org/trail"
LOG = note.Signer(name=ORIGIN, seed=bytes(range(32)))
NOW = samples.TIME


def signer(n: int) -> note.Signer:
    return note.Signer(name=f"w{n}.example/key", kind=note.COSIGNATURE, seed=bytes([n]) * 32)


@dataclass
class Town:
    """A log and three witnesses of whom `quorum` must agree."""

    quorum: int = 2
    now: int = NOW
    ledger: memory.Ledger = field(default_factory=memory.Ledger)
    asked: dict[str, memory.Witness] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.asked = {f"W{n}": memory.Witness(signer(n), (LOG.verifier,), lambda: self.now) for n in (1, 2, 3)}

    @property
    def trust(self) -> Policy:
        """What the log asks of itself."""
        known = tuple(policy.Witness(name=name, verifier=w.signer.verifier) for name, w in self.asked.items())
        group = Group(name="some", threshold=self.quorum, members=tuple(self.asked))
        return Policy(logs=(Log(verifier=LOG.verifier),), witnesses=known, groups=(group,), quorum="some")

    def enter(self, *drafts: Draft) -> None:
        sequencer.append(drafts, after=self.ledger.committed(), ledger=self.ledger, log=LOG, clock=lambda: samples.TIME)

    def guard(self, witnesses: dict[str, WitnessPort] | None = None) -> None:
        witnessing.guard(self.ledger, LOG, self.trust, witnesses or {**self.asked}, lambda: self.now)

    def witness(self, witnesses: dict[str, WitnessPort] | None = None, *, anew: bool = False) -> witnessing.Met:
        head = self.ledger.committed()
        assert head is not None
        asked: dict[str, WitnessPort] = witnesses or {**self.asked}
        return witnessing.witness(self.ledger, head, self.trust, asked, lambda: self.now, anew=anew)


def refused(act: Callable[[], object]) -> Error:
    with pytest.raises(Error) as refusal:
        act()
    return refusal.value


# --- cosigned -------------------------------------------------------------------------------------------------------


def test_a_checkpoint_that_all_have_seen_is_recorded() -> None:
    town = Town()
    town.guard()
    town.enter(samples.release("nova"))
    met = town.witness()
    assert (met.checked.cosigned, met.checked.countable, met.failed) == (3, 3, ())
    assert town.ledger.cosigned(covering=0) == town.ledger.cosigned() == met.committed
    checked = policy.check(town.trust, met.committed.note.encode())
    assert checked.checkpoint.size == 1
    assert met.committed.root == merkle.root(1, town.ledger.node)


def test_one_that_is_down_is_brought_up_to_date_later() -> None:
    town = Town()
    town.enter(samples.release("nova"))
    town.asked["W3"].down = True
    met = town.witness()
    assert (met.checked.cosigned, [name for name, _ in met.failed]) == (2, ["W3"])
    town.asked["W3"].down = False
    for n in range(5):
        town.enter(samples.release("nova", f"2.{n}"))
    assert town.witness().checked.cosigned == 3
    assert {w.seen[ORIGIN][0].size for w in town.asked.values()} == {6}


@pytest.mark.parametrize("down", ["down", "lost"])
def test_too_few_is_waiting_and_the_next_run_goes_on(down: str) -> None:
    town = Town()
    town.enter(samples.release("nova"))
    for name in ("W2", "W3"):
        setattr(town.asked[name], down, True)
    error = refused(town.witness)
    assert (type(error), error.code) == (RemoteError, "quorum-unmet")
    assert "W2" in error.why
    assert "W3" in error.why
    assert town.ledger.cosigned() is None, "nobody is shown it"
    for name in ("W2", "W3"):
        setattr(town.asked[name], down, False)
    assert town.witness().checked.cosigned == 3, "whose reply was lost cosigns again"


def test_nobody_is_asked_where_there_is_nobody() -> None:
    ledger = memory.Ledger()
    trust = Policy(logs=(Log(verifier=LOG.verifier),))
    witnessing.guard(ledger, LOG, trust, {}, lambda: NOW)
    sequencer.append([samples.release()], after=None, ledger=ledger, log=LOG, clock=lambda: NOW)
    head = ledger.committed()
    assert head is not None
    assert witnessing.witness(ledger, head, trust, {}, lambda: NOW).committed == head
    assert ledger.cosigned() == head


def test_cosigned_again_is_fresher_and_proofs_keep_the_first() -> None:
    town = Town()
    town.enter(samples.release("nova"))
    first = town.witness().committed
    town.now += 9000
    later = town.witness()
    assert later.checked.fresh_time == NOW + 9000
    assert town.ledger.cosigned() == later.committed
    assert town.ledger.cosigned(covering=0) == first


# --- answers that do not count --------------------------------------------------------------------------------------


@dataclass
class Answers:
    """A witness that answers with these bytes, or as this does."""

    answer: bytes | Callable[[bytes], bytes]

    def add_checkpoint(self, old: int, proof: Sequence[bytes], note: bytes) -> bytes:
        return self.answer if isinstance(self.answer, bytes) else self.answer(note)


def cosigned_by(who: note.Signer, time: int = NOW, *, text: str = "") -> Callable[[bytes], bytes]:
    def answer(data: bytes) -> bytes:
        signed = note.sign(text or note.parse(data).text, [who], time=time)
        return signed.signatures[-1].line().encode()

    return answer


NOT_COUNTED: dict[str, bytes | Callable[[bytes], bytes]] = {
    "nothing": b"",
    "no lines": b"thank you\n",
    "not UTF-8": b"\xff\n",
    "another witness's line": cosigned_by(signer(1)),
    "an unknown key's line": cosigned_by(signer(9)),
    "over another text": cosigned_by(signer(2), text=f"{ORIGIN}\n9\n{'A' * 43}=\n"),
    "twice": lambda data: cosigned_by(signer(2))(data) * 2,
    "from the future": cosigned_by(signer(2), NOW + witnessing.TOLERANCE + 1),
}


@pytest.mark.parametrize("name", NOT_COUNTED)
def test_an_answer_that_does_not_count(name: str) -> None:
    town = Town()
    town.enter(samples.release("nova"))
    town.asked["W3"].down = True
    error = refused(lambda: town.witness({**town.asked, "W2": Answers(NOT_COUNTED[name])}))
    assert error.code == "quorum-unmet"
    assert "1 of 3" in error.what
    assert town.ledger.cosigned() is None


def test_an_answer_of_a_clock_a_little_ahead_counts() -> None:
    town = Town()
    town.enter(samples.release("nova"))
    town.asked["W3"].down = True
    ahead = Answers(cosigned_by(signer(2), NOW + witnessing.TOLERANCE))
    assert town.witness({**town.asked, "W2": ahead}).checked.cosigned == 2


def test_one_that_always_says_another_size_is_given_up() -> None:
    class Moves:
        requests = 0

        def add_checkpoint(self, old: int, proof: Sequence[bytes], note: bytes) -> bytes:
            self.requests += 1
            raise Behind(1 - old)

    town = Town()
    town.enter(samples.release("nova"))
    moves = Moves()
    assert dict(town.witness({**town.asked, "W2": moves}).failed).keys() == {"W2"}
    assert moves.requests == 3


# --- a restored back-up, a copied instance --------------------------------------------------------------------------


def test_an_older_copy_may_not_sign() -> None:
    town = Town()
    town.enter(samples.release("nova"))
    town.witness()
    copy = Town(ledger=memory.Ledger(), asked={})
    copy.asked = town.asked
    error = refused(copy.guard)
    assert (type(error), error.code) == (TamperError, "trail-ahead")
    assert copy.ledger.committed() is None


def test_a_forked_copy_may_not_sign() -> None:
    town = Town()
    town.enter(samples.release("nova"))
    town.witness()
    copy = Town(ledger=memory.Ledger())
    copy.asked = town.asked
    copy.enter(samples.release("glance"))
    assert refused(copy.guard).code == "witness-refused"
    copy.enter(samples.release("cinder"))
    assert refused(copy.guard).code == "witness-refused", "larger, and no extension of what was cosigned"


@pytest.mark.parametrize("name", ["W1", "W2", "W3"])
def test_one_witness_is_enough_for_the_alarm(name: str) -> None:
    """Also where a quorum of the others would go along."""
    town = Town()
    fork = Town()
    fork.asked = {name: town.asked[name]}
    fork.quorum = 1
    fork.enter(samples.release("glance"))
    fork.witness()
    town.enter(samples.release("nova"))
    assert refused(town.guard).code == "witness-refused"
    assert refused(town.witness).code == "witness-refused"
    assert town.ledger.cosigned() is None


def test_nothing_is_signed_while_too_few_answer() -> None:
    town = Town()
    town.asked["W1"].down = town.asked["W2"].down = True
    assert refused(town.guard).code == "quorum-unmet"


def test_the_guard_brings_the_witnesses_up_to_what_is_committed() -> None:
    """A crash after the commit, before anybody was asked."""
    town = Town()
    town.enter(samples.release("nova"))
    town.guard()
    assert {w.seen[ORIGIN][0].size for w in town.asked.values()} == {1}

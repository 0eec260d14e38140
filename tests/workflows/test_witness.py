"""The witness's judgement: every status for one wrong thing alone, what is kept, races, times, laws of any sequence."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tagtrail.formats import merkle, note
from tagtrail.formats.note import COSIGNATURE, Checkpoint, Signer, Verifier
from tagtrail.formats.witness import SIZE_TYPE, Request, parse_cosignatures
from tagtrail.ports import Cosigned
from tagtrail.testing.fuse import Blown, Fuse
from tagtrail.testing.memory import Seen
from tagtrail.testing.suites.witness import SIZES, Tree
from tagtrail.workflows.witness import Answer, Desk, add_checkpoint, judge, standing

VECTORS = Path(__file__).parents[1] / "formats" / "vectors"
KEY = Signer(name="witness.example/w1", kind=COSIGNATURE, seed=b"\x04" * 32)
LOG = Signer(name="example.org/trail", seed=b"\x01" * 32)
NEXT = Signer(name=LOG.name, seed=b"\x02" * 32)
TWIN = Signer(name=LOG.name, seed=b"\x09" * 32)
STRANGER = Signer(name="stranger.example", seed=b"\x03" * 32)
TREE = Tree(LOG)
FORK = Tree(LOG, fork=3)


class Room:
    """A witness in memory, which knows LOG and NEXT."""

    def __init__(self, seen: Seen | None = None, *logs: Verifier) -> None:
        self.now = 1000
        self.told: list[tuple[str, object]] = []
        self.logs = logs or (LOG.verifier, NEXT.verifier)
        self.seen = seen or Seen()
        self.desk = Desk(signer=KEY, keys=self.keys, seen=self.seen, clock=lambda: self.now, tell=self.tell)

    def keys(self, origin: str) -> tuple[Verifier, ...]:
        return tuple(log for log in self.logs if log.name == origin)

    def tell(self, name: str, fields: object) -> None:
        self.told.append((name, fields))

    def ask(self, old: int, size: int, tree: Tree = TREE, proof: tuple[bytes, ...] | None = None) -> Answer:
        given = tree.proof(old, size) if proof is None else proof
        return self.send(Request(old=old, proof=given, note=tree.note(size)).encode())

    def send(self, body: bytes) -> Answer:
        return add_checkpoint(self.desk, body)

    def standings(self) -> list[tuple[int, str]]:
        return [(e.size, standing(self.seen, e)) for e in self.seen.evidence(LOG.name)]


def time_of(answer: Answer, tree: Tree, size: int) -> int:
    cosigned = note.Note(text=tree.checkpoint(size).text(), signatures=parse_cosignatures(answer.body)).encode()
    (verified,) = note.open_note(cosigned, [KEY.verifier]).verified
    return verified.time or 0


def test_another_witness_s_protocol() -> None:
    vector = json.loads((VECTORS / "litewitness.json").read_text())
    origin = vector["exchange"][0]["request"].split("\n")[2]
    room = Room(None, Verifier(name=origin, key=bytes.fromhex(vector["key"])))
    stricter = {1: (400, "note-base64")}  # its bad signature is bad base64 already
    for number, step in enumerate(vector["exchange"]):
        answer = room.send(step["request"].encode())
        assert answer.status == step["status"] or (answer.status, answer.code) == stricter.get(number)
        assert answer.body.decode() == step["body"] or answer.status != 409
    known = room.seen.latest(origin)
    assert known
    assert known.size == 5


def test_another_log_grows() -> None:
    log = json.loads((VECTORS / "tessera.json").read_text())
    leaves = bytes.fromhex(log["tiles"]["tile/0/000.p/15"])
    nodes: dict[tuple[int, int], bytes] = {}

    def read(level: int, index: int) -> bytes:
        return nodes[level, index]

    for index in range(15):
        nodes |= merkle.complete(index, leaves[32 * index : 32 * index + 32], read)
    for step in (1, 2, 5):
        room = Room(None, note.parse_vkey(log["vkey"]))
        for old, size in itertools.pairwise([0, *range(1, 16, step)]):
            proof = merkle.consistency(old, size, read)
            assert room.send(body(old, size, log["checkpoints"][size].encode(), proof)).status == 200


# --- one wrong thing at a time --------------------------------------------------------------------------------------


def body(old: int = 5, size: int = 9, data: bytes = b"", proof: tuple[bytes, ...] | None = None) -> bytes:
    given = TREE.proof(old, size) if proof is None else proof
    return Request(old=old, proof=given, note=data or TREE.note(size)).encode()


def signed(checkpoint: Checkpoint, *signers: Signer) -> bytes:
    return note.sign(checkpoint.text(), signers or [LOG]).encode()


def text_of(*lines: str, signer: Signer = LOG) -> bytes:
    return note.sign("".join(f"{line}\n" for line in lines), [signer]).encode()


GOOD = TREE.proof(5, 9)
HEAD = TREE.note(9)
LINES = TREE.checkpoint(9).text().split("\n")
EMPTY_LIE = signed(Checkpoint(origin=LOG.name, size=0, root=bytes(32)))
BAD_LINE = note.Note(text=TREE.checkpoint(9).text(), signatures=note.parse(TREE.note(8)).signatures).encode()
TWICE = note.Note(text=TREE.checkpoint(9).text(), signatures=note.parse(HEAD).signatures * 2).encode()
ONE_BAD = note.Note(
    text=TREE.checkpoint(9).text(),
    signatures=(*note.parse(HEAD).signatures, *note.parse(TREE.note(8, NEXT)).signatures),
).encode()

REFUSALS = {
    "no request": (b"", 400, "witness-no-checkpoint"),
    "not old": (body().replace(b"old", b"odd"), 400, "witness-old-size"),
    "64 hashes": (b"old 5\n" + (b"A" * 43 + b"=\n") * 64 + b"\n" + HEAD, 400, "witness-proof-length"),
    "short hash": (b"old 5\nAAAA\n\n" + HEAD, 400, "witness-proof-hash"),
    "too long": (b"old 5\n\n" + bytes(200_000), 400, "witness-request-size"),
    "no signature line": (body(data=TREE.checkpoint(9).text().encode()), 400, "note-unsigned"),
    "not UTF-8": (body(data=b"\xff" + HEAD), 400, "note-utf8"),
    "CRLF": (body(data=HEAD.replace(b"\n", b"\r\n")), 400, "note-crlf"),
    "cut short": (body()[:-1], 400, "note-no-newline"),
    "two lines": (body(data=text_of(*LINES[:2])), 400, "checkpoint-lines"),
    "leading zero": (body(data=text_of(LINES[0], "09", LINES[2])), 400, "checkpoint-size"),
    "short root": (body(data=text_of(*LINES[:2], "AAAA")), 400, "checkpoint-root-size"),
    "unknown origin": (body(data=Tree(STRANGER).note(9)), 404, "unknown-origin"),
    "origin with a space": (body(data=text_of("example.org/trail x", *LINES[1:3])), 404, "unknown-origin"),
    "a stranger's signature": (body(data=TREE.note(9, STRANGER)), 403, "note-no-known-key"),
    "another key of this name": (body(data=TREE.note(9, TWIN)), 403, "note-no-known-key"),
    "not over this text": (body(data=BAD_LINE), 403, "note-bad-signature"),
    "one good, one bad": (body(data=ONE_BAD), 403, "note-bad-signature"),
    "signed twice": (body(data=TWICE), 403, "note-duplicate-signature"),
    "old above new": (body(old=5, size=4, proof=()), 400, "old-size"),
    "old size too small": (body(old=4), 409, "behind"),
    "old size too large": (body(old=6), 409, "behind"),
    "old size 0": (body(old=0), 409, "behind"),
    "proof changed": (body(proof=(bytes(32), *GOOD[1:])), 422, "consistency-old-root"),
    "proof too short": (body(proof=GOOD[:-1]), 422, "consistency-length"),
    "proof too long": (body(proof=(*GOOD, bytes(32))), 422, "consistency-length"),
    "no proof": (body(proof=()), 422, "consistency-length"),
    "a proof to the same size": (body(old=5, size=5, proof=(bytes(32),)), 422, "consistency-length"),
    "another root of the same size": (body(old=5, size=5, data=FORK.note(5), proof=()), 422, "split-view"),
    "another tree": (body(data=FORK.note(9), proof=FORK.proof(5, 9)), 422, "consistency-old-root"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_one_wrong_thing(name: str) -> None:
    data, status, code = REFUSALS[name]
    room = Room()
    room.ask(0, 5)
    before = room.seen.latest(LOG.name)
    answer = room.send(data)
    assert (answer.status, answer.code) == (status, code)
    assert answer.media == (SIZE_TYPE if status == 409 else "text/plain; charset=utf-8")
    assert answer.body == b"5\n" if status == 409 else answer.body.startswith(code.encode() + b": ")
    assert room.seen.latest(LOG.name) == before
    assert room.ask(5, 9).status == 200


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (EMPTY_LIE, "split-view"),
        (TREE.note(5), "consistency-length"),
    ],
)
def test_from_nothing(data: bytes, code: str) -> None:
    proof = (bytes(32),) if data == TREE.note(5) else ()
    answer = Room().send(Request(old=0, proof=proof, note=data).encode())
    assert (answer.status, answer.code) == (422, code)


# what is wrong in pairs: the first of the specification's order is answered
ORDER: list[tuple[str, bytes, int]] = [
    ("404 before 400 of the checkpoint", body(data=text_of("other", "09")), 404),
    ("400 of the checkpoint before 403", body(data=text_of(LINES[0], "09", LINES[2], signer=STRANGER)), 400),
    ("403 before 400 of the sizes", body(old=5, size=4, proof=(), data=TREE.note(4, STRANGER)), 403),
    ("400 of the sizes before 409", body(old=6, size=4, proof=()), 400),
    ("409 before 422", body(old=4, proof=(bytes(32),)), 409),
    ("409 before 422 of the empty tree", body(old=0, size=0, data=EMPTY_LIE, proof=()), 409),
    ("409 before 422 of a fork", body(old=4, data=FORK.note(9), proof=()), 409),
]


@pytest.mark.parametrize(("name", "data", "status"), ORDER, ids=[name for name, *_ in ORDER])
def test_the_order_of_the_specification(name: str, data: bytes, status: int) -> None:
    room = Room()
    room.ask(0, 5)
    assert room.send(data).status == status


def test_the_judgement_is_pure() -> None:
    request = Request(old=0, proof=(), note=TREE.note(5))
    assert judge(request, [LOG.verifier], None) == judge(request, [LOG.verifier], None)
    assert judge(request, [], None).answer.status == 404


# --- what is cosigned -----------------------------------------------------------------------------------------------


def test_what_is_remembered_is_the_note_of_both() -> None:
    room = Room()
    data = TREE.note(5, STRANGER, LOG)
    answer = room.send(Request(old=0, proof=(), note=data).encode())
    known = room.seen.latest(LOG.name)
    assert known
    assert (known.size, known.root, known.time) == (5, TREE.checkpoint(5).root, 1000)
    opened = note.open_note(known.note, [LOG.verifier, KEY.verifier])
    assert [v.verifier.name for v in opened.verified] == [LOG.name, KEY.name]
    assert len(opened.note.signatures) == 2  # not the stranger's: nobody here can judge it
    assert known.note.endswith(answer.body)


def test_extension_lines_are_cosigned_too() -> None:
    head = Checkpoint(origin=LOG.name, size=5, root=TREE.checkpoint(5).root, extensions=("more",))
    room = Room()
    answer = room.send(Request(old=0, proof=(), note=signed(head)).encode())
    assert note.open_note(signed(head) + answer.body, [KEY.verifier]).verified[0].time == 1000


@pytest.mark.parametrize("signers", [(LOG,), (NEXT,), (LOG, NEXT)])
def test_a_log_that_changes_its_key(signers: tuple[Signer, ...]) -> None:
    room = Room()
    assert room.send(Request(old=0, proof=(), note=TREE.note(5, *signers)).encode()).status == 200
    known = room.seen.latest(LOG.name)
    assert known
    assert len(note.parse(known.note).signatures) == len(signers) + 1


def test_times_never_decrease_and_are_never_zero() -> None:
    room, found = Room(), []
    for now, (old, size) in zip([0, 500, 400, 401, 900], [(0, 1), (1, 2), (2, 2), (2, 3), (3, 3)], strict=True):
        room.now = now
        found.append(time_of(room.ask(old, size), TREE, size))
    assert found == [1, 500, 500, 500, 900]


def test_growth_is_told_once() -> None:
    room = Room()
    room.ask(0, 5)
    room.ask(5, 5)
    room.ask(5, 6)
    growth = [(fields["before"], fields["size"]) for _, fields in room.told]  # type: ignore[index]
    assert growth == [(0, 5), (5, 6)]


# --- evidence -------------------------------------------------------------------------------------------------------


def test_two_roots_of_one_size_convict() -> None:
    room = Room()
    room.ask(0, 5)
    assert room.ask(5, 5, FORK).status == 422
    (evidence,) = room.seen.evidence(LOG.name)
    assert room.standings() == [(5, "fork")]
    for data in (evidence.note, evidence.against):
        assert note.open_note(data, [LOG.verifier]).verified
    heads = [note.parse_checkpoint(note.parse(data).text) for data in (evidence.note, evidence.against)]
    assert [head.size for head in heads] == [5, 5]
    assert heads[0].root != heads[1].root
    assert [name for name, _ in room.told] == ["cosigned", "evidence"]


def test_an_old_size_convicts_as_well() -> None:
    """A log that was restored from a back-up and grew again meets 409; what it signed is kept."""
    room = Room()
    for old, size in [(0, 5), (5, 7), (7, 9)]:
        room.ask(old, size)
    assert room.ask(5, 7, FORK).status == 409
    assert room.standings() == [(7, "fork")]


def test_an_empty_tree_with_a_root_convicts_itself() -> None:
    room = Room()
    room.send(Request(old=0, note=EMPTY_LIE).encode())
    assert room.standings() == [(0, "fork")]
    assert room.seen.evidence(LOG.name)[0].against == b""


def test_a_proof_that_does_not_hold_convicts_nobody_until_it_is_known() -> None:
    room = Room()
    room.ask(0, 5)
    assert room.ask(5, 9, proof=()).status == 422
    assert room.ask(5, 7, FORK).status == 422
    assert room.standings() == [(9, "unproven"), (7, "unproven")]
    room.ask(5, 7)
    room.ask(7, 9)
    assert room.standings() == [(9, "settled"), (7, "fork")]


NOTHING = [
    ("a good one", body()),
    ("behind", body(old=4)),
    ("a known one from behind", body(old=0, size=5)),
    ("a proof to the same size", body(old=5, size=5, proof=(bytes(32),))),
    ("old above new", body(old=5, size=4, proof=())),
    ("a fork by a stranger", body(old=5, size=5, data=FORK.note(5, STRANGER), proof=())),
    ("a fork that is not signed", body(old=5, size=5, proof=(), data=note.Note(
        text=FORK.checkpoint(5).text(), signatures=note.parse(TREE.note(5)).signatures).encode())),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data"), NOTHING, ids=[name for name, _ in NOTHING])
def test_what_convicts_nobody_is_not_kept(name: str, data: bytes) -> None:
    room = Room()
    room.ask(0, 5)
    room.send(data)
    assert room.seen.evidence(LOG.name) == ()


def test_a_proof_from_nothing_is_not_kept() -> None:
    room = Room()
    assert room.ask(0, 5, proof=(bytes(32),)).status == 422
    room.ask(0, 0)
    assert room.ask(0, 5, proof=(bytes(32),)).status == 422
    assert room.seen.evidence(LOG.name) == ()


def test_lines_of_others_are_not_kept_and_make_no_new_evidence() -> None:
    """Without the log's key nobody can make evidence larger or more."""
    room = Room()
    room.ask(0, 5)
    for n in range(5):
        strangers = [Signer(name=f"s{n}{m}.example", seed=bytes([n, m]) * 16) for m in range(5)]
        room.send(body(old=5, size=5, data=FORK.note(5, LOG, *strangers), proof=()))
    (evidence,) = room.seen.evidence(LOG.name)
    assert evidence.note == FORK.note(5)
    assert [name for name, _ in room.told].count("evidence") == 1


# --- races and deaths -----------------------------------------------------------------------------------------------


class Overtaken(Seen):
    """Somebody else advances this log between the look and the step."""

    def __init__(self, overtake: Callable[[Seen], Answer]) -> None:
        super().__init__()
        self.overtake: Callable[[Seen], Answer] | None = overtake

    def advance(self, before: Cosigned | None, after: Cosigned) -> bool:
        overtake, self.overtake = self.overtake, None
        if overtake:
            overtake(self)
        return super().advance(before, after)


@pytest.mark.parametrize(
    ("old", "size", "tree", "status"),
    [(0, 7, TREE, 409), (0, 5, TREE, 409), (0, 3, TREE, 409), (0, 7, FORK, 409)],
)
def test_who_is_overtaken_is_judged_again(old: int, size: int, tree: Tree, status: int) -> None:
    room = Room(Overtaken(lambda seen: Room(seen).ask(0, 5)))
    assert room.ask(old, size, tree).status == status
    known = room.seen.latest(LOG.name)
    assert known
    assert known.size == 5


def test_who_is_overtaken_by_the_same_is_cosigned() -> None:
    room = Room()
    room.ask(0, 5)
    overtaken = Overtaken(lambda seen: Room(seen).ask(5, 5))
    overtaken.cosigned = room.seen.cosigned
    room.now = 2000
    again = Room(overtaken)
    assert time_of(again.ask(5, 5), TREE, 5) == 1000


@pytest.mark.parametrize(("at", "size"), [(0, None), (1, 5)])
def test_it_is_remembered_before_it_is_answered(at: int, size: int | None) -> None:
    room = Room(Seen(Fuse(at)))
    with pytest.raises(Blown):
        room.ask(0, 5)
    known = room.seen.latest(LOG.name)
    assert (known.size if known else None) == size
    reborn = Room()
    reborn.seen.cosigned.update(room.seen.cosigned)
    first = reborn.ask(0, 5)
    assert first.status == (409 if size else 200)
    assert reborn.ask(5, 5).status == 200


# --- laws -----------------------------------------------------------------------------------------------------------

FORKS = (2, 5, 11, SIZES)
TREES = tuple(Tree(LOG, fork=n) for n in FORKS)
small = st.integers(0, 14)


class Life(RuleBasedStateMachine):
    """Whatever a log with several trees sends, and whatever the clock does."""

    def __init__(self) -> None:
        super().__init__()
        self.room = Room()
        self.answers: list[tuple[Checkpoint, int]] = []

    @rule(which=st.sampled_from(range(len(FORKS))), old=small, size=small, now=st.integers(0, 50), exact=st.booleans())
    def send(self, which: int, old: int, size: int, now: int, exact: bool) -> None:
        self.room.now, tree = now, TREES[which]
        known = self.room.seen.latest(LOG.name)
        old = known.size if known and exact else old
        proof = tree.proof(old, size) if old <= size else ()
        answer = self.room.ask(old, size, tree, proof)
        if answer.status == 200:
            self.answers.append((tree.checkpoint(size), time_of(answer, tree, size)))

    @invariant()
    def each_extends_the_one_before(self) -> None:
        for (old, before), (new, after) in itertools.pairwise(self.answers[-2:]):
            assert old.size <= new.size
            assert before <= after
            # one of the trees that the log has contains both
            heads = [(tree.checkpoint(old.size), tree.checkpoint(new.size)) for tree in TREES]
            assert (old, new) in heads

    @invariant()
    def no_size_has_two_roots(self) -> None:
        roots = {(head.size, head.root) for head, _ in self.answers}
        assert len(roots) == len({size for size, _ in roots})

    @invariant()
    def what_is_remembered_is_what_was_answered(self) -> None:
        known = self.room.seen.latest(LOG.name)
        assert (
            [(known.size, known.root, known.time)]
            if known
            else [(head.size, head.root, time) for head, time in self.answers[-1:]] == []
        )

    @invariant()
    def nothing_convicts_a_log_with_one_tree(self) -> None:
        cosigned = {head.size: head.root for head, _ in self.answers}
        for size, stands in self.room.standings():
            if stands == "fork":
                assert size in cosigned


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)

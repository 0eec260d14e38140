"""The suite of the port Seen: one root for each size, sizes that never go down, evidence that stays."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from tagtrail.ports import Cosigned, Evidence, Seen
from tagtrail.testing.suites.promise import equal, holds, race, race_processes

__all__ = ["CHECKS", "PROCESS_CHECKS", "Open"]

Open = Callable[[], Seen]

ORIGIN = "example.org/trail"


def _cosigned(size: int, root: bytes = b"\x01", origin: str = ORIGIN, time: int = 100) -> Cosigned:
    note = f"{origin}\n{size}\n{root.hex()}\n{time}\n".encode()
    return Cosigned(origin=origin, size=size, root=root * 32, time=time, note=note)


def _evidence(size: int, root: bytes = b"\x01", origin: str = ORIGIN, *, fork: bool = True) -> Evidence:
    return Evidence(origin=origin, size=size, root=root * 32, time=7, note=b"a", against=b"b\n\xe2", fork=fork)


def nothing_is_seen_at_first(open_: Open) -> None:
    """Of no log, of no size."""
    seen = open_()
    equal(seen.latest(ORIGIN), None, "nothing was cosigned yet")
    equal(seen.latest(ORIGIN, 0), None, "not even the empty tree")
    equal(seen.evidence(ORIGIN), (), "nothing speaks against anybody yet")


def what_was_cosigned_is_remembered(open_: Open) -> None:
    """The largest, and each by its size; the empty tree too; by every handle."""
    seen, steps = open_(), [_cosigned(0), _cosigned(3), _cosigned(10)]
    before = None
    for step in steps:
        holds(seen.advance(before, step), "nobody else advanced")
        equal(seen.latest(ORIGIN), step, "the largest is the last")
        before = step
    for step in steps:
        equal(open_().latest(ORIGIN, step.size), step, "each size keeps its checkpoint")
    equal(seen.latest(ORIGIN, 4), None, "a size that was not cosigned has none")


def logs_do_not_know_each_other(open_: Open) -> None:
    """One origin is a prefix of the other."""
    seen, other = open_(), ORIGIN + "/2"
    seen.advance(None, _cosigned(5))
    equal(seen.latest(other), None, "another log has another memory")
    holds(seen.advance(None, _cosigned(3, b"\x02", other)), "and another beginning")
    seen.keep(_evidence(5, b"\x03"))
    equal(seen.evidence(other), (), "and other evidence")


def who_is_late_changes_nothing(open_: Open) -> None:
    """`before` must stand there: nothing, another size, another time of the same size."""
    seen, first = open_(), _cosigned(5)
    holds(not seen.advance(first, _cosigned(6)), "what never stood there cannot be replaced")
    seen.advance(None, first)
    for before in (None, _cosigned(4), _cosigned(5, b"\x02"), _cosigned(5, time=99)):
        holds(not seen.advance(before, _cosigned(6)), "somebody else advanced first")
    equal((seen.latest(ORIGIN), seen.latest(ORIGIN, 6)), (first, None), "and nothing has changed")


def no_size_has_two_roots_and_none_goes_down(open_: Open) -> None:
    """Even for who knows what stands there."""
    seen, first = open_(), _cosigned(5)
    seen.advance(None, first)
    holds(not seen.advance(first, _cosigned(5, b"\x02")), "a size has one root")
    holds(not seen.advance(first, _cosigned(4)), "sizes do not go down")
    equal((seen.latest(ORIGIN), seen.latest(ORIGIN, 4)), (first, None), "and nothing has changed")


def the_same_checkpoint_again_has_a_new_time(open_: Open) -> None:
    """Cosigned anew for freshness."""
    seen, first, again = open_(), _cosigned(5), _cosigned(5, time=200)
    seen.advance(None, first)
    holds(seen.advance(first, again), "the same size and root may be cosigned again")
    equal(open_().latest(ORIGIN), again, "and the newer one stands")
    equal(open_().latest(ORIGIN, 5), again, "also under its size")


def evidence_stays(open_: Open) -> None:
    """In its order, once for each origin, size and root; the first is kept."""
    seen = open_()
    kept = [_evidence(5, b"\x02"), _evidence(5, b"\x03", fork=False), _evidence(6, b"\x02")]
    for evidence in kept:
        holds(seen.keep(evidence), "it is new")
        holds(not seen.keep(replace(evidence, time=9, note=b"c")), "it is known")
    equal(open_().evidence(ORIGIN), tuple(kept), "all of it, as it was first")


def evidence_is_bounded(open_: Open) -> None:
    """An enemy cannot fill the disk; what proves nothing takes no place from what does."""
    seen = open_()
    many = next(size for size in range(2001) if size == 2000 or not seen.keep(_evidence(size, fork=False)))
    holds(20 <= many < 2000, "much of one kind is kept, and not everything")
    equal(len(seen.evidence(ORIGIN)), many, "what was not new is not there")
    holds(seen.keep(_evidence(5, b"\x02")), "there is still room for a fork")
    holds(seen.keep(_evidence(5, origin="other.example")), "and for other logs")


def one_of_many_wins(open_: Open) -> None:
    """Threads that advance at once, from one state to different ones."""
    before = None
    for size in range(1, 6):
        works = [partial(_advance, open_, before, _cosigned(size, bytes([root]))) for root in range(1, 9)]
        before = _check_one(open_(), size, race(*works))


def one_of_many_processes_wins(open_: Open) -> None:
    """The same between processes."""
    works = [partial(_advance, open_, None, _cosigned(1, bytes([root]))) for root in range(1, 5)]
    _check_one(open_(), 1, race_processes(*works))


def _advance(open_: Open, before: Cosigned | None, after: Cosigned) -> Cosigned | None:
    return after if open_().advance(before, after) else None


def _check_one(seen: Seen, size: int, ends: Sequence[Cosigned | None]) -> Cosigned | None:
    won = [end for end in ends if end]
    equal(len(won), 1, "exactly one of those who advance at once wins")
    equal(seen.latest(ORIGIN), won[0], "and what it wrote stands")
    equal(won[0].size, size, "as it wrote it")
    return won[0]


CHECKS: tuple[Callable[[Open], None], ...] = (
    nothing_is_seen_at_first,
    what_was_cosigned_is_remembered,
    logs_do_not_know_each_other,
    who_is_late_changes_nothing,
    no_size_has_two_roots_and_none_goes_down,
    the_same_checkpoint_again_has_a_new_time,
    evidence_stays,
    evidence_is_bounded,
    one_of_many_wins,
)
PROCESS_CHECKS: tuple[Callable[[Open], None], ...] = (one_of_many_processes_wins,)

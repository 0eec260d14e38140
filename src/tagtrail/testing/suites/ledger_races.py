"""The suite of the port Ledger, part two: threads and processes that write at the same time, and those that die."""

import os
from collections.abc import Callable
from functools import partial
from multiprocessing import get_context
from threading import Event, Thread

from tagtrail.formats import merkle
from tagtrail.model.errors import Error, RemoteError
from tagtrail.ports import Committed, Ledger
from tagtrail.testing import samples
from tagtrail.testing.suites.appending import append, checkpoint, insert, releases, size_of
from tagtrail.testing.suites.promise import equal, holds, race, race_processes

__all__ = ["CHECKS", "PROCESS_CHECKS"]

Open = Callable[[], Ledger]


# --- threads --------------------------------------------------------------------------------------------------------


def two_appenders(open_: Open) -> None:
    """Threads, on handles of their own and on a shared one: every entry gets its own place, every size one root."""
    shared = open_()
    ledgers = (open_(), open_(), shared, shared)
    works = [partial(_append_each, ledger, f"project{n}", 5) for n, ledger in enumerate(ledgers)]
    race(*works)
    _audit(open_(), 20)


def a_second_writer_waits(open_: Open) -> None:
    """It gets in when the first has left, and sees what that one did."""
    inside, seen = Event(), []

    def follow() -> None:
        inside.wait(10)
        with open_().writing() as trail:
            seen.append(size_of(trail))

    thread = Thread(target=follow)
    thread.start()
    with open_().writing() as trail:
        inside.set()
        thread.join(0.05)
        equal(seen, [], "the second writer waits")
        insert(trail, samples.release(), 0)
        trail.commit(None, checkpoint(trail, 1))
    thread.join(10)
    equal(seen, [1], "the second writer sees what the first did")


def one_of_two_swaps_wins(open_: Open) -> None:
    """Writers who read the checkpoint before their transaction: exactly one commits, the others are `trail-moved`."""
    append(open_(), samples.release("first"))
    before = open_().committed()
    won = race(*(partial(_swap, open_, before, f"project{n}") for n in range(4)))
    equal(sorted(won), [False, False, False, True], "exactly one of the racing swaps wins")
    _audit(open_(), 2)


def one_of_two_digests_wins(open_: Open) -> None:
    """Concurrent releases of one name with different bytes: exactly one stands, the others are `name-taken`."""
    won = race(*(partial(_claim, open_, bytes([n])) for n in range(1, 5)))
    equal(sorted(won), [False, False, False, True], "exactly one of the racing releases wins")
    _audit(open_(), 1)


def readers_never_see_a_half(open_: Open) -> None:
    """While a writer appends, every checkpoint that is read has its entries and its nodes."""
    reader = open_()

    def read() -> bool:
        for _ in range(20):
            size = size_of(reader)
            if size and len(reader.entries(0, size)) != size:
                return False
            merkle.root(size, reader.node)
        return True

    whole, _ = race(read, partial(_append_each, open_(), "nova", 8))
    holds(whole, "a committed checkpoint has its entries")


def _append_each(ledger: Ledger, project: str, count: int) -> bool:
    for draft in releases(count, project):
        append(ledger, draft)
    return True


def _swap(open_: Open, before: Committed | None, project: str) -> bool:
    try:
        with open_().writing() as trail:
            index = before.size if before else 0
            entry = samples.entry(index, samples.release(project))
            if len(trail.entries()) == index:
                trail.insert(entry, merkle.complete(index, merkle.leaf_hash(entry.raw), trail.node), {})
            trail.commit(before, checkpoint(trail, index + 1))
    except RemoteError as error:
        equal(error.code, "trail-moved", "who loses the race is told so")
        return False
    return True


def _claim(open_: Open, data: bytes) -> bool:
    try:
        append(open_(), samples.release(data=data))
    except Error as error:
        equal(error.code, "name-taken", "who loses the name is told so")
        return False
    return True


def _audit(ledger: Ledger, size: int) -> None:
    entries = ledger.entries()
    equal([e.index for e in entries], list(range(size)), "every entry has its own place, without gaps")
    leaves = [merkle.leaf_hash(e.raw) for e in entries]
    for n in range(1, size + 1):
        checkpoint = ledger.committed(n)
        if checkpoint:
            equal(checkpoint.root, merkle.root_of(leaves[:n]), f"the checkpoint of size {n} has the root of its leaves")
    equal(size_of(ledger), size, "the largest checkpoint covers every entry")


# --- processes ------------------------------------------------------------------------------------------------------


def two_appending_processes(open_: Open) -> None:
    """The same as for threads, from the very first opening on."""
    race_processes(*(partial(_append_in_process, open_, f"project{n}") for n in range(2)))
    _audit(open_(), 10)


def a_dead_writer_leaves_nothing(open_: Open) -> None:
    """A process that dies within its transaction: nothing of it is there, and the next writer gets in."""
    append(open_(), samples.release("glance"))
    child = get_context("spawn").Process(target=_die_writing, args=(open_,))
    child.start()
    child.join(60)
    equal(child.exitcode, 9, "the child died where it should")
    _audit(open_(), 1)
    append(open_(), samples.release())
    _audit(open_(), 2)


def _append_in_process(open_: Open, project: str) -> bool:
    return _append_each(open_(), project, 5)


def _die_writing(open_: Open) -> None:
    with open_().writing() as trail:
        insert(trail, samples.release(data=b"lost"), 1)
        os._exit(9)


CHECKS: tuple[Callable[[Open], None], ...] = (
    two_appenders,
    a_second_writer_waits,
    one_of_two_swaps_wins,
    one_of_two_digests_wins,
    readers_never_see_a_half,
)
PROCESS_CHECKS: tuple[Callable[[Open], None], ...] = (two_appending_processes, a_dead_writer_leaves_nothing)

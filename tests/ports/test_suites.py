"""The suites and the fuse themselves: nothing is forgotten, and what is broken is found."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from types import ModuleType

import pytest

from tagtrail.formats import note
from tagtrail.model.errors import ProjectError, SetupError
from tagtrail.model.facts import Blob, Entry, Row
from tagtrail.model.names import project_key
from tagtrail.ports import Cosigned, Evidence
from tagtrail.testing import memory, samples
from tagtrail.testing.fuse import Blown, Fuse
from tagtrail.testing.suites import (
    builder,
    journal,
    kept,
    ledger,
    ledger_races,
    notes,
    seen,
    signer,
    source,
    store,
    target,
    witness,
)
from tagtrail.testing.suites.promise import Broken, equal, holds, race, refusal

SUITES = (builder, journal, kept, ledger, ledger_races, notes, seen, signer, source, store, target, witness)
TOOLS = {"armoured", "row"}


@pytest.mark.parametrize("suite", SUITES, ids=lambda s: s.__name__.rpartition(".")[2])
def test_every_public_function_is_a_check(suite: ModuleType) -> None:
    own = {n for n, f in vars(suite).items() if getattr(f, "__module__", "") == suite.__name__ and n[0].islower()}
    checks = [*suite.CHECKS, *getattr(suite, "PROCESS_CHECKS", ())]
    assert len(set(checks)) == len(checks)
    assert {check.__name__ for check in checks if check.__module__ == suite.__name__} == own - TOOLS


# --- what is broken is found ----------------------------------------------------------------------------------------


class ForgetfulJournal(memory.Journal):
    """Runs a step every time, moves every row, sets every cursor."""

    def once(self, key, kind, effect, *args):
        return effect(*args)

    def move(self, before: Row | None, after: Row) -> bool:
        self._rows[after.effect.target, after.effect.key] = after
        return True

    def cursor(self, name: str, before: int | None = None, after: int | None = None) -> int:
        self._cursors[name] = self._cursors.get(name, 0) if after is None else after
        return self._cursors[name]


class TrustingKept(memory.Kept):
    """Hashes nothing on the way out."""

    def chunks(self, sha256: str):
        return iter([self.blobs[sha256]])


class HastyLedger(memory.Ledger):
    """Writes at once, compares nothing, claims no names."""

    def writing(self):
        return HastyWriting(self)


class HastyWriting(memory.ledger.Writing):
    def __init__(self, ledger: HastyLedger) -> None:
        self._ledger = ledger
        self._book = ledger._book

    def __enter__(self):
        return self

    def __exit__(self, *args: object) -> None:
        return None

    def insert(self, entry: Entry, nodes, names) -> None:
        self._book.nodes |= nodes
        self._book.entries += (entry,)
        self._book.projects += (project_key(entry.project),)

    def commit(self, before, after) -> None:
        self._book.checkpoints[after.size] = after


class HastySeen(memory.Seen):
    """Writes at once, compares nothing; keeps everything."""

    def advance(self, before: Cosigned | None, after: Cosigned) -> bool:
        self.cosigned[after.origin, after.size] = after
        return True

    def keep(self, evidence: Evidence) -> bool:
        self.kept[evidence.origin, evidence.size, evidence.root] = evidence
        return True


class TrustingWitness:
    """Cosigns whatever it is sent."""

    signer = note.Signer(name="witness.example", kind=note.COSIGNATURE, seed=b"\x04" * 32)

    def add_checkpoint(self, old: int, proof: Sequence[bytes], data: bytes) -> bytes:
        signed = note.sign(note.parse(data).text, [self.signer], time=100)
        return signed.signatures[0].line().encode()


def trusting_witness() -> witness.Case:
    one, log = TrustingWitness(), note.Signer(name="example.org/trail", seed=b"\x01" * 32)
    return witness.Case(open=lambda: one, log=log, verifier=one.signer.verifier)


class HalfStore(memory.Store):
    """Writes piece by piece, lists in order of writing."""

    def write(self, path: str, chunks: Iterable[bytes]) -> None:
        self.files[path] = b""
        for chunk in chunks:
            self.files[path] += chunk

    def paths(self, prefix: str = ""):
        return (path for path in list(self.files) if path.startswith(prefix.rstrip("/")))


def trusting() -> kept.Case:
    one = TrustingKept()

    def alter(sha256: str, data: bytes | None) -> None:
        one.blobs.pop(sha256, None)
        one.blobs |= {sha256: data} if data is not None else {}

    return kept.Case(open=lambda: one, alter=alter, stored=lambda: set(one.blobs))


def opened(one: object) -> Callable[[], object]:
    return lambda: one


BROKEN: tuple[tuple[ModuleType, Callable[[], object], set[str]], ...] = (
    (
        journal,
        lambda: opened(ForgetfulJournal()),
        {
            "a_step_runs_once",
            "results_come_back_as_they_were",
            "the_first_result_wins",
            "a_row_is_inserted_once",
            "a_row_moves_by_compare_and_set",
            "one_of_many_moves_wins",
            "a_cursor_moves_by_compare_and_set",
            "one_of_many_cursors_wins",
        },
    ),
    (kept, trusting, {"pieces_are_small", "what_is_not_kept_is_missing", "altered_bytes_never_get_out"}),
    (
        ledger,
        lambda: opened(HastyLedger()),
        {
            "leaving_without_commit_undoes",
            "an_exception_undoes_and_goes_on",
            "nothing_is_seen_before_commit",
            "compare_and_swap",
            "one_size_has_one_root",
            "a_name_has_one_digest_for_ever",
            "a_name_is_taken_within_a_transaction",
            "marks_are_of_the_transaction",
            "the_newest_of_a_mark",
        },
    ),
    (
        seen,
        lambda: opened(HastySeen()),
        {
            "who_is_late_changes_nothing",
            "no_size_has_two_roots_and_none_goes_down",
            "evidence_stays",
            "evidence_is_bounded",
        },
    ),
    (
        witness,
        trusting_witness,
        {
            "another_old_size_is_behind",
            "a_fork_is_refused",
            "a_proof_is_exact",
            "the_empty_tree_has_one_root",
            "a_log_that_it_does_not_know_is_not_cosigned",
            "nothing_can_grow_backwards",
        },
    ),
    (
        store,
        lambda: opened(HalfStore()),
        {"paths_are_sorted", "a_source_that_fails_changes_nothing", "a_reader_never_sees_a_part"},
    ),
)
RACES = {
    "two_appenders",
    "one_of_two_swaps_wins",
    "one_of_two_digests_wins",
    "a_second_writer_waits",
    "writers_do_not_mix",
}
RACES |= {"one_of_many_wins", "one_of_many_trees_is_cosigned"}
RACES |= {"readers_never_see_a_half", "removing_does_not_hinder_writers"}


@pytest.mark.parametrize(("suite", "case", "wanted"), BROKEN, ids=lambda x: getattr(x, "__name__", ""))
def test_a_broken_adapter_is_found(suite: ModuleType, case: Callable[[], object], wanted: set[str]) -> None:
    failed = {check.__name__ for check in suite.CHECKS if check.__name__ not in RACES and fails(check, case())}
    assert failed == wanted


def fails(check: Callable[[object], None], case: object) -> bool:
    try:
        check(case)
    except (Broken, AssertionError, LookupError):
        return True
    return False


def test_promises() -> None:
    with refusal(ProjectError, "no"):
        deny(ProjectError("no", code="no"))
    holds(1, "fine")
    equal(1, 1, "fine")


def deny(error: Exception) -> None:
    raise error


@pytest.mark.parametrize(
    "promise",
    [
        partial(holds, 0, "said"),
        partial(equal, 1, 2, "said"),
        lambda: refused(ProjectError("x", code="other")),
        lambda: refused(SetupError("x", code="said")),
        lambda: refused(None),
    ],
)
def test_a_broken_promise_is_said(promise: Callable[[], None]) -> None:
    with pytest.raises(Broken, match="said"):
        promise()


def refused(error: Exception | None) -> None:
    with refusal(ProjectError, "said"):
        if error:
            raise error


# --- the fuse -------------------------------------------------------------------------------------------------------


def test_a_fuse_names_its_points_and_blows_at_one() -> None:
    fuse = Fuse()
    with fuse.around("a"):
        fuse.point("b")
    assert fuse.points == ["before a", "b", "after a"]
    for at, name in enumerate(fuse.points):
        blows = Fuse(at)
        with pytest.raises(Blown, match=name), blows.around("a"):
            blows.point("b")
        assert blows.points == fuse.points[: at + 1]


def test_the_dead_do_nothing() -> None:
    fuse = Fuse(0)
    kept_, journal_ = memory.Kept(fuse), memory.Journal(fuse)
    for effect in (partial(kept_.put, [b"x"], "text/plain"), partial(journal_.once, "key", Blob, samples.blob, b"x")):
        with pytest.raises(Blown):
            effect()
    assert kept_.blobs == {}
    assert fuse.points == ["before kept.put"]


def test_a_fuse_blows_once_among_threads() -> None:
    fuse = Fuse(10)

    def passes() -> int:
        count = 0
        try:
            while True:
                fuse.point("x")
                count += 1
        except Blown:
            return count

    assert sum(race(*[passes] * 4)) == 10
    assert len(fuse.points) == 11


def test_a_commit_that_blows_before_leaves_nothing_and_after_leaves_all() -> None:
    def run(at: int | None) -> tuple[list[str], int]:
        one = memory.Ledger(Fuse(at))
        with suppress(Blown):
            ledger.what_was_committed_is_read_back(lambda: one)
        return one.fuse.points, len(one.entries())

    points, _ = run(None)
    for at, name in enumerate(points):
        assert run(at)[1] == (4 if name == "after ledger.commit" else 0), name

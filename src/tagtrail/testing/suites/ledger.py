"""The suite of the port Ledger: one transaction at a time, no name with two digests, no size with two roots."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

from tagtrail.formats import marks, merkle
from tagtrail.model.errors import RemoteError, TamperError
from tagtrail.model.names import name_key
from tagtrail.ports import Committed, Ledger, Reading
from tagtrail.testing import samples
from tagtrail.testing.suites import ledger_races
from tagtrail.testing.suites.appending import append, checkpoint, insert, no_node, releases, size_of
from tagtrail.testing.suites.promise import equal, holds, refusal

__all__ = ["CHECKS", "PROCESS_CHECKS", "Open"]

Open = Callable[[], Ledger]


# --- reading --------------------------------------------------------------------------------------------------------


def a_new_ledger_is_empty(open_: Open) -> None:
    """Nothing committed, no entries, no projects, no nodes."""
    ledger = open_()
    found = (ledger.committed(), ledger.committed(0), ledger.committed(covering=0), ledger.entries(), ledger.projects())
    equal(found, (None, None, None, (), ()), "a new ledger is empty")
    no_node(ledger, 0, 0)


def what_was_committed_is_read_back(open_: Open) -> None:
    """Entries, checkpoints and nodes, by another handle as well."""
    written = append(open_(), *releases(3), samples.event())
    ledger = open_()
    equal(ledger.entries(), written, "entries come back as they were inserted, oldest first")
    head = ledger.committed()
    holds(head and head.size == len(written), "the largest checkpoint covers every entry")
    equal(ledger.committed(len(written)), head, "a checkpoint is found by its size")
    equal(ledger.committed(len(written) - 1), None, "a size that was never committed has no checkpoint")
    leaves = [merkle.leaf_hash(e.raw) for e in written]
    equal(head and head.root, merkle.root_of(leaves), "the root comes back as it was committed")


def the_smallest_covering_checkpoint(open_: Open) -> None:
    """Sizes 1, 3, 4: index 0 is under 1, 1 and 2 under 3, 3 under 4, 4 under none."""
    ledger = open_()
    first, *rest = releases(4)
    for drafts in ([first], rest[:2], rest[2:]):
        append(ledger, *drafts)
    covering = [ledger.committed(covering=index) for index in range(5)]
    equal(
        [c and c.size for c in covering], [1, 3, 3, 4, None], "covering gives the smallest checkpoint beyond the index"
    )


def entries_by_range_and_project(open_: Open) -> None:
    """Half-open ranges; a project in any spelling; both together."""
    ledger = open_()
    drafts = [samples.release(name, f"{n}.0.0") for n, name in enumerate(("Nova_x", "glance", "nova-x", "Nova.X"), 1)]
    written = append(ledger, *drafts, samples.event(), samples.event("withdraw", "nova-X"))
    equal(ledger.entries(1, 3), written[1:3], "a range is half-open")
    equal(ledger.entries(4), written[4:], "without a stop, to the end")
    equal(ledger.entries(2, 99), written[2:], "a stop beyond the end is the end")
    equal(ledger.entries(99), (), "a start beyond the end is empty")
    for start, stop in ((0, 6), (1, 3), (2, 99), (99, 100), (3, 3)):
        equal(ledger.raws(start, stop), tuple(e.raw for e in written[start:stop]), f"the bytes of {start} to {stop}")
    mine = tuple(e for e in written if e.project.lower().startswith("nova"))
    for spelling in ("nova-x", "NOVA__x", "Nova.X"):
        equal(ledger.entries(project=spelling), mine, f"a project is found as {spelling}")
    equal(ledger.entries(1, 4, project="nova-x"), mine[1:3], "range and project together")
    equal(ledger.entries(project="nova"), (), "the start of a name is not the name")


def projects_as_their_newest_release_writes_them(open_: Open) -> None:
    """Sorted by PEP 503 name; other events neither make nor rename a project."""
    ledger = open_()
    drafts = [samples.release(name, f"{n}.0.0") for n, name in enumerate(("zun", "Nova_x", "Nova.X", "aodh"), 1)]
    append(ledger, *drafts, samples.event("withdraw", "NOVA-X"), samples.event("import", "unknown"))
    equal(ledger.projects(), ("aodh", "Nova.X", "zun"), "projects with a release, newest spelling, sorted")


def projects_of_a_kind(open_: Open) -> None:
    """By the purl type of their releases; a project may have releases of two."""
    ledger = open_()
    releases = (("zun", True), ("Nova_x", True), ("puppet", False), ("nova.x", False))
    append(ledger, *(samples.release(name, f"{n}.0.0", python=python) for n, (name, python) in enumerate(releases, 1)))
    found = [ledger.projects(kind) for kind in ("pypi", "generic", "deb", "")]
    wanted = [("Nova_x", "zun"), ("nova.x", "puppet"), (), ("nova.x", "puppet", "zun")]
    equal(found, wanted, "projects by purl type, the newest spelling of that type, sorted")


def the_newest_of_a_mark(open_: Open) -> None:
    """Releases by version, key entries by the kind of file, any entry by its draft; of several the newest."""
    ledger = open_()
    drafts = [samples.event(), samples.release("Nova_x", "1.0"), samples.release("nova", "2.0"), samples.event()]
    first, nova_x, nova, again = append(ledger, *drafts)
    withdrawn = append(ledger, samples.event("withdraw", "nova"))[0]
    wanted = {
        marks.release_mark("nova.X", "1"): nova_x,
        marks.release_mark("nova", "2.0.0"): nova,
        marks.release_mark("nova", "1.0"): None,
        marks.key_mark("2.root.json"): again,
        marks.key_mark("site.json"): None,
        marks.draft_mark(drafts[0].digest): again,
        marks.draft_mark(samples.event("withdraw", "nova").digest): withdrawn,
        marks.draft_mark("0" * 64): None,
    }
    equal({mark: open_().marked(mark) for mark in wanted}, wanted, "the newest entry of each mark")
    holds(first != again, "two entries have one draft")


def marks_are_of_the_transaction(open_: Open) -> None:
    """It sees its own, others do not, and leaving undoes them."""
    ledger = open_()
    old = append(ledger, samples.event())[0]
    mark = marks.key_mark("root.json")
    with ledger.writing() as trail:
        equal(trail.marked(mark), old, "a transaction finds what was there")
        new = insert(trail, samples.event(), 1)
        equal(trail.marked(mark), new, "and its own")
        equal(open_().marked(mark), old, "nobody else does")
    equal(ledger.marked(mark), old, "leaving undoes")


def complete_nodes_only(open_: Open) -> None:
    """Five leaves: the nodes of 1, 2 and 4 leaves that are complete, and no others."""
    ledger = open_()
    leaves = [merkle.leaf_hash(e.raw) for n in range(5) for e in append(ledger, releases(5)[n])]
    for level, index in [(0, n) for n in range(5)] + [(1, 0), (1, 1), (2, 0)]:
        wanted = merkle.root_of(leaves[index << level : (index + 1) << level])
        equal(ledger.node(level, index), wanted, f"node {level}, {index} is the root of its leaves")
    for level, index in [(0, 5), (1, 2), (2, 1), (3, 0)]:
        no_node(ledger, level, index)


# --- the transaction ------------------------------------------------------------------------------------------------


def leaving_without_commit_undoes(open_: Open) -> None:
    """Leaves, nodes and names: the same name can have other bytes afterwards."""
    ledger = open_()
    append(ledger, samples.release("glance"))
    with ledger.writing() as trail:
        insert(trail, samples.release("nova", data=b"one"), 1)
    equal((size_of(ledger), len(ledger.entries()), ledger.projects()), (1, 1, ("glance",)), "leaving undoes")
    no_node(ledger, 1, 0)
    append(ledger, samples.release("nova", data=b"two"))
    equal(size_of(open_()), 2, "what was undone does not stand in the way")


def an_exception_undoes_and_goes_on(open_: Open) -> None:
    """Whatever it is, the caller sees it, nothing stays, and the next writer gets in."""
    ledger = open_()
    for crash in (ValueError("a bug"), KeyboardInterrupt("a person"), RemoteError("a place", code="somewhere")):
        try:
            with ledger.writing() as trail:
                insert(trail, samples.release(), 0)
                raise crash
        except BaseException as seen:  # noqa: BLE001  (also those that are no Exception)
            equal(seen, crash, "the transaction hands on what was raised")
        equal(ledger.entries(), (), "an exception undoes")
    append(ledger, samples.release())


def nothing_is_seen_before_commit(open_: Open) -> None:
    """Neither by the same handle nor by another one."""
    ledger, other = open_(), open_()
    append(ledger, samples.release("glance"))
    with ledger.writing() as trail:
        insert(trail, samples.release(), 1)
        for reader in (ledger, other):
            equal((size_of(reader), len(reader.entries())), (1, 1), "an open transaction is not seen")
            no_node(reader, 0, 1)
        trail.commit(trail.committed(), checkpoint(trail, 2))
    equal((size_of(ledger), size_of(other)), (2, 2), "a committed one is")


def a_transaction_sees_itself(open_: Open) -> None:
    """Two entries in one transaction: the second needs the first one's nodes."""
    with open_().writing() as trail:
        first = insert(trail, samples.release(), 0)
        equal(trail.entries(), (first,), "a transaction sees what it inserted")
        second = insert(trail, samples.release("glance"), 1)
        leaves = [merkle.leaf_hash(e.raw) for e in (first, second)]
        equal(trail.node(1, 0), merkle.root_of(leaves), "and its nodes")
        equal(trail.committed(), None, "but it has committed nothing yet")


def compare_and_swap(open_: Open) -> None:
    """A `before` that is not the largest is `trail-moved`: none, an old one, one with another root; nothing stays."""
    ledger = open_()
    drafts = releases(4)
    append(ledger, drafts[0])
    old = ledger.committed()
    append(ledger, drafts[1])
    head = ledger.committed()
    other = Committed(size=2, root=sha256(b"other").digest(), note=head.note if head else "")
    for before in (None, old, other):
        with refusal(RemoteError, "trail-moved"), ledger.writing() as trail:
            insert(trail, drafts[2], 2)
            trail.commit(before, checkpoint(trail, 3))
        equal((ledger.committed(), len(ledger.entries())), (head, 2), "a lost race leaves nothing")
    append(ledger, drafts[3])


def one_size_has_one_root(open_: Open) -> None:
    """A second checkpoint of a size, one of a smaller size, a second leaf at an index, a gap: nothing changes."""
    ledger = open_()
    append(ledger, *releases(2))
    head, written = ledger.committed(), ledger.entries()
    for size, root in ((2, sha256(b"other").digest()), (2, head.root if head else b""), (1, sha256(b"other").digest())):
        with refusal(TamperError, "size-taken"), ledger.writing() as trail:
            trail.commit(head, Committed(size=size, root=root, note="forged"))
    for index in (1, 3):
        with refusal(TamperError, "index-taken"), ledger.writing() as trail:
            trail.insert(samples.entry(index, samples.release("glance")), {}, {})
    equal((ledger.committed(), ledger.entries()), (head, written), "nothing changed")


# --- names ----------------------------------------------------------------------------------------------------------


def a_name_has_one_digest_for_ever(open_: Open) -> None:
    """Other bytes under a name that is taken are `name-taken`, in any spelling of the project; nothing stays."""
    ledger = open_()
    append(ledger, samples.release("Nova_x", data=b"one"))
    for spelling in ("Nova_x", "nova-x"):
        with refusal(TamperError, "name-taken"):
            append(ledger, samples.release(spelling, data=b"two"))
    equal((size_of(ledger), len(ledger.entries())), (1, 1), "a refused entry leaves nothing")


def a_name_is_taken_within_a_transaction(open_: Open) -> None:
    """Also by a leaf that is not committed yet."""
    ledger = open_()
    with refusal(TamperError, "name-taken"):
        append(ledger, samples.release(data=b"one"), samples.release(data=b"two"))
    equal(size_of(ledger), 0, "neither stays")


def the_same_bytes_may_be_named_again(open_: Open) -> None:
    """An entry may repeat a name with its digest, and another project may use the name for its own."""
    ledger = open_()
    append(ledger, samples.release(data=b"one"))
    append(ledger, samples.release(data=b"one"))
    entry = samples.entry(2, samples.release("glance", data=b"two"))
    with ledger.writing() as trail:
        names = {name_key("nova", "nova-1.0.0.tar.gz"): entry.files[0].sha256}
        trail.insert(entry, merkle.complete(2, merkle.leaf_hash(entry.raw), trail.node), names)
        trail.commit(trail.committed(), checkpoint(trail, 3))
    equal(size_of(ledger), 3, "all three stand")


# --- cosigned -------------------------------------------------------------------------------------------------------


def _met(ledger: Reading, size: int, cosignature: str) -> Committed:
    committed = ledger.committed(size)
    holds(committed, f"there is a checkpoint of {size} entries")
    assert committed is not None  # noqa: S101
    return replace(committed, note=f"{committed.note}— witness {cosignature}\n")


def nothing_is_cosigned_at_first(open_: Open) -> None:
    """A committed checkpoint is not yet one that met the policy."""
    ledger = open_()
    append(ledger, samples.release())
    equal((ledger.cosigned(), ledger.cosigned(covering=0)), (None, None), "nothing met the policy yet")


def the_first_note_is_what_proofs_stand_on(open_: Open) -> None:
    """Of one size, proofs keep the first note and the public is shown the last."""
    ledger = open_()
    append(ledger, samples.release())
    first, later = _met(ledger, 1, "first"), _met(ledger, 1, "later")
    ledger.cosign(first)
    ledger.cosign(later)
    equal(open_().cosigned(covering=0), first, "proofs stand on the first note")
    equal(open_().cosigned(), later, "what is shown has the freshest cosignatures")
    equal(open_().cosigned(covering=1), None, "nothing covers an entry that is not there")


def the_smallest_cosigned_that_covers(open_: Open) -> None:
    """A size that no witness saw is skipped; a smaller one that comes late is not recorded."""
    ledger = open_()
    for draft in releases(3):
        append(ledger, draft)
    ledger.cosign(_met(ledger, 2, "w"))
    equal(ledger.cosigned(covering=0), _met(ledger, 2, "w"), "size 1 was never cosigned")
    ledger.cosign(_met(ledger, 1, "late"))
    equal(ledger.cosigned(covering=0), _met(ledger, 2, "w"), "a smaller one that comes late is not recorded")
    ledger.cosign(_met(ledger, 3, "w"))
    found = tuple(c.size for i in range(3) if (c := ledger.cosigned(covering=i)))
    equal(found, (2, 2, 3), "each entry stands on the smallest that covers it")


def proofs_can_be_issued_anew(open_: Open) -> None:
    """After `anew` all entries below stand on that checkpoint, later ones on later ones."""
    ledger = open_()
    for draft in releases(3):
        append(ledger, draft)
        ledger.cosign(_met(ledger, size_of(ledger), "old"))
    ledger.cosign(_met(ledger, 3, "new"), anew=True)
    append(ledger, samples.release("glance"))
    ledger.cosign(_met(ledger, 4, "new"))
    found = tuple(ledger.cosigned(covering=i) for i in range(4))
    new = _met(ledger, 3, "new")
    equal(found, (new, new, new, _met(ledger, 4, "new")), "old proofs are issued again under one checkpoint")
    equal(ledger.cosigned(), _met(ledger, 4, "new"), "the largest is shown")


def only_the_committed_is_cosigned(open_: Open) -> None:
    """Another size, another root: nothing is recorded."""
    ledger = open_()
    append(ledger, samples.release())
    met = _met(ledger, 1, "w")
    for wrong in (replace(met, size=2), replace(met, root=bytes(32))):
        with refusal(TamperError, "not-committed"):
            ledger.cosign(wrong)
    equal(ledger.cosigned(), None, "nothing was recorded")


CHECKS: tuple[Callable[[Open], None], ...] = (
    a_new_ledger_is_empty,
    what_was_committed_is_read_back,
    the_smallest_covering_checkpoint,
    entries_by_range_and_project,
    projects_as_their_newest_release_writes_them,
    projects_of_a_kind,
    the_newest_of_a_mark,
    marks_are_of_the_transaction,
    complete_nodes_only,
    leaving_without_commit_undoes,
    an_exception_undoes_and_goes_on,
    nothing_is_seen_before_commit,
    a_transaction_sees_itself,
    compare_and_swap,
    one_size_has_one_root,
    a_name_has_one_digest_for_ever,
    a_name_is_taken_within_a_transaction,
    the_same_bytes_may_be_named_again,
    nothing_is_cosigned_at_first,
    the_first_note_is_what_proofs_stand_on,
    the_smallest_cosigned_that_covers,
    proofs_can_be_issued_anew,
    only_the_committed_is_cosigned,
    *ledger_races.CHECKS,
)
PROCESS_CHECKS = ledger_races.PROCESS_CHECKS

"""What a sequencer does to a ledger, unsigned: entries under a checkpoint, and a look at what stands there."""

from tagtrail.formats import merkle
from tagtrail.model.facts import Draft, Entry
from tagtrail.model.names import name_key
from tagtrail.ports import Committed, Ledger, Reading, Writing
from tagtrail.testing import samples
from tagtrail.testing.suites.promise import Broken

__all__ = ["append", "checkpoint", "cosign", "insert", "no_node", "releases", "size_of"]


def append(ledger: Ledger, *drafts: Draft) -> tuple[Entry, ...]:
    """The entries of `drafts`, in one transaction under one checkpoint."""
    with ledger.writing() as trail:
        before = trail.committed()
        entries = tuple(
            insert(trail, draft, offset) for offset, draft in enumerate(drafts, before.size if before else 0)
        )
        trail.commit(before, checkpoint(trail, entries[-1].index + 1))
    return entries


def cosign(ledger: Ledger) -> None:
    """Record the newest checkpoint as one that met the policy: what becomes of it where nobody is asked."""
    head = ledger.committed()
    if head is not None:
        ledger.cosign(head)


def insert(trail: Writing, draft: Draft, index: int) -> Entry:
    """The entry of a draft, inserted with its nodes and names; nothing is committed."""
    entry = samples.entry(index, draft, samples.TIME + index)
    names = {name_key(entry.project, f.name): f.sha256 for f in entry.files} if entry.event == "release" else {}
    trail.insert(entry, merkle.complete(index, merkle.leaf_hash(entry.raw), trail.node), names)
    return entry


def checkpoint(trail: Reading, size: int) -> Committed:
    """The checkpoint of `size` entries: its root is right, its note has no signature."""
    root = merkle.root(size, trail.node)
    return Committed(size=size, root=root, note=f"test\n{size}\n{root.hex()}\n\n— nobody\n")


def releases(count: int, project: str = "nova") -> list[Draft]:
    """Drafts of so many releases of a project: 1.0.0, 2.0.0 and so on."""
    return [samples.release(project, f"{n}.0.0") for n in range(1, count + 1)]


def size_of(ledger: Reading) -> int:
    """How many entries are under the largest checkpoint."""
    head = ledger.committed()
    return head.size if head else 0


def no_node(ledger: Reading, level: int, index: int) -> None:
    """Raises Broken unless the node is not complete."""
    try:
        ledger.node(level, index)
    except KeyError:
        return
    raise Broken(f"node {level}, {index} is not complete: KeyError was promised")

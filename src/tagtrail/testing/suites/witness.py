"""The suite of the port Witness: it cosigns what extends what it cosigned before, and nothing else."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from tagtrail.formats import merkle, note
from tagtrail.formats.note import Checkpoint, Signer, Verifier
from tagtrail.formats.witness import parse_cosignatures
from tagtrail.model.errors import RemoteError, SetupError, TamperError
from tagtrail.ports import Behind, Witness
from tagtrail.testing.suites.promise import equal, holds, race, refusal

__all__ = ["CHECKS", "Case", "Tree"]

SIZES = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`open` gives a handle on one witness of key `verifier` that has cosigned nothing yet and knows only `log`."""

    open: Callable[[], Witness]
    log: Signer
    verifier: Verifier


class Tree:
    """The trees of a log by size; `fork` is another log of the same name whose leaves differ from that index on."""

    def __init__(self, log: Signer, fork: int = SIZES) -> None:
        self.log = log
        self.nodes: dict[tuple[int, int], bytes] = {}
        for index in range(SIZES):
            leaf = merkle.leaf_hash(b"%d%s" % (index, b" forked" if index >= fork else b""))
            self.nodes |= merkle.complete(index, leaf, self.read)

    def read(self, level: int, index: int) -> bytes:
        """The hash of a complete subtree."""
        return self.nodes[level, index]

    def checkpoint(self, size: int) -> Checkpoint:
        """The head at `size`."""
        return Checkpoint(origin=self.log.name, size=size, root=merkle.root(size, self.read))

    def note(self, size: int, *signers: Signer) -> bytes:
        """The head, signed by the log or by `signers`."""
        return note.sign(self.checkpoint(size).text(), signers or [self.log]).encode()

    def proof(self, old: int, size: int) -> tuple[bytes, ...]:
        """That the tree of `size` contains that of `old`."""
        return merkle.consistency(old, size, self.read)


def _add(witness: Witness, tree: Tree, old: int, size: int, proof: Sequence[bytes] | None = None) -> bytes:
    given = tree.proof(old, size) if proof is None else proof
    return witness.add_checkpoint(old, given, tree.note(size))


def _time(case: Case, checkpoint: Checkpoint, lines: bytes) -> int:
    """The time of the cosignature in `lines`, which verifies."""
    cosigned = note.Note(text=checkpoint.text(), signatures=parse_cosignatures(lines)).encode()
    (verified,) = note.open_note(cosigned, [case.verifier]).verified
    return verified.time or 0


def _behind(witness: Witness, tree: Tree, old: int, size: int) -> int:
    try:
        _add(witness, tree, old, size)
    except Behind as error:
        return error.size
    holds(condition=False, promise="an old size that it did not cosign last is Behind")
    return -1


def it_cosigns_a_log_that_grows(case: Case) -> None:
    """From nothing, in steps; its lines verify, and their times do not decrease."""
    tree, old, last = Tree(case.log), 0, 0
    for size in (1, 2, 7, 8, 9, 31, 40):
        time = _time(case, tree.checkpoint(size), _add(case.open(), tree, old, size))
        holds(time >= last > -1, "times do not decrease")
        holds(time > 0, "a cosignature has a time")
        old, last = size, time


def the_empty_tree_is_a_tree(case: Case) -> None:
    """And everything extends it."""
    tree = Tree(case.log)
    _time(case, tree.checkpoint(0), _add(case.open(), tree, 0, 0))
    _time(case, tree.checkpoint(5), _add(case.open(), tree, 0, 5))


def the_same_checkpoint_is_cosigned_again(case: Case) -> None:
    """For freshness; with the size that it has, and no proof."""
    tree = Tree(case.log)
    _add(case.open(), tree, 0, 5)
    _time(case, tree.checkpoint(5), _add(case.open(), tree, 5, 5))
    _time(case, tree.checkpoint(5), _add(case.open(), tree, 5, 5))


def another_old_size_is_behind(case: Case) -> None:
    """It says what it cosigned last, and so one can go on."""
    tree, witness = Tree(case.log), case.open()
    equal(_behind(witness, tree, 3, 5), 0, "it has cosigned nothing")
    _add(witness, tree, 0, 7)
    for old in (0, 5, 8):
        equal(_behind(case.open(), tree, old, 9), 7, "it says what it cosigned last")
    equal(_behind(case.open(), tree, 0, 3), 7, "also to a smaller one")
    _add(witness, tree, 7, 9)


def a_fork_is_refused(case: Case) -> None:
    """The same size with another root; a tree that does not contain what was cosigned; with any proof."""
    tree, fork = Tree(case.log), Tree(case.log, fork=3)
    _add(case.open(), tree, 0, 7)
    with refusal(TamperError, "witness-refused"):
        _add(case.open(), fork, 7, 7)
    for proof in (fork.proof(7, 9), tree.proof(7, 9), ()):
        with refusal(TamperError, "witness-refused"):
            _add(case.open(), fork, 7, 9, proof)
    _add(case.open(), tree, 7, 9)


def a_proof_is_exact(case: Case) -> None:
    """No hash too many, too few or changed; none from the empty tree or to the same size."""
    tree = Tree(case.log)
    with refusal(TamperError, "witness-refused"):
        _add(case.open(), tree, 0, 7, (bytes(32),))
    _add(case.open(), tree, 0, 7)
    good = tree.proof(7, 12)
    for proof in ((*good, bytes(32)), good[:-1], (bytes(32), *good[1:]), good[::-1]):
        with refusal(TamperError, "witness-refused"):
            _add(case.open(), tree, 7, 12, proof)
    with refusal(TamperError, "witness-refused"):
        _add(case.open(), tree, 7, 7, (bytes(32),))
    _add(case.open(), tree, 7, 12)


def the_empty_tree_has_one_root(case: Case) -> None:
    """Any other is refused."""
    lie = note.sign(Checkpoint(origin=case.log.name, size=0, root=bytes(32)).text(), [case.log]).encode()
    with refusal(TamperError, "witness-refused"):
        case.open().add_checkpoint(0, (), lie)
    _add(case.open(), Tree(case.log), 0, 0)


def a_log_that_it_does_not_know_is_not_cosigned(case: Case) -> None:
    """Another origin; the right origin under another key; a signature that is not over this text."""
    other = Signer(name=f"{case.log.name}/other", seed=b"\x77" * 32)
    with refusal(SetupError, "witness-unknown-log"):
        _add(case.open(), Tree(other), 0, 5)
    with refusal(SetupError, "witness-unknown-log"):
        _add(case.open(), Tree(Signer(name=case.log.name, seed=b"\x78" * 32)), 0, 5)
    tree = Tree(case.log)
    text, lines = tree.checkpoint(6).text(), note.parse(tree.note(5)).signatures
    with refusal(SetupError, "witness-unknown-log"):
        case.open().add_checkpoint(0, (), note.Note(text=text, signatures=lines).encode())
    _add(case.open(), tree, 0, 5)


def lines_of_strangers_change_nothing(case: Case) -> None:
    """Keys that it does not know may have signed as well."""
    tree, stranger = Tree(case.log), Signer(name="stranger.example", seed=b"\x79" * 32)
    both = tree.note(5, stranger, case.log)
    _time(case, tree.checkpoint(5), case.open().add_checkpoint(0, (), both))


def nothing_can_grow_backwards(case: Case) -> None:
    """An old size above the checkpoint's is no request."""
    tree = Tree(case.log)
    _add(case.open(), tree, 0, 7)
    with refusal(RemoteError, "witness-reply"):
        _add(case.open(), tree, 7, 5, ())


def one_of_many_trees_is_cosigned(case: Case) -> None:
    """Forks that arrive at once: one is cosigned, all others are not."""
    trees = [Tree(case.log, fork=n) for n in range(8)]
    ends = race(*[partial(_outcome, case, tree) for tree in trees])
    equal(sorted(ends), ["behind"] * 7 + ["cosigned"], "one tree is cosigned, the others are not")


def _outcome(case: Case, tree: Tree) -> str:
    try:
        _add(case.open(), tree, 0, 9)
    except Behind:
        return "behind"
    return "cosigned"


CHECKS: tuple[Callable[[Case], None], ...] = (
    it_cosigns_a_log_that_grows,
    the_empty_tree_is_a_tree,
    the_same_checkpoint_is_cosigned_again,
    another_old_size_is_behind,
    a_fork_is_refused,
    a_proof_is_exact,
    the_empty_tree_has_one_root,
    a_log_that_it_does_not_know_is_not_cosigned,
    lines_of_strangers_change_nothing,
    nothing_can_grow_backwards,
    one_of_many_trees_is_cosigned,
)

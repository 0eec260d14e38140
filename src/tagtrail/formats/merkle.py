"""The Merkle tree of RFC 6962 over SHA-256: hashes, roots, proofs and their verification.

    leaf hash   SHA-256(0x00 || entry)                a leaf can never be passed off as a node
    node hash   SHA-256(0x01 || left || right)
    root        of no entries SHA-256(""); of n > 1 the node of the first k and the other n - k, k the largest 2**j < n

Whoever builds a tree stores the hashes of complete subtrees only: `read(level, index)` gives that of 2**level leaves,
from number index * 2**level on (level 0: leaf hashes). They never change; every root and proof of every size follows
from them. Source: RFC 6962 section 2.1 (audit paths 2.1.1, consistency proofs 2.1.2).
Reason codes: index-range, hash-size, proof-length, proof-mismatch; tree-shrunk, consistency-length,
consistency-old-root, consistency-new-root, split-view.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence

from tagtrail.formats.encoding import HASH_SIZE
from tagtrail.model.errors import TamperError

__all__ = [
    "EMPTY_ROOT",
    "Read",
    "complete",
    "consistency",
    "inclusion",
    "leaf_hash",
    "node_hash",
    "root",
    "root_of",
    "verify_consistency",
    "verify_inclusion",
]

Read = Callable[[int, int], bytes]
"""`read(level, index)`: the hash of a complete subtree."""

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry as a leaf."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two neighbouring subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def complete(size: int, leaf: bytes, read: Read) -> dict[tuple[int, int], bytes]:
    """The complete subtrees that a tree of `size` leaves gains with one more of hash `leaf`, by (level, index)."""
    level, index, value = 0, size, leaf
    nodes = {(level, index): value}
    while index % 2:
        value = node_hash(read(level, index - 1), value)
        level, index = level + 1, index // 2
        nodes[level, index] = value
    return nodes


def root(size: int, read: Read) -> bytes:
    """The root of the first `size` leaves."""
    return _span(0, size, read) if size else EMPTY_ROOT


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over a list of leaf hashes."""
    if len(leaves) < 2:
        return leaves[0] if leaves else EMPTY_ROOT
    middle = _split(len(leaves))
    return node_hash(root_of(leaves[:middle]), root_of(leaves[middle:]))


def inclusion(index: int, size: int, read: Read) -> tuple[bytes, ...]:
    """The audit path of leaf `index` in the tree of `size`, from the leaf's sibling up. IndexError outside the tree."""
    if not 0 <= index < size:
        message = f"leaf {index} is not in a tree of {size}"
        raise IndexError(message)
    return tuple(_span(start, stop, read) for start, stop in reversed([*_siblings(index, index + 1, size)]))


def consistency(old: int, new: int, read: Read) -> tuple[bytes, ...]:
    """The proof that the tree of `old` leaves is a prefix of that of `new`. IndexError unless old <= new."""
    if not 0 <= old <= new:
        message = f"a tree of {new} does not contain one of {old}"
        raise IndexError(message)
    if old in (0, new):
        return ()
    last = (old - _low(old), old)
    spans = [*_siblings(*last, new)] + ([last] if last[0] else [])
    return tuple(_span(start, stop, read) for start, stop in reversed(spans))


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Check that `leaf` (a leaf hash) is number `index` of the `size` leaves under `root`.

    Raises TamperError index-range, hash-size, proof-length, proof-mismatch.
    """
    if not 0 <= index < size:
        raise TamperError(f"index {index} is not in a tree of {size} leaves", code="index-range")
    _check_hashes(leaf, root, *proof)
    siblings = [*_siblings(index, index + 1, size)]
    if len(proof) != len(siblings):
        what = f"the proof has {len(proof)} hashes, leaf {index} of {size} needs {len(siblings)}"
        raise TamperError(what, code="proof-length")
    value = leaf
    for (start, _), sibling in zip(reversed(siblings), proof, strict=True):
        value = node_hash(sibling, value) if start < index else node_hash(value, sibling)
    if value != root:
        what = f"the proof leads to root {value.hex()}, the checkpoint of size {size} has {root.hex()}"
        raise TamperError(what, code="proof-mismatch", why="the entry is not what was logged at that index")


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Check that the tree of `old` leaves under `old_root` is a prefix of the `new` leaves under `new_root`.

    Raises TamperError tree-shrunk, hash-size, consistency-length, split-view (two roots of one size),
    consistency-old-root, consistency-new-root.
    """
    if not 0 <= old <= new:
        raise TamperError(f"a tree of {old} leaves cannot grow to {new}", code="tree-shrunk")
    _check_hashes(old_root, new_root, *proof)
    if old == new and old_root != new_root:
        what = f"two roots of one size {old}: {old_root.hex()} and {new_root.hex()}"
        raise TamperError(what, code="split-view", why="the log showed different trees to different people")
    last = (old - _low(old), old)
    siblings = [*_siblings(*last, new)] if 0 < old < new else []
    hashes = [*proof] if last[0] and siblings else [old_root, *proof]
    if len(hashes) != len(siblings) + 1:
        wanted = len(siblings) + len(proof) - len(hashes) + 1
        what = f"the proof has {len(proof)} hashes, growth from {old} to {new} needs {wanted}"
        raise TamperError(what, code="consistency-length")
    before, after = _fold(hashes, siblings, old) if old else (EMPTY_ROOT, new_root)
    _check_root("old", old, before, old_root)
    _check_root("new", new, after, new_root)


def _fold(hashes: Sequence[bytes], siblings: Sequence[tuple[int, int]], old: int) -> tuple[bytes, bytes]:
    before = after = hashes[0]
    for (start, _), sibling in zip(reversed(siblings), hashes[1:], strict=True):
        if start < old:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
        else:
            after = node_hash(after, sibling)
    return before, after


def _check_root(age: str, size: int, computed: bytes, root: bytes) -> None:
    if computed != root:
        what = f"the proof leads to root {computed.hex()} of size {size}, the checkpoint has {root.hex()}"
        why = "the older tree is not a prefix of the newer"
        raise TamperError(what, code=f"consistency-{age}-root", why=why)


def _check_hashes(*hashes: bytes) -> None:
    for value in hashes:
        if len(value) != HASH_SIZE:
            raise TamperError(f"a hash has {len(value)} bytes instead of {HASH_SIZE}", code="hash-size")


def _split(width: int) -> int:
    """The largest power of two below `width`."""
    return 1 << (width - 1).bit_length() - 1


def _low(size: int) -> int:
    """The leaves of the last complete subtree of a tree of `size`."""
    return size & -size


def _siblings(start: int, stop: int, size: int) -> Iterator[tuple[int, int]]:
    """The spans beside the way from the root of `size` down to the node over start..stop, the root's child first."""
    low, high = 0, size
    while (low, high) != (start, stop):
        middle = low + _split(high - low)
        if stop <= middle:
            yield middle, high
            high = middle
        else:
            yield low, middle
            low = middle


def _span(start: int, stop: int, read: Read) -> bytes:
    """The hash over leaves start..stop, where `start` is a multiple of the largest power of two in the span."""
    width = stop - start
    level = width.bit_length() - 1
    if width == 1 << level:
        return read(level, start >> level)
    middle = start + (1 << level)
    return node_hash(_span(start, middle, read), _span(middle, stop, read))

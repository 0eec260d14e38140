import hashlib
from collections.abc import Sequence
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagtrail.formats import merkle
from tests.formats.laws import sparing
from tests.formats.refusal import refused

# The reference tree of Certificate Transparency's first code base: eight entries and the roots of its prefixes.
ENTRIES = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")] + [
    bytes(range(0x60, 0x70))
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = [
    (0, 1, []),
    (
        0,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]
CONSISTENCY = [
    (1, 1, []),
    (
        1,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        [
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]


class Nodes(dict[tuple[int, int], bytes]):
    """A log's storage: complete subtrees, one leaf after the other."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        super().__init__()
        for number, leaf in enumerate(leaves):
            self.update(merkle.complete(number, leaf, self.read))

    def read(self, level: int, index: int) -> bytes:
        return self[level, index]


def unhex(proof: list[str]) -> tuple[bytes, ...]:
    return tuple(map(bytes.fromhex, proof))


CT = Nodes([merkle.leaf_hash(entry) for entry in ENTRIES])
MOST = 300
LEAVES = [hashlib.sha256(b"%d" % number).digest() for number in range(MOST)]
LOG = Nodes(LEAVES)


@cache
def mth(start: int, stop: int) -> bytes:
    """RFC 6962 section 2.1, word for word, over leaf hashes."""
    n = stop - start
    if n == 0:
        return hashlib.sha256().digest()
    if n == 1:
        return LEAVES[start]
    k = 1
    while k * 2 < n:
        k *= 2
    return hashlib.sha256(b"\x01" + mth(start, start + k) + mth(start + k, stop)).digest()


def path(m: int, start: int, stop: int) -> list[bytes]:
    """RFC 6962 section 2.1.1, word for word."""
    n = stop - start
    if n == 1:
        return []
    k = 1
    while k * 2 < n:
        k *= 2
    if m < k:
        return [*path(m, start, start + k), mth(start + k, stop)]
    return [*path(m - k, start + k, stop), mth(start, start + k)]


def subproof(m: int, start: int, stop: int, *, whole: bool) -> list[bytes]:
    """RFC 6962 section 2.1.2, word for word."""
    n = stop - start
    if m == n:
        return [] if whole else [mth(start, stop)]
    k = 1
    while k * 2 < n:
        k *= 2
    if m <= k:
        return [*subproof(m, start, start + k, whole=whole), mth(start + k, stop)]
    return [*subproof(m - k, start + k, stop, whole=False), mth(start, start + k)]


@pytest.mark.parametrize("size", range(9))
def test_reference_roots(size: int) -> None:
    assert merkle.root(size, CT.read).hex() == ROOTS[size]
    assert merkle.root_of([CT.read(0, number) for number in range(size)]).hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size", "proof"), INCLUSION)
def test_reference_audit_paths(index: int, size: int, proof: list[str]) -> None:
    assert merkle.inclusion(index, size, CT.read) == unhex(proof)
    merkle.verify_inclusion(index, size, CT.read(0, index), unhex(proof), bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(("old", "new", "proof"), CONSISTENCY)
def test_reference_consistency_proofs(old: int, new: int, proof: list[str]) -> None:
    assert merkle.consistency(old, new, CT.read) == unhex(proof)
    merkle.verify_consistency(old, new, bytes.fromhex(ROOTS[old]), bytes.fromhex(ROOTS[new]), unhex(proof))


def test_complete_names_exactly_the_subtrees_that_end_with_the_leaf() -> None:
    assert set(merkle.complete(7, LEAVES[7], LOG.read)) == {(0, 7), (1, 3), (2, 1), (3, 0)}
    assert set(merkle.complete(8, LEAVES[8], LOG.read)) == {(0, 8)}
    assert {(level, i): LOG[level, i] for level, i in LOG} == {
        (level, i): mth(i << level, (i + 1) << level) for level in range(9) for i in range(MOST >> level)
    }


def test_all_proofs_of_all_sizes_are_those_of_the_rfc_and_verify() -> None:
    for size in [*range(1, 70), 127, 128, 129, 255, 256, 257, MOST]:
        root = merkle.root(size, LOG.read)
        assert root == mth(0, size)
        for index in range(size):
            proof = merkle.inclusion(index, size, LOG.read)
            assert list(proof) == path(index, 0, size)
            merkle.verify_inclusion(index, size, LEAVES[index], proof, root)
        for old in range(1, size + 1):
            steps = merkle.consistency(old, size, LOG.read)
            assert list(steps) == subproof(old, 0, size, whole=True)
            merkle.verify_consistency(old, size, merkle.root(old, LOG.read), root, steps)


def test_every_tree_grows_from_the_empty_one() -> None:
    assert merkle.consistency(0, 5, LOG.read) == ()
    merkle.verify_consistency(0, 5, merkle.EMPTY_ROOT, mth(0, 5), ())
    merkle.verify_consistency(0, 0, merkle.EMPTY_ROOT, merkle.EMPTY_ROOT, ())


SIZES = st.integers(1, MOST)


@sparing
@given(SIZES, st.data())
def test_nothing_of_an_inclusion_proof_can_change(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion(index, size, LOG.read)
    root = mth(0, size)
    other = data.draw(st.integers(0, MOST - 1).filter(lambda i: i != index))
    wrong = "index-range" if other >= size else {"proof-mismatch", "proof-length"}
    assert refused(merkle.verify_inclusion, other, size, LEAVES[index], proof, root) in wrong
    assert refused(merkle.verify_inclusion, index, size, LEAVES[other], proof, root) == "proof-mismatch"
    assert refused(merkle.verify_inclusion, index, size, LEAVES[index], proof, LEAVES[0][::-1]) == "proof-mismatch"
    assert refused(merkle.verify_inclusion, index, size, LEAVES[index], (*proof, root), root) == "proof-length"
    if proof:
        assert refused(merkle.verify_inclusion, index, size, LEAVES[index], proof[:-1], root) == "proof-length"
        place = data.draw(st.integers(0, len(proof) - 1))
        changed = (*proof[:place], flip(proof[place], data), *proof[place + 1 :])
        assert refused(merkle.verify_inclusion, index, size, LEAVES[index], changed, root) == "proof-mismatch"


@given(SIZES, SIZES)
def test_a_proof_belongs_to_one_size(size: int, other: int) -> None:
    # Under another size's root the same path leads elsewhere, or has another length.
    if size != other:
        index = min(size, other) - 1
        proof = merkle.inclusion(index, size, LOG.read)
        code = refused(merkle.verify_inclusion, index, other, LEAVES[index], proof, mth(0, other))
        assert code in {"proof-length", "proof-mismatch"}


@sparing
@given(SIZES, st.data())
def test_nothing_of_a_consistency_proof_can_change(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new))
    proof = merkle.consistency(old, new, LOG.read)
    before, after = mth(0, old), mth(0, new)
    strange = flip(before, data)
    verify = merkle.verify_consistency
    if old == new:
        assert refused(verify, old, new, strange, after, proof) == "split-view"
    else:
        assert refused(verify, old, new, strange, after, proof) in {"consistency-old-root", "consistency-new-root"}
        assert refused(verify, old, new, before, strange, proof) == "consistency-new-root"
        assert refused(verify, new, old, after, before, proof) == "tree-shrunk"
        assert refused(verify, old, new, before, after, proof[:-1]) == "consistency-length"
        place = data.draw(st.integers(0, len(proof) - 1))
        changed = (*proof[:place], flip(proof[place], data), *proof[place + 1 :])
        assert refused(verify, old, new, before, after, changed) in {"consistency-old-root", "consistency-new-root"}
    assert refused(verify, old, new, before, after, (*proof, before)) == "consistency-length"


def flip(value: bytes, data: st.DataObject) -> bytes:
    place = data.draw(st.integers(0, len(value) - 1))
    return value[:place] + bytes([value[place] ^ data.draw(st.integers(1, 255))]) + value[place + 1 :]


def test_a_fork_is_told_apart_from_growth() -> None:
    fork = Nodes([*LEAVES[:5], *LEAVES[6:9]])
    proof = merkle.consistency(6, 8, LOG.read)
    assert (
        refused(merkle.verify_consistency, 6, 8, merkle.root(6, fork.read), mth(0, 8), proof) == "consistency-old-root"
    )
    forked = merkle.consistency(6, 8, fork.read)
    assert (
        refused(merkle.verify_consistency, 6, 8, mth(0, 6), merkle.root(8, fork.read), forked) == "consistency-old-root"
    )


def test_an_entry_that_looks_like_an_inner_node_is_no_node() -> None:
    left, right = LEAVES[:2]
    node = b"\x01" + left + right
    assert hashlib.sha256(node).digest() == merkle.node_hash(left, right)
    assert merkle.leaf_hash(node) != merkle.node_hash(left, right)
    assert merkle.leaf_hash(node[1:]) != merkle.node_hash(left, right)
    root = merkle.node_hash(merkle.node_hash(left, right), LEAVES[2])
    code = refused(merkle.verify_inclusion, 0, 2, merkle.leaf_hash(node), (LEAVES[2],), root)
    assert code == "proof-mismatch"


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 1), (5, 4)])
def test_an_index_outside_the_tree(index: int, size: int) -> None:
    assert refused(merkle.verify_inclusion, index, size, LEAVES[0], (), LEAVES[0]) == "index-range"
    with pytest.raises(IndexError):
        merkle.inclusion(index, size, LOG.read)


@pytest.mark.parametrize("value", [b"", bytes(31), bytes(33)])
def test_hashes_of_another_size(value: bytes) -> None:
    proof = merkle.inclusion(0, 2, LOG.read)
    root = mth(0, 2)
    assert refused(merkle.verify_inclusion, 0, 2, value, proof, root) == "hash-size"
    assert refused(merkle.verify_inclusion, 0, 2, LEAVES[0], (value,), root) == "hash-size"
    assert refused(merkle.verify_inclusion, 0, 2, LEAVES[0], proof, value) == "hash-size"
    assert refused(merkle.verify_consistency, 1, 2, value, root, (LEAVES[1],)) == "hash-size"
    assert refused(merkle.verify_consistency, 1, 2, LEAVES[0], root, (value,)) == "hash-size"


def test_the_empty_tree_has_one_root_and_no_proof() -> None:
    assert refused(merkle.verify_consistency, 0, 5, LEAVES[0], mth(0, 5), ()) == "consistency-old-root"
    assert refused(merkle.verify_consistency, 0, 5, merkle.EMPTY_ROOT, mth(0, 5), (LEAVES[0],)) == "consistency-length"
    assert refused(merkle.verify_consistency, -1, 5, LEAVES[0], mth(0, 5), ()) == "tree-shrunk"
    with pytest.raises(IndexError):
        merkle.consistency(6, 5, LOG.read)


@pytest.mark.parametrize("size", [2**40 + 12345, 2**63 - 1])
def test_sizes_of_any_magnitude_are_judged_at_once(size: int) -> None:
    code = refused(merkle.verify_inclusion, size // 3, size, LEAVES[0], [LEAVES[1]] * 9, LEAVES[0])
    assert code == "proof-length"
    assert len(merkle.inclusion(size - 1, size, lambda _level, _index: LEAVES[0])) <= 63

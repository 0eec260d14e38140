import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagtrail.formats import merkle, note, proof
from tagtrail.formats.proof import Proof
from tagtrail.model.errors import TamperError
from tests.formats.laws import sparing
from tests.formats.refusal import refused

LOG = note.Signer(name="example.com/log", seed=b"\x01" * 32)
ENTRIES = [b"entry %d" % number for number in range(11)]
LEAVES = [merkle.leaf_hash(entry) for entry in ENTRIES]
HEAD = note.Checkpoint(origin=LOG.name, size=len(LEAVES), root=merkle.root_of(LEAVES))
CHECKPOINT = note.sign(HEAD.text(), [LOG]).encode()
HASH = base64.b64encode(bytes(range(32))).decode()


def span(level: int, index: int) -> bytes:
    return merkle.root_of(LEAVES[index << level : (index + 1) << level])


PROOF = Proof(index=3, hashes=merkle.inclusion(3, 11, span), checkpoint=CHECKPOINT, extra=ENTRIES[3])

NOTES = st.builds(
    lambda text, value: note.Note(
        text=text + "\n", signatures=(note.Signature(name="a.example", key_id=b"1234", value=value),)
    ).encode(),
    st.text(st.characters(exclude_categories=["Cs", "Cc"])),
    st.binary(min_size=1, max_size=64),
)
PROOFS = st.builds(
    Proof,
    index=st.integers(0, 2**63 - 1),
    hashes=st.lists(st.binary(min_size=32, max_size=32), max_size=proof.MAX_HASHES).map(tuple),
    checkpoint=NOTES,
    extra=st.none() | st.binary(min_size=1, max_size=100),
)


@sparing
@given(PROOFS)
def test_proofs_come_back(value: Proof) -> None:
    assert proof.parse(value.encode()) == value


def test_the_file_proves_an_entry_offline() -> None:
    read = proof.parse(PROOF.encode())
    opened = note.open_note(read.checkpoint, [LOG.verifier])
    head = note.parse_checkpoint(opened.note.text)
    assert read.extra == ENTRIES[3]
    merkle.verify_inclusion(read.index, head.size, merkle.leaf_hash(read.extra), read.hashes, head.root)


def test_the_form_of_the_specification() -> None:
    # c2sp.org/tlog-proof: the example's lines, with a checkpoint that it elides
    lines = [
        "c2sp.org/tlog-proof@v1",
        "extra " + base64.b64encode(b"age-v1.2.1-darwin-arm64.tar.gz").decode(),
        "index 73894",
        "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=",
        "B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=",
        "",
        "",
    ]
    data = "\n".join(lines).encode() + CHECKPOINT
    read = proof.parse(data)
    assert (read.index, len(read.hashes), read.extra) == (73894, 2, b"age-v1.2.1-darwin-arm64.tar.gz")
    assert read.checkpoint == CHECKPOINT
    assert read.encode() == data


def test_the_first_entry_alone() -> None:
    value = Proof(index=0, hashes=(), checkpoint=CHECKPOINT)
    assert value.encode() == b"c2sp.org/tlog-proof@v1\nindex 0\n\n" + CHECKPOINT
    assert proof.parse(value.encode()) == value


GOOD = PROOF.encode().decode()
HEADER, _, REST = GOOD.partition("\n\n")
EXTRA = HEADER.split("\n")[1]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("", "proof-version"),
        ("not a proof at all", "proof-version"),
        (GOOD.replace("@v1", "@v2", 1), "proof-version"),
        (" " + GOOD, "proof-version"),
        ("\n" + GOOD, "proof-version"),
        (GOOD.replace("@v1\n", "@v1 \n", 1), "proof-version"),
        (GOOD.replace("\n", "\r\n"), "proof-crlf"),
        (GOOD.replace("index 3\n", "index 3\r\n"), "proof-crlf"),
        (GOOD.replace("index 3", "index ٣"), "proof-ascii"),
        (GOOD.replace("index 3", "index\u00a03"), "proof-ascii"),
        (HEADER, "proof-separator"),
        (HEADER + "\n", "proof-separator"),
        (GOOD.replace(EXTRA, "extra "), "proof-extra"),
        (GOOD.replace(EXTRA, "extra AB=="), "proof-extra"),
        (GOOD.replace(EXTRA, "extra  QUFB"), "proof-extra"),
        (GOOD.replace(EXTRA, EXTRA + " "), "proof-extra"),
        (GOOD.replace(EXTRA, f"{EXTRA}\n{EXTRA}"), "proof-index"),
        (GOOD.replace(EXTRA, "Extra QUFB"), "proof-index"),
        (GOOD.replace(EXTRA, "extra"), "proof-index"),
        (GOOD.replace("\nindex 3", ""), "proof-index"),
        ("c2sp.org/tlog-proof@v1\n\n" + REST, "proof-index"),
        (GOOD.replace("index 3", "index 03"), "proof-index"),
        (GOOD.replace("index 3", "index +3"), "proof-index"),
        (GOOD.replace("index 3", "index -3"), "proof-index"),
        (GOOD.replace("index 3", "index  3"), "proof-index"),
        (GOOD.replace("index 3", "index 3 "), "proof-index"),
        (GOOD.replace("index 3", "index 3_0"), "proof-index"),
        (GOOD.replace("index 3", "index "), "proof-index"),
        (GOOD.replace("index 3", f"index {2**63}"), "proof-index"),
        (GOOD.replace("index 3", "Index 3"), "proof-index"),
        (GOOD.replace("index 3", "3"), "proof-index"),
        (f"{HEADER}\n{EXTRA}\n\n{REST}", "proof-hash"),
        (f"{HEADER}\n{HASH[:-1]}\n\n{REST}", "proof-hash"),
        (f"{HEADER}\n{HASH} \n\n{REST}", "proof-hash"),
        (f"{HEADER}\n{HASH[:-2]}9=\n\n{REST}", "proof-hash"),
        (f"{HEADER}\n{base64.b64encode(bytes(31)).decode()}\n\n{REST}", "proof-hash-size"),
        (f"{HEADER}\n{base64.b64encode(bytes(64)).decode()}\n\n{REST}", "proof-hash-size"),
        (HEADER + f"\n{HASH}" * 64 + "\n\n" + REST, "proof-hash-count"),
        (HEADER + "\n\n", "note-unsigned"),
        (GOOD[:-1], "note-no-newline"),
        (f"{HEADER}\n\n" + REST.replace("\n", "\r\n"), "note-crlf"),
        (GOOD + "x\n", "note-signature-line"),
        (GOOD + " " * proof.MAX_SIZE, "proof-too-large"),
    ],
)
def test_malformed_proofs(data: str, code: str) -> None:
    assert refused(proof.parse, data.encode()) == code


def test_sixty_three_hashes_and_the_longest_entry_are_read() -> None:
    value = Proof(index=1, hashes=(bytes(32),) * 63, checkpoint=CHECKPOINT, extra=bytes(65_535))
    assert proof.parse(value.encode()) == value


def test_the_largest_file_is_read() -> None:
    def file(length: int) -> bytes:
        checkpoint = note.sign("x" * length + "\n", [LOG]).encode()
        return Proof(index=1, hashes=(), checkpoint=checkpoint, extra=bytes(200_000)).encode()

    data = file(900_000 + proof.MAX_SIZE - len(file(900_000)))
    assert len(data) == proof.MAX_SIZE
    assert proof.parse(data).encode() == data


def test_every_mutation_is_refused_or_is_what_it_says() -> None:
    good = PROOF.encode()
    for place in range(len(good)):
        head, byte, tail = good[:place], good[place], good[place + 1 :]
        changed = [head + tail, head + bytes([byte, byte]) + tail]
        changed += [head + bytes([byte ^ 1 << bit]) + tail for bit in range(8)]
        for data in changed:
            try:
                read = proof.parse(data)
            except TamperError:
                continue
            assert read.encode() == data


@given(st.data())
def test_no_mutation_proves_anything_else(data: st.DataObject) -> None:
    changed = bytearray(PROOF.encode())
    place = data.draw(st.integers(0, len(changed) - 1))
    changed[place] ^= data.draw(st.integers(1, 255))
    try:
        read = proof.parse(bytes(changed))
        head = note.parse_checkpoint(note.open_note(read.checkpoint, [LOG.verifier]).note.text)
        merkle.verify_inclusion(read.index, head.size, merkle.leaf_hash(read.extra or b""), read.hashes, head.root)
    except TamperError:
        return
    raise AssertionError(bytes(changed))


def test_vectors_stand_in_a_proof() -> None:
    checkpoint = (Path(__file__).parent / "vectors" / "arche2025h1.checkpoint").read_bytes()
    value = Proof(index=7, hashes=(), checkpoint=checkpoint)
    assert proof.parse(value.encode()).checkpoint == checkpoint

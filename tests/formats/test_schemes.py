"""Every signature type of the table keeps the same laws; the newest one agrees with another implementation."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tagtrail.formats import dsse, note, policy, schemes
from tagtrail.formats.encoding import base64_encode
from tagtrail.formats.note import Note, Signer, Verifier
from tagtrail.formats.policy import Group, Log, Policy, Witness
from tagtrail.formats.schemes import COSIGNATURE, ED25519, SCHEMES, SUBTREE
from tests.formats.refusal import refused

VECTOR = (Path(__file__).parent / "vectors" / "torchwood-mldsa.txt").read_bytes()
HEAD = note.Checkpoint(origin="example.com/log", size=42, root=bytes(range(32)))
TIME = 1_700_000_000
KINDS = pytest.mark.parametrize("kind", SCHEMES)


def signer(kind: int, name: str = "witness.example/w", seed: int = 7) -> Signer:
    return Signer(name=name, kind=kind, seed=bytes([seed]) * SCHEMES[kind].seed_size)


def signed(kind: int, head: note.Checkpoint = HEAD, time: int = TIME) -> bytes:
    return note.sign(head.text(), [signer(kind)], time=time).encode()


@KINDS
def test_keys_of_every_type_come_back(kind: int) -> None:
    one = signer(kind)
    assert note.parse_skey(one.skey()) == one
    assert note.parse_vkey(one.verifier.vkey()) == one.verifier
    assert note.parse_skey(one.skey()).verifier.vkey() == one.verifier.vkey()


@KINDS
def test_every_type_signs_and_opens(kind: int) -> None:
    known = signer(kind).verifier
    (found,) = note.open_note(signed(kind), [known]).verified
    assert found == note.Verified(verifier=known, time=TIME if SCHEMES[kind].timed else None)


@KINDS
@pytest.mark.parametrize("change", [{"origin": "example.com/lob"}, {"size": 43}, {"root": bytes(32)}])
def test_every_type_covers_what_a_checkpoint_says(kind: int, change: dict[str, Any]) -> None:
    lines = note.parse(signed(kind)).signatures
    forged = Note(text=replace(HEAD, **change).text(), signatures=lines).encode()
    assert refused(note.open_note, forged, [signer(kind).verifier]) == "note-bad-signature"


@KINDS
def test_every_type_is_bound_to_its_time_and_its_key(kind: int) -> None:
    (line,) = note.parse(signed(kind)).signatures
    other = signer(kind, seed=8).verifier
    for verifier, value in (
        (signer(kind).verifier, (TIME + 1).to_bytes(8, "big") + line.value[8:]),
        (signer(kind).verifier, line.value[:-1]),
        (signer(kind).verifier, line.value + b"\0"),
        (other, line.value),
    ):
        forged = note.Signature(name=verifier.name, key_id=verifier.key_id, value=value)
        data = Note(text=HEAD.text(), signatures=(forged,)).encode()
        assert refused(note.open_note, data, [verifier]) == "note-bad-signature"


@KINDS
def test_a_secret_of_another_length_is_refused(kind: int) -> None:
    short = replace(signer(kind), seed=bytes(5))
    text = f"PRIVATE+KEY+{short.name}+00000000+{base64_encode(bytes([kind]) + short.seed)}"
    assert refused(note.parse_skey, text) == "skey-size"


@KINDS
def test_a_key_of_another_length_is_refused(kind: int) -> None:
    assert refused(Verifier, name="w", kind=kind, key=signer(kind).verifier.key[:-1]) == "key-size"


@KINDS
def test_a_log_signs_and_a_witness_cosigns(kind: int) -> None:
    verifier = signer(kind).verifier
    as_log, as_witness = Log(verifier=verifier), Witness(name="w", verifier=verifier)
    if SCHEMES[kind].timed:
        assert Policy(witnesses=(as_witness,)).encode()
        assert refused(Policy, logs=(as_log,)) == "policy-log-type"
    else:
        assert Policy(logs=(as_log,)).encode()
        assert refused(Policy, witnesses=(as_witness,)) == "policy-witness-type"


@KINDS
def test_envelopes_are_signed_by_types_without_a_time(kind: int) -> None:
    one = signer(kind)
    if SCHEMES[kind].timed:
        with pytest.raises(ValueError, match="signs no envelopes"):
            dsse.sign("t", b"payload", [one])
        plain = dsse.sign("t", b"payload", [replace(one, kind=ED25519)])
        assert refused(dsse.verify, plain, [one.verifier]) == "dsse-threshold"
    else:
        assert dsse.verify(dsse.sign("t", b"payload", [one]), [one.verifier]) == (one.verifier,)


# --- ML-DSA-44 ------------------------------------------------------------------------------------------------------


def test_a_checkpoint_signed_by_another_implementation_opens() -> None:
    vkey, _, data = VECTOR.partition(b"\n\n")
    verifier = note.parse_vkey(vkey.decode())
    assert (verifier.kind, verifier.vkey()) == (SUBTREE, vkey.decode())
    (found,) = note.open_note(data, [verifier]).verified
    assert found == note.Verified(verifier=verifier, time=None)
    assert note.parse(data).encode() == data
    assert refused(note.open_note, data.replace(b"\n1\n", b"\n2\n"), [verifier]) == "note-bad-signature"


def test_the_message_is_the_specifications_structure() -> None:
    message = SCHEMES[SUBTREE].message("w", HEAD.text(), TIME)
    assert message == (
        b"subtree/v1\n\x00" + b"\x01w" + TIME.to_bytes(8, "big") + b"\x0fexample.com/log" + bytes(8)
        + (42).to_bytes(8, "big") + HEAD.root
    )  # fmt: skip


def test_it_covers_its_own_name_but_no_extension_lines() -> None:
    (line,) = note.parse(signed(SUBTREE)).signatures
    renamed = replace(signer(SUBTREE).verifier, name="other.example")
    forged = note.Signature(name=renamed.name, key_id=renamed.key_id, value=line.value)
    assert refused(note.open_note, Note(text=HEAD.text(), signatures=(forged,)).encode(), [renamed]) == (
        "note-bad-signature"
    )
    longer = Note(text=HEAD.text() + "extension\n", signatures=(line,)).encode()
    assert note.open_note(longer, [signer(SUBTREE).verifier]).verified


def test_it_signs_checkpoints_only() -> None:
    with pytest.raises(Exception, match="not a checkpoint"):
        note.sign("text\n", [signer(SUBTREE)], time=TIME)
    (line,) = note.parse(signed(SUBTREE)).signatures
    data = Note(text="text\n", signatures=(line,)).encode()
    assert refused(note.open_note, data, [signer(SUBTREE).verifier]) == "checkpoint-lines"


@pytest.mark.parametrize("name", ["n" * 256, "é" * 128])
def test_its_names_have_255_bytes_at_most(name: str) -> None:
    assert refused(note.sign, HEAD.text(), [signer(SUBTREE, name)], time=TIME) == "cosignature-name"
    assert note.sign(HEAD.text(), [signer(SUBTREE, name[:-1])], time=TIME).signatures
    far = replace(HEAD, origin=name).text()
    assert refused(note.sign, far, [signer(SUBTREE)], time=TIME) == "cosignature-name"


# --- in a policy ----------------------------------------------------------------------------------------------------

LOG = Signer(name=HEAD.origin, seed=bytes([1]) * 32)
OLD, NEW = signer(COSIGNATURE, "old.example"), signer(SUBTREE, "new.example")
BOTH = Policy(
    logs=(Log(verifier=LOG.verifier),),
    witnesses=(Witness(name="old", verifier=OLD.verifier), Witness(name="new", verifier=NEW.verifier)),
    groups=(Group(name="both", threshold=2, members=("old", "new")),),
    quorum="both",
)


def test_both_types_of_witness_meet_one_quorum() -> None:
    read = policy.parse(BOTH.encode())
    assert read == BOTH
    first = note.sign(HEAD.text(), [LOG, OLD], time=TIME)
    both = note.sign(HEAD.text(), [NEW], time=TIME + 5, others=first.signatures).encode()
    checked = policy.check(read, both)
    assert (checked.cosigned, checked.witnessed_time, checked.fresh_time) == (2, TIME + 5, TIME)
    assert refused(policy.check, read, first.encode()) == "quorum-unmet"


@pytest.mark.parametrize("witness", [OLD, NEW])
def test_a_cosignature_without_a_time_is_not_counted(witness: Signer) -> None:
    counted = replace(BOTH, groups=(), quorum="old" if witness is OLD else "new")
    timeless = note.sign(HEAD.text(), [LOG, witness], time=0).encode()
    assert refused(policy.check, counted, timeless) == "quorum-unmet"
    assert policy.check(counted, note.sign(HEAD.text(), [LOG, witness], time=1).encode()).witnessed_time == 1


def test_the_table_is_closed() -> None:
    with pytest.raises(TypeError):
        schemes.SCHEMES[9] = SCHEMES[ED25519]  # type: ignore[index]
    assert refused(Verifier, name="w", kind=9, key=bytes(32)) == "vkey-type"

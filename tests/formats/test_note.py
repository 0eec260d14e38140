import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagtrail.formats import note
from tagtrail.formats.encoding import key_name
from tagtrail.formats.note import COSIGNATURE, ED25519, Checkpoint, Note, Signature, Signer, Verifier
from tagtrail.model.errors import TamperError
from tests.formats.laws import sparing
from tests.formats.refusal import refused

VECTORS = Path(__file__).parent / "vectors"
LOG = Signer(name="example.com/log", seed=b"\x01" * 32)
WITNESS = Signer(name="witness.example/w1", kind=COSIGNATURE, seed=b"\x02" * 32)
OTHER = Signer(name="other.example", seed=b"\x03" * 32)
HEAD = Checkpoint(origin="example.com/log", size=42, root=bytes(range(32)))
TEXT = HEAD.text()
SIGNED = note.sign(TEXT, [LOG, WITNESS], time=1_700_000_000).encode()
KEYS = [LOG.verifier, WITNESS.verifier]

VKEYS = {
    "foo.note": "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    "peter.note": "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    "sumdb.note": "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
    "arche2025h1.checkpoint": "arche2025h1.staging.ct.transparency.dev+ba2f06c0"
    "+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f",
}
REMORA = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"


# Vectors


@pytest.mark.parametrize(("file", "vkey"), VKEYS.items())
def test_notes_of_others_open(file: str, vkey: str) -> None:
    data = (VECTORS / file).read_bytes()
    verifier = note.parse_vkey(vkey)
    assert verifier.vkey() == vkey
    assert [verified.verifier for verified in note.open_note(data, [verifier]).verified] == [verifier]
    assert note.parse(data).encode() == data
    assert refused(note.open_note, data.replace(b"e", b"f", 1), [verifier]) == "note-bad-signature"


def test_a_witnessed_checkpoint_of_a_public_log() -> None:
    data = (VECTORS / "arche2025h1.checkpoint").read_bytes()
    log, witness = note.parse_vkey(VKEYS["arche2025h1.checkpoint"]), note.parse_vkey(REMORA)
    opened = note.open_note(data, [witness, log])
    assert [(v.verifier, v.time) for v in opened.verified] == [(log, None), (witness, 1779573024)]
    assert len(opened.note.signatures) == 6
    head = note.parse_checkpoint(opened.note.text)
    assert (head.origin, head.size, head.extensions) == ("arche2025h1.staging.ct.transparency.dev", 1432088532, ())
    (line,) = (signature for signature in opened.note.signatures if signature.name == witness.name)
    later = replaced(line, value=(1779573025).to_bytes(8, "big") + line.value[8:])
    forged = Note(text=opened.note.text, signatures=(later,)).encode()
    assert refused(note.open_note, forged, [witness]) == "note-bad-signature"


def test_the_secret_key_of_go_signs_the_same_bytes() -> None:
    skey = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
    signer = note.parse_skey(skey)
    assert signer.skey() == skey
    assert signer.verifier.vkey() == VKEYS["peter.note"]
    data = (VECTORS / "peter.note").read_bytes()
    assert note.sign(note.parse(data).text, [signer]).encode() == data


def test_an_origin_with_spaces_is_not_ours() -> None:
    assert refused(note.parse_checkpoint, note.parse((VECTORS / "sumdb.note").read_bytes()).text) == "checkpoint-origin"


# Keys

NAMES = st.text("aB0./-_é—\u200b😀", min_size=1, max_size=12)
SEEDS = st.binary(min_size=32, max_size=32)
SIGNERS = st.builds(Signer, name=NAMES, kind=st.sampled_from([ED25519, COSIGNATURE]), seed=SEEDS)


@sparing
@given(SIGNERS)
def test_keys_come_back(signer: Signer) -> None:
    assert note.parse_skey(signer.skey()) == signer
    assert note.parse_vkey(signer.verifier.vkey()) == signer.verifier


def test_one_key_has_an_id_per_type_and_name() -> None:
    key = LOG.verifier.key
    ids = {
        Verifier(name="a", key=key).key_id,
        Verifier(name="b", key=key).key_id,
        Verifier(name="a", kind=COSIGNATURE, key=key).key_id,
    }
    assert len(ids) == 3


def test_secrets_do_not_show() -> None:
    assert "seed" not in repr(LOG)
    bad = LOG.skey().replace("log", "lob")
    with pytest.raises(TamperError) as caught:
        note.parse_skey(bad)
    assert base64.b64encode(bytes([1]) + LOG.seed).decode() not in str(vars(caught.value))
    with pytest.raises(TamperError) as caught:
        note.parse_skey(LOG.skey() + "\n")
    assert caught.value.code == "skey-base64"
    assert "AQEBAQ" not in str(vars(caught.value))


def vkey(name: str, material: bytes) -> str:
    return f"{name}+{note.key_id(name, material[0], material[1:]).hex()}+{base64.b64encode(material).decode()}"


KEY = LOG.verifier.key
SMALL = (1).to_bytes(32, "little")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "vkey-syntax"),
        ("example.com/log", "vkey-syntax"),
        ("example.com/log+00000000", "vkey-syntax"),
        ("example.com/log+0000+AQ==", "vkey-syntax"),
        ("example.com/log+00000000+", "vkey-syntax"),
        (LOG.verifier.vkey().replace(LOG.verifier.key_id.hex(), LOG.verifier.key_id.hex().upper()), "vkey-syntax"),
        ("+00000000+AQ==", "vkey-name"),
        (vkey("a b", b"\x01" + KEY), "vkey-name"),
        (vkey("a\u2003b", b"\x01" + KEY), "vkey-name"),
        (vkey("a\nb", b"\x01" + KEY), "vkey-name"),
        (LOG.verifier.vkey() + "\n", "vkey-base64"),
        (LOG.verifier.vkey() + "=", "vkey-base64"),
        (vkey("a", b"\x02" + KEY), "vkey-type"),
        (vkey("a", b"\x05" + KEY), "vkey-type"),
        (vkey("a", b"\xff" + KEY), "vkey-type"),
        (vkey("a", b"\x01" + KEY + b"\x00"), "key-size"),
        (vkey("a", b"\x01" + KEY[:-1]), "key-size"),
        (vkey("a", b"\x01" + SMALL), "key-small-order"),
        (vkey("a", b"\x04" + SMALL), "key-small-order"),
        (vkey("a", b"\x01" + b"\xff" * 32), "key-not-canonical"),
        (vkey("a", b"\x01" + b"\x02" + bytes(31)), "key-off-curve"),
        (LOG.verifier.vkey().replace("com/log", "com/lob"), "vkey-key-id"),
        # golang.org/x/mod/sumdb/note, its tables of bad keys
        ("PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==", "vkey-base64"),
        ("PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "vkey-type"),
    ],
)
def test_bad_verifier_keys(text: str, code: str) -> None:
    assert refused(note.parse_vkey, text) == code


@pytest.mark.parametrize(
    "name", ["", "a b", "a+b", "a\x00b", "a\x1bb", "a\x1f", "a\xa0b", "a\u2028b", "\ud800", "a\udfff"]
)
def test_what_cannot_name_a_key(name: str) -> None:
    assert refused(key_name, name, "code") == "code"
    assert refused(Verifier, name=name, key=KEY) == "vkey-name"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "skey-syntax"),
        (LOG.verifier.vkey(), "skey-syntax"),
        ("PRIVATE+KEY+a", "skey-syntax"),
        ("PRIVATE+KEY+a b+00000000+AQ==", "skey-name"),
        ("PRIVATE+KEY+a+00000000+AB==", "skey-base64"),
        ("PRIVATE+KEY+a+00000000+" + base64.b64encode(b"\x02" + KEY).decode(), "skey-type"),
        ("PRIVATE+KEY+a+00000000+" + base64.b64encode(b"\x01" + KEY[1:]).decode(), "skey-size"),
        ("PRIVATE+KEY+a+00000000+" + base64.b64encode(b"\x01" + KEY).decode(), "skey-key-id"),
    ],
)
def test_bad_secret_keys(text: str, code: str) -> None:
    assert refused(note.parse_skey, text) == code


# Notes

TEXTS = st.lists(st.text("ab é—+\x7f\u2028", max_size=8), min_size=1, max_size=4).map(
    lambda lines: "".join(f"{line}\n" for line in lines)
)
SIGNATURES = st.builds(
    Signature, name=NAMES, key_id=st.binary(min_size=4, max_size=4), value=st.binary(min_size=1, max_size=80)
)
NOTES = st.builds(Note, text=TEXTS, signatures=st.lists(SIGNATURES, min_size=1, max_size=3).map(tuple))


@sparing
@given(NOTES)
def test_notes_come_back(value: Note) -> None:
    assert note.parse(value.encode()) == value


@sparing
@given(
    TEXTS,
    st.lists(SIGNERS, min_size=1, max_size=3, unique_by=lambda s: (s.name, s.kind, s.seed)),
    st.integers(0, 2**63 - 1),
)
def test_what_is_signed_opens(text: str, signers: list[Signer], time: int) -> None:
    signed = note.sign(text, signers, time=time)
    opened = note.open_note(signed.encode(), [signer.verifier for signer in signers])
    assert opened.note == signed
    assert [v.verifier for v in opened.verified] == [signer.verifier for signer in signers]
    assert {v.time for v in opened.verified} <= {None, time or None}


def test_signatures_are_added_to_what_stands() -> None:
    first = note.sign(TEXT, [LOG])
    both = note.sign(TEXT, [WITNESS], time=1_700_000_000, others=first.signatures)
    assert both.encode() == SIGNED


def test_a_line_of_an_unknown_key_is_ignored() -> None:
    opened = note.open_note(SIGNED, [WITNESS.verifier])
    assert [v.verifier for v in opened.verified] == [WITNESS.verifier]
    assert len(opened.note.signatures) == 2
    stranger = note.sign("other text\n", [OTHER, OTHER]).signatures
    crowd = note.sign(TEXT, [LOG], others=stranger)
    assert [v.verifier for v in note.open_note(crowd.encode(), KEYS).verified] == [LOG.verifier]


def test_the_separator_is_the_last_empty_line() -> None:
    text = "one\n\n— example.com/log AAAAAAA=\n\ntwo\n\n"
    signed = note.sign(text, [LOG]).encode()
    assert note.open_note(signed, KEYS).note.text == text


PETER = (VECTORS / "peter.note").read_bytes()
LINE = b"\xe2\x80\x94 example.com/log AAAAAAA=\n"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "note-unsigned"),
        (b"text\n", "note-unsigned"),
        (b"text\n\n", "note-unsigned"),
        (b"text\n" + LINE, "note-unsigned"),
        (b"text\n\n" + LINE[:-1], "note-no-newline"),
        (b"text\n\n" + LINE + b"\n", "note-unsigned"),
        (b"text\n\n" + LINE.replace(b"\n", b"\r\n"), "note-crlf"),
        (b"text\r\n\r\n" + LINE, "note-crlf"),
        (b"te\rxt\n\n" + LINE, "note-crlf"),
        (b"te\x00xt\n\n" + LINE, "note-control"),
        (b"te\txt\n\n" + LINE, "note-control"),
        (b"te\x1bxt\n\n" + LINE, "note-control"),
        (b"te\xffxt\n\n" + LINE, "note-utf8"),
        (b"te\xed\xa0\x80xt\n\n" + LINE, "note-utf8"),
        (b"text\n\n" + LINE + b"Unexpected line.\n", "note-signature-line"),
        (b"text\n\n" + LINE.replace(b"\xe2\x80\x94", b"-"), "note-signature-line"),
        (b"text\n\n" + LINE.replace(b"\xe2\x80\x94", b"\xe2\x80\x93"), "note-signature-line"),
        (b"text\n\n" + LINE.replace(b"/log ", b"/log  "), "note-signature-line"),
        (b"text\n\n" + LINE.replace(b"/log ", b"/ log "), "note-signature-line"),
        (b"text\n\n" + LINE.replace(b"=\n", b"= \n"), "note-signature-line"),
        (b"text\n\n " + LINE, "note-signature-line"),
        (b"text\n\n" + LINE.replace(b"example.com/log", b""), "note-key-name"),
        (b"text\n\n" + LINE.replace(b"/log", b"/l+g"), "note-key-name"),
        (b"text\n\n" + LINE.replace(b"/log", b"/l\xe2\x80\xa8g"), "note-key-name"),
        (b"text\n\n" + LINE.replace(b"/log", b"/l\xc2\xa0g"), "note-key-name"),
        (b"text\n\n" + LINE.replace(b"AAAAAAA=", b"AAAAAAA"), "note-base64"),
        (b"text\n\n" + LINE.replace(b"AAAAAAA=", b"AAAAAAB="), "note-base64"),
        (b"text\n\n" + LINE.replace(b"AAAAAAA=", b"AAAAA_A="), "note-base64"),
        (b"text\n\n" + LINE.replace(b"AAAAAAA=", b"AAAAAA=="), "note-signature-size"),
        (b"text\n\n" + LINE * 101, "note-signature-count"),
        (b"t" * note.MAX_SIZE + b"\n\n" + LINE, "note-size"),
        # golang.org/x/mod/sumdb/note, its table of bad messages
        (PETER.partition(b"\n\n")[0] + b"\n", "note-unsigned"),
        (PETER.partition(b"\n\n")[0] + b"\n\n", "note-unsigned"),
        (PETER[:-1], "note-no-newline"),
        (b"\x01" + PETER, "note-control"),
        (b"\xff" + PETER, "note-utf8"),
        (PETER.replace(b"PeterNeumann", b"Bad Name"), "note-signature-line"),
        (PETER + b"Unexpected line.\n", "note-signature-line"),
    ],
)
def test_malformed_notes(data: bytes, code: str) -> None:
    assert refused(note.parse, data) == code
    assert refused(note.open_note, data, KEYS) == code


def test_the_longest_note_is_read() -> None:
    data = b"t" * (note.MAX_SIZE - len(LINE) - 2) + b"\n\n" + LINE
    assert len(data) == note.MAX_SIZE
    assert note.parse(data).encode() == data


def test_a_hundred_lines_are_read() -> None:
    assert len(note.parse(b"text\n\n" + LINE * note.MAX_SIGNATURES).signatures) == 100


def replaced(signature: Signature, *, name: str = "", key_id: bytes = b"", value: bytes = b"") -> Signature:
    return Signature(name=name or signature.name, key_id=key_id or signature.key_id, value=value or signature.value)


(LOG_LINE, WITNESS_LINE) = note.parse(SIGNED).signatures
STAMP, COSIGNED = WITNESS_LINE.value[:8], WITNESS_LINE.value[8:]


@pytest.mark.parametrize(
    ("signatures", "code"),
    [
        ((LOG_LINE, LOG_LINE), "note-duplicate-signature"),
        ((WITNESS_LINE, LOG_LINE, WITNESS_LINE), "note-duplicate-signature"),
        ((LOG_LINE, replaced(LOG_LINE, value=bytes(64))), "note-duplicate-signature"),
        ((replaced(LOG_LINE, value=bytes(64)),), "note-bad-signature"),
        ((WITNESS_LINE, replaced(LOG_LINE, value=bytes(64))), "note-bad-signature"),
        ((replaced(LOG_LINE, value=LOG_LINE.value[:-1]),), "note-bad-signature"),
        ((replaced(LOG_LINE, value=LOG_LINE.value + b"\x00"),), "note-bad-signature"),
        ((replaced(LOG_LINE, key_id=bytes(4)),), "note-no-known-key"),
        ((replaced(LOG_LINE, name="example.com/lob"),), "note-no-known-key"),
        ((replaced(LOG_LINE, name=WITNESS_LINE.name),), "note-no-known-key"),
        ((replaced(WITNESS_LINE, value=COSIGNED),), "note-bad-signature"),
        ((replaced(WITNESS_LINE, value=STAMP + LOG_LINE.value),), "note-bad-signature"),
        ((replaced(WITNESS_LINE, value=bytes(8) + COSIGNED),), "note-bad-signature"),
        ((replaced(WITNESS_LINE, value=STAMP),), "cosignature-size"),
        ((replaced(WITNESS_LINE, value=b"\x80" + bytes(7) + COSIGNED),), "cosignature-time"),
    ],
)
def test_signatures_that_do_not_count(signatures: tuple[Signature, ...], code: str) -> None:
    data = Note(text=TEXT, signatures=signatures).encode()
    assert refused(note.open_note, data, KEYS) == code


def test_a_log_signature_is_no_cosignature_and_the_other_way_round() -> None:
    as_witness = Verifier(name=LOG.name, kind=COSIGNATURE, key=LOG.verifier.key)
    line = Signature(name=LOG.name, key_id=as_witness.key_id, value=STAMP + LOG_LINE.value)
    assert refused(note.open_note, Note(text=TEXT, signatures=(line,)).encode(), [as_witness]) == "note-bad-signature"
    as_log = Verifier(name=WITNESS.name, key=WITNESS.verifier.key)
    line = Signature(name=WITNESS.name, key_id=as_log.key_id, value=COSIGNED)
    assert refused(note.open_note, Note(text=TEXT, signatures=(line,)).encode(), [as_log]) == "note-bad-signature"


def test_nobody_is_known() -> None:
    assert refused(note.open_note, SIGNED, []) == "note-no-known-key"
    assert refused(note.open_note, SIGNED, [OTHER.verifier]) == "note-no-known-key"


def test_the_same_verifier_twice_is_one() -> None:
    assert len(note.open_note(SIGNED, [*KEYS, *KEYS]).verified) == 2


# Two seeds whose Ed25519 keys have one key id under the name "x": 32 bits fall to a search of five seconds.
COLLISION = (4776, 105722)


def test_two_keys_of_one_name_and_id_are_not_told_apart() -> None:
    one, two = (Signer(name="x", seed=number.to_bytes(32, "big")).verifier for number in COLLISION)
    assert one.key_id == two.key_id
    signed = note.sign(TEXT, [Signer(name="x", seed=COLLISION[0].to_bytes(32, "big"))]).encode()
    assert refused(note.open_note, signed, [one, two]) == "note-ambiguous-key"


@pytest.mark.parametrize("text", ["", "text", "te\rxt\n", "te\txt\n", "te\x00xt\n"])
def test_what_is_no_text_is_not_signed(text: str) -> None:
    assert refused(note.sign, text, [LOG]) == "note-text"


def test_a_cosignature_needs_a_time() -> None:
    with pytest.raises(ValueError, match="time"):
        note.sign(TEXT, [WITNESS])


def mutations(data: bytes) -> Iterator[bytes]:
    """All deletions, doublings and bit flips of one byte, and what people's tools do to line ends and blanks."""
    for place in range(len(data)):
        head, byte, tail = data[:place], data[place], data[place + 1 :]
        yield head + tail
        yield head + bytes([byte, byte]) + tail
        yield from (head + bytes([byte ^ 1 << bit]) + tail for bit in range(8))
        yield from (head + char + bytes([byte]) + tail for char in (b" ", b"\n", b"\r", b"=", b"0"))


def test_every_mutation_is_refused_or_is_what_it_says() -> None:
    for data in mutations(SIGNED):
        try:
            read = note.parse(data)
        except TamperError:
            continue
        assert read.encode() == data


def test_no_mutation_of_a_note_opens_as_another_text() -> None:
    for data in mutations(note.sign(TEXT, [LOG]).encode()):
        try:
            opened = note.open_note(data, KEYS)
        except TamperError:
            continue
        assert opened.note.text == TEXT


# Checkpoints

CHECKPOINTS = st.builds(
    Checkpoint,
    origin=NAMES,
    size=st.integers(0, 2**63 - 1),
    root=st.binary(min_size=32, max_size=32),
    extensions=st.lists(st.text("ab é+—", min_size=1), max_size=2).map(tuple),
)


@sparing
@given(CHECKPOINTS)
def test_checkpoints_come_back(checkpoint: Checkpoint) -> None:
    assert note.parse_checkpoint(checkpoint.text()) == checkpoint


def test_the_example_of_the_specification() -> None:
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    checkpoint = note.parse_checkpoint(text)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert checkpoint.text() == text


ROOT = base64.b64encode(HEAD.root).decode()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "checkpoint-lines"),
        (f"a\n1\n{ROOT}", "checkpoint-lines"),
        (f"a\n{ROOT}\n", "checkpoint-lines"),
        (f"a\n1\n{ROOT}\nextension", "checkpoint-lines"),
        (f"\n1\n{ROOT}\n", "checkpoint-origin"),
        (f"a b\n1\n{ROOT}\n", "checkpoint-origin"),
        (f"a+b\n1\n{ROOT}\n", "checkpoint-origin"),
        (f"a\u2003b\n1\n{ROOT}\n", "checkpoint-origin"),
        (f"a\r\n1\n{ROOT}\n", "checkpoint-origin"),
        (f"a\u2028b\n1\n{ROOT}\n", "checkpoint-separator"),
        (f"a\n1\u2028\n{ROOT}\n", "checkpoint-separator"),
        (f"a\n1\n{ROOT}\ntwo\u2029lines\n", "checkpoint-separator"),
        (f"a\n1\n{ROOT}\ntwo\x85lines\n", "checkpoint-separator"),
        (f"a\n\n{ROOT}\n", "checkpoint-size"),
        (f"a\n01\n{ROOT}\n", "checkpoint-size"),
        (f"a\n00\n{ROOT}\n", "checkpoint-size"),
        (f"a\n+1\n{ROOT}\n", "checkpoint-size"),
        (f"a\n-1\n{ROOT}\n", "checkpoint-size"),
        (f"a\n 1\n{ROOT}\n", "checkpoint-size"),
        (f"a\n1 \n{ROOT}\n", "checkpoint-size"),
        (f"a\n1_0\n{ROOT}\n", "checkpoint-size"),
        (f"a\n٣\n{ROOT}\n", "checkpoint-size"),
        (f"a\n1\r\n{ROOT}\n", "checkpoint-size"),
        (f"a\n{2**63}\n{ROOT}\n", "checkpoint-size"),
        (f"a\n1\n{ROOT[:-1]}\n", "checkpoint-root"),
        (f"a\n1\n{ROOT[:-2]}9=\n", "checkpoint-root"),
        (f"a\n1\n{ROOT} \n", "checkpoint-root"),
        (f"a\n1\n{base64.b64encode(bytes(31)).decode()}\n", "checkpoint-root-size"),
        (f"a\n1\n{base64.b64encode(bytes(33)).decode()}\n", "checkpoint-root-size"),
        ("a\n1\n\n", "checkpoint-root-size"),
        (f"a\n1\n{ROOT}\n\n", "checkpoint-extension"),
        (f"a\n1\n{ROOT}\n\nextension\n", "checkpoint-extension"),
    ],
)
def test_malformed_checkpoints(text: str, code: str) -> None:
    assert refused(note.parse_checkpoint, text) == code

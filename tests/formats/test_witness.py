"""The bodies of add-checkpoint: the specification's own examples, strictness, limits."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagtrail.formats import note, witness
from tagtrail.formats.witness import (
    MAX_ANSWER,
    MAX_PROOF,
    MAX_REQUEST,
    Request,
    encode_cosignatures,
    encode_size,
    parse_cosignatures,
    parse_request,
    parse_size,
)
from tagtrail.model.errors import TamperError
from tests.formats.laws import sparing
from tests.formats.refusal import refused

# The examples of c2sp.org/tlog-witness.
VECTORS = Path(__file__).parent / "vectors"
EXAMPLE = (VECTORS / "tlog-witness-request.txt").read_text()
ANSWER = (VECTORS / "tlog-witness-answer.txt").read_text()
CHECKPOINT = EXAMPLE.partition("\n\n")[2]
HASH = "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n"


def test_the_request_of_the_specification() -> None:
    request = parse_request(EXAMPLE.encode())
    assert (request.old, len(request.proof)) == (20852014, 4)
    assert request.proof[0].hex() == "3e544d0abc07a6a846aeea6e7b42fb8316e36cc88a03db5e9afb996430e991ac"
    assert note.parse_checkpoint(note.parse(request.note).text).size == 20852163
    assert request.encode() == EXAMPLE.encode()


def test_the_answer_of_the_specification() -> None:
    signatures = parse_cosignatures(ANSWER.encode())
    assert [s.name for s in signatures] == ["witness.example/w1", "witness.example/w1", "witness.example/w2"]
    assert [len(s.value) for s in signatures] == [72, 72, 72]
    assert encode_cosignatures(signatures) == ANSWER.encode()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", "witness-no-checkpoint"),
        ("old 0\n", "witness-no-checkpoint"),
        ("old 0\n\n", "witness-no-checkpoint"),
        (f"old 0\n{HASH}", "witness-no-checkpoint"),
        (f"\n\n{CHECKPOINT}", "witness-old-size"),
        (f"{HASH}\n{CHECKPOINT}", "witness-old-size"),
        (f"0\n\n{CHECKPOINT}", "witness-old-size"),
        (f"Old 0\n\n{CHECKPOINT}", "witness-old-size"),
        (f" old 0\n\n{CHECKPOINT}", "witness-old-size"),
        (f"old  0\n\n{CHECKPOINT}", "witness-old-size"),
        (f"old 0 \n\n{CHECKPOINT}", "witness-old-size"),
        (f"old 0\r\n\n{CHECKPOINT}", "witness-old-size"),
        (f"old\t0\n\n{CHECKPOINT}", "witness-old-size"),
        (f"old 01\n\n{CHECKPOINT}", "witness-old-size"),
        (f"old +1\n\n{CHECKPOINT}", "witness-old-size"),
        (f"old -1\n\n{CHECKPOINT}", "witness-old-size"),
        (f"old 1_0\n\n{CHECKPOINT}", "witness-old-size"),
        (f"old ٣\n\n{CHECKPOINT}", "witness-old-size"),
        (f"old {2**63}\n\n{CHECKPOINT}", "witness-old-size"),
        (f"old \n\n{CHECKPOINT}", "witness-old-size"),
        (f"old 1\n{HASH * 64}\n{CHECKPOINT}", "witness-proof-length"),
        (f"old 1\n{HASH.replace('w=', 'x=')}\n{CHECKPOINT}", "witness-proof-hash"),
        (f"old 1\n{HASH.replace('=', '')}\n{CHECKPOINT}", "witness-proof-hash"),
        (f"old 1\n {HASH}\n{CHECKPOINT}", "witness-proof-hash"),
        (f"old 1\nAAAA\n\n{CHECKPOINT}", "witness-proof-hash"),
        (f"old 1\n{HASH[:-1]}\u2028\n\n{CHECKPOINT}", "witness-proof-hash"),
        ("old 1\n\n" + "x" * (MAX_REQUEST - 6), "witness-request-size"),
    ],
)
def test_what_is_no_request(body: str, code: str) -> None:
    assert refused(parse_request, body.encode()) == code


def test_the_limits_themselves_are_allowed() -> None:
    request = parse_request(f"old 1\n{HASH * MAX_PROOF}\n{CHECKPOINT}".encode())
    assert len(request.proof) == MAX_PROOF
    assert len(parse_request(b"old 1\n\n" + b"x" * (MAX_REQUEST - 7)).note) == MAX_REQUEST - 7
    assert len(request.encode()) + witness.MAX_NOTE - len(request.note) <= MAX_REQUEST
    assert parse_size(encode_size(2**63 - 1)) == 2**63 - 1


def test_no_longer_proof_is_written() -> None:
    assert refused(Request(old=1, proof=(bytes(32),) * 64, note=b"x").encode) == "witness-proof-length"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "note-unsigned"),
        (b"\n", "note-unsigned"),
        (ANSWER[:-1].encode(), "note-no-newline"),
        (b"\n" + ANSWER.encode(), "witness-answer-lines"),
        (b"text\n\n" + ANSWER.encode(), "witness-answer-lines"),
        (ANSWER.encode() + b"\n" + ANSWER.encode(), "witness-answer-lines"),
        (ANSWER.encode() + b"\n", "note-unsigned"),
        (b"<html>no</html>\n", "note-signature-line"),
        (ANSWER.encode().replace("—".encode(), b"-"), "note-signature-line"),
        (ANSWER.replace("\n", "\r\n").encode(), "note-crlf"),
        (b"\xff" + ANSWER.encode(), "note-utf8"),
        (ANSWER.encode() * 34, "note-signature-count"),
        (b"x" * (MAX_ANSWER + 1), "witness-answer-size"),
    ],
)
def test_what_is_no_answer(body: bytes, code: str) -> None:
    assert refused(parse_cosignatures, body) == code


@pytest.mark.parametrize("body", [b"", b"\n", b"7", b"07\n", b"7\n\n", b" 7\n", b"7\r\n", b"-1\n", b"9" * 99 + b"\n"])
def test_what_is_no_size(body: bytes) -> None:
    assert refused(parse_size, body) == "witness-size"


@sparing
@given(st.integers(0, 2**63 - 1), st.lists(st.binary(min_size=32, max_size=32), max_size=63), st.binary(min_size=1))
def test_a_request_is_read_as_written(old: int, proof: list[bytes], data: bytes) -> None:
    request = Request(old=old, proof=tuple(proof), note=data)
    assert parse_request(request.encode()) == request


@sparing
@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda tail: b"old 1\n" + tail))
def test_one_reading_only(body: bytes) -> None:
    try:
        request = parse_request(body)
    except TamperError:
        return
    assert request.encode() == body


def test_where_the_last_checkpoint_is_shown() -> None:
    digest = "5fd2dc0beb4ce54da5050cf6d5c75248b023abad441c3cecde3976fbe9da4fe4"  # by sha256sum
    assert witness.checkpoint_path("example.com/behind-the-sofa") == f"{digest}/checkpoint"

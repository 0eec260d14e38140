"""What a log and a witness say to each other: the request and the answers of `add-checkpoint`.

    POST PREFIX/add-checkpoint

    old 20852014                                          the size that the witness cosigned last, 0 if none
    PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=          the consistency proof from that size, at most 63 hashes
    jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
                                                          an empty line
    example.com/behind-the-sofa                           the checkpoint, a signed note
    20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq...cTOAYQ8=

Every line ends in a newline. The answers, by status:

    200  signature lines of notes, one or more, nothing else: cosignatures of this checkpoint
    400  this is no such request, or the old size is above the checkpoint's
    403  no known key of this origin signed the checkpoint, or one did badly
    404  the origin is unknown
    409  the size that was cosigned last, in decimal and with a newline; of type text/x.tlog.size
    422  not consistent with what was cosigned, or a tree of size 0 whose root is not that of the empty tree

What a witness cosigned last may be had from `GET PREFIX/ORIGIN-HASH/checkpoint`, ORIGIN-HASH being the SHA-256 of the
origin in hexadecimal. Source: c2sp.org/tlog-witness; stricter than it, a request has at most `MAX_REQUEST` bytes and an
answer at most `MAX_ANSWER`.
Reason codes: witness-request-size, witness-no-checkpoint, witness-old-size, witness-proof-length, witness-proof-hash;
witness-answer-size, witness-answer-lines, witness-size; those of `note`.
"""

from collections.abc import Sequence
from hashlib import sha256

from tagtrail.formats import note
from tagtrail.formats.encoding import HASH_SIZE, base64_decode, base64_encode, decimal, shown
from tagtrail.formats.note import Signature
from tagtrail.model.errors import TamperError
from tagtrail.model.frozen import frozen

__all__ = [
    "ADD_CHECKPOINT", "MAX_ANSWER", "MAX_NOTE", "MAX_PROOF", "MAX_REQUEST", "SIZE_TYPE", "Request", "checkpoint_path",
    "encode_cosignatures", "encode_size", "parse_cosignatures", "parse_request", "parse_size",
]  # fmt: skip

ADD_CHECKPOINT = "add-checkpoint"
"""The path below a witness's prefix."""

SIZE_TYPE = "text/x.tlog.size"
"""The type of an answer that says a size."""

MAX_PROOF = 63
"""Hashes of a proof: a tree has fewer than 2**63 leaves."""

MAX_NOTE = 128 * 1024
"""Bytes of a checkpoint: room for 16 signatures of 5 kB each, and more."""

MAX_REQUEST = MAX_NOTE + 4 * 1024
"""Bytes of a request: the checkpoint, 63 lines of 45 bytes, the first line and the empty one."""

MAX_ANSWER = 64 * 1024
"""Bytes of an answer."""

_OLD = "old "


@frozen
class Request:
    """A checkpoint to be cosigned. `note` is the signed note as written, nothing of it is read."""

    old: int
    proof: tuple[bytes, ...] = ()
    note: bytes

    def encode(self) -> bytes:
        """The body; `parse_request` gives this request back. Raises TamperError witness-proof-length."""
        _check_length(len(self.proof))
        lines = (f"{_OLD}{self.old}", *map(base64_encode, self.proof), "")
        return "".join(f"{line}\n" for line in lines).encode("ascii") + self.note


def parse_request(body: bytes) -> Request:
    """The request in a body.

    Raises TamperError witness-request-size, witness-no-checkpoint, witness-old-size, witness-proof-length,
    witness-proof-hash.
    """
    if len(body) > MAX_REQUEST:
        raise TamperError(
            f"the request has {len(body)} bytes, at most {MAX_REQUEST} are read", code="witness-request-size"
        )
    head, empty, checkpoint = body.partition(b"\n\n")
    if not empty or not checkpoint:
        what = f"no empty line and checkpoint follow {shown(head)}"
        raise TamperError(what, code="witness-no-checkpoint", why="it was cut short")
    first, *lines = head.decode("ascii", "replace").split("\n")
    if not first.startswith(_OLD):
        raise TamperError(f"{shown(first)} is not a line `old SIZE`", code="witness-old-size")
    old = decimal(first.removeprefix(_OLD), "witness-old-size")
    _check_length(len(lines))
    return Request(old=old, proof=tuple(_hash(line) for line in lines), note=checkpoint)


def _check_length(length: int) -> None:
    if length > MAX_PROOF:
        raise TamperError(f"the proof has {length} hashes, at most {MAX_PROOF} are read", code="witness-proof-length")


def _hash(line: str) -> bytes:
    value = base64_decode(line, "witness-proof-hash")
    if len(value) != HASH_SIZE:
        raise TamperError(f"a hash has {len(value)} bytes instead of {HASH_SIZE}", code="witness-proof-hash")
    return value


def encode_cosignatures(signatures: Sequence[Signature]) -> bytes:
    """The body of an answer 200."""
    return "".join(signature.line() for signature in signatures).encode()


def parse_cosignatures(body: bytes) -> tuple[Signature, ...]:
    """The signature lines of an answer 200, one or more, by whatever keys; nothing is verified.

    Raises TamperError witness-answer-size, witness-answer-lines, note-*.
    """
    if len(body) > MAX_ANSWER:
        what = f"the answer has {len(body)} bytes, at most {MAX_ANSWER} are read"
        raise TamperError(what, code="witness-answer-size")
    # As the specification says: they are what stands below some note's text.
    parsed = note.parse(b"\n\n" + body)
    if parsed.text != "\n":
        raise TamperError("the answer holds more than signature lines", code="witness-answer-lines")
    return parsed.signatures


def encode_size(size: int) -> bytes:
    """The body of an answer 409."""
    return f"{size}\n".encode("ascii")


def parse_size(body: bytes) -> int:
    """The size in an answer 409. Raises TamperError witness-size."""
    text = body[: MAX_PROOF + 1].decode("ascii", "replace")
    if not text.endswith("\n"):
        raise TamperError(f"{shown(text)} is not a size and a newline", code="witness-size")
    return decimal(text.removesuffix("\n"), "witness-size")


def checkpoint_path(origin: str) -> str:
    """Where below its prefix a witness shows what it cosigned last."""
    return f"{sha256(origin.encode()).hexdigest()}/checkpoint"

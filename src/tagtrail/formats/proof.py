"""Transparency-log proofs: everything but the entry that is needed to see, offline, that it is in a log.

    c2sp.org/tlog-proof@v1
    extra BASE64                                      optional: for us, the entry itself; proven by nothing in this file
    index 73894                                       the entry's number in the log, from 0
    gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=      at most 63 hashes, from the leaf's sibling up (RFC 6962, 2.1.1)
    ...

    example.com/fancylog                              the log's checkpoint, a signed note, verbatim
    109482
    sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=

    — example.com/fancylog hI2DJw...1roloI=

Source: c2sp.org/tlog-proof. A file that carries one is called FILE.tlog-proof.
Reason codes: proof-too-large, proof-crlf, proof-ascii, proof-version, proof-separator, proof-extra, proof-index,
proof-hash, proof-hash-size, proof-hash-count; note-* for the checkpoint's note.
"""

from tagtrail.formats import note
from tagtrail.formats.encoding import HASH_SIZE, base64_decode, base64_encode, decimal, shown
from tagtrail.model.errors import TamperError
from tagtrail.model.frozen import frozen

__all__ = ["MAX_HASHES", "MAX_SIZE", "VERSION", "Proof", "parse"]

VERSION = "c2sp.org/tlog-proof@v1"
MAX_SIZE = 1_200_000
"""Bytes: a note of the largest size, 63 hashes, and an entry of 65,535 bytes in base64."""

MAX_HASHES = 63
"""The depth of a tree of 2**63 leaves."""


@frozen
class Proof:
    """A proof, nothing verified. `checkpoint` is the signed note's bytes; `extra` is None where the line is missing."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    def encode(self) -> bytes:
        """The file; `parse` gives this proof back."""
        extra = [] if self.extra is None else [f"extra {base64_encode(self.extra)}"]
        lines = (VERSION, *extra, f"index {self.index}", *map(base64_encode, self.hashes), "")
        return "".join(f"{line}\n" for line in lines).encode() + self.checkpoint


def parse(data: bytes) -> Proof:
    """The proof in a file, its checkpoint's note well formed. Raises TamperError proof-* and note-*."""
    if len(data) > MAX_SIZE:
        raise TamperError(f"the proof has {len(data)} bytes, at most {MAX_SIZE} are read", code="proof-too-large")
    head, separator, checkpoint = data.partition(b"\n\n")
    lines = _head(head)
    if not separator:
        raise TamperError("the proof has no empty line before its checkpoint", code="proof-separator")
    extra = _extra(lines.pop(0)) if lines and lines[0].startswith("extra ") else None
    index = _index(lines.pop(0) if lines else "")
    if len(lines) > MAX_HASHES:
        raise TamperError(f"the proof has {len(lines)} hashes, at most {MAX_HASHES} are read", code="proof-hash-count")
    hashes = tuple(_hash(line) for line in lines)
    note.parse(checkpoint)
    return Proof(index=index, hashes=hashes, checkpoint=checkpoint, extra=extra)


def _head(head: bytes) -> list[str]:
    """The lines after the version's."""
    if b"\r" in head:
        raise TamperError("the proof has carriage returns", code="proof-crlf", why="its lines end with \\n alone")
    if not head.isascii():
        raise TamperError("the proof is not ASCII before its checkpoint", code="proof-ascii")
    version, *lines = head.decode("ascii").split("\n")
    if version != VERSION:
        what = f"the first line is {shown(version)} instead of {VERSION}"
        raise TamperError(what, code="proof-version", why="another version, or no proof at all")
    return lines


def _extra(line: str) -> bytes:
    extra = base64_decode(line.removeprefix("extra "), "proof-extra")
    if not extra:
        raise TamperError("the proof has an extra line without data", code="proof-extra")
    return extra


def _index(line: str) -> int:
    if not line.startswith("index "):
        raise TamperError(f"{shown(line)} is not the index line", code="proof-index")
    return decimal(line.removeprefix("index "), "proof-index")


def _hash(line: str) -> bytes:
    value = base64_decode(line, "proof-hash")
    if len(value) != HASH_SIZE:
        raise TamperError(f"a hash of the proof has {len(value)} bytes, not {HASH_SIZE}", code="proof-hash-size")
    return value

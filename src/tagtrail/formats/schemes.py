r"""The signature types of the note family: one row of `SCHEMES` each, and nobody else knows them apart.

    0x01  Ed25519          32-byte keys, 64-byte signatures over the text
    0x04  cosignature/v1   Ed25519 over "cosignature/v1\ntime TIME\n" and the text
    0x06  subtree/v1       ML-DSA-44 (1312-byte keys, 2420-byte signatures) over what a checkpoint says:

    "subtree/v1\n\0", string cosigner name, u64 time, string log origin, u64 0, u64 tree size, 32 bytes root hash

with numbers big-endian and a `string` one byte of length (1 to 255) and as many bytes; extension lines are not covered.
The last two are *cosignatures*: the time, a u64 below 2**63 (Unix seconds), stands in front of the signature. A time of
0 says nothing about time. A secret is a seed of 32 bytes for all three.
Sources: c2sp.org/signed-note, c2sp.org/tlog-cosignature.
Reason codes: cosignature-name; key-*, checkpoint-*.
"""

from collections.abc import Callable
from types import MappingProxyType

from tagtrail.formats import ed25519, mldsa
from tagtrail.formats.checkpoint import parse_checkpoint
from tagtrail.formats.encoding import shown
from tagtrail.model.errors import TamperError
from tagtrail.model.frozen import frozen

__all__ = ["COSIGNATURE", "ED25519", "SCHEMES", "SUBTREE", "Scheme"]

ED25519 = 0x01
COSIGNATURE = 0x04
SUBTREE = 0x06


@frozen
class Scheme:
    """One signature type. `message(name, text, time)` gives the bytes that a key of that name signs.

    `timed`: a time stands in front of the signature, so it is a witness's and never a log's.
    """

    timed: bool
    seed_size: int
    signature_size: int
    message: Callable[[str, str, int], bytes]
    check_key: Callable[[bytes], None]
    public_key: Callable[[bytes], bytes]
    sign: Callable[[bytes, bytes], bytes]
    verify: Callable[[bytes, bytes, bytes], bool]


def _plain(_name: str, text: str, _time: int) -> bytes:
    return text.encode()


def _cosigned(_name: str, text: str, time: int) -> bytes:
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def _subtree(name: str, text: str, time: int) -> bytes:
    head = parse_checkpoint(text)
    return b"".join(
        [
            b"subtree/v1\n\0",
            _string(name),
            time.to_bytes(8, "big"),
            _string(head.origin),
            bytes(8),
            head.size.to_bytes(8, "big"),
            head.root,
        ]
    )


def _string(name: str) -> bytes:
    data = name.encode()
    if len(data) > 255:
        what = f"{shown(name)} has {len(data)} bytes, a cosignature of type 0x06 holds names of 255"
        raise TamperError(what, code="cosignature-name")
    return bytes([len(data)]) + data


SCHEMES = MappingProxyType(
    {
        ED25519: Scheme(
            timed=False,
            seed_size=ed25519.KEY_SIZE,
            signature_size=ed25519.SIGNATURE_SIZE,
            message=_plain,
            check_key=ed25519.check_key,
            public_key=ed25519.public_key,
            sign=ed25519.sign,
            verify=ed25519.verify,
        ),
        COSIGNATURE: Scheme(
            timed=True,
            seed_size=ed25519.KEY_SIZE,
            signature_size=ed25519.SIGNATURE_SIZE,
            message=_cosigned,
            check_key=ed25519.check_key,
            public_key=ed25519.public_key,
            sign=ed25519.sign,
            verify=ed25519.verify,
        ),
        SUBTREE: Scheme(
            timed=True,
            seed_size=mldsa.SEED_SIZE,
            signature_size=mldsa.SIGNATURE_SIZE,
            message=_subtree,
            check_key=mldsa.check_key,
            public_key=mldsa.public_key,
            sign=mldsa.sign,
            verify=mldsa.verify,
        ),
    }
)
"""The signature types that are understood, by the byte that names them. A new one is a row."""

"""Numbers, base64, digests and names of keys as text, in exactly one spelling each.

Python reads `int(" 7_0 ")` as 70, `int("٣")` as 3, and `b64decode("AB==", validate=True)` drops stray bits. Bytes that
an enemy wrote may have one reading only, so every format takes its numbers and base64 from here:

    decimal      0 or [1-9][0-9]*, ASCII, no sign, below 2**63           20852163
    base64       RFC 4648 section 4, padded, unused bits zero            CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
    hex digest   64 lower-case hexadecimal digits (SHA-256)              e3b0c442...7852b855
    key name     not empty, no Unicode space, no `+`, no control         releases.example.org/trail
"""

import binascii
import re

from tagtrail.model.errors import TamperError

__all__ = ["HASH_SIZE", "base64_decode", "base64_encode", "decimal", "hex_digest", "key_name", "shown"]

HASH_SIZE = 32
"""Bytes of a SHA-256."""

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
_HEX = re.compile(r"[0-9a-f]{64}")


def shown(value: str | bytes, limit: int = 60) -> str:
    """A foreign value for a message: quoted, control and non-ASCII characters escaped, cut at `limit` characters."""
    text = value[: 4 * limit + 4].decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value
    return ascii(text if len(text) <= limit else text[:limit] + "...")


def decimal(text: str, code: str) -> int:
    """The number below 2**63 that `text` spells. Raises TamperError `code`."""
    if not _DECIMAL.fullmatch(text) or int(text) >= 2**63:
        why = "ASCII digits, no sign, no leading zero, below 2**63"
        raise TamperError(f"{shown(text)} is not a decimal number", code=code, why=why)
    return int(text)


def base64_encode(data: bytes) -> str:
    """Standard padded base64."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def base64_decode(text: str, code: str) -> bytes:
    """The bytes that `text` spells, if it is their only spelling. Raises TamperError `code`."""
    try:
        data = binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except (UnicodeEncodeError, binascii.Error):
        raise TamperError(f"{shown(text)} is not base64", code=code) from None
    if base64_encode(data) != text:
        why = f"the same bytes are written {shown(base64_encode(data))}"
        raise TamperError(f"{shown(text)} is not canonical base64", code=code, why=why)
    return data


def hex_digest(text: str, code: str) -> str:
    """`text`, if it is a SHA-256 in lower-case hexadecimal. Raises TamperError `code`."""
    if not _HEX.fullmatch(text):
        raise TamperError(f"{shown(text)} is not a SHA-256 in 64 lower-case hexadecimal digits", code=code)
    return text


def key_name(name: str, code: str) -> str:
    """`name`, if it can name a key (c2sp.org/signed-note). Raises TamperError `code`."""
    if not name or "+" in name or any(char.isspace() or char < " " or "\ud800" <= char <= "\udfff" for char in name):
        raise TamperError(f"{shown(name)} is not a key name", code=code, why="no spaces, no plus, not empty")
    return name

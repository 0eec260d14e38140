r"""SSH signatures (SSHSIG), public key lines and their fingerprints: the wire format read, nothing verified.

A signature is armoured; inside is one blob. `string` is a length of four bytes, big-endian, and as many bytes.

    -----BEGIN SSH SIGNATURE-----
    U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAg...
    -----END SSH SIGNATURE-----

    "SSHSIG", uint32 1      magic and version
    string public key       itself strings: the key's type, then its numbers
    string namespace        what the signature is for: `git` for tags and commits
    string reserved         empty
    string hash             sha256 or sha512
    string signature        string scheme, string value; keys on a device add a byte of flags and a uint32 counter

What is signed is "SSHSIG", string namespace, string reserved, string hash, string hash(message).
A public key line is `TYPE BASE64 [COMMENT]`; a fingerprint is `SHA256:` and the blob's SHA-256 in unpadded base64.
Stricter than OpenSSH: base64 in its one spelling, no blank lines within, nothing behind the end.
Sources: OpenSSH's PROTOCOL.sshsig and PROTOCOL.u2f, RFC 4253 section 6.6, RFC 5656, RFC 8332, RFC 8709.
Reason codes: sshsig-armor, sshsig-base64, sshsig-magic, sshsig-version, sshsig-string, sshsig-reserved, sshsig-hash,
sshsig-text, ssh-key-line, ssh-key-base64, ssh-key-type, ssh-key-string.
"""

import hashlib
from collections.abc import Iterable

from tagtrail.formats.encoding import base64_decode, base64_encode, shown
from tagtrail.model.errors import TamperError
from tagtrail.model.frozen import frozen

__all__ = [
    "BEGIN", "END", "KEY_TYPES", "SshKey", "SshSignature", "join", "parse_key", "parse_key_line", "parse_sshsig",
    "strings",
]  # fmt: skip

BEGIN = "-----BEGIN SSH SIGNATURE-----"
END = "-----END SSH SIGNATURE-----"
MAGIC = b"SSHSIG"
MAX_ARMOR = 65_535

KEY_TYPES = {
    "ssh-ed25519": 2,
    "ssh-rsa": 3,
    "ecdsa-sha2-nistp256": 3,
    "ecdsa-sha2-nistp384": 3,
    "ecdsa-sha2-nistp521": 3,
    "sk-ssh-ed25519@openssh.com": 3,
    "sk-ecdsa-sha2-nistp256@openssh.com": 4,
}
"""The key types that are understood, and how many strings a key has with its type."""


@frozen
class SshKey:
    """A public key. `fields` are the strings after the type, as the type defines them."""

    type: str
    fields: tuple[bytes, ...]

    @property
    def blob(self) -> bytes:
        """The wire form."""
        return join(self.type.encode(), *self.fields)

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` prints it."""
        return "SHA256:" + base64_encode(hashlib.sha256(self.blob).digest()).rstrip("=")

    @property
    def line(self) -> str:
        """Type and base64, without a comment."""
        return f"{self.type} {base64_encode(self.blob)}"


@frozen
class SshSignature:
    """A signature as written. `scheme` is how `value` was made; `tail` are the flags and counter of a device's key."""

    key: SshKey
    namespace: str
    hash: str
    scheme: str
    value: bytes
    tail: bytes = b""

    def signed(self, message: bytes) -> bytes:
        """The bytes that the key signed if it signed `message`."""
        digest = hashlib.new(self.hash, message).digest()
        return MAGIC + join(self.namespace.encode(), b"", self.hash.encode(), digest)


def parse_sshsig(text: str) -> SshSignature:
    """The signature in an armoured text, which ends with its END line. Raises TamperError sshsig-* and ssh-key-*."""
    lines = text.split("\n")
    if len(text) > MAX_ARMOR or lines[0] != BEGIN or lines[-1] != END or "" in lines:
        raise TamperError("not an SSH signature from its BEGIN to its END line", code="sshsig-armor")
    blob = base64_decode("".join(lines[1:-1]), "sshsig-base64")
    if not blob.startswith(MAGIC):
        raise TamperError(f"the SSH signature begins with {shown(blob[:6])} instead of SSHSIG", code="sshsig-magic")
    if blob[6:10] != b"\0\0\0\x01":
        raise TamperError(f"the SSH signature is of version 0x{blob[6:10].hex()} instead of 1", code="sshsig-version")
    key, namespace, reserved, name, signature = strings(blob[10:], "sshsig-string", 5)
    if reserved:
        raise TamperError(f"the SSH signature's reserved field is {shown(reserved)}", code="sshsig-reserved")
    if name not in (b"sha256", b"sha512"):
        raise TamperError(f"the SSH signature's hash is {shown(name)}, not sha256 or sha512", code="sshsig-hash")
    public = parse_key(key)
    tail = 5 if public.type.startswith("sk-") else 0
    scheme, value = strings(signature[: len(signature) - tail], "sshsig-string", 2)
    return SshSignature(
        key=public,
        namespace=_ascii(namespace),
        hash=_ascii(name),
        scheme=_ascii(scheme),
        value=value,
        tail=signature[len(signature) - tail :],
    )


def parse_key_line(line: str) -> SshKey:
    """The key of a line `TYPE BASE64 [COMMENT]`. Raises TamperError ssh-key-*."""
    parts = line[: MAX_ARMOR + 1].split(None, 2)
    if len(parts) < 2 or len(line) > MAX_ARMOR:
        raise TamperError(f"{shown(line)} is not an SSH public key line", code="ssh-key-line")
    key = parse_key(base64_decode(parts[1], "ssh-key-base64"))
    if key.type != parts[0]:
        raise TamperError(f"the line says {shown(parts[0])}, the key in it is {key.type}", code="ssh-key-type")
    return key


def parse_key(blob: bytes) -> SshKey:
    """The key in its wire form. Raises TamperError ssh-key-string, ssh-key-type."""
    fields = strings(blob, "ssh-key-string")
    kind = fields[0].decode("ascii", "replace") if fields else ""
    if kind not in KEY_TYPES:
        why = f"understood are {', '.join(KEY_TYPES)}"
        raise TamperError(f"SSH key type {shown(kind)} is not understood", code="ssh-key-type", why=why)
    if len(fields) != KEY_TYPES[kind]:
        raise TamperError(f"an SSH key of type {kind} has {len(fields)} strings", code="ssh-key-string")
    return SshKey(type=kind, fields=fields[1:])


def strings(data: bytes, code: str, count: int | None = None) -> tuple[bytes, ...]:
    """All strings of `data`, with nothing behind them; `count` of them if given. Raises TamperError `code`."""
    found, at = [], 0
    while at < len(data):
        start = at + 4
        at = start + int.from_bytes(data[at:start], "big")
        if at > len(data) or start > len(data):
            raise TamperError(f"a string of {at - start} bytes is cut off after {len(data) - start}", code=code)
        found.append(data[start:at])
    if count is not None and len(found) != count:
        raise TamperError(f"{len(found)} strings where {count} belong", code=code)
    return tuple(found)


def join(*parts: bytes) -> bytes:
    """`parts` as strings one after the other: what `strings` reads."""
    return b"".join(_with_length(parts))


def _with_length(parts: Iterable[bytes]) -> Iterable[bytes]:
    for part in parts:
        yield len(part).to_bytes(4, "big")
        yield part


def _ascii(text: bytes) -> str:
    if not text.isascii() or any(byte < 0x21 for byte in text) or not text:
        raise TamperError(f"{shown(text)} is no name within an SSH signature", code="sshsig-text")
    return text.decode("ascii")

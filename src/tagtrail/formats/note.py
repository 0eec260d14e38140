r"""Signed notes and the keys that sign them, of the C2SP family.

A *note* is UTF-8 text that ends in a newline, an empty line, and signature lines. Text may hold empty lines: the last
one separates. No control characters but `\n`.

    example.com/behind-the-sofa
    20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1My...cTOAYQ8=

A signature line is an em dash, a space, the key's name (no Unicode space, no `+`), a space, and base64 of key id and
signature. The key id is SHA-256(name || 0x0A || type || public key)[:4]. `schemes` has the types: what is signed, and
with what; of a cosignature's type, a time of eight bytes stands in front of the signature.

A *verifier key* (vkey) is `NAME+KEYID+BASE64(type || public key)`, a *secret key* (skey, as Go's sumdb/note writes it)
`PRIVATE+KEY+NAME+KEYID+BASE64(type || seed)`; key ids in 8 lower-case hexadecimal digits.

Lines of unknown keys are ignored. Of a known key (name and key id) there may be one line, and it must verify.
Sources: c2sp.org/signed-note, c2sp.org/tlog-cosignature.
Reason codes: note-*, cosignature-*, vkey-*, skey-*, key-*; of notes with a signature of type 0x06, checkpoint-*.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import Protocol

from tagtrail.formats.checkpoint import Checkpoint, parse_checkpoint
from tagtrail.formats.encoding import base64_decode, base64_encode, key_name, shown
from tagtrail.formats.schemes import COSIGNATURE, ED25519, SCHEMES, SUBTREE, Scheme
from tagtrail.model.errors import TamperError
from tagtrail.model.frozen import frozen

__all__ = [
    "COSIGNATURE", "ED25519", "SUBTREE", "AnySigner", "Checkpoint", "Note", "Opened", "Signature", "Signer", "Verified",
    "Verifier", "key_id", "open_note", "parse", "parse_checkpoint", "parse_skey", "parse_vkey", "sign",
]  # fmt: skip

MAX_SIZE = 1_000_000
MAX_SIGNATURES = 100
KEY_ID_SIZE = 4
_TIME_SIZE = 8

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_KEY_ID = re.compile(r"[0-9a-f]{8}")


# Keys


def key_id(name: str, kind: int, key: bytes) -> bytes:
    """The four bytes by which a signature line names its key."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + key).digest()[:KEY_ID_SIZE]


@frozen
class Verifier:
    """A public key under a name, for one signature type."""

    name: str
    kind: int = ED25519
    key: bytes

    def __post_init__(self) -> None:
        key_name(self.name, "vkey-name")
        if self.kind not in SCHEMES:
            raise TamperError(
                f"signature type 0x{self.kind:02x} of key {shown(self.name)} is not known", code="vkey-type"
            )
        self.scheme.check_key(self.key)

    @property
    def scheme(self) -> Scheme:
        """How it signs."""
        return SCHEMES[self.kind]

    @property
    def key_id(self) -> bytes:
        """Four bytes."""
        return key_id(self.name, self.kind, self.key)

    def vkey(self) -> str:
        """The text form."""
        return f"{self.name}+{self.key_id.hex()}+{base64_encode(bytes([self.kind]) + self.key)}"


class AnySigner(Protocol):
    """A secret key wherever it lies: in a file (`Signer`), with an agent, in a hardware module."""

    @property
    def name(self) -> str:
        """Under which it signs."""
        ...

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The signature over exactly these bytes, as `verifier.scheme` has it."""
        ...


@frozen
class Signer:
    """A secret key under a name, for one signature type. `seed` is as many secret bytes as the type wants."""

    name: str
    kind: int = ED25519
    seed: bytes

    def __repr__(self) -> str:
        return f"Signer(name={self.name!r}, kind={self.kind})"  # never the seed

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier(name=self.name, kind=self.kind, key=SCHEMES[self.kind].public_key(self.seed))

    def sign(self, message: bytes) -> bytes:
        """See `AnySigner`."""
        return SCHEMES[self.kind].sign(self.seed, message)

    def skey(self) -> str:
        """The secret's text form."""
        return f"PRIVATE+KEY+{self.name}+{self.verifier.key_id.hex()}+{base64_encode(bytes([self.kind]) + self.seed)}"


def parse_vkey(text: str) -> Verifier:
    """The public key in its text form.

    Raises TamperError vkey-syntax, vkey-name, vkey-base64, vkey-type, vkey-key-id, key-*.
    """
    name, found, material = _split_key(text, "vkey")
    verifier = Verifier(name=name, kind=material[0], key=material[1:])
    if verifier.key_id.hex() != found:
        what = f"key {shown(name)} says key id {found}, its bytes give {verifier.key_id.hex()}"
        raise TamperError(what, code="vkey-key-id", why="the name or the key was changed")
    return verifier


def parse_skey(text: str) -> Signer:
    """The signer of a secret key file's one line, without its newline; no error shows the secret.

    Raises TamperError skey-syntax, skey-name, skey-base64, skey-type, skey-size, skey-key-id.
    """
    if not text.startswith("PRIVATE+KEY+"):
        raise TamperError("this is not a secret note key: it does not begin with PRIVATE+KEY+", code="skey-syntax")
    name, found, material = _split_key(text.removeprefix("PRIVATE+KEY+"), "skey")
    if material[0] not in SCHEMES:
        raise TamperError(f"signature type 0x{material[0]:02x} of key {shown(name)} is not known", code="skey-type")
    size = SCHEMES[material[0]].seed_size
    if len(material) != 1 + size:
        raise TamperError(f"secret key {shown(name)} has {len(material) - 1} bytes instead of {size}", code="skey-size")
    signer = Signer(name=name, kind=material[0], seed=material[1:])
    if signer.verifier.key_id.hex() != found:
        what = f"secret key {shown(name)} says key id {found}, its bytes give {signer.verifier.key_id.hex()}"
        raise TamperError(what, code="skey-key-id", why="the name or the key was changed")
    return signer


def _split_key(text: str, code: str) -> tuple[str, str, bytes]:
    # base64 may hold `+`, names may not: so two cuts from the left.
    parts = text.split("+", 2)
    if len(parts) != 3 or not _KEY_ID.fullmatch(parts[1]):
        raise TamperError(f"not a {code} of the form NAME+KEYID+BASE64", code=f"{code}-syntax")
    name = key_name(parts[0], f"{code}-name")
    try:
        material = base64_decode(parts[2], f"{code}-base64")
    except TamperError as error:
        raise TamperError(f"the key bytes of {shown(name)} are not canonical base64", code=error.code) from None
    if not material:
        raise TamperError(f"key {shown(name)} holds no bytes", code=f"{code}-syntax")
    return name, parts[1], material


# Notes


@frozen
class Signature:
    """One signature line. `value` is what follows the key id."""

    name: str
    key_id: bytes
    value: bytes

    def line(self) -> str:
        """With its newline."""
        return f"— {self.name} {base64_encode(self.key_id + self.value)}\n"


@frozen
class Note:
    """A text, ending in a newline, and its signature lines, nothing verified."""

    text: str
    signatures: tuple[Signature, ...]

    def encode(self) -> bytes:
        """The signed note; `parse` gives this note back."""
        return "".join([self.text, "\n", *(signature.line() for signature in self.signatures)]).encode()


@frozen
class Verified:
    """A known key that signed; `time` is the cosignature's, in Unix seconds, None where it states none."""

    verifier: Verifier
    time: int | None = None


@frozen
class Opened:
    """A note and who is known to have signed it, at least one, in the order of the lines."""

    note: Note
    verified: tuple[Verified, ...]


def parse(data: bytes, max_size: int = MAX_SIZE) -> Note:
    """The note as written; nothing is verified.

    Raises TamperError note-size, note-utf8, note-crlf, note-control, note-unsigned, note-no-newline,
    note-signature-line, note-key-name, note-base64, note-signature-size, note-signature-count.
    """
    text = _note_text(data, max_size)
    cut = text.rfind("\n\n")
    if cut < 0 or cut + 2 == len(text):
        raise TamperError("the note has no signature lines", code="note-unsigned")
    if not text.endswith("\n"):
        raise TamperError("the note does not end with a newline", code="note-no-newline", why="it was cut short")
    lines = text[cut + 2 : -1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        what = f"the note has {len(lines)} signature lines, at most {MAX_SIGNATURES} are read"
        raise TamperError(what, code="note-signature-count")
    return Note(text=text[: cut + 1], signatures=tuple(_signature(line) for line in lines))


def open_note(data: bytes, verifiers: Iterable[Verifier], max_size: int = MAX_SIZE) -> Opened:
    """The note, if it is signed by at least one of `verifiers` and by none of them badly.

    Raises TamperError as `parse`; note-ambiguous-key (two verifiers of one name and key id), note-duplicate-signature,
    note-bad-signature, note-no-known-key, cosignature-size, cosignature-time.
    """
    known = _by_line(verifiers)
    note = parse(data, max_size)
    signed = [(known[s.name, s.key_id], s) for s in note.signatures if (s.name, s.key_id) in known]
    if not signed:
        names = ", ".join(sorted({shown(name) for name, _ in known})) or "nobody"
        what = f"the note is signed by {_names(note)}, known are keys of {names}"
        raise TamperError(what, code="note-no-known-key", why="no signature line has a known name and key id")
    for number, (verifier, _) in enumerate(signed):
        if verifier in [before for before, _ in signed[:number]]:
            raise TamperError(f"key {shown(verifier.name)} signed the note twice", code="note-duplicate-signature")
    return Opened(note=note, verified=tuple(_verify(verifier, note.text, s.value) for verifier, s in signed))


def sign(text: str, signers: Sequence[AnySigner], *, time: int | None = None, others: Sequence[Signature] = ()) -> Note:
    """The note over `text`: `others`' lines first, then one per signer. `time` (Unix seconds) goes into cosignatures.

    Raises TamperError note-text where `text` cannot be a note's text, ValueError for a cosignature without a time.
    """
    if not text.endswith("\n") or _CONTROL.search(text):
        what = f"{shown(text)} cannot be signed as a note"
        raise TamperError(what, code="note-text", why="it must end with a newline and hold no control characters")
    return Note(text=text, signatures=(*others, *(_sign(signer, text, time) for signer in signers)))


def _note_text(data: bytes, max_size: int) -> str:
    if len(data) > max_size:
        raise TamperError(f"the note has {len(data)} bytes, at most {max_size} are read", code="note-size")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise TamperError(f"the note is not UTF-8 at byte {error.start}", code="note-utf8") from None
    if control := _CONTROL.search(text):
        code = "note-crlf" if control[0] == "\r" else "note-control"
        what = f"the note holds control character {shown(control[0])} at character {control.start()}"
        raise TamperError(what, code=code)
    return text


def _signature(line: str) -> Signature:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "—":
        what = f"{shown(line)} is not a signature line"
        raise TamperError(what, code="note-signature-line", why="an em dash, a key name and base64, one space between")
    name = key_name(parts[1], "note-key-name")
    value = base64_decode(parts[2], "note-base64")
    if len(value) <= KEY_ID_SIZE:
        raise TamperError(f"the signature of {shown(name)} has {len(value)} bytes", code="note-signature-size")
    return Signature(name=name, key_id=value[:KEY_ID_SIZE], value=value[KEY_ID_SIZE:])


def _by_line(verifiers: Iterable[Verifier]) -> dict[tuple[str, bytes], Verifier]:
    known: dict[tuple[str, bytes], Verifier] = {}
    for verifier in verifiers:
        other = known.setdefault((verifier.name, verifier.key_id), verifier)
        if other != verifier:
            what = f"two keys are called {shown(verifier.name)} with key id {verifier.key_id.hex()}"
            raise TamperError(what, code="note-ambiguous-key")
    return known


def _names(note: Note) -> str:
    return ", ".join(shown(signature.name) for signature in note.signatures[:4])


def _verify(verifier: Verifier, text: str, value: bytes) -> Verified:
    scheme = verifier.scheme
    time = _time(verifier, value) if scheme.timed else 0
    signature = value[_TIME_SIZE:] if scheme.timed else value
    message = scheme.message(verifier.name, text, time)
    if len(signature) != scheme.signature_size or not scheme.verify(verifier.key, message, signature):
        what = f"the signature of {shown(verifier.name)} ({verifier.key_id.hex()}) is not over this text"
        raise TamperError(what, code="note-bad-signature", why="the text was changed or the signature is forged")
    return Verified(verifier=verifier, time=time or None)


def _time(verifier: Verifier, value: bytes) -> int:
    if len(value) <= _TIME_SIZE:
        raise TamperError(f"the cosignature of {shown(verifier.name)} has {len(value)} bytes", code="cosignature-size")
    time = int.from_bytes(value[:_TIME_SIZE], "big")
    if time >= 2**63:
        raise TamperError(f"the cosignature of {shown(verifier.name)} is of time {time}", code="cosignature-time")
    return time


def _sign(signer: AnySigner, text: str, time: int | None) -> Signature:
    verifier = signer.verifier
    scheme = verifier.scheme
    if scheme.timed and time is None:
        message = f"a cosignature of {signer.name} needs a time"
        raise ValueError(message)
    value = signer.sign(scheme.message(signer.name, text, time or 0))
    stamp = (time or 0).to_bytes(_TIME_SIZE, "big") if scheme.timed else b""
    return Signature(name=signer.name, key_id=verifier.key_id, value=stamp + value)

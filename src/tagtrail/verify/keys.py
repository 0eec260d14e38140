"""People's key files: OpenPGP certificates, `allowed_signers`, or SSH public key lines, read into keys.

An OpenPGP file may hold several certificates, armoured or binary. Two of one primary key are merged: what the older one
said about its own time must not be lost, for Sequoia judges a signature by what the certificate said when it was made,
and gpg exports the newest statement alone. So `merge` too, wherever a newer certificate replaces an older one.
"""

from collections.abc import Iterable

from tagtrail.formats.allowed_signers import parse_allowed_signers
from tagtrail.formats.sshsig import KEY_TYPES, SshKey, parse_key_line
from tagtrail.model.entry import Key
from tagtrail.model.errors import SetupError, TamperError
from tagtrail.verify.ssh import check_ssh_key

__all__ = ["merge", "read_keys"]

MAX_FILE = 16 * 1024 * 1024

_EXPORT = "gpg --armor --export KEY > FILE; or the .pub file of an SSH key"
_ARMOR = b"-----BEGIN PGP PUBLIC KEY BLOCK-----"
_SECRET = (b"PRIVATE KEY-----", b"PRIVATE KEY BLOCK-----", b"PRIVATE+KEY+", b"PuTTY-User-Key-File")


def read_keys(data: bytes, person: str) -> tuple[Key, ...]:
    """The public keys in a file of `person`, in its order.

    Raises SetupError secret-key, key-file-empty, key-file-form, key-file-size, allowed-signers-*, ssh-key-*, key-*.
    """
    if len(data) > MAX_FILE:
        what = f"the key file has {len(data)} bytes, at most {MAX_FILE} are read"
        raise SetupError(what, code="key-file-size", hint=_EXPORT)
    if any(mark in data for mark in _SECRET):
        raise _secret()
    keys = _openpgp(data, person) if _is_openpgp(data) else _ssh(data, person)
    if not keys:
        raise SetupError("the key file holds no key", code="key-file-empty", hint=_EXPORT)
    return keys


def merge(older: Key, newer: Key) -> Key:
    """`newer` with all that `older` says of the same OpenPGP primary key; SSH keys say nothing about themselves.

    Raises SetupError key-mismatch where they are two keys.
    """
    if older.fingerprint != newer.fingerprint:
        raise SetupError(
            f"{older.fingerprint} and {newer.fingerprint} are two keys",
            code="key-mismatch",
            hint="add the other one in a file of its own",
        )
    if newer.scheme == "ssh" or older.material == newer.material:
        return newer
    from pysequoia import Cert

    certificate = Cert.from_bytes(older.material.encode()).merge(Cert.from_bytes(newer.material.encode()))
    return _openpgp_key(certificate.fingerprint, bytes(certificate), newer.person)


def _is_openpgp(data: bytes) -> bool:
    # the first byte of every binary packet has its highest bit set
    return _ARMOR in data or data[:1] >= b"\x80"


def _openpgp(data: bytes, person: str) -> tuple[Key, ...]:
    from pysequoia import Cert
    from pysequoia.packet import PacketPile

    try:
        certificates = [(certificate.fingerprint, bytes(certificate)) for certificate in Cert.split_bytes(data)]
        secret = any("Secret" in str(packet.tag) for packet in PacketPile.from_bytes(data))
    except Exception as error:  # noqa: BLE001  (pysequoia has no error type of its own)
        why = str(error).split("\n", 1)[0].lower()
        what = "the key file holds no OpenPGP certificate"
        raise SetupError(what, code="key-file-form", why=why, hint=_EXPORT) from None
    if secret:
        raise _secret()
    keys: dict[str, Key] = {}
    for fingerprint, certificate in certificates:
        key = _openpgp_key(fingerprint, certificate, person)
        keys[key.fingerprint] = merge(keys.get(key.fingerprint, key), key)
    return tuple(keys.values())


def _openpgp_key(fingerprint: str, certificate: bytes, person: str) -> Key:
    from pysequoia import ArmorKind, armor

    # armoured anew: Sequoia's own text form has the user's name and address in a comment
    material = armor(certificate, ArmorKind.PublicKey)
    return Key(fingerprint=fingerprint.upper(), scheme="openpgp", material=material, person=person)


def _ssh(data: bytes, person: str) -> tuple[Key, ...]:
    lines = [line for line in data.split(b"\n") if line.strip() and not line.lstrip().startswith(b"#")]
    bare = [line.split(None, 1)[0].decode("ascii", "replace") in KEY_TYPES for line in lines]
    try:
        if all(bare):
            return _unique(_ssh_key(parse_key_line(line.decode()), person) for line in lines)
        return _unique(
            _ssh_key(s.key, person, s.namespaces, s.valid_after, s.valid_before) for s in parse_allowed_signers(data)
        )
    except UnicodeDecodeError:
        raise SetupError("the key file is neither OpenPGP nor text", code="key-file-form", hint=_EXPORT) from None
    except TamperError as error:
        raise SetupError(error.what, code=error.code, why=error.why, hint=_EXPORT) from None


def _ssh_key(
    key: SshKey,
    person: str,
    namespaces: tuple[str, ...] = (),
    valid_after: int | None = None,
    valid_before: int | None = None,
) -> Key:
    check_ssh_key(key)
    return Key(
        fingerprint=key.fingerprint,
        scheme="ssh",
        material=key.line,
        person=person,
        valid_after=valid_after,
        valid_before=valid_before,
        namespaces=namespaces,
    )


def _unique(keys: Iterable[Key]) -> tuple[Key, ...]:
    found: dict[str, Key] = {}
    for key in keys:
        if found.setdefault(key.fingerprint, key) != key:
            why = "one line would decide what the other forbids"
            raise SetupError(
                f"{key.fingerprint} stands twice with different options",
                code="key-twice",
                why=why,
                hint="leave one line of the two",
            )
    return tuple(found.values())


def _secret() -> SetupError:
    return SetupError(
        "the key file holds a secret key",
        code="secret-key",
        why="people's public keys belong here; a secret one is read by whoever reads the settings",
        hint="gpg --armor --export KEY > FILE, or the .pub file of the SSH key; then change that secret key",
    )

"""Tag objects judged: who signed what, under which name, and whether that person's key was valid at a given time.

A tag object is what `git cat-file tag NAME` prints: four headers in this order, an empty line, the message, and at its
end the signature over everything before it.

    object a49c1e07...            40 or 64 lower-case hexadecimal digits
    type commit
    tag 1.2.0
    tagger Jo <jo@example.org> 1775055600 +0000

    release 1.2.0
    -----BEGIN SSH SIGNATURE-----
    ...

It binds object, type and name; not the repository, nor the place where it lay: compare `name` with what was asked for.
The tagger's date is the tagger's word and decides nothing. Source: gitformat-signature(5), git's tag.c.
"""

import re
from collections.abc import Sequence
from shlex import quote
from typing import Literal

from tagtrail.formats.encoding import shown
from tagtrail.formats.sshsig import END as SSH_END
from tagtrail.formats.sshsig import SshSignature, parse_sshsig
from tagtrail.formats.times import format_time
from tagtrail.model.entry import Key
from tagtrail.model.errors import TamperError
from tagtrail.model.frozen import frozen
from tagtrail.verify.statement import Statement

__all__ = ["NAMESPACE", "JudgedTag", "TagObject", "judge_tag", "parse_tag"]

NAMESPACE = "git"
MAX_TAG = 1024 * 1024

_HEADERS = re.compile(
    rb"object (?P<object>[0-9a-f]{40}|[0-9a-f]{64})\n"
    rb"type (?P<type>[a-z]+)\n"
    rb"tag (?P<name>[^\x00-\x20\x7f]+)\n"
    rb"tagger (?P<tagger>[^\x00\n]*)\n\n"
)
_BEGIN = re.compile(rb"^-----BEGIN (PGP SIGNATURE|PGP MESSAGE|SIGNED MESSAGE|SSH SIGNATURE)-----$", re.MULTILINE)
Scheme = Literal["openpgp", "ssh", "x509", "none"]
_KINDS: dict[bytes, tuple[Scheme, bytes]] = {
    b"PGP SIGNATURE": ("openpgp", b"-----END PGP SIGNATURE-----"),
    b"SSH SIGNATURE": ("ssh", SSH_END.encode()),
    b"SIGNED MESSAGE": ("x509", b"-----END SIGNED MESSAGE-----"),
}


@frozen
class TagObject:
    """A tag object as written, nothing verified. `payload` is what `signature` is over; scheme `none`: unsigned."""

    name: str
    object: str
    type: str
    scheme: Scheme
    payload: bytes
    signature: bytes


@frozen
class JudgedTag:
    """A tag with a good signature by `signer`, one of the keys that were asked for.

    `object` is the commit. Times are Unix seconds: `signed_at` is the signature's own claim (SSH makes none), `expires`
    the first second at which the signer's key is no longer valid (None: it does not expire).
    """

    name: str
    object: str
    type: str
    signer: str
    scheme: Literal["openpgp", "ssh"]
    person: str = ""
    signed_at: int | None = None
    expires: int | None = None

    def expired(self, now: int) -> bool:
        """Whether the signer's key has expired by `now`."""
        return self.expires is not None and self.expires <= now


def judge_tag(raw: bytes, *, name: str, keys: Sequence[Key], at: int | None) -> JudgedTag:
    """The tag object `raw` as the signed tag `name` of a commit, by one of `keys`, whose key was valid at `at`.

    `at` is in Unix seconds and somebody else's word than the tagger's: now, or the entry's time (None: do not look).
    Raises TamperError tag-malformed, tag-name, tag-of-tag, tag-type, tag-unsigned, tag-two-signatures, tag-x509,
    tag-signer-unknown, tag-namespace, tag-signature-bad, tag-signature-weak, tag-key-not-yet, tag-key-expired,
    tag-key-revoked.
    """
    tag = parse_tag(raw)
    _refuse_other(tag, name)
    if tag.scheme == "none":
        raise TamperError(f"tag {name} is not signed", code="tag-unsigned")
    if tag.scheme == "x509":
        why = "X.509 signatures (gitsign, smime) are not supported"
        hint = "sign with OpenPGP or SSH: git config gpg.format ssh"
        raise TamperError(f"tag {name} is signed with X.509", code="tag-x509", why=why, hint=hint)
    judge = _judge_openpgp if tag.scheme == "openpgp" else _judge_ssh
    try:
        statement = judge(tag.signature, tag.payload, keys)
        _refuse_time(statement, at)
    except TamperError as error:
        raise TamperError(f"tag {name}: {error.what}", code=error.code, why=error.why, hint=error.hint) from None
    return JudgedTag(
        name=tag.name,
        object=tag.object,
        type=tag.type,
        signer=statement.signer.fingerprint,
        scheme=statement.signer.scheme,
        person=statement.signer.person,
        signed_at=statement.signed_at,
        expires=_ends(statement),
    )


def parse_tag(raw: bytes) -> TagObject:
    """The tag object in its parts. Raises TamperError tag-malformed, tag-two-signatures."""
    if len(raw) > MAX_TAG:
        raise _malformed(f"it has {len(raw)} bytes, at most {MAX_TAG} are read")
    headers = _HEADERS.match(raw)
    if not headers:
        raise _malformed(f"its headers are not object, type, tag and tagger, once each: {shown(raw[:200], 120)}")
    begins = [*_BEGIN.finditer(raw, headers.end())]
    if len(begins) > 1:
        what = f"tag {shown(headers['name'])} carries {len(begins)} signatures where one belongs"
        raise TamperError(what, code="tag-two-signatures", why="git looks at the last one, others at the first")
    name, object_, type_ = _utf8(headers["name"]), headers["object"].decode(), headers["type"].decode()
    if not begins:
        return TagObject(name=name, object=object_, type=type_, scheme="none", payload=raw, signature=b"")
    scheme, end = _signature_kind(begins[0])
    payload, signature = raw[: begins[0].start()], raw[begins[0].start() :].removesuffix(b"\n")
    if not signature.endswith(b"\n" + end) or signature.count(end) != 1:
        raise _malformed(f"it does not end with {end.decode()}")
    return TagObject(name=name, object=object_, type=type_, scheme=scheme, payload=payload, signature=signature)


def _signature_kind(begin: re.Match[bytes]) -> tuple[Scheme, bytes]:
    if begin[1] not in _KINDS:
        raise _malformed(f"it holds a {begin[1].decode()} where a signature belongs")
    return _KINDS[begin[1]]


def _refuse_other(tag: TagObject, name: str) -> None:
    if tag.name != name:
        what = f"the tag object calls itself {shown(tag.name)}, not {shown(name)}"
        raise TamperError(what, code="tag-name", why="a good signature under another name is another tag")
    if tag.type == "tag":
        what = f"tag {name} points at another tag object, {tag.object}"
        raise TamperError(what, code="tag-of-tag", hint=f"git tag -s -f {quote(name)} {quote(f'{name}^{{commit}}')}")
    if tag.type != "commit":
        raise TamperError(f"tag {name} points at a {tag.type}, not at a commit", code="tag-type")


def _judge_openpgp(block: bytes, message: bytes, keys: Sequence[Key]) -> Statement:
    from tagtrail.verify.openpgp import judge_openpgp

    return judge_openpgp(block, message, keys)


def _judge_ssh(block: bytes, message: bytes, keys: Sequence[Key]) -> Statement:
    try:
        signature = parse_sshsig(block.decode("ascii", "replace"))
    except TamperError as error:
        what = f"the SSH signature cannot be read: {error.what}"
        raise TamperError(what, code="tag-malformed", why=error.why) from None
    fingerprint = signature.key.fingerprint
    key = next((k for k in keys if k.scheme == "ssh" and k.material == signature.key.line), None)
    if key is None or key.fingerprint != fingerprint:
        what = f"the signature is by SSH key {fingerprint}, not by one of the allowed signers"
        hint = f"if that person may sign: add {signature.key.line} to a key file under [people]"
        raise TamperError(what, code="tag-signer-unknown", hint=hint)
    _refuse_namespace(signature, key)
    if signature.scheme == "ssh-rsa":
        what = f"the signature by {fingerprint} is made over a SHA-1 digest"
        raise TamperError(what, code="tag-signature-weak", hint="a newer OpenSSH signs with rsa-sha2-512")
    from tagtrail.verify.ssh import ssh_verifies

    try:
        good = ssh_verifies(signature, message)
    except TamperError as error:
        raise TamperError(error.what, code="tag-signature-bad", why=error.why) from None
    if not good:
        why = "the tag was changed or the signature is forged"
        raise TamperError(f"the signature by {fingerprint} is not good", code="tag-signature-bad", why=why)
    return Statement(signer=key)


def _refuse_namespace(signature: SshSignature, key: Key) -> None:
    if signature.namespace != NAMESPACE:
        what = f"the signature is for {shown(signature.namespace)}, not for {NAMESPACE}"
        raise TamperError(what, code="tag-namespace", why="it was made for something else and put here")
    if key.namespaces and NAMESPACE not in key.namespaces:
        what = f"key {key.fingerprint} is for {', '.join(key.namespaces)}, not for {NAMESPACE}"
        raise TamperError(what, code="tag-namespace", hint=f'namespaces="{NAMESPACE}" in its allowed_signers line')


def _refuse_time(statement: Statement, at: int | None) -> None:
    begins = max(filter(None, (statement.begins, statement.signer.valid_after)), default=None)
    for code, moment, word in (
        ("tag-key-revoked", statement.revoked, "is revoked since"),
        ("tag-key-expired", _ends(statement), "expired at"),
    ):
        if at is not None and moment is not None and moment <= at:
            raise _untimely(statement, code, f"{word} {format_time(moment)}", at)
    if at is not None and begins is not None and at < begins:
        raise _untimely(statement, "tag-key-not-yet", f"is valid from {format_time(begins)} on", at)


def _ends(statement: Statement) -> int | None:
    before = statement.signer.valid_before
    times = (statement.expires, None if before is None else before + 1)
    return min((time for time in times if time is not None), default=None)


def _untimely(statement: Statement, code: str, state: str, at: int) -> TamperError:
    what = f"the signer's key {statement.signer.fingerprint} {state}, what counts is {format_time(at)}"
    return TamperError(what, code=code, hint="sign with a valid key, and keep the key files under [people] up to date")


def _malformed(why: str) -> TamperError:
    return TamperError("this is not a tag object as git writes it", code="tag-malformed", why=why)


def _utf8(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise _malformed(f"its name {shown(data)} is not UTF-8") from None

"""Approvals judged: whose signature is over which approval text, and whether that text is of these very bytes, now.

An approval is a signature over an approval text (formats/approval.py): by SSH in the namespace `tagtrail-approval`, or
detached by OpenPGP. It may come alone, then it must be over the text that is asked for; or behind the text that was
signed, so that a refusal can name what differs:

    tagtrail approval v1
    origin releases.example.org/trail
    ...
    -----BEGIN SSH SIGNATURE-----
    ...

Who may approve, how many must, and whether one person came twice is counted elsewhere.
"""

import re
from collections.abc import Sequence

from tagtrail.formats.approval import HEADER, NAMESPACE, ApprovalText, format_approval, parse_approval
from tagtrail.formats.encoding import shown
from tagtrail.formats.sshsig import parse_sshsig
from tagtrail.formats.times import format_time
from tagtrail.model.entry import Key
from tagtrail.model.errors import TamperError
from tagtrail.verify.statement import Statement

__all__ = ["MAX_APPROVAL", "judge_approval", "parted"]

MAX_APPROVAL = 256 * 1024
"""Bytes of the largest approval that is read, its text included."""

_BEGIN = re.compile(rb"^-----BEGIN (SSH|PGP) SIGNATURE-----$", re.MULTILINE)
_SAME = ("origin", "project", "version", "repo", "tag", "settings", "withdraw", "targets", "files")


def parted(data: bytes, text: bytes) -> tuple[bytes, bytes]:
    """What was signed and the signature, of an approval that comes alone (then over `text`) or behind its text.

    Raises TamperError approval-signature-form.
    """
    if len(data) > MAX_APPROVAL:
        raise _unreadable(f"it has {len(data)} bytes, at most {MAX_APPROVAL} are read")
    begins = [*_BEGIN.finditer(data)]
    if len(begins) != 1:
        raise _unreadable(f"it holds {len(begins)} armoured signatures where one belongs")
    start = begins[0].start()
    if start == 0:
        return text, data
    if not data.startswith(HEADER.encode()):
        raise _unreadable(f"what stands before the signature is not `{HEADER}`")
    return data[:start], data[start:]


def judge_approval(signed: bytes, signature: bytes, *, draft: ApprovalText, keys: Sequence[Key], at: int) -> Key:
    """The key of `keys` that approves `draft`, by `signature` over the text `signed`; `at` is now, in Unix seconds.

    Raises TamperError approval-other-*, approval-expired, approval-signature-form, approval-signer-unknown,
    approval-namespace, approval-signature-bad, approval-signature-weak, approval-key-not-yet, approval-key-expired,
    approval-key-revoked; and what `parse_approval` raises.
    """
    text = parse_approval(signed)
    _refuse_other(text, draft)
    if text.expires <= at:
        what = f"the approval expired at {format_time(text.expires)}, now is {format_time(at)}"
        raise TamperError(what, code="approval-expired", hint="tagtrail release makes a new text; approve that one")
    judge = _judge_openpgp if signature.startswith(b"-----BEGIN PGP") else _judge_ssh
    statement = judge(signature, format_approval(text), keys)
    _refuse_time(statement, at)
    return statement.signer


def _refuse_other(text: ApprovalText, draft: ApprovalText) -> None:
    for field in _SAME:
        said, wanted = getattr(text, field), getattr(draft, field)
        if said != wanted:
            about, told = _difference(said, wanted)
            what = f"the approval's {field} {about} {told}"
            why = "any change voids an approval: it is for exactly what it spells out"
            raise TamperError(what, code=f"approval-other-{field}", why=why, hint="tagtrail plan prints the text")


def _difference(said: object, wanted: object) -> tuple[str, str]:
    if isinstance(said, str):
        return f"is {shown(said)},", f"what waits has {shown(str(wanted))}"
    there, here = set(said), set(wanted)  # type: ignore[call-overload]
    missing, surplus = (", ".join(map(_name, sorted(more)[:4])) or "nothing" for more in (here - there, there - here))
    return f"differ: not approved {missing};", f"approved and not here {surplus}"


def _name(item: object) -> str:
    return f"{item[0]} ({item[1][:16]}...)" if isinstance(item, tuple) else str(item)


def _judge_openpgp(block: bytes, message: bytes, keys: Sequence[Key]) -> Statement:
    from tagtrail.verify.openpgp import judge_openpgp

    try:
        return judge_openpgp(block, message, keys)
    except TamperError as error:
        raise _renamed(error) from None


def _renamed(error: TamperError) -> TamperError:
    """What is said of tags, said of an approval."""
    reason = error.code.removeprefix("tag-")
    code = {"malformed": "signature-form", "two-signatures": "signature-form"}.get(reason, reason)
    what = error.what.replace("the allowed signers", "those who may approve")
    return TamperError(what, code=f"approval-{code}", why=error.why.replace("the tag", "the text"))


def _judge_ssh(block: bytes, message: bytes, keys: Sequence[Key]) -> Statement:
    from tagtrail.verify.ssh import ssh_verifies

    try:
        signature = parse_sshsig(block.decode("ascii", "replace").removesuffix("\n"))
    except TamperError as error:
        raise _unreadable(error.what) from None
    fingerprint = signature.key.fingerprint
    key = next((k for k in keys if k.scheme == "ssh" and k.material == signature.key.line), None)
    if key is None or key.fingerprint != fingerprint:
        what = f"the approval is signed by SSH key {fingerprint}, not by one of those who may approve"
        hint = f"if that person may approve: add {signature.key.line} to a key file under [people]"
        raise TamperError(what, code="approval-signer-unknown", hint=hint)
    if signature.namespace != NAMESPACE:
        what = f"the signature is for {shown(signature.namespace)}, not for {NAMESPACE}"
        hint = f"ssh-keygen -Y sign -n {NAMESPACE}"
        raise TamperError(what, code="approval-namespace", why="it was made for something else", hint=hint)
    if key.namespaces and NAMESPACE not in key.namespaces:
        what = f"key {fingerprint} is for {', '.join(key.namespaces)}, not for {NAMESPACE}"
        hint = f'namespaces="git,{NAMESPACE}" in its allowed_signers line'
        raise TamperError(what, code="approval-key-namespace", hint=hint)
    if signature.scheme == "ssh-rsa":
        what = f"the signature by {fingerprint} is made over a SHA-1 digest"
        raise TamperError(what, code="approval-signature-weak", hint="a newer OpenSSH signs with rsa-sha2-512")
    if not ssh_verifies(signature, message):
        why = "it is over another text, or forged"
        raise TamperError(f"the signature by {fingerprint} is not good", code="approval-signature-bad", why=why)
    return Statement(signer=key)


def _refuse_time(statement: Statement, at: int) -> None:
    key = statement.signer
    begins = max(filter(None, (statement.begins, key.valid_after)), default=None)
    before = None if key.valid_before is None else key.valid_before + 1
    expires = min((time for time in (statement.expires, before) if time is not None), default=None)
    for code, moment, word in (
        ("approval-key-revoked", statement.revoked, "is revoked since"),
        ("approval-key-expired", expires, "expired at"),
    ):
        if moment is not None and moment <= at:
            raise TamperError(f"the approver's key {key.fingerprint} {word} {format_time(moment)}", code=code)
    if begins is not None and at < begins:
        what = f"the approver's key {key.fingerprint} is valid from {format_time(begins)} on"
        raise TamperError(what, code="approval-key-not-yet")


def _unreadable(why: str) -> TamperError:
    return TamperError("this is not an approval's signature", code="approval-signature-form", why=why)

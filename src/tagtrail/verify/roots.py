"""Roots of trust opened and followed: the first is believed because a person pinned it, the next because of the last.

A root is a DSSE envelope (formats/root.py). Version N+1 is signed by the threshold of version N's keys and by its own
(TUF specification 1.0, section 5.3); nothing else in the world makes a root trusted.
"""

from hashlib import sha256

from tagtrail.formats import dsse, policy
from tagtrail.formats.encoding import shown
from tagtrail.formats.note import Verifier, parse_vkey
from tagtrail.formats.policy import Policy
from tagtrail.formats.root import MAX_ROOT, PAYLOAD_TYPE, Root, parse_root
from tagtrail.formats.times import format_time
from tagtrail.model.errors import TamperError

__all__ = ["check_current", "is_own", "next_root", "open_root", "policy_of", "root_digest", "root_signers"]


def open_root(envelope: bytes) -> Root:
    """The root in an envelope that somebody trusts by having pinned it: well formed, and signed by its own keys.

    Raises TamperError root-payload-type, root-keys, root-threshold, root-signatures, root-policy, root-form, dsse-*,
    json-*, vkey-*, key-*, time-form.
    """
    opened = _envelope(envelope)
    root = parse_root(opened.payload)
    _check_signed(opened, root, root, "root-signatures")
    policy_of(root)
    return root


def next_root(pinned: Root, envelope: bytes, now: int | None) -> Root:
    """The root that follows `pinned`, signed by both. `now` is in Unix seconds, None for one that is itself followed.

    Raises TamperError as `open_root`, and root-origin, root-version, root-old-signatures, root-expired.
    """
    opened = _envelope(envelope)
    root = parse_root(opened.payload)
    if root.origin != pinned.origin:
        what = f"root {root.version} is of {shown(root.origin)}, the pinned one of {shown(pinned.origin)}"
        raise TamperError(what, code="root-origin")
    if root.version != pinned.version + 1:
        what = f"root {root.version} does not follow root {pinned.version}"
        raise TamperError(what, code="root-version", why="every version is signed by the keys of the one before it")
    _check_signed(opened, root, pinned, "root-old-signatures")
    open_root(envelope)
    if now is not None:
        check_current(root, now)
    return root


def check_current(root: Root, now: int) -> None:
    """Refuse an expired root. Raises TamperError root-expired."""
    if root.expires <= now:
        what = f"root {root.version} of {root.origin} expired at {format_time(root.expires)}"
        raise TamperError(what, code="root-expired", why="a newer one may have withdrawn keys that this one allows")


def policy_of(root: Root) -> Policy:
    """The logs and witnesses that a root believes: logs of its own origin only. Raises TamperError root-policy."""
    try:
        believed = policy.parse(root.policy.encode())
    except (TamperError, UnicodeEncodeError) as error:
        what = f"the policy in root {root.version} cannot be read"
        raise TamperError(what, code="root-policy", why=str(error)) from None
    others = sorted({log.verifier.name for log in believed.logs} - {root.origin})
    if others or not believed.logs:
        what = f"the policy in root {root.version} names {', '.join(others) or 'no log'}, its origin is {root.origin}"
        raise TamperError(what, code="root-policy")
    return believed


def is_own(witness: str, origin: str) -> bool:
    """Whether a witness, by its key's name, is run by the log's own operator: both begin with the same host.

    `releases.example.org/w1` is nobody else's eye on the log `releases.example.org/trail`.
    """
    return witness.partition("/")[0].casefold() == origin.partition("/")[0].casefold()


def root_digest(envelope: bytes) -> str:
    """What `trust` shows and `--fingerprint` takes: `sha256:` and the payload's SHA-256, which no signature changes.

    Raises TamperError dsse-*, json-*, root-payload-type.
    """
    return f"sha256:{sha256(_envelope(envelope).payload).hexdigest()}"


def root_signers(envelope: bytes) -> tuple[str, ...]:
    """The vkeys of those root keys that signed the root in an envelope: a key that is only listed vouches for nothing.

    Raises TamperError as `open_root`.
    """
    root = open_root(envelope)
    return tuple(key.vkey() for key in dsse.verify(_envelope(envelope), _keys(root), root.threshold))


def _keys(root: Root) -> tuple[Verifier, ...]:
    """The keys that sign this root and the next. Raises TamperError root-keys, vkey-*, key-*."""
    keys = tuple(parse_vkey(key) for key in root.keys)
    values = {key.key for key in keys}
    if len(values) != len(keys) or any(key.name != root.origin for key in keys):
        what = f"root {root.version} has {len(keys)} keys of {len(values)} values"
        why = f"each stands once and is named {root.origin}"
        raise TamperError(what, code="root-keys", why=why)
    return keys


def _envelope(data: bytes) -> dsse.Envelope:
    envelope = dsse.parse(data, 2 * MAX_ROOT)
    if envelope.payload_type != PAYLOAD_TYPE:
        what = f"the envelope holds {shown(envelope.payload_type)}, not a root of trust"
        raise TamperError(what, code="root-payload-type")
    return envelope


def _check_signed(envelope: dsse.Envelope, root: Root, signer: Root, code: str) -> None:
    """The signatures on `root` by the threshold of `signer`'s keys."""
    try:
        dsse.verify(envelope, _keys(signer), signer.threshold)
    except TamperError as error:
        if not error.code.startswith("dsse-"):
            raise
        what = f"root {root.version} of {root.origin} is not signed by {signer.threshold} keys of root {signer.version}"
        raise TamperError(what, code=code, why=error.what) from None

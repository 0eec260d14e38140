"""What one `keys` command changes in a root: a function for each, from root to root.

An old key of a log, a release or a builder stays for what it signed. A stolen log key goes at once (`alone`), for it
could sign the past anew; a stolen release or builder key counts for entries before an index (`until`), which the trail
holds fast.
"""

from collections.abc import Iterable

from tagtrail.formats import policy
from tagtrail.formats.note import Verifier, parse_vkey
from tagtrail.formats.policy import Log
from tagtrail.formats.root import Root
from tagtrail.model.errors import SetupError, TamperError
from tagtrail.model.facts import Key
from tagtrail.model.frozen import replace
from tagtrail.verify.roots import policy_of

__all__ = ["with_builder", "with_log", "with_release", "with_root_key", "with_threshold", "without"]


def with_log(root: Root, key: Verifier, *, alone: bool = False) -> Root:
    """The trail is signed by `key` from here on."""
    believed = policy_of(root)
    url = believed.logs[-1].url
    others = () if alone else tuple(log for log in believed.logs if log.verifier != key)
    return _policed(root, replace(believed, logs=(*others, Log(verifier=key, url=url))))


def with_release(root: Root, key: Key, *, until: int | None = None) -> Root:
    """Files are signed by `key` from here on: it comes first. The old ones count `until` an index, or for good."""
    others = tuple(other for other in root.release if other.fingerprint != key.fingerprint)
    return _ended(replace(root, release=(key, *others)), [other.fingerprint for other in others], until)


def with_builder(root: Root, key: Verifier, *, until: int | None = None) -> Root:
    """Provenance is signed by `key` from here on; as `with_release`."""
    others = tuple(other for other in root.builders if other != key.vkey())
    return _ended(replace(root, builders=(*others, key.vkey())), others, until)


def with_root_key(root: Root, vkey: str, *, instead: str = "") -> Root:
    """One more key that signs roots, or one `instead` of another. Raises SetupError `root-key`."""
    try:
        key = parse_vkey(vkey)
    except TamperError as error:
        raise _no_root_key(vkey, error.what) from None
    if key.name != root.origin or key.scheme.timed:
        raise _no_root_key(vkey, f"a root key is an Ed25519 key named {root.origin}")
    if key.key in {parse_vkey(known).key for known in root.keys}:
        raise _no_root_key(vkey, f"root {root.version} has that key")
    return replace(
        root, keys=tuple(vkey if known == instead else known for known in root.keys) + (vkey,) * (not instead)
    )


def with_threshold(root: Root, threshold: int | None) -> Root:
    """`threshold` of the root's keys sign the next root. Raises SetupError `threshold`."""
    threshold = threshold or root.threshold
    if not 1 <= threshold <= len(root.keys):
        what = f"{threshold} of {len(root.keys)} root keys cannot sign"
        raise SetupError(what, code="threshold", hint=f"--threshold from 1 to {len(root.keys)}")
    return replace(root, threshold=threshold)


def without(root: Root, role: str, key: str, *, used: str) -> Root:
    """A key no longer believed; `used` is the one that signs here. Raises SetupError `key-unknown`, `key-in-use`."""
    known = {
        "root": root.keys,
        "log": tuple(log.verifier.vkey() for log in policy_of(root).logs),
        "release": tuple(k.fingerprint for k in root.release),
        "builder": root.builders,
    }[role]
    found = [name for name in known if key in (name, _short(name))]
    if len(found) != 1:
        what = f"root {root.version} has no {role} key {key}"
        raise SetupError(what, code="key-unknown", why=f"it has {', '.join(known)}", hint="tagtrail keys show")
    if found[0] == used or len(known) == 1:
        what = f"{found[0]} is the {role} key that signs here"
        raise SetupError(what, code="key-in-use", hint=f"tagtrail keys rotate {role} --stolen, or rotate first")
    return _removed(root, role, found[0])


def _ended(root: Root, names: Iterable[str], until: int | None) -> Root:
    ended = {} if until is None else dict.fromkeys(names, until)
    return replace(root, until=tuple(sorted((ended | dict(root.until)).items())))


def _removed(root: Root, role: str, name: str) -> Root:
    if role == "root":
        return replace(root, keys=tuple(key for key in root.keys if key != name))
    root = replace(root, until=tuple((key, index) for key, index in root.until if key != name))
    if role == "builder":
        return replace(root, builders=tuple(key for key in root.builders if key != name))
    if role == "release":
        return replace(root, release=tuple(key for key in root.release if key.fingerprint != name))
    believed = policy_of(root)
    return _policed(root, replace(believed, logs=tuple(k for k in believed.logs if k.verifier.vkey() != name)))


def _policed(root: Root, believed: policy.Policy) -> Root:
    return replace(root, policy=believed.encode().decode())


def _short(name: str) -> str:
    """The eight digits of a vkey's key id: what people type."""
    return name.split("+")[1] if "+" in name else name


def _no_root_key(vkey: str, why: str) -> SetupError:
    hint = "tagtrail keys make FILE --origin ORIGIN prints one"
    return SetupError(f"{vkey[:120]} cannot be a root key", code="root-key", why=why, hint=hint)

r"""The root of trust: what a consumer pins by hand, as canonical JSON in a DSSE envelope signed by m of n root keys.

    payloadType  application/vnd.tagtrail.root.v1+json
    payload      {"_type": "https://tagtrail.dev/root/v1", "origin": "releases.example.org/trail", "version": 1,
                  "expires": "2036-11-22T00:00:00Z",
                  "root": {"threshold": 1, "keys": ["<vkey>", ...]},            who may sign this root and the next one
                  "policy": "log <vkey>\nquorum none\n",                   C2SP tlog-policy: logs and witnesses
                  "release": [{"fingerprint": "...", "certificate": "..."}],      OpenPGP primaries that sign files
                  "builders": ["<vkey>", ...],
                  "keys": {"<fingerprint>": {"scheme": "ssh", "material": "ssh-ed25519 AAAA..."}},   people's keys
                  "until": {"<fingerprint or vkey>": 12},      stolen release and builder keys, by trail index
                  "signers": {"nova": [{"key": "<fingerprint>", "from": 0, "until": 12}]},   by trail index
                  "freezes": [{"size": 4, "root": "<base64>"}]}

`until` is there where it says something: what such a key signed counts for entries before that index.
Keys of people carry `valid-after` and `valid-before` (RFC 3339) where their allowed_signers line did. Root keys are
vkeys (C2SP signed-note) named after the origin; the DSSE keyid is the vkey's key hash in hex. Version N+1 is signed by
the threshold of version N's keys and by its own (TUF specification 1.0, 5.3). It names no person: keys only.
"""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from tagtrail.formats import canonical
from tagtrail.formats.encoding import HASH_SIZE, base64_decode, base64_encode
from tagtrail.formats.times import format_time, parse_time
from tagtrail.model.entry import Key
from tagtrail.model.errors import TamperError
from tagtrail.model.frozen import frozen

__all__ = ["PAYLOAD_TYPE", "ROOT_TYPE", "Allowed", "Freeze", "Root", "format_root", "parse_root"]

PAYLOAD_TYPE = "application/vnd.tagtrail.root.v1+json"
ROOT_TYPE = "https://tagtrail.dev/root/v1"
MAX_ROOT = 16 * 1024 * 1024
T = TypeVar("T")


@frozen
class Allowed:
    """A key may sign a project's tags from trail index `start` (inclusive) to `until` (exclusive; None: open)."""

    key: str
    start: int = 0
    until: int | None = None


@frozen
class Freeze:
    """A tree that a stolen log key cannot change: `size` leaves under exactly `root`."""

    size: int
    root: bytes


@frozen
class Root:
    """A root's payload. `expires` is in Unix seconds; `keys` are vkeys; `release` and `people` are public keys."""

    origin: str
    version: int
    expires: int
    threshold: int
    keys: tuple[str, ...]
    policy: str
    release: tuple[Key, ...] = ()
    builders: tuple[str, ...] = ()
    until: tuple[tuple[str, int], ...] = ()
    people: tuple[Key, ...] = ()
    signers: tuple[tuple[str, tuple[Allowed, ...]], ...] = ()
    freezes: tuple[Freeze, ...] = ()

    def allowed(self, project: str, index: int) -> tuple[Key, ...]:
        """The keys whose signature on a tag of `project` counts for an entry at `index`."""
        valid = {
            a.key
            for a in dict(self.signers).get(project, ())
            if a.start <= index and (a.until is None or index < a.until)
        }
        return tuple(k for k in self.people if k.fingerprint in valid)

    def release_at(self, index: int) -> tuple[Key, ...]:
        """The OpenPGP keys whose signature on a file counts for an entry at `index`."""
        return tuple(key for key in self.release if self._counts(key.fingerprint, index))

    def builders_at(self, index: int) -> tuple[str, ...]:
        """The vkeys of the builders whose word counts for an entry at `index`."""
        return tuple(vkey for vkey in self.builders if self._counts(vkey, index))

    def _counts(self, name: str, index: int) -> bool:
        return index < dict(self.until).get(name, index + 1)


def format_root(root: Root) -> bytes:
    """The payload's bytes."""
    return canonical.dumps(
        {
            "_type": ROOT_TYPE,
            "origin": root.origin,
            "version": root.version,
            "expires": format_time(root.expires),
            "root": {"threshold": root.threshold, "keys": list(root.keys)},
            "policy": root.policy,
            "release": [{"fingerprint": k.fingerprint, "certificate": k.material} for k in root.release],
            "builders": list(root.builders),
            "keys": {k.fingerprint: _key_json(k) for k in root.people},
            "signers": {project: [_allowed_json(a) for a in allowed] for project, allowed in root.signers},
            "freezes": [{"size": f.size, "root": base64_encode(f.root)} for f in root.freezes],
        }
        | ({"until": dict(root.until)} if root.until else {})
    )


def parse_root(payload: bytes) -> Root:
    """A root from its payload; anything but what `format_root` writes is a TamperError (`root-*`, `json-*`,
    `time-form`)."""
    value: Any = canonical.loads(payload, MAX_ROOT)
    try:
        root = _root(value)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise TamperError("not a root of trust", code="root-form", why=f"{type(error).__name__}: {error}") from error
    if format_root(root) != payload:
        raise TamperError("not a root of trust (another type, other fields or another order)", code="root-form")
    if not 1 <= root.threshold <= len(root.keys) or len(set(root.keys)) < len(root.keys) or root.version < 1:
        raise TamperError(f"root {root.version} wants {root.threshold} of {len(root.keys)} keys", code="root-threshold")
    return root


def _root(value: Mapping[str, Any]) -> Root:
    return Root(
        origin=_of(str, value["origin"]),
        version=_of(int, value["version"]),
        expires=parse_time(_of(str, value["expires"])),
        threshold=_of(int, value["root"]["threshold"]),
        keys=_strings(value["root"]["keys"]),
        policy=_of(str, value["policy"]),
        release=tuple(_release(k) for k in value["release"]),
        builders=_strings(value["builders"]),
        until=tuple((_of(str, name), _of(int, index)) for name, index in value.get("until", {}).items()),
        people=tuple(_key(fingerprint, k) for fingerprint, k in value["keys"].items()),
        signers=tuple((project, tuple(_allowed(a) for a in allowed)) for project, allowed in value["signers"].items()),
        freezes=tuple(_freeze(f) for f in value["freezes"]),
    )


def _freeze(value: Mapping[str, Any]) -> Freeze:
    freeze = Freeze(size=_of(int, value["size"]), root=base64_decode(_of(str, value["root"]), "root-freeze"))
    if freeze.size < 0 or len(freeze.root) != HASH_SIZE:
        raise TamperError(f"a freeze of {freeze.size} leaves under {len(freeze.root)} bytes", code="root-freeze")
    return freeze


def _of(kind: type[T], value: object) -> T:
    if type(value) is not kind:
        message = f"{kind.__name__} expected, {type(value).__name__} found"
        raise TypeError(message)
    return value


def _strings(values: Iterable[object]) -> tuple[str, ...]:
    return tuple(_of(str, v) for v in values)


def _key_json(key: Key) -> dict[str, str]:
    times = {"valid-after": key.valid_after, "valid-before": key.valid_before}
    return {"scheme": key.scheme, "material": key.material} | {
        k: format_time(t) for k, t in times.items() if t is not None
    }


def _key(fingerprint: str, value: Mapping[str, Any]) -> Key:
    if value["scheme"] not in ("openpgp", "ssh"):
        message = f"unknown scheme {value['scheme']!r}"
        raise ValueError(message)
    return Key(
        fingerprint=fingerprint,
        scheme=value["scheme"],
        material=_of(str, value["material"]),
        valid_after=parse_time(value["valid-after"]) if "valid-after" in value else None,
        valid_before=parse_time(value["valid-before"]) if "valid-before" in value else None,
    )


def _release(value: Mapping[str, Any]) -> Key:
    return Key(fingerprint=_of(str, value["fingerprint"]), scheme="openpgp", material=_of(str, value["certificate"]))


def _allowed_json(allowed: Allowed) -> dict[str, Any]:
    return {"key": allowed.key, "from": allowed.start} | ({} if allowed.until is None else {"until": allowed.until})


def _allowed(value: Mapping[str, Any]) -> Allowed:
    until = _of(int, value["until"]) if "until" in value else None
    return Allowed(key=_of(str, value["key"]), start=_of(int, value["from"]), until=until)

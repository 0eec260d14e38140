"""Which keys are one person's: who approves once with each of two keys has approved once.

A key is known under names: the addresses of an OpenPGP certificate, the principals of an `allowed_signers` line, the
file itself where it holds bare SSH key lines. Keys that share a name are one person's, also by way of a third key. So a
name too many counts somebody less, never twice.
"""

import re
from collections.abc import Iterable, Mapping

from tagtrail.formats.allowed_signers import parse_allowed_signers
from tagtrail.model.entry import Key
from tagtrail.model.errors import SetupError
from tagtrail.model.names import fold

__all__ = ["Names", "names_in", "persons"]

Names = Mapping[str, frozenset[str]]
"""Fingerprint to the names under which the key is known."""


def names_in(data: bytes, keys: Iterable[Key], file: str) -> dict[str, frozenset[str]]:
    """The names of `keys`, which were read from `data`; `file` is how the settings call it."""
    lines = {} if b"PGP" in data[:4096] else _principals(data)
    return {
        key.fingerprint: _addresses(key) if key.scheme == "openpgp" else lines.get(key.fingerprint, frozenset({file}))
        for key in keys
    }


def persons(names: Names) -> dict[str, str]:
    """Fingerprint to one fingerprint for all keys of a person."""
    groups: list[tuple[set[str], set[str]]] = []  # names, fingerprints
    for fingerprint, known in names.items():
        mine = (set(known), {fingerprint})
        apart = []
        for group in groups:
            if group[0] & mine[0]:
                mine = (mine[0] | group[0], mine[1] | group[1])
            else:
                apart.append(group)
        groups = [*apart, mine]
    return {fingerprint: min(keys) for _, keys in groups for fingerprint in keys}


def _principals(data: bytes) -> dict[str, frozenset[str]]:
    try:
        signers = parse_allowed_signers(data)
    except SetupError:
        return {}  # bare key lines
    return {s.key.fingerprint: frozenset(fold(name) for name in s.principals.split(",")) for s in signers}


def _addresses(key: Key) -> frozenset[str]:
    from pysequoia import Cert

    try:
        users = [str(user) for user in Cert.from_bytes(key.material.encode()).user_ids]
    except Exception:  # noqa: BLE001  (pysequoia has no error type of its own)
        users = []
    return frozenset(fold(found[1] if (found := re.search(r"<([^<>]+)>", user)) else user) for user in users)

"""`tagtrail trust`: show a site's root of trust and pin it; a newer one is pinned because the pinned one's keys say so.

A fingerprint is `sha256:` and 64 hexadecimal digits. It is that of the root (SHA-256 of the envelope's payload) or of a
root key that signed it (SHA-256 of its vkey line, without newline); both can be computed with stock tools:

    jq -r .payload root.json | base64 -d | sha256sum
    printf %s 'releases.example.org/trail+0f1e2d3c+AQ...' | sha256sum
"""

import argparse
import sys
import time
from collections.abc import Callable
from hashlib import sha256

from tagtrail.app.consumer.places import place
from tagtrail.app.consumer.trust_store import TrustStore
from tagtrail.app.terminal.console import Console
from tagtrail.formats.root import MAX_ROOT, Root
from tagtrail.formats.times import format_time
from tagtrail.model.errors import SetupError, TamperError
from tagtrail.verify.roots import check_current, is_own, next_root, open_root, policy_of, root_digest, root_signers

__all__ = ["arguments", "run"]

Fetch = Callable[[str], bytes | None]
"""The file of that name under /trail/, or None."""

_LIMIT = 2 * MAX_ROOT
_LONGEST = 1000
"""Roots between the pinned one and the newest that are followed."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """URL or DIR, and how to agree without a terminal."""
    parser.add_argument("where", metavar="URL|DIR", help="a site: its address, or a copy of it on this disk")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--fingerprint", metavar="SHA256", help="pin if this is the root's fingerprint, or a root key's")
    how.add_argument("--yes", action="store_true", help="pin whatever is there: trust on first use")


def run(args: argparse.Namespace, console: Console) -> int:
    """Show, ask, pin; 0 if the root is pinned."""
    site = place(args.where)
    where = site.where

    def fetch(name: str) -> bytes | None:
        return site.read(f"trail/{name}", _LIMIT)

    envelope = fetch("root.json")
    if envelope is None:
        hint = "a site has trail/root.json from its first release on"
        raise SetupError(f"{where} has no trail/root.json", code="no-root", hint=hint)
    root, now = open_root(envelope), int(time.time())  # noqa: TID251  (wiring would load every adapter)
    check_current(root, now)
    store = TrustStore.standard()
    pinned = store.root(root.origin)
    console.tell("root", _fields(root, envelope, args.where))
    if args.fingerprint is not None:
        _check_fingerprint(args.fingerprint, root, envelope)
    if pinned is not None:
        _follow(pinned, store.envelope(root.origin) or b"", root, envelope, fetch, now)
    elif args.fingerprint is None and not args.yes:
        _ask(root, args.where)
    path = store.pin(root, envelope, where)
    said = {
        "origin": root.origin,
        "version": root.version,
        "path": str(path),
        "before": pinned.version if pinned else None,
    }
    console.tell("pinned", said)
    return 0


def _check_fingerprint(given: str, root: Root, envelope: bytes) -> None:
    known = {root_digest(envelope): "root"} | {_of_key(key): "key" for key in root_signers(envelope)}
    if given.lower() not in known:
        raise TamperError(
            f"the root of {root.origin} has fingerprint {root_digest(envelope)}, expected was {given.lower()}",
            code="fingerprint-mismatch",
            why=f"nor did a key of that fingerprint sign it: {', '.join(k for k, v in known.items() if v == 'key')}",
        )


def _of_key(vkey: str) -> str:
    return f"sha256:{sha256(vkey.encode()).hexdigest()}"


def _follow(pinned: Root, had: bytes, root: Root, envelope: bytes, fetch: Fetch, now: int) -> None:
    """Refuse whatever the pinned root's keys did not lead to. Raises TamperError root-*."""
    if root.version < pinned.version:
        what = f"the site shows root {root.version}, root {pinned.version} is pinned"
        raise TamperError(what, code="root-rollback", why="an old root may allow keys that were withdrawn since")
    if root.version == pinned.version and root_digest(envelope) != root_digest(had):
        what = (
            f"two roots {root.version} of {root.origin}: {root_digest(had)} is pinned, {root_digest(envelope)} is there"
        )
        raise TamperError(what, code="root-fork", why="one of them is forged, or its keys were used twice")
    if root.version - pinned.version > _LONGEST:
        what = f"root {root.version} is more than {_LONGEST} versions after the pinned one, {pinned.version}"
        raise TamperError(what, code="root-unreachable")
    current = pinned
    for version in range(pinned.version + 1, root.version):
        step = fetch(f"{version}.root.json")
        if step is None:
            what = (
                f"{version}.root.json, between the pinned root {pinned.version} and root {root.version}, is not there"
            )
            raise TamperError(
                what, code="root-unreachable", why="every root is signed by the keys of the one before it"
            )
        current = next_root(current, step, None)
    if root.version > current.version:
        next_root(current, envelope, now)


def _ask(root: Root, where: str) -> None:
    if not sys.stdin.isatty():
        raise SetupError(
            f"nobody is here to say whether the root of {root.origin} is the right one",
            code="no-terminal",
            hint=f"tagtrail trust {where} --fingerprint sha256:... as its people published it elsewhere, or --yes",
        )
    sys.stderr.write(
        f"pin this root for {root.origin}? Compare a fingerprint with what its people published elsewhere [y/N] "
    )
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        hint = "ask the project for its root over another way, then answer y; or --yes once you know it"
        raise SetupError("nothing was pinned", code="not-pinned", hint=hint)


def _fields(root: Root, envelope: bytes, where: str) -> dict[str, object]:
    believed = policy_of(root)
    return {
        "origin": root.origin,
        "where": where,
        "version": root.version,
        "expires": format_time(root.expires),
        "fingerprint": root_digest(envelope),
        "threshold": root.threshold,
        "keys": [{"fingerprint": _of_key(key), "vkey": key} for key in root.keys],
        "logs": [log.verifier.vkey() for log in believed.logs],
        "witnesses": [witness.verifier.vkey() for witness in believed.witnesses],
        "own_witnesses": [w.verifier.vkey() for w in believed.witnesses if is_own(w.verifier.name, root.origin)],
        "quorum": believed.quorum,
        "release": [key.fingerprint for key in root.release],
        "signers": {project: [a.key for a in allowed if a.until is None] for project, allowed in root.signers},
    }

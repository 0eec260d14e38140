"""A root on its way into the trail: entered where the keys here suffice, else a draft for others to sign."""

import argparse
from hashlib import sha256
from pathlib import Path

from tagtrail.app.commands.keys.words import end
from tagtrail.app.instance.home import Home, spoken
from tagtrail.app.instance.private import install, laid_aside, note_key
from tagtrail.app.instance.wiring import open_road
from tagtrail.app.terminal.console import Console
from tagtrail.formats import dsse
from tagtrail.formats.note import AnySigner
from tagtrail.formats.root import PAYLOAD_TYPE, Root, parse_root
from tagtrail.io import durable
from tagtrail.model.errors import ProjectError, RemoteError
from tagtrail.trail.keys import current_root
from tagtrail.workflows.keys import agreement, carry, enter, waiting
from tagtrail.workflows.road import Road
from tagtrail.workflows.roots import log_keys, signed

__all__ = ["agreed", "carried", "drafted", "entered", "tell_draft"]


def agreed(
    args: argparse.Namespace,
    at: Home,
    road: Road,
    old: Root | None,
    new: Root,
    console: Console,
    *also: AnySigner,
) -> int:
    """Enter the root if the keys here suffice, else write it for others to sign."""
    envelope = signed(road, old, new)
    envelope = dsse.sign(PAYLOAD_TYPE, envelope.payload, also, others=envelope.signatures)
    if waiting(old, envelope):
        path = (args.draft or at.path / "state" / f"{new.version}.root.draft.json").absolute()
        return drafted(path, old, envelope, console)
    return entered(at, road, envelope, console)


def drafted(path: Path, old: Root | None, envelope: dsse.Envelope, console: Console) -> int:
    """Write a root down for others to sign, and say how."""
    durable.write(path, envelope.encode() + b"\n")
    tell_draft(path, old, envelope, console)
    following = f"tagtrail keys sign {spoken(path)} --key SECRET   (each with a root key, wherever that lies)"
    text = "nothing is changed yet: more root keys must sign this root"
    return end(console, 4, "waiting", text, f"{following}\ntagtrail keys submit {spoken(path)}")


def tell_draft(path: Path, old: Root | None, envelope: dsse.Envelope, console: Console) -> None:
    """Who signed a draft, and how many must."""
    new = parse_root(envelope.payload)
    counts = [{"root": version, "have": have, "need": need} for version, have, need in agreement(old, envelope)]
    fields = {"path": str(path), "origin": new.origin, "version": new.version}
    console.tell(
        "draft", fields | {"fingerprint": f"sha256:{sha256(envelope.payload).hexdigest()}", "signatures": counts}
    )


def entered(at: Home, road: Road, envelope: dsse.Envelope, console: Console) -> int:
    """Enter a root that enough keys signed, and carry it."""
    root = parse_root(envelope.payload)
    try:
        enter(road, envelope, _log_of(at, road, root))
    except RemoteError as error:
        current = current_root(road.ledger, road.kept)
        if error.code != "quorum-unmet":
            raise
        return _unmet(error, entered=current == root, console=console)
    finally:
        install(at, current_root(road.ledger, road.kept))
    return carried(open_road(at.path, tell=console.tell), f"root {root.version} is in the trail", console)


def _unmet(error: RemoteError, *, entered: bool, console: Console) -> int:
    console.tell("waiting", {"for": "witnesses", "what": error.what, "why": error.why})
    if entered:
        text = "the root is in the trail; nobody is shown it before the witnesses have seen it"
        return end(console, 4, "waiting", text, "tagtrail keys reprove")
    return end(console, 4, "waiting", "nothing is changed yet", error.hint)


def carried(road: Road, what: str, console: Console) -> int:
    """Bring the site to the trail's root."""
    where = road.site.url or "SITE"
    try:
        again = carry(road)
    except RemoteError as error:
        if error.code != "quorum-unmet":
            raise
        return _unmet(error, entered=True, console=console)
    text = f"{what}; {again.written} proofs issued again" if again.written else what
    if again.waiting:
        told = f"{text}, {again.waiting} of them not visible yet"
        return end(console, 4, "waiting", told, f"bring the site to {road.site.url}, then: tagtrail keys reprove")
    return end(console, 0, "complete", f"{text}; whoever pinned an older root follows", f"tagtrail trust {where}")


def _log_of(at: Home, road: Road, root: Root) -> AnySigner:
    """The log key here that the next root names. Raises ProjectError `key-not-in-root`."""
    name = laid_aside(at, "log")
    known = [*([note_key(at, name)] if name else []), road.log]
    found = [key for key in known if key.verifier in log_keys(root)]
    if not found:
        what = f"root {root.version} does not name the log key here, {road.log.verifier.vkey()}"
        why = "nobody would believe what it signs"
        raise ProjectError(what, code="key-not-in-root", why=why, hint="tagtrail keys rotate log")
    return found[0]

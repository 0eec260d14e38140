"""`keys renew`, `add`, `retire`, `freeze`, `rotate` and `reprove`: the next root, and what signs it."""

import argparse

from tagtrail.app.commands.keys.enter import agreed, carried
from tagtrail.app.commands.keys.words import end, opened, take_words, usage
from tagtrail.app.instance.home import Home, find_home
from tagtrail.app.instance.private import FILES, laid_aside, make, note_key
from tagtrail.app.instance.reading import read_settings
from tagtrail.app.instance.wiring import open_road
from tagtrail.app.terminal.console import Console
from tagtrail.formats.note import AnySigner
from tagtrail.formats.root import Root
from tagtrail.model.errors import SetupError
from tagtrail.model.facts import Key
from tagtrail.workflows.keys import differs, frozen, next_of
from tagtrail.workflows.rekey import with_builder, with_log, with_release, with_root_key, with_threshold, without
from tagtrail.workflows.road import Road
from tagtrail.workflows.roots import fits, log_keys

__all__ = ["add", "freeze", "renew", "reprove", "retire", "rotate"]

_ROLES = ("log", "release", "builder", "root")


def renew(args: argparse.Namespace, console: Console) -> int:
    """The next root, as the settings ask for it."""
    take_words(args, 0, "renew")
    at, road = opened(args, console)
    old, new = next_of(road)
    return agreed(args, at, road, old, frozen(road, new), console)


def add(args: argparse.Namespace, console: Console) -> int:
    """One more root key, or another threshold."""
    take_words(args, (1, 2), "add root VKEY [--threshold M]")
    if args.words[0] != "root" or (len(args.words) == 1 and args.threshold is None):
        raise usage("keys add root VKEY [--threshold M]; other keys are made here: keys rotate")
    at, road = opened(args, console)
    old, new = next_of(road)
    new = with_root_key(new, args.words[1]) if len(args.words) > 1 else new
    return agreed(args, at, road, old, with_threshold(new, args.threshold), console)


def retire(args: argparse.Namespace, console: Console) -> int:
    """An old key is believed no more."""
    take_words(args, 2, "retire log|release|builder|root KEY")
    role = _role(args)
    at, road = opened(args, console)
    old, new = next_of(road)
    used = "" if role == "root" else _here(road, role)
    new = with_threshold(without(new, role, args.words[1], used=used), args.threshold)
    return agreed(args, at, road, old, frozen(road, new), console)


def freeze(args: argparse.Namespace, console: Console) -> int:
    """The tree that is shown now, for ever."""
    take_words(args, 0, "freeze")
    at, road = opened(args, console)
    old, new = next_of(road)
    return agreed(args, at, road, old, frozen(road, new, always=True), console)


def rotate(args: argparse.Namespace, console: Console) -> int:
    """A new key in an old one's place."""
    role = _role(args)
    take_words(args, (1, 2) if role == "root" else 1, "rotate log|release|builder, or rotate root [KEY]")
    at = Home(path=find_home(args.home))
    elsewhere = role in dict(read_settings(at.path).keys)
    if not elsewhere and not at.holds(FILES[role]):  # lost: what takes its place signs nothing before a root names it
        make(at, role, _origin(at), at_once=True)
    road = open_road(at.path, tell=console.tell)
    old, new = next_of(road)
    if role == "root":
        return _rotate_root(args, at, road, old, new, console)
    if _here(road, role) in _named(old or new, role):
        if elsewhere:
            what = f"the {role} key is with an SSH agent: only you can make a new one"
            hint = f"ssh-add NEW-KEY, name its .pub file in [keys] {role}, then run it again"
            raise SetupError(what, code="key-elsewhere", hint=hint)
        make(at, role, road.site.origin, at_once=args.stolen)
        road = open_road(at.path, tell=console.tell)
        new = next_of(road)[1]
    name = laid_aside(at, role) or FILES[role]
    head = road.ledger.committed()
    until = head.size if args.stolen and head else None
    if role == "release":
        return agreed(args, at, road, old, with_release(new, _release_key(at, name), until=until), console)
    verifier = (note_key(at, name) if laid_aside(at, role) else _signers(road)[role]).verifier
    if role == "builder":
        return agreed(args, at, road, old, with_builder(new, verifier, until=until), console)
    if road.trust.witnesses:
        gone = ", and to know the old one no more" if args.stolen else ""
        console.line(f"tell the operators of your witnesses to know the log's new key, {verifier.vkey()}{gone}")
    new = frozen(road, with_log(new, verifier, alone=args.stolen), always=args.stolen)
    return agreed(args, at, road, old, new, console)


def _release_key(at: Home, name: str) -> Key:
    from tagtrail.adapters.openpgp import OpenPGP

    signer = OpenPGP(at.secret(name))
    return Key(fingerprint=signer.fingerprint, scheme="openpgp", material=signer.certificate)


def _rotate_root(args: argparse.Namespace, at: Home, road: Road, old: Root | None, new: Root, console: Console) -> int:
    """A new root key here instead of the old one here, or of the one that is named."""
    own = road.root.verifier.vkey() if road.root else ""
    instead = next((k for k in new.keys if len(args.words) > 1 and args.words[1] in (k, k.split("+")[1])), own)
    if instead not in new.keys:
        what = f"root {new.version - 1} has no key {(args.words[1:] or [own])[0]}"
        raise SetupError(what, code="key-unknown", hint="tagtrail keys show; tagtrail keys rotate root KEY")
    if own in new.keys and "root" not in dict(road.settings.keys):
        make(at, "root", road.site.origin, at_once=False)
    name = laid_aside(at, "root")
    key = note_key(at, name) if name else road.root
    if key is None:
        raise SetupError("there is no root key here", code="key-missing", hint="tagtrail keys make FILE")
    return agreed(args, at, road, old, with_root_key(new, key.verifier.vkey(), instead=instead), console, key)


def reprove(args: argparse.Namespace, console: Console) -> int:
    """Issue again what changed witnesses or log keys made void."""
    take_words(args, 0, "reprove")
    at, road = opened(args, console)
    old, new = next_of(road)
    if old is None:
        return end(console, 0, "complete", "nothing is logged yet", "")
    new = frozen(road, new)
    if differs(old, new):
        return agreed(args, at, road, old, new, console)
    from tagtrail.workflows.reprove import rebase

    if not fits(road.ledger, old):
        rebase(road)
    return carried(road, f"root {old.version} stays", console)


def _origin(at: Home) -> str:
    return read_settings(at.path).org.origin


def _signers(road: Road) -> dict[str, AnySigner]:
    return {"log": road.log, "builder": road.builder_key}


def _here(road: Road, role: str) -> str:
    return road.signer.fingerprint if role == "release" else _signers(road)[role].verifier.vkey()


def _named(root: Root, role: str) -> tuple[str, ...]:
    if role == "release":
        return tuple(key.fingerprint for key in root.release)
    return root.builders if role == "builder" else tuple(key.vkey() for key in log_keys(root))


def _role(args: argparse.Namespace) -> str:
    role = args.words[0] if args.words else ""
    if role not in _ROLES:
        raise usage(f"keys {args.verb} needs one of {', '.join(_ROLES)}, not {role!r}")
    return str(role)

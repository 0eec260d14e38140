"""`tagtrail keys`: the root of trust and the keys it names, shown and changed; docs/keys.md is the runbook.

A command that changes the root signs the next one with the root key here. Where that is enough the root is entered in
the trail at once; else it is written to a file, which others sign (`keys sign`) and anybody submits (`keys submit`).
"""

import argparse
import secrets
import sys
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

from tagtrail.app.consumer.beside import read_small
from tagtrail.app.instance.home import Home, find_home, spoken
from tagtrail.app.instance.keyring import export, tell_here, tell_keys, tell_root, warnings
from tagtrail.app.instance.private import FILES, install, laid_aside, make, note_key
from tagtrail.app.instance.reading import read_settings
from tagtrail.app.instance.wiring import now, open_road
from tagtrail.app.terminal.console import Console
from tagtrail.formats import dsse
from tagtrail.formats.forms import origin_fault
from tagtrail.formats.note import AnySigner, Signer, parse_skey
from tagtrail.formats.root import MAX_ROOT, PAYLOAD_TYPE, Root, parse_root
from tagtrail.io import durable
from tagtrail.model.errors import ProjectError, RemoteError, SetupError, TamperError
from tagtrail.model.facts import Key
from tagtrail.trail.keys import current_root, root_envelope
from tagtrail.workflows.keys import agreement, carry, differs, enter, frozen, joined, next_of, public_files, waiting
from tagtrail.workflows.rekey import with_builder, with_log, with_release, with_root_key, with_threshold, without
from tagtrail.workflows.road import Road
from tagtrail.workflows.roots import fits, log_keys, signed

__all__ = ["arguments", "run"]

ROLES = ("log", "release", "builder", "root")
_GRAMMAR = """\
show                                   all keys, which secret ones lie here, what is about to expire
add root VKEY [--threshold M]          one more root key; m of n sign the next root
rotate log|release|builder|root        a new key; the old one is believed for what it signed
       [--stolen]                      ...or not at all: the tree is frozen, proofs are issued again
retire log|release|builder|root KEY    an old key is believed no more
freeze                                 the tree that is shown now, for ever
reprove                                issue again what changed witnesses or log keys made void
renew                                  the next root, as the settings ask for it, valid for ten years
export [--to DIR] [NAME...]            the public halves; without --to on standard output
make FILE --origin ORIGIN              a root key on a machine of its own
sign FILE --key SECRET                 sign a draft of a root, on that machine
submit FILE...                         enter a draft when enough have signed"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """VERB [WORD...] and the options of all verbs."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _GRAMMAR
    parser.add_argument("verb", metavar="VERB", nargs="?", default="show", help="see below; show, if none is given")
    parser.add_argument("words", metavar="WORD", nargs="*", help="what the verb takes")
    parser.add_argument("--threshold", metavar="M", type=int, help="how many root keys sign the next root")
    parser.add_argument("--stolen", action="store_true", help="the old key is believed no more")
    parser.add_argument("--draft", metavar="FILE", type=Path, help="where a root goes that others must sign too")
    parser.add_argument("--key", metavar="SECRET", type=Path, help="the secret root key that signs a draft")
    parser.add_argument("--origin", metavar="ORIGIN", help="the trail's name, which its root keys carry")
    parser.add_argument("--to", metavar="DIR", type=Path, help="where the public files go")


def run(args: argparse.Namespace, console: Console) -> int:
    """Do what the verb says. Raises SetupError, ProjectError `root-keys`, TamperError, RemoteError."""
    verbs: dict[str, Callable[[argparse.Namespace, Console], int]] = {
        "show": _show, "add": _add, "rotate": _rotate, "retire": _retire, "freeze": _freeze, "reprove": _reprove,
        "renew": _renew, "export": _export, "make": _make, "sign": _sign, "submit": _submit,
    }  # fmt: skip
    if args.verb not in verbs:
        raise _usage(f"keys has no verb {args.verb!r}: there are {', '.join(verbs)}")
    return verbs[args.verb](args, console)


# --- looking --------------------------------------------------------------------------------------------------------


def _show(args: argparse.Namespace, console: Console) -> int:
    _words(args, 0, "show")
    at, ledger, kept = _reading(args)
    envelope = root_envelope(ledger, kept)
    if envelope is None:
        tell_here(at, console)
        return _end(console, 0, "", "no root yet: the first release makes one, or `keys renew`", "tagtrail keys renew")
    root = parse_root(dsse.parse(envelope).payload)
    tell_keys(at, root, envelope, console)
    worries = tuple(warnings(at, root, now()))
    for what, _ in worries:
        console.line(f"warning  {what}")
    return _end(console, 0, "", f"root {root.version} of {root.origin}", worries[0][1] if worries else "")


def _export(args: argparse.Namespace, console: Console) -> int:
    _, ledger, kept = _reading(args)
    files = public_files(ledger, kept)
    if not files:
        raise SetupError("there is no root yet", code="no-root", hint="tagtrail keys renew, or the first release")
    where, data = export(files, args.words, args.to)
    if where:
        return _end(console, 0, "", f"{len(args.words or files)} public files are in {where}", "")
    if args.json:
        console.line(data.decode())
        return _end(console, 0, "", "the public halves, in the line above", "")
    sys.stdout.write(data.decode())
    return 0


# --- changing -------------------------------------------------------------------------------------------------------


def _renew(args: argparse.Namespace, console: Console) -> int:
    _words(args, 0, "renew")
    at, road = _opened(args, console)
    old, new = next_of(road)
    return _agreed(args, at, road, old, frozen(road, new), console)


def _add(args: argparse.Namespace, console: Console) -> int:
    _words(args, (1, 2), "add root VKEY [--threshold M]")
    if args.words[0] != "root" or (len(args.words) == 1 and args.threshold is None):
        raise _usage("keys add root VKEY [--threshold M]; other keys are made here: keys rotate")
    at, road = _opened(args, console)
    old, new = next_of(road)
    new = with_root_key(new, args.words[1]) if len(args.words) > 1 else new
    return _agreed(args, at, road, old, with_threshold(new, args.threshold), console)


def _retire(args: argparse.Namespace, console: Console) -> int:
    _words(args, 2, "retire log|release|builder|root KEY")
    role = _role(args)
    at, road = _opened(args, console)
    old, new = next_of(road)
    used = "" if role == "root" else _here(road, role)
    new = with_threshold(without(new, role, args.words[1], used=used), args.threshold)
    return _agreed(args, at, road, old, frozen(road, new), console)


def _freeze(args: argparse.Namespace, console: Console) -> int:
    _words(args, 0, "freeze")
    at, road = _opened(args, console)
    old, new = next_of(road)
    return _agreed(args, at, road, old, frozen(road, new, always=True), console)


def _rotate(args: argparse.Namespace, console: Console) -> int:
    role = _role(args)
    _words(args, (1, 2) if role == "root" else 1, "rotate log|release|builder, or rotate root [KEY]")
    at = Home(find_home(args.home))
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
        from tagtrail.adapters.openpgp import OpenPGP

        signer = OpenPGP(at.secret(name))
        key = Key(fingerprint=signer.fingerprint, scheme="openpgp", material=signer.certificate)
        return _agreed(args, at, road, old, with_release(new, key, until=until), console)
    verifier = (note_key(at, name) if laid_aside(at, role) else _signers(road)[role]).verifier
    if role == "builder":
        return _agreed(args, at, road, old, with_builder(new, verifier, until=until), console)
    if road.trust.witnesses:
        gone = ", and to know the old one no more" if args.stolen else ""
        console.line(f"tell the operators of your witnesses to know the log's new key, {verifier.vkey()}{gone}")
    new = frozen(road, with_log(new, verifier, alone=args.stolen), always=args.stolen)
    return _agreed(args, at, road, old, new, console)


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
    return _agreed(args, at, road, old, with_root_key(new, key.verifier.vkey(), instead=instead), console, key)


def _reprove(args: argparse.Namespace, console: Console) -> int:
    _words(args, 0, "reprove")
    at, road = _opened(args, console)
    old, new = next_of(road)
    if old is None:
        return _end(console, 0, "complete", "nothing is logged yet", "")
    new = frozen(road, new)
    if differs(old, new):
        return _agreed(args, at, road, old, new, console)
    from tagtrail.workflows.reprove import rebase

    if not fits(road.ledger, old):
        rebase(road)
    return _carried(road, f"root {old.version} stays", console)


# --- signing and entering -------------------------------------------------------------------------------------------


def _agreed(
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
        return _drafted(path, old, envelope, console)
    return _entered(at, road, envelope, console)


def _drafted(path: Path, old: Root | None, envelope: dsse.Envelope, console: Console) -> int:
    durable.write(path, envelope.encode() + b"\n")
    _tell_draft(path, old, envelope, console)
    following = f"tagtrail keys sign {spoken(path)} --key SECRET   (each with a root key, wherever that lies)"
    text = "nothing is changed yet: more root keys must sign this root"
    return _end(console, 4, "waiting", text, f"{following}\ntagtrail keys submit {spoken(path)}")


def _tell_draft(path: Path, old: Root | None, envelope: dsse.Envelope, console: Console) -> None:
    new = parse_root(envelope.payload)
    counts = [{"root": version, "have": have, "need": need} for version, have, need in agreement(old, envelope)]
    fields = {"path": str(path), "origin": new.origin, "version": new.version}
    console.tell(
        "draft", fields | {"fingerprint": f"sha256:{sha256(envelope.payload).hexdigest()}", "signatures": counts}
    )


def _entered(at: Home, road: Road, envelope: dsse.Envelope, console: Console) -> int:
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
    return _carried(open_road(at.path, tell=console.tell), f"root {root.version} is in the trail", console)


def _unmet(error: RemoteError, *, entered: bool, console: Console) -> int:
    console.tell("waiting", {"for": "witnesses", "what": error.what, "why": error.why})
    if entered:
        text = "the root is in the trail; nobody is shown it before the witnesses have seen it"
        return _end(console, 4, "waiting", text, "tagtrail keys reprove")
    return _end(console, 4, "waiting", "nothing is changed yet", error.hint)


def _carried(road: Road, what: str, console: Console) -> int:
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
        return _end(console, 4, "waiting", told, f"bring the site to {road.site.url}, then: tagtrail keys reprove")
    return _end(console, 0, "complete", f"{text}; whoever pinned an older root follows", f"tagtrail trust {where}")


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


# --- drafts elsewhere -----------------------------------------------------------------------------------------------


def _make(args: argparse.Namespace, console: Console) -> int:
    _words(args, 1, "make FILE --origin ORIGIN")
    if not args.origin or (fault := origin_fault(args.origin)):
        raise _usage(f"keys make FILE --origin ORIGIN; --origin {fault if args.origin else 'is missing'}")
    path = Path(args.words[0])
    if path.exists():
        raise SetupError(f"{path} is there already", code="key-exists", why="a secret key is never overwritten")
    key = Signer(name=args.origin, seed=secrets.token_bytes(32))
    durable.write(path, f"{key.skey()}\n".encode("ascii"), mode=0o600)
    vkey = key.verifier.vkey()
    console.tell("key", {"role": "root", "key": vkey, "here": str(path), "note": ""})
    text = f"a secret root key is in {spoken(path.absolute())}; the instance takes it by its public half"
    return _end(console, 0, "", text, f"tagtrail keys add root {vkey}")


def _sign(args: argparse.Namespace, console: Console) -> int:
    _words(args, 1, "sign FILE --key SECRET")
    if args.key is None:
        raise _usage("keys sign FILE --key SECRET: which key signs?")
    path = Path(args.words[0])
    envelope, key = _draft(path), _secret(args.key)
    root = parse_root(envelope.payload)
    if key.verifier.name != root.origin:
        what = f"{args.key} is a key of {key.verifier.name}, the root is of {root.origin}"
        raise SetupError(what, code="root-key")
    envelope = joined([envelope, dsse.sign(PAYLOAD_TYPE, envelope.payload, [key])])
    durable.write(path, envelope.encode() + b"\n")
    tell_root(root, console, {})
    _tell_draft(path, None, envelope, console)
    listed = "" if key.verifier.vkey() in root.keys else " (it is none of this root's own: an old one's, then)"
    text = f"signed by {key.verifier.vkey()}{listed}; the instance enters it"
    return _end(console, 0, "", text, f"tagtrail keys submit {spoken(path.absolute())}")


def _submit(args: argparse.Namespace, console: Console) -> int:
    if not args.words:
        raise _usage("keys submit FILE...")
    at, road = _opened(args, console)
    paths = [Path(word) for word in args.words]
    envelope = joined([_draft(path) for path in paths])
    old, new = current_root(road.ledger, road.kept), parse_root(envelope.payload)
    if old == new:
        return _carried(road, f"root {new.version} was in the trail", console)
    _check_next(old, new)
    own = [*([note_key(at, n)] if (n := laid_aside(at, "root")) else []), *([road.root] if road.root else [])]
    takes = {*new.keys, *(old.keys if old else ())}
    mine = [key for key in own if key.verifier.vkey() in takes]
    envelope = joined([envelope, dsse.sign(PAYLOAD_TYPE, envelope.payload, mine)])
    if waiting(old, envelope):
        return _drafted(paths[0].absolute(), old, envelope, console)
    return _entered(at, road, envelope, console)


def _check_next(old: Root | None, new: Root) -> None:
    if new.version != (old.version + 1 if old else 1):
        what = f"the draft is of root {new.version}, the trail has root {old.version if old else 0}"
        why = "another root was entered since it was made"
        raise SetupError(what, code="draft-outdated", why=why, hint="tagtrail keys renew")


def _draft(path: Path) -> dsse.Envelope:
    data = read_small(path, 2 * MAX_ROOT)
    if data is None:
        raise SetupError(f"there is no {path}", code="file-missing")
    try:
        envelope = dsse.parse(data.strip(), 2 * MAX_ROOT, least=0)
        parse_root(envelope.payload)
    except TamperError as error:
        raise SetupError(f"{path} is no draft of a root: {error.what}", code=error.code, why=error.why) from None
    return envelope


def _secret(path: Path) -> Signer:
    data = read_small(path, 4096)
    if data is None:
        raise SetupError(f"there is no {path}", code="file-missing")
    if path.stat().st_mode & 0o077:
        raise SetupError(f"{path} can be read by others", code="key-mode", hint=f"chmod 600 {spoken(path.absolute())}")
    try:
        return parse_skey(data.decode("ascii").strip())
    except (TamperError, UnicodeDecodeError):
        raise SetupError(f"{path} is no secret note key", code="key-form", hint="tagtrail keys make FILE") from None


# --- words ----------------------------------------------------------------------------------------------------------


def _opened(args: argparse.Namespace, console: Console) -> tuple[Home, Road]:
    home = find_home(args.home)
    return Home(home), open_road(home, tell=console.tell)


def _reading(args: argparse.Namespace):  # type: ignore[no-untyped-def]
    """The instance without its secrets: they may be lost."""
    from tagtrail.adapters.directory import DirectoryKept
    from tagtrail.adapters.sqlite import SqliteLedger

    at = Home(find_home(args.home))
    return at, SqliteLedger(at.database), DirectoryKept(at.kept)


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
    if role not in ROLES:
        raise _usage(f"keys {args.verb} needs one of {', '.join(ROLES)}, not {role!r}")
    return str(role)


def _words(args: argparse.Namespace, count: int | Sequence[int], form: str) -> None:
    if len(args.words) not in ((count,) if isinstance(count, int) else count):
        raise _usage(f"keys {form}")


def _usage(what: str) -> SetupError:
    return SetupError(what, code="usage", hint="tagtrail keys --help")


def _end(console: Console, code: int, state: str, text: str, following: str) -> int:
    console.tell("outcome", {"exit": code, "state": state, "text": text, "next": following})
    return code

"""`keys make`, `sign` and `submit`: root keys on machines of their own, and the drafts they sign."""

import argparse
import secrets
from pathlib import Path
from shlex import quote

from tagtrail.app.commands.keys.enter import carried, drafted, entered, tell_draft
from tagtrail.app.commands.keys.words import end, opened, take_words, usage
from tagtrail.app.consumer.beside import read_small
from tagtrail.app.instance.home import spoken
from tagtrail.app.instance.keyring import tell_root
from tagtrail.app.instance.private import laid_aside, note_key
from tagtrail.app.terminal.console import Console
from tagtrail.formats import dsse
from tagtrail.formats.forms import origin_fault
from tagtrail.formats.note import Signer, parse_skey
from tagtrail.formats.root import MAX_ROOT, PAYLOAD_TYPE, Root, parse_root
from tagtrail.io import durable
from tagtrail.model.errors import SetupError, TamperError
from tagtrail.trail.keys import current_root
from tagtrail.workflows.keys import joined, waiting

__all__ = ["make", "sign", "submit"]


def make(args: argparse.Namespace, console: Console) -> int:
    """A secret root key in a file."""
    take_words(args, 1, "make FILE --origin ORIGIN")
    if not args.origin or (fault := origin_fault(args.origin)):
        raise usage(f"keys make FILE --origin ORIGIN; --origin {fault if args.origin else 'is missing'}")
    path = Path(args.words[0])
    if path.exists():
        why = "a secret key is never overwritten"
        raise SetupError(f"{path} is there already", code="key-exists", why=why, hint="name another file")
    key = Signer(name=args.origin, seed=secrets.token_bytes(32))
    durable.write(path, f"{key.skey()}\n".encode("ascii"), mode=0o600)
    vkey = key.verifier.vkey()
    console.tell("key", {"role": "root", "key": vkey, "here": str(path), "note": ""})
    text = f"a secret root key is in {spoken(path.absolute())}; the instance takes it by its public half"
    return end(console, 0, "", text, f"tagtrail keys add root {vkey}")


def sign(args: argparse.Namespace, console: Console) -> int:
    """Sign a draft with a key that is no instance's."""
    take_words(args, 1, "sign FILE --key SECRET")
    if args.key is None:
        raise usage("keys sign FILE --key SECRET: which key signs?")
    path = Path(args.words[0])
    envelope, key = _draft(path), _secret(args.key)
    root = parse_root(envelope.payload)
    if key.verifier.name != root.origin:
        what = f"{args.key} is a key of {key.verifier.name}, the root is of {root.origin}"
        raise SetupError(what, code="root-key", hint=f"sign with a root key that was made with --origin {root.origin}")
    envelope = joined([envelope, dsse.sign(PAYLOAD_TYPE, envelope.payload, [key])])
    durable.write(path, envelope.encode() + b"\n")
    tell_root(root, console, {})
    tell_draft(path, None, envelope, console)
    listed = "" if key.verifier.vkey() in root.keys else " (it is none of this root's own: an old one's, then)"
    text = f"signed by {key.verifier.vkey()}{listed}; the instance enters it"
    return end(console, 0, "", text, f"tagtrail keys submit {spoken(path.absolute())}")


def submit(args: argparse.Namespace, console: Console) -> int:
    """Enter drafts that enough signed, or wait for more."""
    if not args.words:
        raise usage("keys submit FILE...")
    at, road = opened(args, console)
    paths = [Path(word) for word in args.words]
    envelope = joined([_draft(path) for path in paths])
    old, new = current_root(road.ledger, road.kept), parse_root(envelope.payload)
    if old == new:
        return carried(road, f"root {new.version} was in the trail", console)
    _check_next(old, new)
    own = [*([note_key(at, n)] if (n := laid_aside(at, "root")) else []), *([road.root] if road.root else [])]
    takes = {*new.keys, *(old.keys if old else ())}
    mine = [key for key in own if key.verifier.vkey() in takes]
    envelope = joined([envelope, dsse.sign(PAYLOAD_TYPE, envelope.payload, mine)])
    if waiting(old, envelope):
        return drafted(paths[0].absolute(), old, envelope, console)
    return entered(at, road, envelope, console)


def _check_next(old: Root | None, new: Root) -> None:
    if new.version != (old.version + 1 if old else 1):
        what = f"the draft is of root {new.version}, the trail has root {old.version if old else 0}"
        why = "another root was entered since it was made"
        raise SetupError(what, code="draft-outdated", why=why, hint="tagtrail keys renew")


def _draft(path: Path) -> dsse.Envelope:
    data = read_small(path, 2 * MAX_ROOT)
    if data is None:
        raise SetupError(f"there is no {path}", code="file-missing", hint="tagtrail keys --help")
    try:
        envelope = dsse.parse(data.strip(), 2 * MAX_ROOT, least=0)
        parse_root(envelope.payload)
    except TamperError as error:
        raise SetupError(
            f"{path} is no draft of a root: {error.what}",
            code=error.code,
            why=error.why,
            hint="name the file that the operator sent; it is to be signed as it is",
        ) from None
    return envelope


def _secret(path: Path) -> Signer:
    data = read_small(path, 4096)
    if data is None:
        hint = f"tagtrail keys make {quote(str(path))} --origin ORIGIN"
        raise SetupError(f"there is no {path}", code="file-missing", hint=hint)
    if path.stat().st_mode & 0o077:
        raise SetupError(f"{path} can be read by others", code="key-mode", hint=f"chmod 600 {spoken(path.absolute())}")
    try:
        return parse_skey(data.decode("ascii").strip())
    except (TamperError, UnicodeDecodeError):
        raise SetupError(f"{path} is no secret note key", code="key-form", hint="tagtrail keys make FILE") from None

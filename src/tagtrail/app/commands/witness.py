"""`tagtrail witness init|add|serve|status DIR`: a small witness of other people's logs, with a directory of its own."""

import argparse
import secrets
import shutil
import tempfile
import time
from pathlib import Path
from threading import Lock
from typing import Any

from tagtrail.adapters.sqlite_witness import SqliteWitness
from tagtrail.app.instance.home import Home, spoken
from tagtrail.app.terminal.console import Console
from tagtrail.formats.forms import origin_fault
from tagtrail.formats.note import COSIGNATURE, ED25519, Signer, Verifier, parse_skey, parse_vkey
from tagtrail.io import durable
from tagtrail.model.errors import SetupError, TamperError
from tagtrail.workflows.witness import Desk, standing, told_evidence

__all__ = ["arguments", "run"]

KEY = "witness.key"
MEMORY = "witness.db"
LISTEN = "127.0.0.1:8080"
_AGAIN = "put it back from a back-up; a witness with another key is another witness: tagtrail witness init"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, where, and with which key."""
    parser.add_argument(
        "action",
        choices=("init", "add", "serve", "status"),
        help="make a witness; know a log's key; answer logs until stopped; what it cosigned and refused",
    )
    parser.add_argument("directory", metavar="DIR", type=Path, help="the witness's own directory")
    parser.add_argument(
        "vkey", metavar="VKEY", nargs="?", help="add: a log's key, NAME+KEYID+BASE64; may be its second"
    )
    parser.add_argument("--name", metavar="NAME", help="init: HOST/PATH where logs will reach it, permanent")
    parser.add_argument(
        "--remove", action="store_true", help="add: know this key no more; nothing cosigned is forgotten"
    )
    parser.add_argument("--moved", action="store_true", help="serve: this copy is the newest, and no other will run")
    parser.add_argument(
        "--listen", metavar="HOST:PORT", default=LISTEN, help=f"serve: {LISTEN} by default; port 0: any"
    )


def run(args: argparse.Namespace, console: Console) -> int:
    """0; status 6 when a log showed two trees, 4 when a log has something to prove. Raises SetupError."""
    directory: Path = args.directory.expanduser().absolute()
    if args.action != "add" and (args.vkey or args.remove):
        raise _usage(f"witness {args.action} takes no key", "tagtrail witness add DIR VKEY")
    if args.action == "init":
        return _init(directory, args.name, console)
    if args.moved and args.action != "serve":
        raise _usage("only serve takes --moved", "tagtrail witness --help")
    if args.name:
        raise _usage("the name of a witness is permanent: only init takes --name", "tagtrail witness --help")
    if args.action == "add":
        return _add(directory, args.vkey, console, remove=args.remove)
    if args.action == "serve":
        return _serve(directory, args.listen, console, moved=args.moved)
    return _status(directory, console)


def _usage(what: str, hint: str) -> SetupError:
    return SetupError(what, code="usage", hint=hint)


# init


def _init(directory: Path, name: str | None, console: Console) -> int:
    if not name:
        hint = f"tagtrail witness init {spoken(directory)} --name witness.example.org/w1"
        raise _usage("a witness needs a name: --name is not given", hint)
    if fault := origin_fault(name):
        raise SetupError(f"--name {fault}", code="witness-name", hint="tagtrail witness --help")
    signer = Signer(name=name, kind=COSIGNATURE, seed=secrets.token_bytes(32))
    _make(directory, signer)
    console.tell("witness", _about(directory, signer))
    where = spoken(directory / "private")
    text = f"the key in {where} and the name are permanent; give the line above to logs, for their policy files"
    following = f"tagtrail witness add {spoken(directory)} VKEY\ntagtrail witness serve {spoken(directory)}"
    console.tell("outcome", {"exit": 0, "state": "", "text": text, "next": following})
    return 0


def _make(directory: Path, signer: Signer) -> None:
    """The whole directory or nothing."""
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        why = "a witness's memory and key belong together; nothing was changed"
        hint = "tagtrail witness init NEW-DIRECTORY --name NAME"
        raise SetupError(f"{directory} is not empty", code="home-exists", why=why, hint=hint)
    try:
        new = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    except OSError as error:
        raise durable.setup_error(directory, error) from error
    try:
        private = new / "private"
        private.mkdir(mode=0o700)
        durable.write(private / ".gitignore", b"*\n", mode=0o600)
        durable.write(private / KEY, f"{signer.skey()}\n".encode("ascii"), mode=0o600)
        SqliteWitness.create(new / MEMORY).close()
        new.rename(directory)
    except OSError as error:
        raise durable.setup_error(directory, error) from error
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _about(directory: Path, signer: Signer) -> dict[str, object]:
    vkey, name = signer.verifier.vkey(), signer.name
    return {
        "name": name,
        "vkey": vkey,
        "directory": str(directory),
        "policy": f"witness {name} {vkey} https://{name}/",
    }


# What every other action begins with


def _signer(directory: Path) -> Signer:
    try:
        signer = parse_skey(Home(path=directory).secret(KEY).decode("ascii").removesuffix("\n"))
    except (TamperError, UnicodeDecodeError) as error:
        what = f"private/{KEY} is no secret key: {error}"
        raise SetupError(what, code="key-form", hint=_AGAIN) from error
    if signer.kind != COSIGNATURE:
        what = f"private/{KEY} is of type 0x{signer.kind:02x}, a witness's is 0x04"
        raise SetupError(what, code="key-form", hint=_AGAIN)
    return signer


def _memory(directory: Path) -> SqliteWitness:
    return SqliteWitness(directory / MEMORY)


# add


def _add(directory: Path, vkey: str | None, console: Console, *, remove: bool) -> int:
    if not vkey:
        hint = f"tagtrail witness add {spoken(directory)} VKEY, as the log's people published it"
        raise _usage("which log? its key is not given", hint)
    key = _log_key(vkey, _signer(directory).verifier)
    memory = _memory(directory)
    changed = memory.remove(key) if remove else memory.add(key)
    console.tell("watched", _watched(memory, key.name))
    console.tell("outcome", {"exit": 0, "state": "", "text": _changed(memory, key, changed, remove), "next": ""})
    return 0


def _log_key(vkey: str, own: Verifier) -> Verifier:
    try:
        key = parse_vkey(vkey)
    except TamperError as error:
        hint = "a log's key is NAME+KEYID+BASE64, NAME being its origin; quote it in a shell"
        raise SetupError(f"{vkey!r} is no log's key: {error}", code=error.code, why=error.why, hint=hint) from error
    if key.kind != ED25519:
        what = f"the key of {key.name} is of type 0x{key.kind:02x}, a log's is 0x01"
        raise SetupError(what, code="policy-log-type", hint="a type 0x04 key is a witness's")
    if key.key == own.key:
        what = f"{key.name} is this witness's own key"
        raise SetupError(
            what, code="policy-log-is-witness", hint="the log's: of its site, the first line of trail/policy"
        )
    return key


def _changed(memory: SqliteWitness, key: Verifier, changed: bool, remove: bool) -> str:  # noqa: FBT001
    count = len(memory.keys(key.name))
    if remove:
        ending = f"{count} left" if count else "none is left: the log is not cosigned any more, and not forgotten"
        return f"the key is known no more; {ending}" if changed else f"the key was not known; {ending}"
    return f"the key is {'known now' if changed else 'known already'}; {key.name} has {count}"


# serve


def _serve(directory: Path, listen: str, console: Console, *, moved: bool) -> int:
    from tagtrail.app.serve.witness import address, application, serve

    host, port = address(listen, LISTEN)
    signer, memory, one = _signer(directory), _memory(directory), Lock()
    _check_place(directory, memory, moved=moved)

    def tell(name: str, fields: Any) -> None:
        with one:  # requests are answered in several threads
            console.tell(name, fields)

    desk = Desk(signer=signer, keys=memory.keys, seen=memory, clock=_now, tell=tell)

    def ready(url: str) -> None:
        logs = [origin for origin in memory.origins() if memory.keys(origin)]
        console.tell("serving", {"name": signer.name, "url": url, "logs": len(logs)})

    try:
        serve(application(desk, memory.at), host, port, ready)
    finally:
        memory.close()
    console.tell(
        "outcome", {"exit": 0, "state": "stopped", "text": "everything that was answered is remembered", "next": ""}
    )
    return 0


def _check_place(directory: Path, memory: SqliteWitness, *, moved: bool) -> None:
    """No copy serves without being told to: an old one has forgotten what it cosigned since."""
    if moved:
        memory.settle()
    if memory.copied():
        memory.close()
        raise SetupError(
            f"{directory / MEMORY} is a copy of a witness's memory",
            code="witness-copied",
            why="an old copy, or two copies at once, can cosign two trees under one key",
            hint=f"tagtrail witness serve {spoken(directory)} --moved     if it is the newest and the only one\n"
            "tagtrail witness init NEW-DIRECTORY --name NEW-NAME     else",
        )


def _now() -> int:
    return int(time.time())  # noqa: TID251  (a command is where the clock is read)


# status


def _status(directory: Path, console: Console) -> int:
    signer, memory = _signer(directory), _memory(directory)
    console.tell("witness", _about(directory, signer))
    found: list[str] = []
    for origin in memory.origins():
        console.tell("watched", _watched(memory, origin))
        for evidence in memory.evidence(origin):
            stands = standing(memory, evidence)
            found.append(stands)
            if stands != "settled":
                console.tell("evidence", told_evidence(evidence, stands))
    console.tell("outcome", _verdict(directory, found.count("fork"), found.count("unproven"), memory))
    return 6 if "fork" in found else 4 if "unproven" in found else 0


def _watched(memory: SqliteWitness, origin: str) -> dict[str, object]:
    latest = memory.latest(origin)
    return {
        "origin": origin,
        "keys": [key.vkey() for key in memory.keys(origin)],
        "size": latest.size if latest else None,
        "root": latest.root.hex() if latest else "",
        "time": latest.time if latest else None,
    }


def _verdict(directory: Path, forks: int, unproven: int, memory: SqliteWitness) -> dict[str, object]:
    if forks:
        who = "whoever has that log's key lies, or lost it; publish both notes"
        text = f"{_count(forks, 'checkpoint')} of a second tree: {who}"
        following = f"tagtrail --json witness status {spoken(directory)}"
        return {"exit": 6, "state": "conflict", "text": text, "next": following}
    if unproven:
        text = (
            f"{_count(unproven, 'checkpoint')} came with a proof that does not hold, which anybody can send\n"
            "the next good one mends it; if none comes, ask the log's people for a consistency proof"
        )
        return {"exit": 4, "state": "waiting", "text": text, "next": ""}
    known = [origin for origin in memory.origins() if memory.keys(origin)]
    following = "" if known else f"tagtrail witness add {spoken(directory)} VKEY"
    return {
        "exit": 0,
        "state": "",
        "text": f"{_count(len(known), 'log')} known, nothing speaks against any",
        "next": following,
    }


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"

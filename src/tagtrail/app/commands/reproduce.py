"""`tagtrail reproduce PROJECT VERSION`: build a release again from its tag, pinned as recorded, and compare.

    tagtrail reproduce nova 33.0.0                                  of a pinned site
    tagtrail reproduce nova 33.0.0 --from DIR --root root.json      of this copy of it
    tagtrail reproduce nova 33.0.0 --key ~/.ssh/id_ed25519          and sign that it came out the same
    tagtrail -C HOME reproduce nova 33.0.0 --statement FILE         the operator enters what somebody signed

Nothing is written but a cache of clones and build environments, and what `--key`, `--keep` and `--enter` ask for.
"""

import argparse
import os
import time
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from tagtrail.app.terminal.console import Console
from tagtrail.model.errors import SetupError, TamperError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tagtrail.app.consumer.recorded import Recorded
    from tagtrail.formats.note import AnySigner
    from tagtrail.model.entry import Entry
    from tagtrail.ports import Builder, Kept
    from tagtrail.workflows.reproduce import Again, Rebuilt
    from tagtrail.workflows.road import Road

__all__ = ["arguments", "run"]

SHOWN = 20
"""Differences of one file that are told."""
MAX_KEY = 1 << 16


def arguments(parser: argparse.ArgumentParser) -> None:
    """PROJECT VERSION, of which site, from which repository."""
    parser.add_argument("project", metavar="PROJECT")
    parser.add_argument("version", metavar="VERSION")
    parser.add_argument(
        "--from", dest="where", metavar="URL|DIR", help="read this copy of the site, not the pinned one"
    )
    parser.add_argument("--root", metavar="FILE", type=Path, help="trust this root.json, which you got from elsewhere")
    parser.add_argument("--repo", metavar="URL|DIR", help="the repository, if it is not where the provenance says")
    kinds = ("auto", "bubblewrap", "namespaces", "none")
    about = "how the build is kept apart from this machine; none: it runs as you do"
    parser.add_argument("--isolation", choices=kinds, default="auto", metavar="KIND", help=about)
    parser.add_argument("--keep", metavar="DIR", type=Path, help="leave the rebuilt files there, to look at")
    parser.add_argument("--key", metavar="FILE", type=Path, help="sign that all came out the same, with this SSH key")
    parser.add_argument("--enter", action="store_true", help="with -C: enter the signed statement in the trail")
    parser.add_argument("--statement", metavar="FILE", type=Path, help="with -C: enter this one, and build nothing")
    parser.set_defaults(policy=None)


def run(args: argparse.Namespace, console: Console) -> int:
    """Build and compare; 0 if every file came out the same, else 7."""
    from tagtrail.app.consumer.recorded import recorded
    from tagtrail.app.consumer.sources import sources
    from tagtrail.workflows.reproduce import already, check_reproducer

    _check_usage(args)
    now = int(time.time())  # noqa: TID251  (a command is where the clock is read)
    signer = _signer(args.key) if args.key else None
    found = recorded(sources(args, args.where), args.project, args.version, now)
    if args.statement:
        return _enter(args, console, _road(args, console), found, _read(args.statement))
    road = _road(args, console) if args.enter else None
    if road and signer:
        check_reproducer(road, signer)
    rebuilt = _rebuilt(args, console, found)
    if not rebuilt.same:
        raise _not_reproduced(found, rebuilt)
    if road and signer and (before := already(road, found.entry, found.provenance, signer)):
        return _carried(args, console, road, before)
    data = _signed(args, console, found, rebuilt, signer, now) if signer else b""
    if road:
        return _enter(args, console, road, found, data)
    entry, files = found.entry, len(rebuilt.files)
    more = f"; made too, and never released: {', '.join(rebuilt.others)}" if rebuilt.others else ""
    text = f"{entry.project} {entry.version}: {files} of {files} files came out the same, byte for byte{more}"
    about = {"project": entry.project, "version": entry.version, "state": "reproduced", "text": text, "next": ""}
    console.tell("outcome", {"exit": 0} | about)
    return 0


def _check_usage(args: argparse.Namespace) -> None:
    if args.enter and not args.key:
        raise SetupError("--enter needs a statement to enter", code="usage", hint="--key FILE, or --statement FILE")
    if args.statement and (args.key or args.enter or args.keep):
        raise SetupError("--statement builds nothing", code="usage", hint="leave --key, --enter and --keep out")
    if (args.enter or args.statement) and (args.where or args.root):
        raise SetupError(
            "an instance enters what is of its own site", code="usage", hint="-C HOME, no --from or --root"
        )


# --- building and comparing -----------------------------------------------------------------------------------------


def _rebuilt(args: argparse.Namespace, console: Console, found: "Recorded") -> "Rebuilt":
    from tagtrail.adapters.directory import DirectoryKept
    from tagtrail.adapters.git import GitSource
    from tagtrail.io import sandbox
    from tagtrail.io.scratch import scratch, sweep
    from tagtrail.workflows.reproduce import pins_of, rebuild

    at = _cache()
    sweep(at / "scratch")
    said, entry = found.provenance, found.entry
    kind = sandbox.isolation(args.isolation, at)
    repo = _repository(args, found)
    console.tell("bytes", {"what": f"building {entry.project} {entry.version} again", "done": 0, "total": 0})
    with scratch(at / "scratch", "rebuilt") as room:
        kept = DirectoryKept(room / "kept")
        builder = _builder(at, pins_of(said.materials))
        rebuilt = rebuild(entry, said, repo, GitSource(at / "repos"), builder, kept, isolation=kind)
        files = [_compared(found, file, kept) for file in rebuilt.files]
        _keep(args.keep, rebuilt, kept)
    console.tell("reproduced", _fields(found, rebuilt, repo, files))
    return rebuilt


def _builder(at: Path, pins: "Sequence[str]") -> "Builder":
    from tagtrail.adapters.builder.environments import Environments
    from tagtrail.app.instance.builders import builders
    from tagtrail.app.instance.workshop import now

    environments = Environments(at / "envs", at / "scratch", pins=pins, clock=now)
    return builders(at / "state", at / "scratch", environments)


def _cache() -> Path:
    """This user's; an XDG_CACHE_HOME that is not absolute is ignored."""
    named = Path(os.environ.get("XDG_CACHE_HOME") or "")
    return (named if named.is_absolute() else Path.home() / ".cache") / "tagtrail" / "reproduce"


def _repository(args: argparse.Namespace, found: "Recorded") -> str:
    """Where the tag is: as asked, as the own settings say, or as the provenance says."""
    if args.repo:
        return str(Path(args.repo).absolute()) if Path(args.repo).is_dir() else str(args.repo)
    if (args.home or os.environ.get("TAGTRAIL_HOME")) and not args.where:
        from tagtrail.app.instance.home import find_home
        from tagtrail.app.instance.reading import read_settings

        settings = read_settings(find_home(args.home))
        own = next((p for p in settings.projects if p.name == found.entry.project), None)
        if own is not None and settings.org.origin == found.source.origin:
            return own.repo
    if found.provenance.repo.startswith("local:"):
        what = f"the release was made from a clone on its operator's disk ({found.provenance.repo})"
        again = f"tagtrail reproduce {found.entry.project} {found.entry.version}"
        raise SetupError(what, code="repo-unknown", hint=f"{again} --repo URL|DIR")
    return found.provenance.repo


def _compared(found: "Recorded", file: "Again", kept: "Kept") -> dict[str, Any]:
    """A file as the event tells it; where it differs, how."""
    from tagtrail.formats.differences import Difference, differences

    rebuilt = file.rebuilt.blob.sha256 if file.rebuilt else ""
    told: tuple[Difference, ...] = ()
    if file.rebuilt is None:
        told = (Difference(member="", what="the build made no such file"),)
    elif not file.same:
        from io import BytesIO

        size = next(f.size for f in found.entry.files if f.name == file.name)
        original = found.original(file.name, size)
        gone = f"{found.source.site().where} does not have the released file, so nothing more can be said"
        told = (
            differences(file.name, original, BytesIO(kept.read(rebuilt)))
            if original
            else (Difference(member="", what=gone),)
        )
    lines = [{"member": d.member, "what": d.what, "lines": list(d.lines)} for d in told]
    return {
        "name": file.name,
        "sha256": file.released,
        "rebuilt": rebuilt,
        "same": file.same,
        "differences": lines[:SHOWN],
        "more": max(0, len(lines) - SHOWN),
    }


def _keep(directory: Path | None, rebuilt: "Rebuilt", kept: "Kept") -> None:
    if directory is None:
        return
    from tagtrail.io import durable

    for file in rebuilt.files:
        if file.rebuilt:
            durable.write(directory / file.name, kept.read(file.rebuilt.blob.sha256))


def _fields(found: "Recorded", rebuilt: "Rebuilt", repo: str, files: list[dict[str, Any]]) -> dict[str, Any]:
    from tagtrail.adapters.git import public_name

    entry = found.entry
    return {
        "project": entry.project,
        "version": entry.version,
        "index": entry.index,
        "origin": found.source.origin,
        "repo": public_name(repo),
        "tag": found.provenance.tag,
        "commit": found.provenance.commit,
        "isolation": rebuilt.isolation,
        "same": rebuilt.same,
        "tree": rebuilt.tree,
        "files": files,
        "others": list(rebuilt.others),
        "materials": len(rebuilt.materials),
        "unlike": [{"recorded": recorded, "here": here} for recorded, here in rebuilt.unlike],
    }


def _not_reproduced(found: "Recorded", rebuilt: "Rebuilt") -> TamperError:
    entry, files = found.entry, rebuilt.files
    bad = sum(not file.same for file in files)
    what = f"{bad} of {len(files)} files of {entry.project} {entry.version} came out otherwise"
    if not bad:
        what = f"the tree of {found.provenance.tag} is not the one that entry {entry.index} names"
    why = "the build used what was not recorded: above it says what" if rebuilt.unlike else ""
    hint = f"tagtrail reproduce {entry.project} {entry.version} --keep DIR, and diffoscope of both"
    return TamperError(what, code="not-reproduced", why=why, hint=hint)


# --- signing and entering -------------------------------------------------------------------------------------------


def _signer(path: Path) -> "AnySigner":
    """The reproducer's SSH key. Raises SetupError `reproducer-key`."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_ssh_private_key

    from tagtrail.formats.reproduction import reproducer

    try:
        key = load_ssh_private_key(_read(path), password=None)
    except (ValueError, TypeError) as error:
        what = f"{path} is no SSH private key that can be used without a passphrase"
        hint = "ssh-keygen -t ed25519 -N '' -f FILE makes one for this alone"
        raise SetupError(what, code="reproducer-key", why=str(error).split("\n", maxsplit=1)[0], hint=hint) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SetupError(f"{path} is no key of type ssh-ed25519", code="reproducer-key", hint="ssh-keygen -t ed25519")
    return reproducer(key.private_bytes_raw())


def _read(path: Path) -> bytes:
    from tagtrail.app.consumer.beside import read_small

    data = read_small(path, MAX_KEY * 16)
    if data is None:
        raise SetupError(f"there is no {path}", code="file-missing", hint=f"ls -l {quote(str(path.parent))}")
    return data


def _signed(
    args: argparse.Namespace, console: Console, found: "Recorded", rebuilt: "Rebuilt", signer: "AnySigner", now: int
) -> bytes:
    """The statement, beside which this command is run."""
    from tagtrail.io import durable
    from tagtrail.workflows.reproduce import statement

    name, data = statement(found.entry, found.provenance, rebuilt, origin=found.source.origin, time=now, signer=signer)
    durable.write(Path.cwd() / name, data)
    on = "" if args.enter else f"; send it to the operator of {found.source.origin}, who enters it"
    console.line(f"signed: {name}{on}")
    return data


def _road(args: argparse.Namespace, console: Console) -> "Road":
    from tagtrail.app.instance.home import find_home
    from tagtrail.app.instance.wiring import open_road

    return open_road(find_home(args.home), tell=console.tell)


def _enter(args: argparse.Namespace, console: Console, road: "Road", found: "Recorded", data: bytes) -> int:
    from tagtrail.workflows.reproduce import enter

    return _carried(args, console, road, enter(road, data, found.entry, found.provenance))


def _carried(args: argparse.Namespace, console: Console, road: "Road", entered: "Entry") -> int:
    from tagtrail.app.instance.home import find_home
    from tagtrail.app.terminal.outcomes import outcome_event
    from tagtrail.workflows.outcome import carried

    outcome = carried(road, entered)
    console.tell("outcome", outcome_event(road, find_home(args.home), outcome))
    return outcome.exit

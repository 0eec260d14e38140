"""`tagtrail approve PROJECT TAG [--key K | --signature FILE | --text]`: sign what a release or withdrawal waits for.

The text is signed by the person's own program: ssh-keygen (with its agent) or gpg. Where the key is on another machine,
`--text` prints what is to be signed, and `--signature` takes what came back.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from shlex import quote

from tagtrail.app.terminal.console import Console

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tagtrail.workflows.approve import Asked
    from tagtrail.workflows.road import Road

__all__ = ["arguments", "run"]

_ENVIRONMENT = (
    "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "GNUPGHOME", "GPG_TTY", "HOME", "PATH", "SSH_ASKPASS", "SSH_ASKPASS_REQUIRE",
    "SSH_AUTH_SOCK", "TERM", "USER", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR",
)  # fmt: skip
"""What ssh-keygen and gpg need of the caller's environment to find the caller's keys, and to ask for a passphrase."""

_BY_HAND = "tagtrail approve PROJECT TAG --text > t; sign t; tagtrail approve PROJECT TAG --signature t.sig"


def arguments(parser: argparse.ArgumentParser) -> None:
    """PROJECT TAG [--key K | --signature FILE | --text]."""
    parser.add_argument("project", metavar="PROJECT")
    parser.add_argument("tag", metavar="TAG", help="the tag, or the version")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--key", metavar="K", help="an SSH key's file, or an OpenPGP key (else git's user.signingkey)")
    how.add_argument("--signature", metavar="FILE", help="a signature that was made elsewhere (-: standard input)")
    how.add_argument("--text", action="store_true", help="print what is to be signed, and nothing else")


def run(args: argparse.Namespace, console: Console) -> int:
    """0 where the approval is remembered; the outcome says who is still missing. Raises what `record` raises."""
    from dataclasses import replace

    from tagtrail.app.instance.home import find_home
    from tagtrail.app.instance.wiring import open_road
    from tagtrail.formats.approval import format_approval
    from tagtrail.formats.settings import project_of
    from tagtrail.workflows.approve import count, record, tell_asked
    from tagtrail.workflows.release import pending
    from tagtrail.workflows.withdraw import pending as pending_withdrawal

    home = find_home(args.home)
    road = open_road(home, tell=console.tell)
    project = project_of(road.settings, args.project)
    quiet = replace(road, tell=lambda *_: None)
    withdrawal = pending_withdrawal(quiet, project, args.tag)
    asked = withdrawal or pending(quiet, project, args.tag)
    if asked is None or asked.nothing or not asked.text.expires:
        raise _nothing(road, args, asked)
    text = format_approval(asked.text)
    if args.text:
        console.line(text.decode().removesuffix("\n"))
        return 0
    if not args.signature:
        tell_asked(road, asked, count(road, asked))
    key = record(road, asked, _read(args.signature) if args.signature else _signed(text, args.key))
    about = {"project": asked.text.project, "version": asked.text.version, "digest": asked.digest}
    console.tell("approved", about | {"key": key.fingerprint, "person": key.person})
    missing = count(road, asked).missing
    said = f"{asked.text.project} {asked.text.version}: " + (f"still missing: {missing}" if missing else "approved")
    going_on = "resume" if withdrawal else f"release {project.name} {args.tag}"
    following = "" if missing else f"tagtrail -C {home} {going_on}"
    console.tell("outcome", {"exit": 0, "state": "", "text": said, "next": following})
    return 0


def _nothing(road: "Road", args: argparse.Namespace, asked: "Asked | None") -> Exception:
    from tagtrail.model.errors import ProjectError
    from tagtrail.trail.sequencer import find_release

    what = f"{args.project} {args.tag} does not wait for an approval"
    why, command = "the settings ask for none" if asked and asked.nothing else "", "release"
    if asked is None:
        entry = find_release(road.ledger, args.project, args.tag)
        why = f"it is released (entry {entry.index})" if entry else "nothing is built or added yet"
        command = "status" if entry else command
    return ProjectError(
        what, code="approval-not-asked", why=why, hint=f"tagtrail {command} {args.project} {quote(args.tag)}"
    )


def _read(name: str) -> bytes:
    from tagtrail.model.errors import SetupError
    from tagtrail.verify.approvals import MAX_APPROVAL

    try:
        with sys.stdin.buffer if name == "-" else Path(name).open("rb") as file:
            return file.read(MAX_APPROVAL + 1)
    except OSError as error:
        what = f"{name} cannot be read: {error.strerror}"
        raise SetupError(what, code="file-missing", hint=f"ls -l {quote(name)}; - is standard input") from error


def _signed(text: bytes, key: str | None, environ: Mapping[str, str] = os.environ) -> bytes:
    """The text's signature by the caller's key: the one that is named, else the one with which git signs here."""
    from tagtrail.app.instance.signers import git_config

    here = Path.cwd()
    form = git_config(here, "gpg.format", environ) if key is None else ""
    chosen = key if key is not None else git_config(here, "user.signingkey", environ)
    if form == "ssh" or (chosen and _is_ssh(chosen, environ)):
        return _by_ssh(text, chosen, environ)
    return _by_gpg(text, chosen, environ)


def _is_ssh(key: str, environ: Mapping[str, str]) -> bool:
    return key.startswith(("key::", "ssh-", "ecdsa-", "sk-")) or _path(key, environ).is_file()


def _path(key: str, environ: Mapping[str, str]) -> Path:
    return Path(environ.get("HOME", "~"), key[2:]) if key.startswith("~/") else Path(key)


def _by_ssh(text: bytes, key: str, environ: Mapping[str, str]) -> bytes:
    from tagtrail.formats.approval import NAMESPACE

    with tempfile.TemporaryDirectory(prefix="tagtrail-") as room:
        path = _path(key, environ)
        if not path.is_file():  # the public key itself: its secret half is in the agent
            path = Path(room, "key.pub")
            path.write_text(f"{key.removeprefix('key::')}\n")
        return _ran(["ssh-keygen", "-q", "-Y", "sign", "-n", NAMESPACE, "-f", str(path)], text, environ)


def _by_gpg(text: bytes, key: str, environ: Mapping[str, str]) -> bytes:
    user = ["--local-user", key] if key else []
    return _ran(["gpg", "--quiet", "--armor", *user, "--detach-sign", "--output", "-"], text, environ)


def _ran(argv: list[str], text: bytes, environ: Mapping[str, str]) -> bytes:
    from tagtrail.io import process
    from tagtrail.model.errors import SetupError

    env = {name: environ[name] for name in _ENVIRONMENT if name in environ}
    done = process.run(argv, env=env, stdin=text, limit=300)
    if not done.ok or b"-----BEGIN" not in done.out:
        why = done.err.decode("utf-8", "replace").strip()
        raise SetupError(f"{argv[0]} did not sign (status {done.code})", code="sign-failed", why=why, hint=_BY_HAND)
    return done.out

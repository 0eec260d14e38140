"""`keys show` and `keys export`: what there is, without a secret."""

import argparse
import sys

from tagtrail.app.commands.keys.words import end, reading, take_words
from tagtrail.app.instance.keyring import export, tell_here, tell_keys, warnings
from tagtrail.app.instance.workshop import now
from tagtrail.app.terminal.console import Console
from tagtrail.formats import dsse
from tagtrail.formats.root import parse_root
from tagtrail.model.errors import SetupError
from tagtrail.trail.keys import root_envelope
from tagtrail.workflows.keys import public_files

__all__ = ["public", "show"]


def show(args: argparse.Namespace, console: Console) -> int:
    """All keys, which secret ones lie here, and what is about to expire."""
    take_words(args, 0, "show")
    at, ledger, kept = reading(args)
    envelope = root_envelope(ledger, kept)
    if envelope is None:
        tell_here(at, console)
        return end(console, 0, "", "no root yet: the first release makes one, or `keys renew`", "tagtrail keys renew")
    root = parse_root(dsse.parse(envelope).payload)
    tell_keys(at, root, envelope, console)
    worries = tuple(warnings(at, root, now()))
    for what, _ in worries:
        console.line(f"warning  {what}")
    return end(console, 0, "", f"root {root.version} of {root.origin}", worries[0][1] if worries else "")


def public(args: argparse.Namespace, console: Console) -> int:
    """The public halves, into a directory or on standard output."""
    _, ledger, kept = reading(args)
    files = public_files(ledger, kept)
    if not files:
        raise SetupError("there is no root yet", code="no-root", hint="tagtrail keys renew, or the first release")
    where, data = export(files, args.words, args.to)
    if where:
        return end(console, 0, "", f"{len(args.words or files)} public files are in {where}", "")
    if args.json:
        console.line(data.decode())
        return end(console, 0, "", "the public halves, in the line above", "")
    sys.stdout.write(data.decode())
    return 0

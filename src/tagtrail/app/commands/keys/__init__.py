"""`tagtrail keys`: the root of trust and the keys it names, shown and changed; docs/keys.md is the runbook.

A command that changes the root signs the next one with the root key here. Where that is enough the root is entered in
the trail at once; else it is written to a file, which others sign (`keys sign`) and anybody submits (`keys submit`).
"""

import argparse
from collections.abc import Callable
from pathlib import Path

from tagtrail.app.commands.keys.change import add, freeze, renew, reprove, retire, rotate
from tagtrail.app.commands.keys.drafts import make, sign, submit
from tagtrail.app.commands.keys.show import public, show
from tagtrail.app.commands.keys.words import usage
from tagtrail.app.terminal.console import Console

__all__ = ["arguments", "run"]

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
        "show": show, "add": add, "rotate": rotate, "retire": retire, "freeze": freeze, "reprove": reprove,
        "renew": renew, "export": public, "make": make, "sign": sign, "submit": submit,
    }  # fmt: skip
    if args.verb not in verbs:
        raise usage(f"keys has no verb {args.verb!r}: there are {', '.join(verbs)}")
    return verbs[args.verb](args, console)

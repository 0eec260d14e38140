"""`verify --checkpoint`: the log's newest head, looked at once, and what proofs and memory say beside it."""

import argparse
import re
from dataclasses import dataclass

from tagtrail.app.consumer.heads import Fetched, Memory, checkpoint_at
from tagtrail.app.consumer.trusted import Trust
from tagtrail.formats.entry import parse
from tagtrail.formats.tiles import WIDTH, TileReader
from tagtrail.formats.times import format_time
from tagtrail.model.entry import Entry
from tagtrail.model.errors import SetupError, TamperError
from tagtrail.model.names import project_key, version_key
from tagtrail.ports import Tell
from tagtrail.verify.heads import Head

__all__ = ["Newest", "newest", "seconds"]

_AGE = re.compile(r"([0-9]{1,9})([smhd])")
BUNDLES = 64
"""Bundles of 256 entries that are read for one file; a longer log is for `audit`."""
_MARK = b'"event":"withdraw"'
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class Newest:
    """A head that was accepted and remembered."""

    head: Head
    fetched: Fetched
    memory: Memory
    tree: TileReader

    def size(self, origin: str) -> int | None:
        """How many entries the log has, if it is this one."""
        return self.head.checkpoint.size if origin == self.memory.origin else None

    def withdrawal(self, origin: str, entry: Entry) -> tuple[int | None, Entry | None]:
        """Up to which size of the log no later entry takes back what `entry` released, and the first one that does.

        None where the log is another. Read are at most BUNDLES bundles; what is not to be had is not read.
        """
        size, read = self.size(origin), entry.index + 1
        if size is None:
            return None, None
        first = read // WIDTH
        for number in range(first, min(first + BUNDLES, -(-size // WIDTH))):
            try:
                bundle = self.tree.entries(number)
            except TamperError:
                break
            for place, raw in enumerate(bundle, number * WIDTH):
                if place >= read and _MARK in raw and _takes_back(gone := parse(place, raw), entry):
                    return place, gone
            read = max(read, number * WIDTH + len(bundle))
        return read, None

    def compare(self, origin: str, proof: bytes) -> dict[str, str]:
        """What is not proven of the tree in a proof's note beside this head's. Raises TamperError as `check_grown`."""
        if origin != self.memory.origin:
            about = f"the checkpoint is of {self.memory.origin}"
            return {"checkpoint-of-another-log": f"that {origin} has not changed its mind since ({about})"}
        if self.memory.compare(self.fetched, proof, self.tree):
            return {}
        about = f"the tiles of the checkpoint at {self.fetched.shown} are not to be had"
        return {"consistency-unchecked": f"that the newest tree contains the one of this proof ({about})"}


def _takes_back(gone: Entry, entry: Entry) -> bool:
    same = project_key(gone.project) == project_key(entry.project)
    return same and version_key(gone.version) == version_key(entry.version)


def newest(args: argparse.Namespace, trust: Trust, now: int, tell: Tell) -> Newest:
    """The head that `--checkpoint` names, no older than `--max-age`, told.

    Raises TamperError as `Memory.accept`, and SetupError `usage`.
    """
    max_age = None if args.max_age is None else seconds(args.max_age)
    fetched = checkpoint_at(args.checkpoint)
    memory, tree = Memory.standard(fetched.checkpoint().origin), fetched.reader()
    head, contained, loose = memory.accept(fetched, tree, trust(memory.origin), now, max_age)
    tell("checkpoint", _fields(head, fetched, contained, loose))
    return Newest(head, fetched, memory, tree)


def seconds(text: str) -> int:
    """`90s`, `30m`, `24h`, `7d` in seconds. Raises SetupError `usage`."""
    match = _AGE.fullmatch(text)
    if not match:
        raise SetupError(f"--max-age {text!r} is not a time", code="usage", hint="--max-age 24h (or s, m, d)")
    return int(match[1]) * _UNITS[match[2]]


def _fields(head: Head, fetched: Fetched, contained: tuple[int, ...], loose: tuple[int, ...]) -> dict[str, object]:
    at = head.checkpoint
    doubts = {}
    if head.fresh is None:
        doubts["age-unknown"] = "that it is of today (nobody but the operator cosigned it)"
    if loose:
        sizes = ", ".join(map(str, loose))
        doubts["consistency-unchecked"] = f"that it contains the trees of {sizes} entries seen here before (no tiles)"
    return {
        "where": fetched.shown,
        "origin": at.origin,
        "size": at.size,
        "tree": at.root.hex(),
        "fresh": None if head.fresh is None else format_time(head.fresh),
        "witnesses": [{"name": s.name, "time": format_time(s.time), "own": s.own} for s in head.seen],
        "contains": list(contained),
        "not_proven": list(doubts.values()),
        "doubts": list(doubts),
    }

"""An entry proven: from a .tlog-proof to a checkpoint of a log that is trusted, witnessed or not, frozen or not."""

from dataclasses import dataclass

from tagtrail.formats import entry as entry_format
from tagtrail.formats import policy
from tagtrail.formats import proof as proof_format
from tagtrail.formats.merkle import leaf_hash, verify_inclusion
from tagtrail.formats.policy import Checked, Policy
from tagtrail.formats.root import Root
from tagtrail.formats.times import format_time
from tagtrail.model.errors import TamperError
from tagtrail.model.facts import Entry
from tagtrail.verify.roots import policy_of

__all__ = ["TOLERANCE", "Proven", "entry_of", "prove"]

TOLERANCE = 600
"""Seconds by which honest clocks may differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """An entry in a log that is trusted. `frozen`: under a tree that the root itself vouches for."""

    entry: Entry
    checked: Checked
    frozen: bool

    @property
    def witnessed(self) -> int | None:
        """The time by which witnesses had seen it, in Unix seconds."""
        return self.checked.witnessed_time


def entry_of(proof: bytes) -> Entry:
    """The entry that a proof file carries, nothing proven. Raises TamperError proof-*, entry-*, json-*, time-form."""
    return _entry(proof_format.parse(proof))


def prove(proof: bytes, trust: Root | Policy, now: int) -> Proven:
    """The entry in a proof file, under a checkpoint that `trust` believes; `now` is in Unix seconds.

    Raises TamperError proof-*, entry-*, json-*, time-form, note-*, checkpoint-*, log-unknown, cosignature-*,
    quorum-unmet, index-range, proof-length, proof-mismatch, root-policy, frozen, time-impossible.
    """
    parsed = proof_format.parse(proof)
    entry = _entry(parsed)
    believed = policy_of(trust) if isinstance(trust, Root) else trust
    checked = policy.check(believed, parsed.checkpoint, now + TOLERANCE)
    checkpoint = checked.checkpoint
    verify_inclusion(entry.index, checkpoint.size, leaf_hash(entry.raw), parsed.hashes, checkpoint.root)
    frozen = isinstance(trust, Root) and _is_frozen(trust, entry.index, checkpoint.size, checkpoint.root)
    latest = now if checked.witnessed_time is None else checked.witnessed_time
    if entry.time > latest + TOLERANCE:
        what = f"entry {entry.index} says it is of {format_time(entry.time)}, it was there by {format_time(latest)}"
        raise TamperError(what, code="time-impossible", why="a clock is wrong, or the operator lies")
    return Proven(entry=entry, checked=checked, frozen=frozen)


def _entry(proof: proof_format.Proof) -> Entry:
    if proof.extra is None:
        why = "its `extra` line, which holds the entry, is missing"
        raise TamperError("the proof carries no entry", code="proof-no-entry", why=why)
    return entry_format.parse(proof.index, proof.extra)


def _is_frozen(root: Root, index: int, size: int, tree: bytes) -> bool:
    """Whether the root vouches for this very tree; an entry that a freeze covers needs that."""
    covering = [freeze for freeze in root.freezes if index < freeze.size]
    if covering and (size, tree) not in [(freeze.size, freeze.root) for freeze in covering]:
        what = f"entry {index} is proven in a tree of {size}, the root froze the tree of {covering[0].size}"
        why = "the log's key was stolen or lost: older entries count under exactly that tree"
        raise TamperError(what, code="frozen", why=why, hint="get the file's re-issued proof from its site")
    return bool(covering)

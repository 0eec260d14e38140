"""An entry proven: from a .tlog-proof to a checkpoint of a log that is trusted, witnessed or not, frozen or not."""

from tagtrail.formats import entry as entry_format
from tagtrail.formats import policy
from tagtrail.formats import proof as proof_format
from tagtrail.formats.merkle import leaf_hash, verify_inclusion
from tagtrail.formats.policy import Checked, Policy
from tagtrail.formats.root import Root
from tagtrail.formats.times import format_time
from tagtrail.model.entry import Entry
from tagtrail.model.errors import TamperError
from tagtrail.model.frozen import frozen
from tagtrail.verify.roots import is_own, policy_of

__all__ = ["TOLERANCE", "Proven", "Seen", "entry_of", "prove", "seen_by"]

TOLERANCE = 600
"""Seconds by which honest clocks may differ."""


@frozen
class Seen:
    """A cosignature that the quorum counts: by whom (the key's name), when (Unix seconds), whether by the operator."""

    name: str
    time: int
    own: bool


@frozen
class Proven:
    """An entry in a log that is trusted. `frozen`: under a tree that the root itself vouches for.

    `witnessed` is the time (Unix seconds) by which somebody else than the log's operator had seen it: by which the
    quorum was met, and not before the first of the others; None where there were no others.
    """

    entry: Entry
    checked: Checked
    seen: tuple[Seen, ...]
    frozen: bool

    @property
    def witnessed(self) -> int | None:
        """See above."""
        others = [seen.time for seen in self.seen if not seen.own]
        met = self.checked.witnessed_time
        return None if met is None or not others else max(met, min(others))


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
    found = Proven(entry=entry, checked=checked, seen=seen_by(believed, checked), frozen=frozen)
    latest = now if found.witnessed is None else found.witnessed
    if entry.time > latest + TOLERANCE:
        what = f"entry {entry.index} says it is of {format_time(entry.time)}, it was there by {format_time(latest)}"
        raise TamperError(what, code="time-impossible", why="a clock is wrong, or the operator lies")
    return found


def seen_by(believed: Policy, checked: Checked) -> tuple[Seen, ...]:
    """Who of the witnesses that the quorum counts cosigned a checkpoint, the earliest first."""
    origin = checked.checkpoint.origin
    counted = [(w, time) for w, time in checked.witnesses if policy.satisfied(believed, [w.verifier.key])[1]]
    seen = [Seen(name=w.verifier.name, time=time, own=is_own(w.verifier.name, origin)) for w, time in counted]
    return tuple(sorted(seen, key=lambda one: (one.time, one.name)))


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

"""Proofs issued again: after a change of the log's key or of the witnesses they stand on a checkpoint that counts.

A cosignature is over the tree, not over the log's signature: so the tree that is shown now, signed by the log's key of
today, keeps the cosignatures of those witnesses who still count, and the time at which they made them.
"""

from tagtrail.formats import note, policy
from tagtrail.formats.note import AnySigner
from tagtrail.formats.policy import Policy
from tagtrail.model.errors import RemoteError, TamperError
from tagtrail.model.facts import Effect, Entry, Receipt, Row
from tagtrail.model.frozen import frozen, replace
from tagtrail.ports import Committed
from tagtrail.trail import witnessing
from tagtrail.workflows.publish import logged
from tagtrail.workflows.road import Road

__all__ = ["Reissued", "rebase", "reissue", "signed_again"]

PROOF = ".tlog-proof"


@frozen
class Reissued:
    """How many proof files were written anew, and how many of them the public does not show yet."""

    written: int
    waiting: int


def rebase(road: Road) -> None:
    """Have the proofs of all that is logged stand on the tree that is shown, as `road.trust` asks for it.

    Raises RemoteError `quorum-unmet`: the witnesses of before do not suffice, and too few of today's answer.
    """
    shown = road.ledger.cosigned()
    if shown is None:
        return
    first = road.ledger.cosigned(covering=shown.size - 1) or shown
    for known in (first, shown):
        again = signed_again(known, road.log, road.trust)
        if _meets(again, road.trust):
            road.ledger.cosign(again, anew=True)
            return
    head = signed_again(shown, road.log, road.trust)
    witnessing.witness(road.ledger, head, road.trust, road.witnesses, road.clock, anew=True)


def signed_again(known: Committed, log: AnySigner, trust: Policy) -> Committed:
    """The same tree signed by `log`, with the cosignatures it has of the witnesses in `trust`."""
    old = note.parse(known.note.encode())
    counted = {(witness.verifier.name, witness.verifier.key_id) for witness in trust.witnesses}
    kept = tuple(s for s in old.signatures if (s.name, s.key_id) in counted)
    signed = note.sign(old.text, [log])
    return replace(known, note=replace(signed, signatures=(*signed.signatures, *kept)).encode().decode())


def _meets(known: Committed, trust: Policy) -> bool:
    try:
        policy.check(trust, known.note.encode())
    except TamperError:
        return False
    return True


def reissue(road: Road) -> Reissued:
    """Replace every proof file on the site that is not what the ledger proves now, and look at it there.

    A proof is a kept file like any other, whose bytes the journal knows: its row is moved to the new bytes first, so
    that nobody takes them for somebody else's. Raises RemoteError `upload-failed`.
    """
    shown = road.ledger.cosigned()
    releases = [e for e in road.ledger.entries(0, shown.size if shown else 0) if e.event == "release"]
    changed: list[Row] = []
    for done, entry in enumerate(releases):
        road.tell("bytes", {"what": "proofs", "done": done, "total": len(releases), "unit": "entries"})
        changed += _replaced(road, entry)
    road.store.push("files", [row.effect.path for row in changed])
    seen = [_looked(road, row) for row in changed]
    return Reissued(written=len(changed), waiting=sum(row.state == "sent" for row in seen))


def _replaced(road: Road, entry: Entry) -> list[Row]:
    """The rows of those proofs of an entry that lie on the site with other bytes; ours lie there when this returns."""
    rows = {row.effect.key: row for row in road.journal.rows(entry.index) if row.effect.target == road.site_target}
    fact = logged(road, entry)
    plan = road.targets[road.site_target].plan(fact, None)
    changed = []
    for effect in (e for e in plan if isinstance(e, Effect) and e.path.endswith(PROOF)):
        there, data = road.store.read(effect.path), road.kept.read(effect.blob.sha256)
        if there is None:
            continue  # not published yet: the release brings it
        row, known = _row(road, effect, rows.get(effect.key))
        if there != data:
            road.store.write(effect.path, [data])
        if there != data or row.state != "seen" or not known:
            changed.append(row)
    return changed


def _row(road: Road, effect: Effect, standing: Row | None) -> tuple[Row, bool]:
    """The row of an effect with its new bytes, and whether it was so before."""
    if standing is not None and standing.effect == effect and standing.state == "seen":
        return standing, True
    row = Row(effect=effect, state="sent", since=road.clock(), tries=1, why="issued again")
    road.journal.move(standing, row)
    return row, False


def _looked(road: Road, row: Row) -> Row:
    """What the public shows now; the proof of before is one that was not replaced yet."""
    try:
        found = road.targets[road.site_target].find(row.effect)
    except RemoteError:
        found = None
    after = replace(row, state="seen", why="", receipt=found) if _is(found, row) else row
    if after.state == "seen" and after != row:
        road.journal.move(row, after)
    return after


def _is(found: Receipt | None, row: Row) -> bool:
    return found is not None and found.sha256 == row.effect.blob.sha256

"""*Logged* means under a checkpoint that meets our own witness policy: the road's meetings with its witnesses."""

from tagtrail.formats import policy
from tagtrail.model.facts import Entry
from tagtrail.trail import sequencer, witnessing
from tagtrail.workflows.road import Road

__all__ = ["guard", "recosign", "witnessed"]

FRESH = 3600
"""Seconds after which cosignatures are asked for again."""


def guard(road: Road) -> None:
    """Before anything is signed: whatever the public and the witnesses have seen is a prefix of our trail.

    Raises what `sequencer.guard` and `witnessing.guard` raise.
    """
    sequencer.guard(road.ledger, road.log.verifier, road.public())
    witnessing.guard(road.ledger, road.log, road.trust, road.witnesses, road.clock)


def witnessed(road: Road, *entries: Entry) -> None:
    """Have the trail's newest checkpoint cosigned if these entries need it, and tell that they are logged.

    Raises RemoteError `quorum-unmet`; TamperError `trail-ahead`, `witness-refused`.
    """
    head = road.ledger.committed()
    if head is None or all(road.ledger.cosigned(covering=entry.index) for entry in entries):
        return
    met = witnessing.witness(road.ledger, head, road.trust, road.witnesses, road.clock)
    seen = f"{met.checked.cosigned} of {met.checked.countable}" if road.trust.witnesses else ""
    for name, why in met.failed:
        road.tell("note", {"text": f"witness {name} did not cosign: {why}"})
    for entry in entries:
        where = {"project": entry.project, "version": entry.version, "index": entry.index}
        road.tell("logged", where | {"entry": entry.event, "size": head.size, "witnessed": seen})


def recosign(road: Road) -> bool:
    """Fresh cosignatures under what is shown, where those there are older than FRESH; whether there are new ones.

    Raises as `witnessed`.
    """
    shown = road.ledger.cosigned()
    if shown is None or not road.witnesses:
        return False
    fresh = policy.check(road.trust, shown.note.encode()).fresh_time
    if fresh is not None and road.clock() - fresh < FRESH:
        return False
    head = road.ledger.committed() or shown
    witnessing.witness(road.ledger, head, road.trust, road.witnesses, road.clock)
    return True

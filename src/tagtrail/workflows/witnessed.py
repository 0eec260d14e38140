"""*Logged* means under a checkpoint that meets our own witness policy: the road's meetings with its witnesses."""

from tagtrail.formats import note, policy
from tagtrail.formats.times import format_time
from tagtrail.model.errors import TamperError
from tagtrail.model.facts import Entry
from tagtrail.trail import sequencer, witnessing
from tagtrail.trail.keys import current_root
from tagtrail.trail.show import show
from tagtrail.workflows.road import Road
from tagtrail.workflows.roots import log_keys

__all__ = ["guard", "recosign", "witnessed"]

FRESH = 3600
"""Seconds after which cosignatures are asked for again."""


def guard(road: Road) -> None:
    """Before anything is signed: whatever the public and the witnesses have seen is a prefix of our trail.

    Raises what `sequencer.guard` and `witnessing.guard` raise.
    """
    root = current_root(road.ledger, road.kept)
    known = {road.log.verifier, *(log_keys(root) if root else ())}  # an older key's checkpoint may still be shown
    for data in road.public():
        signer = note.open_note(data, known).verified[0].verifier
        sequencer.guard(road.ledger, signer, [data])
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
        road.tell("logged", where | {"entry": entry.event, "size": met.committed.size, "witnessed": seen})


def recosign(road: Road) -> bool:
    """Fresh cosignatures under what is shown, and shown, where those there are older than FRESH; whether they are new.

    Raises as `witnessed`; RemoteError `upload-failed`.
    """
    head = road.ledger.committed()
    if head is None or not road.witnesses or road.clock() - _fresh(road) < FRESH:
        return False
    met = witnessing.witness(road.ledger, head, road.trust, road.witnesses, road.clock)
    show(road.ledger, road.store, road.journal)
    seen = f"{met.checked.cosigned} of {met.checked.countable}"
    road.tell("recosigned", {"size": head.size, "witnessed": seen, "fresh": format_time(met.checked.fresh_time or 0)})
    return True


def _fresh(road: Road) -> int:
    """The time at which a quorum is known to have seen what is shown; 0 if what is shown does not meet the policy."""
    shown = road.ledger.cosigned()
    try:
        return (shown and policy.check(road.trust, shown.note.encode()).fresh_time) or 0
    except TamperError:
        return 0  # the witnesses or the log's key have changed since

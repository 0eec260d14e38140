"""A next root of trust, from what one `keys` command asks for until everybody is shown it.

    wanted -> changed -> signed (here, or in turn by others) -> entered -> witnessed -> shown, old proofs issued again

The order is that of the safest crash: what proofs stand on is changed before the `key` entry, and it is right under
the old root's successor only; nobody is shown anything before the entry is witnessed. Run again, each step that was
done is found done.
"""

from collections.abc import Collection

from tagtrail import pages
from tagtrail.formats import dsse, note
from tagtrail.formats.note import AnySigner, Verifier, parse_vkey
from tagtrail.formats.policy import Log
from tagtrail.formats.root import PAYLOAD_TYPE, Freeze, Root, parse_root
from tagtrail.formats.site import CHECKPOINT
from tagtrail.model.errors import Error, RemoteError, SetupError, TamperError
from tagtrail.model.facts import Entry
from tagtrail.model.frozen import replace
from tagtrail.ports import Kept, Reading
from tagtrail.trail import sequencer, witnessing
from tagtrail.trail.keys import ROOT_SUFFIX, SITE, current_root
from tagtrail.trail.show import show
from tagtrail.verify.roots import next_root, open_root, policy_of
from tagtrail.workflows.render import LedgerView, render
from tagtrail.workflows.reprove import Reissued, rebase, reissue, signed_again
from tagtrail.workflows.road import Road
from tagtrail.workflows.roots import beside, fits, key_draft, log_keys, wanted
from tagtrail.workflows.witnessed import witnessed

__all__ = ["agreement", "carry", "differs", "enter", "frozen", "joined", "next_of", "public_files", "waiting"]

_TRAIL = CHECKPOINT.removesuffix("checkpoint")

_AGAIN = "tagtrail keys renew, and have the new draft signed"


def next_of(road: Road) -> tuple[Root | None, Root]:
    """The current root (None before the first), and the next one as the settings ask for it."""
    old = current_root(road.ledger, road.kept)
    return old, wanted(road, old)


def frozen(road: Road, root: Root, *, always: bool = False) -> Root:
    """`root` with a freeze of the tree that is shown: `always`, or where proofs must be issued again and others stand.

    An entry that a freeze covers counts under exactly such a tree, so whoever changes its proof freezes again.
    """
    shown = road.ledger.cosigned()
    if shown is None or not (always or (root.freezes and not fits(road.ledger, root))):
        return root
    freeze = Freeze(size=shown.size, root=shown.root)
    return root if freeze in root.freezes else replace(root, freezes=(*root.freezes, freeze))


# --- signatures -----------------------------------------------------------------------------------------------------


def agreement(old: Root | None, envelope: dsse.Envelope) -> tuple[tuple[int, int, int], ...]:
    """(root version, signatures by its keys, its threshold) of the two roots that must agree on the next one."""
    root = parse_root(envelope.payload)
    return tuple((r.version, len(_by(r, envelope)), r.threshold) for r in (old, root) if r is not None)


def waiting(old: Root | None, envelope: dsse.Envelope) -> bool:
    """Whether signatures are still missing."""
    return any(have < need for _, have, need in agreement(old, envelope))


def joined(envelopes: Collection[dsse.Envelope]) -> dsse.Envelope:
    """The signatures on several copies of one root in one envelope. Raises SetupError `drafts-differ`."""
    payloads = {(e.payload_type, e.payload) for e in envelopes}
    if len(payloads) != 1 or {kind for kind, _ in payloads} != {PAYLOAD_TYPE}:
        raise SetupError(
            "these files are not copies of one root", code="drafts-differ", hint="submit one draft's copies"
        )
    ((kind, payload),) = payloads
    signatures = dict.fromkeys(s for e in envelopes for s in e.signatures)
    return dsse.Envelope(payload_type=kind, payload=payload, signatures=tuple(signatures))


def _by(root: Root, envelope: dsse.Envelope) -> tuple[Verifier, ...]:
    try:
        return dsse.verify(envelope, [parse_vkey(key) for key in root.keys])
    except TamperError as error:
        if error.code != "dsse-threshold":
            raise
        return ()


# --- entering -------------------------------------------------------------------------------------------------------


def enter(road: Road, envelope: dsse.Envelope, log: AnySigner) -> tuple[Entry, ...]:
    """Enter a root that enough keys have signed; `log`, which it names, signs the trail from here on.

    Raises SetupError `draft-outdated`, `freeze-passed`; RemoteError `quorum-unmet` (before anything was changed, or
    when the entry is there and nobody is shown it yet), `trail-moved`; TamperError as `next_root`, `trail-*`.
    """
    old, data = current_root(road.ledger, road.kept), envelope.encode()
    root = next_root(old, data, road.clock()) if old else open_root(data)
    _check_draft(road, root)
    after = _after(road, log)
    _guard(road, old, root)
    if not fits(road.ledger, root):
        rebase(after)
    elif old is not None and log.verifier not in log_keys(old):
        _introduce(after)
    files = beside(road, root) | {f"{root.version}{ROOT_SUFFIX}": data}
    head = road.ledger.committed()
    new = sequencer.append([key_draft(road, files)], after=head, ledger=road.ledger, log=log, clock=road.clock)
    witnessed(after, *new)
    return new


def carry(road: Road) -> Reissued:
    """Have the trail's newest checkpoint witnessed, everybody shown it, and the proofs that changed replaced.

    Raises RemoteError `quorum-unmet`, `upload-failed`.
    """
    head = road.ledger.committed()
    if head is not None:
        witnessed(road, *road.ledger.entries(head.size - 1, head.size))
    show(road.ledger, road.store, road.journal)
    again = reissue(road)
    pages = road.lease("pages")
    render(road.ledger, road.store, road.kept, road.journal, tell=road.tell, clock=road.clock, lock=pages)
    return again


def public_files(trail: Reading, kept: Kept) -> dict[str, bytes]:
    """Name to bytes of everything below /trail/ that is public about keys, also of what nobody is shown yet."""
    head = trail.committed()
    if head is None:
        return {}
    view = LedgerView(trail, kept, head.size)
    paths = [path for path in pages.all_paths(view) if path.startswith(_TRAIL) and not path.endswith(SITE)]
    names = {path: path.removeprefix(_TRAIL).removeprefix("keys/") for path in paths}
    return {name: pages.page(path, view) for path, name in names.items()}


def differs(old: Root, new: Root) -> bool:
    """Whether two roots say different things, apart from their version and how long they are valid."""
    return replace(new, version=old.version, expires=old.expires) != old


def _after(road: Road, log: AnySigner) -> Road:
    """The road on which `log` signs."""
    url = next((known.url for known in road.trust.logs), "")
    return replace(road, log=log, trust=replace(road.trust, logs=(Log(verifier=log.verifier, url=url),)))


def _check_draft(road: Road, root: Root) -> None:
    """A root that was made a while ago must still be about this trail and these witnesses."""
    if replace(policy_of(root), logs=()) != replace(road.trust, logs=()):
        what = f"root {root.version} asks for other witnesses than the settings do now"
        raise SetupError(what, code="draft-outdated", hint=_AGAIN)
    shown = road.ledger.cosigned()
    if shown is None or fits(road.ledger, root):
        return
    if root.freezes and (shown.size, shown.root) not in {(f.size, f.root) for f in root.freezes}:
        what = f"root {root.version} freezes a tree of {root.freezes[-1].size}, the trail has {shown.size} entries now"
        raise SetupError(what, code="freeze-passed", why="something was logged since the draft was made", hint=_AGAIN)


def _guard(road: Road, old: Root | None, root: Root) -> None:
    """Whatever the public and the witnesses have seen is a prefix of ours; what a key that is given up signed is told.

    After a theft the thief may have shown anybody anything: it must not keep the operator from ending it.
    """
    gone = set(log_keys(old)) - set(log_keys(root)) if old else set()
    for data in road.public():
        signer = _signer(data, (*log_keys(root), *gone))
        if signer not in gone:
            sequencer.guard(road.ledger, signer, [data])
    try:
        believed = replace(road.trust, logs=policy_of(old).logs) if old else road.trust
        witnessing.guard(road.ledger, road.log, believed, road.witnesses, road.clock)
    except Error as error:
        if not gone:
            raise
        road.tell("note", {"text": f"the witnesses do not know our tree: {error.what}"})


def _signer(data: bytes, keys: Collection[Verifier]) -> Verifier:
    """Who of `keys` signed what is shown. Raises TamperError `note-no-known-key`, `note-bad-signature`."""
    return note.open_note(data, keys).verified[0].verifier


def _introduce(after: Road) -> None:
    """The witnesses must know a new log key before it signs anything new: no trail shall stand still.

    Raises RemoteError `quorum-unmet`.
    """
    shown = after.ledger.cosigned()
    if shown is None or not after.witnesses:
        return
    head = signed_again(shown, after.log, replace(after.trust, witnesses=(), groups=(), quorum="none"))
    try:
        witnessing.witness(after.ledger, head, after.trust, after.witnesses, after.clock)
    except RemoteError as error:
        vkey = after.log.verifier.vkey()
        hint = f"give the operators of your witnesses the log's new key, {vkey}; then run it again"
        raise RemoteError(error.what, code=error.code, why=error.why, hint=hint) from None

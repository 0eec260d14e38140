"""From the hinge outwards: tiles, checkpoint, files, pages, in this order, each looked at where the public sees it."""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from tagtrail.formats.site import media, release_page
from tagtrail.model.errors import TamperError
from tagtrail.model.facts import Blob, Effect, Entry, Logged, Published, Row, Sidecar
from tagtrail.model.frozen import replace
from tagtrail.model.names import version_key
from tagtrail.ports import Target, Tell
from tagtrail.trail import sequencer
from tagtrail.trail.sequencer import draft_digest
from tagtrail.trail.show import prove, show
from tagtrail.workflows.carry import drive, exit_code
from tagtrail.workflows.road import Road

__all__ = ["is_ours", "logged", "ours_key", "places", "publish", "published", "unseen"]

PROOF = "entry.tlog-proof"
_MAYBE = {"asked": "; it may have arrived", "held": "; it may have arrived", "sent": "; it was sent"}


def logged(road: Road, entry: Entry) -> Logged:
    """The hinge from the trail and the kept bytes alone. Raises TamperError `kept-missing`."""
    road.kept.put([prove(road.ledger, entry)], media(PROOF))
    return Logged(entry=entry, proof=_proof(road, entry), blobs=_blobs(road, entry))


def _proof(road: Road, entry: Entry) -> Blob:
    data = prove(road.ledger, entry)
    return Blob(sha256=sha256(data).hexdigest(), size=len(data), media=media(PROOF))


def _blobs(road: Road, entry: Entry) -> tuple[Sidecar, ...]:
    if entry.event == "withdraw":  # it names the files of the release and carries none of them
        return ()
    wanted = [(f.name, f.sha256) for f in entry.files]
    wanted += [(f"{f.name}.metadata", f.metadata) for f in entry.files if f.metadata]
    wanted += entry.sidecars
    return tuple(_kept(road, name, digest) for name, digest in wanted)


def publish(road: Road, logged: Logged) -> tuple[Row, ...]:
    """Bring everything of an entry where it belongs and look at it there; returns the rows. Run it again until all
    is seen.

    Raises RemoteError `upload-failed` (what could be done elsewhere has been done), TamperError `kept-altered`.
    """
    from tagtrail.workflows.render import render  # with pages: `release` loads them beside the build

    _stop_withdrawn(road, logged.entry)
    shown = places(road, logged.entry)
    show(road.ledger, road.store, road.journal)
    for target in shown:
        _drive(road, logged, target)
    _push(road, logged.entry)
    pages = road.lease("pages")
    render(road.ledger, road.store, road.kept, road.journal, tell=road.tell, clock=road.clock, lock=pages)
    if road.store.read(release_page(logged.entry.project, logged.entry.version)) is None:  # it was there, and is gone
        pages = road.lease("pages")
        render(
            road.ledger, road.store, road.kept, road.journal, tell=road.tell, clock=road.clock, whole=True, lock=pages
        )
    shown = places(road, logged.entry)  # it may have been withdrawn meanwhile
    for target in shown:
        _drive(replace(road, tell=_without_skips(road)), logged, target)
    names = {target.name for target in shown}
    return tuple(row for row in road.journal.rows(logged.entry.index) if row.effect.target in names)


def published(logged: Logged, rows: Iterable[Row]) -> Published | None:
    """What may be announced: everything was seen where it belongs, or dropped by a person."""
    shown = tuple(rows)
    if exit_code(shown):
        return None
    return Published(logged=logged, receipts=tuple(row.receipt for row in shown if row.receipt))


def _stop_withdrawn(road: Road, entry: Entry) -> None:
    """What was withdrawn goes to no more places; the site has it, for it shows the trail."""
    gone = sequencer.find_withdrawal(road.ledger, entry.project, entry.version)
    if gone is None:
        return
    same = (e for e in road.ledger.entries(project=entry.project) if e.event == "release")
    for release in (e for e in same if version_key(e.version) == version_key(entry.version)):
        rows = [r for r in road.journal.rows(release.index) if r.effect.target != road.site_target]
        for row in (r for r in rows if r.state not in ("seen", "dropped")):
            came = f"; {row.why}" if row.state == "conflict" else _MAYBE.get(row.state, "")
            why = f"withdrawn in entry {gone.index}{came}"
            if road.journal.move(row, replace(row, state="dropped", since=road.clock(), why=why)):
                road.tell("skip", {"target": row.effect.target, "what": row.effect.path, "because": why})


def _push(road: Road, entry: Entry) -> None:
    """Make the site's files public, again what nobody sees yet; a push that failed, or that nobody remembers, again.

    The release page is not there yet: it goes with the pages.
    """
    name, page = f"pushed:{entry.index}", release_page(entry.project, entry.version)
    done = road.journal.cursor(name)
    states = ("sent",) if done else ("sent", "seen")
    rows = [row for row in road.journal.rows(entry.index) if row.effect.target == road.site_target]
    road.store.push("files", [r.effect.path for r in rows if r.state in states and r.effect.path != page])
    road.journal.cursor(name, done, 1)


def unseen(road: Road, entry: Entry) -> tuple[str, ...]:
    """The paths of an entry that are not where they belong; looks, and writes nothing."""
    whole = Logged(entry=entry, proof=_proof(road, entry), blobs=_blobs(road, entry))
    effects = ((target, item) for target in places(road, entry) for item in target.plan(whole, None))
    return tuple(
        item.path
        for target, item in effects
        if isinstance(item, Effect) and target.retry != "blind" and not target.find(item)
    )


def ours_key(digest: str) -> str:
    """Under which the journal remembers, before anybody can see the entry, that it enters this draft itself."""
    return f"ours:{digest}"


def is_ours(road: Road, entry: Entry) -> bool:
    """Whether this journal logged the entry: else what nobody can look at may have happened."""
    return bool(road.journal.once(ours_key(draft_digest(entry.raw)), bool, lambda: False))


def places(road: Road, entry: Entry) -> tuple[Target, ...]:
    """Where the settings send entries of this project and channel; the site always, it shows the trail."""
    publish = next((p.publish for p in road.settings.projects if p.name == entry.project), ())
    if entry.event == "release" and sequencer.find_withdrawal(road.ledger, entry.project, entry.version):
        publish = ()
    names = [t.name for t in road.settings.targets if t.type == "site" or t.name in publish]
    return tuple(road.targets[n] for n in names if entry.channel in road.settings.target(n).on or n == road.site_target)


def _drive(road: Road, logged: Logged, target: Target) -> None:
    awaited = road.settings.target(target.name).by == "ci" and logged.entry.event == "release"
    ours = is_ours(road, logged.entry)
    drive(logged, target, road.journal, notice=None, ours=ours, clock=road.clock, tell=road.tell, awaited=awaited)


def _without_skips(road: Road) -> Tell:
    """Of a second look at the same places, what is new: what is not done was told with the first."""

    def tell(name: str, fields: Mapping[str, Any]) -> None:
        if name != "skip":
            road.tell(name, fields)

    return tell


def _kept(road: Road, name: str, digest: str) -> Sidecar:
    blob = road.kept.blob(digest, media(name))
    if blob is None:
        raise TamperError(
            f"{name} ({digest[:16]}...) is named by the trail and is not kept here",
            code="kept-missing",
            hint="restore the instance's kept/ directory from a back-up",
        )
    return Sidecar(name=name, blob=blob)

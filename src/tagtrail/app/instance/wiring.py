"""Wiring: an instance's directory becomes the road's ports; the only place that knows which adapter is which."""

from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path

from tagtrail.adapters.directory import DirectoryKept
from tagtrail.adapters.git_notes import GitNotes
from tagtrail.adapters.openpgp import OpenPGP
from tagtrail.app.instance.home import Home
from tagtrail.app.instance.places import places
from tagtrail.app.instance.private import install, pending, signer_of
from tagtrail.app.instance.reading import Instance
from tagtrail.app.instance.storage import open_store
from tagtrail.app.instance.workshop import now, open_workshop
from tagtrail.formats.policy import Policy
from tagtrail.formats.settings import settings_digest, site_of
from tagtrail.formats.site import CHECKPOINT, Site
from tagtrail.io import http, scratch
from tagtrail.model.errors import RemoteError
from tagtrail.model.facts import Key
from tagtrail.model.metadata import IndexView, Metadata
from tagtrail.model.settings import Project
from tagtrail.ports import Journal, Store, Tell, Witness
from tagtrail.trail.keys import current_root
from tagtrail.workflows.ahead import Workshop
from tagtrail.workflows.road import Road

__all__ = ["now", "open_road"]

MAX_CHECKPOINT = 64 * 1024
PUBLIC = "public-seen"
"""The journal's cursor that says that the public site has answered once."""


def open_road(home: Path, *, tell: Tell, shop: Workshop | None = None) -> Road:
    """All ports of the instance at `home`, with those of `shop` where that was opened before. Scratch that dead
    processes left is removed first."""
    shop = shop or open_workshop(home)
    at, instance = Home(path=home), Instance(home=home, settings=shop.settings)
    settings = instance.settings
    site = site_of(settings)
    people = instance.people()
    texts = instance.texts()
    rooms = at.state("scratch")
    scratch.sweep(rooms)
    kept = DirectoryKept(at.kept)
    ledger, journal = shop.ledger(), shop.journal()
    if pending(at):
        install(at, current_root(ledger, kept))
    chosen = settings.site
    store = open_store(at, chosen)
    log = signer_of(at, settings, "log")
    trust = instance.trust(log.verifier)
    return Road(
        settings=settings,
        site=site,
        people=people,
        policy=lambda project: settings_digest(settings, project, _fingerprints(people, project), texts),
        source=shop.source(),
        notes=GitNotes(rooms),
        builder=shop.builder(),
        isolation=shop.isolation,
        signer=OpenPGP(at.secret("release-key.pgp")),
        kept=kept,
        ledger=ledger,
        journal=journal,
        store=store,
        targets=places(instance, lambda index: ledger.entries(index, index + 1)[0], kept=kept, store=store),
        site_target=chosen.name,
        public=_public(site, store, journal),
        log=log,
        root=signer_of(at, settings, "root") if at.holds("root.key") or "root" in dict(settings.keys) else None,
        builder_key=signer_of(at, settings, "builder"),
        trust=trust,
        witnesses=_witnesses(trust),
        clock=now,
        tell=tell,
        lease=lambda name: scratch.locked(at.state(f"{name}.lock")),
        names=instance.names,
        view=cache(_view),
        texts=texts,
        ready=lambda kind: _ready(at.state("templates"), kind),
    )


def _ready(compiled: Path, kind: str) -> Iterator[Callable[[], object]]:
    """Load what renders descriptions of a content type, and what writes SBOM and pages, whose templates are kept as
    they were compiled."""
    from tagtrail.formats import sbom

    yield partial(_view, Metadata(name="", version="", description="*", content_type=kind))
    yield sbom.ready
    yield partial(_pages_ready, compiled)


def _pages_ready(compiled: Path) -> None:
    from jinja2 import FileSystemBytecodeCache

    from tagtrail import pages
    from tagtrail.workflows import render  # noqa: F401  (loaded when it would be waited for)

    compiled.mkdir(exist_ok=True)
    pages.ready(FileSystemBytecodeCache(str(compiled)))


def _view(metadata: Metadata) -> IndexView:
    from tagtrail.adapters.index_view import view  # slow to load: `release` does it beside the build

    return view(metadata)


def _fingerprints(people: dict[str, tuple[Key, ...]], project: Project) -> tuple[str, ...]:
    return tuple(sorted({key.fingerprint for group in project.signers for key in people[group]}))


def _witnesses(trust: Policy) -> dict[str, Witness]:
    """Those that have an address; where there are none, nothing of HTTP is loaded for them."""
    if not any(known.url for known in trust.witnesses):
        return {}
    from tagtrail.adapters.http_witness import HttpWitness

    return {known.name: HttpWitness(known.url) for known in trust.witnesses if known.url}


def _public(site: Site, store: Store, journal: Journal) -> Callable[[], tuple[bytes, ...]]:
    """The checkpoints that others are being shown: on this disk, and at the site's URL.

    As long as the URL never answered, a missing answer is a site that is not up yet; later it is a reason to stop.
    """

    def shown() -> tuple[bytes, ...]:
        here = store.read(CHECKPOINT)
        found = () if here is None else (here,)
        if not site.url:
            return found
        try:
            body = http.fetch(site.url + CHECKPOINT, MAX_CHECKPOINT)
            why = "there is none"
        except RemoteError as error:
            body, why = None, f"{error.what} {error.why}".strip()
        if body is not None:
            journal.cursor(PUBLIC, 0, 1)
            return (*found, body)
        if journal.cursor(PUBLIC):
            raise RemoteError(
                f"the public checkpoint at {site.url}{CHECKPOINT} cannot be read any more",
                code="public-unreachable",
                why=f"{why}; what the public sees must be a prefix of our trail before anything new is signed",
                hint="bring the site back, then run it again",
            )
        return found

    return shown

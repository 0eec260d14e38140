"""Wiring: an instance's directory becomes the road's ports; the only place that knows which adapter is which."""

import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

from tagtrail.adapters.builder.environments import Environments
from tagtrail.adapters.directory import DirectoryKept
from tagtrail.adapters.git import GitSource
from tagtrail.adapters.git_notes import GitNotes
from tagtrail.adapters.openpgp import OpenPGP
from tagtrail.adapters.site import SiteTarget
from tagtrail.adapters.sqlite import SqliteJournal, SqliteLedger
from tagtrail.app.instance.builders import builders
from tagtrail.app.instance.home import Home
from tagtrail.app.instance.private import install, pending, signer_of
from tagtrail.app.instance.reading import open_instance
from tagtrail.app.instance.secrets import Secrets
from tagtrail.app.instance.storage import open_store
from tagtrail.app.instance.targets import Context, Targets
from tagtrail.formats.policy import Policy
from tagtrail.formats.settings import settings_digest, site_of
from tagtrail.formats.site import CHECKPOINT, Site
from tagtrail.io import http, sandbox, scratch
from tagtrail.model.errors import RemoteError
from tagtrail.model.facts import Key
from tagtrail.model.metadata import IndexView, Metadata
from tagtrail.model.settings import BuildSettings, Project
from tagtrail.ports import Builder, Clock, Journal, Store, Tell, Witness
from tagtrail.trail.keys import current_root
from tagtrail.workflows.road import Road

__all__ = ["now", "open_road"]

MAX_CHECKPOINT = 64 * 1024
STEP = 3600
"""Seconds that one step of a build may take, unless the settings say otherwise."""
PUBLIC = "public-seen"
"""The journal's cursor that says that the public site has answered once."""


def now() -> int:
    """Unix seconds."""
    return int(time.time())


def open_road(home: Path, *, tell: Tell, clock: Clock = now, refresh: bool = False) -> Road:
    """All ports of the instance at `home`. Scratch that dead processes left is removed first.

    With `refresh`, build requirements are resolved anew, however young what was resolved before is.
    """
    at = Home(home)
    instance = open_instance(home)
    settings = instance.settings
    site = site_of(settings)
    people = instance.people()
    texts = instance.texts()
    rooms = at.state("scratch")
    scratch.sweep(rooms)
    kept = DirectoryKept(at.kept)
    ledger, journal = SqliteLedger(at.database), SqliteJournal(at.database)
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
        source=GitSource(at.state("repos")),
        notes=GitNotes(rooms),
        builder=_builder(at, settings.build, clock, refresh=refresh),
        isolation=lambda: sandbox.isolation(settings.build.isolation, at.path),
        signer=OpenPGP(at.secret("release-key.pgp")),
        kept=kept,
        ledger=ledger,
        journal=journal,
        store=store,
        targets=Targets(
            settings=settings,
            context=Context(
                home=home,
                site=site,
                kept=kept,
                secrets=Secrets(home=home),
                clock=clock,
                entry=lambda index: ledger.entries(index, index + 1)[0],
            ),
            made={chosen.name: SiteTarget(chosen.name, site, store, kept, digest=http.digest, fetch=http.fetch)},
        ),
        site_target=chosen.name,
        public=_public(site, store, journal),
        log=log,
        root=signer_of(at, settings, "root") if at.holds("root.key") or "root" in dict(settings.keys) else None,
        builder_key=signer_of(at, settings, "builder"),
        trust=trust,
        witnesses=_witnesses(trust),
        clock=clock,
        tell=tell,
        lease=lambda name: scratch.locked(at.state(f"{name}.lock")),
        names=instance.names,
        view=cache(_view),
        texts=texts,
    )


def _view(metadata: Metadata) -> IndexView:
    from tagtrail.adapters.index_view import view  # slow to load: `release` does it beside the build

    return view(metadata)


def _fingerprints(people: dict[str, tuple[Key, ...]], project: Project) -> tuple[str, ...]:
    return tuple(sorted({key.fingerprint for group in project.signers for key in people[group]}))


def _builder(at: Home, chosen: BuildSettings, clock: Clock, *, refresh: bool) -> Builder:
    said = {name: getattr(chosen, name) for name in ("memory", "disk", "processes") if getattr(chosen, name)}
    most, rooms = sandbox.Limits(**said), at.state("scratch")
    limit = float(chosen.time or STEP)
    environments = Environments(at.state("envs"), rooms, limit=limit, most=most, clock=clock, refresh=refresh)
    return builders(at.path / "state", rooms, environments, limit=limit, most=most)


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

"""Sites for tests of audits: in a dictionary, over loopback, by operators who are honest and by one who lies."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from tagtrail.adapters.openpgp import OpenPGP, generate
from tagtrail.formats import canonical, merkle, note
from tagtrail.formats.entry import EVENT_TYPE, STATEMENT_TYPE, parse
from tagtrail.formats.note import Signer
from tagtrail.formats.policy import Policy
from tagtrail.formats.root import Root
from tagtrail.formats.times import format_time
from tagtrail.model.facts import Entry
from tagtrail.ports import Committed
from tagtrail.testing.suites.appending import cosign
from tagtrail.trail.keys import root_envelope
from tagtrail.trail.show import prove, show
from tagtrail.verify.roots import open_root
from tagtrail.workflows.audit import FRESH, Asked, Audited, SiteReader
from tagtrail.workflows.audit import look as audit_once
from tagtrail.workflows.release import release
from tagtrail.workflows.render import render
from tests.workflows.world import ADA, ORIGIN, World

LATER = 2 * FRESH
APPROVED = [{"key": ADA.key.fingerprint, "digest": "0" * 64}]
KEY = OpenPGP(generate("<releases@example.org>").encode())
NOW = int(time.time())  # noqa: TID251


@dataclass
class Site:
    """A site in a dictionary, as an auditor reads it."""

    files: dict[str, bytes]

    def paths(self) -> Iterator[str]:
        return iter(sorted(self.files))

    @contextmanager
    def opened(self, path: str) -> Iterator[Iterator[bytes] | None]:
        data = self.files.get(path)
        yield None if data is None else (data[at : at + 7000] for at in range(0, len(data), 7000))


def signed(world: World) -> World:
    """With a real release key, and so at this hour: the key is not older."""
    vars(world).update(signer=KEY, now=NOW)
    return world


def made(*versions: str) -> World:
    """These versions of nova, released."""
    world = signed(World(versions=versions))
    for version in versions:
        world.now += 60
        release(world.road(), world.project(), version)
    return world


def root_of(world: World) -> Root:
    envelope = root_envelope(world.ledger, world.kept)
    assert envelope
    return open_root(envelope)


def look(
    world: World, site: SiteReader, trust: Root | Policy, *, after: int = LATER, asked: Asked | None = None
) -> Audited:
    """One look; that an audit looks again has tests of its own."""
    return audit_once(site, trust, asked or Asked(), tell=lambda *_: None, clock=lambda: world.now + after)


def found(audited: Audited) -> set[tuple[str, str]]:
    return {(finding.code, finding.path) for finding in audited.findings}


class Liar:
    """An operator who holds the log's key and enters what he likes."""

    def __init__(self) -> None:
        self.world = made("1.0.0")
        self.log = Signer(name=ORIGIN, seed=sha256(b"log").digest())

    def entry(self, number: int) -> dict[str, Any]:
        return json.loads(self.world.ledger.entries(number, number + 1)[0].raw)  # type: ignore[no-any-return]

    def enter(self, *statements: dict[str, Any]) -> None:
        """The statements logged, shown and rendered as if they were right; files are put where they say."""
        world = self.world
        with world.ledger.writing() as writing:
            before = writing.committed()
            assert before
            entries = [parse(index, canonical.dumps(s)) for index, s in enumerate(statements, before.size)]
            for entry in entries:
                writing.insert(entry, merkle.complete(entry.index, merkle.leaf_hash(entry.raw), writing.node), {})
            size = before.size + len(entries)
            root = merkle.root(size, writing.node)
            signed = note.sign(note.Checkpoint(origin=ORIGIN, size=size, root=root).text(), [self.log])
            writing.commit(before, Committed(size=size, root=root, note=signed.encode().decode()))
        cosign(world.ledger)
        show(world.ledger, world.store, world.journal)
        for entry in entries:
            self.publish(entry)
        render(world.ledger, world.store, world.kept, world.journal, tell=lambda *_: None, clock=lambda: world.now)

    def publish(self, entry: Entry) -> None:
        if entry.event == "release":
            for name, digest in [*((f.name, f.sha256) for f in entry.files), *entry.sidecars]:
                self.world.store.files.setdefault(f"{entry.project}/{name}", self.world.kept.blobs[digest])
            for file in entry.files:
                self.world.store.files.setdefault(
                    f"{entry.project}/{file.name}.tlog-proof", prove(self.world.ledger, entry)
                )
                self.world.store.files.setdefault(
                    f"{entry.project}/{file.name}.metadata", self.world.kept.blobs[file.metadata]
                )

    def keep(self, data: bytes) -> str:
        return self.world.kept.put([data], "text/plain").sha256

    def seen(self) -> Audited:
        return look(self.world, Site(self.world.store.files), root_of(self.world))


def event(name: str, time: int, **fields: Any) -> dict[str, Any]:
    ours = {"event": name, "project": "nova", "time": format_time(time), **fields}
    subject = [{"name": "x", "digest": {"sha256": "0" * 64}}]
    return {"_type": STATEMENT_TYPE, "subject": subject, "predicateType": EVENT_TYPE, "predicate": {"tagtrail": ours}}

"""Toy trails for the tests of pages: entries as canonical JSON, and the bytes that they name."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from tagtrail.formats import canonical
from tagtrail.formats.contacts import format_contacts
from tagtrail.formats.dsse import Envelope, Signature
from tagtrail.formats.entry import EVENT_TYPE, RELEASE_TYPE, STATEMENT_TYPE, parse
from tagtrail.formats.root import PAYLOAD_TYPE, Allowed, Root, format_root
from tagtrail.formats.site import Site, format_site
from tagtrail.formats.times import format_time
from tagtrail.model.facts import Entry, Key
from tagtrail.model.texts import Sayings
from tagtrail.pages import ListView, feed_xml

START = 1_775_055_720  # 2026-04-01T15:02:00Z
HOUR = 3600

SITE = Site(name="Example Cloud", origin="releases.example.org/trail", url="https://releases.example.org/")
SSH = Key(
    fingerprint="SHA256:qhVc0Dk3m8W2Zp1n4f6y5tRrVwXyZaBbCcDdEeM1Sgs",
    scheme="ssh",
    material="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPbwYl0CkL3Vw0cXcN1jq0HkZJ0E3Kj7cC3m9XoUq1aB",
    valid_after=START,
)
PGP = Key(
    fingerprint="F803A1B2C3D4E5F60718293A4B5C6D7E8F90D9A2",
    scheme="openpgp",
    material="-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEAAAA\n-----END PGP PUBLIC KEY BLOCK-----",
)


class Trail:
    """A trail that grows by one entry per call."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.bytes: dict[str, bytes] = {}
        self.version = 0

    @property
    def view(self) -> ListView:
        return self.upto(len(self.entries))

    def upto(self, size: int) -> ListView:
        """As another process sees it: what was remembered of another size would hide that a page changed with it."""
        feed_xml._TOLD.clear()
        return ListView(self.entries[:size], self.bytes.__getitem__)

    def keep(self, data: bytes) -> str:
        digest = sha256(data).hexdigest()
        self.bytes[digest] = data
        return digest

    def key(
        self,
        *,
        site: Site | None = None,
        signers: Mapping[str, tuple[Allowed, ...]] | None = None,
        release_key: bool = False,
    ) -> Entry:
        files = {}
        if signers is not None:
            self.version += 1
            files[f"{self.version}.root.json"] = self.keep(root_file(self.version, signers))
        if site:
            files["site.json"] = self.keep(format_site(site))
        if release_key:
            files["release-key.asc"] = self.keep(PGP.material.encode())
        return self.event("key", "", files)

    def release(
        self,
        project: str,
        version: str,
        *,
        files: dict[str, Any] | None = None,
        signer: str = PGP.fingerprint,
        notes: str = "",
        runbook: str = "",
        contacts: Sayings | None = None,
        added: tuple[str, ...] = (),
        purl: str | None = None,
        digests: dict[str, str] | None = None,
        tag: dict[str, str] | None = None,
        **fields: Any,
    ) -> Entry:
        named = {} if files is None else files
        if files is None:
            named = {f"{project}-{version}.tar.gz": {}, f"{project}-{version}-py3-none-any.whl": {}}
        digests = digests or {name: self.keep(f"{project} {name}".encode()) for name in named}
        stem = f"{project}-{version}"
        sidecars = {f"{name}.asc": self.keep(f"asc {name}".encode()) for name in named}
        sums = f"{stem}.{len(self.entries)}.SHA256SUMS" if added else f"{stem}.SHA256SUMS"
        sidecars |= {sums: self.keep(b"sums"), f"{sums}.asc": self.keep(b"sums asc")}
        if not added:
            sidecars |= {
                f"{stem}.tag": self.keep(f"tag {stem}".encode()),
                f"{stem}.notes.md": self.keep(notes.encode()),
                f"{stem}.intoto.jsonl": self.keep(f"provenance {stem}".encode()),
            }
        if runbook:
            sidecars[f"{stem}.runbook.md"] = self.keep(runbook.encode())
        if contacts:
            sidecars[f"{stem}.contacts.json"] = self.keep(format_contacts(contacts))
        ours = {
            "event": "release",
            "project": project,
            "kind": "server",
            "version": version,
            "channel": "final",
            "series": "",
            "tag": {
                "repo": f"https://git.example.org/{project}",
                "name": version,
                "object": sha256(stem.encode()).hexdigest()[:40],
                "sha256": sha256(stem.encode()).hexdigest(),
                "commit": sha256(b"commit" + stem.encode()).hexdigest()[:40],
                "signer": signer,
            }
            | (tag or {}),
            "tree": sha256(b"tree" + stem.encode()).hexdigest(),
            "files": {name: {"size": 41_032, "origin": {"how": "built"}} | more for name, more in named.items()},
            "added": list(added),
            "sidecars": sidecars,
            "approvals": [],
            "policy": sha256(b"policy").hexdigest(),
            "overrides": [],
        } | fields
        predicate = {"purl": f"pkg:pypi/{project}@{version}" if purl is None else purl}
        return self.append(RELEASE_TYPE, digests, predicate, ours)

    def withdraw(self, project: str, version: str, reason: str) -> Entry:
        said = {"reason": reason} if reason else {}
        return self.event("withdraw", project, {"object": "0" * 64}, version=version, **said)

    def event(self, event: str, project: str, files: dict[str, str], **fields: Any) -> Entry:
        ours = {"event": event} | ({"project": project} if project else {}) | fields
        return self.append(EVENT_TYPE, files, {}, ours)

    def append(self, kind: str, subject: dict[str, str], predicate: dict[str, Any], ours: dict[str, Any]) -> Entry:
        index = len(self.entries)
        statement = {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": name, "digest": {"sha256": subject[name]}} for name in sorted(subject)],
            "predicateType": kind,
            "predicate": {**predicate, "tagtrail": ours | {"time": format_time(START + index * HOUR)}},
        }
        self.entries.append(parse(index, canonical.dumps(statement)))
        return self.entries[-1]


def root_file(version: int, signers: Mapping[str, tuple[Allowed, ...]]) -> bytes:
    """A root as the site shows it; its signature is a toy."""
    root = Root(
        origin=SITE.origin,
        version=version,
        expires=START + 10 * 365 * 24 * HOUR,
        threshold=1,
        keys=("releases.example.org/trail+1a2b3c4d+AaPXl8Vc0Dk3m8W2Zp1n4f6y5tRrVwXyZaBbCcDdEeM1",),
        policy="log releases.example.org/trail+1a2b3c4d+AaPXl8Vc0Dk3m8W2Zp1n4f6y5tRrVwXyZaBbCcDdEeM1\nquorum none\n",
        release=(PGP,),
        people=(PGP, SSH),
        signers=tuple(sorted(signers.items())),
    )
    signature = Signature(keyid="1a2b3c4d", value=bytes(64))
    return Envelope(payload_type=PAYLOAD_TYPE, payload=format_root(root), signatures=(signature,)).encode()


def begun(site: Site = SITE) -> Trail:
    """A trail with its first key entry."""
    trail = Trail()
    signers = {
        name: (Allowed(key=PGP.fingerprint), Allowed(key=SSH.fingerprint)) for name in ("nova", "glance", "oslo.config")
    }
    trail.key(site=site, signers=signers, release_key=True)
    return trail

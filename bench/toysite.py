"""A site of many small releases, made fast: real tags, signatures, entries, tiles, proofs and pages over toy artifacts.

Every project has ten releases of an sdist and a wheel. One checkpoint covers the whole trail.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from tagtrail import pages
from tagtrail.adapters.openpgp import OpenPGP, generate
from tagtrail.formats import canonical, dsse, merkle, note, proof, sums, tiles
from tagtrail.formats.entry import EVENT_TYPE, RELEASE_TYPE, STATEMENT_TYPE, parse
from tagtrail.formats.gitobject import object_id
from tagtrail.formats.root import PAYLOAD_TYPE, Allowed, Root, format_root
from tagtrail.formats.site import CHECKPOINT, Site, format_site, sums_name, tag_name
from tagtrail.formats.times import format_time
from tagtrail.model.facts import Entry, Key
from tagtrail.testing.people import Person

ORIGIN = "bench.example/trail"
RELEASES = 10
PEOPLE = Person(name="ada")
TAG = (
    "object {commit}\ntype commit\ntag {version}\ntagger Ada <ada@example.org> 1775055600 +0000\n\n"
    "{project} {version}\n"
)
METADATA = "Metadata-Version: 2.1\nName: {project}\nVersion: {version}\nRequires-Python: >=3.11\n"


@dataclass
class ToySite:
    """The site's files by path, as they come to be."""

    root: Path
    now: int
    raws: list[bytes] = field(default_factory=list)
    count: int = 0

    def __post_init__(self) -> None:
        self.release_key = OpenPGP(generate("<releases@bench.example>").encode())
        self.log = note.Signer(name=ORIGIN, seed=sha256(b"bench log").digest())
        self.kept: dict[str, bytes] = {}
        self.site = Site(name="Bench", origin=ORIGIN, url="https://bench.example/")

    def write(self, path: str, data: bytes) -> str:
        """A file of the site; its SHA-256."""
        at = self.root / path
        at.parent.mkdir(parents=True, exist_ok=True)
        at.write_bytes(data)
        self.count += 1
        return self.keep(data)

    def keep(self, data: bytes) -> str:
        """Bytes that pages are made of; their SHA-256."""
        digest = sha256(data).hexdigest()
        self.kept[digest] = data
        return digest

    def content(self, name: str) -> bytes:
        """The bytes of the artifact `name`."""
        return f"{name}\n".encode() * 100

    def fill(self, projects: int) -> bytes:
        """Write all of it; returns the root to trust."""
        names = [f"toy{number:04}" for number in range(projects)]
        envelope = self._keys(names)
        for release in range(RELEASES):
            for name in names:
                self._release(name, f"1.{release}")
        entries = [parse(index, raw) for index, raw in enumerate(self.raws)]
        self._trail(entries)
        view = pages.ListView(entries, self.kept.__getitem__)
        for path in pages.all_paths(view):
            self.write(path, pages.page(path, view))
        return envelope

    def _keys(self, names: list[str]) -> bytes:
        vkey = self.log.verifier.vkey()
        fingerprint, certificate = self.release_key.fingerprint, self.release_key.certificate
        root = Root(
            origin=ORIGIN,
            version=1,
            expires=self.now + 10**8,
            threshold=1,
            keys=(vkey,),
            policy=f"log {vkey}\nquorum none\n",
            release=(Key(fingerprint=fingerprint, scheme="openpgp", material=certificate),),
            people=(PEOPLE.key,),
            signers=tuple((name, (Allowed(key=PEOPLE.key.fingerprint),)) for name in names),
        )
        envelope = dsse.sign(PAYLOAD_TYPE, format_root(root), [self.log]).encode()
        files = {
            "1.root.json": self.keep(envelope),
            "release-key.asc": self.keep(certificate.encode()),
            "site.json": self.keep(format_site(self.site)),
        }
        self._enter(EVENT_TYPE, files, {}, {"event": "key"})
        return envelope

    def _release(self, project: str, version: str) -> None:
        stem = f"{project}-{version}"
        commit = sha256(stem.encode()).hexdigest()[:40]
        text = TAG.format(project=project, version=version, commit=commit).encode()
        tag = text + PEOPLE.sign(text)
        metadata = METADATA.format(project=project, version=version).encode()
        artifacts = {name: self.content(name) for name in (f"{stem}.tar.gz", f"{stem}-py3-none-any.whl")}
        digests = {name: self._file(project, name, data) for name, data in artifacts.items()}
        listed = sums.format_sums(digests.items())
        sidecars = {f"{name}.asc": self.release_key.sign(data) for name, data in artifacts.items()}
        sidecars |= {
            sums_name(project, version): listed,
            f"{sums_name(project, version)}.asc": self.release_key.sign(listed),
        }
        sidecars |= {tag_name(project, version): tag, f"{stem}.notes.md": f"- a change in {version}\n".encode()}
        described = self.keep(metadata)
        for name in artifacts:
            self._file(project, f"{name}.metadata", metadata)
        about = {"origin": {"how": "built"}, "requires-python": ">=3.11", "metadata": described}
        ours = {
            "event": "release",
            "project": project,
            "kind": "library",
            "version": version,
            "channel": "final",
            "series": "",
            "tag": {
                "repo": f"https://git.bench.example/{project}",
                "name": version,
                "object": object_id("tag", tag, 40),
                "sha256": sha256(tag).hexdigest(),
                "commit": commit,
                "signer": PEOPLE.key.fingerprint,
            },
            "tree": sha256(b"tree" + stem.encode()).hexdigest(),
            "files": {name: {"size": len(data), **about} for name, data in artifacts.items()},
            "added": [],
            "sidecars": {name: self._file(project, name, data) for name, data in sidecars.items()},
            "approvals": [],
            "policy": sha256(b"policy").hexdigest(),
            "overrides": [],
        }
        self._enter(RELEASE_TYPE, digests, {"purl": f"pkg:pypi/{project}@{version}"}, ours)

    def _file(self, project: str, name: str, data: bytes) -> str:
        return self.write(self.site.file(project, name), data)

    def _enter(self, kind: str, files: dict[str, str], predicate: dict[str, Any], ours: dict[str, Any]) -> None:
        statement = {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": name, "digest": {"sha256": files[name]}} for name in sorted(files)],
            "predicateType": kind,
            "predicate": {**predicate, "tagtrail": ours | {"time": format_time(self.now)}},
        }
        self.raws.append(canonical.dumps(statement))

    def _trail(self, entries: list[Entry]) -> None:
        levels = list(_levels(self.raws))

        def node(level: int, index: int) -> bytes:
            return levels[level][index]

        size, prefix = len(self.raws), CHECKPOINT.removesuffix("checkpoint")
        for tile in tiles.grown(0, size):
            start = tile.index * tiles.WIDTH
            bundle = tile.level is None
            data = tiles.bundle_bytes(self.raws[start : start + tile.width]) if bundle else tiles.tile_bytes(tile, node)
            self.write(prefix + tile.path, data)
        text = note.Checkpoint(origin=ORIGIN, size=size, root=merkle.root(size, node)).text()
        signed = note.sign(text, [self.log]).encode()
        self.write(CHECKPOINT, signed)
        for entry in (e for e in entries if e.event == "release"):
            hashes = merkle.inclusion(entry.index, size, node)
            proven = proof.Proof(index=entry.index, hashes=hashes, checkpoint=signed, extra=entry.raw).encode()
            for file in entry.files:
                self._file(entry.project, f"{file.name}.tlog-proof", proven)


def _levels(raws: list[bytes]) -> Iterator[list[bytes]]:
    level = [merkle.leaf_hash(raw) for raw in raws]
    while level:
        yield level
        level = [merkle.node_hash(*pair) for pair in zip(level[::2], level[1::2], strict=False)]

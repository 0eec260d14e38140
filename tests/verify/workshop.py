"""A workshop in memory: a person, a log, witnesses and a root that make one release, and may be told to make it badly.

`Workshop()` makes everything right. `replace(shop, entry_time=...)` changes one thing, and everything that honest
people would make from it follows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from typing import Any

from tagtrail.formats import canonical, dsse, ed25519, merkle, note
from tagtrail.formats.encoding import base64_encode
from tagtrail.formats.entry import EVENT_TYPE, RELEASE_TYPE, STATEMENT_TYPE
from tagtrail.formats.gitobject import object_id
from tagtrail.formats.policy import Group, Log, Policy, Witness
from tagtrail.formats.proof import Proof
from tagtrail.formats.root import PAYLOAD_TYPE, Allowed, Root, format_root
from tagtrail.formats.sshsig import BEGIN, END, SshKey, join
from tagtrail.formats.times import format_time
from tagtrail.model.facts import Key
from tagtrail.verify.release import Measured, Verdict, verify_file

ORIGIN = "releases.example.org/trail"
TIME = 1775055720
"""2026-04-01T15:02:00Z: the entry's time."""
NOW = TIME + 86400
YEAR = 365 * 86400
COMMIT = "c" * 40
CONTENT = b"the artifact"
NAME = "nova-1.0.0.tar.gz"


def seed(name: str) -> bytes:
    return sha256(name.encode()).digest()


@dataclass(frozen=True)
class Person:
    """Somebody with an SSH key."""

    name: str
    valid_before: int | None = None

    @property
    def public(self) -> SshKey:
        return SshKey(type="ssh-ed25519", fields=(ed25519.public_key(seed(self.name)),))

    @property
    def key(self) -> Key:
        line, fingerprint = self.public.line, self.public.fingerprint
        return Key(fingerprint=fingerprint, scheme="ssh", material=line, valid_before=self.valid_before)

    def tag(self, name: str = "1.0.0", commit: str = COMMIT, kind: str = "commit") -> bytes:
        """A tag object with this person's SSH signature, as git makes it."""
        payload = f"object {commit}\ntype {kind}\ntag {name}\ntagger Jo <jo@example.org> {TIME - 60} +0000\n\nrelease\n"
        to_sign = b"SSHSIG" + join(b"git", b"", b"sha512", _sha512(payload.encode()))
        value = join(b"ssh-ed25519", ed25519.sign(seed(self.name), to_sign))
        blob = b"SSHSIG\0\0\0\x01" + join(self.public.blob, b"git", b"", b"sha512", value)
        text = base64_encode(blob)
        lines = [text[start : start + 70] for start in range(0, len(text), 70)]
        return "\n".join([payload + BEGIN, *lines, END, ""]).encode()


def _sha512(data: bytes) -> bytes:
    from hashlib import sha512

    return sha512(data).digest()


def log_key(name: str = "log", origin: str = ORIGIN) -> note.Signer:
    return note.Signer(name=origin, seed=seed(name))


def witness_key(name: str) -> note.Signer:
    return note.Signer(name=f"witness.example/{name}", kind=note.COSIGNATURE, seed=seed(name))


def policy(log: note.Signer, witnesses: tuple[note.Signer, ...] = (), needed: int = 0) -> Policy:
    """Believes `log`; asks for `needed` of `witnesses`."""
    known = tuple(Witness(name=f"W{n}", verifier=w.verifier) for n, w in enumerate(witnesses))
    group = Group(name="quorum", threshold=needed, members=tuple(w.name for w in known))
    asks = (group,) if needed else ()
    quorum = group.name if needed else "none"
    return Policy(logs=(Log(verifier=log.verifier),), witnesses=known, groups=asks, quorum=quorum)


@dataclass(frozen=True)
class Case:
    """What lies before a consumer."""

    file: Measured
    proof: bytes
    trust: Root | Policy
    tag: bytes | None
    now: int = NOW

    def verify(self, **options: Any) -> Verdict:
        return verify_file(self.file, self.proof, self.trust, self.tag, self.now, **options)


@dataclass(frozen=True)
class Workshop:
    """Everybody's keys and choices; `ours`, `reference`, `of_file` replace fields of the entry, its tag, its file."""

    jo: Person = Person("jo")
    raw: bytes | None = None
    people: tuple[Person, ...] = ()
    allowed: tuple[tuple[str, tuple[Allowed, ...]], ...] | None = None
    log: note.Signer = field(default_factory=log_key)
    believed: note.Signer | None = None
    witnesses: tuple[note.Signer, ...] = ()
    needed: int = 0
    witnessed_at: int = TIME + 5
    size: int = 13
    index: int = 7
    entry_time: int = TIME
    event: str = "release"
    ours: Mapping[str, Any] = field(default_factory=dict)
    reference: Mapping[str, str] = field(default_factory=dict)
    of_file: Mapping[str, Any] = field(default_factory=dict)
    root_fields: Mapping[str, Any] = field(default_factory=dict)
    more: tuple[Mapping[str, Any], ...] = ()
    """A second file: its subject, and what the entry says of it."""

    @property
    def tag(self) -> bytes:
        return self.jo.tag() if self.raw is None else self.raw

    @cached_property
    def entry(self) -> bytes:
        """The statement, whatever was asked for."""
        release = self.event == "release"
        predicate = {"purl": "pkg:pypi/nova@1.0.0"} if release else {}
        statement = {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": NAME, "digest": {"sha256": sha256(CONTENT).hexdigest()}}, *self.more[:1]],
            "predicateType": RELEASE_TYPE if release else EVENT_TYPE,
            "predicate": {**predicate, "tagtrail": self._ours() if release else self._event()},
        }
        return canonical.dumps(statement)

    def _ours(self) -> dict[str, Any]:
        return {
            "event": "release", "project": "nova", "kind": "library", "version": "1.0.0", "channel": "final",
            "series": "", "time": format_time(self.entry_time), "tag": self._tag_json(), "tree": "7" * 64, "added": [],
            "files": {
                NAME: {"size": len(CONTENT), "origin": {"how": "built"}, **self.of_file},
                **{one["name"]: about for one, about in ([self.more] if self.more else [])},
            },
            "sidecars": {"nova-1.0.0.tag": sha256(self.tag).hexdigest()}, "approvals": [], "policy": "8" * 64,
            "overrides": [], **self.ours,
        }  # fmt: skip

    def _event(self) -> dict[str, Any]:
        return {"event": self.event, "time": format_time(self.entry_time), **self.ours}

    def _tag_json(self) -> dict[str, str]:
        return {
            "repo": "https://git.example.org/nova",
            "name": "1.0.0",
            "object": object_id("tag", self.tag),
            "sha256": sha256(self.tag).hexdigest(),
            "commit": COMMIT,
            "signer": self.jo.key.fingerprint,
            **self.reference,
        }

    @cached_property
    def leaves(self) -> list[bytes]:
        others = [merkle.leaf_hash(b"entry %d" % number) for number in range(self.size)]
        return [*others[: self.index], merkle.leaf_hash(self.entry), *others[self.index + 1 :]]

    def node(self, level: int, index: int) -> bytes:
        return merkle.root_of(self.leaves[index << level : (index + 1) << level])

    def checkpoint(self, size: int | None = None) -> note.Checkpoint:
        size = self.size if size is None else size
        return note.Checkpoint(origin=ORIGIN, size=size, root=merkle.root(size, self.node))

    def signed(self, text: str, *cosigned: note.Signer) -> bytes:
        """A checkpoint's text signed by the log and the witnesses."""
        return note.sign(text, [self.log, *(cosigned or self.witnesses)], time=self.witnessed_at).encode()

    def proof(self, size: int | None = None) -> Proof:
        size = self.size if size is None else size
        hashes = merkle.inclusion(self.index, size, self.node)
        note_bytes = self.signed(self.checkpoint(size).text())
        return Proof(index=self.index, hashes=hashes, checkpoint=note_bytes, extra=self.entry)

    @property
    def policy(self) -> Policy:
        return policy(self.believed or self.log, self.witnesses, self.needed)

    @property
    def root(self) -> Root:
        people = (self.jo, *self.people)
        open_ended = (("nova", (Allowed(key=self.jo.key.fingerprint, start=3),)),)
        fields = {
            "origin": ORIGIN, "version": 1, "expires": NOW + YEAR, "threshold": 1,
            "keys": (root_key("r1").verifier.vkey(),), "policy": self.policy.encode().decode(),
            "people": tuple(sorted((p.key for p in people), key=lambda key: key.fingerprint)),
            "signers": open_ended if self.allowed is None else self.allowed,
        }  # fmt: skip
        return Root(**{**fields, **self.root_fields})

    @property
    def case(self) -> Case:
        file = Measured(name=NAME, sha256=sha256(CONTENT).hexdigest(), size=len(CONTENT))
        return Case(file=file, proof=self.proof().encode(), trust=self.root, tag=self.tag)

    def but(self, **changes: Any) -> Case:
        """What a consumer has, with something else about it."""
        return replace(self.case, **changes)


def root_key(name: str) -> note.Signer:
    return note.Signer(name=ORIGIN, seed=seed(name))


def envelope(root: Root, *signers: note.Signer) -> bytes:
    """The root signed by these, or by `r1`."""
    return dsse.sign(PAYLOAD_TYPE, format_root(root), signers or [root_key("r1")]).encode()

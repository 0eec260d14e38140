"""What an entry of the trail says, and whose key a signature is judged against: the facts that `verify` reads.

They are apart from the facts of the road because they are all that a file's proof speaks of.
"""

from typing import Literal

from tagtrail.model.frozen import frozen

__all__ = ["Approval", "Draft", "Entry", "File", "Key", "Origin", "Override", "TagRef"]


@frozen
class Key:
    """A public key of a person: what tag signatures and approvals are judged against.

    `fingerprint` is written as the field's tools print it: an OpenPGP primary key as 40 upper-case hex digits, an SSH
    key as `SHA256:` and unpadded base64. `material` is the armoured certificate or the `ssh-ed25519 AAAA...` line
    (type and base64 only). `person` is the name of the people group or file stem, for people's eyes on this machine
    only.
    Times are Unix seconds (`valid-after`, `valid-before` of allowed_signers); namespaces empty means any.
    """

    fingerprint: str
    scheme: Literal["openpgp", "ssh"]
    material: str
    person: str = ""
    valid_after: int | None = None
    valid_before: int | None = None
    namespaces: tuple[str, ...] = ()


@frozen
class Origin:
    """Where a file comes from; `by` is the fingerprint or identity of who brought it (empty: this instance built
    it)."""

    how: Literal["built", "added", "imported"] = "built"
    by: str = ""


@frozen
class Override:
    """A rule that was set aside for one release, by whom it may, with the reason that goes into the entry."""

    rule: str
    because: str


@frozen
class Approval:
    """A person's signature over the approval text of the Draft whose SHA-256 is `digest`."""

    key: str
    digest: str


@frozen
class TagRef:
    """The tag as an entry names it."""

    repo: str
    name: str
    object: str
    sha256: str
    commit: str
    signer: str


@frozen
class File:
    """A file as an entry names it. `metadata` and `tar` are SHA-256 in hex, or empty."""

    name: str
    sha256: str
    size: int = 0
    requires_python: str = ""
    metadata: str = ""
    tar: str = ""
    origin: Origin = Origin()
    generated: tuple[str, ...] = ()


@frozen
class Entry:
    """One line of the trail: an in-toto Statement, parsed strictly from `raw`. `time` is Unix seconds; `index` is
    its place; `reason` is why something was withdrawn, for everybody to read.

    A release names all its files; another event's `files` are the objects that it concerns (a root, a commit).
    """

    index: int
    raw: bytes
    event: str
    project: str
    time: int
    files: tuple[File, ...]
    version: str = ""
    kind: str = ""
    channel: str = ""
    series: str = ""
    purl: str = ""
    tag: TagRef | None = None
    tree: str = ""
    added: tuple[str, ...] = ()
    sidecars: tuple[tuple[str, str], ...] = ()
    approvals: tuple[Approval, ...] = ()
    policy: str = ""
    overrides: tuple[Override, ...] = ()
    reason: str = ""


@frozen
class Draft:
    """What is put before the sequencer: the statement without `time`, as canonical JSON without `time`, `approvals`
    and `sidecars` for its digest (what approvals sign), and with the latter two for the entry."""

    project: str
    version: str
    digest: str
    statement: bytes

"""The facts of a release, in the order in which they come to be: Tag, Plan, Built, Approved, Signed, Logged,
Published, Announced.

What the trail says of a release (`Entry`, its parts, and `Key`) is in `model/entry.py`, and has its names here too.
"""

from typing import Literal

from tagtrail.model.entry import Approval, Draft, Entry, File, Key, Origin, Override, TagRef
from tagtrail.model.frozen import frozen, sparse

__all__ = [
    "Announced", "Approval", "Approved", "Artifact", "Blob", "Built", "Draft", "Effect", "Entry", "File", "Finding",
    "Key", "Logged", "Material", "Origin", "Override", "Plan", "Published", "Receipt", "Remark", "Row", "Sidecar",
    "Signed", "Skip", "State", "Survey", "Tag", "TagRef", "Tagged",
]  # fmt: skip


@frozen
class Blob:
    """Kept bytes, by name of their content: lower-case hex SHA-256, size in bytes, media type."""

    sha256: str
    size: int
    media: str = "application/octet-stream"


@frozen
class Tagged:
    """What a Source found at a name or a commit, not yet judged.

    `raw` is the tag object's content as git stores it (None: no such tag, or a lightweight one, told apart by `kind`);
    `object` is its id (40 or 64 hex); `commit` the commit asked for or pointed at; `time` the commit's committer time
    in Unix seconds; `repo` the public address (`local:NAME` for a path on this disk). `pyproject` and `setup_cfg` are
    those files' texts at the commit.
    """

    repo: str
    name: str
    kind: Literal["annotated", "light", "absent"]
    raw: bytes | None
    object: str | None
    commit: str
    time: int
    pyproject: str | None = None
    setup_cfg: str | None = None


@frozen
class Tag:
    """A tag that was judged good: signed by `signer`, a person allowed for `project`; `sha256` is that of `raw`'s
    bytes."""

    project: str
    name: str
    version: str
    repo: str
    object: str
    sha256: str
    commit: str
    time: int
    signer: str


@frozen
class Finding:
    """One thing a rule has to say. `level` is error or warning; `fix` can be pasted or done; `code` is the stable
    reason
    code (the rule's name, where a rule has one reason only)."""

    rule: str
    name: str
    level: Literal["error", "warning"]
    text: str
    fix: str = ""
    code: str = ""


@frozen
class Plan:
    """A tag that policy accepts, and all that will be done with it: `policy` is the project's settings digest,
    `notes` are
    the release notes as CommonMark."""

    tag: Tag
    kind: str
    channel: str
    series: str
    builds: tuple[str, ...]
    subdirectory: str
    targets: tuple[str, ...]
    announce: tuple[str, ...]
    policy: str
    purl: str
    notes: str
    overrides: tuple[Override, ...] = ()


@frozen
class Material:
    """Something that a build used beside its commit, by its package URL; `record` is the SHA-256 of the list of its
    files as installed (RECORD), where there is one."""

    uri: str
    record: str = ""


@frozen
class Remark:
    """What was noticed in an archive: `kind` is `secret`, `litter`, `license` (a License-File that is not there) or
    `archive` (one that nobody looked into); `member` its name, without an sdist's top directory, empty for the file
    itself; `what` was found there."""

    kind: Literal["secret", "litter", "license", "archive"]
    member: str
    what: str


@frozen
class Artifact:
    """A file of a release before it is logged. `tar` is the SHA-256 of the uncompressed tar; `metadata` is the wheel's
    METADATA or the sdist's PKG-INFO; `generated` names the members that are no blob of the tag's tree, of `members` in
    all; `as_built` says that the backend's archive was in normal form already. `materials` are what its build used,
    `resolved` when these were the ones to use, `began` and `ended` when it ran, in Unix seconds (0: not here).
    `remarks` are what was noticed of its members while it was read."""

    name: str
    blob: Blob
    tar: str = ""
    metadata: Blob | None = None
    requires_python: str = ""
    origin: Origin = Origin()
    generated: tuple[str, ...] = ()
    members: int = 0
    as_built: bool = False
    materials: tuple[Material, ...] = ()
    began: int = 0
    ended: int = 0
    resolved: int = 0
    remarks: tuple[Remark, ...] = sparse(())


@frozen
class Sidecar:
    """A kept file that lies beside the artifacts and is named in the entry: .asc, SHA256SUMS, .tag, notes,
    provenance."""

    name: str
    blob: Blob


@frozen
class Built:
    """The artifacts of a plan, kept. `tree` is the SHA-256 of the tag's tree as a tar in normal form; `provenance` is
    what the builder signed of those that were built here."""

    plan: Plan
    artifacts: tuple[Artifact, ...]
    tree: str
    provenance: tuple[Sidecar, ...] = ()


@frozen
class Approved:
    """What the settings' people have approved, byte for byte (need 0: no approvals)."""

    built: Built
    approvals: tuple[Approval, ...] = ()


@frozen
class Signed:
    """Approved artifacts and everything that goes beside them; all that an entry needs but its time."""

    approved: Approved
    sidecars: tuple[Sidecar, ...]


@frozen
class Logged:
    """The hinge: an entry of the trail, its tlog-proof, and the kept bytes that it names (files, metadata,
    sidecars). It
    holds no plan: the trail and the kept bytes alone can make it again."""

    entry: Entry
    proof: Blob
    blobs: tuple[Sidecar, ...]


State = Literal["none", "asked", "sent", "seen", "refused", "conflict", "held", "dropped"]


@frozen
class Effect:
    """One thing to be done at one place: `blob` put there under `path`. `key` is unique for ever at that target.

    `entry` is the trail index it belongs to. An effect names bytes, it never carries them.
    """

    target: str
    key: str
    entry: int
    path: str
    blob: Blob


@frozen
class Skip:
    """What a target will not do, and why: shown, never silent."""

    target: str
    what: str
    because: str


@frozen
class Receipt:
    """Proof that an effect is there: where a consumer finds it, and the digest seen there (of an accepted but not yet
    visible one: the digest sent)."""

    where: str
    sha256: str
    note: str = ""


@frozen
class Row:
    """The state of one effect in the journal. Times are Unix seconds; `due` is the earliest next attempt."""

    effect: Effect
    state: State = "none"
    since: int = 0
    due: int = 0
    tries: int = 0
    why: str = ""
    receipt: Receipt | None = None


@frozen
class Survey:
    """What a place says of a project before anything is built: facts for rules and for drift.

    `files` are (file name, lower-case hex SHA-256, empty where the place does not say it) of what it shows of the
    project. `name` is whose the project's name is there: `free` (nobody has it, the first upload takes it), `ours`
    (our account may add to it), `taken` (somebody else's), empty: not known. `may_upload` is whether the account that
    the settings name may add files; None: not known without trying. `quota` are the bytes that are left for the
    project, `limit` the bytes that one file may have; None: the place does not say. `note` is what else it says, for
    people. `silent` is why it could not be asked (no answer, no credentials); then nothing else is filled in. `yanked`
    are the names that it shows as withdrawn; None: it has no such mark. `unlisted`: it tells no names, whatever it has.
    """

    target: str
    files: tuple[tuple[str, str], ...] = ()
    name: Literal["", "free", "ours", "taken"] = ""
    may_upload: bool | None = None
    quota: int | None = None
    limit: int | None = None
    note: str = ""
    silent: str = ""
    yanked: tuple[str, ...] | None = sparse(None)
    unlisted: bool = sparse(False)  # noqa: FBT003  (the default's value)


@frozen
class Published:
    """Everything of an entry was seen where it belongs, or dropped by a person with a reason."""

    logged: Logged
    receipts: tuple[Receipt, ...]


@frozen
class Announced:
    """Everybody was told once."""

    published: Published
    receipts: tuple[Receipt, ...]

"""The ports: what the road needs of the outside, one to four methods each; the docstring is the contract.

Every adapter proves itself with the suite of its port in `tagtrail.testing`. Errors are those of
`tagtrail.model.errors`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from tagtrail.model import notes
from tagtrail.model.facts import (
    Artifact,
    Blob,
    Effect,
    Entry,
    Logged,
    Receipt,
    Row,
    Skip,
    Survey,
    Tagged,
)
from tagtrail.model.frozen import frozen, sparse
from tagtrail.model.notice import Notice

__all__ = [
    "Behind", "BuildOrder", "Builder", "Clock", "Committed", "Conflict", "Cosigned", "Evidence", "Given", "Journal",
    "Kept", "Ledger", "Notes", "NotesOrder", "Objects", "Reading", "Refused", "Seen", "Signer", "Source", "Store",
    "Target", "Tell", "Unknown", "Witness", "Writing",
]  # fmt: skip

T = TypeVar("T")

Clock = Callable[[], int]
"""Unix seconds, now."""

Tell = Callable[[str, Mapping[str, Any]], None]
"""Says that something happened: an event's name and its fields (JSON values). Never raises."""


@frozen
class Objects:
    """A directory with a repository's git objects, to be bound read-only, and the refs a build may see.

    `refs` are (full ref name, object id): the released tag, and the tags reachable from its commit, of those on the
    same commit only the released one.
    """

    directory: Path
    refs: tuple[tuple[str, str], ...]
    object_format: Literal["sha1", "sha256"] = "sha1"


class Source(Protocol):
    """A version control system, read only. `repo` is a URL or a path, as the settings write it."""

    def read(self, repo: str, tag: str, at: str | None = None) -> Tagged:
        """What is at `refs/tags/TAG` now, by the full name; where there is no such tag, what is at `at` (HEAD if None).

        With `at`, the commit is `at`'s even where the tag exists. Raises SetupError (`repo-missing`: not a repository,
        unreachable path), RemoteError (`repo-unreachable`), ProjectError (`objects-missing`: the clone lacks objects;
        `tag-of-tag` is not raised here: the judge reads the raw tag).
        """
        ...

    def objects(self, repo: str, tag: str, commit: str) -> Objects:
        """Where the objects of `commit` are, and the refs that a build at `tag` may see. Does not clone for a local
        path."""
        ...

    def tags(self, repo: str) -> tuple[tuple[str, str], ...]:
        """All tags as (short name, object id), unpeeled, sorted by name."""
        ...

    def peeled(self, repo: str) -> tuple[tuple[str, str], ...]:
        """All tags of commits as (short name, the commit's id), sorted by name; a tag of a tag is left out."""
        ...

    def file(self, repo: str, commit: str, path: str) -> bytes | None:
        """A file's bytes at `commit` (its id); None where there is none, or something else (a link, a directory), or
        one of more than a MiB."""
        ...

    def lacking(self, repo: str, ids: Iterable[str]) -> tuple[str, ...]:
        """Those of these object ids that are not in the repository, or lead to what is not; in their order."""
        ...

    def has_directory(self, repo: str, commit: str, path: str) -> bool:
        """Whether the commit's tree has that directory."""
        ...

    def branches(self, repo: str, commit: str) -> tuple[str, ...]:
        """The names of the branches whose history has `commit`, sorted."""
        ...


@frozen
class NotesOrder:
    """The release whose notes are wanted: `version` at `commit`, after version `follows` at commit `since` (empty and
    None: it is the first). `how` is what the settings say (empty: whatever is there), `subdirectory` the project's."""

    version: str
    commit: str
    follows: str = ""
    since: str | None = None
    how: str = ""
    subdirectory: str = ""


class Notes(Protocol):
    """Release notes: read, not invented."""

    def read(self, objects: Objects, order: NotesOrder) -> notes.Notes:
        """What was written for this release, else the commits; requirements and sizes are not filled in.

        All texts are tame CommonMark (`formats/commonmark.py`), the same for the same order every time. Raises
        ProjectError `objects-missing`, `notes-missing` (the settings name a place that has none).
        """
        ...


class Kept(Protocol):
    """Bytes by their SHA-256, for good. Every exit hashes again: altered bytes are a TamperError (`kept-altered`)."""

    def put(self, chunks: Iterable[bytes], media: str) -> Blob:
        """Keep these bytes; idempotent, durable when it returns. Raises SetupError (`disk-full`, `not-writable`)."""
        ...

    def put_all(self, bodies: Iterable[tuple[Iterable[bytes], str]]) -> tuple[Blob, ...]:
        """What `put` does, for each (chunks, media), in that order; the disk is waited for once. Where one cannot be
        read, none is kept."""
        ...

    def read(self, sha256: str) -> bytes:
        """All bytes, checked. Raises TamperError `kept-missing` or `kept-altered`."""
        ...

    def chunks(self, sha256: str) -> Iterator[bytes]:
        """The bytes in pieces of at most 1 MiB; raises TamperError at the end if they were altered, so write them
        under a temporary name until this is exhausted."""
        ...

    def blob(self, sha256: str, media: str) -> Blob | None:
        """The blob with its size, or None if it is not kept."""
        ...


@frozen
class BuildOrder:
    """All that a build depends on, and nothing else: its digest is the key under which the build is remembered.

    `builds` are build kinds; `prepare` and `run` are command lines by their words, the first with network, the second
    without; `files` are patterns of what they make; {project}, {version}, {tag}, {commit} and {epoch} stand for what
    they say. These three count for the digest only where they say something.
    """

    project: str
    version: str
    tag: str
    commit: str
    epoch: int
    builds: tuple[str, ...]
    refs: tuple[tuple[str, str], ...]
    subdirectory: str = ""
    isolation: str = "none"
    prepare: tuple[tuple[str, ...], ...] = sparse(())
    run: tuple[tuple[str, ...], ...] = sparse(())
    files: tuple[str, ...] = sparse(())


class Builder(Protocol):
    """Builds once, from a clean checkout at an object id."""

    def build(
        self, order: BuildOrder, objects: Objects, kept: Kept, meanwhile: Iterable[Callable[[], object]] = ()
    ) -> tuple[Artifact, ...]:
        """The artifacts, in normal form, kept.

        `meanwhile` are steps for whoever would wait: one after the other is called while foreign code has something to
        do, until it has done it. Raises ProjectError `build-failed` (with the end of the log), `version-mismatch`,
        `name-mismatch`, `objects-missing`; RemoteError `requirements-unreachable`; SetupError `disk-full`."""
        ...

    def expecting(self, project: str) -> AbstractContextManager[Callable[[BuildOrder, Objects], None]]:
        """A block in which a build of `project` may be asked for, once its tag is judged; it gives what is told the
        order, as soon as that is known. What needs none of the project's code, and no network, may begin. Raises
        nothing; what could not begin is the build's to say."""
        ...

    def tree(self, order: BuildOrder, objects: Objects) -> str:
        """SHA-256 of the commit's tree as a tar in normal form (FORMAT.md, `tree`)."""
        ...


class Signer(Protocol):
    """The release key: OpenPGP, detached, armoured, exactly one v4 signature."""

    @property
    def fingerprint(self) -> str:
        """The primary key's fingerprint, 40 upper-case hex digits."""
        ...

    @property
    def certificate(self) -> str:
        """The armoured public certificate."""
        ...

    def sign(self, data: bytes) -> bytes:
        """An armoured detached signature over `data`."""
        ...


class Store(Protocol):
    """The site's root: a directory, a bucket. Paths are relative, with `/`."""

    lanes: int
    """How many pages may be read and written at one time: 1 where nobody waits for an answer."""

    def read(self, path: str) -> bytes | None:
        """The bytes at `path` as stored, or None."""
        ...

    def write(self, path: str, chunks: Iterable[bytes]) -> None:
        """All of it or nothing: a reader never sees a part. Replaces. Raises SetupError (`disk-full`,
        `not-writable`)."""
        ...

    def remove(self, path: str) -> None:
        """Gone, also if it was not there."""
        ...

    def paths(self, prefix: str = "") -> Iterator[str]:
        """Every path under `prefix`, sorted."""
        ...

    def push(self, phase: str, paths: Sequence[str]) -> None:
        """Make these paths public where writing alone does not (the `upload` command); once per phase. RemoteError
        `upload-failed`."""
        ...


@frozen
class Committed:
    """A committed checkpoint: the only thing that may be cosigned or shown. `note` is the signed note's text."""

    size: int
    root: bytes
    note: str


class Reading(Protocol):
    """What has been committed: the truth behind the site."""

    def committed(self, size: int | None = None, *, covering: int | None = None) -> Committed | None:
        """The checkpoint of exactly `size`; or the smallest that covers index `covering`; or the largest.

        Its note has the log's signature alone.
        """
        ...

    def cosigned(self, *, covering: int | None = None) -> Committed | None:
        """What met our own witness policy, with the cosignatures in its note.

        The checkpoint on which the proof of index `covering` stands: of the last `cosign(..., anew=True)` on, the
        smallest that covers it, its note for ever the same. Or the largest, its note the freshest: what is shown.
        """
        ...

    def entries(self, start: int = 0, stop: int | None = None, *, project: str | None = None) -> tuple[Entry, ...]:
        """Entries by index range, of one project (any spelling) if named, oldest first."""
        ...

    def raws(self, start: int, stop: int) -> tuple[bytes, ...]:
        """The bytes of the entries in an index range, not parsed: what a tile holds."""
        ...

    def marked(self, mark: str) -> Entry | None:
        """The newest entry with this mark (`tagtrail.formats.marks`), or None. Must not read the entries."""
        ...

    def projects(self, purl_type: str = "") -> tuple[str, ...]:
        """The projects with a release (of that purl type, such as `pypi`), as their newest one writes them, sorted by
        their PEP 503 name. Must not read the entries: pages ask it at every release."""
        ...

    def node(self, level: int, index: int) -> bytes:
        """The hash of the complete subtree of 2**level leaves at `index`. KeyError if it is not complete."""
        ...


class Writing(Reading, Protocol):
    """One open transaction of the appender; nothing of it exists until it commits."""

    def insert(self, entry: Entry, nodes: Mapping[tuple[int, int], bytes], names: Mapping[str, str]) -> None:
        """One leaf, the subtree hashes it completes, and name_key -> sha256 of its files.

        Raises TamperError `name-taken` where the project's name_key has another digest, `index-taken` where the entry
        is not the next.
        """
        ...

    def commit(self, before: Committed | None, after: Committed) -> None:
        """Compare-and-swap: insert `after` if `before` is still the largest.

        Raises RemoteError `trail-moved`; TamperError `size-taken` where `after` is not larger.
        """
        ...


class Ledger(Reading, Protocol):
    """Leaves, checkpoints, and the projection of names and history per project, written in the appender's
    transaction."""

    def writing(self) -> AbstractContextManager[Writing]:
        """Open the one transaction (others wait for it); leaving without `commit` undoes it."""
        ...

    def cosign(self, met: Committed, *, anew: bool = False) -> None:
        """Record a committed checkpoint whose note meets the policy; one smaller than the largest is not recorded.

        Of one size the first note is what proofs stand on, the last is what is shown. With `anew` (the log's key or the
        witnesses have changed) the proofs of all entries below it stand on this one from now on. Raises TamperError
        `not-committed`: no checkpoint of this size and root is committed.
        """
        ...


class Behind(Exception):  # noqa: N818
    """A witness has cosigned `size` entries of the log, which is not what it was told."""

    def __init__(self, size: int) -> None:
        super().__init__(f"the witness has seen {size} entries")
        self.size = size


class Witness(Protocol):
    """Somebody who cosigns a log's checkpoints, each only if it extends the one before (c2sp.org/tlog-witness)."""

    def add_checkpoint(self, old: int, proof: Sequence[bytes], note: bytes) -> bytes:
        """Its signature lines over the checkpoint in `note`; `proof` is the consistency proof from size `old`.

        Raises Behind (it has seen another size than `old`), TamperError `witness-refused` (it says that this tree is
        not consistent with what it cosigned), SetupError `witness-unknown-log` (it does not know the log or its key),
        RemoteError `witness-unreachable`, `witness-reply`.
        """
        ...


@frozen
class Cosigned:
    """What a witness cosigned of a log: the note with the log's signatures and its own, made at `time`."""

    origin: str
    size: int
    root: bytes
    time: int
    note: bytes


@frozen
class Evidence:
    """A checkpoint that a log signed and a witness did not cosign: `note`, with the log's signatures alone.

    `against` is the note that it was compared with. `fork`: the two have one size and two roots, so the log showed two
    trees; else nobody has proven yet that the larger tree contains the smaller.
    """

    origin: str
    size: int
    root: bytes
    time: int
    note: bytes
    against: bytes
    fork: bool


class Seen(Protocol):
    """A witness's memory: what it cosigned of each log, and what it refused to."""

    def latest(self, origin: str, size: int | None = None) -> Cosigned | None:
        """The largest checkpoint that was cosigned, or that of exactly `size`; None if there is none."""
        ...

    def advance(self, before: Cosigned | None, after: Cosigned) -> bool:
        """Compare-and-set: True if `before` was the largest of its log and `after` is now, durably.

        `after` is of the same size and root or larger; of one size there is never a second root.
        """
        ...

    def keep(self, evidence: Evidence) -> bool:
        """Remember for good; True if it is new. Of one origin, size and root the first is kept, and of each log so
        many forks, and so many of what is not proven, as nobody without its key could produce."""
        ...

    def evidence(self, origin: str) -> tuple[Evidence, ...]:
        """All that is remembered of a log, oldest first."""
        ...


class Refused(Exception):  # noqa: N818  (the design's name: it is a state, not an accident)
    """The place said no for now; try again `after` seconds from now. Nothing was stored."""

    def __init__(self, why: str, after: int) -> None:
        super().__init__(why)
        self.why = why
        self.after = after


class Unknown(Exception):  # noqa: N818
    """Nobody can say whether it was stored (a lost reply, a time-out)."""


class Conflict(Exception):  # noqa: N818
    """Other bytes are there under this name."""


class Target(Protocol):
    """A place or a channel. The driver alone decides when its methods are called."""

    name: str
    retry: Literal["keyed", "searchable", "blind"]
    lag: int
    """Seconds after which a `find` that misses is believed: longer than one attempt can take."""

    def survey(self, project: str) -> Survey:
        """What is there, whose the name is, may we, quota: asked before a build, in a thread of its own, and waited
        for a few seconds only. Sends nothing. RemoteError: it does not answer; SetupError: no credentials to ask
        with."""
        ...

    def plan(self, logged: Logged, notice: Notice | None) -> tuple[Effect | Skip, ...]:
        """What this place needs of a logged entry; pure; checks limits before anything is sent.

        The entry is a `release`, or a `withdraw`: it names the version's files and carries none of them; where a place
        can mark what was taken back that is an Effect, else a Skip that says what a person does there.

        `notice` is None while files are carried. Whoever tells people something is given it when all was seen, and
        names its bytes in one effect (`formats.notice.notice_blob`), which are kept by then; its key is made of
        `notice.key`, and `entry` is `logged`'s, the newest of those that the notice speaks of.
        """
        ...

    def find(self, effect: Effect) -> Receipt | None:
        """Already there, as a consumer sees it? The receipt's digest is what is really there. RemoteError: could not
        look."""
        ...

    def apply(self, effect: Effect) -> Receipt:
        """One attempt. Raises Refused, Unknown or Conflict."""
        ...


@frozen
class Given:
    """What a target of another package is made with, beside its name and its own options.

    `entry` gives the trail's entry at an index, `page` the address of its release page (SetupError `site-url` where the
    site has none); `secret` what a reference (`env:NAME`, `file:PATH`, `cmd:COMMAND`) stands for, when it is used.
    """

    kept: Kept
    entry: Callable[[int], Entry]
    page: Callable[[Entry], str]
    secret: Callable[[str], str]
    clock: Clock


class Journal(Protocol):
    """Work in flight, private, mutable: remembered steps and the rows of effects."""

    def once(
        self, key: str, kind: type[T], effect: Callable[..., T | tuple[T, ...]], *args: object
    ) -> T | tuple[T, ...]:
        """The remembered result of `key`, else run `effect(*args)` and remember it.

        An exception is never remembered; the first result wins. `kind` is the result's class (of each, for a tuple).
        """
        ...

    def rows(self, entry: int | None = None) -> tuple[Row, ...]:
        """The rows of one entry, or all that are not seen or dropped, in order of insertion."""
        ...

    def move(self, before: Row | None, after: Row) -> bool:
        """Compare-and-set by (target, key): True if `before` (None: absent) was what stood there and `after` stands
        now."""
        ...

    def cursor(self, name: str, before: int | None = None, after: int | None = None) -> int:
        """A named number (0 at first); with `after`, set if it equals `before`. Returns what stands now."""
        ...

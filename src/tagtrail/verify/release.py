"""One file proven, from its bytes to a person's signature.

    file's digest -> entry -> tree -> checkpoint -> log (and witnesses) -> root of trust
                       '-> tag object -> its signature -> a person whom that root allows for the project

With a root every link is checked; with a log policy alone, all but the person.
"""

from hashlib import sha256

from tagtrail.formats.encoding import shown
from tagtrail.formats.gitobject import object_id
from tagtrail.formats.policy import Policy
from tagtrail.formats.root import Root
from tagtrail.formats.site import tag_name
from tagtrail.model.entry import Entry, File, TagRef
from tagtrail.model.errors import TamperError
from tagtrail.model.frozen import frozen
from tagtrail.model.names import says_version
from tagtrail.verify.claims import Claim, is_imported, not_proven, proven
from tagtrail.verify.proofs import Proven, Seen, prove
from tagtrail.verify.tags import JudgedTag, judge_tag

__all__ = ["Measured", "Verdict", "verify_file"]


@frozen
class Measured:
    """A file that lies before us: the name it must have in the entry, lower-case hex SHA-256, size in bytes."""

    name: str
    sha256: str
    size: int


@frozen
class Verdict:
    """A file that is what was released, as far as `proven` says.

    `size` and `tree` (the root hash) are those of the tree in which its entry stands, `seen` who cosigned it,
    `witnessed` the time by which others than the log's operator had seen it; `signer` is checked, or empty.
    """

    entry: Entry
    file: File
    origin: str
    size: int
    tree: bytes
    seen: tuple[Seen, ...]
    witnessed: int | None
    signer: str
    proven: tuple[Claim, ...]
    not_proven: tuple[Claim, ...]


def verify_file(
    file: Measured,
    proof: bytes,
    trust: Root | Policy,
    tag: bytes | None,
    now: int,
    *,
    require_witnessed: bool = False,
    allow_imported: bool = False,
    head: int | None = None,
) -> Verdict:
    """The chain for one file: `proof` is FILE.tlog-proof, `tag` PROJECT-VERSION.tag, `now` in Unix seconds.

    `head` is the size of the log's tree as far as it is known otherwise: what is said of later entries depends on it.
    Raises TamperError with the code of the link that does not hold (docs/verify.md).
    """
    found = prove(proof, trust, now)
    named = _named(found.entry, file)
    if not allow_imported:
        _refuse_imported(found.entry, named)
    if require_witnessed:
        _refuse_unwitnessed(found)
    judged = _judged(found, trust, tag) if isinstance(trust, Root) else None
    if require_witnessed and judged is not None:
        _refuse_outlived(found, judged, now)
    checkpoint = found.checked.checkpoint
    return Verdict(
        entry=found.entry,
        file=named,
        origin=checkpoint.origin,
        size=checkpoint.size,
        tree=checkpoint.root,
        seen=found.seen,
        witnessed=found.witnessed,
        signer=judged.signer if judged else "",
        proven=tuple(proven(found, named, trust, judged)),
        not_proven=tuple(not_proven(found, named, trust, judged, now, head=head)),
    )


def _named(entry: Entry, file: Measured) -> File:
    """The file as the entry names it, if these are its bytes."""
    if entry.event not in {"release", "import"}:
        raise TamperError(f"entry {entry.index} is a {entry.event} event, no release", code="not-a-release")
    named = next((known for known in entry.files if known.name == file.name), None)
    if named is None:
        others = ", ".join(known.name for known in entry.files[:6])
        what = f"entry {entry.index} does not name {shown(file.name)}"
        hint = "--as NAME, if the file was only renamed"
        raise TamperError(what, code="name-not-in-entry", why=f"it names {others}", hint=hint)
    if named.sha256 != file.sha256:
        what = f"{file.name} has SHA-256 {file.sha256}, entry {entry.index} says {named.sha256}"
        raise TamperError(what, code="digest-mismatch", why="these are not the bytes that were released")
    if entry.event == "release" and named.size != file.size:
        what = f"{file.name} has {file.size} bytes, entry {entry.index} says {named.size}"
        raise TamperError(what, code="size-mismatch")
    return named


def _refuse_imported(entry: Entry, file: File) -> None:
    if is_imported(entry, file):
        why = "nobody here saw it being released: that it is the original is the operator's word"
        hint = "--allow-imported accepts that word"
        raise TamperError(f"{file.name} was imported", code="imported", why=why, hint=hint)


def _refuse_unwitnessed(found: Proven) -> None:
    if found.witnessed is None:
        own = ", ".join(one.name for one in found.seen)
        mine = f", and {own}, the operator's own witness," if own else " alone"
        why = f"the log's operator{mine} vouches for the entry and its time"
        raise TamperError(f"entry {found.entry.index} is not witnessed", code="not-witnessed", why=why)


def _refuse_outlived(found: Proven, judged: JudgedTag, now: int) -> None:
    """The witnesses of a proof that was issued again say nothing of the time before, when the key was valid."""
    if found.frozen and judged.expired(now):
        what = f"the signer's key {judged.signer} has expired, and this proof was issued again later"
        raise TamperError(what, code="not-witnessed", why="no witness says that the tag is older")


def _judged(found: Proven, root: Root, raw: bytes | None) -> JudgedTag:
    """The entry's tag, signed by somebody whom the root allows at that index and whose key was valid then."""
    entry, reference = found.entry, found.entry.tag
    if reference is None:
        raise TamperError(f"entry {entry.index} names no tag", code="tag-not-in-entry")
    if raw is None:
        name = shown(tag_name(entry.project, entry.version))[1:-1]
        hint = f"put {name} beside the file; --policy does without, but then the signer is not checked"
        raise TamperError(f"{name} is missing", code="tag-missing", hint=hint)
    _check_bytes(entry, reference, raw)
    moment = entry.time if found.witnessed is None or found.frozen else found.witnessed
    people = sorted(
        root.people, key=lambda key: key.fingerprint != reference.signer
    )  # whom the entry names is tried first
    judged = judge_tag(raw, name=reference.name, keys=people, at=moment)
    _check_allowed(root, entry, judged)
    if judged.signer != reference.signer:
        what = f"the tag is signed by {judged.signer}, entry {entry.index} says {shown(reference.signer)}"
        raise TamperError(what, code="signer-mismatch")
    if judged.object != reference.commit:
        what = f"the tag points at commit {judged.object}, entry {entry.index} says {reference.commit}"
        raise TamperError(what, code="commit-mismatch")
    if entry.event == "release" and not says_version(reference.name, entry.version):
        what = f"entry {entry.index} releases {shown(entry.version)} from the tag {shown(reference.name)}"
        raise TamperError(what, code="tag-version", why="nobody signed that version: an old tag may not be a new one")
    return judged


def _check_bytes(entry: Entry, reference: TagRef, raw: bytes) -> None:
    """`raw` is the tag object of the entry, byte for byte, by each of the three ways in which the entry names it."""
    digest = sha256(raw).hexdigest()
    if digest != reference.sha256:
        what = f"the tag has SHA-256 {digest}, entry {entry.index} says {reference.sha256}"
        raise TamperError(what, code="tag-digest-mismatch", why="this is not the tag that was released")
    sidecar = dict(entry.sidecars).get(tag_name(entry.project, entry.version))
    if entry.event == "release" and sidecar != digest:
        what = f"the tag has SHA-256 {digest}, the sidecars of entry {entry.index} say {sidecar or 'nothing of it'}"
        raise TamperError(what, code="tag-sidecar-mismatch", why="the entry contradicts itself")
    computed = object_id("tag", raw, len(reference.object))
    if computed != reference.object:
        what = f"the tag is git object {computed}, entry {entry.index} says {reference.object}"
        raise TamperError(what, code="tag-object-mismatch", why="the entry contradicts itself")


def _check_allowed(root: Root, entry: Entry, judged: JudgedTag) -> None:
    if judged.signer in {key.fingerprint for key in root.allowed(entry.project, entry.index)}:
        return
    spans = [
        f"from entry {allowed.start}" + ("" if allowed.until is None else f" to before entry {allowed.until}")
        for allowed in dict(root.signers).get(entry.project, ())
        if allowed.key == judged.signer
    ]
    project = shown(entry.project)
    what = f"{judged.signer}, who signed the tag, may not sign {project} at entry {entry.index}"
    why = f"it may {', '.join(spans)}" if spans else f"root {root.version} knows that key, but not for {project}"
    raise TamperError(what, code="signer-not-allowed", why=why)

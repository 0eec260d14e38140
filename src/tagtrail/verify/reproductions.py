"""A reproducer's statement judged: in the trail, signed by the key that the trail names, about this very release."""

from hashlib import sha256

from tagtrail.formats.encoding import shown
from tagtrail.formats.policy import Policy
from tagtrail.formats.provenance import Provenance, provenance_name
from tagtrail.formats.reproduction import Reproduction, open_reproduction
from tagtrail.formats.root import Root
from tagtrail.formats.times import format_time
from tagtrail.model.entry import Entry
from tagtrail.model.errors import TamperError
from tagtrail.verify.proofs import TOLERANCE, Proven, prove

__all__ = ["check_about", "concerns", "judge_reproduction"]


def judge_reproduction(
    name: str, data: bytes, proof: bytes, trust: Root | Policy, now: int
) -> tuple[Reproduction, Proven]:
    """What the statement in the file `name` says, and its entry; `proof` is NAME.tlog-proof, `now` in Unix seconds.

    Whether it is right about the release, `check_about` says; that the operator knows the reproducer is the operator's
    word. Raises TamperError reproduction-*, dsse-*, json-*,
    and what `prove` raises.
    """
    found = prove(proof, trust, now)
    entry = found.entry
    if entry.event != "reproduced":
        what = f"entry {entry.index} is a {entry.event} event, no statement of a reproducer"
        raise TamperError(what, code="reproduction-entry")
    digest, recorded = sha256(data).hexdigest(), {file.name: file.sha256 for file in entry.files}
    if recorded.get(name) != digest:
        what = (
            f"{shown(name)[1:-1]} has SHA-256 {digest}, entry {entry.index} says {recorded.get(name, 'nothing of it')}"
        )
        raise TamperError(what, code="reproduction-digest")
    said = open_reproduction(data)
    if said.fingerprint not in {approval.key for approval in entry.approvals if approval.digest == digest}:
        what = f"the statement is signed by {said.fingerprint}, entry {entry.index} names another key"
        raise TamperError(what, code="reproduction-signer")
    _check_told(said, entry, {*said.files, (name, digest)}, found.checked.checkpoint.origin)
    return said, found


def _check_told(said: Reproduction, told: Entry, files: set[tuple[str, str]], origin: str) -> None:
    """The entry of the statement is of the same release and files, later, and after the statement was made."""
    pairs = (
        ("origin", said.origin, origin),
        ("project", said.project, told.project),
        ("version", said.version, told.version),
    )
    for field, ours, theirs in pairs:
        if ours != theirs:
            what = f"the statement is of {field} {shown(ours)}, entry {told.index}, which has it, of {shown(theirs)}"
            raise TamperError(what, code="reproduction-entry")
    if said.index >= told.index:
        what = f"the statement is of entry {said.index}, which was not there before entry {told.index}, which has it"
        raise TamperError(what, code="reproduction-entry")
    if wrong := files ^ {(file.name, file.sha256) for file in told.files}:
        what = f"the statement and entry {told.index}, which has it, do not agree on {shown(min(wrong)[0])}"
        raise TamperError(what, code="reproduction-files")
    _check_until(said, told.time, f"entry {told.index}, which has it, is of")


def concerns(said: Reproduction, entry: Entry) -> bool:
    """Whether a statement means to speak of `entry`: by its place, or its digest."""
    return said.index == entry.index or said.entry == sha256(entry.raw).hexdigest()


def check_about(said: Reproduction, entry: Entry, origin: str, provenance: Provenance | None, until: int) -> None:
    """What a statement says is so, as far as `entry`, the release in the log `origin`, can tell.

    `provenance` is the one that `entry` names, if it is at hand; `until`, in Unix seconds, when the statement was
    there. Raises TamperError `reproduction-entry`, `reproduction-commit`, `reproduction-provenance`,
    `reproduction-files`, `reproduction-materials`, `reproduction-time`.
    """
    pairs = (
        ("reproduction-entry", "origin", said.origin, origin),
        ("reproduction-entry", "project", said.project, entry.project),
        ("reproduction-entry", "version", said.version, entry.version),
        ("reproduction-entry", "entry index", str(said.index), str(entry.index)),
        ("reproduction-entry", "entry SHA-256", said.entry, sha256(entry.raw).hexdigest()),
        ("reproduction-commit", "commit", said.commit, entry.tag.commit if entry.tag else ""),
        ("reproduction-provenance", "provenance SHA-256", said.provenance, _provenance_of(entry)),
    )
    for code, field, ours, theirs in pairs:
        if ours != theirs:
            what = f"the statement is of {field} {shown(ours)}, entry {entry.index} of {shown(theirs)}"
            raise TamperError(what, code=code)
    _check_files(said, entry)
    if provenance is not None and provenance.materials and not said.materials:
        what = f"the statement names no materials, the provenance of entry {entry.index} {len(provenance.materials)}"
        raise TamperError(what, code="reproduction-materials", why="nothing is built again with nothing")
    if said.time < entry.time - TOLERANCE:
        what = f"the statement is of {format_time(said.time)}, entry {entry.index} of {format_time(entry.time)}"
        raise TamperError(what, code="reproduction-time", why="what was not released yet was not built again")
    _check_until(said, until, "it is")


def _provenance_of(entry: Entry) -> str:
    return dict(entry.sidecars).get(provenance_name(entry.project, entry.version), "")


def _check_files(said: Reproduction, entry: Entry) -> None:
    """Exactly what the entry calls built, as in its provenance: what was brought nobody builds again."""
    ours, built = dict(said.files), {file.name: file.sha256 for file in entry.files if file.origin.how == "built"}
    for name in sorted({*ours, *built}):
        if ours.get(name) != built.get(name):
            what = f"of {shown(name)} the statement says {ours.get(name, 'nothing')}, entry {entry.index} "
            what += built.get(name, "not that it was built here")
            why = "a statement is of all files that were built here, and no others"
            raise TamperError(what, code="reproduction-files", why=why)


def _check_until(said: Reproduction, until: int, there: str) -> None:
    if said.time > until + TOLERANCE:
        what = f"the statement is of {format_time(said.time)}, {there} {format_time(until)}"
        raise TamperError(what, code="reproduction-time", why="it was signed before it was built, or a clock is wrong")

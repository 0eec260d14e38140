"""A reproducer's statement judged: in the trail, signed by the key that the trail names, about this very release."""

from hashlib import sha256

from tagtrail.formats.encoding import shown
from tagtrail.formats.policy import Policy
from tagtrail.formats.reproduction import Reproduction, open_reproduction
from tagtrail.formats.root import Root
from tagtrail.model.entry import Entry
from tagtrail.model.errors import TamperError
from tagtrail.verify.proofs import Proven, prove

__all__ = ["is_about", "judge_reproduction"]


def judge_reproduction(
    name: str, data: bytes, proof: bytes, trust: Root | Policy, now: int
) -> tuple[Reproduction, Proven]:
    """What the statement in the file `name` says, and its entry; `proof` is NAME.tlog-proof, `now` in Unix seconds.

    That the operator knows the reproducer is the operator's word. Raises TamperError reproduction-*, dsse-*, json-*,
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
    origin = found.checked.checkpoint.origin
    if (said.origin, said.project, said.version) != (origin, entry.project, entry.version):
        what = f"the statement is of {shown(said.project)} {shown(said.version)} in {shown(said.origin)}"
        raise TamperError(what, code="reproduction-entry", why=f"its entry is of {entry.project} {entry.version}")
    return said, found


def is_about(said: Reproduction, entry: Entry, name: str) -> bool:
    """Whether a statement says that the file `name` of `entry` came out the same."""
    digest = next((file.sha256 for file in entry.files if file.name == name), "")
    return (name, digest) in said.files and said.entry == sha256(entry.raw).hexdigest()

"""What reproducers say of a release, as it lies beside its files: loaded where there is such a statement."""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

from tagtrail.app.consumer.beside import PROOF, read_small
from tagtrail.formats import proof as proof_format
from tagtrail.formats import provenance
from tagtrail.formats.policy import Policy
from tagtrail.formats.provenance import MAX_PROVENANCE, Provenance, provenance_name
from tagtrail.formats.reproduction import MAX_STATEMENT, Reproduction
from tagtrail.formats.root import Root
from tagtrail.model.entry import Entry
from tagtrail.model.errors import TamperError
from tagtrail.verify.proofs import Proven, prove
from tagtrail.verify.release import Verdict
from tagtrail.verify.reproductions import check_about, concerns, judge_reproduction

__all__ = ["claims", "fields_of_statement", "statement_at"]


def statement_at(path: Path, trust: Root | Policy, now: int) -> tuple[Reproduction, Proven, bool]:
    """The statement at `path`, judged with the proof beside it, and whether it could be compared with the release's
    entry, from the proof of one of its files there. Raises TamperError, SetupError."""
    said, found = _judged(path, trust, now)
    entry = _release_beside(path, said, trust, now)
    if entry is not None:
        _check(path, said, found, entry)
    return said, found, entry is not None


def claims(statements: Iterable[Path], verdict: Verdict, trust: Root | Policy, now: int) -> Iterator[tuple[bool, str]]:
    """For each statement beside a proven file that does not hold, and each reproducer whose statement does: whether it
    holds, and a sentence."""
    entries: dict[str, int] = {}
    for statement in statements:
        try:
            said, found = _judged(statement, trust, now)
            if not concerns(said, verdict.entry):
                continue
            _check(statement, said, found, verdict.entry)
        except TamperError as error:
            yield False, f"that it was built again, as {statement.name} says ({error.code})"
            continue
        if verdict.file.name in dict(said.files):
            index = found.entry.index
            entries[said.fingerprint] = min(index, entries.get(said.fingerprint, index))
    for fingerprint, index in sorted(entries.items(), key=lambda pair: pair[1]):
        yield True, f"built again to the same bytes by {fingerprint} (entry {index})"


def _judged(path: Path, trust: Root | Policy, now: int) -> tuple[Reproduction, Proven]:
    data = read_small(path, MAX_STATEMENT)
    proof = read_small(path.with_name(path.name + PROOF), proof_format.MAX_SIZE)
    if data is None or proof is None:
        raise TamperError(f"{path.name}{PROOF} is missing", code="proof-missing")
    return judge_reproduction(path.name, data, proof, trust, now)


def _check(path: Path, said: Reproduction, found: Proven, entry: Entry) -> None:
    check_about(said, entry, found.checked.checkpoint.origin, _provenance_beside(path, entry), found.entry.time)


def _release_beside(path: Path, said: Reproduction, trust: Root | Policy, now: int) -> Entry | None:
    """The entry that a statement speaks of, from a proof beside it that holds."""
    for name, _ in said.files:  # names that the statement's entry has, so none of them leads elsewhere
        proof = read_small(path.with_name(name + PROOF), proof_format.MAX_SIZE)
        if proof is None:
            continue
        try:
            entry = prove(proof, trust, now).entry
        except TamperError:
            continue  # it is refused where that file is
        if concerns(said, entry):
            return entry
    return None


def _provenance_beside(path: Path, entry: Entry) -> Provenance | None:
    """The very provenance that the entry names."""
    name = provenance_name(entry.project, entry.version)
    data = read_small(path.with_name(name), 2 * MAX_PROVENANCE)
    same = data is not None and dict(entry.sidecars).get(name) == sha256(data).hexdigest()
    return provenance.parse(data)[1] if data is not None and same else None


def fields_of_statement(said: Reproduction, found: Proven, *, compared: bool) -> dict[str, object]:
    """A statement that holds as the fields of `verified`."""
    names = ", ".join(name for name, _ in said.files)
    more = f"that it is right about entry {said.index}: no proof of those files lies beside it"
    return {
        "project": said.project,
        "version": said.version,
        "index": found.entry.index,
        "size": found.checked.checkpoint.size,
        "proven": [f"{said.fingerprint} built {names} of entry {said.index} again, to the same bytes"],
        "not_proven": [
            "who holds that key (the operator knows it as a reproducer's: the operator's word)",
            *([] if compared else [more]),
        ],
        "claims": ["reproduced"],
        "doubts": ["reproducer-claimed", *([] if compared else ["reproduced-uncompared"])],
    }

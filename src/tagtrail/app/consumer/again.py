"""What reproducers say of a release, as it lies beside its files: loaded where there is such a statement."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from tagtrail.app.consumer.beside import PROOF, read_small
from tagtrail.formats import proof as proof_format
from tagtrail.formats.policy import Policy
from tagtrail.formats.reproduction import MAX_STATEMENT, Reproduction
from tagtrail.formats.root import Root
from tagtrail.model.errors import TamperError
from tagtrail.verify.proofs import Proven
from tagtrail.verify.release import Verdict
from tagtrail.verify.reproductions import is_about, judge_reproduction

__all__ = ["claims", "fields_of_statement", "statement_at"]


def statement_at(path: Path, trust: Root | Policy, now: int) -> tuple[Reproduction, Proven]:
    """The statement at `path`, judged with the proof beside it. Raises TamperError, SetupError."""
    data = read_small(path, MAX_STATEMENT)
    proof = read_small(path.with_name(path.name + PROOF), proof_format.MAX_SIZE)
    if data is None or proof is None:
        raise TamperError(f"{path.name}{PROOF} is missing", code="proof-missing")
    return judge_reproduction(path.name, data, proof, trust, now)


def claims(statements: Iterable[Path], verdict: Verdict, trust: Root | Policy, now: int) -> Iterator[tuple[bool, str]]:
    """For each statement beside a proven file that concerns it: whether it holds, and a sentence."""
    for statement in statements:
        try:
            said, found = statement_at(statement, trust, now)
        except TamperError as error:
            yield False, f"that it was built again, as {statement.name} says ({error.code})"
            continue
        if is_about(said, verdict.entry, verdict.file.name):
            yield True, f"built again to the same bytes by {said.fingerprint} (entry {found.entry.index})"


def fields_of_statement(said: Reproduction, found: Proven) -> dict[str, object]:
    """A statement that holds as the fields of `verified`."""
    names = ", ".join(name for name, _ in said.files)
    return {
        "project": said.project,
        "version": said.version,
        "index": found.entry.index,
        "size": found.checked.checkpoint.size,
        "proven": [f"{said.fingerprint} built {names} of entry {said.index} again, to the same bytes"],
        "not_proven": ["who holds that key (the operator knows it as a reproducer's: the operator's word)"],
        "claims": ["reproduced"],
        "doubts": ["reproducer-claimed"],
    }

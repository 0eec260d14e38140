"""Witnesses asked: a committed checkpoint becomes one that met our own policy, or the road waits.

A witness that is asked for a cosignature over what is committed says at once whether what it has seen is a prefix of
ours: it cosigns (it is, or our proof convinced it), or it has seen more than we have, or another tree. So asking them
about the head *before* anything new is signed is the guard against a restored back-up and a copied HOME, and asking
again after it is what makes an entry *logged*. Nobody's answer is believed but by its signature.
"""

from collections.abc import Mapping, Sequence

from tagtrail.formats import merkle, note, policy
from tagtrail.formats.policy import Checked, Policy
from tagtrail.model.errors import Error, RemoteError, TamperError
from tagtrail.model.frozen import frozen, replace
from tagtrail.ports import Behind, Clock, Committed, Ledger, Reading, Witness

__all__ = ["TOLERANCE", "Met", "guard", "witness"]

TOLERANCE = 600
"""Seconds by which a witness's clock may be ahead of ours."""

_ROUNDS = 3
"""Requests to one witness for one checkpoint: a guess, what it said, and once more if somebody was quicker."""


@frozen
class Met:
    """A checkpoint that meets the policy, who cosigned it, and why others did not (witness, reason)."""

    committed: Committed
    checked: Checked
    failed: tuple[tuple[str, str], ...] = ()


def guard(ledger: Reading, log: note.AnySigner, trust: Policy, witnesses: Mapping[str, Witness], clock: Clock) -> None:
    """Stop unless a quorum of witnesses has seen a prefix of our trail, and no witness anything else.

    Before the first entry they are asked about the empty tree. Raises TamperError `trail-ahead` (a witness has seen
    more than we have), `witness-refused` (it has seen another tree); RemoteError `quorum-unmet`.
    """
    if not witnesses:
        return
    head = ledger.committed()
    if head is None:
        text = note.Checkpoint(origin=log.name, size=0, root=merkle.root_of([])).text()
        head = Committed(size=0, root=merkle.root_of([]), note=note.sign(text, [log]).encode().decode())
    _gather(ledger, head, trust, witnesses, clock)


def witness(
    ledger: Ledger,
    head: Committed,
    trust: Policy,
    witnesses: Mapping[str, Witness],
    clock: Clock,
    *,
    anew: bool = False,
) -> Met:
    """Have `head`, signed by the policy's log, cosigned until the policy is met, and record it (`Ledger.cosign`).

    Raises RemoteError `quorum-unmet`; TamperError `trail-ahead`, `witness-refused`.
    """
    met = _gather(ledger, head, trust, witnesses, clock)
    ledger.cosign(met.committed, anew=anew)
    return met


def _gather(ledger: Reading, head: Committed, trust: Policy, witnesses: Mapping[str, Witness], clock: Clock) -> Met:
    keys = {known.name: known.verifier for known in trust.witnesses}
    signatures: list[note.Signature] = []
    failed: dict[str, str] = {}
    old = dict.fromkeys(witnesses, _guess(ledger, head))
    for _ in range(_ROUNDS):
        for name, answer in _ask(ledger, head, old, witnesses):
            del old[name]
            if isinstance(answer, Behind):
                if answer.size > head.size:
                    return _gather(ledger, _overtaken(ledger, name, answer.size), trust, witnesses, clock)
                old[name] = answer.size
                failed[name] = "others are quicker: its size moves while we ask"
            elif isinstance(answer, Error):
                failed[name] = f"{answer.what} {answer.why}".strip()
            else:
                signatures += _valid(head, keys[name], answer, name, failed, clock() + TOLERANCE)
        if not old:
            break
    return _met(head, trust, signatures, failed)


def _guess(ledger: Reading, head: Committed) -> int:
    """What the witnesses saw last: this very checkpoint, or the last one that met the policy."""
    last = ledger.cosigned()
    return min(last.size, head.size) if last else 0


def _ask(
    ledger: Reading, head: Committed, old: Mapping[str, int], witnesses: Mapping[str, Witness]
) -> list[tuple[str, bytes | Behind | Error]]:
    """Everybody's answer, asked at the same time. Raises TamperError: one witness's alarm is enough."""
    orders = [
        (name, size, merkle.consistency(size, head.size, ledger.node) if size else ()) for name, size in old.items()
    ]

    def attempt(order: tuple[str, int, Sequence[bytes]]) -> tuple[str, bytes | Behind | Error]:
        name, size, proof = order
        try:
            return name, witnesses[name].add_checkpoint(size, proof, head.note.encode())
        except (Behind, Error) as answer:
            return name, answer

    if not orders:
        return []
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(len(orders)) as pool:
        answers = list(pool.map(attempt, orders))
    for name, answer in answers:
        if isinstance(answer, TamperError):
            what = f"witness {name}: {answer.what}"
            raise TamperError(what, code=answer.code, why=answer.why, hint=answer.hint or _ALARM) from None
    return answers


_ALARM = "sign nothing more with this instance; compare it with its back-ups and copies: `tagtrail audit`"


def _overtaken(ledger: Reading, name: str, size: int) -> Committed:
    """Our newest checkpoint, where another process of this instance was quicker. Raises TamperError `trail-ahead`."""
    ours = ledger.committed()
    if ours is None or size > ours.size:
        raise TamperError(
            f"witness {name} has cosigned {size} entries, this instance has {ours.size if ours else 0}",
            code="trail-ahead",
            why="this is an old copy of the instance; signing now would make a second tree under one name",
            hint="restore the newest copy of the instance's directory; sign nothing with this one",
        )
    return ours


def _valid(
    head: Committed, key: note.Verifier, lines: bytes, name: str, failed: dict[str, str], latest: int
) -> list[note.Signature]:
    """The witness's own signature in its answer; lines by other keys do not count."""
    try:
        opened = note.open_note(head.note.encode() + lines, [key])
    except TamperError as error:
        failed[name] = f"its cosignature does not count: {error.what}"
        return []
    if (time := opened.verified[0].time or 0) > latest:
        failed[name] = f"its cosignature is of {time}, which is yet to come: its clock or ours is wrong"
        return []
    failed.pop(name, None)
    return [s for s in opened.note.signatures if (s.name, s.key_id) == (key.name, key.key_id)]


def _met(head: Committed, trust: Policy, signatures: list[note.Signature], failed: dict[str, str]) -> Met:
    signed = note.parse(head.note.encode())
    cosigned = replace(signed, signatures=(*signed.signatures, *sorted(signatures, key=lambda s: s.name))).encode()
    try:
        checked = policy.check(trust, cosigned)
    except TamperError as error:
        if error.code != "quorum-unmet":
            raise
        raise RemoteError(
            error.what,
            code="quorum-unmet",
            why="; ".join((error.why, *(f"{name}: {why}" for name, why in failed.items()))),
            hint="run it again when the witnesses answer: tagtrail resume",
        ) from None
    return Met(committed=replace(head, note=cosigned.decode()), checked=checked, failed=tuple(failed.items()))

"""A witness: judges checkpoints, cosigns what extends what it cosigned before, and keeps what speaks against a log.

The judgement follows c2sp.org/tlog-witness to the letter, in its order; the first that does not hold is answered:

    400  the body is a request, its note is a checkpoint         (404 first, if nobody knows the origin)
    403  a known key of the origin signed it, and none badly
    400  the old size is not above the checkpoint's
    409  the old size is what was cosigned last
    422  an empty tree has the empty tree's root; the proof leads from the one to the other

What is cosigned is remembered by compare-and-set before it is answered: of two requests at once one wins, and the other
is judged again. Times of a log's cosignatures never decrease, whatever the clock does.

Two checkpoints of one size with two roots, both signed by the log, convict it, and are kept. A larger one whose proof
does not hold convicts nobody, for anybody can send a log's checkpoint with a wrong proof; it is kept as well, until
that very checkpoint is proven.
"""

from collections.abc import Callable, Sequence
from typing import Literal

from tagtrail.formats import merkle, note
from tagtrail.formats.note import Checkpoint, Signer, Verifier
from tagtrail.formats.witness import (
    MAX_NOTE,
    SIZE_TYPE,
    Request,
    encode_cosignatures,
    encode_size,
    parse_request,
)
from tagtrail.model.errors import TamperError
from tagtrail.model.frozen import frozen, replace
from tagtrail.ports import Clock, Cosigned, Evidence, Seen, Tell

__all__ = ["Answer", "Desk", "Judged", "add_checkpoint", "judge", "standing", "told_evidence"]


@frozen
class Desk:
    """What a witness works with. `keys` gives the keys that it knows of an origin."""

    signer: Signer
    keys: Callable[[str], tuple[Verifier, ...]]
    seen: Seen
    clock: Clock
    tell: Tell


@frozen
class Answer:
    """An answer over HTTP. `code` is the reason of a refusal."""

    status: int
    body: bytes
    media: str = "text/plain; charset=utf-8"
    code: str = ""


@frozen
class Judged:
    """What is to be answered. `signed` is the checkpoint's note with the log's good signatures alone, if it has any."""

    answer: Answer
    checkpoint: Checkpoint | None = None
    signed: note.Note | None = None


def add_checkpoint(desk: Desk, body: bytes) -> Answer:
    """The answer to a request, after all that follows from it is remembered."""
    try:
        request = parse_request(body)
        origin = note.parse(request.note, MAX_NOTE).text.partition("\n")[0]
    except TamperError as error:
        return _refused(400, error)
    while True:
        before = desk.seen.latest(origin)
        judged = judge(request, desk.keys(origin), before)
        if judged.answer.status != 200:
            _keep(desk, judged, before)
            return judged.answer
        if answer := _cosign(desk, judged, before):
            return answer


def judge(request: Request, keys: Sequence[Verifier], before: Cosigned | None) -> Judged:
    """What follows from a request, the known keys of its origin, and what was cosigned of it; an answer 200 has no body
    yet."""
    if not keys:
        return Judged(answer=_no(404, "unknown-origin", "no log of this origin is known here"))
    try:
        checkpoint = note.parse_checkpoint(note.parse(request.note, MAX_NOTE).text)
    except TamperError as error:
        return Judged(answer=_refused(400, error))
    try:
        opened = note.open_note(request.note, keys, MAX_NOTE)
    except TamperError as error:
        return Judged(answer=_refused(403, error))
    good = {(verified.verifier.name, verified.verifier.key_id) for verified in opened.verified}
    own = tuple(line for line in opened.note.signatures if (line.name, line.key_id) in good)
    answer = _judge_growth(request, checkpoint, before) or Answer(status=200, body=b"")
    return Judged(answer=answer, checkpoint=checkpoint, signed=replace(opened.note, signatures=own))


def _judge_growth(request: Request, new: Checkpoint, before: Cosigned | None) -> Answer | None:
    size, root = (before.size, before.root) if before else (0, merkle.EMPTY_ROOT)
    if request.old > new.size:
        return _no(400, "old-size", f"the old size {request.old} is above the checkpoint's, {new.size}")
    if request.old != size:
        return Answer(status=409, body=encode_size(size), media=SIZE_TYPE, code="behind")
    try:
        merkle.verify_consistency(size, new.size, root, new.root, request.proof)
    except TamperError as error:
        return _refused(422, error)
    return None


def _cosign(desk: Desk, judged: Judged, before: Cosigned | None) -> Answer | None:
    """The answer 200; None if somebody else advanced this log first."""
    assert judged.checkpoint  # noqa: S101  (what is answered 200 was read and is signed)
    assert judged.signed  # noqa: S101
    time = max(desk.clock(), before.time if before else 1)
    cosigned = note.sign(judged.signed.text, [desk.signer], time=time, others=judged.signed.signatures)
    new = judged.checkpoint
    after = Cosigned(origin=new.origin, size=new.size, root=new.root, time=time, note=cosigned.encode())
    if not desk.seen.advance(before, after):
        return None
    if before is None or new.size > before.size:
        told = {"origin": new.origin, "before": before.size if before else 0, "size": new.size, "time": time}
        desk.tell("cosigned", told)
    return Answer(status=200, body=encode_cosignatures(cosigned.signatures[-1:]))


def _keep(desk: Desk, judged: Judged, before: Cosigned | None) -> None:
    """Keep a refused checkpoint if the log itself signed it and it does not fit."""
    new = judged.checkpoint
    if new is None or judged.signed is None:
        return
    same = desk.seen.latest(new.origin, new.size)
    fork = same.root != new.root if same else new.size == 0 and new.root != merkle.EMPTY_ROOT
    unproven = judged.answer.status == 422 and before is not None and 0 < before.size < new.size
    if not fork and not unproven:
        return
    against = same or before
    evidence = Evidence(
        origin=new.origin,
        size=new.size,
        root=new.root,
        time=desk.clock(),
        note=judged.signed.encode(),
        against=against.note if against else b"",
        fork=fork,
    )
    if desk.seen.keep(evidence):
        desk.tell("evidence", told_evidence(evidence, "fork" if fork else "unproven"))


def standing(seen: Seen, evidence: Evidence) -> Literal["fork", "unproven", "settled"]:
    """What a piece of evidence says today: a larger checkpoint may have been proven since, or the other one."""
    same = seen.latest(evidence.origin, evidence.size)
    if evidence.fork or (same and same.root != evidence.root):
        return "fork"
    return "settled" if same else "unproven"


def told_evidence(evidence: Evidence, standing: str) -> dict[str, object]:
    """The fields of the event `evidence`."""
    return {
        "origin": evidence.origin,
        "standing": standing,
        "size": evidence.size,
        "root": evidence.root.hex(),
        "time": evidence.time,
        "note": evidence.note.decode(),
        "against": evidence.against.decode(),
    }


def _refused(status: int, error: TamperError) -> Answer:
    return _no(status, error.code, error.what)


def _no(status: int, code: str, what: str) -> Answer:
    return Answer(status=status, body=f"{code}: {what}\n".encode(), code=code)

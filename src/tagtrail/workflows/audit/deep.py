"""What a survey cannot tell, looked at one by one as a consumer would: places at the same time, for so many seconds.

A page may say one digest and lead to other bytes, so what is hashed is what lies where the place says that it is.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from queue import Empty, SimpleQueue
from threading import Thread

from tagtrail.model.errors import Error
from tagtrail.model.facts import Survey
from tagtrail.model.frozen import replace
from tagtrail.ports import Target
from tagtrail.workflows.audit.places import Belonging, Cell, Line, absent, marked, untold

__all__ = ["hashed", "looked", "withdrawals"]

Answers = SimpleQueue[tuple[tuple[str, str], Cell]]

Digest = Callable[[str, int], str | None]
"""`io.http.digest`: SHA-256 of what is at a URL, of at most so many bytes; None: nothing. Raises RemoteError."""

_MARKED = frozenset({"yanked", "shown", "unsaid"})
_OPEN = _MARKED | {"there", "unasked", "waiting", "dropped", "other"}
_NOT_THERE = frozenset({"missing", "waiting", "unsent", "dropped"})
_OF_MARKS = {"same": "yanked", "other": "shown", "missing": "shown"}


def hashed(
    lines: Sequence[Line], belong: Iterable[Belonging], targets: Mapping[str, Target], digest: Digest, limit: float
) -> tuple[Line, ...]:
    """The lines, every file that is where it belongs hashed; `there`: it could not be, or not in time.

    Nobody can look at a blind place. Raises nothing.
    """
    wanted = {(one.place, one.name): one for one in belong if targets[one.place].retry != "blind"}
    cells = {(c.place, line.name): c for line in lines for c in line.cells if (c.place, line.name) in wanted}
    told = {key: cell for key, cell in cells.items() if cell.measured and cell.state != "other"}
    open_ = [wanted[key] for key, cell in cells.items() if not cell.measured and cell.state in _OPEN]
    seen = {key: replace(cell, state="there", measured=False) for key, cell in told.items()}
    seen |= looked([wanted[key] for key in told], targets, limit, digest) | looked(open_, targets, limit)
    return tuple(
        replace(one, cells=tuple(_after(one, c, seen.get((c.place, one.name))) for c in one.cells)) for one in lines
    )


def _after(line: Line, before: Cell, seen: Cell | None) -> Cell:
    """What is marked as withdrawn, rightly or not, stays so, unless other bytes are there."""
    if seen is None or seen.state == "other":
        return seen or before
    if before.state in _MARKED:
        return replace(before, measured=seen.measured)
    return replace(seen, state="gone") if line.gone and seen.state in _NOT_THERE else seen


def withdrawals(
    lines: Sequence[Line],
    marks: Sequence[Belonging],
    targets: Mapping[str, Target],
    surveys: Sequence[Survey],
    limit: float,
) -> tuple[Line, ...]:
    """The lines, with whether each place that can mark a withdrawn version does. Raises nothing."""
    wanted = untold(marks, lines, surveys)
    seen = looked(wanted, targets, limit)
    states = {key: _OF_MARKS.get(cell.state, cell.state) for key, cell in seen.items()}
    return marked(lines, {(one.place, one.name): "silent" for one in wanted} | states)


def looked(
    wanted: Sequence[Belonging], targets: Mapping[str, Target], limit: float, digest: Digest | None = None
) -> dict[tuple[str, str], Cell]:
    """What is there of each, by place and name; nothing of those that were not looked at in time.

    With `digest`, what lies at the address that the place tells is hashed; `there` where that cannot be done.
    """
    todo: dict[str, list[Belonging]] = {}
    for one in wanted:
        todo.setdefault(one.place, []).append(one)
    answers: Answers = SimpleQueue()
    for place, each in todo.items():
        Thread(target=_look, args=(targets[place], each, digest, answers), name=f"look {place}", daemon=True).start()
    seen: dict[tuple[str, str], Cell] = {}
    end = time.monotonic() + limit
    while len(seen) < len(wanted) and (left := end - time.monotonic()) > 0:
        try:
            key, cell = answers.get(timeout=left)
        except Empty:
            break
        seen[key] = cell
    return seen


def _look(target: Target, wanted: Sequence[Belonging], digest: Digest | None, answers: Answers) -> None:
    for one in wanted:
        cell = _found(target, one, digest)
        answers.put(((one.place, one.name), cell))


def _found(target: Target, one: Belonging, digest: Digest | None) -> Cell:
    try:
        found = target.find(one.effect)
    except Exception:  # noqa: BLE001  (whatever an adapter of somebody else's raises, it did not answer)
        return Cell(place=one.place, state="silent")
    if found is None:
        return Cell(place=one.place, state=absent(one.state))
    same = found.sha256 == one.effect.blob.sha256
    if same and digest:
        return _fetched(one, found.where, digest)
    return Cell(place=one.place, state="same" if same else "other", sha256="" if same else found.sha256, measured=True)


def _fetched(one: Belonging, where: str, digest: Digest) -> Cell:
    blob = one.effect.blob
    try:
        there = digest(where, blob.size)
    except Error as error:
        return Cell(place=one.place, state="other" if error.code == "url-too-large" else "there")
    same = there == blob.sha256
    state = "same" if same else "other" if there else "there"
    return Cell(place=one.place, state=state, sha256="" if same else there or "", measured=bool(there))

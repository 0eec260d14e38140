"""The last step: people are told once, of what was seen where the text says it is.

Who is to be told is written down before anything is carried: a row for each, which waits until every place shows the
release or was dropped by a person; a road that was killed in between does not forget. The text is made then, once, and
kept. A target that says `together = "day"` tells the releases of a day (UTC) at once: each release that was published
waits for the day's end; what waits then is one batch. A batch is remembered before it is sent, so every release is in
exactly one; who comes later goes with the next. A withdrawal waits for nothing: it is told alone.
"""

from collections.abc import Iterable, Iterator
from hashlib import sha256

from tagtrail.formats.notice import MEDIA, notice_bytes
from tagtrail.formats.times import format_time
from tagtrail.model.facts import Announced, Blob, Effect, Entry, Logged, Published, Row, State
from tagtrail.model.frozen import replace
from tagtrail.model.notice import Notice, Place
from tagtrail.model.settings import TargetSettings
from tagtrail.model.texts import Sayings
from tagtrail.workflows.carry import drive, exit_code
from tagtrail.workflows.publish import is_ours, logged, places
from tagtrail.workflows.road import Road

__all__ = ["OWED", "announce", "announced", "counted", "owe", "sayings", "tell_together", "tells", "wait_for"]

OWED = "announcement"
"""The path of the rows that say who is to be told."""

DAY = 86_400
_DONE = ("seen", "dropped")


def owe(road: Road, entry: Entry) -> tuple[Row, ...]:
    """The rows of those who are to be told of an entry, made at the first call and never again for others.

    A release whose carrying began before has nobody: who was added to the settings since is not told of the past. Of
    files that are added to a version nobody is told anew.
    """
    if entry.event not in ("release", "withdraw") or entry.added:
        return ()
    names = road.journal.once(f"tells:{entry.index}", str, _names, road, entry)
    standing = {row.effect.target: row for row in road.journal.rows(entry.index) if _is_owed(row)}
    for name in names:
        if name not in standing:
            blob = Blob(sha256=sha256(entry.raw).hexdigest(), size=len(entry.raw), media=MEDIA)
            key = f"{entry.index}/{OWED}"
            effect = Effect(target=name, key=key, entry=entry.index, path=OWED, blob=blob)
            road.journal.move(None, Row(effect=effect, since=road.clock()))
    return tuple(row for row in road.journal.rows(entry.index) if _is_owed(row))


def wait_for(road: Road, entry: Entry, rows: Iterable[Row]) -> None:
    """Say in the rows of who is to be told which places do not show everything yet."""
    names = dict.fromkeys(row.effect.target for row in rows if row.state not in _DONE)
    why = f"waits for {', '.join(names)}"
    for row in owe(road, entry):
        if names and row.state == "none" and row.why != why:
            road.journal.move(row, replace(row, why=why))


def announce(road: Road, published: Published) -> tuple[Row, ...]:
    """Tell everybody who is to be told; returns all rows of the entry. Run it again until all is seen.

    Raises SetupError `text-template`, `target-type` and the like, TamperError `kept-altered`.
    """
    entry = published.logged.entry
    for row in owe(road, entry):
        if row.state in _DONE:
            continue
        target = next((t for t in road.settings.targets if t.name == row.effect.target), None)
        if target is None:
            _settle(road, row, "dropped", "the settings have it no more")
        elif target.together and entry.event == "release":  # a withdrawal is for now
            _ready(road, row, entry)
            tell_together(road, target)
        else:
            rows = _tell(road, target, published.logged, _notice(road, entry), ours=is_ours(road, entry))
            _follow(road, row, rows)
    return road.journal.rows(entry.index)


def announced(published: Published, rows: Iterable[Row]) -> Announced | None:
    """The end of the road, where the rows of the entry say that everybody was told."""
    told = tuple(rows)
    if exit_code(told):
        return None
    return Announced(published=published, receipts=tuple(row.receipt for row in told if row.receipt))


def counted(rows: Iterable[Row]) -> tuple[Row, ...]:
    """The rows as people count them: who is to be told is one thing with what was sent."""
    told = tuple(rows)
    sent = {row.effect.target for row in told if not _is_owed(row)}
    return tuple(row for row in told if not _is_owed(row) or row.effect.target not in sent)


def tells(row: Row) -> bool:
    """Whether people are told by it; else files are carried, or a page is shown."""
    return _is_owed(row) or row.effect.key.startswith(f"{row.effect.entry}/notice:")


def _names(road: Road, entry: Entry) -> tuple[str, ...]:
    if road.journal.rows(entry.index):
        return ()
    own = next((p.announce for p in road.settings.projects if p.name == entry.project), ())
    shown = {place.name for place in places(road, entry)}
    return tuple(name for name in own if name not in shown and entry.channel in road.settings.target(name).on)


def _is_owed(row: Row) -> bool:
    return row.effect.path == OWED and row.effect.key == f"{row.effect.entry}/{OWED}"


def _settle(road: Road, row: Row, state: State, why: str) -> None:
    after = replace(row, state=state, why=why)
    if after != row:
        road.journal.move(row, replace(after, since=road.clock() if state != row.state else row.since))


def _follow(road: Road, row: Row, rows: tuple[Row, ...]) -> None:
    """What is owed is done when what was sent is."""
    if not rows:
        _settle(road, row, "dropped", "it has nothing to say of this")
    elif all(sent.state in _DONE for sent in rows):
        told = any(sent.state == "seen" for sent in rows)
        _settle(road, row, "seen" if told else "dropped", "" if told else rows[0].why)
    elif row.why and not row.due:
        _settle(road, row, row.state, "")


# --- one text -------------------------------------------------------------------------------------------------------


def _notice(road: Road, entry: Entry) -> Notice:
    """What is said of an entry: made once, remembered and kept."""
    return _once(road, f"notice:{entry.index}", lambda: _made(road, entry))


def _once(road: Road, key: str, make: object) -> Notice:
    found = road.journal.once(key, Notice, make)  # type: ignore[arg-type]  # a function that takes nothing
    notice = found[0] if isinstance(found, tuple) else found
    road.kept.put([notice_bytes(notice)], MEDIA)
    return notice


def _made(road: Road, entry: Entry) -> Notice:
    from tagtrail import pages
    from tagtrail.workflows.render import LedgerView

    view = LedgerView(road.ledger, road.kept, entry.index + 1)
    return pages.notice(view, entry, sayings(road, entry.project, road.journal.rows(entry.index)))


def sayings(road: Road, project: str, rows: Iterable[Row] = ()) -> Sayings:
    """What the settings say of a project, and the places that show all that was meant for them."""
    said = next((p for p in road.settings.projects if p.name == project), None)
    shown = tuple(_shown(road, rows))
    return Sayings(
        bugs=said.bugs.replace("{project}", said.name) if said else "",
        security=said.security.replace("{project}", said.name) if said else "",
        support_until=said.support_until if said else "",
        on_pypi=any(_is_pypi(road.settings.target(place.name)) for place in shown),
        places=shown,
        texts=road.texts,
    )


def _shown(road: Road, rows: Iterable[Row]) -> Iterator[Place]:
    """The places beside the site where nothing is missing; what a person dropped is not named."""
    known = {target.name for target in road.settings.targets} - {road.site_target}
    sent = [row for row in rows if row.effect.target in known and not _is_owed(row)]
    for name in dict.fromkeys(row.effect.target for row in sent):
        own = [row for row in sent if row.effect.target == name]
        if all(row.state == "seen" for row in own):
            yield Place(name=name, where=next((row.receipt.where for row in own if row.receipt), ""))


def _is_pypi(target: TargetSettings) -> bool:
    return target.type == "index" and target.option("repository") == "pypi" and not target.option("simple")


def _tell(road: Road, target: TargetSettings, fact: Logged, notice: Notice, *, ours: bool) -> tuple[Row, ...]:
    return drive(
        fact,
        road.targets[target.name],
        road.journal,
        notice=notice,
        ours=ours,
        clock=road.clock,
        tell=road.tell,
        awaited=target.by == "ci",
    )


# --- many at once ---------------------------------------------------------------------------------------------------


def _ready(road: Road, row: Row, entry: Entry) -> None:
    """It was published: it waits for the end of this day, its text made."""
    if row.due or row.state != "none":
        return
    _notice(road, entry)
    if not is_ours(road, entry):
        _settle(road, row, "held", "this journal did not log the entry: it may have been told")
        return
    due = (road.clock() // DAY + 1) * DAY
    why = f"is told with the day's others after {format_time(due)}, or now by `resume --early`"
    road.journal.move(row, replace(row, since=road.clock(), due=due, why=why))


def tell_together(road: Road, target: TargetSettings, *, early: bool = False) -> None:
    """Go on with the batches that were begun, and begin one where the day of something that waits has ended.

    `early`: one of all that waits, whatever the time.
    """
    name, now = target.name, road.clock()
    first, last = road.journal.cursor(f"told:{name}"), road.journal.cursor(f"together:{name}")
    taken: set[int] = set()
    for number in range(first, last):
        taken |= _batch(road, target, number, taken, early=early)
    if any(early or row.due <= now for row in _waiting(road, name, taken)):
        road.journal.cursor(f"together:{name}", last, last + 1)
        _batch(road, target, last, taken, early=early)


def _waiting(road: Road, name: str, taken: set[int]) -> tuple[Row, ...]:
    rows = (row for row in road.journal.rows() if row.effect.target == name and _is_owed(row))
    return tuple(row for row in rows if row.state == "none" and row.due and row.effect.entry not in taken)


def _batch(road: Road, target: TargetSettings, number: int, taken: set[int], *, early: bool) -> set[int]:
    """One batch as far as it goes; returns whose it is. The newest entry stands for all."""
    name, now = target.name, road.clock()

    def pick() -> tuple[int, ...]:
        rows = _waiting(road, name, taken)
        return tuple(sorted(row.effect.entry for row in rows if early or row.due <= now))

    found = road.journal.once(f"together:{name}:{number}", int, pick)
    indexes = found if isinstance(found, tuple) else (found,)
    if not indexes or _send(road, target, number, indexes):
        road.journal.cursor(f"told:{name}", number, number + 1)
    return set(indexes)


def _send(road: Road, target: TargetSettings, number: int, indexes: tuple[int, ...]) -> bool:
    """Whether all of the batch is done."""
    told = [_notice(road, _entry(road, index)) for index in indexes]
    notice = told[0] if len(told) == 1 else _once(road, f"notice:{target.name}:{number}", lambda: _digest(road, told))
    newest = _entry(road, indexes[-1])
    rows = _tell(road, target, logged(road, newest), notice, ours=True)
    left = next((row for row in rows if row.state not in _DONE), None)
    for index in indexes:
        for row in road.journal.rows(index):
            if _is_owed(row) and row.effect.target == target.name and row.state not in _DONE:
                _follow(road, row, rows)
                if left:
                    _settle(road, row, row.state, _with(newest, left))
    return left is None


def _with(newest: Entry, left: Row) -> str:
    """Why a release of a batch is not told: what became of the text, which is the newest one's."""
    said = f"{left.state}: {left.why}" if left.why else left.state
    return f"is told together with {newest.project} {newest.version}, which is {said}"


def _digest(road: Road, told: list[Notice]) -> Notice:
    from tagtrail import pages
    from tagtrail.workflows.render import LedgerView

    view = LedgerView(road.ledger, road.kept, max(one.entries[-1] for one in told) + 1)
    return pages.digest(view, told, Sayings(texts=road.texts))


def _entry(road: Road, index: int) -> Entry:
    return road.ledger.entries(index, index + 1)[0]

"""A hold: the release team stops a tag's road before the hinge, for a time or until somebody lifts it.

A hold is a row of the journal, of a project and a tag's name; the tag need not exist yet. The road looks at it when it
begins, and again in the transaction that enters the trail: a hold that was there before that transaction stops it, one
that comes later is told that it is too late. What is logged is for ever; then only a withdrawal helps.
"""

from collections.abc import Iterator
from shlex import quote

from tagtrail.formats.forms import plain_fault
from tagtrail.formats.times import format_time
from tagtrail.model.errors import ProjectError, SetupError
from tagtrail.model.facts import Effect, Entry, Row
from tagtrail.model.frozen import frozen, replace
from tagtrail.model.names import project_key
from tagtrail.model.settings import Project
from tagtrail.ports import Journal, Reading
from tagtrail.rules.versions import tag_for
from tagtrail.workflows.begun import NOTHING, Waiting
from tagtrail.workflows.road import Road

__all__ = ["Hold", "hold", "holds", "lift", "standing", "stands_for", "stop_if_held"]

HELD = "hold"
"""The target name of the row."""
NO_ENTRY = -3
"""What the row has for a trail index: it is of no entry."""


@frozen
class Hold:
    """A tag that may not enter the trail before `until` (Unix seconds; 0: before it is lifted)."""

    project: str
    tag: str
    until: int = 0
    because: str = ""
    since: int = 0

    @property
    def text(self) -> str:
        """In words."""
        until = f"until {format_time(self.until)}" if self.until else "until it is lifted"
        return f"{self.project} {self.tag} is held {until}{f': {self.because}' if self.because else ''}"


def hold(road: Road, project: Project, tag: str, *, until: int = 0, because: str = "") -> Hold:
    """Hold a tag (or the tag of a version); what was said before of the same tag is replaced.

    Raises ProjectError `hold-late` where the trail has it, SetupError `hold-until` (a time that is over), `because`.
    """
    name, now = tag_for(project.tag, tag, project.versions), road.clock()
    if until and until <= now:
        what = f"until {format_time(until)} is over: it is {format_time(now)} now"
        raise SetupError(what, code="hold-until", hint=f"tagtrail hold {project.name} {quote(name)} --until 2h")
    if fault := plain_fault(because):
        raise SetupError(f"the reason {fault}", code="because", hint='--because "waits for the security fix"')
    _check_not_logged(road.ledger, project, name)
    effect = Effect(
        target=HELD, key=_key(project.name, name), entry=NO_ENTRY, path=f"{project.name}/{name}", blob=NOTHING
    )
    row = Row(effect=effect, state="held", since=now, due=until, why=because)
    while not road.journal.move(before := _row(road.journal, effect.key), row):
        pass
    try:
        _check_not_logged(road.ledger, project, name)  # the trail may have taken it meanwhile
    except ProjectError:
        road.journal.move(row, before or replace(row, state="dropped"))
        raise
    return _read(row)


def lift(road: Road, project: Project, tag: str) -> Hold | None:
    """The tag may go on; returns the hold that stood, None where there was none."""
    name = tag_for(project.tag, tag, project.versions)
    while found := standing(road.journal, project.name, name, road.clock()):
        row = _row(road.journal, _key(project.name, name))
        if row and road.journal.move(row, replace(row, state="dropped", since=road.clock())):
            return found
    return None


def standing(journal: Journal, project: str, tag: str, now: int) -> Hold | None:
    """The hold of a tag (by its name), or None; one whose time is over stands no more."""
    key = _key(project, tag)
    return next((_read(row) for row in _open(journal, now) if row.effect.key == key), None)


def holds(journal: Journal, now: int) -> tuple[Hold, ...]:
    """All that stand, the oldest first."""
    return tuple(_read(row) for row in _open(journal, now))


def stands_for(journal: Journal, row: Row, now: int) -> str:
    """Why what was begun stopped; a hold that was lifted, or whose time is over, is no reason any more."""
    project, _, tag = row.effect.key.partition("/")
    was = row.why.startswith(f"{project} {tag} is held ")
    return "it was held, and is not any more" if was and standing(journal, project, tag, now) is None else row.why


def stop_if_held(road: Road, project: str, tag: str) -> None:
    """Raises Waiting `held` where the release team holds this tag."""
    if found := standing(road.journal, project, tag, road.clock()):
        why = f"held since {format_time(found.since)}; nothing of it is in the trail, nothing is public"
        raise Waiting(found.text, code="held", why=why, hint=f"tagtrail hold {project} {quote(tag)} --lift")


def _check_not_logged(ledger: Reading, project: Project, tag: str) -> None:
    if entry := _logged(ledger, project.name, tag):
        raise ProjectError(
            f"{project.name} {tag} is entry {entry.index} of the trail: too late to hold it",
            code="hold-late",
            why="what is logged is for ever; it can be withdrawn, for all to see",
            hint=f"tagtrail withdraw {project.name} {quote(entry.version)} --reason TEXT",
        )


def _logged(ledger: Reading, project: str, tag: str) -> Entry | None:
    released = (e for e in ledger.entries(project=project) if e.event == "release" and e.tag)
    return next((e for e in released if e.tag and e.tag.name == tag), None)


def _open(journal: Journal, now: int) -> Iterator[Row]:
    return (r for r in journal.rows() if r.effect.target == HELD and (not r.due or r.due > now))


def _row(journal: Journal, key: str) -> Row | None:
    return next((r for r in journal.rows(NO_ENTRY) if (r.effect.target, r.effect.key) == (HELD, key)), None)


def _key(project: str, tag: str) -> str:
    return f"{project_key(project)}/{tag}"


def _read(row: Row) -> Hold:
    project, _, tag = row.effect.path.partition("/")
    return Hold(project=project, tag=tag, until=row.due, because=row.why, since=row.since)

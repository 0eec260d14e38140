"""After the hinge: an entry of the trail is carried to places and people, and how far that came is said."""

from tagtrail.model.errors import Error, RemoteError
from tagtrail.model.facts import Entry, Row
from tagtrail.model.frozen import frozen
from tagtrail.model.steps import Step
from tagtrail.workflows.announce import announce, announced, counted, owe, wait_for
from tagtrail.workflows.begun import Waiting
from tagtrail.workflows.carry import exit_code
from tagtrail.workflows.publish import logged, publish, published
from tagtrail.workflows.road import Road
from tagtrail.workflows.witnessed import witnessed

__all__ = ["Outcome", "came", "carried", "waiting"]


_FOR = {"approval-missing": "approval", "files-missing": "files", "held": "hold"}


@frozen
class Outcome:
    """How far a release came. `exit` is the command's code; `entry` is None before the hinge.

    `waits` says for which approval or file it waits, and `next` the command that helps.
    """

    exit: int
    project: str
    version: str
    reached: Step
    entry: Entry | None = None
    rows: tuple[Row, ...] = ()
    waits: str = ""
    next: str = ""


def carried(road: Road, entry: Entry, until: Step = "announced") -> Outcome:
    """An entry of the trail witnessed, brought where it belongs, and announced. Raises what `publish` and `announce`
    raise."""
    try:
        witnessed(road, entry)
    except RemoteError as error:
        return waiting(road, error, entry.project, entry.version, entry)
    if until == "logged":
        return Outcome(exit=0, project=entry.project, version=entry.version, reached="logged", entry=entry)
    owe(road, entry)
    fact = logged(road, entry)
    rows = publish(road, fact)
    done = published(fact, rows)
    if done is None:
        wait_for(road, entry, rows)
        return came(entry, "logged", road.journal.rows(entry.index))
    if until == "published":
        return came(entry, "published", rows)
    rows = announce(road, done)
    return came(entry, "announced" if announced(done, rows) else "published", rows)


def came(entry: Entry, reached: Step, rows: tuple[Row, ...]) -> Outcome:
    """How far an entry came that is logged, by its rows; where only people are left to be told, it says who waits."""
    waits = "; ".join(f"{r.effect.target} {r.why}" for r in counted(rows) if r.due and r.state == "none" and r.why)
    return Outcome(
        exit=exit_code(rows),
        project=entry.project,
        version=entry.version,
        reached=reached,
        entry=entry,
        rows=rows,
        waits=f"{entry.project} {entry.version} {waits}" if waits and reached == "published" else "",
    )


def waiting(road: Road, error: Error, project: str, version: str, entry: Entry | None = None) -> Outcome:
    """Too few witnesses answer, so nobody is shown what is signed; or an approval or a file is missing.

    Any other error is raised again.
    """
    if isinstance(error, Waiting):
        road.tell("waiting", {"for": _FOR.get(error.code, ""), "what": error.what, "why": error.why})
        return Outcome(exit=4, project=project, version=version, reached="built", waits=error.what, next=error.hint)
    if error.code != "quorum-unmet":
        raise error
    road.tell("waiting", {"for": "witnesses", "what": error.what, "why": error.why})
    return Outcome(exit=4, project=project, version=version, reached="signed", entry=entry)

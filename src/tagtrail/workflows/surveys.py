"""Places asked what they have: all at once, for so many seconds only; silence is a fact like any other."""

from collections.abc import Mapping, Sequence
from queue import SimpleQueue
from threading import Thread, Timer

from tagtrail.model.errors import Error
from tagtrail.model.facts import Survey
from tagtrail.model.frozen import replace
from tagtrail.ports import Target

__all__ = ["BRIEFLY", "LIMIT", "everywhere", "surveys"]

LIMIT = 10.0
"""Seconds after which nobody waits for a place any longer: it is asked again when something is brought there."""
BRIEFLY = 2.0
"""The same where a person only wants to know what is wrong with a tag."""


def surveys(
    targets: Mapping[str, Target], names: Sequence[str], project: str, limit: float = LIMIT
) -> tuple[Survey, ...]:
    """What each place says of `project`, in the order of `names`; why it says nothing, where it does not answer.

    `limit` is in seconds, for all of them together. A place that hangs is left to itself. Raises nothing.
    """
    answers: SimpleQueue[Survey | None] = SimpleQueue()
    for name in names:
        Thread(target=_ask, args=(targets, name, project, answers), name=f"survey {name}", daemon=True).start()
    over = Timer(limit, answers.put, [None])
    over.daemon = True
    over.start()
    found: dict[str, Survey] = {}
    while len(found) < len(set(names)) and (answer := answers.get()) is not None:
        found[answer.target] = answer
    over.cancel()
    late = f"no answer within {limit:g} s"
    return tuple(found.get(name) or Survey(target=name, silent=late) for name in names)


PATIENCE = 3
"""Answers in a row that a place may owe before the rest of its projects are left alone."""


def everywhere(
    targets: Mapping[str, Target], asked: Mapping[str, Sequence[str]], limit: float
) -> dict[tuple[str, str], Survey]:
    """What each place says of each of its projects, by (place, project); places at the same time, each one's projects
    one after the other.

    `limit` is in seconds, for all of it. Raises nothing.
    """
    answers: SimpleQueue[tuple[str, Survey] | None] = SimpleQueue()
    for name, projects in asked.items():
        Thread(target=_ask_all, args=(targets, name, projects, answers), name=f"survey {name}", daemon=True).start()
    over = Timer(limit, answers.put, [None])
    over.daemon = True
    over.start()
    found: dict[tuple[str, str], Survey] = {}
    wanted = [(name, project) for name, projects in asked.items() for project in dict.fromkeys(projects)]
    while len(found) < len(wanted) and (answer := answers.get()) is not None:
        found[answer[1].target, answer[0]] = answer[1]
    over.cancel()
    late = f"no answer within {limit:g} s"
    return {both: found.get(both) or Survey(target=both[0], silent=late) for both in wanted}


def _ask_all(
    targets: Mapping[str, Target],
    name: str,
    projects: Sequence[str],
    answers: "SimpleQueue[tuple[str, Survey] | None]",
) -> None:
    owed, last = 0, ""
    for project in dict.fromkeys(projects):
        one: SimpleQueue[Survey | None] = SimpleQueue()
        if owed < PATIENCE:
            _ask(targets, name, project, one)
        else:
            one.put(Survey(target=name, silent=f"left alone after {owed} that were not answered: {last}"))
        answer = one.get() or Survey(target=name, silent="no answer")
        owed, last = (owed + 1, answer.silent) if answer.silent and owed < PATIENCE else (owed, last)
        owed = owed if answer.silent else 0
        answers.put((project, replace(answer, target=name)))


def _ask(targets: Mapping[str, Target], name: str, project: str, answers: "SimpleQueue[Survey | None]") -> None:
    try:
        answers.put(targets[name].survey(project))
    except Error as error:
        answers.put(Survey(target=name, silent=f"{error.what}{': ' * bool(error.why)}{error.why}"))
    except Exception as error:  # noqa: BLE001  (whatever an adapter of somebody else's raises, it did not answer)
        answers.put(Survey(target=name, silent=f"{type(error).__name__}: {error}"))

"""Places asked before anything is built: all at once, for a few seconds only; silence is a fact like any other."""

from collections.abc import Mapping, Sequence
from queue import SimpleQueue
from threading import Thread, Timer

from tagtrail.model.errors import Error
from tagtrail.model.facts import Survey
from tagtrail.ports import Target

__all__ = ["BRIEFLY", "LIMIT", "surveys"]

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


def _ask(targets: Mapping[str, Target], name: str, project: str, answers: "SimpleQueue[Survey | None]") -> None:
    try:
        answers.put(targets[name].survey(project))
    except Error as error:
        answers.put(Survey(target=name, silent=f"{error.what}{': ' * bool(error.why)}{error.why}"))
    except Exception as error:  # noqa: BLE001  (whatever an adapter of somebody else's raises, it did not answer)
        answers.put(Survey(target=name, silent=f"{type(error).__name__}: {error}"))

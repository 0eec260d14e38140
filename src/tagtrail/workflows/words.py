"""Words to the release team that are on their way: of which tag each one is, how a person names it, and going on."""

from collections.abc import Sequence

from tagtrail.model.facts import Effect, Row
from tagtrail.ports import Journal
from tagtrail.workflows.carry import bring
from tagtrail.workflows.road import Road

__all__ = ["WORD", "address", "bring_word", "is_word", "name", "tag_of", "tell_words", "words"]

WORD = -2
"""What the row of a word to the team has for a trail index: it is of no entry."""
_WATCH = "notice:watch/"


def words(journal: Journal) -> tuple[Row, ...]:
    """Those that are not there yet, oldest first."""
    return tuple(row for row in journal.rows() if is_word(row))


def is_word(row: Row) -> bool:
    """Whether the row is of a word to the team."""
    return row.effect.entry == WORD


def tag_of(row: Row) -> tuple[str, str]:
    """(project, tag) of a word: its key is made of what was seen (`model.sighting`); a tag may have slashes."""
    project, _, rest = row.effect.key.removeprefix(_WATCH).partition("/")
    return project, rest.rpartition("/")[0]


def name(row: Row) -> str:
    """`watch/nova/1.1.0`: what people call it."""
    return "/".join(("watch", *tag_of(row)))


def address(row: Row, among: Sequence[Row]) -> str:
    """What `settle` knows it by: `team/watch/nova/1.1.0`; by its whole key where that is of several words."""
    alike = [r for r in among if (r.effect.target, tag_of(r)) == (row.effect.target, tag_of(row))]
    return f"{row.effect.target}/{name(row) if len(alike) == 1 else row.effect.key}"


def tell_words(road: Road) -> tuple[Row, ...]:
    """Go on with all of them; returns those that are not there yet. One to a target that the settings have no more is
    left to a person."""
    targets = {target.name for target in road.settings.targets}
    for row in words(road.journal):
        if row.effect.target in targets:
            bring_word(road, row.effect)
    return words(road.journal)


def bring_word(road: Road, effect: Effect) -> None:
    """One pass over one of them, by the driver that carries releases."""
    target = road.targets[effect.target]
    bring((effect,), target, road.journal, clock=road.clock, tell=road.tell, told=True)

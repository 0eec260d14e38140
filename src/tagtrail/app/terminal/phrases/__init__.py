"""Events in words: each becomes lines of toned parts, with no terminal in sight.

Each module has the events of a topic; `words` is what lines are made of.

Columns on the road are step, what, size, short digest, remark:

      build    mylib-1.2.0.tar.gz                       41 kB  e1c0 77aa   as built (already in normal form)
"""

from collections import Counter
from collections.abc import Iterator, Mapping

from tagtrail.app.terminal.phrases import before, ends, places, proof, road, trust, witness
from tagtrail.app.terminal.phrases.ends import unsaid
from tagtrail.app.terminal.phrases.words import Fields, Line, Phrases, duration, line, short, shown, signer, size, step

__all__ = ["PHRASES", "Line", "duration", "gathered", "lines", "progress", "short", "shown", "signer", "size", "unsaid"]

PHRASES: Phrases = (
    before.PHRASES | road.PHRASES | proof.PHRASES | trust.PHRASES | witness.PHRASES | places.PHRASES | ends.PHRASES
)


def lines(name: str, fields: Fields) -> Iterator[Line]:
    """The lines of an event; one that nobody wrote words for, or that lacks what they tell, is shown as it is."""
    try:
        told = tuple(PHRASES[name](fields))
    except (KeyError, TypeError, ValueError, AttributeError):
        told = (line("quiet", f"{name}  " + "  ".join(f"{key} {value}" for key, value in fields.items() if value)),)
    yield from told


def gathered(rows: Mapping[str, Mapping[str, str]]) -> Iterator[Line]:
    """One line for each target: how many of its effects came to which state."""
    words = {"seen": "seen", "sent": "sent, not visible yet", "none": "to do", "asked": "asked, no answer yet"}
    for target, states in rows.items():
        counts = Counter(states.values())
        told = [
            f"{counts[state]} {words.get(state, state)}" for state in (*words, *(s for s in counts if s not in words))
        ]
        yield step(target, ", ".join(text for text in told if not text.startswith("0 ")))


def progress(fields: Fields) -> Line:
    """A bar of 30 places, where the total is known; before the first byte, only what is being done."""
    done, total = int(fields.get("done") or 0), int(fields.get("total") or 0)
    full = min(30, 30 * done // total) if total else 0
    bar = f"[{'=' * full}{' ' * (30 - full)}] {100 * done // total:3d} %" if total else ""
    unit = fields.get("unit")
    said = f"{bar} {f'{done:,} of {total:,} {unit}' if unit else size(done)}" if done or total else "..."
    return Line((("", f"  {fields.get('what', '')!s:<8} {said}"),))

"""What lines are made of: tones and text, sizes, digests and durations as people read them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from tagtrail.formats.times import format_time

__all__ = [
    "Fields",
    "Line",
    "Phrases",
    "count",
    "duration",
    "line",
    "moment",
    "short",
    "shown",
    "signer",
    "size",
    "step",
]

Fields = Mapping[str, Any]


class Line(NamedTuple):
    """A line of (tone, text) parts; `step` says that it ends a step of the road, which may have taken time."""

    parts: tuple[tuple[str, str], ...]
    step: bool = False

    def plain(self) -> str:
        """The text alone, harmless."""
        return "".join(shown(text) for _, text in self.parts)


def shown(text: str) -> str:
    """Foreign text with everything that a terminal would obey, or a reader would not see, written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode("ascii") for c in text)


def size(count: int) -> str:
    """Bytes in the unit that people read: `812 B`, `41 kB`, `9.6 MB`."""
    value, unit = float(count), "B"
    for larger in ("kB", "MB", "GB"):
        if value < 999.5:
            break
        value, unit = value / 1000, larger
    return f"{value:.1f} {unit}" if unit != "B" and value < 9.95 else f"{value:.0f} {unit}"


def short(digest: str) -> str:
    """The first eight digits of a digest, in fours."""
    return f"{digest[:4]} {digest[4:8]}"


def duration(seconds: int) -> str:
    """A wait in the largest unit that fits: `40 s`, `12 min`, `3 h`, `2 d`."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{max(seconds, 0)} s"


def moment(time: int, now: int) -> str:
    """A time as people read it near it: `01:10 UTC` today or tonight, else with its date."""
    text = format_time(time)
    near = abs(time - now) < 20 * 3600
    return f"{text[11:16]} UTC" if near else f"{text[:10]} {text[11:16]} UTC"


def signer(scheme: str, fingerprint: str, person: str = "") -> str:
    """Who signed: `jo (ssh SHA256:qh/c...M1Sg)`."""
    head = 11 if fingerprint.startswith("SHA256:") else 4
    key = f"{scheme} {fingerprint[:head]}...{fingerprint[-4:]}"
    return f"{person} ({key})" if person else key


def line(tone: str, text: str) -> Line:
    """A line of one tone."""
    return Line(((tone, text),))


def step(name: str, text: str, tone: str = "") -> Line:
    """A step of the road and what is said of it."""
    return Line((("", f"  {name:<8} "), (tone, text)), step=True)


def count(number: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


Phrases = dict[str, Callable[[Fields], Iterator[Line]]]
"""For each event what its lines are."""

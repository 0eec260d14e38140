"""A simulation of many releases that are told on channels of every temperament, with faults at every point.

Each channel is a place in memory behind the real driver and the real journal's port. At every point something may go
wrong, by chance of a seeded generator: an attempt is refused, its reply is lost, it is lost itself, a look fails, the
process is killed before or after any effect, or the journal is gone when the next one starts. It goes on until nothing
is to be done any more. A person settles nothing: what is held stays held.
"""

import random
from collections import Counter
from dataclasses import dataclass, replace
from typing import Literal

from tagtrail.model.errors import RemoteError
from tagtrail.model.facts import Effect, Logged, Receipt
from tagtrail.model.notice import Notice
from tagtrail.ports import Unknown
from tagtrail.testing import samples
from tagtrail.testing.fuse import Blown, Fuse
from tagtrail.testing.memory import Fault, Journal, Kept, Target
from tagtrail.workflows import carry

Retry = Literal["keyed", "searchable", "blind"]
CHANNELS: tuple[Retry, ...] = ("keyed", "searchable", "blind")
FAULTS: tuple[Literal["lost-reply", "unknown", "refused"], ...] = ("lost-reply", "unknown", "refused")
DONE = ("seen", "held", "conflict", "dropped")
BETWEEN = {
    "after journal.move asked", "before blind.store", "after blind.store", "after the answer",
    "before journal.move seen", "before journal.move refused", "before journal.move held", "after journal.move held",
}  # fmt: skip
"""Points after the intent was written down and before the answer was."""


class Chance(Fuse):
    """A fuse that blows by chance at any point, and is whole again in the next process; `last` is where it blew."""

    def __init__(self, dice: random.Random, odds: float) -> None:
        super().__init__()
        self.dice, self.odds = dice, odds
        self.last = ""
        self.kills = 0

    def happens(self) -> bool:
        return self.dice.random() < self.odds

    def point(self, name: str) -> None:
        if self.happens():
            self.kills += 1
            self.last = name
            raise Blown(name)


class Channel(Target):
    """A channel in memory whose attempts and looks go wrong by chance; `unclear`: it gave no answer to an attempt."""

    def __init__(self, retry: Retry, chance: Chance) -> None:
        super().__init__(retry, retry, carries="notice", fuse=chance)
        self.chance = chance
        self.unclear = False
        self.wrong: Counter[str] = Counter()

    def find(self, effect: Effect) -> Receipt | None:
        if self.retry != "blind" and self.chance.happens():
            self.wrong["failed looks"] += 1
            raise RemoteError("it does not answer", code="target-unreachable")
        return super().find(effect)

    def apply(self, effect: Effect) -> Receipt:
        for what in FAULTS:
            if self.chance.happens():
                self.wrong[f"{what} attempts"] += 1
                self.faults = [Fault(what=what, after=60)]
                break
        try:
            receipt = super().apply(effect)
        except Unknown:
            self.unclear = True
            raise
        self.chance.point("after the answer")
        return receipt


@dataclass(frozen=True)
class Outcome:
    """What came of it; `unknown` are the blind ones of which nobody can know whether they arrived."""

    releases: int
    doubled: int
    lost: int
    held: frozenset[int]
    unknown: frozenset[int]
    unfinished: int
    wrong: Counter[str]

    def __str__(self) -> str:
        wrong = ", ".join(f"{count} {name}" for name, count in sorted(self.wrong.items()))
        exact = "exactly the blind unknowns" if self.held == self.unknown else f"not the {len(self.unknown)} unknowns"
        told = f"doubled {self.doubled}, lost {self.lost}, held {len(self.held)} = {exact}"
        left = f", unfinished {self.unfinished}" * bool(self.unfinished)
        return f"{self.releases} releases told on {len(CHANNELS)} channels; {wrong}\n{told}{left}"


@dataclass
class Telling:
    """One release told on one channel, by as many processes as it takes, each an hour after the other."""

    channel: Channel
    logged: Logged
    notice: Notice
    ours: bool = True
    unknown: bool = False
    losses: int = 0
    now: int = samples.TIME

    def __post_init__(self) -> None:
        self.journal = Journal(self.channel.chance)
        self.channel.arrived, self.channel.unclear = [], False

    def to_the_end(self) -> str:
        """The state at last; the journal may be lost between two processes."""
        state = ""
        for _ in range(60):
            if state in DONE:
                break
            state = self.process()
            if state not in DONE and self.channel.chance.dice.random() < self.channel.chance.odds / 5:
                self.journal, self.ours, self.unknown = Journal(self.channel.chance), False, True
                self.losses += 1
        return state

    def process(self) -> str:
        self.now += 3_600
        try:
            (row,) = carry.drive(
                self.logged,
                self.channel,
                self.journal,
                notice=self.notice,
                ours=self.ours,
                clock=lambda: self.now,
                tell=lambda *_: None,
            )
        except Blown:
            self.unknown |= self.channel.chance.last in BETWEEN
            return "killed"
        self.unknown |= self.channel.unclear
        return row.state


def simulate(releases: int, odds: float, seed: int = 1) -> Outcome:
    """So many releases, with these odds of a fault at each point."""
    chance = Chance(random.Random(seed), odds)
    logged = samples.logged(Kept(), 0)
    channels = [Channel(retry, chance) for retry in CHANNELS]
    ends: list[tuple[int, Telling, str]] = []
    losses = 0
    doubled = lost = 0
    for number in range(releases):
        notice = replace(samples.notice(logged.entry), key=str(number))
        for channel in channels:
            telling = Telling(channel, logged, notice)
            state = telling.to_the_end()
            ends.append((number, telling, state))
            doubled += len(channel.arrived) > 1
            lost += state == "seen" and not channel.arrived
            losses += telling.losses
    wrong = sum((channel.wrong for channel in channels), Counter({"kills": chance.kills, "lost journals": losses}))
    return Outcome(
        releases=releases,
        doubled=doubled,
        lost=lost,
        held=frozenset(number for number, _, state in ends if state == "held"),
        unknown=frozenset(
            number for number, telling, _ in ends if telling.unknown and telling.channel.retry == "blind"
        ),
        unfinished=sum(state not in DONE for _, _, state in ends),
        wrong=wrong,
    )

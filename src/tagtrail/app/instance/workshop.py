"""The workshop: of an instance's ports those that a build needs, without all that only a whole release does.

It is apart from the wiring, and loads each when it is asked for, because a build backend can begin long before all is
there (`tagtrail.workflows.ahead`).
"""

import time
from functools import cache, partial
from pathlib import Path

from tagtrail.app.instance.home import Home
from tagtrail.app.instance.reading import read_settings
from tagtrail.io import sandbox
from tagtrail.model.settings import BuildSettings
from tagtrail.ports import Builder, Clock, Journal, Ledger, Source
from tagtrail.workflows.ahead import Workshop

__all__ = ["now", "open_workshop"]

STEP = 3600
"""Seconds that one step of a build may take, unless the settings say otherwise."""


def now() -> int:
    """Unix seconds."""
    return int(time.time())  # noqa: TID251  (wiring)


def open_workshop(home: Path, *, clock: Clock = now, refresh: bool = False) -> Workshop:
    """The workshop of the instance at `home`. Raises what `read_settings` raises.

    With `refresh`, build requirements are resolved anew, however young what was resolved before is.
    """
    at, settings = Home(path=home), read_settings(home)
    return Workshop(
        settings=settings,
        builder=cache(partial(_builder, at, settings.build, clock, refresh=refresh)),
        isolation=lambda: sandbox.isolation(settings.build.isolation, at.path),
        source=cache(partial(_source, at)),
        ledger=cache(partial(_ledger, at)),
        journal=cache(partial(_journal, at)),
    )


def _builder(at: Home, chosen: BuildSettings, clock: Clock, *, refresh: bool) -> Builder:
    from tagtrail.adapters.builder.environments import Environments
    from tagtrail.app.instance.builders import builders

    said = {name: getattr(chosen, name) for name in ("memory", "disk", "processes") if getattr(chosen, name)}
    most, rooms = sandbox.Limits(**said), at.state("scratch")
    limit = float(chosen.time or STEP)
    environments = Environments(at.state("envs"), rooms, limit=limit, most=most, clock=clock, refresh=refresh)
    return builders(at.path / "state", rooms, environments, limit=limit, most=most)


def _source(at: Home) -> Source:
    from tagtrail.adapters.git import GitSource

    return GitSource(at.state("repos"))


def _ledger(at: Home) -> Ledger:
    from tagtrail.adapters.sqlite import SqliteLedger

    return SqliteLedger(at.database)


def _journal(at: Home) -> Journal:
    from tagtrail.adapters.sqlite import SqliteJournal

    return SqliteJournal(at.database)

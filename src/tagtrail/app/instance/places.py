"""The places of an instance; for a command that only asks them no secret key of ours is read, nothing is written."""

import time
from collections.abc import Callable

from tagtrail.adapters.directory import DirectoryKept
from tagtrail.adapters.site import SiteTarget
from tagtrail.app.instance.home import Home
from tagtrail.app.instance.reading import Instance
from tagtrail.app.instance.secrets import Secrets
from tagtrail.app.instance.storage import open_store
from tagtrail.app.instance.targets import Context, Targets
from tagtrail.formats.settings import site_of
from tagtrail.io import http
from tagtrail.model.facts import Entry
from tagtrail.ports import Kept, Store
from tagtrail.workflows.examine import Ask
from tagtrail.workflows.surveys import BRIEFLY, surveys

__all__ = ["asking", "places"]


def places(
    instance: Instance,
    entry: Callable[[int], Entry] | None = None,
    *,
    kept: Kept | None = None,
    store: Store | None = None,
) -> Targets:
    """The targets of the settings by name, each made when it is asked for; `entry` gives the trail's at an index.

    `kept` and `store` are the instance's own, where they were opened before.
    """
    at, site, chosen = Home(path=instance.home), site_of(instance.settings), instance.settings.site
    kept, store = kept or DirectoryKept(at.kept), store or open_store(at, chosen)
    context = Context(
        home=instance.home,
        site=site,
        kept=kept,
        secrets=Secrets(home=instance.home),
        clock=lambda: int(time.time()),  # noqa: TID251  (places are wired here, for commands that only ask)
        entry=entry or _unknown,
    )
    there = SiteTarget(chosen.name, site, store, kept, digest=http.digest, fetch=http.fetch)
    return Targets(settings=instance.settings, context=context, made={chosen.name: there})


def _unknown(index: int) -> Entry:
    """A place that is only asked has no effects, and so no entry to look up."""
    raise KeyError(index)


def asking(instance: Instance) -> Ask:
    """How the instance's places are asked by who only wants to know: `plan` and `release` wait longer."""
    target, there = instance.settings.target, places(instance)
    return lambda project, channel: surveys(
        there, tuple(name for name in project.publish if channel in target(name).on), project.name, BRIEFLY
    )

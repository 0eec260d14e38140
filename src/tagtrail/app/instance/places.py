"""The places of an instance, for a command that only asks them: no secret key of ours is read, nothing is written."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tagtrail.adapters.directory import DirectoryKept, DirectoryStore
from tagtrail.adapters.site import SiteTarget
from tagtrail.app.instance.home import Home
from tagtrail.app.instance.reading import Instance
from tagtrail.formats.settings import site_of
from tagtrail.io import http
from tagtrail.model.errors import SetupError
from tagtrail.ports import Target
from tagtrail.workflows.examine import Ask
from tagtrail.workflows.surveys import surveys

__all__ = ["asking"]


@dataclass(frozen=True, slots=True)
class _Places(Mapping[str, Target]):
    """The targets of the settings by name, each made when it is asked for."""

    instance: Instance

    def __getitem__(self, name: str) -> Target:
        at, settings = Home(self.instance.home), self.instance.settings
        target = settings.target(name)
        if target.type != "site":
            raise SetupError(f"nobody makes a target of type {target.type!r}", code="not-yet")
        store = DirectoryStore(at.path / str(target.option("root", "site")), incoming=at.state("incoming"))
        kept = DirectoryKept(at.kept)
        return SiteTarget(name, site_of(settings), store, kept, digest=http.digest, fetch=http.fetch)

    def __iter__(self) -> Iterator[str]:
        return (target.name for target in self.instance.settings.targets)

    def __len__(self) -> int:
        return len(self.instance.settings.targets)


def asking(instance: Instance) -> Ask:
    """How the instance's places are asked."""
    target, places = instance.settings.target, _Places(instance)
    return lambda project, channel: surveys(
        places, tuple(name for name in project.publish if channel in target(name).on), project.name
    )

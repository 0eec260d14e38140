"""Which adapter makes a target of the settings; each is made, and its modules loaded, when it is first asked for."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tagtrail.app.instance.secrets import Secrets
from tagtrail.formats.site import Site
from tagtrail.model.errors import SetupError
from tagtrail.model.settings import Settings, TargetSettings
from tagtrail.ports import Clock, Kept, Target

__all__ = ["MAKERS", "Context", "Targets"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a target may be made of. HTTP is in `tagtrail.io.http`; the environment is that of `secrets`."""

    home: Path
    site: Site
    kept: Kept
    secrets: Secrets
    clock: Clock


Maker = Callable[[TargetSettings, Context], Target]


def _index(target: TargetSettings, context: Context) -> Target:
    from tagtrail.app.instance.index import index_target

    return index_target(target, context)


MAKERS: dict[str, Maker] = {"index": _index}
"""Type to what makes it; `site` is made by the wiring, which has its store."""


@dataclass(slots=True, kw_only=True)
class Targets(Mapping[str, Target]):
    """The targets of the settings by name; those nobody asks for are not made, and their secrets not looked up."""

    settings: Settings
    context: Context
    made: dict[str, Target] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Target:
        if name not in self.made:
            self.made[name] = _make(self.settings.target(name), self.context)
        return self.made[name]

    def __iter__(self) -> Iterator[str]:
        return (target.name for target in self.settings.targets)

    def __len__(self) -> int:
        return len(self.settings.targets)


def _make(target: TargetSettings, context: Context) -> Target:
    maker = MAKERS.get(target.type)
    if maker is None:
        what = f"nobody makes a target of type {target.type!r}"
        raise SetupError(what, code="not-yet", hint=f"take {target.name} out of publish and announce")
    return maker(target, context)

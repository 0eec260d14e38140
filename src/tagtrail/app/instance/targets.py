"""Which adapter makes a target of the settings; each is made, and its modules loaded, when it is first asked for."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tagtrail.app.instance.secrets import Secrets
from tagtrail.formats.site import Site
from tagtrail.model.facts import Entry
from tagtrail.model.frozen import frozen
from tagtrail.model.settings import Settings, TargetSettings
from tagtrail.ports import Clock, Kept, Target

__all__ = ["MAKERS", "Context", "Targets"]


@frozen
class Context:
    """What a target may be made of. HTTP is in `tagtrail.io.http`; the environment is that of `secrets`."""

    home: Path
    site: Site
    kept: Kept
    secrets: Secrets
    clock: Clock
    entry: Callable[[int], Entry]
    """The trail's entry at an index: an effect names the one that it belongs to."""


Maker = Callable[[TargetSettings, Context], Target]


def _index(target: TargetSettings, context: Context) -> Target:
    from tagtrail.app.instance.index import index_target

    return index_target(target, context)


def _github(target: TargetSettings, context: Context) -> Target:
    from tagtrail.app.instance.trackers import github

    return github(target, context)


def _launchpad(target: TargetSettings, context: Context) -> Target:
    from tagtrail.app.instance.trackers import launchpad

    return launchpad(target, context)


def _storyboard(target: TargetSettings, context: Context) -> Target:
    from tagtrail.app.instance.trackers import storyboard

    return storyboard(target, context)


def _command(target: TargetSettings, context: Context) -> Target:
    from tagtrail.app.instance.trackers import command

    return command(target, context)


def _channel(target: TargetSettings, context: Context) -> Target:
    from tagtrail.app.instance import channels

    makers: dict[str, Maker] = {
        "apprise": channels.apprise,
        "mail": channels.mail,
        "mastodon": channels.mastodon,
        "webhook": channels.webhook,
        "x": channels.x,
    }
    return makers[target.type](target, context)


MAKERS: dict[str, Maker] = {
    **dict.fromkeys(("apprise", "mail", "mastodon", "webhook", "x"), _channel),
    "command": _command,
    "github": _github,
    "index": _index,
    "launchpad": _launchpad,
    "storyboard": _storyboard,
}
"""Type to what makes it; `site` is made by the wiring, which has its store."""


class Targets(Mapping[str, Target]):
    """The targets of the settings by name, some `made` already; those nobody asks for are not made, and their secrets
    not looked up."""

    def __init__(self, *, settings: Settings, context: Context, made: dict[str, Target]) -> None:
        self._settings = settings
        self._context = context
        self._made = made

    def __getitem__(self, name: str) -> Target:
        if name not in self._made:
            self._made[name] = _make(self._settings.target(name), self._context)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return (target.name for target in self._settings.targets)

    def __len__(self) -> int:
        return len(self._settings.targets)


def _make(target: TargetSettings, context: Context) -> Target:
    if target.type in MAKERS:
        return MAKERS[target.type](target, context)
    from tagtrail.app.instance.plugged import plugged

    return plugged(target, context)

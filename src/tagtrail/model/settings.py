"""The settings of an instance as frozen values; `formats/settings.py` reads them from TOML."""

from typing import Any

from tagtrail.model.frozen import frozen

__all__ = [
    "FILE",
    "Approve",
    "BuildSettings",
    "Kind",
    "Org",
    "People",
    "Project",
    "RuleSwitch",
    "Settings",
    "TargetSettings",
]

FILE = "tagtrail.toml"
"""The settings' file in an instance's directory."""


@frozen
class Approve:
    """How many people of which group must approve a Draft (need 0: nobody)."""

    need: int = 0
    group: str = ""
    author_counts: bool = False


@frozen
class Org:
    """Who runs the instance. `origin` is the trail's name, permanent; `witnesses` a tlog-policy file, as a path
    relative to the settings file (empty: nobody is asked)."""

    name: str
    origin: str
    approve: Approve = Approve()
    witnesses: str = ""


@frozen
class People:
    """A group of people: key files, as paths relative to the settings file."""

    name: str
    keys: tuple[str, ...]


@frozen
class TargetSettings:
    """A place or channel. `options` are the keys of its own type, checked by the type's schema."""

    name: str
    type: str
    on: tuple[str, ...] = ("final", "rc", "beta", "alpha", "dev", "post")
    by: str = ""
    options: tuple[tuple[str, Any], ...] = ()

    def option(self, key: str, default: Any = None) -> Any:
        """The value of one of the type's own keys."""
        return dict(self.options).get(key, default)


@frozen
class RuleSwitch:
    """A rule set to another level, with the written reason."""

    rule: str
    level: str
    because: str


@frozen
class BuildSettings:
    """How foreign code is run on this machine. `isolation` is `none` until the sandbox stands."""

    isolation: str = "none"


@frozen
class Kind:
    """What the projects of a kind have in common."""

    name: str
    build: tuple[str, ...] = ()
    publish: tuple[str, ...] = ()
    announce: tuple[str, ...] = ()
    classifiers: tuple[str, ...] = ()


@frozen
class Project:
    """One project with its kind's keys resolved. `rules` are its own switches after the instance's."""

    name: str
    kind: str
    repo: str
    signers: tuple[str, ...]
    public: str = ""
    tag: str = "{version}"
    versions: str = "pep440"
    series: str = ""
    subdirectory: str = ""
    build: tuple[str, ...] = ()
    publish: tuple[str, ...] = ()
    announce: tuple[str, ...] = ()
    classifiers: tuple[str, ...] = ()
    rules: tuple[RuleSwitch, ...] = ()


@frozen
class Settings:
    """Everything that `tagtrail.toml` and `projects/*.toml` say.

    `keys` says of a role (log, root, builder) where its secret key is, if not in private/: `agent:` and the path of a
    public key file, relative to the settings file.
    """

    org: Org
    people: tuple[People, ...]
    targets: tuple[TargetSettings, ...]
    kinds: tuple[Kind, ...]
    projects: tuple[Project, ...]
    build: BuildSettings = BuildSettings()
    rules: tuple[RuleSwitch, ...] = ()
    keys: tuple[tuple[str, str], ...] = ()

    def target(self, name: str) -> TargetSettings:
        """The target called `name`; KeyError if there is none (the reader has checked every reference)."""
        return {t.name: t for t in self.targets}[name]

    @property
    def site(self) -> TargetSettings:
        """The one target of type `site`, where the trail is shown (the reader has checked that there is one)."""
        return next(t for t in self.targets if t.type == "site")

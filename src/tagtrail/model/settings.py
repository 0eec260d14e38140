"""The settings of an instance as frozen values; `formats/settings.py` reads them from TOML."""

from typing import Any

from tagtrail.model.frozen import frozen

__all__ = [
    "FILE",
    "PYTHON",
    "Approve",
    "Bringer",
    "BuildSettings",
    "Kind",
    "Org",
    "People",
    "Project",
    "RuleSwitch",
    "Settings",
    "TargetSettings",
    "Watch",
]

FILE = "tagtrail.toml"
"""The settings' file in an instance's directory."""


PYTHON = frozenset({"sdist", "sdist.xz", "wheel"})
"""The build kinds that a build backend makes (PEP 517)."""
TREES = frozenset({"tar.gz", "tar.xz"})
"""The build kinds that are archives of the tag's tree."""


@frozen
class Approve:
    """How many people of which group must approve a Draft (need 0: nobody)."""

    need: int = 0
    group: str = ""
    author_counts: bool = False


@frozen
class Org:
    """Who runs the instance. `origin` is the trail's name, permanent; `witnesses` a tlog-policy file, as a path
    relative to the settings file (empty: nobody is asked); `reproducers` the group whose rebuilds are entered."""

    name: str
    origin: str
    approve: Approve = Approve()
    witnesses: str = ""
    reproducers: str = ""


@frozen
class People:
    """A group of people: key files, as paths relative to the settings file."""

    name: str
    keys: tuple[str, ...]


@frozen
class TargetSettings:
    """A place or channel. `together`: `day` where the releases of a day are told at once. `options` are the keys
    of its own type, checked by the type's schema."""

    name: str
    type: str
    on: tuple[str, ...] = ("final", "rc", "beta", "alpha", "dev", "post")
    by: str = ""
    together: str = ""
    options: tuple[tuple[str, Any], ...] = ()

    def option(self, key: str, default: Any = None) -> Any:
        """The value of one of the type's own keys."""
        return dict(self.options).get(key, default)


@frozen
class Bringer:
    """Who may bring files that were built elsewhere: a token by reference, or a CI workflow by its OIDC identity.

    `keys` is where the issuer's public keys (JWKS) are: an address, or a path relative to the settings file; `claims`
    are what the workflow's token must say beside `iss` and `aud`.
    """

    name: str
    token: str = ""
    issuer: str = ""
    audience: str = ""
    keys: str = ""
    claims: tuple[tuple[str, str], ...] = ()


@frozen
class RuleSwitch:
    """A rule set to another level, with the written reason."""

    rule: str
    level: str
    because: str


@frozen
class BuildSettings:
    """How foreign code is run on this machine: `isolation` as in `io/sandbox.py`, or `auto`; and what it may use up,
    bytes of memory and of disk, processes, seconds for one step (0: as `io/sandbox.py` has it)."""

    isolation: str = "auto"
    memory: int = 0
    disk: int = 0
    processes: int = 0
    time: int = 0


@frozen
class Kind:
    """What the projects of a kind have in common. `prepare` and `run` are command lines, by their words; `files` are
    patterns of what they make. `versions` is the scheme, `calver_because` why years are wanted where it is `calver`;
    `lifecycle` and `ignore` are patterns of tags that are no versions (those of tagtrail come on top of `lifecycle`);
    `channels` are those that may be released (none: all but `dev`); `final_is_rc`: a final is its last rc's commit.
    `notes` is where release notes are read (empty: wherever they are).
    The metadata have the `classifiers` and none of `without_classifiers`; their description has one of the texts that
    it `tells`. `bugs` and `security` are where to tell of these (https, mailto), `support_until` how long it is
    supported (a year, month or day).
    """

    name: str
    build: tuple[str, ...] = ()
    publish: tuple[str, ...] = ()
    announce: tuple[str, ...] = ()
    classifiers: tuple[str, ...] = ()
    prepare: tuple[tuple[str, ...], ...] = ()
    run: tuple[tuple[str, ...], ...] = ()
    files: tuple[str, ...] = ()
    versions: str = "pep440"
    calver_because: str = ""
    lifecycle: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    final_is_rc: bool = False
    without_classifiers: tuple[str, ...] = ()
    tells: tuple[str, ...] = ()
    notes: str = ""
    bugs: str = ""
    security: str = ""
    support_until: str = ""


@frozen
class Project:
    """One project with its kind's keys resolved. `rules` are its own switches after the instance's.

    `generated` are (pattern, reason) of members that its build makes beside those that builds usually make; `sbom` is
    the path in its repository of an SBOM of its own.
    `expect` are patterns of file names that must be there before anything is logged; `builders` name who may bring
    files from elsewhere. `not_secret` are (pattern, reason) of members that look like secrets and are none. `declares`
    is FILE:KEY, a place in the project's own files that says the version; `branches` are patterns of branches, one of
    which must have the tag's commit. What is said of its tags, versions and metadata is as in `Kind`.
    """

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
    expect: tuple[str, ...] = ()
    builders: tuple[str, ...] = ()
    generated: tuple[tuple[str, str], ...] = ()
    sbom: str = ""
    prepare: tuple[tuple[str, ...], ...] = ()
    run: tuple[tuple[str, ...], ...] = ()
    files: tuple[str, ...] = ()
    declares: str = ""
    branches: tuple[str, ...] = ()
    calver_because: str = ""
    lifecycle: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    final_is_rc: bool = False
    without_classifiers: tuple[str, ...] = ()
    tells: tuple[str, ...] = ()
    notes: str = ""
    bugs: str = ""
    security: str = ""
    support_until: str = ""
    not_secret: tuple[tuple[str, str], ...] = ()

    @property
    def is_python(self) -> bool:
        """Whether it is for a Python package index. A project of which nobody says what is built is taken for one."""
        return bool(PYTHON & set(self.build)) or not (self.build or self.files)


@frozen
class Watch:
    """Who is told of new tags (names of targets), how many seconds a tag rests before `watch --release` goes on with
    it, and references to the secrets of webhooks that come in."""

    tell: tuple[str, ...] = ()
    after: int = 3600
    secrets: tuple[str, ...] = ()


@frozen
class Settings:
    """Everything that `tagtrail.toml` and `projects/*.toml` say.

    `keys` says of a role (log, root, builder) where its secret key is, if not in private/: `agent:` and the path of a
    public key file, relative to the settings file. `texts` are the templates that replace ours, by the names of
    `model.texts.TEXTS`, likewise.
    """

    org: Org
    people: tuple[People, ...]
    targets: tuple[TargetSettings, ...]
    kinds: tuple[Kind, ...]
    projects: tuple[Project, ...]
    build: BuildSettings = BuildSettings()
    rules: tuple[RuleSwitch, ...] = ()
    builders: tuple[Bringer, ...] = ()
    keys: tuple[tuple[str, str], ...] = ()
    watch: Watch = Watch()
    texts: tuple[tuple[str, str], ...] = ()

    def target(self, name: str) -> TargetSettings:
        """The target called `name`; KeyError if there is none (the reader has checked every reference)."""
        return {t.name: t for t in self.targets}[name]

    @property
    def site(self) -> TargetSettings:
        """The one target of type `site`, where the trail is shown (the reader has checked that there is one)."""
        return next(t for t in self.targets if t.type == "site")

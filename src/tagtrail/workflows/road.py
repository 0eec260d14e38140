"""The road: everything outside that a release meets on its way, as ports, wired once by `app`."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext

from tagtrail.formats.note import AnySigner
from tagtrail.formats.policy import Policy
from tagtrail.formats.site import Site
from tagtrail.model.facts import Key
from tagtrail.model.frozen import frozen
from tagtrail.model.metadata import IndexView, Metadata
from tagtrail.model.settings import Project, Settings
from tagtrail.model.texts import Text
from tagtrail.ports import (
    Builder,
    Clock,
    Journal,
    Kept,
    Ledger,
    Notes,
    Signer,
    Source,
    Store,
    Target,
    Tell,
    Witness,
)
from tagtrail.verify.persons import Names

__all__ = ["Road"]


def _unseen(_: Metadata) -> IndexView:
    return IndexView(unasked="nothing here shows metadata as an index does")


def _soon(_: str) -> tuple[Callable[[], object], ...]:
    return ()


@frozen
class Road:
    """The ports and settings of one instance.

    `people` gives each group's public keys; `policy` a project's settings digest; `site_target` names
    the target whose root carries the trail; `public` the checkpoints that others
    are being shown now, as bytes; `log` and `root` are the secret keys of the trail and of the root of trust
    (None: the root's keys lie elsewhere);
    `isolation` finds out how foreign code is run apart here, when a build is planned;
    `builder_key` signs how files were built here;
    `trust` is what we ask of our own checkpoints (our log key, the settings' witnesses and quorum), `witnesses` how
    those of its witnesses that have an address are asked, by their names in it;
    `lease` keeps other processes out of what it names while it is held;
    `names` gives those under which people's keys are known, so that one person counts once;
    `texts` are templates of announcements that replace ours;
    `view` says how a file's metadata look on a package index;
    `ready` gives steps that load what `view` takes for a description of a content type, and what writes SBOM and pages:
    for who has time before they are needed.
    """

    settings: Settings
    site: Site
    people: Mapping[str, tuple[Key, ...]]
    policy: Callable[[Project], str]
    source: Source
    notes: Notes
    builder: Builder
    isolation: Callable[[], str]
    signer: Signer
    kept: Kept
    ledger: Ledger
    journal: Journal
    store: Store
    targets: Mapping[str, Target]
    site_target: str
    public: Callable[[], tuple[bytes, ...]]
    log: AnySigner
    root: AnySigner | None
    builder_key: AnySigner
    trust: Policy
    witnesses: Mapping[str, Witness]
    clock: Clock
    tell: Tell
    lease: Callable[[str], AbstractContextManager[object]] = nullcontext
    names: Callable[[], Names] = dict
    view: Callable[[Metadata], IndexView] = _unseen
    texts: tuple[Text, ...] = ()
    ready: Callable[[str], Iterable[Callable[[], object]]] = _soon

    def project(self, name: str) -> Project:
        """The settings of the project that is written so; KeyError if there is none."""
        return {project.name: project for project in self.settings.projects}[name]

    def signers(self, project: Project) -> tuple[Key, ...]:
        """The keys of the people who may sign the project's tags."""
        return tuple(key for group in project.signers for key in self.people[group])

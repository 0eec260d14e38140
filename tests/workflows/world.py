"""A whole instance in memory, with places of every temperament, that can die at any point and be started again."""

from copy import copy
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Literal, Self, TypeVar

from tagtrail.adapters.site import SiteTarget
from tagtrail.adapters.sqlite import SqliteJournal, SqliteLedger
from tagtrail.formats.note import Signer as NoteSigner
from tagtrail.formats.policy import Log, Policy
from tagtrail.formats.site import CHECKPOINT, Site
from tagtrail.model.facts import Key
from tagtrail.model.settings import Org, People, Project, Settings, TargetSettings
from tagtrail.ports import Journal, Ledger, Target, Witness
from tagtrail.testing import memory
from tagtrail.testing.fuse import Fuse
from tagtrail.testing.people import Person
from tagtrail.workflows.road import Road

T = TypeVar("T")

ADA = Person(name="ada")
ORIGIN = "releases.example.org/trail"
URL = "https://releases.example.org/"
LOG = NoteSigner(name=ORIGIN, seed=sha256(b"log").digest())
KNOWN = (Log(verifier=LOG.verifier),)
START = 1_775_055_720
SITE = TargetSettings(name="site", type="site", options=(("root", "site"),))
PLACES: tuple[Literal["keyed", "searchable", "blind"], ...] = ("keyed", "searchable", "blind")


@dataclass
class World:
    """What outlives a process: repositories, kept bytes, the ledger, the journal, the site, the places.

    `names` are projects, each with a repository of that name and `versions` tagged on commits of their own. With
    `public`, the site has a URL and is looked at through `web`. `places` are further targets by temperament, `channels`
    those who are told (their names end in `-channel`), of all of a day at once with `together`. With
    `database`, ledger and journal are in that file, and every road has handles of its own, as processes have. `trust`
    is what is asked of the log's checkpoints, its log key aside.
    """

    names: tuple[str, ...] = ("nova",)
    versions: tuple[str, ...] = ("1.0.0",)
    places: tuple[Literal["keyed", "searchable", "blind"], ...] = ()
    channels: tuple[Literal["keyed", "searchable", "blind"], ...] = ()
    together: str = ""
    public: bool = False
    database: Path | None = None
    now: int = START
    trust: Policy = field(default_factory=Policy)
    witnesses: dict[str, Witness] = field(default_factory=dict)
    told: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.repositories = {name: self._repository(name) for name in self.names}
        self.source = memory.Source(self.repositories)
        self.kept = memory.Kept()
        self.ledger: Ledger = memory.Ledger() if self.database is None else SqliteLedger(self.database)
        self.journal: Journal = memory.Journal() if self.database is None else SqliteJournal(self.database)
        self.store = memory.Store()
        self.web = memory.Web(self.store)
        self.builder = memory.Builder(drifts=True)
        self.signer = memory.Signer(drifts=True)
        self.site = Site(name="Example Cloud", origin=ORIGIN, url=URL if self.public else "")
        self.targets: dict[str, memory.Target] = {
            retry: memory.Target(retry, retry, kept=self.kept) for retry in self.places
        }
        for retry in self.channels:
            name = f"{retry}-channel"
            self.targets[name] = memory.Target(name, retry, carries="notice", kept=self.kept)

    def databases(self) -> tuple[Ledger, Journal]:
        """Handles of one's own on the ledger and the journal."""
        if self.database is None:
            return self.ledger, self.journal
        return SqliteLedger(self.database), SqliteJournal(self.database)

    def project(self, name: str = "nova") -> Project:
        """The settings of a project."""
        return Project(
            name=name,
            kind="library",
            repo=name,
            signers=("team",),
            build=("sdist", "wheel"),
            publish=("site", *self.places),
            announce=tuple(f"{retry}-channel" for retry in self.channels),
        )

    @property
    def settings(self) -> Settings:
        """The instance's settings."""
        return Settings(
            org=Org(name="Example Cloud", origin=ORIGIN),
            people=(People(name="team", keys=()),),
            targets=(
                SITE,
                *(TargetSettings(name=place, type=place) for place in self.places),
                *(TargetSettings(name=f"{c}-channel", type=c, together=self.together) for c in self.channels),
            ),
            kinds=(),
            projects=tuple(map(self.project, self.names)),
        )

    def road(self, fuse: Fuse | None = None) -> Road:
        """A process's view of the world; it dies where `fuse` blows."""
        fuse = fuse or Fuse()
        ledger, journal = self.databases()
        for adapter in (self.kept, self.ledger, self.journal, self.store, self.builder, self.signer):
            if hasattr(adapter, "fuse"):
                adapter.fuse = fuse
        for target in self.targets.values():
            target.fuse = fuse
        site = SiteTarget("site", self.site, self.store, self.kept, digest=self._digest, fetch=self._fetch)
        targets: dict[str, Target] = {"site": site}
        targets.update(self.targets)
        people: dict[str, tuple[Key, ...]] = {"team": (ADA.key,)}
        return Road(
            settings=self.settings,
            site=self.site,
            people=people,
            policy=lambda project: sha256(project.name.encode()).hexdigest(),
            source=self.source,
            notes=memory.Notes(),
            builder=self.builder,
            isolation=lambda: "none",
            signer=self.signer,
            kept=self.kept,
            ledger=ledger,
            journal=journal,
            store=self.store,
            targets=targets,
            site_target="site",
            public=lambda: tuple(filter(None, [self.store.read(CHECKPOINT)])),
            log=LOG,
            root=NoteSigner(name=ORIGIN, seed=sha256(b"root").digest()),
            builder_key=NoteSigner(name=f"{ORIGIN}/builder", seed=sha256(b"builder").digest()),
            trust=replace(self.trust, logs=KNOWN),
            witnesses=self.witnesses,
            clock=self.clock,
            tell=lambda name, fields: self.told.append((name, dict(fields))),
        )

    def twin(self) -> Self:
        """A second world (in memory) where the same has happened: from here on, each has its own story. Source,
        builder, signer and witnesses are the same ones."""
        other = copy(self)
        other.told = list(self.told)
        other.kept, other.ledger, other.journal = _twin(self.kept), _twin(self.ledger), _twin(self.journal)
        other.store, other.web = _twin(self.store), _twin(self.web)
        other.web.store = other.store
        other.targets = {name: _twin(target) for name, target in self.targets.items()}
        for target in other.targets.values():
            target.kept = other.kept
        return other

    def clock(self) -> int:
        """Unix seconds; a test moves them."""
        return self.now

    def _repository(self, name: str) -> memory.Repository:
        repository = memory.Repository(name=name)
        for n, version in enumerate(self.versions):
            commit = repository.commit(START - 86_400 + n)
            repository.tag(version, commit.id, ADA.sign)
        return repository

    def _fetch(self, address: str, limit: int) -> bytes | None:
        path = address.removeprefix(URL)
        body = self.web.get(path + "index.html" if path.endswith("/") or not path else path)
        return None if body is None else body[:limit]

    def _digest(self, address: str, limit: int) -> str | None:
        body = self._fetch(address, limit + 1)
        return None if body is None else sha256(body).hexdigest()


def _twin(adapter: T) -> T:
    """What adapters in memory hold are values; only the containers are theirs."""
    other = copy(adapter)
    vars(other).update({name: copy(v) for name, v in vars(adapter).items() if isinstance(v, dict | list | set)})
    return other

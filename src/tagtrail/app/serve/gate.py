"""The road as a server needs it: to look at tags and to stage files. It opens no secret key."""

from pathlib import Path
from typing import Any, NoReturn

from tagtrail.adapters.directory import DirectoryKept
from tagtrail.adapters.git import GitSource
from tagtrail.adapters.git_notes import GitNotes
from tagtrail.adapters.sqlite import SqliteJournal, SqliteLedger
from tagtrail.app.instance.home import Home
from tagtrail.app.instance.reading import open_instance
from tagtrail.app.instance.storage import open_store
from tagtrail.app.instance.workshop import now
from tagtrail.formats.policy import Policy
from tagtrail.formats.settings import settings_digest, site_of
from tagtrail.model.errors import SetupError
from tagtrail.model.settings import Project
from tagtrail.ports import Clock, Tell
from tagtrail.workflows.road import Road

__all__ = ["open_gate"]


class _Closed:
    """Stands where a key or a builder would be, and refuses to be either."""

    def __getattr__(self, name: str) -> NoReturn:
        raise SetupError(
            f"the server has no {name}: it signs and builds nothing",
            code="serve-no-keys",
            hint="run it where the instance is",
        )


def open_gate(home: Path, *, tell: Tell, clock: Clock = now) -> Road:
    """A road on which files can be staged, and nothing signed, built, logged or shown."""
    at, instance = Home(path=home), open_instance(home)
    settings, people, closed, texts = instance.settings, instance.people(), _closed(), instance.texts()

    def policy(project: Project) -> str:
        keys = {key.fingerprint for group in project.signers for key in people[group]}
        return settings_digest(settings, project, tuple(sorted(keys)), texts)

    return Road(
        settings=settings,
        site=site_of(settings),
        people=people,
        policy=policy,
        source=GitSource(at.state("repos")),
        notes=GitNotes(at.state("scratch")),
        builder=closed,
        isolation=lambda: "none",
        signer=closed,
        kept=DirectoryKept(at.kept),
        ledger=SqliteLedger(at.database),
        journal=SqliteJournal(at.database),
        store=open_store(at, settings.site),
        targets={},
        site_target=settings.site.name,
        public=tuple,
        log=closed,
        root=None,
        builder_key=closed,
        trust=Policy(),
        witnesses={},
        clock=clock,
        tell=tell,
        names=instance.names,
    )


def _closed() -> Any:
    return _Closed()

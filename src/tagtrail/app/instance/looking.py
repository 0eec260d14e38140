"""What somebody who only looks at an instance is given: settings, trail, journal and places; no secret key is read."""

from dataclasses import dataclass
from pathlib import Path

from tagtrail.adapters.sqlite import SqliteJournal, SqliteLedger
from tagtrail.app.instance.home import Home
from tagtrail.app.instance.places import places
from tagtrail.app.instance.reading import Instance, open_instance
from tagtrail.app.instance.targets import Targets
from tagtrail.app.instance.workshop import now
from tagtrail.formats.settings import site_of
from tagtrail.formats.site import Site
from tagtrail.model.settings import Settings
from tagtrail.ports import Clock, Journal, Reading

__all__ = ["Looking", "look"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """An instance as it is seen by who changes nothing."""

    instance: Instance
    ledger: Reading
    journal: Journal
    clock: Clock = now

    @property
    def settings(self) -> Settings:
        """The instance's settings."""
        return self.instance.settings

    @property
    def site(self) -> Site:
        """The names of the site and its trail."""
        return site_of(self.settings)

    def targets(self) -> Targets:
        """The places, each made when it is asked for."""
        return places(self.instance, lambda index: self.ledger.entries(index, index + 1)[0])


def look(home: Path) -> Looking:
    """The instance at `home`. Raises what `open_instance` raises; SetupError `database`."""
    instance, database = open_instance(home), Home(path=home).database
    return Looking(instance=instance, ledger=SqliteLedger(database), journal=SqliteJournal(database))

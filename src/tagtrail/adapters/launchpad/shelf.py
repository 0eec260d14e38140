"""What Launchpad shows: a project, its milestones with their releases, and the files of a release.

A milestone has one release, a release one file of a name. The name stands only in the file's own address, its digest
nowhere: it is fetched and hashed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from tagtrail.model.errors import RemoteError
from tagtrail.model.facts import Entry, Receipt

__all__ = ["Digest", "Shelf", "called"]

Digest = Callable[[str, int], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Launchpad's projects, as `root` gives them; `digest` the SHA-256 at an address; `project` is with {project}.

    What launchpadlib raises comes through: it is looked at within `service.looked`.
    """

    root: Callable[[], Any]
    digest: Digest
    project: str

    def named(self, project: str) -> str:
        """A project as Launchpad names it."""
        return self.project.replace("{project}", project)

    def there(self, project: str) -> Any:
        """Launchpad's project, or None."""
        try:
            return self.root().projects[self.named(project)]
        except KeyError:
            return None

    def files(self, project: str) -> tuple[str, ...] | None:
        """The names of the files of all its releases, sorted; None: there is no such project."""
        there = self.there(project)
        return tuple(sorted(called(file) for release in there.releases for file in release.files)) if there else None

    def milestone(self, entry: Entry) -> Any:
        """The milestone of an entry's version, or None."""
        there = self.there(entry.project)
        return there.getMilestone(name=entry.version) if there else None

    def receipt(self, release: Any, name: str, size: int) -> Receipt | None:
        """What a release has of a name; no digest where that is more than `size` bytes, or nothing."""
        return next((self._receipt(file, size) for file in release.files if called(file) == name), None)

    def _receipt(self, file: Any, size: int) -> Receipt:
        where = f"{file.self_link}/file"
        try:
            digest = self.digest(where, size)
        except RemoteError as error:
            if error.code != "api-too-large":
                raise
            return Receipt(where=where, sha256="", note=error.what)
        return Receipt(where=where, sha256=digest or "", note="" if digest else f"{where} has no content")


def called(file: Any) -> str:
    """The name of a file of a release."""
    return unquote(str(file.self_link).rpartition("/")[2])

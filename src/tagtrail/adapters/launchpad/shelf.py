"""What Launchpad shows: a project, its milestones with their releases, and the files of a release.

A milestone has one release, a release one file of a name. The name stands only in the file's own address, its digest
nowhere: it is fetched and hashed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from tagtrail.formats.carried import withdrawn
from tagtrail.formats.site import Site
from tagtrail.model.errors import RemoteError
from tagtrail.model.facts import Entry, Receipt, Survey

__all__ = ["Digest", "Shelf", "called"]

Digest = Callable[[str, int], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Launchpad's projects, as `root` gives them; `digest` the SHA-256 at an address; `project` is with {project};
    releases of ours name a page of `site`.

    What launchpadlib raises comes through: it is looked at within `service.looked`.
    """

    root: Callable[[], Any]
    digest: Digest
    project: str
    site: Site

    def named(self, project: str) -> str:
        """A project as Launchpad names it."""
        return self.project.replace("{project}", project)

    def there(self, project: str) -> Any:
        """Launchpad's project, or None."""
        try:
            return self.root().projects[self.named(project)]
        except KeyError:
            return None

    def survey(self, target: str, project: str) -> Survey:
        """The files of all its releases, under the name of the target that asks; no digests: it tells none."""
        there = self.there(project)
        if there is None:
            return Survey(target=target, note=f"there is no project {self.named(project)}")
        names, marked = list[str](), list[str]()
        for release in there.releases:
            files = [called(file) for file in release.files]
            names += files
            marked += files if withdrawn(self.site, project, release.release_notes or "") else []
        return Survey(target=target, files=tuple((n, "") for n in sorted(names)), yanked=tuple(sorted(marked)))

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

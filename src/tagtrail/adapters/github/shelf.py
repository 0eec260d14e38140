"""What GitHub shows of a repository: its releases, their assets, and the digest of each.

Drafts cannot be asked for by tag, so all releases are listed.
Source: docs.github.com, REST API, releases and release assets (version 2022-11-28).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tagtrail.formats.carried import address, shown, withdrawal, withdrawn
from tagtrail.formats.site import Site
from tagtrail.io.api import Api
from tagtrail.model.errors import RemoteError
from tagtrail.model.facts import Effect, Entry, Receipt, Survey
from tagtrail.ports import Conflict

__all__ = ["Release", "Shelf", "same", "tag_of", "told"]

PAGE, PAGES = 100, 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release as it was listed: `at` is its address in the API, `where` its page, `uploads` where files go."""

    at: str
    draft: bool
    body: str
    where: str
    uploads: str
    assets: tuple[dict[str, Any], ...]

    @property
    def whole(self) -> tuple[dict[str, Any], ...]:
        """The assets of which GitHub has all."""
        return tuple(asset for asset in self.assets if asset["state"] == "uploaded")

    def asset(self, name: str) -> dict[str, Any] | None:
        """What has this name, whole or not."""
        return next((asset for asset in self.assets if asset["name"] == name), None)

    def uploaded(self, name: str) -> bool:
        """Whether GitHub has the whole of it."""
        return any(asset["name"] == name for asset in self.whole)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """The releases of `repository` (OWNER/NAME, with {project}); ours name a page of `site`."""

    api: Api
    repository: str
    site: Site

    def at(self, project: str) -> str:
        """The repository's path in the API."""
        return f"repos/{self.where(project)}"

    def where(self, project: str) -> str:
        """The repository as people call it: OWNER/NAME."""
        return self.repository.replace("{project}", project)

    def survey(self, target: str, project: str) -> Survey:
        """What is there of a project, under the name of the target that asks."""
        at = self.at(project)
        about = self.api.look(at)
        if about is None:
            return Survey(target=target, note=f"there is no {at}, or the token may not see it")
        releases = tuple(self.releases(at, None))
        files = sorted((a["name"], told(a)) for release in releases for a in release.whole)
        marked = sorted(a["name"] for r in releases if withdrawn(self.site, project, r.body) for a in r.whole)
        may = (about.get("permissions") or {}).get("push")
        return Survey(target=target, files=tuple(files), may_upload=may, yanked=tuple(marked))

    def standing(self, entry: Entry) -> list[Release]:
        """The releases of a tag, the one that counts first: what is public, what has files, what is older."""
        found = list(self.releases(self.at(entry.project), tag_of(entry)))
        return sorted(found, key=lambda release: (release.draft, -len(release.assets)))

    def releases(self, at: str, tag: str | None) -> Iterator[Release]:
        """The releases of a tag, or all; oldest first."""
        found = []
        for page in range(1, PAGES + 1):
            listed = self.api.look(f"{at}/releases", per_page=PAGE, page=page) or []
            try:
                found += [(r["id"], _release(r)) for r in listed if tag in (None, r["tag_name"])]
            except (KeyError, TypeError) as error:
                raise RemoteError(f"{at}/releases is no list of releases", code="api-reply") from error
            if len(listed) < PAGE:
                break
        yield from (release for _, release in sorted(found, key=lambda pair: pair[0]))

    def receipt(self, asset: Any, effect: Effect) -> Receipt:
        """What is there under the file's name; where GitHub tells no digest, it is fetched and hashed."""
        where = asset["browser_download_url"]
        digest = told(asset)
        if not digest and asset["size"] == effect.blob.size:
            digest = self.api.digest(asset["url"], effect.blob.size) or ""
        note = "" if digest else f"{asset['size']:,} B there"
        return Receipt(where=where, sha256=digest, note=note)

    def shown(self, release: Release, entry: Entry) -> Receipt:
        """Whether the release's text names the page of ours."""
        return shown(release.where, release.body, address(self.site, entry))

    def marked(self, release: Release | None, entry: Entry, effect: Effect) -> Receipt | None:
        """That the release's text has the withdrawal; what is not public needs no mark."""
        if release is None or release.draft:
            where = f"{self.where(entry.project)} has no public release of {tag_of(entry)}"
            return Receipt(where=where, sha256=effect.blob.sha256, note="nothing to mark")
        there = withdrawal(self.site, entry) in release.body
        return Receipt(where=release.where, sha256=effect.blob.sha256) if there else None


def _release(value: dict[str, Any]) -> Release:
    return Release(
        at=value["url"],
        draft=bool(value["draft"]),
        body=value["body"] or "",
        where=value["html_url"],
        uploads=value["upload_url"].partition("{")[0],
        assets=tuple(sorted(value["assets"], key=lambda asset: str(asset["name"]))),
    )


def told(asset: dict[str, Any]) -> str:
    """The SHA-256 that GitHub tells, or nothing."""
    algorithm, _, digest = (asset.get("digest") or "").partition(":")
    return digest if algorithm == "sha256" else ""


def same(found: Receipt, effect: Effect) -> Receipt:
    """What was found, if it is the effect's bytes. Raises Conflict."""
    if found.sha256 != effect.blob.sha256:
        raise Conflict(f"other bytes are at {found.where}: {found.sha256[:16] or found.note}")
    return found


def tag_of(entry: Entry) -> str:
    """The tag of an entry, by name."""
    return entry.tag.name if entry.tag else entry.version

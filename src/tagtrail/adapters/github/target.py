"""GitHub releases as a place: a draft, its files, then published, so that a release which cannot change is whole.

An upload that failed within GitHub can leave an asset in the state `starter`: it is removed, and the file sent again.
The commit is never said: the tag must be there, and be ours.
Source: docs.github.com, REST API, releases and release assets (version 2022-11-28).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from tagtrail.adapters.github.shelf import Release, Shelf, same, tag_of, told
from tagtrail.formats.carried import (
    address,
    link,
    own_files,
    own_names,
    said,
    signature,
    step_effect,
    step_of,
    verifying,
    withdrawal,
)
from tagtrail.formats.site import Site
from tagtrail.io.api import Api, Body
from tagtrail.model.facts import Blob, Effect, Entry, Logged, Receipt, Skip, Survey
from tagtrail.model.notice import Notice
from tagtrail.ports import Conflict, Kept, Refused

__all__ = ["GitHub"]

LARGEST = 1 << 31
"""Bytes: an asset is smaller."""
SOON, LATER = 30, 600


@dataclass(slots=True, kw_only=True)
class GitHub:
    """The port `Target` for the releases of `repository` (OWNER/NAME, with {project}).

    `entry` gives the trail's entry at an index; with `files` False a release names the release page, and no more.
    """

    name: str
    api: Api
    repository: str
    site: Site
    kept: Kept
    entry: Callable[[int], Entry]
    files: bool = True
    retry: Literal["keyed", "searchable", "blind"] = "searchable"
    lag: int = 600

    @property
    def _shelf(self) -> Shelf:
        return Shelf(api=self.api, repository=self.repository, site=self.site)

    def survey(self, project: str) -> Survey:
        """See `tagtrail.ports.Target`. An asset of which GitHub tells no digest has an empty one."""
        return self._shelf.survey(self.name, project)

    def plan(self, logged: Logged, notice: Notice | None) -> tuple[Effect | Skip, ...]:
        """See `tagtrail.ports.Target`: the release, its files, and that it is published, in this order."""
        entry = logged.entry
        if entry.event == "withdraw" and entry.tag is not None:
            return (self._effect(entry, "withdraw", "", said(withdrawal(self.site, entry))),)
        if entry.event != "release" or entry.tag is None:
            return ()
        page = link(address(self.site, entry))
        middle = self._plan_files(logged) if self.files else ()
        return (self._effect(entry, "release", "", page), *middle, self._effect(entry, "publish", "", page))

    def _plan_files(self, logged: Logged) -> Iterator[Effect | Skip]:
        for file in own_files(logged):
            if file.blob.size >= LARGEST:
                yield Skip(target=self.name, what=file.name, because="GitHub takes files of less than 2 GiB")
                continue
            yield self._effect(logged.entry, "file", file.name, file.blob)
            if signed := signature(logged, file.name):
                yield self._effect(logged.entry, "file", signed.name, signed.blob)

    def _effect(self, entry: Entry, step: str, name: str, blob: Blob) -> Effect:
        tag = entry.tag.name if entry.tag else ""
        path = {"file": f"{tag}/{name}", "release": tag, "publish": f"{tag} (public)"}.get(step, f"{tag} (withdrawn)")
        return step_effect(self.name, entry, step, name, path, blob)

    def find(self, effect: Effect) -> Receipt | None:
        """See `tagtrail.ports.Target`."""
        step, name = step_of(effect)
        entry = self.entry(effect.entry)
        release = next(iter(self._shelf.standing(entry)), None)
        if step == "withdraw":
            return self._shelf.marked(release, entry, effect)
        if release is None or (step == "publish" and release.draft):
            return None
        if step != "file":
            return self._shelf.shown(release, entry)
        return self._shelf.receipt(release.asset(name), effect) if release.uploaded(name) else None

    def apply(self, effect: Effect) -> Receipt:
        """See `tagtrail.ports.Target`. What must be there before and is not: refused for a short while."""
        step, name = step_of(effect)
        entry = self.entry(effect.entry)
        release = self._one(entry)
        if step == "withdraw":
            return self._mark(release, entry, effect)
        if release is None and step == "release":
            return self._create(entry, effect)
        if release is None:
            raise Refused(f"waits for the release {tag_of(entry)}", SOON)
        found = self._shelf.shown(release, entry)
        if found.note:
            raise Conflict(found.note)
        if step == "file":
            return self._upload(release, name, effect)
        return found if step == "release" else self._publish(release, entry, found)

    def _mark(self, release: Release | None, entry: Entry, effect: Effect) -> Receipt:
        """Withdrawn in its text, and no longer the latest; nothing is removed."""
        found = self._shelf.marked(release, entry, effect)
        if found is not None or release is None:
            return found or Receipt(where=tag_of(entry), sha256=effect.blob.sha256)
        body = f"**{withdrawal(self.site, entry)}**\n\n{release.body}"
        answer = self.api.send("PATCH", release.at, {"body": body, "prerelease": True, "make_latest": "false"})
        if not answer.ok:
            raise Refused(f"{release.where} answers {answer.status} when it is marked as withdrawn", LATER)
        return Receipt(where=release.where, sha256=effect.blob.sha256)

    def _create(self, entry: Entry, effect: Effect) -> Receipt:
        at, tag, page = self._shelf.at(entry.project), tag_of(entry), address(self.site, entry)
        there = self.api.look(f"{at}/git/ref/tags/{quote(tag)}")
        if there is None:
            raise Refused(f"the tag {tag} is not at {self._shelf.where(entry.project)} yet", SOON * 10)
        if entry.tag and there["object"]["sha"] != entry.tag.object:
            raise Conflict(f"the tag {tag} there is {there['object']['sha'][:12]}, ours {entry.tag.object[:12]}")
        about = {
            "tag_name": tag,
            "name": f"{entry.project} {entry.version}",
            "body": f"{verifying(page)}\n",
            "draft": True,
        }
        answer = self.api.send("POST", f"{at}/releases", about | {"prerelease": _early(entry)})
        if answer.ok:
            return Receipt(where=page, sha256=effect.blob.sha256, note="a draft")
        if found := self.find(effect):
            return found
        raise Refused(f"{self._shelf.where(entry.project)} answers {answer.status} to a draft of {tag}", LATER)

    def _upload(self, release: Release, name: str, effect: Effect) -> Receipt:
        asset = release.asset(name)
        if asset and asset["state"] == "uploaded":
            return same(self._shelf.receipt(asset, effect), effect)
        if asset:
            self.api.send("DELETE", asset["url"])
        body = Body(chunks=self.kept.chunks(effect.blob.sha256), size=effect.blob.size, media=effect.blob.media)
        answer = self.api.send("POST", f"{release.uploads}?name={quote(name)}", body=body)
        if answer.ok:
            return self._stored(answer.value, name, effect)
        if found := self.find(effect):
            return same(found, effect)
        raise Refused(f"{release.where} answers {answer.status} to {name}", LATER)

    def _stored(self, asset: Any, name: str, effect: Effect) -> Receipt:
        """What GitHub says that it has stored."""
        if asset["name"] != name:
            raise Conflict(f"{name} is called {asset['name']!r} there")
        if told(asset) not in ("", effect.blob.sha256):
            raise Conflict(f"{name} is {told(asset)[:16]}... there, ours {effect.blob.sha256[:16]}...")
        return Receipt(where=asset["browser_download_url"], sha256=effect.blob.sha256)

    def _publish(self, release: Release, entry: Entry, found: Receipt) -> Receipt:
        if not release.draft:
            return found
        missing = [name for name in self._wanted(entry) if not release.uploaded(name)]
        if missing:
            raise Refused(f"waits for {len(missing)} files, such as {missing[0]}", SOON)
        latest = {} if _early(entry) else {"make_latest": "legacy"}
        answer = self.api.send("PATCH", release.at, {"draft": False} | latest)
        if not answer.ok:
            raise Refused(f"{release.where} answers {answer.status} when it is published", LATER)
        return found

    def _wanted(self, entry: Entry) -> tuple[str, ...]:
        signed = dict(entry.sidecars)
        small = {file.name for file in entry.files if file.size < LARGEST}
        names = [name for name in own_names(entry) if name in small] if self.files else []
        return (*names, *(f"{name}.asc" for name in names if f"{name}.asc" in signed))

    def _one(self, entry: Entry) -> Release | None:
        """The release of a tag. Drafts of ours beside it (made while a list was stale) are removed."""
        standing = self._shelf.standing(entry)
        for other in standing[1:]:
            if other.draft and address(self.site, entry) in other.body:
                self.api.send("DELETE", other.at)
        return standing[0] if standing else None


def _early(entry: Entry) -> bool:
    return entry.channel not in ("final", "post")

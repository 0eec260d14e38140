"""The port `Target` for Launchpad: a release is opened, gets its files with their signatures, and is closed."""

from collections.abc import Callable, Iterator
from dataclasses import InitVar, dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from tagtrail.adapters.launchpad.service import LATER, Turned, looked, tried
from tagtrail.adapters.launchpad.shelf import Digest, Shelf, called
from tagtrail.formats.carried import (
    address,
    link,
    own_files,
    own_names,
    said,
    shown,
    step_effect,
    step_of,
    verifying,
    withdrawal,
)
from tagtrail.formats.site import Site
from tagtrail.model.facts import Blob, Effect, Entry, Logged, Receipt, Skip, Survey
from tagtrail.model.notice import Notice
from tagtrail.ports import Conflict, Kept, Refused

__all__ = ["Launchpad"]

SOON = 30
LARGEST = 1 << 30
"""Bytes: launchpadlib holds a file and its signature in memory."""


@dataclass(slots=True, kw_only=True)
class Launchpad:
    """The port `Target` for releases of `project` (with {project}) in `series`.

    `root` gives launchpadlib's service root, connected when first asked; `digest` the SHA-256 at an address; `entry`
    the trail's entry at an index. With `files` False a release names the release page, and no more.
    """

    name: str
    root: InitVar[Callable[[], Any]]
    digest: InitVar[Digest]
    project: InitVar[str]
    series: str
    site: Site
    kept: Kept
    entry: Callable[[int], Entry]
    files: bool = True
    retry: Literal["keyed", "searchable", "blind"] = "searchable"
    lag: int = 600
    _shelf: Shelf = field(init=False)

    def __post_init__(self, root: Callable[[], Any], digest: Digest, project: str) -> None:
        """`root`, `digest` and `project` make the shelf."""
        self._shelf = Shelf(root=root, digest=digest, project=project, site=self.site)

    def survey(self, project: str) -> Survey:
        """See `tagtrail.ports.Target`. Launchpad tells no digests; they are empty."""
        with looked():
            return self._shelf.survey(self.name, project)

    def plan(self, logged: Logged, notice: Notice | None) -> tuple[Effect | Skip, ...]:
        """See `tagtrail.ports.Target`: the release, its files, and that the milestone is closed, in this order."""
        entry = logged.entry
        if entry.event == "withdraw":
            return (self._effect(entry, "withdraw", "", said(withdrawal(self.site, entry))),)
        if entry.event != "release":
            return ()
        page = link(address(self.site, entry))
        middle = self._plan_files(logged) if self.files else ()
        return (self._effect(entry, "release", "", page), *middle, self._effect(entry, "close", "", page))

    def _plan_files(self, logged: Logged) -> Iterator[Effect | Skip]:
        for file in own_files(logged):
            if file.blob.size >= LARGEST:
                yield Skip(target=self.name, what=file.name, because="a GiB or more: launchpadlib holds it in memory")
            else:
                yield self._effect(logged.entry, "file", file.name, file.blob)

    def _effect(self, entry: Entry, step: str, name: str, blob: Blob) -> Effect:
        paths = {"file": f"{entry.version}/{name}", "release": entry.version, "close": f"{entry.version} (closed)"}
        path = paths.get(step, f"{entry.version} (withdrawn)")
        return step_effect(self.name, entry, step, name, path, blob)

    def find(self, effect: Effect) -> Receipt | None:
        """See `tagtrail.ports.Target`."""
        with looked():
            return self._find(effect)

    def _find(self, effect: Effect) -> Receipt | None:
        step, name = step_of(effect)
        entry = self.entry(effect.entry)
        milestone = self._shelf.milestone(entry)
        release = milestone.release if milestone else None
        if step == "withdraw":
            return self._marked(release, entry, effect)
        if release is None or (step == "close" and milestone.is_active):
            return None
        if step != "file":
            return shown(release.web_link, release.release_notes or "", address(self.site, entry))
        return self._shelf.receipt(release, name, effect.blob.size)

    def _marked(self, release: Any, entry: Entry, effect: Effect) -> Receipt | None:
        """That the release notes begin with the withdrawal; where there is no release, nothing needs a mark."""
        if release is None:
            where = f"{self._shelf.named(entry.project)} has no release {entry.version}"
            return Receipt(where=where, sha256=effect.blob.sha256, note="nothing to mark")
        there = withdrawal(self.site, entry) in (release.release_notes or "")
        return Receipt(where=release.web_link, sha256=effect.blob.sha256) if there else None

    def apply(self, effect: Effect) -> Receipt:
        """See `tagtrail.ports.Target`. What must be there before and is not: refused for a short while."""
        if found := self.find(effect):
            return _same(found, effect)
        step, name = step_of(effect)
        entry = self.entry(effect.entry)
        with looked():
            milestone = self._shelf.milestone(entry)
            release = milestone.release if milestone else None
        if release is None and step != "release":
            raise Refused(f"waits for the release {entry.version}", SOON)
        try:
            with tried():
                self._do(step, name, entry, effect, milestone, release)
        except Turned as turned:
            again = self.find(effect)
            if again is None:
                raise Refused(f"Launchpad answers {turned} to {step} {effect.path}", LATER) from turned
            return _same(again, effect)
        return Receipt(where=address(self.site, entry), sha256=effect.blob.sha256)

    def _do(self, step: str, name: str, entry: Entry, effect: Effect, milestone: Any, release: Any) -> None:
        if step == "withdraw":
            release.release_notes = f"{withdrawal(self.site, entry)}\n\n{release.release_notes or ''}".rstrip()
            release.lp_save()
        elif step == "file":
            self._add(release, name, entry, effect)
        elif step == "release":
            (milestone or self._open(entry)).createProductRelease(
                date_released=datetime.fromtimestamp(entry.time, UTC),
                release_notes=verifying(address(self.site, entry)),
            )
        else:
            self._close(milestone, release, entry)

    def _open(self, entry: Entry) -> Any:
        there = self._shelf.there(entry.project)
        series = there.getSeries(name=self.series) if there else None
        if series is None:
            raise Refused(f"Launchpad has no series {self._shelf.named(entry.project)}/{self.series}", LATER)
        return series.newMilestone(name=entry.version)

    def _add(self, release: Any, name: str, entry: Entry, effect: Effect) -> None:
        signed = dict(entry.sidecars).get(f"{name}.asc")
        more = {"signature_filename": f"{name}.asc", "signature_content": self.kept.read(signed)} if signed else {}
        release.add_file(
            filename=name,
            description=name,
            content_type=effect.blob.media,
            file_content=self.kept.read(effect.blob.sha256),
            file_type="Code Release Tarball" if ".tar." in name else "Installer file",
            **more,
        )

    def _close(self, milestone: Any, release: Any, entry: Entry) -> None:
        there = {called(file) for file in release.files}
        sizes = {file.name: file.size for file in entry.files}
        wanted = [name for name in own_names(entry) if sizes[name] < LARGEST] if self.files else []
        missing = [name for name in wanted if name not in there]
        if missing:
            raise Refused(f"waits for {len(missing)} files, such as {missing[0]}", SOON)
        milestone.is_active = False
        milestone.lp_save()


def _same(found: Receipt, effect: Effect) -> Receipt:
    """What was found, if it is the effect's bytes. Raises Conflict."""
    if found.sha256 != effect.blob.sha256:
        raise Conflict(found.note or f"other bytes are at {found.where}: {found.sha256[:16]}...")
    return found

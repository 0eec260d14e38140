"""Launchpad as a place: a milestone, its release, the files with their signatures; then the milestone is closed.

A milestone has one release, a release one file of a name. The name stands only in the file's own address, its digest
nowhere: it is fetched and hashed. A 400 means that a thing exists, or that it is not wanted; so it is looked up.
Source: launchpad.net/+apidoc, version 1.0, as launchpadlib speaks it (extra `launchpad`).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import unquote

from tagtrail.formats.carried import address, link, own_files, own_names, said, shown, withdrawal
from tagtrail.formats.site import Site
from tagtrail.model.errors import RemoteError, SetupError
from tagtrail.model.facts import Blob, Effect, Entry, Logged, Receipt, Skip, Survey
from tagtrail.model.notice import Notice
from tagtrail.ports import Conflict, Kept, Refused, Unknown

__all__ = ["Launchpad", "connect"]

Digest = Callable[[str, int], str | None]
SOON, BUSY, LATER = 30, 60, 3600
LARGEST = 1 << 30
"""Bytes: launchpadlib holds a file and its signature in memory."""


@dataclass(slots=True, kw_only=True)
class Launchpad:
    """The port `Target` for releases of `project` (with {project}) in `series`.

    `root` gives launchpadlib's service root, connected when first asked; `digest` the SHA-256 at an address; `entry`
    the trail's entry at an index. With `files` False a release names the release page, and no more.
    """

    name: str
    root: Callable[[], Any]
    digest: Digest
    project: str
    series: str
    site: Site
    kept: Kept
    entry: Callable[[int], Entry]
    files: bool = True
    retry: Literal["keyed", "searchable", "blind"] = "searchable"
    lag: int = 600

    def survey(self, project: str) -> Survey:
        """See `tagtrail.ports.Target`. Launchpad tells no digests; they are empty."""
        with _looked():
            there = self._there(project)
            files = [_name(file) for release in there.releases for file in release.files] if there else []
        note = "" if there else f"there is no project {self._called(project)}"
        return Survey(target=self.name, files=tuple((name, "") for name in sorted(files)), note=note)

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
        return Effect(target=self.name, key=f"{entry.index}/{step}:{name}", entry=entry.index, path=path, blob=blob)

    def find(self, effect: Effect) -> Receipt | None:
        """See `tagtrail.ports.Target`."""
        with _looked():
            return self._find(effect)

    def _find(self, effect: Effect) -> Receipt | None:
        step, name = _step(effect)
        entry = self.entry(effect.entry)
        milestone = self._milestone(entry)
        release = milestone.release if milestone else None
        if step == "withdraw":
            return self._marked(release, entry, effect)
        if release is None or (step == "close" and milestone.is_active):
            return None
        if step != "file":
            return shown(release.web_link, release.release_notes or "", address(self.site, entry))
        return next((self._receipt(file, effect) for file in release.files if _name(file) == name), None)

    def _marked(self, release: Any, entry: Entry, effect: Effect) -> Receipt | None:
        """That the release notes begin with the withdrawal; where there is no release, nothing needs a mark."""
        if release is None:
            where = f"{self._called(entry.project)} has no release {entry.version}"
            return Receipt(where=where, sha256=effect.blob.sha256, note="nothing to mark")
        there = withdrawal(self.site, entry) in (release.release_notes or "")
        return Receipt(where=release.web_link, sha256=effect.blob.sha256) if there else None

    def apply(self, effect: Effect) -> Receipt:
        """See `tagtrail.ports.Target`. What must be there before and is not: refused for a short while."""
        found = self.find(effect)
        if found and found.sha256 != effect.blob.sha256:
            raise Conflict(found.note or f"other bytes are at {found.where}: {found.sha256[:16]}...")
        if found:
            return found
        step, name = _step(effect)
        entry = self.entry(effect.entry)
        with _looked():
            milestone = self._milestone(entry)
            release = milestone.release if milestone else None
        if release is None and step != "release":
            raise Refused(f"waits for the release {entry.version}", SOON)
        try:
            with _tried():
                self._do(step, name, entry, effect, milestone, release)
        except _Turned as turned:
            again = self.find(effect)
            if again and again.sha256 != effect.blob.sha256:
                raise Conflict(again.note or f"other bytes are at {again.where}: {again.sha256[:16]}...") from turned
            if again is None:
                raise Refused(f"Launchpad answers {turned} to {step} {effect.path}", LATER) from turned
            return again
        return Receipt(where=address(self.site, entry), sha256=effect.blob.sha256)

    def _do(self, step: str, name: str, entry: Entry, effect: Effect, milestone: Any, release: Any) -> None:
        if step == "withdraw":
            release.release_notes = f"{withdrawal(self.site, entry)}\n\n{release.release_notes or ''}".rstrip()
            release.lp_save()
        elif step == "file":
            self._add(release, name, entry, effect)
        elif step == "release":
            (milestone or self._open(entry)).createProductRelease(
                date_released=datetime.fromtimestamp(entry.time, UTC), release_notes=_text(address(self.site, entry))
            )
        else:
            self._close(milestone, release, entry)

    def _open(self, entry: Entry) -> Any:
        there = self._there(entry.project)
        series = there.getSeries(name=self.series) if there else None
        if series is None:
            raise Refused(f"Launchpad has no series {self._called(entry.project)}/{self.series}", LATER)
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
        there = {_name(file) for file in release.files}
        sizes = {file.name: file.size for file in entry.files}
        wanted = [name for name in own_names(entry) if sizes[name] < LARGEST] if self.files else []
        missing = [name for name in wanted if name not in there]
        if missing:
            raise Refused(f"waits for {len(missing)} files, such as {missing[0]}", SOON)
        milestone.is_active = False
        milestone.lp_save()

    def _receipt(self, file: Any, effect: Effect) -> Receipt:
        where = f"{file.self_link}/file"
        try:
            digest = self.digest(where, effect.blob.size)
        except RemoteError as error:
            if error.code != "api-too-large":
                raise
            return Receipt(where=where, sha256="", note=error.what)
        return Receipt(where=where, sha256=digest or "", note="" if digest else f"{where} has no content")

    def _milestone(self, entry: Entry) -> Any:
        there = self._there(entry.project)
        return there.getMilestone(name=entry.version) if there else None

    def _there(self, project: str) -> Any:
        try:
            return self.root().projects[self._called(project)]
        except KeyError:
            return None

    def _called(self, project: str) -> str:
        return self.project.replace("{project}", project)


def connect(root: str, credentials: str, timeout: float = 30.0) -> Any:
    """launchpadlib's service root: `root` is an address or a name it knows (`production`), `credentials` the text that
    launchpadlib saves. Nothing is tried twice. Raises SetupError `extra-missing`, `launchpad-credentials`, RemoteError.
    """
    try:
        from launchpadlib import uris
        from launchpadlib.credentials import Credentials
        from launchpadlib.launchpad import Launchpad as Service
    except ImportError as error:
        hint = "pip install 'tagtrail[launchpad]'"
        raise SetupError("launchpadlib is not installed", code="extra-missing", hint=hint) from error
    try:
        known = Credentials.from_string(credentials)
    except Exception as error:
        hint = "the text that launchpadlib's Credentials.save_to_path writes"
        raise SetupError("no credentials of launchpadlib", code="launchpad-credentials", hint=hint) from error
    with _looked():
        service = Service(known, None, None, uris.lookup_service_root(root), timeout=timeout, version="1.0")
    service._browser.max_retries = 0  # noqa: SLF001  (a change is tried once: the driver looks before it tries again)
    return service


class _Turned(Exception):  # noqa: N818  (an answer)
    """A 400, 409 or 412: it is there already, or is not wanted."""


@contextmanager
def _looked() -> Iterator[None]:
    """What launchpadlib raises when it looks, as a RemoteError."""
    try:
        yield
    except _foreign() as error:
        status = _status(error)
        what = f"Launchpad answers {status}" if status else "Launchpad does not answer"
        raise RemoteError(what, code="api-status" if status else "api-unreachable", why=type(error).__name__) from error


@contextmanager
def _tried() -> Iterator[None]:
    """What launchpadlib raises when it changes something."""
    try:
        yield
    except _foreign() as error:
        status = _status(error)
        if status in (400, 409, 412):
            raise _Turned(str(status)) from error
        if status == 429:
            raise Refused("Launchpad answers 429: too many requests", _after(error)) from error
        if 400 <= status < 500:
            raise Refused(f"Launchpad answers {status}: may these credentials write there?", LATER) from error
        raise Unknown(f"Launchpad answers {status}" if status else "Launchpad does not answer") from error


def _foreign() -> tuple[type[Exception], ...]:
    from http.client import HTTPException

    from httplib2 import HttpLib2Error
    from lazr.restfulclient.errors import RestfulError

    return (RestfulError, HttpLib2Error, HTTPException, OSError)


def _status(error: Exception) -> int:
    return int(getattr(getattr(error, "response", None), "status", 0))


def _after(error: Exception) -> int:
    said = str(getattr(error, "response", {}).get("retry-after", ""))
    return min(max(int(said), 1), 86_400) if said.isdigit() and len(said) < 10 else BUSY


def _step(effect: Effect) -> tuple[str, str]:
    step, _, name = effect.key.partition("/")[2].partition(":")
    return step, name


def _name(file: Any) -> str:
    return unquote(str(file.self_link).rpartition("/")[2])


def _text(page: str) -> str:
    return f"Files, signatures, proofs, and how to verify them: {page}"

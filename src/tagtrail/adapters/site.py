"""The site as a place: the artifacts and sidecars of an entry below its root, looked at as a consumer sees them."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Literal

from tagtrail.formats.reproduction import is_statement
from tagtrail.formats.site import Site, media, release_page
from tagtrail.model.errors import RemoteError
from tagtrail.model.facts import Blob, Effect, Logged, Receipt, Skip, Survey
from tagtrail.model.notice import Notice
from tagtrail.ports import Conflict, Kept, Refused, Store

__all__ = ["SiteTarget"]

Digest = Callable[[str, int], str | None]
"""`io.http.digest`: SHA-256 of what is at a URL, of at most so many bytes; None: nothing. Raises RemoteError."""

Fetch = Callable[[str, int], bytes | None]
"""`io.http.fetch`, likewise for the bytes."""

PAGE = "page:"
MAX_PAGE = 4 * 1024 * 1024


class SiteTarget:
    """The port `Target` for a site. With a `url`, seen means an HTTP GET of it; without, the file below the root.

    The release page is one more thing to see; `render` makes it, so applying it does nothing.
    """

    retry: Literal["keyed", "searchable", "blind"] = "searchable"
    lag = 0

    def __init__(self, name: str, site: Site, store: Store, kept: Kept, *, digest: Digest, fetch: Fetch) -> None:
        self.name = name
        self._site = site
        self._store = store
        self._kept = kept
        self._digest = digest
        self._fetch = fetch

    def survey(self, project: str) -> Survey:
        """See `tagtrail.ports.Target`. Names without digests: reading them all would cost more with every release."""
        folder, slash, _ = self._site.file(project, "").rpartition("/")
        known = project in folder.split("/")  # else it is the folder of all projects
        names = (path.rpartition("/")[2] for path in self._store.paths(folder + slash)) if known else ()
        return Survey(target=self.name, files=tuple((name, "") for name in names), name="ours", may_upload=True)

    def plan(self, logged: Logged, notice: Notice | None) -> tuple[Effect | Skip, ...]:
        """See `tagtrail.ports.Target`."""
        entry = logged.entry
        if entry.event == "reproduced":
            return tuple(self._statements(logged))
        if entry.event == "withdraw":
            return (self._page(logged),)
        if entry.event != "release":
            return ()
        # the proof of a file that is named again stays the first one
        own = entry.added or tuple(file.name for file in entry.files)
        proofs = [(f"{name}.tlog-proof", logged.proof) for name in own]
        files = [(b.name, b.blob) for b in logged.blobs] + proofs
        return (
            *(self._effect(entry.index, name, self._site.file(entry.project, name), blob) for name, blob in files),
            self._page(logged),
        )

    def _page(self, logged: Logged) -> Effect:
        """That the release page shows an entry."""
        entry = logged.entry
        path = release_page(entry.project, entry.version)
        page = Blob(sha256=sha256(entry.raw).hexdigest(), size=len(entry.raw), media=media("index.html"))
        return self._effect(entry.index, PAGE + path, path, page)

    def _statements(self, logged: Logged) -> Iterator[Effect]:
        """What reproducers signed, each with its proof: the other files are there already."""
        entry = logged.entry
        for one in logged.blobs:
            if is_statement(one.name):
                for name, blob in ((one.name, one.blob), (f"{one.name}.tlog-proof", logged.proof)):
                    yield self._effect(entry.index, name, self._site.file(entry.project, name), blob)

    def _effect(self, index: int, key: str, path: str, blob: Blob) -> Effect:
        return Effect(target=self.name, key=f"{index}/{key}", entry=index, path=path, blob=blob)

    def find(self, effect: Effect) -> Receipt | None:
        """See `tagtrail.ports.Target`."""
        if PAGE in effect.key:
            return self._find_page(effect)
        if self._site.url:
            return self._seen(effect)
        data = self._store.read(effect.path)
        return None if data is None else Receipt(where=effect.path, sha256=sha256(data).hexdigest())

    def _seen(self, effect: Effect) -> Receipt | None:
        """A public that does not answer does not show it; one that shows more bytes shows others."""
        where = self._site.url + effect.path
        try:
            digest = self._digest(where, effect.blob.size)
        except RemoteError as error:
            return Receipt(where=where, sha256="", note=error.what) if error.code == "url-too-large" else None
        return None if digest is None else Receipt(where=where, sha256=digest)

    def _find_page(self, effect: Effect) -> Receipt | None:
        """A page that shows another entry, or none, is one that is not there yet."""
        where = self._site.url + effect.path.removesuffix("index.html")
        try:
            text = self._fetch(where, MAX_PAGE) if self._site.url else self._store.read(effect.path)
        except RemoteError:
            return None
        shown = text is not None and f' {effect.blob.sha256}">'.encode() in text and b'"tagtrail-entry"' in text
        return Receipt(where=where, sha256=effect.blob.sha256) if shown else None

    def apply(self, effect: Effect) -> Receipt:
        """See `tagtrail.ports.Target`."""
        where = self._site.url + effect.path
        if PAGE in effect.key:
            return Receipt(where=where, sha256=effect.blob.sha256, note="rendered")
        standing = self._store.read(effect.path)
        if standing is not None and sha256(standing).hexdigest() != effect.blob.sha256:
            raise Conflict(f"other bytes lie at {effect.path}: {sha256(standing).hexdigest()[:16]}...")
        try:
            self._store.write(effect.path, self._kept.chunks(effect.blob.sha256))
        except RemoteError as error:
            raise Refused(error.what, after=60) from error
        return Receipt(where=where, sha256=effect.blob.sha256)

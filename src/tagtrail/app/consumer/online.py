"""Files that are verified from afar: one at an address, and one whose evidence is got from the sites of trusted logs.

The proof is read first, so nothing is downloaded that no entry names, nor more of it than the entry says. What is
fetched is held in memory or only hashed: nothing is written.
"""

from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from tagtrail.app.consumer.beside import PROOF
from tagtrail.app.consumer.lying import Lying
from tagtrail.app.consumer.places import check_address
from tagtrail.app.consumer.sources import Source
from tagtrail.formats import proof
from tagtrail.formats.encoding import shown
from tagtrail.formats.site import tag_name
from tagtrail.io.http import fetch, streamed
from tagtrail.model.errors import RemoteError, SetupError, TamperError
from tagtrail.model.facts import Entry
from tagtrail.verify.release import Measured
from tagtrail.verify.tags import MAX_TAG

if TYPE_CHECKING:
    from tagtrail.ports import Tell

__all__ = ["LARGEST", "Asked", "AtAddress"]

LARGEST = 2**40
"""Bytes of a file whose entry does not say its size (1 TiB)."""

_OFTEN = 4 * 1024 * 1024


class AtAddress:
    """A file at an address, with its proof and tag beside it there."""

    def __init__(self, url: str) -> None:
        """Raises SetupError `url`, `not-a-file-address`."""
        self.shown = check_address(url)
        self.fetched: tuple[str, ...] = ()
        self._at = urlsplit(url)
        self.name = unquote(self._at.path.rpartition("/")[2])
        if not self.name or "/" in self.name:
            what = f"{url} names a page, not a file"
            hint = f"name a file on it; or, for all of a site: tagtrail audit {self._at.scheme}://{self._at.netloc}/"
            raise SetupError(what, code="not-a-file-address", hint=hint)

    def proof(self, name: str) -> bytes:
        """See `Lying`."""
        for beside in dict.fromkeys((self.name, name)):
            data = self._read(f"{beside}{PROOF}", proof.MAX_SIZE)
            if data is not None:
                return data
        why = "nothing there says that this file was released (of a page: name one of its files)"
        hint = "--fetch, if this is a mirror: it asks the site of the log that you pinned"
        raise TamperError(f"{self._beside(self.name + PROOF)} is not there", code="proof-missing", why=why, hint=hint)

    def tag(self, entry: Entry, origin: str) -> bytes | None:
        """See `Lying`."""
        name = tag_name(entry.project, entry.version)
        return self._read(name, MAX_TAG) if name in dict(entry.sidecars) else None

    def measure(self, name: str, entry: Entry, tell: "Tell") -> Measured:
        """See `Lying`. Raises TamperError `size-mismatch` as soon as there is more than the entry says."""
        expected = next((file.size for file in entry.files if file.name == name), 0)
        digest, size, said = sha256(), 0, 0
        with streamed(self.shown, LARGEST) as answer:
            if answer is None:
                hint = "look at its project's page on that site"
                raise SetupError(f"there is no file at {self.shown}", code="file-missing", hint=hint)
            total, pieces = answer
            for piece in pieces:
                digest.update(piece)
                size += len(piece)
                if expected and size > expected:
                    what = f"{self.name} has more than {expected} bytes, entry {entry.index} says {expected}"
                    raise TamperError(what, code="size-mismatch", why="it was not read any further")
                if size - said >= _OFTEN:
                    said = size
                    tell("bytes", {"what": self.name, "done": size, "total": max(total, expected)})
        return Measured(name=name, sha256=digest.hexdigest(), size=size)

    def _read(self, name: str, limit: int) -> bytes | None:
        url = self._beside(name)
        data = fetch(url, limit)
        self.fetched += (url,) if data is not None else ()
        return data

    def _beside(self, name: str) -> str:
        folder = self._at.path.rpartition("/")[0]
        return urlunsplit((self._at.scheme, self._at.netloc, f"{folder}/{quote(name)}", self._at.query, ""))


class Asked:
    """A file whose missing evidence is asked for on the sites of trusted logs."""

    def __init__(self, lying: Lying, sources: Sequence[Source]) -> None:
        self._lying = lying
        self._sources = sources
        self._got: tuple[str, ...] = ()
        self.shown = lying.shown

    @property
    def fetched(self) -> tuple[str, ...]:
        """See `Lying`."""
        return (*self._lying.fetched, *self._got)

    def proof(self, name: str) -> bytes:
        """See `Lying`; also raises TamperError `unknown`, and RemoteError where only a site that is down may know."""
        try:
            return self._lying.proof(name)
        except TamperError as error:
            if error.code != "proof-missing":
                raise
        known = [source for source in self._sources if source.knows(name)]
        if not known:
            roots = ", ".join(source.origin for source in self._sources)
            why = f"it is of no project in the root of {roots}" if roots else "nothing is pinned"
            hint = "" if self._sources else "tagtrail trust URL"
            raise TamperError("no pinned trail names it", code="unknown", why=why, hint=hint)
        late: RemoteError | None = None
        for source in known:
            try:
                found = source.proof(name)
            except RemoteError as error:
                late = error
                continue
            if found is not None:
                self._got += (found[1],)
                return found[0]
        if late is not None:
            raise late
        where = ", ".join(source.site().where for source in known)
        what = f"there is no proof of {shown(name)} beside it, nor on {where}"
        hint = "if it was renamed: --as NAME"
        raise TamperError(what, code="proof-missing", why="nothing says that it was released", hint=hint)

    def tag(self, entry: Entry, origin: str) -> bytes | None:
        """See `Lying`."""
        data = self._lying.tag(entry, origin)
        for source in (s for s in self._sources if s.origin == origin and data is None):
            with suppress(SetupError):  # a site that nobody knows has no tag: the judge says that it is missing
                found = source.tag(entry)
                data, self._got = (found[0], (*self._got, found[1])) if found else (None, self._got)
        return data

    def measure(self, name: str, entry: Entry, tell: "Tell") -> Measured:
        """See `Lying`."""
        return self._lying.measure(name, entry, tell)

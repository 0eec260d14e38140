"""A place in memory that behaves as badly as real ones: it loses replies, says no for now, shows things late, lies."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from threading import Lock
from typing import Literal

from tagtrail.formats.notice import notice_blob
from tagtrail.model.errors import RemoteError
from tagtrail.model.facts import Blob, Effect, Logged, Receipt, Skip, Survey
from tagtrail.model.notice import Notice
from tagtrail.ports import Conflict, Kept, Refused, Unknown
from tagtrail.testing.fuse import Fuse

__all__ = ["Fault", "Target"]

LIE = sha256(b"tagtrail.testing lie").hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What goes wrong with one attempt.

    `lost-reply`: stored, and nobody says so; `unknown`: not stored, and nobody says so; `refused`: not stored, try
    again `after` seconds; `conflict`: other bytes are there; `fine`: nothing.
    """

    what: Literal["fine", "lost-reply", "unknown", "refused", "conflict"]
    after: int = 0


class Target:
    """Files, or one notice, for each entry, at a place of one of the three temperaments.

    keyed: an attempt with a known key changes nothing; searchable: a second attempt makes a second copy; blind: the
    same, and nobody can look. `arrived` are the paths in the order in which copies came to be. `faults` are used up,
    one for each attempt; `late`: a copy shows after that many looks; `lies`: every look shows another digest; `down`:
    so many looks fail with a RemoteError.
    """

    def __init__(
        self,
        name: str = "memory",
        retry: Literal["keyed", "searchable", "blind"] = "keyed",
        *,
        carries: Literal["files", "notice"] = "files",
        kept: Kept | None = None,
        fuse: Fuse | None = None,
        faults: Iterable[Fault] = (),
        late: int = 0,
        lag: int = 0,
    ) -> None:
        self.name = name
        self.retry = retry
        self.lag = lag
        self.carries = carries
        self.kept = kept
        self.fuse = fuse or Fuse()
        self.faults = list(faults)
        self.late = late
        self.lies = False
        self.down = 0
        self.arrived: list[str] = []
        self.attempts: list[str] = []
        self._there: dict[str, str] = {}
        self._looks: dict[str, int] = {}
        self._lock = Lock()

    def survey(self, project: str) -> Survey:
        """What is there."""
        return Survey(target=self.name, files=tuple(sorted(self._there.items())), may_upload=True)

    def plan(self, logged: Logged, notice: Notice | None) -> tuple[Effect | Skip, ...]:
        """One effect for each file of the entry, or one for the notice."""
        entry = logged.entry
        if self.carries == "files":
            blobs = {s.name: s.blob for s in logged.blobs}
            return tuple(self._effect(entry.index, f.name, blobs[f.name]) for f in entry.files if f.name in blobs)
        if notice is None:
            return (Skip(target=self.name, what=f"entry {entry.index}", because="there is nothing to say"),)
        return (self._effect(entry.index, f"notice-{notice.key}", notice_blob(notice)),)

    def find(self, effect: Effect) -> Receipt | None:
        """What a consumer sees now."""
        with self._lock:
            if self.down:
                self.down -= 1
                raise RemoteError(f"{self.name} does not answer", code="target-unreachable")
            digest = self._there.get(effect.path)
            if self.retry == "blind" or digest is None:
                return None
            self._looks[effect.path] = self._looks.get(effect.path, 0) + 1
            visible = self._looks[effect.path] > self.late
            return self._receipt(effect, LIE if self.lies else digest) if visible else None

    def apply(self, effect: Effect) -> Receipt:
        """One attempt, with the next fault of the script."""
        with self._lock:
            self.attempts.append(effect.path)
            fault = self.faults.pop(0) if self.faults else Fault(what="fine")
            if fault.what == "refused":
                raise Refused(f"{self.name} is busy", fault.after)
            if fault.what == "unknown":
                raise Unknown(f"{self.name} did not answer")
            if fault.what == "conflict" or self._there.get(effect.path, effect.blob.sha256) != effect.blob.sha256:
                raise Conflict(f"other bytes are at {effect.path}")
            self._store(effect)
            if fault.what == "lost-reply":
                raise Unknown(f"{self.name} hung up")
            return self._receipt(effect, effect.blob.sha256)

    def place(self, path: str, digest: str) -> None:
        """Somebody else puts other bytes there."""
        self._there[path] = digest

    def _store(self, effect: Effect) -> None:
        if self.kept is not None:
            self.kept.read(effect.blob.sha256)
        with self.fuse.around(f"{self.name}.store"):
            if self.retry != "keyed" or effect.path not in self._there:
                self.arrived.append(effect.path)
            self._there[effect.path] = effect.blob.sha256

    def _receipt(self, effect: Effect, digest: str) -> Receipt:
        return Receipt(where=f"memory:{self.name}/{effect.path}", sha256=digest)

    def _effect(self, entry: int, path: str, blob: Blob) -> Effect:
        return Effect(target=self.name, key=f"{entry}:{path}", entry=entry, path=path, blob=blob)

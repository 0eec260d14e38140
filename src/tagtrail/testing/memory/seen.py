"""A witness's memory without a disk: every change passes a fuse, and a restart finds what was changed before."""

from threading import Lock

from tagtrail.ports import Cosigned, Evidence
from tagtrail.testing.fuse import Fuse

__all__ = ["Seen"]


class Seen:
    """The port `Seen`; at most `most` pieces of evidence of each kind are kept of one log."""

    def __init__(self, fuse: Fuse | None = None, most: int = 1000) -> None:
        self.fuse = fuse or Fuse()
        self.most = most
        self.cosigned: dict[tuple[str, int], Cosigned] = {}
        self.kept: dict[tuple[str, int, bytes], Evidence] = {}
        self._one = Lock()

    def latest(self, origin: str, size: int | None = None) -> Cosigned | None:
        """See `tagtrail.ports.Seen`."""
        sizes = [known for name, known in self.cosigned if name == origin and size in (None, known)]
        return self.cosigned[origin, max(sizes)] if sizes else None

    def advance(self, before: Cosigned | None, after: Cosigned) -> bool:
        """See `tagtrail.ports.Seen`."""
        with self._one:
            if self.latest(after.origin) != before:
                return False
            if before and (after.size < before.size or (after.size == before.size and after.root != before.root)):
                return False
            with self.fuse.around("seen.advance"):
                self.cosigned[after.origin, after.size] = after
            return True

    def keep(self, evidence: Evidence) -> bool:
        """See `tagtrail.ports.Seen`."""
        with self._one:
            key = (evidence.origin, evidence.size, evidence.root)
            alike = [e for e in self.kept.values() if (e.origin, e.fork) == (evidence.origin, evidence.fork)]
            if key in self.kept or len(alike) >= self.most:
                return False
            with self.fuse.around("seen.keep"):
                self.kept[key] = evidence
            return True

    def evidence(self, origin: str) -> tuple[Evidence, ...]:
        """See `tagtrail.ports.Seen`."""
        return tuple(evidence for evidence in self.kept.values() if evidence.origin == origin)

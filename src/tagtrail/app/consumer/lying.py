"""What verification asks of a file wherever it lies: itself, and the evidence that belongs to it. Types, no code."""

from typing import Protocol

from tagtrail.model.facts import Entry
from tagtrail.ports import Tell
from tagtrail.verify.release import Measured

__all__ = ["Lying"]


class Lying(Protocol):
    """A file that lies somewhere: `shown` is its name for people, `fetched` says from where evidence was got for it."""

    shown: str

    @property
    def fetched(self) -> tuple[str, ...]:
        """Addresses, in the order in which they were read."""
        ...

    def proof(self, name: str) -> bytes:
        """The proof of the file, which must be called `name` in its entry. Raises TamperError `proof-missing`."""
        ...

    def tag(self, entry: Entry, origin: str) -> bytes | None:
        """The tag object of `entry` in the log `origin`; None: not there."""
        ...

    def measure(self, name: str, entry: Entry, tell: Tell) -> Measured:
        """The file itself, read to its end; `entry`, not proven yet, says how large it should be."""
        ...

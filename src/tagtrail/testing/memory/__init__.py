"""One in-memory adapter for each port, every effect of which passes a fuse: a whole instance without a disk."""

from tagtrail.testing.memory.journal import Journal
from tagtrail.testing.memory.kept import Kept, Store, Web
from tagtrail.testing.memory.ledger import Ledger
from tagtrail.testing.memory.make import Builder, Signer
from tagtrail.testing.memory.seen import Seen
from tagtrail.testing.memory.source import Notes, Repository, Source
from tagtrail.testing.memory.target import Fault, Target
from tagtrail.testing.memory.witness import Witness

__all__ = [
    "Builder", "Fault", "Journal", "Kept", "Ledger", "Notes", "Repository", "Seen", "Signer", "Source", "Store",
    "Target", "Web", "Witness",
]  # fmt: skip

"""What the tests of all channels stand on: two releases with kept notices, and a drive until nothing moves any more."""

from dataclasses import dataclass, field, replace

from tagtrail.formats.notice import MEDIA, notice_blob, notice_bytes
from tagtrail.model.facts import Effect, Logged, Row
from tagtrail.model.notice import Notice
from tagtrail.ports import Target
from tagtrail.testing import samples
from tagtrail.testing.memory import Journal, Kept
from tagtrail.workflows import carry


@dataclass
class Ground:
    """Two releases of nova, what is said of them, and its bytes kept."""

    kept: Kept = field(default_factory=Kept)
    logged: Logged = field(init=False)
    later: Logged = field(init=False)
    notice: Notice = field(init=False)

    def __post_init__(self) -> None:
        self.logged = samples.logged(self.kept, 3)
        self.later = samples.logged(self.kept, 7, version="1.1.0")
        self.notice = self.keep(samples.notice(self.logged.entry))
        self.keep(samples.notice(self.later.entry))

    def keep(self, notice: Notice, **changes: str) -> Notice:
        changed = replace(notice, **changes)  # type: ignore[arg-type]
        self.kept.put([notice_bytes(changed)], MEDIA)
        return changed

    def effect(self, target: str, notice: Notice | None = None) -> Effect:
        told = self.keep(notice or self.notice)
        return Effect(target=target, key=f"notice:{told.key}", entry=3, path=told.subject, blob=notice_blob(told))

    def alter(self, digest: str) -> None:
        self.kept.blobs[digest] = b"altered"


@dataclass
class Drive:
    """The driver over one notice, an attempt longer than any lag apart."""

    ground: Ground
    target: Target
    journal: Journal = field(default_factory=Journal)
    ours: bool = True
    now: int = samples.TIME
    step: int = 100_000

    def once(self) -> Row:
        self.now += self.step
        (row,) = carry.drive(
            self.ground.logged,
            self.target,
            self.journal,
            notice=self.ground.notice,
            ours=self.ours,
            clock=lambda: self.now,
            tell=lambda *_: None,
        )
        return row

    def to_the_end(self, *, lose: bool = False, most: int = 6) -> Row:
        """The row when nothing is to be done any more; with `lose` the journal is lost after the first drive."""
        row = self.once()
        if lose:
            self.journal, self.ours = Journal(), False
            row = self.once()
        while row.state not in ("seen", "held", "conflict") and most:
            row, most = self.once(), most - 1
        return row

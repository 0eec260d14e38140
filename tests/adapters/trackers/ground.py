"""What the tests of all trackers stand on: two releases with kept bytes, and a drive until nothing moves any more."""

from dataclasses import dataclass, field, replace

from tagtrail.formats.drafts import withdraw_draft
from tagtrail.formats.site import Site
from tagtrail.model.facts import Entry, Logged, Row
from tagtrail.ports import Target
from tagtrail.testing import samples
from tagtrail.testing.memory import Journal, Kept
from tagtrail.workflows import carry

URL = "https://releases.example.org/"
SITE = Site(name="Example", origin="releases.example.org/trail", url=URL)
PAGE = f"{URL}nova/1.0.0/"
WHY = "loses data on upgrade; take 1.1.0"
SAID = f"nova 1.0.0 is withdrawn: {WHY}. Do not install it. {PAGE}"


@dataclass
class Ground:
    """Two releases of nova, as the trail has them."""

    kept: Kept = field(default_factory=Kept)
    logged: Logged = field(init=False)
    later: Logged = field(init=False)
    withdrawal: Logged = field(init=False)

    def __post_init__(self) -> None:
        self.logged = samples.logged(self.kept, 3)
        self.later = samples.logged(self.kept, 7, version="1.1.0")
        draft = withdraw_draft(self.logged.entry, WHY, policy="0" * 64)
        self.withdrawal = replace(self.logged, entry=samples.entry(9, draft), blobs=())

    def entry(self, index: int) -> Entry:
        return {3: self.logged.entry, 7: self.later.entry, 9: self.withdrawal.entry}[index]

    def alter(self, digest: str) -> None:
        self.kept.blobs[digest] = b"altered"

    @property
    def digests(self) -> dict[str, str]:
        """Of the first release's files."""
        return {sidecar.name: sidecar.blob.sha256 for sidecar in self.logged.blobs}


@dataclass
class Drive:
    """The driver over one release, an attempt longer than any lag apart; `told` are the rows' moves."""

    ground: Ground
    target: Target
    journal: Journal = field(default_factory=Journal)
    logged: Logged | None = None
    now: int = 10_000
    told: list[str] = field(default_factory=list)

    def once(self) -> tuple[Row, ...]:
        self.now += 4_000
        return carry.drive(
            self.logged or self.ground.logged,
            self.target,
            self.journal,
            notice=None,
            ours=True,
            clock=lambda: self.now,
            tell=lambda name, event: self.told.append(f"{event['path']}: {event['state']}" if name == "row" else name),
        )

    def to_the_end(self, *, lose: bool = False, most: int = 12) -> int:
        """The exit code when nothing is to be done any more; with `lose` the journal is lost after the first drive."""
        code = 5
        for turn in range(most):
            code = carry.exit_code(self.once())
            if turn == 0 and lose:
                self.journal, code = Journal(), 5
            if code in (0, 6):
                break
        return code

"""A world where people must approve and files come from elsewhere, and wheels that others built."""

import hashlib
import io
import zipfile
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field, replace

from tagtrail.formats.approval import NAMESPACE, format_approval
from tagtrail.model.facts import Artifact, Key
from tagtrail.model.settings import Approve, Project, Settings
from tagtrail.testing.fuse import Fuse
from tagtrail.testing.people import Person
from tagtrail.workflows.add import stage
from tagtrail.workflows.approve import Asked, record
from tagtrail.workflows.intake import take_in
from tagtrail.workflows.release import Outcome, look, pending, release
from tagtrail.workflows.road import Road
from tests.workflows.world import ADA, World

BOB, CAT, EVE = Person(name="bob"), Person(name="cat"), Person(name="eve")
BOB2 = Person(name="bob's second key")
MAC = "nova-1.0.0-cp311-cp311-macosx_11_0_arm64.whl"
WIN = "nova-1.0.0-cp311-cp311-win_amd64.whl"


@dataclass
class Desk(World):
    """ADA signs nova's tags; bob (two keys), cat and ADA are the release team, `need` of whom must approve."""

    need: int = 1
    author: bool = False
    expect: tuple[str, ...] = ()
    more: dict[str, frozenset[str]] = field(default_factory=dict)

    def project(self, name: str = "nova") -> Project:
        return replace(super().project(name), expect=self.expect)

    @property
    def settings(self) -> Settings:
        made = super().settings
        approve = Approve(need=self.need, group="release-team" if self.need else "", author_counts=self.author)
        return replace(made, org=replace(made.org, approve=approve))

    def road(self, fuse: Fuse | None = None) -> Road:
        people: dict[str, tuple[Key, ...]] = {
            "team": (ADA.key,),
            "release-team": (ADA.key, BOB.key, BOB2.key, CAT.key),
        }
        names = {person.key.fingerprint: frozenset({person.name}) for person in (ADA, BOB, CAT, EVE)}
        names[BOB2.key.fingerprint] = frozenset({"bob", "robert"})
        return replace(super().road(fuse), people=people, names=lambda: names | self.more)

    def go(self) -> Outcome:
        return release(self.road(), self.project(), "1.0.0")

    def asked(self) -> Asked:
        asked = pending(self.road(), self.project(), "1.0.0")
        assert asked is not None
        return asked

    def approve(self, *people: Person) -> None:
        for person in people:
            asked = self.asked()
            record(self.road(), asked, person.sign(format_approval(asked.text), NAMESPACE))

    @property
    def tag(self) -> str:
        """SHA-256 of the tag object."""
        found = look(self.road(), self.project(), "1.0.0")
        if found.tag:
            return found.tag.sha256
        assert found.taken is not None
        assert found.taken.tag is not None
        return found.taken.tag.sha256

    def add(self, name: str = MAC, data: bytes = b"", by: str = "SHA256:ci") -> Artifact:
        artifact = taken(self, name, data or wheel(name), by=by)
        stage(self.road(), self.project(), "1.0.0", self.tag, artifact)
        return artifact


def taken(world: World, name: str, data: bytes, by: str = "SHA256:ci") -> Artifact:
    return take_in(
        io.BytesIO(data),
        name,
        project=world.project(),
        version="1.0.0",
        by=by,
        kept=world.kept,
        spool=io.BytesIO(),
    )


def wheel(
    name: str = MAC,
    *,
    info: str = "nova-1.0.0.dist-info",
    metadata: str | None = "Metadata-Version: 2.1\nName: nova\nVersion: 1.0.0\nRequires-Python: >=3.11\n",
    tags: tuple[str, ...] = (),
    version: str = "1.0",
    build: str = "",
    record: str | None = None,
    more: dict[str, bytes] | None = None,
    changed: dict[str, bytes] | None = None,
) -> bytes:
    """A wheel as others build it; `more` are members that RECORD knows, `changed` what is really packed."""
    said = tags or (name.removesuffix(".whl").split("-", 2)[2],)
    lines = [f"Wheel-Version: {version}", "Generator: other", "Root-Is-Purelib: false", *(f"Tag: {t}" for t in said)]
    text = "".join(f"{line}\n" for line in [*lines, *([f"Build: {build}"] if build else [])])
    about = {} if metadata is None else {f"{info}/METADATA": metadata.encode()}
    files = {"nova/_fast.so": b"\x7fELF", **about, f"{info}/WHEEL": text.encode(), **(more or {})}
    rows = [f"{n},sha256={_digest(d)},{len(d)}\n" for n, d in files.items()]
    listing = "".join([*rows, f"{info}/RECORD,,\n"]) if record is None else record
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for path, data in (files | {f"{info}/RECORD": listing.encode()} | (changed or {})).items():
            packed.writestr(zipfile.ZipInfo(path), data)
    return out.getvalue()


def _digest(data: bytes) -> str:
    return urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")

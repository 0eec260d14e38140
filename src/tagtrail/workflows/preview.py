"""The announcement before there is a release: what people would read, as far as it is known before a build."""

from hashlib import sha256

from tagtrail.formats.site import Site
from tagtrail.model.facts import Artifact, Entry, File, Plan
from tagtrail.model.frozen import frozen
from tagtrail.model.notice import Notice
from tagtrail.workflows.announce import sayings
from tagtrail.workflows.road import Road

__all__ = ["preview"]


@frozen
class _Preview:
    """The project's history with an entry that is not there yet: all of `pages.View` that a notice reads."""

    site: Site
    history: tuple[Entry, ...]
    notes: bytes

    def entries(self, _project: str) -> tuple[Entry, ...]:
        """See `tagtrail.pages.View`."""
        return self.history

    def kept(self, _sha256: str) -> bytes:
        """See `tagtrail.pages.View`."""
        return self.notes


def preview(road: Road, plan: Plan, index: int, artifacts: tuple[Artifact, ...] = ()) -> Notice | None:
    """What would be said of a plan; None where nobody would be told. Nothing is written.

    Before a build there are no files to name. Raises SetupError `text-template`.
    """
    if not plan.announce:
        return None
    from tagtrail import pages

    tag, notes = plan.tag, plan.notes.encode()
    entry = Entry(
        index=index,
        raw=b"{}",
        event="release",
        project=tag.project,
        time=tag.time,
        files=tuple(File(name=a.name, sha256=a.blob.sha256, size=a.blob.size) for a in artifacts),
        version=tag.version,
        kind=plan.kind,
        channel=plan.channel,
        series=plan.series,
        purl=plan.purl,
        sidecars=((f"{tag.project}-{tag.version}.notes.md", sha256(notes).hexdigest()),),
    )
    view = _Preview(site=road.site, history=(*road.ledger.entries(project=tag.project), entry), notes=notes)
    return pages.notice(view, entry, sayings(road, tag.project))  # type: ignore[arg-type]  # a notice reads no more

"""Files that lie beside artifacts (signatures, sums, notes, SBOM), kept."""

from collections.abc import Sequence

from tagtrail.formats.site import media
from tagtrail.model.facts import Sidecar
from tagtrail.workflows.road import Road

__all__ = ["sidecars"]


def sidecars(road: Road, files: Sequence[tuple[str, bytes]]) -> tuple[Sidecar, ...]:
    """One for each (name, bytes), in that order; on disk when this returns. Raises what `Kept.put_all` raises."""
    blobs = road.kept.put_all(([data], media(name)) for name, data in files)
    return tuple(Sidecar(name=name, blob=blob) for (name, _), blob in zip(files, blobs, strict=True))

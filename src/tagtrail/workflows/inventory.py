"""What lies on a site beside its pages: the files that the trail's entries name, and the trail itself."""

from collections.abc import Iterator

from tagtrail.formats.reproduction import is_statement
from tagtrail.formats.site import CHECKPOINT, Site
from tagtrail.model.facts import Entry

__all__ = ["TILES", "files_of", "is_ours"]

TILES = CHECKPOINT.removesuffix("checkpoint") + "tile/"

_OURS = frozenset({"robots.txt"})
"""What an operator may put on a site: it concerns nobody who verifies."""


def files_of(entry: Entry, site: Site) -> Iterator[tuple[str, str]]:
    """Path and SHA-256 of everything that an entry puts on the site; of proofs the digest is empty."""
    if entry.event == "reproduced":
        for path, digest in ((site.file(entry.project, f.name), f.sha256) for f in entry.files if is_statement(f.name)):
            yield path, digest
            yield f"{path}.tlog-proof", ""
    if entry.event != "release":
        return
    for file in entry.files:
        path = site.file(entry.project, file.name)
        yield path, file.sha256
        yield f"{path}.tlog-proof", ""
        if file.metadata:
            yield f"{path}.metadata", file.metadata
    for name, digest in entry.sidecars:
        yield site.file(entry.project, name), digest


def is_ours(path: str) -> bool:
    """Whether a path is neither page nor file of an entry and still belongs: the trail's tiles, robots.txt."""
    return path == CHECKPOINT or path.startswith(TILES) or path in _OURS

"""What rules are told of a release's files: names, members, what they say of themselves, how an index shows that.

Files that say the same are told of once, and whatever is asked of the outside is asked once for what is alike.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

from tagtrail.formats.metadata import parse_metadata
from tagtrail.model.errors import ProjectError
from tagtrail.model.facts import Artifact
from tagtrail.model.metadata import IndexView, Metadata
from tagtrail.model.settings import Project
from tagtrail.rules.facts import After, Described
from tagtrail.rules.versions import is_patch, read
from tagtrail.workflows.road import Road

__all__ = ["KEPT", "after", "described"]

KEPT: Mapping[str, bytes] = MappingProxyType({})
"""All that files say of themselves is kept."""


def after(
    road: Road, project: Project, version: str, artifacts: Sequence[Artifact], unkept: Mapping[str, bytes] = KEPT
) -> After:
    """The facts of a release's files, built here or brought; `unkept` is metadata by its SHA-256 that is not kept yet.

    What is in an archive that was brought or imported is not held against the tag: nobody here knows what its build
    makes. Raises TamperError `kept-missing`, `kept-altered`.
    """
    follows, previous = _previous(road, project, version)
    blobs = ((a.name, a.metadata.sha256) for a in artifacts if a.metadata)
    said = ((name, unkept[digest] if digest in unkept else road.kept.read(digest)) for name, digest in blobs)
    return After(
        project=project.name,
        version=version,
        files=tuple(a.name for a in artifacts),
        generated=tuple((a.name, a.generated) for a in artifacts if a.origin.how == "built"),
        reasons=project.generated,
        python=project.is_python,
        settings=project,
        indexed=any(road.settings.target(name).type == "index" for name in project.publish),
        described=described(said, road.view),
        remarks=tuple((a.name, remark) for a in artifacts for remark in a.remarks),
        follows=follows,
        previous=previous,
    )


def described(files: Iterable[tuple[str, bytes]], view: Callable[[Metadata], IndexView]) -> tuple[Described, ...]:
    """Files by name, each with its core metadata; those that say the same together.

    Raises ProjectError `metadata-invalid`.
    """
    alike: dict[Metadata, list[str]] = {}
    for name, data in files:
        alike.setdefault(parse_metadata(data, name), []).append(name)
    views: dict[tuple[object, ...], IndexView] = {}
    found = []
    for says, names in alike.items():
        shown = (says.description, says.content_type, says.classifiers)
        views[shown] = views.get(shown) or view(says)
        found.append(Described(files=tuple(names), says=says, view=views[shown]))
    return tuple(found)


def _previous(road: Road, project: Project, version: str) -> tuple[str, Metadata | None]:
    """The release that this one is a patch of, and what it said of itself; nothing where its bytes are not here."""
    new = read(project.versions, version)
    released = [e for e in road.ledger.entries(project=project.name) if e.event == "release"]
    found = [(old, e) for e in released if new and (old := read(project.versions, e.version)) and is_patch(new, old)]
    if not found:
        return "", None
    _, entry = max(found, key=lambda pair: (pair[0], pair[1].index))
    said = sorted((not f.name.endswith(".whl"), f.metadata) for f in entry.files if f.metadata)
    if not said or road.kept.blob(said[0][1], "text/plain") is None:
        return entry.version, None
    try:
        return entry.version, parse_metadata(road.kept.read(said[0][1]), entry.version)
    except ProjectError:  # what is wrong with it is past mending
        return entry.version, None

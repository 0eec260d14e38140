"""The staging index of a draft: the site's own renderer over the draft, before anything is public.

/staging/PROJECT/VERSION/simple/            an index of one project and one version, for pip and uv
/staging/PROJECT/VERSION/PROJECT/FILE       its files, from the kept bytes: what is tried is what is published

Where VERSION stands, the tag may, with slashes in it: so an address is read from its end.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from tagtrail import pages
from tagtrail.formats import drafts
from tagtrail.formats import entry as entries
from tagtrail.formats.purl import purl
from tagtrail.formats.settings import project_of
from tagtrail.formats.site import DEFAULT_PATH, Site, format_site, media
from tagtrail.model.errors import ProjectError
from tagtrail.model.facts import Approved, Artifact, Built, Draft, Entry, Plan, Signed, Tag
from tagtrail.model.names import name_key, project_key
from tagtrail.model.settings import Project
from tagtrail.pages import ListView
from tagtrail.trail import sequencer
from tagtrail.workflows.add import asked_later
from tagtrail.workflows.examine import refuse
from tagtrail.workflows.release import look
from tagtrail.workflows.road import Road
from tagtrail.workflows.staged import drafted, staged

__all__ = ["Found", "find", "parted"]

_PAGES = ("", "index.html", "index.json")
_NOT_YET = "0" * 64
"""Where the entry will have the digest of the tag's tree: no page of the index shows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What lies at a path: kept bytes by their SHA-256, or a page."""

    media: str
    size: int
    pieces: Iterator[bytes]


def parted(name: str, words: Sequence[str]) -> tuple[str, str] | None:
    """The tag, and the path in its index, of what stands behind /staging/NAME/; None: that is no such address."""
    about = len(words) > 1 and project_key(words[-2]) == project_key(name)
    if words[-1] not in _PAGES:
        at = len(words) - 2 if about else 0
    elif words[-3:-2] == ["simple"] and about:
        at = len(words) - 3
    else:
        at = len(words) - 2 if words[-2:-1] == ["simple"] else 0
    return ("/".join(words[:at]), "/".join(words[at:])) if at > 0 else None


def find(road: Road, name: str, tag: str, path: str) -> Found | None:
    """What the staging index of a tag has at `path`; None: nothing.

    Raises SetupError `project-unknown`, `tag-missing`; ProjectError `draft-empty`, and the rules' codes.
    """
    entry = _draft(road, project_of(road.settings, name), tag)
    site = replace(road.site, url="", path=DEFAULT_PATH)
    for file in entry.files:
        where = site.file(entry.project, file.name)
        for suffix, digest in (("", file.sha256), (".metadata", file.metadata)):
            if path == where + suffix and digest:
                return _kept(road, digest, file.name + suffix)
    return _page(road, site, entry, path)


def _kept(road: Road, digest: str, name: str) -> Found | None:
    blob = road.kept.blob(digest, media(name))
    if blob is None:
        return None
    return Found(media=blob.media, size=blob.size, pieces=road.kept.chunks(digest))


def _page(road: Road, site: Site, entry: Entry, path: str) -> Found | None:
    """A page of the index, and of nothing else: the release page says that the trail has it."""
    if not path.startswith("simple/"):
        return None
    settings = format_site(site)
    digest = sha256(settings).hexdigest()
    key = entries.parse(0, drafts.seal(drafts.event_draft("key", "", [("site.json", digest)]), entry.time))
    view = ListView((key, entry), lambda wanted: settings if wanted == digest else road.kept.read(wanted))
    try:
        page = pages.page(path + "index.html" * path.endswith("/"), view)
    except (KeyError, LookupError):
        return None
    kind = media("index.html" if path.endswith("/") else path)
    return Found(media=kind, size=len(page), pieces=iter((page,)))


def _draft(road: Road, project: Project, tag: str) -> Entry:
    """The entry that the draft would become now."""
    examined = look(road, project, tag)
    if examined.taken is not None:
        standing = sequencer.find_release(road.ledger, project.name, examined.taken.version) or examined.taken
        later = asked_later(road, project, standing)
        draft = drafts.later_draft(standing, later[0], policy=later[1].text.settings) if later else None
        return entries.parse(1, drafts.seal(draft, road.clock())) if draft else replace(standing, index=1)
    refuse(examined)
    if examined.tag is None:
        raise _empty(project, tag, "its signature does not count")
    artifacts = (*staged(road, project.name, examined.tag.sha256), *drafted(road, project.name, examined.tag.sha256))
    if not artifacts:
        raise _empty(project, tag, "nothing is built or brought yet")
    unique = {name_key(project.name, artifact.name): artifact for artifact in artifacts}  # the last stands: it is built
    whole = tuple(sorted(unique.values(), key=lambda artifact: artifact.name))
    draft = _first(road, project, examined.tag, examined.channel, whole)
    return entries.parse(1, drafts.seal(draft, road.clock()))


def _first(road: Road, project: Project, tag: Tag, channel: str, artifacts: tuple[Artifact, ...]) -> Draft:
    plan = Plan(
        tag=tag,
        kind=project.kind,
        channel=channel,
        series=project.series,
        builds=project.build,
        subdirectory=project.subdirectory,
        targets=(),
        announce=(),
        policy=road.policy(project),
        purl=purl(project.name, tag.version, python=project.is_python, index=""),
        notes="",
    )
    built = Built(plan=plan, artifacts=artifacts, tree=_NOT_YET)
    return drafts.draft(Signed(approved=Approved(built=built), sidecars=()))


def _empty(project: Project, tag: str, why: str) -> ProjectError:
    hint = f"tagtrail release {project.name} {tag}"
    return ProjectError(f"{project.name} {tag} has no draft to look at", code="draft-empty", why=why, hint=hint)

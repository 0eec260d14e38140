r"""`/PROJECT/watch`: how a packager's uscan finds the newest archive of a project and checks its signature.

    version=4
    opts="\
    uversionmangle=s/.../$1~$2/gi,\
    pgpmode=mangle,\
    pgpsigurlmangle=s/$/.asc/" \
    https://releases.example.org/nova/ nova@ANY_VERSION@@ARCHIVE_EXT@

It is a debian/watch as it stands. uscan reads the links of the project's page, which has one for each archive of the
source that was not withdrawn. Pre-releases sort before what they lead to, as PEP 440 has them: 1.0~~dev1, 1.0~a1,
1.0~rc1, 1.0; zeros behind the third number do not count. A version with an epoch is not found. Source: uscan(1).
"""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from tagtrail.formats.site import project_page
from tagtrail.model.facts import File
from tagtrail.model.names import name_key, project_key
from tagtrail.pages.history import Release, releases
from tagtrail.pages.text import relative
from tagtrail.pages.view import View

__all__ = ["Archive", "archives", "has_archives", "shown", "watch"]

_SUFFIXES = (".tar.xz", ".tar.bz2", ".tar.gz", ".tar.zst", ".zip", ".tgz", ".tbz", ".txz")
_MANGLE = (
    r"s/^(\d+\.\d+\.\d+)(?:\.0)+(?=[-_.+]?(?:alpha|beta|rc|dev|pre|[abc]\d))/$1/i",
    r"s/(\d)[-_.+]?((?:alpha|beta|rc|dev|pre)(?=[-_.\d]|$)|[abc](?=\d))[-_.]?/$1~$2/gi",
    r"s/~dev/~~dev/gi",
)
"""Perl, without the comma, semicolon and double quote that a rule may not have."""

Archive = tuple[str, str]
"""The address of an archive, as the project's page writes it, and what it ends with."""


def archives(release: Release) -> tuple[File, ...]:
    """The files of a release that are its source and nothing else: named by project and version alone."""
    return tuple(file for file in release.files if _is_source(release, file.name))


def has_archives(found: Iterable[Release]) -> bool:
    """Whether there is anything to watch for; once there is, there always is."""
    return any(archives(release) for release in found)


def shown(view: View, name: str, release: Release) -> tuple[Archive, ...]:
    """The links of a release on the project's page; none once it was withdrawn."""
    files = () if release.withdrawn else archives(release)
    places = (view.site.file(release.home(file.name), file.name) for file in files)
    return tuple((_address(name, place), _suffix(place)) for place in places)


def watch(view: View, name: str) -> bytes:
    """`/PROJECT/watch`. KeyError where nobody writes the project so, or it has no archives."""
    entries = view.entries(name)
    found = releases(entries)
    if not has_archives(found) or not any(e.project == name for e in entries):
        raise KeyError(name, "watch")
    lines = _lines(view, name, found) if view.site.url else ("# This site has no address to watch.", "version=4")
    return "".join(f"{line}\n" for line in lines).encode()


def _lines(view: View, name: str, found: tuple[Release, ...]) -> Iterator[str]:
    page = view.site.url + quote(project_page(name).removesuffix("index.html"))
    newest = next(release for release in reversed(found) if archives(release))
    signed = all(f"{file.name}.asc" in newest.sidecars for file in archives(newest))
    yield f"# debian/watch for the archives of {page}"
    if signed:
        yield f"# debian/upstream/signing-key.asc is {view.site.url}trail/keys/release-key.asc"
    folders = {_address(name, view.site.file(release.project, "")) for release in found}
    options = [f"uversionmangle={';'.join(_MANGLE)}"]
    options += ["pgpmode=mangle", "pgpsigurlmangle=s/$/.asc/"] if signed else ["pgpmode=none"]
    options += [r"downloadurlmangle=s%/[^/]+/\.\./%/%"] if any(folder.startswith("../") for folder in folders) else []
    yield "version=4"
    yield 'opts="\\'
    yield from (f"{option},\\" for option in options[:-1])
    yield f'{options[-1]}" \\'
    yield f"{page} {_either(folders)}{_stem(found)}@ANY_VERSION@@ARCHIVE_EXT@"


def _is_source(release: Release, name: str) -> bool:
    suffix = _suffix(name)
    own = f"{release.project}-{release.version}{suffix}"
    return bool(suffix) and name_key(release.project, name) == name_key(release.project, own)


def _suffix(name: str) -> str:
    return next((suffix for suffix in _SUFFIXES if name.endswith(suffix)), "")


def _address(name: str, place: str) -> str:
    """From `/PROJECT/`: without `..` where it can be, for not every server makes sense of that."""
    own = f"{name}/"
    return quote(place.removeprefix(own)) if place.startswith(own) else relative(project_page(name), place)


def _either(folders: Iterable[str]) -> str:
    ways = [re.escape(folder) for folder in sorted(folders)]
    return ways[0] if len(ways) == 1 else f"(?:{'|'.join(ways)})"


def _stem(found: tuple[Release, ...]) -> str:
    """The project in the names of its archives: `oslo.config` was `oslo.config-1.0`, and is `oslo_config-9.7`."""
    named = (file.name for release in found for file in archives(release))
    stem = "[-_.]".join(re.escape(part) for part in project_key(found[0].project).split("-"))
    return stem if all(name == name.lower() for name in named) else f"(?i:{stem})"

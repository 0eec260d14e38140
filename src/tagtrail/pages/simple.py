"""The index that pip and uv install from: PEP 503 as HTML and PEP 691 as JSON, both at API version 1.4.

The HTML is frozen at 1.4 (PEP 833): new fields go into JSON only. Yanked files as of PEP 592, metadata files as of PEP
658 under the names of PEP 714 (in HTML the first name too, for old clients), size and upload time as of PEP 700, the
project's status as of PEP 792 (always `active`). No attestations (PEP 740), no tracks (PEP 708 was rejected).
Addresses are relative, so the site works below any prefix.
"""

from collections.abc import Iterator
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from tagtrail.formats.times import format_time
from tagtrail.model.facts import File
from tagtrail.model.names import project_key
from tagtrail.pages.history import Release, reason, releases
from tagtrail.pages.html import template
from tagtrail.pages.text import json_bytes, relative
from tagtrail.pages.view import View

__all__ = ["project_html", "project_json", "root_html", "root_json"]

API = "1.4"
ROOT = "simple/index.html"
_DISTRIBUTIONS = (".whl", ".tar.gz", ".zip")


def root_html(view: View) -> bytes:
    """`/simple/`: one anchor per project."""
    return template("simple.html", api=API, links=[(name, project_key(name)) for name in view.projects("pypi")])


def root_json(view: View) -> bytes:
    """`/simple/index.json`."""
    return json_bytes({"meta": {"api-version": API}, "projects": [{"name": name} for name in view.projects("pypi")]})


def project_html(view: View, name: str) -> bytes:
    """`/simple/NAME/`: one anchor per file. KeyError for what is no Python project."""
    files = [(f, _url(view, r, f), r) for r in _python(view, name) for f in _files(r)]
    return template("simple_project.html", api=API, name=name, files=files, reason=reason)


def project_json(view: View, name: str) -> bytes:
    """`/simple/NAME/index.json`. KeyError for what is no Python project."""
    found = _python(view, name)
    return json_bytes(
        {
            "meta": {"api-version": API},
            "name": canonicalize_name(name),
            "project-status": {"status": "active"},
            "versions": [_version(r.version) for r in found],
            "files": [_file(view, r, f) for r in found for f in _files(r)],
        }
    )


def _python(view: View, name: str) -> list[Release]:
    found = [r for r in releases(view.entries(name)) if r.is_python]
    if not found or project_key(name) != name:
        raise KeyError(name)
    return found


def _files(release: Release) -> Iterator[File]:
    return (f for f in release.files if f.name.endswith(_DISTRIBUTIONS))


def _url(view: View, release: Release, file: File) -> str:
    return relative("simple/name/index", view.site.file(release.home(file.name), file.name))


def _version(text: str) -> str:
    try:
        return str(Version(text))
    except InvalidVersion:
        return text


def _file(view: View, release: Release, file: File) -> dict[str, Any]:
    optional: dict[str, Any] = {
        "requires-python": file.requires_python,
        "core-metadata": {"sha256": file.metadata} if file.metadata else None,
        "yanked": (reason(release.withdrawn) or True) if release.withdrawn else None,
    }
    return {
        "filename": file.name,
        "url": _url(view, release, file),
        "hashes": {"sha256": file.sha256},
        "size": file.size,
        "upload-time": format_time(release.entry_of(file).time),
        "gpg-sig": f"{file.name}.asc" in release.sidecars,
        **{key: value for key, value in optional.items() if value},
    }

"""`/PROJECT/releases.json`: a project's releases for programs; docs/format/site.md is its specification."""

from typing import Any

from tagtrail.formats.site import release_page
from tagtrail.formats.times import format_time
from tagtrail.model.facts import Entry, File
from tagtrail.pages.history import Release, reason, releases, whole_project
from tagtrail.pages.text import json_bytes, relative
from tagtrail.pages.view import View

__all__ = ["TYPE", "releases_json"]

TYPE = "https://tagtrail.dev/releases/v1"
_TAG = ("repo", "name", "object", "commit", "signer")


def releases_json(view: View, name: str) -> bytes:
    """All releases of a project, newest first. KeyError for a project that nobody writes so."""
    entries = view.entries(name)
    found = releases(entries)
    if not found or not any(e.project == name for e in entries):
        raise KeyError(name)
    return json_bytes(
        {
            "_type": TYPE,
            "project": name,
            "origin": view.site.origin,
            "releases": [_release(view, name, r) for r in reversed(found)],
            "events": [_event(e) for e in reversed(whole_project(entries))],
        }
    )


def _release(view: View, name: str, release: Release) -> dict[str, Any]:
    first, gone = release.first, release.withdrawn
    page = release_page(release.project, release.version).removesuffix("index.html")
    return {
        "version": release.version,
        "channel": first.channel,
        "series": first.series,
        "time": format_time(first.time),
        "entries": [e.index for e in release.entries],
        "page": _address(name, page),
        "purl": first.purl,
        "tag": {key: getattr(first.tag, key) for key in _TAG} if first.tag else None,
        "withdrawn": {"entry": gone.index, "time": format_time(gone.time), "reason": reason(gone)} if gone else None,
        "files": [_file(view, name, release, f) for f in release.files],
        "sidecars": [
            {"name": s, "url": _address(name, view.site.file(release.home(s), s)), "sha256": digest}
            for s, digest in release.sidecars.items()
        ],
        "events": [_event(e) for e in release.events],
    }


def _file(view: View, name: str, release: Release, file: File) -> dict[str, Any]:
    return {
        "name": file.name,
        "url": _address(name, view.site.file(release.home(file.name), file.name)),
        "size": file.size,
        "sha256": file.sha256,
        "requires-python": file.requires_python,
        "origin": file.origin.how,
        "generated": list(file.generated),
        "entry": release.entry_of(file).index,
    }


def _event(entry: Entry) -> dict[str, Any]:
    return {"event": entry.event, "entry": entry.index, "time": format_time(entry.time), "version": entry.version}


def _address(name: str, path: str) -> str:
    """Relative to `/PROJECT/`."""
    return relative(f"{name}/releases.json", path)

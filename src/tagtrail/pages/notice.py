"""The announcement of a release, of a withdrawal, or of many releases at once: what it is, who gets it, how to get
and to check it, what is new, where bugs go.

It is a function of the trail and of what the settings say: the same release, the same bytes. Nothing in it is a link
but the site's own addresses, those of places that were seen to show the release, and the settings' own; where notes
link to is text.
"""

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import quote

from tagtrail.formats.carried import address, own_names
from tagtrail.formats.metadata import parse_metadata
from tagtrail.formats.site import sums_name
from tagtrail.formats.times import format_time
from tagtrail.model.entry import Entry
from tagtrail.model.errors import ProjectError
from tagtrail.model.facts import File
from tagtrail.model.notice import SHORT, Notice, Place, ToldFile
from tagtrail.model.texts import Sayings
from tagtrail.pages.history import Release, newest, page_about, reason, releases, same_version, visible
from tagtrail.pages.notes import render_notes
from tagtrail.pages.plain import MOST, parted, plain_notes
from tagtrail.pages.text import clean
from tagtrail.pages.texts import filled
from tagtrail.pages.view import View

__all__ = ["MOST_FILES", "digest", "notice"]

MOST_FILES = 20
"""Files that are named with their digests; a release of more names the list of all digests."""

_KINDS = {
    "rc": "a release candidate",
    "beta": "a beta",
    "alpha": "an alpha",
    "dev": "a development snapshot",
    "post": "a post-release",
}
_LONGEST = 200
"""Characters of a subject."""

_LINK = re.compile(r'<a href="([^"]*)"[^>]*>(.*?)</a>', re.DOTALL)


def notice(view: View, entry: Entry, sayings: Sayings) -> Notice:
    """What is said of a release or a withdrawal. Raises SetupError `text-template`, TamperError `kept-missing` or
    `kept-altered`."""
    release = _release(view, entry)
    say = _withdrawn if entry.event == "withdraw" else _released
    return say(view, entry, release, sayings)


def digest(view: View, notices: Sequence[Notice], sayings: Sayings) -> Notice:
    """What is said of several at once, in the trail's order. Raises SetupError `text-template`."""
    told = sorted(notices, key=lambda one: one.entries)
    newest, site = told[-1], view.site
    day = format_time(newest.time)[:10]
    subject = _one_line(f"{site.name}: {len(told)} releases, {day}", _LONGEST)
    values = {"org": site.name, "origin": site.origin, "site": site.url, "day": day, "notices": told}
    return Notice(
        key=f"together-{newest.entries[-1]}",
        event="digest",
        subject=subject,
        text=_text(filled(sayings.texts, "digest", values)),
        html=_html(filled(sayings.texts, "digest-html", values)),
        short=_short(f"{subject}: {site.url}" if site.url else subject, site.url),
        entries=tuple(index for one in told for index in one.entries),
        time=newest.time,
        org=site.name,
        origin=site.origin,
        thread=day[:7],
        url=site.url,
    )


def _release(view: View, entry: Entry) -> Release | None:
    return next((r for r in releases(view.entries(entry.project)) if same_version(r.version, entry.version)), None)


def _released(view: View, entry: Entry, release: Release | None, sayings: Sayings) -> Notice:
    seen = visible(view.entries(entry.project), release) if release else ""
    names = sorted(own_names(entry), key=lambda name: (name.endswith(".whl"), name))
    files = tuple(_files(view, entry.project, entry.files, names))
    fetch = " --fetch" if view.site.url else ""  # else its proof has to lie beside it
    said = _said(view, entry, sayings) | {
        "visible": seen,
        "files": files[:MOST_FILES],
        "verify": f"tagtrail verify {shlex.quote(files[0].name)}{fetch}" if files else "",
    }
    values = said | {
        "kind": _KINDS.get(entry.channel, ""),
        "summary": _summary(view, release),
        "index": entry.index if entry.raw else None,
        "site": view.site.url,
        "places": tuple(Place(name=p.name, where=p.where if _is_web(p.where) else "") for p in sayings.places),
        "commands": tuple(_commands(view, release, files, sayings)),
        "more": max(0, len(files) - MOST_FILES),
        "sums": sums_name(entry.project, entry.version),
        **_notes(view, release),
    }
    return Notice(
        **said | {"files": files, "places": values["places"]},
        key=str(entry.index),
        event="release",
        subject=_one_line(filled(sayings.texts, "subject", values), _LONGEST),
        text=_text(filled(sayings.texts, "notice", values)),
        html=_html(filled(sayings.texts, "notice-html", values)),
        short=_short(filled(sayings.texts, "short", values), said["url"]),
        entries=(entry.index,),
        time=entry.time,
    )


def _withdrawn(view: View, entry: Entry, release: Release | None, sayings: Sayings) -> Notice:
    gone = release.files if release else ()
    files = tuple(_files(view, release.project if release else "", gone, [file.name for file in gone]))
    said = _said(view, entry, sayings)
    values = said | {
        "reason": _one_line(reason(entry), 2000).rstrip("."),
        "index": entry.index,
        "files": files[:MOST_FILES],
        "more": max(0, len(files) - MOST_FILES),
        **_standing(view, entry),
    }
    subject = _one_line(f"{entry.project} {entry.version} is withdrawn", _LONGEST)
    return Notice(
        **said,
        files=files,
        key=str(entry.index),
        event="withdraw",
        subject=subject,
        text=_text(filled(sayings.texts, "withdrawn", values)),
        html=_html(filled(sayings.texts, "withdrawn-html", values)),
        short=_short(f"{subject}: {said['url']}" if said["url"] else subject, said["url"]),
        entries=(entry.index,),
        time=entry.time,
    )


# --- what is said ---------------------------------------------------------------------------------------------------


def _said(view: View, entry: Entry, sayings: Sayings) -> dict[str, Any]:
    """What a notice and its templates have in common; each a line that is fit to be shown."""
    site = view.site
    page = address(site, entry) if entry.event == "release" else site.url + page_about(view, entry)
    said = {
        "org": site.name,
        "origin": site.origin,
        "thread": f"{entry.project} {entry.series or _major(entry.version)}",
        "url": quote(page.removesuffix("index.html"), safe=":/%+~@!$&'()*,;=-._") if site.url else "",
        "project": entry.project,
        "version": entry.version,
        "channel": entry.channel,
        "series": entry.series,
        "bugs": sayings.bugs,
        "security": sayings.security,
        "support_until": sayings.support_until,
    }
    return {key: _one_line(value, 1000) for key, value in said.items()}


def _major(version: str) -> str:
    return version.split(".", 1)[0]


def _summary(view: View, release: Release | None) -> str:
    """What the release's files say that it is, in one line."""
    digest = next((file.metadata for file in release.files if file.metadata), "") if release else ""
    try:
        return _one_line(parse_metadata(view.kept(digest), "METADATA").summary, 300) if digest else ""
    except ProjectError:  # an index took it all the same
        return ""


def _standing(view: View, entry: Entry) -> dict[str, str]:
    """The newest final that was not withdrawn, of this series where there is one: what people can go to."""
    found = releases(view.entries(entry.project))
    series = next((r.first.series for r in found if same_version(r.version, entry.version)), "")
    near = newest(r for r in found if series and r.first.series == series)
    best = near or newest(found)
    said = {
        "newest": best.version if best else "",
        "newest_of": series if near else "",
        "newest_url": address(view.site, best.first) if best and view.site.url else "",
    }
    return {key: _one_line(value, 1000) for key, value in said.items()}


def _files(view: View, project: str, files: Iterable[File], names: Iterable[str]) -> Iterator[ToldFile]:
    """Those of the names, in their order."""
    own = {file.name: file for file in files}
    for name in names:
        file = own[name]
        url = view.site.url + quote(view.site.file(project, name)) if view.site.url else ""
        yield ToldFile(name=_one_line(name, 500), sha256=file.sha256, size=file.size, url=url)


def _commands(view: View, release: Release | None, files: Sequence[ToldFile], sayings: Sayings) -> Iterator[str]:
    """How to get it: from PyPI where it was seen there; else by the file's address, with the digest that pip checks."""
    if release is None:
        return
    exact = shlex.quote(f"{release.project}=={release.version}")
    if release.is_python and sayings.on_pypi:
        yield from (f"pip install {exact}", f"uv add {exact}")
        return
    if not view.site.url or not files:
        return
    wheel = next((file for file in files if file.name.endswith("-none-any.whl")), None)
    if release.is_python and wheel:
        yield f"pip install {shlex.quote(f'{wheel.url}#sha256={wheel.sha256}')}"
    elif release.is_python:
        yield f"pip download --no-deps --index-url {shlex.quote(f'{view.site.url}simple/')} {exact}"
    else:
        yield f"curl -LO {shlex.quote(files[0].url)}"


def _notes(view: View, release: Release | None) -> dict[str, Any]:
    from markupsafe import Markup

    text = view.kept(release.notes[1]).decode("utf-8", "replace") if release and release.notes else ""
    html = "<p>[...]</p>\n".join(render_notes(part) for part in parted(text) if part.strip())
    shown = _LINK.sub(_unlinked, html).strip()
    return {"notes": plain_notes(text), "notes_html": Markup(shown), "cut": len(text) > MOST}  # noqa: S704  (escaped by the renderer)


def _unlinked(link: re.Match[str]) -> str:
    return link[2] if link[1] in link[2] else f"{link[2]} ({link[1]})"


# --- forms ----------------------------------------------------------------------------------------------------------


def _one_line(text: str, most: int) -> str:
    line = " ".join(clean(text).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _text(text: str) -> str:
    """No white space at the ends of lines, one empty line at a time, one line feed at the end."""
    lines = "\n".join(line.rstrip() for line in clean(text).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n") + "\n"


def _html(text: str) -> str:
    return clean(text).strip("\n") + "\n"


def _short(text: str, url: str) -> str:
    """One line that a microblog takes, with the address whole where there is room for one."""
    line = " ".join(clean(text).split())
    if len(line) <= SHORT:
        return line
    room = SHORT - len(url) - 2
    if not url or room < 40:
        return f"{line[: SHORT - 1]}…"
    return f"{line.replace(url, '').rstrip(': ')[:room].rstrip()}… {url}"


def _is_web(where: str) -> bool:
    return where.startswith(("https://", "http://"))

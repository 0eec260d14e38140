"""Pages for people: every value escaped, no scripts, one small stylesheet inside, nothing loaded from others."""

import json
import shlex
from base64 import b64encode
from collections.abc import Sequence
from functools import cache, partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from tagtrail.formats.provenance import provenance_name
from tagtrail.formats.sbom import sbom_name
from tagtrail.formats.site import marker, project_page, release_page, runbook_page, sums_name, tag_name
from tagtrail.formats.times import format_time
from tagtrail.formats.unpacking import form_of
from tagtrail.model.facts import Entry, File
from tagtrail.model.names import project_key
from tagtrail.pages import texts, uscan
from tagtrail.pages.history import (
    PRE,
    Release,
    newest,
    page_about,
    reason,
    releases,
    same_version,
    visible,
    whole_project,
)
from tagtrail.pages.notes import render_notes
from tagtrail.pages.text import clean, relative
from tagtrail.pages.trail import fingerprint, keys_page, root
from tagtrail.pages.view import View

if TYPE_CHECKING:
    from jinja2 import BytecodeCache, Environment

__all__ = ["RECENT", "front", "notes_html", "project", "ready", "release", "runbook", "template", "verify"]

RECENT = 30
"""Releases and withdrawals on the front page."""

TOGETHER, CUMULATIVE = 200, 384 * 1024
"""Releases of a project whose notes stand on its page, and how many characters of HTML these may have."""


def template(form: str, /, **values: Any) -> bytes:
    """A template of this package, filled in; a name that is missing is an error."""
    return _environment().get_template(form).render(**values).encode()


def ready(compiled: "BytecodeCache | None" = None) -> None:
    """Load all templates: for who waits for something else, and will need them. `compiled` remembers what came out."""
    _environment().bytecode_cache = compiled
    for name in _environment().list_templates():
        _environment().get_template(name)
    texts.ready(compiled)


def front(view: View) -> bytes:
    """`/index.html`."""
    recent = view.recent(RECENT)
    gone = {e.index: _withdrawn_later(e, recent) for e in recent}
    return _page(
        view,
        "index.html",
        "front.html",
        recent=[(e, page_about(view, e), gone[e.index]) for e in recent],
        projects=view.projects(),
        python=view.projects("pypi"),
        root=root(view)[0],
    )


def project(view: View, name: str) -> bytes:
    """`/PROJECT/`. KeyError for a project that nobody writes so."""
    entries = view.entries(name)
    found = releases(entries)[::-1]
    if not found or not any(e.project == name for e in entries):
        raise KeyError(name)
    return _page(
        view,
        project_page(name),
        "project.html",
        name=name,
        releases=found,
        newest=newest(found[::-1]),
        notes=_all_notes(view, found),
        others=whole_project(entries)[::-1],
        simple=f"simple/{project_key(name)}/" if any(r.is_python for r in found) else "",
        keys=sorted({keys_page(e) for e in entries} - {""}),
        archives={r.version: uscan.shown(view, name, r) for r in found},
        watch=uscan.has_archives(found),
        runbook=runbook_page(name) if any(r.runbook for r in found) else "",
    )


def runbook(view: View, name: str) -> bytes:
    """`/PROJECT/runbook/`: by which process the newest release was made. KeyError where no release says so."""
    entries = view.entries(name)
    release = next((r for r in reversed(releases(entries)) if r.runbook), None)
    if release is None or release.runbook is None or not any(e.project == name for e in entries):
        raise KeyError(name, "runbook")
    file, digest = release.runbook
    # its first line is the page's title, so its sections are the page's
    text = view.kept(digest).decode("utf-8", "replace").partition("\n")[2].replace("\n- [ ] ", "\n- ")
    html = render_notes(text).replace("<h4>", "<h2>").replace("</h4>", "</h2>")
    place = view.site.file(release.home(file), file)
    return _page(view, runbook_page(name), "runbook.html", name=name, release=release, html=html, file=place)


def release(view: View, name: str, version: str) -> bytes:
    """`/PROJECT/VERSION/`. KeyError for a version that nobody writes so."""
    found = [r for r in releases(view.entries(name)) if same_version(r.version, version)]
    entry = next((e for r in found for e in r.entries if (e.project, e.version) == (name, version)), None)
    if entry is None:
        raise KeyError(name, version)
    path = release_page(name, version)
    return _page(
        view,
        path,
        "release.html",
        release=found[0],
        first=found[0].first,
        name=name,
        version=version,
        markers=[marker(e) for e in (*found[0].entries, *found[0].events)],
        notes=notes_html(view, found[0]),
        seen=visible(view.entries(name), found[0]).split("`"),
        sums=[s for s in (_sums(found[0], e) for e in found[0].entries) if s],
        **_example(found[0]),
        tag_file=tag_name(found[0].project, found[0].version),
        provenance=provenance_name(found[0].project, found[0].version),
        sbom=sbom_name(found[0].project, found[0].version),
        keys=keys_page(found[0].first),
        place=lambda file: view.site.file(found[0].home(file), file),
    )


def verify(view: View) -> bytes:
    """`/verify/`."""
    return _page(view, "verify/index.html", "verify.html", root=root(view)[0], fingerprint=fingerprint(view))


def _all_notes(view: View, found: Sequence[Release]) -> list[tuple[Release, str]]:
    """Notes of the newest releases, as many as a page can carry; of the newest one always."""
    notes: list[tuple[Release, str]] = []
    left = CUMULATIVE
    for release in found[:TOGETHER]:
        html = notes_html(view, release)
        left -= len(html)
        if left < 0 and notes:
            break
        notes.append((release, html))
    return notes


def notes_html(view: View, release: Release) -> str:
    """A release's notes, fit to stand in a page; empty where there are none."""
    if not release.notes:
        return ""
    return render_notes(view.kept(release.notes[1]).decode("utf-8", "replace"))


def _example(release: Release) -> dict[str, Any]:
    """The file that the page's commands name, the list of digests it stands in, and all that checking it needs."""
    file = next((f for f in release.files if not f.name.endswith(".whl")), release.files[0])
    sums = _sums(release, release.entry_of(file))
    others = (f"{file.name}.asc", sums, tag_name(release.project, release.version))
    downloads = [file.name, f"{file.name}.tlog-proof", *(name for name in others if name in release.sidecars)]
    return {"example": file.name, "example_sums": sums, "downloads": downloads}


def _sums(release: Release, entry: Entry) -> str:
    """The list of digests that came with an entry; empty if none did."""
    name = sums_name(entry.project, entry.version, None if entry is release.first else entry.index)
    return name if name in release.sidecars else ""


def _withdrawn_later(entry: Entry, recent: tuple[Entry, ...]) -> bool:
    return entry.event == "release" and any(
        e.event == "withdraw"
        and project_key(e.project) == project_key(entry.project)
        and same_version(e.version, entry.version)
        for e in recent
    )


# --- the environment ------------------------------------------------------------------------------------------------


def _page(view: View, path: str, form: str, /, **values: Any) -> bytes:
    css, policy = _style()
    return template(form, site=view.site, path=path, to=partial(relative, path), css=css, policy=policy, **values)


@cache
def _style() -> tuple[str, str]:
    """The stylesheet, and the policy that allows it and nothing else (Content Security Policy level 3)."""
    css = _environment().get_template("style.css").render()
    digest = b64encode(sha256(css.encode()).digest()).decode()
    return css, f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup, escape

    def fit(value: object) -> object:
        return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    def digest(text: str, step: int = 8) -> Markup:
        parts = [escape(clean(text[at : at + step])) for at in range(0, len(text), step)]
        return Markup('<code class="digest">{}</code>').format(Markup("<wbr>").join(parts))

    def moment(seconds: int, *, day: bool = False) -> Markup:
        form = format_time(seconds)
        shown = form[:10] if day else f"{form[:10]} {form[11:16]} UTC"
        return Markup('<time datetime="{}">{}</time>').format(form, shown)

    environment = Environment(
        loader=PackageLoader("tagtrail.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=fit,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"digest": digest, "moment": moment, "day": partial(moment, day=True), "brief": _brief}
    environment.filters |= {"sh": shlex.quote, "safe_html": Markup, "reason": reason, "json": _pretty}
    environment.tests |= {"archive": _is_archive}
    environment.globals |= {"release_page": release_page, "project_page": project_page, "PRE": PRE}
    return environment


def _is_archive(file: File) -> bool:
    """Whether the entry says that its members were compared with the tag's: a tar has its digest, and by some names
    nothing else is released."""
    return bool(file.tar or form_of(file.name))


def _pretty(entry: Entry) -> str:
    return json.dumps(json.loads(entry.raw), indent=1, ensure_ascii=False)


def _brief(fingerprint: str) -> str:
    """`F803...D9A2`, `SHA256:qh/c...M1Sg`: enough to recognise a key by."""
    head, colon, rest = fingerprint.rpartition(":")
    return fingerprint if len(rest) <= 12 else f"{head}{colon}{rest[:4]}…{rest[-4:]}"

"""Which pages there are, which of them an entry touches, and what makes each.

An entry touches a bounded number of paths, however long the trail is; only a changed `site.json` touches all. Pages
never vanish: what makes a page exist is an entry, and entries are for ever.
"""

from collections.abc import Iterator

from tagtrail.formats.purl import purl_type
from tagtrail.formats.site import release_page
from tagtrail.model.errors import TamperError
from tagtrail.model.facts import Entry
from tagtrail.model.names import fold, project_key
from tagtrail.pages import feeds, html, records, simple, trail, uscan
from tagtrail.pages.history import releases, same_version
from tagtrail.pages.view import ANNOUNCED, View, latest

__all__ = ["all_paths", "page", "touched"]

FRONT = ("index.html", *feeds.FEEDS)
SIMPLE = ("simple/index.html", "simple/index.json")
ROOTED = ("trail/root.json", "trail/policy", "verify/index.html", "index.html")
"""Pages that show something of the current root."""

OWN = ("index.html", *feeds.FEEDS, "releases.json")
"""Pages of a project."""

_TAKEN = frozenset({*OWN, "feed", "runbook", "watch"})
"""What no version may be called."""


def touched(entry: Entry, view: View) -> tuple[str, ...]:
    """The paths of the pages that `entry` adds or changes, sorted. Raises TamperError `page-name`."""
    if not _begun(view):
        return ()
    if entry.event != "key":
        front = FRONT if entry.event in ANNOUNCED else ()
        return tuple(sorted({*_of_project(entry, view), *feeds.archived(entry, view), *front}))
    if _named(entry, "site.json") or _first_root(entry, view):
        return all_paths(view)
    return tuple(sorted({*_of_keys(entry, view), *feeds.archived(entry, view)}))


def all_paths(view: View) -> tuple[str, ...]:
    """The paths of all pages, sorted; none before key entries have named a root and a site. TamperError `page-name`."""
    if not _begun(view):
        return ()
    keys = view.keys()
    paths = {*FRONT, *SIMPLE, *ROOTED, *(f"trail/{version}.root.json" for version in trail.roots(keys))}
    paths.update(feeds.all_archives(view))
    paths |= {path for path, name in trail.FILES.items() if latest(keys, name)}
    for project in view.projects():
        entries = view.entries(project)
        whole = _of_all(entries)
        paths.update(path for entry in entries for path in _of_entry(entry, whole))
        paths.update(feeds.own_archives(entries))
    return tuple(sorted(paths))


def page(path: str, view: View) -> bytes:
    """The bytes of one page. Raises KeyError for a path that is no page, and what `View.kept` raises."""
    match path.split("/"):
        case ["index.html"]:
            return html.front(view)
        case ["feed.atom" | "feed.rss"] | ["feed", _]:
            return feeds.document(view, path)
        case ["verify", "index.html"]:
            return html.verify(view)
        case ["simple", *rest]:
            return _simple(rest, view)
        case ["trail", *rest]:
            return _trail(path, rest, view)
        case [project, *rest]:
            return _project(project, rest, view)
    raise KeyError(path)


def _project(name: str, rest: list[str], view: View) -> bytes:
    match rest:
        case ["index.html"]:
            return html.project(view, name)
        case ["feed.atom" | "feed.rss"] | ["feed", _]:
            return feeds.document(view, "/".join([name, *rest]))
        case ["releases.json"]:
            return records.releases_json(view, name)
        case ["watch"]:
            return uscan.watch(view, name)
        case ["runbook", "index.html"]:
            return html.runbook(view, name)
        case [version, "index.html"]:
            return html.release(view, name, version)
    raise KeyError(name)


def _simple(rest: list[str], view: View) -> bytes:
    match rest:
        case ["index.html"]:
            return simple.root_html(view)
        case ["index.json"]:
            return simple.root_json(view)
        case [name, "index.html"]:
            return simple.project_html(view, name)
        case [name, "index.json"]:
            return simple.project_json(view, name)
    raise KeyError("/".join(rest))


def _trail(path: str, rest: list[str], view: View) -> bytes:
    if path in trail.FILES:
        return trail.stored(view, trail.FILES[path])
    match rest:
        case ["root.json"]:
            return view.kept(trail.root(view)[1])
        case ["policy"]:
            return trail.root(view)[0].policy.encode()
        case ["keys", name] if _shown_keys(path, name, view):
            project, _, form = name.rpartition(".")
            return (trail.asc if form == "asc" else trail.allowed_signers)(view, project)
        case [name]:
            return trail.stored(view, name)
    raise KeyError(path)


def _shown_keys(path: str, name: str, view: View) -> bool:
    return any(trail.keys_page(entry) == path for entry in view.entries(name.rpartition(".")[0]))


# --- what an entry touches ------------------------------------------------------------------------------------------


def _begun(view: View) -> bool:
    keys = view.keys()
    return bool(latest(keys, "site.json") and trail.roots(keys))


def _named(entry: Entry, name: str) -> bool:
    return any(file.name == name for file in entry.files)


def _first_root(entry: Entry, view: View) -> bool:
    keys = view.keys()
    return not trail.roots(tuple(e for e in keys if e.index < entry.index))


def _is_python(entries: tuple[Entry, ...]) -> bool:
    return any(e.event == "release" and purl_type(e.purl) == "pypi" for e in entries)


def _of_project(entry: Entry, view: View) -> Iterator[str]:
    """The pages of an entry's project that it changes, under every spelling of names; none before its first release."""
    entries = view.entries(entry.project)
    if any(other.event == "release" for other in entries):
        whole = _of_all(entries)
        for other in entries:
            if same_version(other.version, entry.version):
                yield from _of_entry(other, whole)
            else:
                yield from (f"{other.project}/{name}" for name in whole[0])


def _of_all(entries: tuple[Entry, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The pages that a project has because of any of its entries: below each spelling of its name, and of the index."""
    written = any(name.endswith(".runbook.md") for entry in entries for name, _ in entry.sidecars)
    own = (*OWN, "runbook/index.html") if written else OWN
    own = (*own, "watch") if uscan.has_archives(releases(entries)) else own
    if not _is_python(entries):
        return own, ()
    name = project_key(entries[0].project)
    return own, (*(f"simple/{name}/index.{form}" for form in ("html", "json")), *SIMPLE)


def _of_entry(entry: Entry, whole: tuple[tuple[str, ...], tuple[str, ...]]) -> Iterator[str]:
    """The pages that exist because of one entry, in a project that has these."""
    own, index = whole
    yield from (f"{entry.project}/{name}" for name in own)
    yield from index
    if entry.event == "release":
        yield release_page(entry.project, _fit(entry.version))
        yield from filter(None, [trail.keys_page(entry)])


def _of_keys(entry: Entry, view: View) -> Iterator[str]:
    """The pages that a key entry changes where the site's settings stay."""
    yield from (path for path, name in trail.FILES.items() if _named(entry, name))
    versions = trail.roots((entry,))
    yield from (f"trail/{version}.root.json" for version in versions)
    yield from ROOTED if versions else ()
    for project in trail.changed_signers(view, entry):
        yield from filter(None, (trail.keys_page(e) for e in view.entries(project)))


def _fit(version: str) -> str:
    """A version that may stand in a page's path."""
    if fold(version) in _TAKEN:
        what = f"no version can be called {version}"
        raise TamperError(what, code="page-name", why="a page of every project is called so")
    return version

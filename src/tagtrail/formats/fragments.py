"""News fragments that lie in a directory until a release gathers them: towncrier's and scriv's, read by their rules.

    newsfragments/123.feature.rst     towncrier: ISSUE.TYPE[.COUNTER][.SUFFIX]; `+word.TYPE` has no issue
    changelog.d/20260131_1200_jo_resume.md     scriv: sections with headings, such as `### Added`

A towncrier type has a title and may show its issues alone (`showcontent = false`); fragments of the same text are one
item with all their issues; what has no issue comes last. A section of towncrier's (a part of the project with its own
directory) has the types as headings below its own. A scriv fragment's sections are put together by title, in the order
of the settings' categories; its first heading says of which level they are, all others are text. Settings are read
from towncrier.toml, [tool.towncrier] and [tool.scriv] of pyproject.toml, [scriv] of setup.cfg, tox.ini and scriv.ini;
never from Python, and what they would run, or read elsewhere, is left out. After the documentation of towncrier (MIT)
and scriv (Apache-2.0), who read it too in the tests.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from posixpath import basename, join, normpath
from typing import Any

from tagtrail.formats import commonmark, restructured
from tagtrail.model.frozen import frozen
from tagtrail.model.notes import Section
from tagtrail.model.toml import loads

__all__ = ["Place", "Scriv", "Towncrier", "places", "scriv_of", "scriv_sections", "towncrier_of", "towncrier_sections"]

_TYPES = (
    ("feature", "Features", True), ("bugfix", "Bugfixes", True), ("doc", "Improved Documentation", True),
    ("removal", "Deprecations and Removals", True), ("misc", "Misc", False),
)  # fmt: skip
_CATEGORIES = ("Removed", "Added", "Changed", "Deprecated", "Fixed", "Security")
_SIZE = 1_000_000
"""Characters of a file of settings that is read, at most."""
_MARKDOWN = (".md", ".markdown")
_PATH = re.compile(r"[A-Za-z0-9._/+-]{1,300}")
_DIGITS = 18
"""Of a number in an issue's name, what counts for the order."""


@frozen
class Towncrier:
    """Its settings: `bases` are (directory, what follows a section's own path there), of which the first that holds
    fragments counts; `sections` are (name, path); `types` are (key, title, whether texts are shown); `markdown` says
    what a fragment without a suffix is; `issue` is empty for `#12`; `filename` is the file they go to."""

    bases: tuple[tuple[str, str], ...] = (("newsfragments", ""),)
    sections: tuple[tuple[str, str], ...] = (("", ""),)
    types: tuple[tuple[str, str, bool], ...] = _TYPES
    markdown: bool = False
    issue: str = ""
    orphan: str = "+"
    ignore: tuple[str, ...] = ()
    bullets: bool = True
    filename: str = "NEWS.rst"


@frozen
class Scriv:
    """Its settings; `skip` is a pattern of names that are no fragments."""

    directory: str = "changelog.d"
    categories: tuple[str, ...] = _CATEGORIES
    skip: str = "README.*"


@frozen
class Place:
    """Where towncrier's fragments may lie: `sections` are (name, directory), `shown` is the directory to name."""

    shown: str
    sections: tuple[tuple[str, str], ...]


def towncrier_of(pyproject: str, own: str = "") -> Towncrier | None:
    """Its settings in towncrier.toml, else in pyproject.toml; None where there are none. Never raises."""
    declared = _toml(pyproject)
    table = _toml(own).get("tool", {}).get("towncrier", {}) if own else declared.get("tool", {}).get("towncrier")
    if not isinstance(table, dict):
        return None
    filename = _word(table, "filename", "NEWS.rst")
    ignored = (*_texts(table, "ignore"), basename(_text(table, "template")))
    return Towncrier(
        bases=tuple(dict.fromkeys(_bases(table, declared))),
        sections=tuple(_parts(table)) or (("", ""),),
        types=tuple(_types(table)) or _TYPES,
        markdown=filename.lower().endswith(_MARKDOWN),
        issue=_text(table, "issue_format"),
        orphan=table["orphan_prefix"] if isinstance(table.get("orphan_prefix"), str) else "+",
        ignore=tuple(pattern.lower() for pattern in ignored if pattern),
        bullets=table.get("all_bullets") is not False,
        filename=filename,
    )


def places(settings: Towncrier, directory: str = "") -> Iterator[Place]:
    """Where to look, one after the other; `directory` instead of what the settings say."""
    for base, last in ((directory, ""),) if directory else settings.bases:
        found = tuple((name, _joined(base, path, last)) for name, path in settings.sections)
        yield Place(shown=_joined(base, "", last), sections=found)


def scriv_of(pyproject: str, before: Sequence[str] = (), own: str = "") -> Scriv | None:
    """Its settings in pyproject.toml, `before` it in setup.cfg and tox.ini, after it in its `own` scriv.ini; None where
    there are none. Never raises."""
    said = _toml(pyproject).get("tool", {}).get("scriv")
    tables = [*map(_ini, before), said if isinstance(said, dict) else None, _ini(own)]
    if all(table is None for table in tables):
        return None
    table: dict[str, Any] = {key: value for one in tables if one for key, value in one.items()}
    return Scriv(
        directory=_word(table, "fragment_directory", "changelog.d"),
        categories=_names(table["categories"]) if "categories" in table else _CATEGORIES,
        skip=_text(table, "skip_fragments") or "README.*",
    )


def towncrier_sections(settings: Towncrier, parts: Iterable[tuple[str, Mapping[str, str]]]) -> tuple[Section, ...]:
    """What the fragments say, tame: of each section by its name, the files by their paths. Never raises."""
    found: list[Section] = []
    for name, files in parts:
        own = tuple(_of_types(settings, files))
        body = "\n\n".join(f"### {commonmark.escaped(section.title)}\n\n{section.body}" for section in own)
        found += own if not name else [Section(title=commonmark.plain(name), body=body)] if own else []
    return tuple(found)


def scriv_sections(settings: Scriv, files: Mapping[str, str]) -> tuple[Section, ...]:
    """What the fragments say, by their names, tame. Never raises."""
    bodies: dict[str, list[str]] = {}
    for name in sorted(files):
        if not name.endswith((".md", ".rst")) or fnmatchcase(basename(name), settings.skip):
            continue
        text = files[name] if name.endswith(".md") else restructured.commonmark(files[name])
        for title, body in commonmark.sections(text, as_first=True):
            bodies.setdefault(title, []).extend(filter(None, [body]))
    order = {title: at for at, title in enumerate(("", *settings.categories))}
    titles = sorted(bodies, key=lambda title: order.get(title, len(order)))
    return tuple(Section(title=title, body=_together(bodies[title])) for title in titles if bodies[title])


# --- towncrier's ----------------------------------------------------------------------------------------------------


@frozen
class _Item:
    """A text and who asked for it: issues, as the files' names say them."""

    text: str
    markdown: bool
    issues: tuple[str, ...]


def _of_types(settings: Towncrier, files: Mapping[str, str]) -> Iterator[Section]:
    for key, title, shown in settings.types:
        said = [_shown(settings, item) for item in _items(settings, key, files, shown=shown)]
        if body := "\n".join(filter(None, said)):
            yield Section(title=commonmark.plain(title), body=body)


def _items(settings: Towncrier, key: str, files: Mapping[str, str], *, shown: bool) -> list[_Item]:
    """The items of one type: those with issues in the order of these, then the others."""
    items: dict[str, _Item] = {}
    for name in sorted(files):
        issue, kind, markdown = _fragment(settings, name)
        if kind != key:
            continue
        text = files[name].strip() if shown or not issue else ""
        item = items.get(text) or _Item(text=text, markdown=markdown, issues=())
        issues = tuple(sorted({*item.issues, *filter(None, [issue])}, key=_order))
        items[text] = _Item(text=text, markdown=item.markdown, issues=issues)
    return sorted(items.values(), key=lambda item: (item.text if not item.issues else "", [*map(_order, item.issues)]))


def _fragment(settings: Towncrier, name: str) -> tuple[str, str, bool]:
    """The issue (empty: none), the type (empty: this is no fragment) and whether it is CommonMark."""
    name = basename(name)
    parts = name.split(".")
    keys = {key for key, _, _ in settings.types}
    at = next((n for n in range(len(parts) - 1, 0, -1) if parts[n] in keys), 0)
    if not at or any(fnmatchcase(name.lower(), pattern) for pattern in settings.ignore):
        return "", "", False
    issue = ".".join(parts[:at]).strip()
    if settings.orphan and issue.startswith(settings.orphan):
        issue = ""
    issue = (issue.lstrip("0") or "0") if _is_number(issue) else issue
    suffix = f".{parts[-1].lower()}" if at < len(parts) - 1 else ""
    return issue, parts[at], suffix in _MARKDOWN or (suffix != ".rst" and settings.markdown)


def _is_number(issue: str) -> bool:
    return issue.isascii() and issue.isdigit()


def _order(issue: str) -> tuple[bool, bool, str, int]:
    """Names without a number, then those with one by what stands around it, then plain numbers."""
    found = re.search(r"[0-9]+", issue)
    if found is None:
        return (False, False, issue, -1)
    rest = issue[: found.start()] + issue[found.end() :]
    return (not rest, True, rest, int(found[0][:_DIGITS]))


def _shown(settings: Towncrier, item: _Item) -> str:
    text = commonmark.tame(item.text if item.markdown else restructured.commonmark(item.text))
    issues = ", ".join(_issue(settings, issue, markdown=item.markdown) for issue in item.issues)
    said = _with_issues(text, issues) if text else issues
    if not settings.bullets and said.startswith("- "):
        return said
    return "- " + said.replace("\n", "\n  ").replace("\n  \n", "\n\n") if said else ""


def _with_issues(text: str, issues: str) -> str:
    """The issues behind a text of one paragraph, else in a paragraph of their own."""
    if not issues:
        return text
    apart = "\n\n" in text or re.search(r"\n *[-*] |\n *(?:```|~~~)", text)
    return f"{text}\n\n({issues})" if apart else f"{text} ({issues})"


def _issue(settings: Towncrier, issue: str, *, markdown: bool) -> str:
    """An issue as the settings write it, with its link where they make one."""
    if not settings.issue:
        return commonmark.escaped(f"#{issue}" if _is_number(issue.lstrip("+-")) else issue)
    text = " ".join(settings.issue.replace("{issue}", issue).split())
    if not markdown:
        return commonmark.tame(restructured.commonmark(text))
    label, defined, target = text.partition("]: ")
    return commonmark.tame(f"{label}]({target})" if defined else text)


def _bases(table: Mapping[str, Any], declared: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if said := _word(table, "directory", ""):
        yield said, ""
        return
    project = declared.get("project")
    name = _word(table, "package", "") or (_word(project, "name", "") if isinstance(project, dict) else "")
    for top in (_word(table, "package_dir", "."), ".", "src") if name else ():
        for package in (name, name.replace(".", "/")):
            yield _joined(top, package, ""), "newsfragments"
    yield "newsfragments", ""


def _joined(*parts: str) -> str:
    path = normpath(join(*parts))
    return "" if path == "." else path


def _parts(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for row in _rows(table, "section"):
        if not _text(row, "path") or _word(row, "path", ""):
            yield _text(row, "name"), _word(row, "path", "")


def _types(table: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    named = table.get("fragment")
    if isinstance(named, dict) and named:
        for key in sorted(named):
            said = named[key] if isinstance(named[key], dict) else {}
            yield key, _text(said, "name") or key.capitalize(), said.get("showcontent") is not False
        return
    for row in _rows(table, "type"):
        if name := _text(row, "name"):
            yield _text(row, "directory") or name.lower(), name, row.get("showcontent") is not False


# --- scriv's --------------------------------------------------------------------------------------------------------


def _together(bodies: Iterable[str]) -> str:
    """Lists go on where the one before ended; a paragraph stays one of its own."""
    first, *others = bodies
    return first + "".join(f"\n{body}" if body.startswith(("- ", "* ")) else f"\n\n{body}" for body in others)


def _names(said: object) -> tuple[str, ...]:
    names: Iterable[object] = (
        re.split(r"[\n,]", said) if isinstance(said, str) else said if isinstance(said, list) else ()
    )
    return tuple(name.strip() for name in names if isinstance(name, str) and name.strip())


def _ini(text: str) -> Mapping[str, str] | None:
    """The table of scriv's in such a file."""
    if "scriv]" not in text or len(text) > _SIZE:
        return None
    import configparser

    found = configparser.RawConfigParser()
    try:
        found.read_string(text)
    except (configparser.Error, ValueError):
        return None
    return next((dict(found[name]) for name in ("scriv", "tool.scriv") if found.has_section(name)), None)


# --- tables ---------------------------------------------------------------------------------------------------------


def _toml(text: str) -> Mapping[str, Any]:
    try:
        found = loads(text)
    except ValueError:
        return {}
    return found if isinstance(found.get("tool", {}), dict) else {}


def _text(table: Mapping[str, Any], key: str) -> str:
    value = table.get(key)
    return value if isinstance(value, str) else ""


def _texts(table: Mapping[str, Any], key: str) -> tuple[str, ...]:
    said = table.get(key)
    return tuple(one for one in said if isinstance(one, str)) if isinstance(said, list) else ()


def _rows(table: Mapping[str, Any], key: str) -> tuple[dict[str, Any], ...]:
    said = table.get(key)
    return tuple(row for row in said if isinstance(row, dict)) if isinstance(said, list) else ()


def _word(table: Mapping[str, Any], key: str, default: str) -> str:
    """A path below the project's directory, else the default."""
    value = _text(table, key).removeprefix("./").rstrip("/")
    return value if _PATH.fullmatch(value) and ".." not in value and not value.startswith("/") else default

"""News fragments that lie in a directory until a release gathers them: towncrier's and scriv's, read by their rules.

    newsfragments/123.feature.rst     towncrier: ISSUE.TYPE[.COUNTER][.SUFFIX]; `+word.TYPE` has no issue
    changelog.d/20260131_1200_jo_resume.md     scriv: sections with headings, such as `### Added`

A towncrier type has a title and may show its issues alone (`showcontent = false`); fragments of the same text are one
item with all their issues. A scriv fragment's sections are put together by title, in the order of the settings'
categories. Settings are read from towncrier.toml, [tool.towncrier] and [tool.scriv] of pyproject.toml, never from
Python. After the documentation of towncrier (MIT) and scriv (Apache-2.0).
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tagtrail.formats import commonmark, restructured
from tagtrail.model.frozen import frozen
from tagtrail.model.notes import Section

__all__ = ["Scriv", "Towncrier", "scriv_of", "scriv_sections", "towncrier_of", "towncrier_sections"]

_TYPES = (
    ("feature", "Features", True), ("bugfix", "Bugfixes", True), ("doc", "Improved Documentation", True),
    ("removal", "Deprecations and Removals", True), ("misc", "Misc", False),
)  # fmt: skip
_CATEGORIES = ("Removed", "Added", "Changed", "Deprecated", "Fixed", "Security")
_SIZE, _DOTS = 1_000_000, 1000
"""As in `rules/declared.py`: what tomllib is given."""
_MARKDOWN = (".md", ".markdown")
_PATH = re.compile(r"[A-Za-z0-9._/+-]{1,300}")


@frozen
class Towncrier:
    """Its settings: `directories` may hold the fragments, the first that is there counts; `types` are (key, title,
    whether texts are shown); `markdown` says what a fragment without a suffix is; `filename` is the file they go to."""

    directories: tuple[str, ...] = ("newsfragments",)
    types: tuple[tuple[str, str, bool], ...] = _TYPES
    markdown: bool = False
    issue: str = "#{issue}"
    filename: str = "NEWS.rst"


@frozen
class Scriv:
    """Its settings."""

    directory: str = "changelog.d"
    categories: tuple[str, ...] = _CATEGORIES


def towncrier_of(pyproject: str, own: str = "") -> Towncrier | None:
    """Its settings in pyproject.toml or towncrier.toml; None where there are none. Never raises."""
    table = _toml(own).get("tool", {}).get("towncrier") or _toml(pyproject).get("tool", {}).get("towncrier")
    if not isinstance(table, dict):
        return None
    filename = _word(table, "filename", "NEWS.rst")
    return Towncrier(
        directories=tuple(_directories(table)),
        types=tuple(_types(table)) or _TYPES,
        markdown=filename.lower().endswith(_MARKDOWN),
        issue=_text(table, "issue_format") or "#{issue}",
        filename=filename,
    )


def scriv_of(pyproject: str) -> Scriv | None:
    """Its settings in pyproject.toml; None where there are none. Never raises."""
    table = _toml(pyproject).get("tool", {}).get("scriv")
    if not isinstance(table, dict):
        return None
    said = table.get("categories")
    names = said if isinstance(said, list) else str(said).split(",") if isinstance(said, str) else ()
    categories = tuple(name.strip() for name in names if isinstance(name, str))
    return Scriv(directory=_word(table, "fragment_directory", "changelog.d"), categories=categories or _CATEGORIES)


def towncrier_sections(settings: Towncrier, files: Mapping[str, str]) -> tuple[Section, ...]:
    """What the fragments say, by their names below the directory, tame. Never raises."""
    items: dict[tuple[str, str], list[str]] = {}
    for name in sorted(files):
        issue, kind, markdown = _fragment(settings, name)
        if kind:
            text = files[name] if markdown else restructured.commonmark(files[name])
            items.setdefault((kind, commonmark.tame(text)), []).append(issue)
    found = [(title, list(_items(settings, key, items, shown=shown))) for key, title, shown in settings.types]
    return tuple(Section(title=commonmark.plain(title), body="\n".join(said)) for title, said in found if said)


def scriv_sections(settings: Scriv, files: Mapping[str, str]) -> tuple[Section, ...]:
    """What the fragments say, by their names, tame. Never raises."""
    bodies: dict[str, list[str]] = {}
    for name in sorted(files):
        if name.rpartition("/")[2].upper().startswith("README") or not name.lower().endswith((*_MARKDOWN, ".rst")):
            continue
        text = files[name] if name.lower().endswith(_MARKDOWN) else restructured.commonmark(files[name])
        for title, body in commonmark.sections(text):
            bodies.setdefault(title, []).extend(filter(None, [body]))
    order = {title: at for at, title in enumerate(("", *settings.categories))}
    titles = sorted(bodies, key=lambda title: (order.get(title, len(order)), title))
    return tuple(Section(title=title, body="\n".join(bodies[title])) for title in titles if bodies[title])


def _fragment(settings: Towncrier, name: str) -> tuple[str, str, bool]:
    """The issue (empty: none), the type (empty: this is no fragment) and whether it is CommonMark."""
    parts = name.rpartition("/")[2].split(".")
    keys = {key for key, _, _ in settings.types}
    at = next((n for n in range(len(parts) - 1, 0, -1) if parts[n] in keys), 0)
    if not at:
        return "", "", False
    issue = ".".join(parts[:at])
    suffix = f".{parts[-1].lower()}" if at < len(parts) - 1 and not parts[-1].isdigit() else ""
    return (
        ("" if issue.startswith("+") else issue),
        parts[at],
        suffix in _MARKDOWN or (not suffix and settings.markdown),
    )


def _items(settings: Towncrier, key: str, items: Mapping[tuple[str, str], list[str]], *, shown: bool) -> Iterator[str]:
    own = [(sorted(filter(None, issues), key=_order), text) for (kind, text), issues in items.items() if kind == key]
    for issues, text in sorted(own, key=lambda item: ([_order(issue) for issue in item[0]] or [(2, 0, "")], item[1])):
        said = ", ".join(commonmark.escaped(_issue(settings, issue)) for issue in issues)
        if shown and text:
            yield "- " + _with_issues(text, said).replace("\n", "\n  ").replace("\n  \n", "\n\n")
        elif said:
            yield f"- {said}"


def _with_issues(text: str, issues: str) -> str:
    """The issues behind a text of one paragraph, else in a paragraph of their own."""
    if not issues:
        return text
    return f"{text}\n\n({issues})" if "\n\n" in text else f"{text} ({issues})"


def _issue(settings: Towncrier, issue: str) -> str:
    if settings.issue == "#{issue}" and not issue.isdigit():
        return issue
    return settings.issue.replace("{issue}", issue)


def _order(issue: str) -> tuple[int, int, str]:
    return (1, int(issue), "") if issue.isdigit() and len(issue) < 16 else (0, 0, issue)


def _directories(table: Mapping[str, Any]) -> Iterator[str]:
    if said := _word(table, "directory", ""):
        yield said
    package, within = _word(table, "package", ""), _word(table, "package_dir", ".")
    if not said and package:
        for top in dict.fromkeys((within, ".", "src")):
            yield f"{top}/{package.replace('.', '/')}/newsfragments".removeprefix("./")
    if not said:
        yield "newsfragments"


def _types(table: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    rows: Iterable[Any] = table.get("type", ()) if isinstance(table.get("type"), list) else ()
    for row in rows:
        if isinstance(row, dict) and (name := _text(row, "name")):
            yield _text(row, "directory") or name.lower(), name, row.get("showcontent") is not False
    named = table.get("fragment", {})
    for key, row in named.items() if isinstance(named, dict) and not rows else ():
        said = row if isinstance(row, dict) else {}
        yield key, _text(said, "name") or key.capitalize(), said.get("showcontent") is not False


def _toml(text: str) -> Mapping[str, Any]:
    if len(text) > _SIZE or any(line.count(".") > _DOTS for line in text.split("\n")):
        return {}
    try:
        found = tomllib.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found.get("tool", {}), dict) else {}


def _text(table: Mapping[str, Any], key: str) -> str:
    value = table.get(key)
    return value if isinstance(value, str) else ""


def _word(table: Mapping[str, Any], key: str, default: str) -> str:
    """A path below the project's directory, else the default."""
    value = _text(table, key).removeprefix("./").rstrip("/")
    return value if _PATH.fullmatch(value) and ".." not in value and not value.startswith("/") else default

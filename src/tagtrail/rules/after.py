"""The rules that are asked after the build: what the files of a release may be called."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from tagtrail.model.names import PAGES, fold, name_key, project_key
from tagtrail.rules.book import Rule, Said, rule
from tagtrail.rules.versions import parse

__all__ = ["AFTER", "After"]

SIDECARS = (".asc", ".sha256sums", ".tag", ".notes.md", ".metadata", ".tlog-proof", ".intoto.jsonl", ".cdx.json")
BROWSERS = (".html", ".htm", ".xhtml", ".svg", ".xml", ".js")


@dataclass(frozen=True, slots=True, kw_only=True)
class After:
    """The names of a release's files, as built or brought."""

    project: str
    version: str
    files: tuple[str, ...]

    def lacks(self, need: str) -> str:
        """Nothing: files are all that is asked about."""
        return ""


def _named(name: str) -> tuple[str, Version] | None:
    """Project (PEP 503) and version of a wheel's or an sdist's name; None for other files."""
    try:
        if name.endswith(".whl"):
            project, version, _, _ = parse_wheel_filename(name)
        elif name.endswith((".tar.gz", ".zip")):
            project, version = parse_sdist_filename(name)
        else:
            return None
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None
    return str(project), version


@rule("FILE001", "file-name-agrees", firm=True)
def file_name_agrees(facts: After) -> Iterator[Said]:
    """Every file of a release bears the project's name.

    Names are compared as installers do (PEP 503): My_Lib is my-lib.

        bad   mylib2-1.2.0.tar.gz        (of the project mylib)
        good  mylib-1.2.0.tar.gz
    """
    for name in facts.files:
        named = _named(name)
        own = project_key(named[0]) == project_key(facts.project) if named else _bears(facts.project, name)
        if not own:
            text = f"{name} does not bear the name of {facts.project}"
            yield Said(
                text=text, fix="set the project's name where the backend reads it, or [project.X] in the settings"
            )


def _bears(project: str, name: str) -> bool:
    return project_key(name).startswith(f"{project_key(project)}-")


@rule("FILE002", "file-version-agrees", firm=True)
def file_version_agrees(facts: After) -> Iterator[Said]:
    """Every file of a release bears the tag's version.

    A backend that makes up another one does not see the tag, or reads its version elsewhere.

        bad   mylib-1.2.1.dev3.tar.gz    (at the tag 1.2.0)
        good  mylib-1.2.0.tar.gz
    """
    wanted = parse(facts.version)
    for name in facts.files:
        named = _named(name)
        own = named[1] == wanted if named else _says(facts.version, name)
        if not own:
            text = f"{name} does not bear the version {facts.version}"
            yield Said(text=text, fix="let the backend take the version from the tag, or write the tag's version")


def _says(version: str, name: str) -> bool:
    """Whether a name holds this version, and not one that only begins or ends like it."""
    more = r"[0-9]|[.][0-9]|[.]?(a|b|rc|dev|post)[0-9]"
    return bool(re.search(rf"(?<![0-9.]){re.escape(fold(version))}(?!{more})", fold(name)))


@rule("FILE003", "file-name-free", firm=True)
def file_name_free(facts: After) -> Iterator[Said]:
    """No file is named like a page, a version or a sidecar, none is a page for a browser, and no two names mean one.

    The site keeps these names for itself; what a browser would run as a page of the site is not served from there.

        bad   index.html, 1.2.0, mylib-1.2.0.tar.gz.asc, mylib-1.2.0.svg
        bad   mylib-1.2.0.tgz beside mylib-1.2.0.tar.gz
        good  mylib-1.2.0.tar.gz
    """
    for name in facts.files:
        text = fold(name)
        if text in PAGES or parse(name) or text.endswith((*SIDECARS, *BROWSERS)):
            yield Said(
                text=f"{name} is named like a page, a version or a sidecar of the site",
                fix="give the file another name",
            )
    for key, count in Counter(name_key(facts.project, name) for name in facts.files).items():
        if count > 1:
            alike = " and ".join(n for n in facts.files if name_key(facts.project, n) == key)
            yield Said(text=f"{alike} are one name", fix="leave one of them out", code="file-names-alike")


AFTER: tuple[Rule[After], ...] = (file_name_agrees, file_version_agrees, file_name_free)

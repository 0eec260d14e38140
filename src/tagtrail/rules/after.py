"""The rules that are asked after the build: what the files of a release may be called, and what may be in them."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from json import dumps

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from tagtrail.model.facts import Override
from tagtrail.model.names import PAGES, fold, name_key, project_key
from tagtrail.rules.book import Rule, Said, rule
from tagtrail.rules.versions import parse

__all__ = ["AFTER", "After", "excused"]

SIDECARS = (".asc", ".sha256sums", ".tag", ".notes.md", ".metadata", ".tlog-proof", ".intoto.jsonl", ".cdx.json")
BROWSERS = (".html", ".htm", ".xhtml", ".svg", ".xml", ".js")


@dataclass(frozen=True, slots=True, kw_only=True)
class After:
    """The names of a release's files, as built or brought.

    `generated` are the members of each archive that are no file of the tag, without an sdist's top directory;
    `reasons` are (pattern, reason) of those that the settings say the project's build makes. Without `python`, a
    `.tar.gz` is no sdist, and its name is read as any other.
    """

    project: str
    version: str
    files: tuple[str, ...]
    generated: tuple[tuple[str, tuple[str, ...]], ...] = ()
    reasons: tuple[tuple[str, str], ...] = ()
    python: bool = True

    def lacks(self, need: str) -> str:
        """Nothing: files are all that is asked about."""
        return ""


def _named(facts: After, name: str) -> tuple[str, Version] | None:
    """Project (PEP 503) and version of a wheel's or an sdist's name; None for other files."""
    try:
        if name.endswith(".whl"):
            project, version, _, _ = parse_wheel_filename(name)
        elif facts.python and name.endswith((".tar.gz", ".zip")):
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
        named = _named(facts, name)
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

    A backend that makes up another one does not see the tag, or reads its version elsewhere. In names of files that
    are no sdist and no wheel, 1.2.0-rc.1 is 1.2.0rc1, as others write it.

        bad   mylib-1.2.1.dev3.tar.gz    (at the tag 1.2.0)
        good  mylib-1.2.0.tar.gz
    """
    wanted = parse(facts.version)
    for name in facts.files:
        named = _named(facts, name)
        own = named[1] == wanted if named else wanted in _versions(name)
        if not own:
            text = f"{name} does not bear the version {facts.version}"
            yield Said(text=text, fix="let the build take the version from the tag, or write the tag's version")


_SPELLED = re.compile(
    r"(?<![0-9.!])(?:[0-9]+!)?[0-9]+(?:[.][0-9]+)*(?:[-._]?(?:alpha|beta|rc|a|b|dev|post)[-._]?[0-9]+)*(?![0-9])"
)
"""What looks like a version, however it is spelled."""


def _versions(name: str) -> set[Version]:
    """All that a name says."""
    return {version for found in _SPELLED.findall(fold(name)) if (version := parse(found))}


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


VERSION = r"(.*/)?(_version|version|__version__|_scm_version)\.pyi?"
SDIST = re.compile(
    r"PKG-INFO|setup\.cfg|AUTHORS|ChangeLog|RELEASENOTES\.rst"
    r"|(.*/)?[^/]+\.egg-info/(PKG-INFO|SOURCES\.txt|dependency_links\.txt|entry_points\.txt|namespace_packages\.txt"
    r"|not-zip-safe|zip-safe|pbr\.json|requires\.txt|scm_file_list\.json|scm_version\.json|top_level\.txt)"
    rf"|{VERSION}"
)
WHEEL = re.compile(
    r"[^/]+\.dist-info/(METADATA|RECORD|WHEEL|entry_points\.txt|namespace_packages\.txt|pbr\.json|scm_file_list\.json"
    rf"|scm_version\.json|top_level\.txt|zip-safe|(licenses/)?(AUTHORS|ChangeLog))|{VERSION}"
)
SHOWN = 5
EXTENSION = re.compile(r"(.*/)?[^/]+\.(so|pyd)")
"""What builds usually make; an extension module in a wheel of one platform only."""


def _usual(file: str, member: str) -> bool:
    if not file.endswith(".whl"):
        return bool(SDIST.fullmatch(member))
    native = not file.endswith("-any.whl") and EXTENSION.fullmatch(member)
    return bool(native or WHEEL.fullmatch(member))


def _unusual(facts: After) -> Iterator[tuple[str, str]]:
    """(file, member) that no tag and no usual build explains."""
    return ((file, member) for file, members in facts.generated for member in members if not _usual(file, member))


def _reason(facts: After, member: str) -> tuple[str, str] | None:
    return next((r for r in facts.reasons if fnmatchcase(member, r[0])), None)


@rule("FILE004", "archive-is-the-tag")
def archive_is_the_tag(facts: After) -> Iterator[Said]:
    """Every member of an archive is a file of the tag, byte for byte, or one that builds usually make.

    Nobody reviews what is in a release archive and not in the repository: that is how backdoors came into tarballs.
    Usual are `PKG-INFO`, `setup.cfg`, the known files of `*.egg-info/` and `*.dist-info/`, `AUTHORS` and `ChangeLog`,
    `_version.py`, and in a wheel for one platform its extension modules. They are known by their names, so what is in
    them is not judged here; all are listed in the entry and on the release page. What else a project's build makes is
    said in its settings, and the reason goes into the entry:

        [project.mylib]
        generated = { "mylib/locale/*.mo" = "compiled from the .po files" }

        bad   m4/build-to-host.m4, tests/files/good-large_compressed.lzma    (in no commit)
        bad   mylib-1.2.0.dist-info/setup.pth
        good  PKG-INFO, mylib.egg-info/SOURCES.txt, src/mylib/_version.py
    """
    for file, _ in facts.generated:
        members = [m for name, m in _unusual(facts) if name == file and not _reason(facts, m)]
        if members:
            one = len(members) == 1
            shown = ", ".join(members[:SHOWN]) + (f" and {len(members) - SHOWN} more" if members[SHOWN:] else "")
            yield Said(
                text=f"{file} has {shown}, which {'is no file' if one else 'are no files'} of the tag",
                fix=f"find out what made {'it' if one else 'them'}; if that is right, under [project.{facts.project}]: "
                f'generated = {{ {dumps(members[0])} = "WHY" }}',
                code="member-unexpected",
            )


def excused(facts: After) -> tuple[Override, ...]:
    """What the settings explain: FILE004 set aside for the members that a pattern names, with the written reason."""
    used = dict.fromkeys(filter(None, (_reason(facts, member) for _, member in _unusual(facts))))
    return tuple(Override(rule="FILE004", because=f"{pattern}: {because}") for pattern, because in used)


AFTER: tuple[Rule[After], ...] = (file_name_agrees, file_version_agrees, file_name_free, archive_is_the_tag)

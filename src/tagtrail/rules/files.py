"""Rules about the names of a release's files: whose they are, which version they bear, and what the site keeps."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from packaging.version import Version

from tagtrail.model.names import FORM, PAGES, fold, is_own, name_key, project_key, sdist_stem
from tagtrail.rules.book import Rule, Said, rule
from tagtrail.rules.facts import After
from tagtrail.rules.versions import parse

if TYPE_CHECKING:
    from packaging.tags import Tag

__all__ = ["FILES"]

LONGEST = 240
"""Bytes of a file's name, behind which a sidecar's suffix has its place."""
BROWSERS = (".html", ".htm", ".xhtml", ".svg", ".xml", ".js")


def _named(facts: After, name: str) -> tuple[str, Version] | None:
    """Project (PEP 503) and version of a wheel's or an sdist's name; None for other files."""
    from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename

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

        bad   mylib-1.2.1.dev3.tar.gz, mylib-1.2.0+x.exe    (at the tag 1.2.0)
        good  mylib-1.2.0.tar.gz
    """
    wanted = parse(facts.version)
    for name in facts.files:
        named = _named(facts, name)
        own = named[1] == wanted if named else wanted in _versions(name) or _has_word(facts.version, name)
        if not own:
            text = f"{name} does not bear the version {facts.version}"
            yield Said(text=text, fix="let the build take the version from the tag, or write the tag's version")


_SPELLED = re.compile(
    r"(?<![0-9.!])(?>(?:[0-9]+!)?[0-9]+(?:[.][0-9]+)*(?:[-._]?(?:alpha|beta|rc|a|b|dev|post)[-._]?[0-9]+)*)"
    r"(?>(?:[+][0-9a-z]+(?:[-_.][0-9a-z]+)*)?)"
)
"""What looks like a version, however it is spelled; behind a local one stands what may be no part of it."""


def _has_word(version: str, name: str) -> bool:
    """Whether a version that is not PEP 440's normal form stands in a name as it is."""
    word = rf"(?<![0-9a-z.]){re.escape(fold(version))}(?![0-9a-z]|[.][0-9]|[+][0-9a-z])"
    return str(parse(version)) != version and bool(re.search(word, fold(name)))


def _versions(name: str) -> set[Version]:
    """All that a name says."""
    said = (text for found in _SPELLED.findall(fold(name)) for text in _heads(found))
    return {version for text in said if (version := parse(text))}


def _heads(found: str) -> Iterator[str]:
    """As it stands, and where a local version may end, for the name goes on: `1.0+a.1` in `1.0+a.1.exe`."""
    yield found
    yield from (found[: cut.start()] for cut in re.finditer(r"[-_.](?![0-9])", found) if "+" in found[: cut.start()])


@rule("FILE003", "file-name-free", firm=True, across=True)
def file_name_free(facts: After) -> Iterator[Said]:
    """No file is named like a page, a version or a sidecar, none is a page for a browser, and no two names mean one.

    The site keeps these names for itself, those of reproducers' statements too, and such as mean the same; what a
    browser would run as a page of the site is not served from there.
    A name has at most 240 bytes: no disk has one of more than 255, and a file's proof is called `NAME.tlog-proof`. The
    trail holds names of ASCII letters, digits and `._+!~-` that begin with a letter or a digit, and no others.

        bad   index.html, 1.2.0, mylib-1.2.0.tar.gz.asc, mylib-1.2.0.svg
        bad   mylib-1.2.0.reproduced-1832b1dd.jsonl, mylib-1.2.0_SHA256SUMS
        bad   "mylib-1.2.0 (1).exe"
        bad   mylib-1.2.0.tgz beside mylib-1.2.0.tar.gz
        good  mylib-1.2.0.tar.gz
    """
    for name in facts.files:
        text = fold(name)
        if text in PAGES or parse(name) or is_own(name) or text.endswith(BROWSERS):
            yield Said(
                text=f"{name} is named like a page, a version or a sidecar of the site",
                fix="give the file another name",
            )
        if len(name.encode()) > LONGEST:
            text = f"{name[:40]}... has a name of {len(name.encode())} bytes, {LONGEST} is the most"
            yield Said(text=text, fix="give the file a shorter name", code="file-name-long")
        elif not FORM.fullmatch(name):
            fix = "call it by ASCII letters, digits and ._+!~- alone; a letter or a digit comes first"
            yield Said(text=f"{name!a} is no name that the trail can hold", fix=fix, code="file-name")
    for key, count in Counter(name_key(facts.project, name) for name in facts.files).items():
        if count > 1:
            alike = " and ".join(n for n in facts.files if name_key(facts.project, n) == key)
            yield Said(text=f"{alike} are one name", fix="leave one of them out", code="file-names-alike")


_SDISTS = (".tar.gz", ".zip")
"""What installers read as an sdist."""


def _sdists(facts: After) -> tuple[str, ...]:
    return tuple(name for name in facts.files if facts.python and name.endswith(_SDISTS) and _named(facts, name))


@rule("FILE007", "sdist-there", "warning", needs=("settings",), across=True)
def sdist_there(facts: After) -> Iterator[Said]:
    """A release with wheels has an sdist.

    Distributions build from it, and so does everybody whose machine no wheel fits. A wheel cannot be read in its
    place. One that is still awaited (`expect`) counts.

        bad   build = ["wheel"]
        good  build = ["sdist", "wheel"]
    """
    settings = facts.settings
    wheels = [name for name in facts.files if name.endswith(".whl")]
    if settings is None or not wheels or _sdists(facts):
        return
    awaited = any(pattern.endswith(("*", *_SDISTS)) for pattern in settings.expect)
    if "sdist" not in settings.build and not awaited:
        fix = f'build = ["sdist", "wheel"] for {facts.project}'
        yield Said(text=f"{facts.project} {facts.version} has wheels and no sdist", fix=fix)


@rule("FILE008", "sdist-name", needs=("settings",), across=True)
def sdist_name(facts: After) -> Iterator[Said]:
    """There is one sdist, and its name is written as PEP 625 has it.

    The project's name in lower case with `_` for each run of `-_.`, then the version in normal form, `.tar.gz`. Other
    spellings are read differently by different tools, and indexes refuse them, or a second sdist.

        bad   My.Lib-1.2.0.tar.gz, mylib-1.2.0.zip
        bad   mylib-1.2.0.zip beside mylib-1.2.0.tar.gz
        good  my_lib-1.2.0.tar.gz
    """
    sdists = _sdists(facts)
    wanted = f"{sdist_stem(facts.project, facts.version)}.tar.gz"
    for name in sdists[:1] if len(sdists) == 1 else ():
        if name != wanted:
            fix = "use a newer build backend: it writes the name so by itself"
            yield Said(text=f"{name} is called {wanted} today (PEP 625)", fix=fix, level=facts.mildly)
    if len(sdists) > 1:
        text = f"{' and '.join(sdists)} are two sdists: an index takes one"
        yield Said(text=text, fix=f"leave out all but {wanted}", code="sdists-many", level=facts.mildly)


@rule("FILE009", "wheel-installs-elsewhere", needs=("settings",))
def wheel_installs_elsewhere(facts: After) -> Iterator[Said]:
    """A wheel's tags are those of machines that other people have.

    `linux_x86_64` means "as the machine that built it", whatever libraries that has: indexes refuse it, and installers
    elsewhere crash. `any` is for what has no compiled part.

        bad   mylib-1.2.0-cp311-cp311-linux_x86_64.whl
        good  mylib-1.2.0-cp311-cp311-manylinux_2_28_x86_64.whl
    """
    for name in facts.files:
        odd = sorted({tag.platform for tag in _tags(name) if not _PLATFORM.fullmatch(tag.platform)})
        if odd:
            fix = f"auditwheel repair {name}, in an image of manylinux; or build it with cibuildwheel"
            text = f"{name} is for {', '.join(odd)}, which is no platform that installers agree on"
            yield Said(text=text, fix=fix, level=facts.mildly)
        elif any(tag.platform == "any" and tag.abi != "none" for tag in _tags(name)):
            text = f"{name} asks for an ABI, and says that it runs on any platform"
            fix = "look at how the backend finds its tags: py3-none-any, or a platform"
            yield Said(text=text, fix=fix, code="wheel-tags-odd", level="warning")


_PLATFORM = re.compile(
    r"any|win32|win_amd64|win_arm64|win_arm32"
    r"|macosx_\d+_\d+_(?:arm64|intel|fat3|fat32|fat64|universal|universal2|x86_64|i386|ppc|ppc64)"
    r"|(?:manylinux(?:1|2010|2014|_\d+_\d+)|musllinux_\d+_\d+)_[a-z0-9_]+"
    r"|ios_\d+_\d+_(?:arm64|x86_64)_iphone(?:os|simulator)|android_\d+_[a-z0-9_]+"
    r"|(?:pyodide|pyemscripten)_\d+_\d+_wasm32"
)
"""The platforms of https://packaging.python.org/en/latest/specifications/platform-compatibility-tags/."""


def _tags(name: str) -> "frozenset[Tag]":
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    try:
        return parse_wheel_filename(name)[3] if name.endswith(".whl") else frozenset()
    except InvalidWheelFilename:
        return frozenset()


FILES: tuple[Rule[After], ...] = (
    file_name_agrees, file_version_agrees, file_name_free, sdist_there, sdist_name, wheel_installs_elsewhere,
)  # fmt: skip

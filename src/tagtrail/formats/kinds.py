"""The settings that say what is built, and how the project's own files are held to the tag.

    [kind.generic]
    build = ["tar.gz", "tar.xz"]                 # the tag's tree in normal form
    [project.tool]                               # a project may repeat each key of its kind
    kind    = "generic"
    build   = []
    prepare = [["go", "mod", "download"]]        # command lines by their words, no shell: with network
    run     = [["go", "build", "-o", "dist/tool-{version}-linux-amd64"]]     # and without
    files   = ["dist/tool-{version}-*"]          # what of it is released: patterns of Python's glob, without `**`
    declares = "package.json:version"            # a file in which the tag's version must stand
    branches = ["main", "stable/*"]              # the tag's commit must be on one of them
    [build]
    isolation = "bubblewrap"                     # how every build is kept apart from keys and credentials
    memory    = "8G"                             # and how much it may use: bytes, processes, seconds

In command lines {project}, {version}, {tag}, {commit} and {epoch} stand for what they say, and every other brace for
itself; in `files` {project}, {version} and {tag}. All paths are relative to the project's directory (`subdirectory`).
`declares` is FILE:KEY for .json, .toml, .cfg, .ini, .yml and .yaml, where KEY has dots between its parts (in YAML it is
one key at the top), and a FILE alone for one that holds nothing but the version.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tagtrail.formats.forms import relative_fault
from tagtrail.formats.toml import Table
from tagtrail.model.settings import BuildSettings, Kind, Project

__all__ = ["BUILDS", "building", "making", "making_faults"]

BUILDS = ("sdist", "sdist.xz", "wheel", "tar.gz", "tar.xz")
"""The build kinds: the first three are made by a build backend, the others are the tag's tree."""

ISOLATIONS = ("auto", "bubblewrap", "namespaces", "none")

_KEYED = (".json", ".toml", ".cfg", ".ini", ".yml", ".yaml")
_FILES = r"([A-Za-z0-9._+!~*?/\[\]-]|\{(project|version|tag)\})+"
_BRANCH = r"[A-Za-z0-9._+*?/-]{1,200}"
_KEY = r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*"


def making(table: Table, above: Kind) -> dict[str, Any]:
    """What a kind or a project says of its commands, else what stands in the kind `above` it."""
    said = {key: table.commands(key, getattr(above, key)) for key in ("prepare", "run")}
    files = table.texts("files", above.files)
    for pattern in files:
        table.fault("files", _files_fault(pattern))
    return {**said, "files": files}


def making_faults(project: Project, indexes: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(key, fault) of what does not go together in a project; `indexes` are the targets that take Python files only."""
    if not (project.build or project.files):
        yield "build", 'makes nothing: name build kinds, or what `run` makes in files = ["dist/*"]'
    if fault := _twins(project.build):
        yield "build", fault
    if project.files and not project.run:
        yield "files", "names what `run` makes, and there is no run"
    if (project.run or project.prepare) and not project.files:
        yield "run" if project.run else "prepare", "makes what nobody takes: name it in files"
    for name in project.publish:
        if name in indexes and not project.is_python:
            yield "publish", f"{name!r} is an index of Python packages, and nothing of that kind is built"
    if project.declares and (fault := _declares_fault(project.declares)):
        yield "declares", fault
    for branch in project.branches:
        if not re.fullmatch(_BRANCH, branch):
            yield "branches", f'{branch!r} is not a pattern of branches, such as "stable/*"'


def _twins(build: Sequence[str]) -> str:
    """Two kinds whose files have one name."""
    twins = (("sdist", "tar.gz"), ("sdist.xz", "tar.xz"))
    both = next((pair for pair in twins if {*pair} <= {*build}), None)
    return f"{both[0]!r} and {both[1]!r} are both called NAME-VERSION.{both[1]}: leave one out" if both else ""


def building(table: Table) -> BuildSettings:
    """The table `[build]`: how builds are kept apart, and how much they may use."""
    build = BuildSettings(
        isolation=table.text("isolation", "auto"),
        memory=_size(table, "memory"),
        disk=_size(table, "disk"),
        processes=table.number("processes", 0),
        time=table.number("time", 0),
    )
    table.known("isolation", [build.isolation], ISOLATIONS, "isolation")
    table.close()
    return build


def _files_fault(pattern: str) -> str:
    if fault := relative_fault(pattern):
        return fault
    if "**" in pattern or not re.fullmatch(_FILES, pattern):
        return f'{pattern!r} is not a pattern of files, such as "dist/*-{{version}}.tgz"'
    return ""


def _declares_fault(text: str) -> str:
    path, _, key = text.partition(":")
    if fault := relative_fault(path):
        return fault
    if not path.endswith(_KEYED):
        return f"{path} has no keys: name the file alone" if key else ""
    if not re.fullmatch(_KEY, key):
        return f'names a key of {path}, such as "{path}:version"'
    if path.endswith((".yml", ".yaml")) and "." in key:
        return f"of YAML a key at the top is read, and {key!r} is below another"
    return ""


def _size(table: Table, key: str) -> int:
    """Bytes, written as 512M or 8G; 0 where nothing is said."""
    text = table.text(key, "")
    found = re.fullmatch(r"([1-9][0-9]{0,8})([KMGT])", text)
    if text and found is None:
        table.problem(key, f'must be a size such as "512M" or "8G", not {text!r}')
    return int(found[1]) << {"K": 10, "M": 20, "G": 30, "T": 40}[found[2]] if found else 0

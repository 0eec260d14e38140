"""Core metadata (PKG-INFO, METADATA): what a built file says of itself, and what is wrong with that.

    Metadata-Version: 2.4
    Name: oslo.config
    Version: 9.7.0
    Requires-Python: >=3.9

https://packaging.python.org/en/latest/specifications/core-metadata/, read by `packaging`. A file without one name and
one version is refused; every other fault is a fact, which rules judge.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from tagtrail.formats.encoding import shown
from tagtrail.model.errors import ProjectError
from tagtrail.model.metadata import Metadata

if TYPE_CHECKING:
    from packaging.metadata import RawMetadata

__all__ = ["Metadata", "check_file_name", "check_identity", "parse_metadata"]

MAX_SIZE = 1 << 20
"""Bytes of core metadata: a mail parser is not made for more."""

_LATER = "introduced in metadata version"
"""What `packaging` says of a field that is younger than the file's Metadata-Version: many backends do that, and indexes
and installers take it."""
_PLACED = frozenset({"2.4", "2.5", "2.6"})
"""The Metadata-Versions in which License-File means a place in the archive (PEP 639)."""


def parse_metadata(data: bytes, where: str) -> Metadata:
    """Read core metadata; `where` names the file in errors. Raises ProjectError `metadata-invalid`."""
    try:
        return _parsed(data)
    except ValueError as fault:
        raise _invalid(where, str(fault)) from fault


@lru_cache(maxsize=4)
def _parsed(data: bytes) -> Metadata:
    """All files of a release say the same, and are asked on every step of it. Raises ValueError."""
    if len(data) > MAX_SIZE:
        message = f"it has {len(data)} bytes, at most {MAX_SIZE} are read"
        raise ValueError(message)
    from packaging.metadata import parse_email  # the mail parser behind it is slow to import

    try:
        data.decode("utf-8")
        raw, unparsed = parse_email(data)
    except (UnicodeDecodeError, ValueError) as error:
        message = "it is not UTF-8"
        raise ValueError(message) from error
    name, version = raw.get("name", ""), raw.get("version", "")
    if not name or not version:
        message = "Name or Version is missing, empty or there twice"
        raise ValueError(message)
    odd = tuple((key, "is no field, or there twice, or cannot be read") for key in sorted(unparsed))
    return _metadata(raw, name, version, (*odd, *_faults(raw)))


def _metadata(raw: "RawMetadata", name: str, version: str, faults: tuple[tuple[str, str], ...]) -> Metadata:
    urls = {**raw.get("project_urls", {})}
    for label, key in (("Home-page", "home_page"), ("Download-URL", "download_url")):
        if raw.get(key):
            urls[label] = str(raw.get(key))
    return Metadata(
        name=name,
        version=version,
        requires_python=raw.get("requires_python", ""),
        form=raw.get("metadata_version", ""),
        summary=raw.get("summary", ""),
        description=raw.get("description", ""),
        content_type=raw.get("description_content_type", ""),
        license=raw.get("license", ""),
        license_expression=raw.get("license_expression", ""),
        license_files=tuple(raw.get("license_files", ())) if raw.get("metadata_version") in _PLACED else (),
        classifiers=tuple(raw.get("classifiers", ())),
        requires=tuple(raw.get("requires_dist", ())),
        urls=tuple(urls.items()),
        dynamic=tuple(field.lower() for field in raw.get("dynamic", ())),
        faults=faults,
    )


def _faults(raw: "RawMetadata") -> tuple[tuple[str, str], ...]:
    """What the specification refuses, as `packaging` reads it, each with its field."""
    from packaging.metadata import InvalidMetadata
    from packaging.metadata import Metadata as Judged

    try:
        Judged.from_raw(raw)
    except ExceptionGroup as group:
        told = ((one.field, str(one)) for one in group.exceptions if isinstance(one, InvalidMetadata))
        return tuple(sorted({(field, text) for field, text in told if _LATER not in text}))
    except ValueError as error:  # a version of more digits than Python counts
        return (("metadata", str(error)),)
    return ()


def check_identity(metadata: Metadata, *, project: str, version: str, where: str) -> None:
    """The file is of this project (PEP 503) and version (PEP 440). Raises ProjectError `name-mismatch`,
    `version-mismatch`."""
    from packaging.utils import canonicalize_name
    from packaging.version import Version

    if canonicalize_name(metadata.name) != canonicalize_name(project):
        raise ProjectError(
            f"{where} is of {metadata.name!r}, the project is {project!r}", code="name-mismatch",
            hint=f"name = {project!r} in pyproject.toml, or correct the project's name in tagtrail.toml",
        )  # fmt: skip
    try:
        same = Version(metadata.version) == Version(version)
    except ValueError:  # no version, or one of more digits than Python counts
        same = metadata.version == version
    if not same:
        raise ProjectError(
            f"{where} says version {shown(metadata.version)}, the tag says {version}", code="version-mismatch",
            hint="correct the version in the project, and tag the commit that does",
        )  # fmt: skip


def check_file_name(name: str, kind: Literal["sdist", "wheel"], *, project: str, version: str) -> None:
    """A built file's name says its project and version (PEP 625, PEP 427; older sdist names are fine).

    Raises ProjectError `output-invalid`, `name-mismatch`, `version-mismatch`.
    """
    from packaging import utils

    try:
        found, number = (utils.parse_sdist_filename if kind == "sdist" else utils.parse_wheel_filename)(name)[:2]
    except (utils.InvalidSdistFilename, utils.InvalidWheelFilename) as error:
        raise ProjectError(f"{name!r} is no name of a {kind}", code="output-invalid", why=str(error)) from error
    check_identity(Metadata(name=found, version=str(number)), project=project, version=version, where=name)


def _invalid(where: str, why: str) -> ProjectError:
    return ProjectError(f"{where} has no readable metadata", code="metadata-invalid", why=why)

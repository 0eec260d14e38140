"""Core metadata (PKG-INFO, METADATA) as far as a release needs it: name, version, requires-python.

    Metadata-Version: 2.4
    Name: oslo.config
    Version: 9.7.0
    Requires-Python: >=3.9

https://packaging.python.org/en/latest/specifications/core-metadata/, read by `packaging`.
"""

from typing import Literal

from tagtrail.formats.encoding import shown
from tagtrail.model.errors import ProjectError
from tagtrail.model.frozen import frozen

__all__ = ["Metadata", "check_file_name", "check_identity", "parse_metadata"]

MAX_SIZE = 1 << 20
"""Bytes of core metadata: a mail parser is not made for more."""


@frozen
class Metadata:
    """What a built file says of itself; `requires_python` is empty where it says nothing."""

    name: str
    version: str
    requires_python: str = ""


def parse_metadata(data: bytes, where: str) -> Metadata:
    """Read core metadata; `where` names the file in errors. Raises ProjectError `metadata-invalid`."""
    if len(data) > MAX_SIZE:
        raise _invalid(where, f"it has {len(data)} bytes, at most {MAX_SIZE} are read")
    from packaging.metadata import parse_email  # the mail parser behind it is slow to import

    try:
        data.decode("utf-8")
        raw, _ = parse_email(data)
    except (UnicodeDecodeError, ValueError) as error:
        raise _invalid(where, "it is not UTF-8") from error
    name, version = raw.get("name", ""), raw.get("version", "")
    if not name or not version:
        raise _invalid(where, "Name or Version is missing, empty or there twice")
    return Metadata(name=name, version=version, requires_python=raw.get("requires_python", ""))


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

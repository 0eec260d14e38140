"""The `[build-system]` table of a pyproject.toml (PEP 518, PEP 517): what builds a project, and with what.

    [build-system]
    requires = ["hatchling"]
    build-backend = "hatchling.build"
    backend-path = ["."]                 # optional: where in the tree the backend lies

Without the table, or without `build-backend`, it is setuptools' legacy backend, as the specification says:
https://packaging.python.org/en/latest/specifications/pyproject-toml/#declaring-build-system-dependencies-the-build-system-table
"""

import re
from typing import Any

from tagtrail.model.errors import ProjectError
from tagtrail.model.frozen import frozen
from tagtrail.model.toml import loads

__all__ = ["BuildSystem", "parse_build_system"]


@frozen
class BuildSystem:
    """Requirements (PEP 508), the backend's object reference, and directories relative to the project."""

    requires: tuple[str, ...] = ("setuptools >= 40.8.0",)
    backend: str = "setuptools.build_meta:__legacy__"
    path: tuple[str, ...] = ()


def parse_build_system(pyproject: str | None, *, has_setup: bool) -> BuildSystem:
    """What builds a project with this pyproject.toml (None: it has none); `has_setup` says that there is a setup.py.

    Raises ProjectError `pyproject-invalid`, or `build-system-missing` where nothing says how to build.
    """
    if pyproject is None and not has_setup:
        raise ProjectError(
            "the project has neither a pyproject.toml nor a setup.py", code="build-system-missing",
            hint="add a pyproject.toml, or set subdirectory in tagtrail.toml",
        )  # fmt: skip
    try:
        table = loads(pyproject or "").get("build-system")
    except ValueError as error:
        raise _invalid(str(error)) from error
    if table is None:
        return BuildSystem()
    if not isinstance(table, dict) or "requires" not in table:
        raise _invalid("[build-system] has no requires")
    requires, path = _lines(table, "requires"), _lines(table, "backend-path")
    backend = table.get("build-backend", BuildSystem().backend)
    if not isinstance(backend, str) or not re.fullmatch(r"[A-Za-z_][\w.]*(:[A-Za-z_][\w.]*)?", backend):
        raise _invalid(f"build-backend is {backend!r}, not module:object")
    if any(part.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", part) for part in path):
        raise _invalid("backend-path leads outside the project")
    return BuildSystem(requires=requires, backend=backend, path=path)


def _lines(table: dict[str, Any], key: str) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(line, str) for line in value):
        raise _invalid(f"{key} in [build-system] is no list of strings")
    return tuple(value)


def _invalid(why: str) -> ProjectError:
    return ProjectError(
        "pyproject.toml does not say how to build", code="pyproject-invalid", why=why,
        hint="correct the [build-system] table and tag the commit that does",
    )  # fmt: skip

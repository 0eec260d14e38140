"""What a project's own files say about it: name, version, backend, classifiers, requirements; nothing is run for it.

pyproject.toml (PEP 621, PEP 518; Poetry's own table) is read first, setup.cfg where it says nothing.
"""

import re
from collections.abc import Mapping
from typing import Any

from tagtrail.model.frozen import frozen
from tagtrail.model.toml import loads

__all__ = ["Declared", "declared"]


@frozen
class Declared:
    """A field is empty where the files do not say it statically. `broken` says why pyproject.toml cannot be read.

    `python` is whether there are files of a Python project at all; `own` are the keys of `[tool.tagtrail]`. `asks` are
    the requirements (PEP 508; None: not said statically), `pythons` is `Requires-Python`.
    """

    python: bool = False
    name: str = ""
    version: str = ""
    backend: str = ""
    classifiers: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    broken: str = ""
    asks: tuple[str, ...] | None = None
    pythons: str = ""


def declared(pyproject: str | None, setup_cfg: str | None, requirements: str | None = None) -> Declared:
    """What the files say (None: there is no such file); `requirements`, requirements.txt, counts for pbr alone."""
    cfg = _setup_cfg(setup_cfg) if setup_cfg else {}
    try:
        toml = loads(pyproject or "")
    except ValueError as error:
        return Declared(python=True, broken=f"pyproject.toml is not TOML: {error}")
    system, project = _table(toml, "build-system"), _table(toml, "project")
    poetry = _table(_table(toml, "tool"), "poetry")
    backend = _text(system, "build-backend") or ("setuptools" if "setuptools" in _texts(system, "requires") else "")
    pbr = any(r.strip().lower().startswith("pbr") for r in _texts(system, "requires")) or "pbr" in cfg
    return Declared(
        python=bool(project or poetry or system or cfg.get("metadata")),
        name=_text(project, "name") or _text(poetry, "name") or _static(cfg, "name"),
        version=_text(project, "version") or _text(poetry, "version") or ("" if pbr else _static(cfg, "version")),
        backend="pbr" if pbr else backend.partition(".")[0].partition(":")[0],
        classifiers=_texts(project, "classifiers") or _lines(_static(cfg, "classifier") or _static(cfg, "classifiers")),
        own=tuple(_table(_table(toml, "tool"), "tagtrail")),
        asks=_asks(project, poetry, cfg, requirements if pbr else None),
        pythons=_text(project, "requires-python") or _poetry_minimum(poetry, "python") or _pythons(cfg),
    )


def _asks(
    project: Mapping[str, Any], poetry: Mapping[str, Any], cfg: Mapping[str, Any], requirements: str | None
) -> tuple[str, ...] | None:
    if project and "dependencies" not in _texts(project, "dynamic"):
        return _texts(project, "dependencies")
    if "dependencies" in poetry:
        names = (name for name in _table(poetry, "dependencies") if name != "python")
        return tuple(f"{name}{_poetry_minimum(poetry, name)}" for name in names)
    if requirements is not None:
        lines = (line.partition("#")[0].strip() for line in requirements.splitlines())
        return tuple(line for line in lines if line and not line.startswith("-"))
    installs = cfg.get("options", {}).get("install_requires", "file:")
    return None if installs.strip().startswith(("file:", "attr:")) else _lines(installs)


def _poetry_minimum(poetry: Mapping[str, Any], name: str) -> str:
    """Poetry's own `^1.2` and `~1.2` as `>=1.2`; what is PEP 440 stays."""
    said = _table(poetry, "dependencies").get(name, "")
    text = said.get("version", "") if isinstance(said, dict) else said
    if not isinstance(text, str) or text == "*":
        return ""
    return re.sub(r"(^|,)\s*(?:\^|~(?!=)|(?=[0-9]))\s*", r"\1>=", text)


def _pythons(cfg: Mapping[str, Mapping[str, str]]) -> str:
    """Under the names that setuptools and pbr read."""
    names = ("python_requires", "python-requires", "requires_python", "requires-python")
    said = (cfg.get(section, {}).get(name, "") for section in ("options", "metadata") for name in names)
    return next(filter(None, said), "").strip()


def _table(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = table.get(key)
    return value if isinstance(value, dict) else {}


def _text(table: Mapping[str, Any], key: str) -> str:
    value = table.get(key)
    return value if isinstance(value, str) else ""


def _texts(table: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = table.get(key)
    return tuple(v for v in value if isinstance(v, str)) if isinstance(value, list) else ()


def _setup_cfg(text: str) -> dict[str, dict[str, str]]:
    from configparser import ConfigParser, Error  # many projects have no such file

    parser = ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except Error:
        return {}
    return {section: dict(parser[section]) for section in parser.sections()}


def _static(cfg: Mapping[str, Mapping[str, str]], key: str) -> str:
    value = cfg.get("metadata", {}).get(key, "").strip()
    return "" if value.startswith(("attr:", "file:")) else value


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())

"""What a project's own files say about it: name, version, backend, classifiers; nothing is run to find out.

pyproject.toml (PEP 621, PEP 518; Poetry's own table) is read first, setup.cfg where it says nothing.
"""

import tomllib
from collections.abc import Mapping
from configparser import ConfigParser
from configparser import Error as ConfigError
from typing import Any

from tagtrail.model.frozen import frozen

__all__ = ["Declared", "declared"]

_SIZE, _DOTS = 1_000_000, 1000
"""Beyond what people write; a key of n dotted parts costs tomllib n * n steps."""


@frozen
class Declared:
    """A field is empty where the files do not say it statically. `broken` says why pyproject.toml cannot be read.

    `python` is whether there are files of a Python project at all; `own` are the keys of `[tool.tagtrail]`.
    """

    python: bool = False
    name: str = ""
    version: str = ""
    backend: str = ""
    classifiers: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    broken: str = ""


def declared(pyproject: str | None, setup_cfg: str | None) -> Declared:
    """What the two files say (None: there is no such file)."""
    cfg = _setup_cfg(setup_cfg or "")
    text = pyproject or ""
    if len(text) > _SIZE or any(line.count(".") > _DOTS for line in text.split("\n")):
        return Declared(
            python=True, broken=f"pyproject.toml has more than {_SIZE} characters, or {_DOTS} dots in a line"
        )
    try:
        toml = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
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
    )


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
    parser = ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except ConfigError:
        return {}
    return {section: dict(parser[section]) for section in parser.sections()}


def _static(cfg: Mapping[str, Mapping[str, str]], key: str) -> str:
    value = cfg.get("metadata", {}).get(key, "").strip()
    return "" if value.startswith(("attr:", "file:")) else value


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())

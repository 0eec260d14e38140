"""What a file's name says where other hands put it: which version of a project, or that it is a signature."""

import re

from tagtrail.model.names import SUFFIXES, fold, project_key
from tagtrail.rules.versions import is_version

__all__ = ["BESIDE", "beside", "version_of"]

BESIDE = (
    ".asc", ".sig", ".sigstore", ".sigstore.json", ".minisig", ".bundle", ".crt", ".pem", ".publish.attestation",
    ".provenance", ".intoto.jsonl", ".tlog-proof", ".metadata", ".md5", ".sha1", ".sha256", ".sha512", ".sha256sum",
    ".sha512sum",
)  # fmt: skip
"""Ends of names of what is no file of a release, but says something about one."""

_ARCHIVES = (*SUFFIXES, ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.lzma", ".tar.zst", ".tar.lz", ".tar", ".zip", ".egg")
_LONG = 200
"""Characters of a name that are read."""


def beside(name: str) -> bool:
    """Whether a file only says something about another one: a signature, a digest, a proof."""
    return name.lower().endswith(BESIDE)


def version_of(project: str, name: str, scheme: str = "pep440") -> str:
    """The version that a file's name says after the project's; empty: it is of no version, or of another project.

    `nova-33.0.0.tar.gz` says 33.0.0, `nova-33.0.0-setup.exe` too; schemes without an order are read up to the suffix.
    """
    from packaging.utils import parse_wheel_filename  # slow to load, and asked for after the build

    if len(name) > _LONG:
        return ""
    try:
        found = parse_wheel_filename(name)
    except ValueError:
        pass
    else:
        return str(found[1]) if found[0] == project_key(project) else ""
    end = next((len(suffix) for suffix in _ARCHIVES if fold(name).endswith(suffix)), 0)
    stem = name[: len(name) - end]
    for cut in re.finditer(r"[-_]", stem):
        if project_key(stem[: cut.start()]) == project_key(project) and (said := _said(stem[cut.end() :], scheme)):
            return said
    return ""


def _said(rest: str, scheme: str) -> str:
    """The longest beginning that is a version; a leading `v` is none of it."""
    text = rest.removeprefix("v")
    if is_version(scheme, text) or scheme != "pep440":
        return text if is_version(scheme, text) else ""
    heads = (text[: cut.start()] for cut in re.finditer(r"[-_.+]", text))
    return max((head for head in heads if is_version(scheme, head)), key=len, default="")

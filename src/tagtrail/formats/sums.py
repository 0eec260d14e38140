"""PROJECT-VERSION.SHA256SUMS: what `sha256sum -c` reads, as a closed list of the version's files.

    <64 lower-case hex digits><two spaces><file name><line feed>

One line for each file, sorted by name; names are those of an entry, so nothing needs coreutils' escaping, and no path
ever stands in it. Source: GNU coreutils manual, "md5sum invocation".
"""

import re
from collections.abc import Iterable

from tagtrail.formats.encoding import hex_digest
from tagtrail.model.errors import TamperError

__all__ = ["format_sums", "parse_sums"]

_LINE = re.compile(r"([^ ]*)  ([A-Za-z0-9][A-Za-z0-9._+!~-]*)")


def format_sums(files: Iterable[tuple[str, str]]) -> bytes:
    """The list of (name, sha256)."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(files)).encode("ascii")


def parse_sums(data: bytes) -> tuple[tuple[str, str], ...]:
    """(name, sha256) of each line. Raises TamperError `sums-form`, `sums-order`, `sums-digest`."""
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError as error:
        raise TamperError("SHA256SUMS is not ASCII", code="sums-form") from error
    if not text.endswith("\n"):
        raise TamperError("SHA256SUMS does not end with a line feed", code="sums-form")
    files = tuple(_line(line) for line in text[:-1].split("\n"))
    names = [name for name, _ in files]
    if names != sorted(set(names)):
        raise TamperError("SHA256SUMS names a file twice, or is not sorted", code="sums-order")
    return files


def _line(line: str) -> tuple[str, str]:
    found = _LINE.fullmatch(line)
    if not found:
        raise TamperError(f"not a line of SHA256SUMS: {line[:120]!r}", code="sums-form")
    return found[2], hex_digest(found[1], "sums-digest")

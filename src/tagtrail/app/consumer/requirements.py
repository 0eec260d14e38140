r"""A pip requirements file read for its pins: `NAME==VERSION --hash=sha256:...`, and nothing left over.

    nova==33.0.0 ; python_version >= "3.11" \
        --hash=sha256:09bd5f12... \
        --hash=sha256:e1c077aa...          # each of them is something that pip would install
    -r more.txt

Comments, continued lines and `-r FILE` as pip reads them; options that say where pip looks or how it builds change
nothing of what a hash means, and are passed over. What pins nothing is refused by name: a requirement without a hash or
without `==`, an address or a path, `-e`, `-c`.
Source: pip's documentation, "Requirements File Format" and "Secure installs".
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from tagtrail.app.consumer.beside import read_small
from tagtrail.formats.encoding import shown
from tagtrail.model.errors import SetupError, TamperError
from tagtrail.model.names import project_key

__all__ = ["Pin", "read_pins"]

MAX_SIZE = 16 * 1024 * 1024
_DEEPEST = 10
_COMMENT = re.compile(r"(^|\s+)#.*$")
_OPTION = re.compile(r"--[a-z-]+|-[a-zA-Z]")
_HASH = re.compile(r"sha256:([0-9a-f]{64})")
_INCLUDES = ("-r", "--requirement")
_PASSED_OVER = frozenset(
    "-i --index-url --extra-index-url --no-index -f --find-links --trusted-host --no-binary --only-binary"
    " --prefer-binary --require-hashes --pre --use-feature --all-releases --only-final --uploaded-prior-to".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A requirement as a file pins it. `where` is the file and the line; `digests` are SHA-256 in hex, in order."""

    where: str
    name: str
    version: str
    digests: tuple[str, ...]

    @property
    def text(self) -> str:
        """`nova==33.0.0`."""
        return f"{self.name}=={self.version}"


def read_pins(path: Path) -> tuple[Pin, ...]:
    """All pins of a file and of those that it includes.

    Raises TamperError requirement-no-hash, requirement-hash, requirement-not-pinned, requirement-form,
    requirement-option; SetupError file-missing.
    """
    return tuple(_pins(path, (path.absolute(),)))


def _pins(path: Path, inside: tuple[Path, ...]) -> Iterator[Pin]:
    for number, line in _lines(path):
        where = f"{path}:{number}"
        if not line.startswith("-"):
            yield _pin(where, line)
            continue
        options = _options(where, line)
        if options[0] in _INCLUDES:
            there = _included(where, line, path, inside)
            yield from _pins(there, (*inside, there))


def _options(where: str, line: str) -> list[str]:
    """The options of a line that has no requirement; one that includes a file stands alone. Others are passed over."""
    found = [match[0] for word in line.split() if (match := _OPTION.match(word))]
    strange = [option for option in found[bool(found) and found[0] in _INCLUDES :] if option not in _PASSED_OVER]
    if strange or not found:
        why = "it asks for something that no hash in this file pins"
        what = f"{where}: {shown(strange[0] if strange else line)} is not supported"
        raise TamperError(what, code="requirement-option", why=why)
    return found


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Logical lines without comments, with the number of their first line: joined first, as pip does."""
    whole, begun = "", 0
    for number, raw in enumerate([*_text(path).splitlines(), ""], 1):
        begun = begun if whole else number
        if raw.endswith("\\") and not _COMMENT.match(raw):
            whole += raw.strip("\\")
            continue
        line = _COMMENT.sub("", f"{whole} {raw}" if _COMMENT.match(raw) else whole + raw).strip()
        whole = ""
        if line:
            yield begun, line


def _text(path: Path) -> str:
    data = read_small(path, MAX_SIZE)
    if data is None:
        raise SetupError(
            f"there is no {path}", code="file-missing", hint="name a requirements file with hashes: tagtrail lock"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = ""
    if len(data) > MAX_SIZE or (data and not text):
        raise TamperError(f"{path} is not UTF-8 of at most {MAX_SIZE} bytes", code="requirement-form")
    return text


def _included(where: str, line: str, path: Path, inside: tuple[Path, ...]) -> Path:
    name = re.sub(r"^(-r|--requirement)[\s=]*", "", line)
    if "://" in name:
        raise TamperError(f"{where}: {shown(name)} is not on this disk", code="requirement-form")
    there = (path.parent / name).absolute()
    if there in inside or len(inside) > _DEEPEST:
        raise TamperError(f"{where}: {shown(name)} includes itself", code="requirement-form")
    return there


def _pin(where: str, line: str) -> Pin:
    specifier, hashes = _split(where, line)
    try:
        asked = Requirement(specifier)
    except InvalidRequirement as error:
        what = f"{where}: {shown(specifier)} is not a requirement by name"
        raise TamperError(what, code="requirement-form", why=str(error).partition("\n")[0]) from None
    exact = [one for one in asked.specifier if one.operator in ("==", "===") and not one.version.endswith(".*")]
    if len(exact) != 1 or len(asked.specifier) != 1:
        hint = f"{asked.name}==VERSION --hash=sha256:..., as `tagtrail lock` and `pip-compile --generate-hashes` write"
        raise TamperError(f"{where}: {shown(specifier)} pins no version", code="requirement-not-pinned", hint=hint)
    if not hashes:
        hint = f"tagtrail lock {asked.name} --version {exact[0].version}"
        raise TamperError(f"{where}: {asked.name} has no hash", code="requirement-no-hash", hint=hint)
    digests = tuple(dict.fromkeys(_digest(where, asked.name, text) for text in hashes))
    return Pin(where=where, name=project_key(asked.name), version=exact[0].version, digests=digests)


def _split(where: str, line: str) -> tuple[str, list[str]]:
    """The requirement, and the values of its --hash options; no other option may stand there."""
    specifier, *rest = re.split(r"\s+(?=--?[A-Za-z])", line, maxsplit=1)
    try:
        words = shlex.split(rest[0]) if rest else []
    except ValueError as error:
        raise TamperError(f"{where}: {error}", code="requirement-form") from None
    hashes: list[str] = []
    while words:
        option, equals, value = words.pop(0).partition("=")
        if option != "--hash" or not (equals or words):
            what = f"{where}: {shown(option)} is not supported behind a requirement"
            raise TamperError(what, code="requirement-option", why="it changes what would be installed")
        hashes.append(value if equals else words.pop(0))
    return specifier, hashes


def _digest(where: str, name: str, text: str) -> str:
    match = _HASH.fullmatch(text)
    if not match:
        what = f"{where}: {name} has the hash {shown(text)}, which no trail can prove"
        raise TamperError(what, code="requirement-hash", why="entries name files by their SHA-256 alone")
    return match[1]

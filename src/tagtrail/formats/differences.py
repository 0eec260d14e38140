"""What differs between two files of one name: their members, and of the first that differs, where.

Archives are read as streams, never unpacked: those that `tagtrail.formats.magic` knows how to read, and what is one by
its name. Of anything else the first byte that differs is told. What is not read to its end is said so.
"""

import difflib
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import BinaryIO

from tagtrail.formats.encoding import shown
from tagtrail.formats.magic import READ, Ends, recognized
from tagtrail.formats.unpacking import form_of
from tagtrail.model.frozen import frozen

__all__ = ["Difference", "differences"]

MAX_TEXT = 1 << 20
"""Bytes of a member that is compared line by line."""
MAX_UNPACKED = 4 << 30
LINES = 12
_PIECE = 1 << 18
_BROKEN = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError,
    NotImplementedError, RuntimeError,
)  # fmt: skip


@frozen
class Difference:
    """`member` is empty where the archive itself differs; `what` says how; `lines` are the first lines that differ."""

    member: str
    what: str
    lines: tuple[str, ...] = ()


@frozen
class _Member:
    name: str
    kind: str
    sha256: str
    facts: tuple[tuple[str, str], ...]
    text: bytes = b""


def differences(name: str, released: BinaryIO, rebuilt: BinaryIO) -> tuple[Difference, ...]:
    """What differs between the released and the rebuilt file called `name`, seekable; nothing if they are equal."""
    if _digest(released) == _digest(rebuilt):
        return ()
    read = _reader(form_of(name) or recognized(Ends.of(released)))
    try:
        ours, theirs = (tuple(read(file)) for file in (released, rebuilt)) if read else ((), ())
    except _BROKEN as error:
        return (
            Difference(member="", what=f"one of them cannot be read as an archive: {error}"),
            _bytes(released, rebuilt),
        )
    if not read:
        return (_bytes(released, rebuilt),)
    found = tuple(_members(ours, theirs))
    return found or (Difference(member="", what=_container(ours, theirs)), _bytes(released, rebuilt))


def _members(ours: tuple[_Member, ...], theirs: tuple[_Member, ...]) -> Iterator[Difference]:
    before, after = ({m.name: m for m in members} for members in (ours, theirs))
    first = True
    for name in dict.fromkeys((*before, *after)):
        one, other = before.get(name), after.get(name)
        if one is None or other is None:
            yield Difference(
                member=name, what="only in the rebuilt file" if one is None else "only in the released file"
            )
        elif one.sha256 != other.sha256:
            yield Difference(member=name, what="other content", lines=_lines(one, other) if first else ())
            first = first and name.endswith(".dist-info/RECORD")  # which differs where any other does
        elif one.facts != other.facts:
            pairs = zip(one.facts, other.facts, strict=False)
            yield Difference(member=name, what="; ".join(f"{k} {a}, rebuilt {b}" for (k, a), (_, b) in pairs if a != b))


def _container(ours: tuple[_Member, ...], theirs: tuple[_Member, ...]) -> str:
    if [m.name for m in ours] != [m.name for m in theirs]:
        return "the same members in another order"
    return "the same members, packed otherwise: another compressor or another version of it"


def _lines(one: _Member, other: _Member) -> tuple[str, ...]:
    """The first lines of a diff, where both are text."""
    try:
        old, new = (m.text.decode("utf-8").split("\n") for m in (one, other))
    except UnicodeDecodeError:
        return ()
    if b"\0" in one.text or not (one.text or other.text):
        return ()
    diff = list(difflib.unified_diff(old, new, "released", "rebuilt", n=0, lineterm=""))[2:]
    more = (f"... {len(diff) - LINES} more lines",) if len(diff) > LINES else ()
    return (*(shown(line, 160)[1:-1] for line in diff[:LINES]), *more)


def _bytes(released: BinaryIO, rebuilt: BinaryIO) -> Difference:
    sizes = [file.seek(0, 2) for file in (released, rebuilt)]
    released.seek(0)
    rebuilt.seek(0)
    at = 0
    while True:
        one, other = released.read(_PIECE), rebuilt.read(_PIECE)
        if one != other or not one:
            at += next(
                (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
            )
            break
        at += len(one)
    return Difference(member="", what=f"{sizes[0]} bytes, rebuilt {sizes[1]}; the first that differs is byte {at}")


def _digest(file: BinaryIO) -> str:
    file.seek(0)
    digest = sha256()
    while piece := file.read(_PIECE):
        digest.update(piece)
    file.seek(0)
    return digest.hexdigest()


def _reader(form: str) -> Callable[[BinaryIO], Iterator[_Member]] | None:
    if form not in READ:
        return None
    return _zip if form == "zip" else _tar


def _tar(file: BinaryIO) -> Iterator[_Member]:
    left = MAX_UNPACKED
    with tarfile.open(fileobj=file, mode="r|*") as packed:
        for info in packed:
            left -= info.size
            stream = packed.extractfile(info) if info.isreg() else None
            content = (
                _content(stream, left)
                if stream
                else (sha256(info.linkname.encode("utf-8", "replace")).hexdigest(), b"")
            )
            owner = f"{info.uid}:{info.gid} {info.uname}:{info.gname}"
            kind = {tarfile.DIRTYPE: "directory", tarfile.SYMTYPE: "link"}.get(info.type, "file")
            facts = (("type", kind), ("mode", f"{info.mode:04o}"), ("time", str(info.mtime)), ("owner", owner))
            yield _Member(name=info.name, kind=kind, sha256=content[0], text=content[1], facts=facts)


def _zip(file: BinaryIO) -> Iterator[_Member]:
    left = MAX_UNPACKED
    with zipfile.ZipFile(file) as packed:
        for info in packed.infolist():
            left -= info.file_size
            with packed.open(info) as stream:
                digest, text = _content(stream, left)
            facts = (
                ("mode", f"{info.external_attr >> 16:04o}"), ("time", str(info.date_time)),
                ("method", str(info.compress_type)), ("made by", str(info.create_system)),
            )  # fmt: skip
            yield _Member(name=info.filename, kind="file", sha256=digest, text=text, facts=facts)


def _content(stream: object, left: int) -> tuple[str, bytes]:
    if left < 0:
        message = f"it unpacks to more than {MAX_UNPACKED} bytes"
        raise ValueError(message)
    digest, text, size = sha256(), b"", 0
    while piece := stream.read(_PIECE):  # type: ignore[attr-defined]
        digest.update(piece)
        size += len(piece)
        text = text + piece if size <= MAX_TEXT else b""
    return digest.hexdigest(), text

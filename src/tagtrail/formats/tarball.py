"""Tar in normal form, written and read: the same members always give the same bytes, whatever made them.

**Normal form.** A tar is its members' blocks, one after the other, then 1,024 zero bytes; nothing after that. Members
are sorted by the bytes of their names, a directory's name without its slash. Each has one `ustar` header of 512 bytes:

    offset size  field      content
      0     100  name       UTF-8; a directory's ends in `/`; zero bytes to the end of the field
    100       8  mode       `0000644` NUL; directories and executable files `0000755` NUL; links `0000777` NUL
    108   8, 8   uid, gid   `0000000` NUL, twice
    124      12  size       11 octal digits NUL; zero for directories and links
    136      12  mtime      11 octal digits NUL: SOURCE_DATE_EPOCH, the time of the tag's commit in Unix seconds
    148       8  checksum   the sum of the header's bytes with this field as spaces: 6 octal digits, NUL, space
    156       1  type       `0` file, `5` directory, `2` link
    157     100  target     of a link, UTF-8
    257       8  magic      `ustar` NUL `00`
    265      64  names      zero bytes (no user, no group)
    329      16  device     `0000000` NUL, twice
    345     167  prefix     zero bytes, always

A file's bytes follow, filled with zero bytes to a multiple of 512. Only where a name or a target has more than 100
bytes, or a byte above 0x7f, a PAX header stands before: the same block with name `././@PaxHeader`, type `x` and mode
`0000644`; its content is the records `LENGTH SP KEY=VALUE LF` (POSIX pax: LENGTH counts the whole record in decimal)
`path` and `linkpath`, those that are needed, in this order. Where such a value is not UTF-8, `hdrcharset=BINARY` is the
first record. The main header then holds the value's first 100 bytes.

**tree** (a trail entry's `tree`) is the SHA-256 of such a tar of a commit's tree: members are the top directory
`PROJECT-VERSION`, and below it every file, link and directory of `git ls-tree -r -t COMMIT`; a submodule is an empty
directory; attributes (`export-ignore`, `export-subst`, `eol`) do not count. git's 100755 is `0000755`.

**Compression** is gzip: zlib's deflate, level 6, memory level 8; the header is `1f 8b 08 00`, time zero, `00 03`.
With xz it is what `lzma.compress(tar, preset=6)` gives: one stream of one block, CRC64. The bytes of gzip and xz depend
on the library used; those of the tar do not, so entries have both digests.

**An archive of somebody else's making** (a tar, plain or in gzip, xz or bzip2: `tagtrail.formats.magic`) is read by the
same strict rules (`tagtrail.formats.unpacking`, `tagtrail.formats.untar`), with as many top directories as it likes,
and never packed anew.

**A source distribution** is left exactly as its backend made it if nothing in it depends on where or when that was: one
gzip member whose header has a time of zero or SOURCE_DATE_EPOCH, no name but the file's own (without `.gz`), no comment
and no extra field; every member with mtime zero or SOURCE_DATE_EPOCH, owner 0 without names, and mode 0644 or 0755
(links: any); no hard links; its members in an order of those who sort (`tagtrail.formats.ordered`), for a file system
lists a directory as it likes. Else it is packed anew.

POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header"; RFC 1952.
"""

import hashlib
import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from tagtrail.formats.archive import Kind, Limits, Member, check_members, refusal
from tagtrail.formats.ordered import is_sorted_sdist
from tagtrail.formats.unpacking import PIECE, gunzipped, spooled, unpacker_of
from tagtrail.formats.untar import found_in
from tagtrail.model.frozen import frozen, replace

__all__ = ["Sdist", "Tarball", "content", "deflated", "inflated", "normal_sdist", "read_tarball", "tar", "xzed"]

_BLOCK = 512
_TYPES: dict[Kind, bytes] = {"file": b"0", "directory": b"5", "link": b"2"}


def tar(members: Iterable[tuple[Member, Iterable[bytes]]], epoch: int) -> Iterator[bytes]:
    """A tar in normal form, in pieces, of (member, its bytes), which must come sorted by name (ValueError if not).

    Names that are not UTF-8 come as Python's `surrogateescape` reads them.
    """
    last = b""
    for member, pieces in members:
        name = _bytes(member.name)
        if name <= last:
            raise ValueError(f"{member.name!r} is out of order")
        last = name
        yield _header(member, epoch)
        size = 0
        for piece in pieces:
            size += len(piece)
            yield piece
        if size != member.size:
            raise ValueError(f"{member.name!r} has {size} bytes, not {member.size}")
        yield b"\0" * (-size % _BLOCK)
    yield b"\0" * (2 * _BLOCK)


def _header(member: Member, epoch: int) -> bytes:
    name = _bytes(member.name) + (b"/" if member.kind == "directory" else b"")
    target = _bytes(member.target)
    mode = {"file": 0o755 if member.executable else 0o644, "directory": 0o755, "link": 0o777}[member.kind]
    records = [(key, value) for key, value in ((b"path", name), (b"linkpath", target)) if _is_long(value)]
    if any(_is_binary(value) for _, value in records):
        records.insert(0, (b"hdrcharset", b"BINARY"))
    block = _block(name, mode, member.size, epoch, _TYPES[member.kind], target)
    if not records:
        return block
    text = b"".join(_record(key, value) for key, value in records)
    pax = _block(b"././@PaxHeader", 0o644, len(text), epoch, b"x", b"")
    return pax + text + b"\0" * (-len(text) % _BLOCK) + block


def _block(name: bytes, mode: int, size: int, mtime: int, kind: bytes, target: bytes) -> bytes:
    before = b"%s%07o\0%07o\0%07o\0%011o\0%011o\0" % (_field(name), mode, 0, 0, size, mtime)
    after = b"%s%sustar\x0000%s%07o\0%07o\0%s" % (kind, _field(target), bytes(64), 0, 0, bytes(167))
    total = sum(before) + sum(after) + 8 * 0x20
    return b"%s%06o\0 %s" % (before, total, after)


def _field(value: bytes) -> bytes:
    return value[:100].ljust(100, b"\0")


def _is_long(value: bytes) -> bool:
    return len(value) > 100 or not value.isascii()


def _is_binary(value: bytes) -> bool:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


def _record(key: bytes, value: bytes) -> bytes:
    rest = len(key) + len(value) + 3
    size = rest + len(str(rest))
    size = rest + len(str(size))
    return b"%d %s=%s\n" % (size, key, value)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def deflated(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Gzip in normal form."""
    packer = zlib.compressobj(6, zlib.DEFLATED, 31, 8)
    for piece in pieces:
        packed = packer.compress(piece)
        if packed:
            yield packed
    yield packer.flush()


def xzed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Xz in normal form."""
    packer = lzma.LZMACompressor(preset=6)
    for piece in pieces:
        packed = packer.compress(piece)
        if packed:
            yield packed
    yield packer.flush()


def inflated(source: BinaryIO) -> Iterator[bytes]:
    """What a gzip file of one member holds that was judged before."""
    unpacker = zlib.decompressobj(31)
    while piece := source.read(PIECE):
        while piece and not unpacker.eof:
            yield unpacker.decompress(piece, PIECE)
            piece = unpacker.unconsumed_tail


@frozen
class Tarball:
    """An archive that was read: its members sorted, the digest of the tar in it."""

    members: tuple[Member, ...]
    tar: str


def read_tarball(source: BinaryIO, spool: BinaryIO, *, form: str, limits: Limits | None = None) -> Tarball:
    """Unpack a tar of this form (`tagtrail.formats.unpacking`) into the seekable `spool`, and judge it.

    `content(spool, member)` gives a file's bytes. Raises ProjectError with the codes of `tagtrail.formats.archive`.
    """
    limits = limits or Limits()
    digest = spooled(unpacker_of(form)(source.read(PIECE), source), spool, limits)
    # `tar -C DIR .` writes `./` in front of every name
    found = (replace(f.member, name=f.member.name.removeprefix("./")) for f in found_in(spool, limits))
    members = tuple(sorted((m for m in found if m.name != "." or m.kind != "directory"), key=lambda m: _bytes(m.name)))
    check_members(members, depth=0)
    return Tarball(members=members, tar=digest)


@frozen
class Sdist:
    """A source distribution that was read: its members sorted, its one top directory, the digest of the tar that is
    delivered, and whether that is the file exactly as its backend made it."""

    members: tuple[Member, ...]
    top: str
    tar: str
    as_made: bool


def normal_sdist(
    source: BinaryIO,
    spool: BinaryIO,
    write: Callable[[bytes], object],
    epoch: int,
    *,
    name: str = "",
    limits: Limits | None = None,
) -> Sdist:
    """Read a .tar.gz from `source`, unpack it into the seekable `spool`, and write its tar to `write` in normal form,
    for `deflated` to compress.

    `name` is the file's name. Where `as_made`, nothing is written: the source is right as it is. `content(spool,
    member)` gives a file's bytes.
    Raises ProjectError with the codes of `tagtrail.formats.archive`.
    """
    limits = limits or Limits()
    head = source.read(PIECE)
    digest = spooled(gunzipped(head, source), spool, limits)
    found = tuple(found_in(spool, limits))
    members = tuple(sorted((f.member for f in found), key=lambda m: _bytes(m.name)))
    check_members(members)
    top = _top(members)
    order = [f"{m.name}/" if m.kind == "directory" else m.name for m in (f.member for f in found)]
    if _is_clean(head, epoch, name) and all(f.is_normal(epoch) for f in found) and is_sorted_sdist(order):
        return Sdist(members=members, top=top, tar=digest, as_made=True)
    return Sdist(members=members, top=top, tar=_pack(members, spool, write, epoch), as_made=False)


def _pack(members: Iterable[Member], spool: BinaryIO, write: Callable[[bytes], object], epoch: int) -> str:
    digest = hashlib.sha256()
    for piece in tar(((m, content(spool, m)) for m in members), epoch):
        digest.update(piece)
        write(piece)
    return digest.hexdigest()


def content(spool: BinaryIO, member: Member) -> Iterator[bytes]:
    """A file's bytes, in pieces."""
    at, end = member.offset, member.offset + member.size
    while at < end:
        spool.seek(at)
        piece = spool.read(min(PIECE, end - at))
        if not piece:
            raise refusal("damaged", f"the tar ends within {member.name!r}")
        at += len(piece)
        yield piece


def _top(members: tuple[Member, ...]) -> str:
    tops = {m.name.partition("/")[0] for m in members}
    if len(tops) != 1 or any("/" not in m.name and m.kind != "directory" for m in members):
        raise refusal("top", f"the sdist has {len(tops)} top directories, not one: {', '.join(sorted(tops)[:3])}")
    return tops.pop()


def _is_clean(head: bytes, epoch: int, name: str) -> bool:
    """A gzip header (RFC 1952, 2.3) that tells nothing of where and when it was written."""
    own = name.removesuffix(".gz").encode("latin-1", "replace") + b"\0"
    flags, time = head[3:4], int.from_bytes(head[4:8], "little")
    return time in {0, epoch} and (flags == b"\0" or (flags == b"\x08" and head.startswith(own, 10)))

"""Tars by their headers: what one reader takes for other members than we do is refused, one wrong thing at a time.

Python's tarfile reads what we accept as we do (always); GNU tar and libarchive where they are installed.
"""

import gzip
import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagtrail.formats.archive import Limits, Member, check_members
from tagtrail.formats.tarball import Tarball, content, normal_sdist, read_tarball
from tagtrail.model.errors import ProjectError
from tests.formats.laws import sparing

T = TypeVar("T")
POSIX, GNU = b"ustar\x0000", b"ustar  \0"
ZERO = b"0000000\0"


def head(
    name: bytes,
    size: int | bytes = 0,
    kind: bytes = b"0",
    *,
    target: bytes = b"",
    magic: bytes = POSIX,
    prefix: bytes = b"",
    mode: bytes = b"0000644\0",
    owner: bytes = ZERO + ZERO,
    device: bytes = ZERO + ZERO,
    mtime: bytes = b"00000000000\0",
) -> bytes:
    """A header whose checksum is right."""
    length = size if isinstance(size, bytes) else b"%011o\0" % size
    before = name.ljust(100, b"\0") + mode + owner + length + mtime
    after = kind + target.ljust(100, b"\0") + magic + bytes(64) + device + prefix.ljust(167, b"\0")
    block = b"%s%06o\0 %s" % (before, sum(before) + sum(after) + 8 * 0x20, after)
    assert len(block) == 512
    return block


def filled(data: bytes) -> bytes:
    return data + bytes(-len(data) % 512)


def file(name: bytes, data: bytes = b"", kind: bytes = b"0", **fields: bytes) -> bytes:
    return head(name, len(data), kind, **fields) + filled(data)


def record(key: bytes, value: bytes) -> bytes:
    size = next(n for n in range(len(key + value) + 4, 2000) if n == len(str(n)) + len(key + value) + 3)
    return b"%d %s=%s\n" % (size, key, value)


def pax(*records: tuple[bytes, bytes], kind: bytes = b"x") -> bytes:
    return file(b"PaxHeader", b"".join(record(key, value) for key, value in records), kind)


def long(value: bytes, kind: bytes = b"L") -> bytes:
    return file(b"././@LongLink", value, kind, magic=GNU)


END = bytes(1024)
HIDDEN = file(b"p-1/hidden.py", b"hidden = 1\n")
PLAIN = file(b"p-1/PKG-INFO", b"Name: p\n")


def listed(tar: bytes) -> Tarball:
    return read_tarball(io.BytesIO(tar), io.BytesIO(), form="tar", limits=Limits(members=100))


def refused(tar: bytes) -> str:
    with pytest.raises(ProjectError) as caught:
        listed(tar)
    assert caught.value.what.isprintable()
    return caught.value.code


BAD = {
    "a directory of type zero": ("ambiguous", head(b"p-1/d/", len(HIDDEN), b"\0") + HIDDEN),
    "a directory of type 0": ("ambiguous", head(b"p-1/d/", len(HIDDEN), b"0") + HIDDEN),
    "a directory of type zero without bytes": ("ambiguous", head(b"p-1/d/", 0, b"\0")),
    "a directory with bytes": ("ambiguous", head(b"p-1/d/", len(HIDDEN), b"5") + HIDDEN),
    "a link with bytes": ("ambiguous", head(b"p-1/l", len(HIDDEN), b"2", target=b"PKG-INFO") + HIDDEN),
    "a hard link with bytes": ("ambiguous", head(b"p-1/l", len(HIDDEN), b"1", target=b"p-1/PKG-INFO") + HIDDEN),
    "a hard link that is a directory by its name": ("ambiguous", head(b"p-1/l/", 0, b"1", target=b"p-1/PKG-INFO")),
    "a link that is a directory by its name": ("ambiguous", head(b"p-1/l/", 0, b"2", target=b"PKG-INFO")),
    "a directory by the name that PAX replaces": (
        "ambiguous",
        pax((b"path", b"p-1/x")) + file(b"p-1/d/", HIDDEN, b"\0"),
    ),
    "a directory by the name that GNU replaces": ("ambiguous", long(b"p-1/x\0") + file(b"p-1/d/", HIDDEN, b"\0")),
    "a directory by the name in PAX": ("ambiguous", pax((b"path", b"p-1/x/")) + file(b"p-1/d", HIDDEN)),
    "a directory by its prefix alone": ("ambiguous", file(b"", HIDDEN, b"\0", prefix=b"p-1/d")),
    "a prefix in a GNU header": ("ambiguous", file(b"p-1/x", magic=GNU, prefix=b"p-1/q")),
    "a prefix in a GNU header that leads outside": ("ambiguous", file(b"p-1/x", magic=GNU, prefix=b"../..")),
    "a time in a GNU header": ("ambiguous", file(b"p-1/x", magic=GNU, prefix=b"14524770000\0")),
    "sparse bytes in a GNU header": ("ambiguous", file(b"p-1/x", b"x", magic=GNU, prefix=bytes(41) + b"00000000001\0")),
    "another magic": ("damaged", file(b"p-1/x", magic=b"ustar\0\0\0")),
    "PAX, then L": ("ambiguous", pax((b"path", b"p-1/y")) + long(b"p-1/z\0") + file(b"p-1/x")),
    "L, then PAX": ("ambiguous", long(b"p-1/z\0") + pax((b"path", b"p-1/y")) + file(b"p-1/x")),
    "K, then PAX": ("ambiguous", long(b"y\0", b"K") + pax((b"linkpath", b"z")) + head(b"p-1/x", 0, b"2")),
    "PAX that says nothing of the name, then L": (
        "ambiguous",
        pax((b"mtime", b"1")) + long(b"p-1/z\0") + file(b"p-1/x"),
    ),
    "PAX twice": ("ambiguous", pax((b"path", b"p-1/y")) + pax((b"path", b"p-1/z")) + file(b"p-1/x")),
    "L twice": ("ambiguous", long(b"p-1/y\0") + long(b"p-1/z\0") + file(b"p-1/x")),
    "K twice": ("ambiguous", 2 * long(b"y\0", b"K") + head(b"p-1/x", 0, b"2")),
    "PAX for all after PAX for one": (
        "ambiguous",
        pax((b"path", b"p-1/y")) + pax((b"comment", b"z"), kind=b"g") + file(b"p-1/x"),
    ),
    "a record twice": ("ambiguous", pax((b"path", b"p-1/y"), (b"path", b"p-1/z")) + file(b"p-1/x")),
    "an empty name in PAX": ("ambiguous", pax((b"path", b"")) + file(b"p-1/x")),
    "an empty target in PAX": ("ambiguous", pax((b"linkpath", b"")) + head(b"p-1/x", 0, b"2", target=b"y")),
    "an empty name in L": ("ambiguous", long(b"\0") + file(b"p-1/x")),
    "no name in L": ("damaged", long(b"") + file(b"p-1/x")),
    "a target in PAX of a file": ("ambiguous", pax((b"linkpath", b"p-1/PKG-INFO")) + file(b"p-1/x")),
    "a target in K of a directory": ("ambiguous", long(b"y\0", b"K") + head(b"p-1/x/", 0, b"5")),
    "a target in K of a link to nothing": ("ambiguous", long(b"y\0", b"K") + head(b"p-1/x", 0, b"2")),
    "a mode of an extension that is no number": (
        "damaged",
        file(b"././@LongLink", b"p-1/y\0", b"L", magic=GNU, mode=b"000064/\0") + file(b"p-1/x"),
    ),
    "a record behind the end of PAX": (
        "ambiguous",
        head(b"PaxHeader", 11, b"x") + filled(record(b"mtime", b"1") + record(b"path", b"p-1/y")) + file(b"p-1/x"),
    ),
    "a name that goes on behind the end of L": (
        "ambiguous",
        head(b"././@LongLink", 5, b"L", magic=GNU) + filled(b"p-1/yyy") + file(b"p-1/x"),
    ),
    "a name in L that ends within": ("name", long(b"p-1/y\0z") + file(b"p-1/x")),
    "a name in PAX with a zero byte": ("name", pax((b"path", b"p-1/y\0z")) + file(b"p-1/x")),
    "a record without a key": ("type", pax((b"", b"p-1/y")) + file(b"p-1/x")),
    "another size in PAX": ("type", pax((b"size", b"512")) + file(b"p-1/x", bytes(1024))),
    "another size of libarchive's": ("type", pax((b"SCHILY.realsize", b"512")) + file(b"p-1/x")),
    "holes of Solaris": ("type", pax((b"SUN.holesdata", b" 0 1 2")) + file(b"p-1/x")),
    "a sparse file by its name": ("type", pax((b"GNU.sparse.name", b"p-1/y")) + file(b"p-1/x")),
    "a volume": ("type", pax((b"GNU.volume.label", b"y")) + file(b"p-1/x")),
    "a name for all": ("type", pax((b"path", b"p-1/y"), kind=b"g") + file(b"p-1/x")),
    "a character set": ("type", pax((b"hdrcharset", b"BINARY")) + file(b"p-1/x")),
    "records without end": ("size", pax(*((b"v.%d" % n, b"") for n in range(101))) + file(b"p-1/x")),
    "an old sparse file": ("type", file(b"p-1/x", kind=b"S", magic=GNU)),
    "a file in one piece": ("type", file(b"p-1/x", kind=b"7")),
    "a list of names": ("type", file(b"p-1/x", kind=b"D", magic=GNU)),
    "a PAX header of Solaris": ("type", file(b"p-1/x", record(b"path", b"p-1/y"), kind=b"X")),
    "a size in base 256": ("damaged", head(b"p-1/x", b"\x80" + bytes(9) + b"\2\0") + bytes(512)),
    "a size that begins with a zero byte": ("damaged", head(b"p-1/x", b"\x000000001000\0") + bytes(512)),
    "a size of spaces": ("damaged", head(b"p-1/x", b" " * 12)),
    "a size with something behind it": ("damaged", head(b"p-1/x", b"000000\x001000\0")),
    "a size with an underline": ("damaged", head(b"p-1/x", b"00000_00000\0")),
    "an owner that is no number": ("damaged", file(b"p-1/x", owner=b"nobody\0\0" + ZERO)),
    "a device that is no number": ("damaged", file(b"p-1/x", device=ZERO + b"8\0\0\0\0\0\0\0")),
    "a link in the place of all": ("name", head(b".", 0, b"2", target=b"..")),
    "a file in the place of all": ("name", file(b".", b"x")),
}


@pytest.mark.parametrize(("code", "blocks"), BAD.values(), ids=BAD)
def test_what_readers_take_differently_is_refused(code: str, blocks: bytes) -> None:
    assert refused(PLAIN + blocks + END) == f"archive-{code}"


@pytest.mark.parametrize(("code", "blocks"), BAD.values(), ids=BAD)
def test_a_build_may_not_bring_it_either(code: str, blocks: bytes) -> None:
    with pytest.raises(ProjectError) as caught:
        sdist(PLAIN + blocks + END)
    assert caught.value.code == f"archive-{code}"


def sdist(tar: bytes) -> object:
    return normal_sdist(io.BytesIO(gzip.compress(tar, mtime=0)), io.BytesIO(), len, 0, name="p-1.tar.gz")


GOOD = {
    "a prefix": (file(b"x", b"1", prefix=b"p-1/q"), "p-1/q/x"),
    "an owner in base 256": (file(b"p-1/x", b"1", magic=GNU, owner=(b"\x80" + bytes(7)) * 2), "p-1/x"),
    "devices of zero bytes": (file(b"p-1/x", b"1", magic=GNU, device=bytes(16)), "p-1/x"),
    "numbers with spaces": (file(b"p-1/x", b"1", mode=b"   644 \0", owner=b"     0 \0" * 2), "p-1/x"),
    "a comment for all, then a name": (
        pax((b"comment", b"c"), kind=b"g") + pax((b"path", b"p-1/x")) + file(b"y", b"1"),
        "p-1/x",
    ),
    "L": (long(b"p-1/x\0") + file(b"y/", b"1"), "p-1/x"),
    "attributes": (
        pax((b"SCHILY.xattr.user.a", b"b"), (b"LIBARCHIVE.creationtime", b"1"), (b"path", b"p-1/x")) + file(b"y", b"1"),
        "p-1/x",
    ),
    "a name of zero type": (file(b"p-1/x", b"1", kind=b"\0"), "p-1/x"),
}


@pytest.mark.parametrize(("blocks", "name"), GOOD.values(), ids=GOOD)
def test_what_archivers_write_is_read(blocks: bytes, name: str) -> None:
    assert {(m.name, m.kind, m.size) for m in listed(blocks + END).members} == {(name, "file", 1)}
    assert same_as_python(blocks + END)


def test_headers_for_all_members_are_counted() -> None:
    assert refused(pax((b"comment", b"c"), kind=b"g") * 101 + PLAIN + END) == "archive-size"


# The same members for every reader

Seen = dict[str, tuple[str, bytes]]
"""Name to (kind, a file's bytes or a link's target)."""


def ours(tar: bytes) -> Seen:
    """Raises ProjectError."""
    spool = io.BytesIO()
    found = read_tarball(io.BytesIO(tar), spool, form="tar", limits=Limits(unpacked=1 << 20, members=100))
    held = {
        "file": lambda m: b"".join(content(spool, m)),
        "link": lambda m: m.target.encode("utf-8", "surrogateescape"),
    }
    return {m.name: (m.kind, held[m.kind](m) if m.kind in held else b"") for m in found.members}


def pythons(tar: bytes) -> Seen:
    with tarfile.open(fileobj=io.BytesIO(tar)) as packed:
        infos = packed.getmembers()
        found = {info.name.removeprefix("./"): _python(packed, info) for info in infos}
    assert len(found) == len(infos)
    return {name: seen for name, seen in found.items() if name != "."}


def _python(packed: tarfile.TarFile, info: tarfile.TarInfo) -> tuple[str, bytes]:
    if info.issym():
        return "link", info.linkname.encode("utf-8", "surrogateescape")
    held = packed.extractfile(info)
    return ("file", held.read()) if held else ("directory" if info.isdir() else "other", b"")


def same_as_python(tar: bytes) -> bool:
    """Whether we accept it, and then Python reads the same."""
    try:
        found = ours(tar)
    except ProjectError:
        return False
    assert pythons(tar) == found
    return True


NAMES = (b"p-1/a", b"p-1/b", b"p-1/c/d", b"./p-1/e", b"p-1/" + b"f" * 96)
KINDS = (b"0", b"0", b"\0", b"5", b"1", b"2")
EXTENDED = (b"p-1/v", b"p-1/v/w", b"p-1/" + b"v" * 200)
TARGETS = (b"p-1/PKG-INFO", b"PKG-INFO", b"a")
ODD_NAMES = (b"p-1/d/", b"p-1/" + b"g" * 95 + b"/", b"./", b"", b".")
ODD_KINDS = (b"7", b"S", b"3", b"M", b"A")
ODD_SIZES: tuple[int | bytes, ...] = (
    b"\0" * 12,
    b"        1000",
    b"\x000000001000\0",
    b"00001000 \0\0\0",
    b"\x80" + bytes(9) + b"\2\0",
)
ODD_PREFIXES = (b"p-1/q/", b"\x001", b"14524770000\0", bytes(41) + b"00000000001\0")
ODD_KEYS = (
    b"size", b"GNU.sparse.size", b"SCHILY.realsize", b"GNU.sparse.name", b"hdrcharset", b"LIBARCHIVE.symlinktype", b"a",
)  # fmt: skip
ODD_VALUES = (b"p-1/w/", b"", b"512", b"p-1/x\0y", b"../x")
PLACES = (0, 99, 100, 107, 108, 115, 124, 135, 136, 147, 156, 157, 257, 263, 329, 344, 345, 357, 386, 482, 500, 512)


class Draw:
    """Members as archivers write them, and now and then something odd."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance

    def one(self, usual: Sequence[T], odd: Sequence[T], how_often: float = 0.04) -> T:
        return self.chance.choice(odd if self.chance.random() < how_often else usual)

    def tar(self) -> bytes:
        tar = PLAIN + b"".join(self.member() for _ in range(self.chance.randint(1, 3))) + END
        at = self.chance.choice(range(1024, len(tar) - 1024, 512)) + self.chance.choice(PLACES)
        return self.one((tar,), (_changed(tar, at, self.one((b"\0", b" ", b"1"), (b"/", b"\x80", b"\xff"), 0.5)),), 0.3)

    def member(self) -> bytes:
        kind = self.one(KINDS, ODD_KINDS)
        is_file = kind in b"\x000"
        length = self.chance.choice((0, 1, 512, 1024)) if self.one((is_file,), (True,)) else 0
        usual: tuple[int | bytes, ...] = (length,)
        size = self.one(usual, ODD_SIZES)
        magic = self.chance.choice((POSIX, GNU))
        prefix = self.one((b"", b"p-1/q") if magic == POSIX else (b"",), ODD_PREFIXES)
        name = self.one(NAMES, ODD_NAMES) + (b"/" if kind == b"5" and self.chance.random() < 0.5 else b"")
        target = self.one(TARGETS if kind in b"12" else (b"",), (b"", b"a"))
        block = head(name[:100], size, kind, target=target, magic=self.one((magic,), (b"ustar\0\0\0",)), prefix=prefix)
        data = (self.chance.choice((HIDDEN, b"x" * 1024)))[: length + -length % 512]
        return self.extensions(is_link=kind in b"12") + block + data

    def extensions(self, *, is_link: bool) -> bytes:
        here = b"" if self.chance.random() < 0.9 else pax((b"comment", b"c"), kind=b"g")
        for _ in range(self.one((0, 0, 1), (2,))):
            here += self.chance.choice((self.pax, self.long))(is_link=is_link)
        return here

    def long(self, *, is_link: bool) -> bytes:
        value = self.one(EXTENDED, ODD_VALUES) + self.one((b"\0",), (b"",))
        return long(value, self.one((b"L", b"K") if is_link else (b"L",), (b"K",)))

    def pax(self, *, is_link: bool) -> bytes:
        keys = (b"path", b"mtime", b"linkpath") if is_link else (b"path", b"mtime", b"comment")
        chosen = {self.one(keys, ODD_KEYS) for _ in range(2)}
        records = b"".join(record(key, b"1" if key == b"mtime" else self.one(EXTENDED, ODD_VALUES)) for key in chosen)
        more = self.one((b"",), (record(b"path", b"p-1/z"),))
        return head(b"PaxHeader", len(records), self.one((b"x",), (b"g", b"X"))) + filled(records + more)


def _changed(tar: bytes, at: int, byte: bytes) -> bytes:
    """Another byte, and the header in which it is has the right checksum."""
    tar = tar[:at] + byte + tar[at + 1 :]
    at -= at % 512
    block = tar[at : at + 148] + b" " * 8 + tar[at + 156 : at + 512]
    return tar[: at + 148] + b"%06o\0 " % sum(block) + tar[at + 156 :]


def drawn(chance: Random) -> bytes:
    return Draw(chance).tar()


@sparing
@given(st.integers(0, 2**32))
def test_python_reads_what_we_accept_as_we_do(start: int) -> None:
    chance = Random(start)
    for _ in range(100):
        same_as_python(drawn(chance))


def test_a_link_that_is_accepted_leads_nowhere_else_on_a_disk(tmp_path: Path) -> None:
    """As a system follows it, and as Python's `realpath` does, which goes on where there is nothing."""
    accepted = 0
    for start in range(150):
        links = _links(Random(start))
        with suppress(ProjectError):
            check_members([Member(name=name, kind="link", target=target) for name, target in links.items()], depth=0)
            accepted += 1
            place = tmp_path / str(start) / "a" / "b"
            for name, target in links.items():
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                (place / name).symlink_to(target)
            assert all(Path(os.path.realpath(place / name)).is_relative_to(place) for name in links)
    assert accepted > 50


def _links(chance: Random) -> dict[str, str]:
    """Some links, whose targets go by way of each other."""
    heads = {
        "d/e/l": ("..", "../..", "../m", "."),
        "d/m": ("..", "e/l", "e/f/n"),
        "d/e/f/n": ("../../..", "../..", "../l"),
        "o": ("d/e/l", "d/m", "d/e/f/n", "d"),
        "d/e/p": ("../../o", "l", "f/n", "../m"),
    }
    tails = ("", "", "/..", "/../..", "/x", "/x/../..", "/d/..")
    chosen = chance.sample([*heads], chance.randint(2, 5))
    return {name: chance.choice(heads[name]) + chance.choice(tails) for name in chosen}


@pytest.mark.client
@pytest.mark.parametrize("program", ["tar", "bsdtar"])
def test_other_readers_unpack_what_we_accept_as_we_do(program: str, tmp_path: Path) -> None:
    if not shutil.which(program):
        pytest.skip(f"NOT TESTED: there is no {program}: apt-get install tar libarchive-tools")
    accepted = (drawn(Random(start)) for start in range(200))
    for number, tar in enumerate(filter(same_as_python, accepted)):
        place = tmp_path / str(number)
        place.mkdir()
        subprocess.run([program, "-xf", "-"], cwd=place, input=tar, capture_output=True, check=True)
        found = ours(tar)
        implied = {str(above): ("directory", b"") for name in found for above in Path(name).parents if above.name}
        assert unpacked(place) == implied | found


def unpacked(place: Path) -> Seen:
    return {str(path.relative_to(place)): _seen(path) for path in place.rglob("*")}


def _seen(path: Path) -> tuple[str, bytes]:
    if path.is_symlink():
        return "link", os.fsencode(path.readlink())
    return ("directory", b"") if path.is_dir() else ("file", path.read_bytes())

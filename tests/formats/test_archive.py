import bz2
import gzip
import hashlib
import io
import lzma
import re
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tagtrail.formats.archive import Limits, Member, check_members
from tagtrail.formats.tarball import Sdist, content, deflated, inflated, normal_sdist, read_tarball, tar, xzed
from tagtrail.formats.zipball import Wheel, zip_time
from tagtrail.model.errors import ProjectError

EPOCH = 1_700_000_000
FILE, DIRECTORY, LINK, HARD, PIPE, DEVICE = b"0", b"5", b"2", b"1", b"6", b"3"


def refused(call: Callable[..., object], *args: object) -> str:
    """The reason code with which `call` refuses; its sentence can be printed."""
    with pytest.raises(ProjectError) as caught:
        call(*args)
    assert caught.value.what.isprintable()
    return caught.value.code


# Tar, by Python's own writer: what backends use


def entry(name: str, kind: bytes = FILE, data: bytes = b"", **changes: Any) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.mtime, info.mode = kind, len(data), EPOCH, 0o755 if kind == DIRECTORY else 0o644
    for key, value in changes.items():
        setattr(info, key, value)
    return info, data


def tarred(entries: Iterable[tuple[tarfile.TarInfo, bytes]], form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as packed:
        for info, data in entries:
            packed.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zipped(data: bytes, *, mtime: int = EPOCH, name: str = "") -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile(name, "wb", 9, out, mtime) as packed:
        packed.write(data)
    return out.getvalue()


def normalised(
    data: bytes, limits: Limits | None = None, name: str = "p-1.tar.gz"
) -> tuple[Sdist, bytes, dict[str, bytes]]:
    """What was read, the file that is delivered, and what its files hold."""
    spool, out = io.BytesIO(), io.BytesIO()
    sdist = normal_sdist(io.BytesIO(data), spool, out.write, EPOCH, name=name, limits=limits)
    held = {m.name: b"".join(content(spool, m)) for m in sdist.members if m.kind == "file"}
    return sdist, data if sdist.as_made else b"".join(deflated((out.getvalue(),))), held


PLAIN = (
    entry("p-1/", DIRECTORY),
    entry("p-1/PKG-INFO", data=b"Name: p\n"),
    entry("p-1/link", LINK, linkname="PKG-INFO"),
    entry("p-1/run", data=b"#!", mode=0o755),
)


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_an_archive_in_normal_form_stays_as_it_is(form: int) -> None:
    data = zipped(tarred(PLAIN, form))
    sdist, out, held = normalised(data)
    assert sdist.as_made
    assert out == data
    assert sdist.tar == hashlib.sha256(tarred(PLAIN, form)).hexdigest()
    assert held == {"p-1/PKG-INFO": b"Name: p\n", "p-1/run": b"#!"}
    assert sdist.top == "p-1"


GZIP_COMMENT = zipped(tarred(PLAIN))[:3] + b"\x10" + zipped(tarred(PLAIN))[4:10] + b"hi\0" + zipped(tarred(PLAIN))[10:]
LONG = "p-1/" + "directory/" * 12 + "file"
DIFFERENCES = {
    "a time": {"mtime": EPOCH + 1},
    "a fraction of a second": {"mtime": EPOCH + 0.5},
    "an owner": {"uid": 1000},
    "a group": {"gid": 1000},
    "an owner's name": {"uname": "zuul"},
    "a group's name": {"gname": "zuul"},
    "a mode by umask": {"mode": 0o664},
    "a comment": {"pax_headers": {"comment": "built on Tuesday"}},
}


@pytest.mark.parametrize("changes", DIFFERENCES.values(), ids=DIFFERENCES)
def test_what_differs_between_machines_is_packed_anew(changes: dict[str, Any]) -> None:
    wanted = tar([(m, d) for m, d in ours()], EPOCH)
    sdist, out, held = normalised(
        zipped(tarred([*PLAIN[:1], entry("p-1/PKG-INFO", data=b"Name: p\n", **changes), *PLAIN[2:]]))
    )
    assert not sdist.as_made
    assert out == b"".join(deflated(wanted))
    assert sdist.tar == hashlib.sha256(gzip.decompress(out)).hexdigest()
    assert held["p-1/PKG-INFO"] == b"Name: p\n"


def ours() -> list[tuple[Member, list[bytes]]]:
    return [
        (Member(name="p-1", kind="directory"), []),
        (Member(name="p-1/PKG-INFO", size=8), [b"Name: ", b"p\n"]),
        (Member(name="p-1/link", kind="link", target="PKG-INFO"), []),
        (Member(name="p-1/run", size=2, executable=True), [b"#!"]),
    ]


def test_an_order_that_a_file_system_has_is_made_ours() -> None:
    """A backend that packs what `scandir` gives makes other bytes on each machine."""
    orders = [zipped(tarred([PLAIN[0], *members])) for members in (PLAIN[1:], PLAIN[:0:-1])]
    (one, first, _), (two, second, _) = (normalised(data) for data in orders)
    assert (one.as_made, two.as_made) == (True, False)
    assert first == orders[0]
    assert second == b"".join(deflated(tar([(m, d) for m, d in ours()], EPOCH)))
    assert normalised(zipped(tarred([PLAIN[0], PLAIN[2], PLAIN[3], PLAIN[1]])))[0].as_made, "PKG-INFO by hand, at last"


@pytest.mark.parametrize(
    "data",
    [
        zipped(tarred(PLAIN), mtime=EPOCH + 1),
        zipped(tarred(PLAIN), name="q-1.tar"),
        zipped(tarred(PLAIN), name="p-1.tar-draft"),
        GZIP_COMMENT,
    ],
    ids=["time", "name", "longer name", "comment"],
)
def test_a_gzip_header_that_tells_tales_is_written_anew(data: bytes) -> None:
    sdist, out, _ = normalised(data)
    assert not sdist.as_made
    assert out[:10] == b"\x1f\x8b\x08\0\0\0\0\0\0\x03"


@pytest.mark.parametrize(("mtime", "name"), [(0, ""), (EPOCH, ""), (0, "p-1.tar"), (EPOCH, "p-1.tar")])
def test_a_gzip_header_that_every_machine_writes_is_clean(mtime: int, name: str) -> None:
    assert normalised(zipped(tarred(PLAIN), mtime=mtime, name=name))[0].as_made


def test_a_member_of_time_zero_is_the_same_everywhere() -> None:
    assert normalised(zipped(tarred([*PLAIN, entry("p-1/x", mtime=0)])))[0].as_made


def test_a_hard_link_becomes_a_file() -> None:
    sdist, out, held = normalised(zipped(tarred([*PLAIN, entry("p-1/same", HARD, linkname="p-1/PKG-INFO")])))
    assert not sdist.as_made
    assert held["p-1/same"] == b"Name: p\n"
    assert normalised(out)[2] == held


@pytest.mark.parametrize("name", [LONG, "p-1/n\u00e4me", "p-1/" + "\u00e4" * 60, "p-1/" + "x" * 300], ids=len)
@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_and_foreign_names_are_read_and_written(name: str, form: int) -> None:
    _, out, held = normalised(zipped(tarred([*PLAIN, entry(name, data=b"x", mtime=1)], form)))
    assert held[name] == b"x"
    with tarfile.open(fileobj=io.BytesIO(out)) as packed:
        assert name in packed.getnames()


names = st.text(st.characters(exclude_characters="/\\\0", exclude_categories=("C", "Z")), min_size=1, max_size=60)
names = names.filter(lambda part: part not in {".", ".."})
paths = st.lists(names, min_size=1, max_size=4).map("/".join)


@given(
    st.dictionaries(paths, st.tuples(st.binary(max_size=1500), st.booleans()), max_size=8), st.integers(0, 8**11 - 1)
)
@example({"\u00e4" * 50: (b"", False)}, 0)
def test_what_is_written_is_what_tarfile_reads(files: dict[str, tuple[bytes, bool]], epoch: int) -> None:
    made = sorted(files.items(), key=lambda pair: pair[0].encode())
    members = [(Member(name=n, size=len(d), executable=x), [d]) for n, (d, x) in made]
    data = b"".join(tar(members, epoch))
    with tarfile.open(fileobj=io.BytesIO(data)) as packed:
        infos = packed.getmembers()
        assert [(i.name, i.mtime, i.mode, i.uid, i.gid, i.uname, i.gname) for i in infos] == [
            (n, epoch, 0o755 if x else 0o644, 0, 0, "", "") for n, (_, x) in made
        ]
        found = [packed.extractfile(i) for i in infos]
        assert [f.read() for f in found if f] == [d for _, (d, _) in made]
    plain = all(len(n.encode()) <= 100 and n.isascii() for n in files)
    assert plain == (b"././@PaxHeader" not in data)


@given(st.lists(st.tuples(names, st.binary(max_size=300), st.integers(0, 2**33), st.booleans()), max_size=6))
def test_normal_form_is_a_fixed_point(files: list[tuple[str, bytes, int, bool]]) -> None:
    known = {name.casefold() + name: (name, data, time, x) for name, data, time, x in files}
    entries = [entry(f"p-1/{n}", data=d, mtime=t, mode=0o775 if x else 0o664) for n, d, t, x in known.values()]
    data = zipped(tarred([*PLAIN, *entries]), mtime=1)
    first = attempt(data)
    if isinstance(first, str):
        assert first in {"archive-case", "archive-duplicate"}
        return
    sdist, out, held = first
    again, same, kept = normalised(out)
    assert (again.as_made, again.tar, kept, same) == (True, sdist.tar, held, out)


def attempt(data: bytes) -> tuple[Sdist, bytes, dict[str, bytes]] | str:
    """What was read, or the reason code."""
    try:
        return normalised(data)
    except ProjectError as error:
        return error.code


def test_a_file_that_ends_early_is_not_filled_up() -> None:
    assert refused(lambda: list(content(io.BytesIO(b"ab"), Member(name="x", size=3)))) == "archive-damaged"


def test_order_and_sizes_are_the_callers_word() -> None:
    one, other = (Member(name=name, size=1) for name in "ab")
    with pytest.raises(ValueError, match="out of order"):
        list(tar([(other, [b"x"]), (one, [b"x"])], EPOCH))
    with pytest.raises(ValueError, match="has 2 bytes, not 1"):
        list(tar([(one, [b"xx"])], EPOCH))


def test_names_that_are_not_utf8_are_said_to_be_binary() -> None:
    name = b"na\xefve".decode("utf-8", "surrogateescape")
    data = b"".join(tar([(Member(name=name), [])], EPOCH))
    assert b"21 hdrcharset=BINARY\n" in data
    with tarfile.open(fileobj=io.BytesIO(data)) as packed:
        assert packed.getnames() == [name]


@pytest.mark.client
def test_gnu_tar_writes_the_same_bytes(tmp_path: Path) -> None:
    for member, data in ours():
        path = tmp_path / member.name
        if member.kind == "directory":
            path.mkdir()
        elif member.kind == "link":
            path.symlink_to(member.target)
        else:
            path.write_bytes(b"".join(data))
            path.chmod(0o755 if member.executable else 0o644)
    (tmp_path / "p-1").chmod(0o755)
    theirs = subprocess.run(
        [
            "tar", "--create", "--format=ustar", "--sort=name", "--owner=0", "--group=0", "--numeric-owner",
            f"--mtime=@{EPOCH}", "--blocking-factor=1", "p-1",
        ],
        cwd=tmp_path, capture_output=True, check=True,
    ).stdout  # fmt: skip
    assert b"".join(tar(ours(), EPOCH)) == theirs


PAGE = (Path(__file__).parents[2] / "docs" / "format" / "archives.md").read_text()


def test_the_pages_example() -> None:
    top = [
        (Member(name="demo-1.0", kind="directory"), []),
        (Member(name="demo-1.0/README", size=6), [b"hello\n"]),
        (Member(name="demo-1.0/bin", kind="directory"), []),
        (Member(name="demo-1.0/bin-link", kind="link", target="bin/run"), []),
        (Member(name="demo-1.0/bin/run", size=10, executable=True), [b"#!/bin/sh\n"]),
    ]
    data = b"".join(tar(top, EPOCH))
    assert f"a tar of {len(data):,} bytes" in PAGE
    assert f"tree = {hashlib.sha256(data).hexdigest()}\n" in PAGE


def test_the_page_names_every_reason() -> None:
    named = set(re.findall(r"^\| `(archive-[a-z]+)` \|", PAGE, re.MULTILINE))
    assert named == {code for code, _ in (*BAD_TARS.values(), *BROKEN.values(), *BAD_WHEELS.values())} | {
        "archive-size"
    }
    rules = sys.modules[check_members.__module__].__doc__ or ""
    assert named == set(re.findall(r"^    (archive-[a-z]+) ", rules, re.MULTILINE))


# Refusals: one thing wrong at a time


BAD_TARS = {
    "absolute": ("archive-outside", [entry("/p-1/x")]),
    "up": ("archive-outside", [entry("p-1/../../x")]),
    "up at last": ("archive-outside", [entry("p-1/..")]),
    "up on another system": ("archive-outside", [entry("p-1/..\\x")]),
    "a drive": ("archive-outside", [entry("C:/x")]),
    "an empty part": ("archive-name", [entry("p-1//x")]),
    "a dot": ("archive-name", [entry("p-1/./x")]),
    "a line end": ("archive-name", [entry("p-1/a\nb")]),
    "an escape": ("archive-name", [entry("p-1/\x1b[2J")]),
    "an absolute link": ("archive-outside", [entry("p-1/x", LINK, linkname="/etc/passwd")]),
    "a link outside": ("archive-outside", [entry("p-1/x", LINK, linkname="../y")]),
    "a link outside and back": ("archive-outside", [entry("p-1/x", LINK, linkname="../../p-1/y")]),
    "a link to the top's parent": ("archive-outside", [entry("p-1/a/x", LINK, linkname="../..")]),
    "a link to nothing": ("archive-outside", [entry("p-1/x", LINK, linkname="")]),
    "a hard link to what is outside": ("archive-link", [entry("p-1/x", HARD, linkname="/etc/passwd")]),
    "a hard link to a link": (
        "archive-link",
        [entry("p-1/y", LINK, linkname="PKG-INFO"), entry("p-1/x", HARD, linkname="p-1/y")],
    ),
    "a link outside by way of another": (
        "archive-outside",
        [entry("p-1/a/b/c/x", LINK, linkname="../../.."), entry("p-1/y", LINK, linkname="a/b/c/x/../etc")],
    ),
    "a link outside by way of one that comes later": (
        "archive-outside",
        [entry("p-1/q", LINK, linkname="a/b/c/x/../etc"), entry("p-1/a/b/c/x", LINK, linkname="../../..")],
    ),
    "a link outside by way of two": (
        "archive-outside",
        [
            entry("p-1/a/b/x", LINK, linkname="../.."),
            entry("p-1/c/d/y", LINK, linkname="../../a/b/x"),
            entry("p-1/z", LINK, linkname="c/d/y/.."),
        ],
    ),
    "a link outside by way of one of another case": (
        "archive-outside",
        [entry("p-1/a/b/c/x", LINK, linkname="../../.."), entry("p-1/y", LINK, linkname="a/B/c/X/../etc")],
    ),
    "a link through more links than are followed": (
        "archive-link",
        [entry(f"p-1/l{n}", LINK, linkname=f"l{n + 1}") for n in range(41)],
    ),
    "a link through more links than are followed, from its end": (
        "archive-link",
        [entry(f"p-1/l{100 - n}", LINK, linkname=f"l{99 - n}") for n in range(41)],
    ),
    "a link deeper than is followed": (
        "archive-link",
        [entry("p-1/a", LINK, linkname="x/" * 60 + "b"), entry("p-1/b", LINK, linkname="a/" + "y/" * 60)],
    ),
    "a target longer than is followed": ("archive-link", [entry("p-1/x", LINK, linkname="x" * 4097)]),
    "a target of more parts than are followed": ("archive-link", [entry("p-1/x", LINK, linkname="./" * 100 + "x")]),
    "a link up from a ring": (
        "archive-outside",
        [entry("p-1/a/b/x", LINK, linkname="../y"), entry("p-1/a/y", LINK, linkname="b/x/..")],
    ),
    "a link with a backslash": ("archive-link", [entry("p-1/x\\y", LINK, linkname="z")]),
    "a link to a backslash": ("archive-link", [entry("p-1/x", LINK, linkname="y\\z")]),
    "a file below a link": (
        "archive-duplicate",
        [entry("p-1/y", LINK, linkname="sub"), entry("p-1/y/x")],
    ),
    "a file below a file": ("archive-duplicate", [entry("p-1/PKG-INFO/x")]),
    "a pipe": ("archive-type", [entry("p-1/x", PIPE)]),
    "a device": ("archive-type", [entry("p-1/x", DEVICE, devmajor=1, devminor=3)]),
    "a sparse file": ("archive-type", [entry("p-1/x", pax_headers={"GNU.sparse.major": "1"})]),
    "another size": ("archive-type", [entry("p-1/x", pax_headers={"size": "8"})]),
    "set-user-id": ("archive-setuid", [entry("p-1/x", mode=0o4755)]),
    "set-group-id": ("archive-setuid", [entry("p-1/x", mode=0o2755)]),
    "twice": ("archive-duplicate", [entry("p-1/PKG-INFO")]),
    "case": ("archive-case", [entry("p-1/pkg-info")]),
    "unicode form": ("archive-case", [entry("p-1/\u00e4"), entry("p-1/a\u0308")]),
    "case of a directory": ("archive-case", [entry("p-1/DOCS", DIRECTORY), entry("p-1/docs/x")]),
    "case of directories that are implied": ("archive-case", [entry("p-1/Docs/x"), entry("p-1/docs/y")]),
    "case of a directory further up": ("archive-case", [entry("p-1/a/Docs/b/x"), entry("p-1/a/docs/b/y")]),
    "a file and a directory of other case": ("archive-case", [entry("p-1/DOCS"), entry("p-1/Docs/x")]),
    "a link and a directory of other case": (
        "archive-case",
        [entry("p-1/a", LINK, linkname="b"), entry("p-1/A/x"), entry("p-1/b/x")],
    ),
    "a directory of another unicode form": ("archive-case", [entry("p-1/\u00e4/x"), entry("p-1/a\u0308/y")]),
    "a backslash and a slash": ("archive-case", [entry("p-1/a\\b"), entry("p-1/a/b")]),
    "a file below a link where a backslash is a slash": (
        "archive-duplicate",
        [entry("p-1/a", LINK, linkname="b"), entry("p-1/a-b"), entry("p-1/a\\x")],
    ),
    "a file with something below it after others": (
        "archive-duplicate",
        [entry("p-1/a"), entry("p-1/a-b"), entry("p-1/a.b"), entry("p-1/a/b")],
    ),
    "a name of 4,097 bytes": ("archive-name", [entry("p-1/" + "x" * 4093)]),
    "a name of 101 parts": ("archive-name", [entry("p-1/" + "x/" * 99 + "x")]),
    "two tops": ("archive-top", [entry("q-1/x")]),
    "a file at the top": ("archive-top", [entry("x")]),
}


@pytest.mark.parametrize(("code", "entries"), BAD_TARS.values(), ids=BAD_TARS)
def test_tars_that_are_refused(code: str, entries: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    assert refused(normalised, zipped(tarred([*PLAIN, *entries]))) == code


GOOD_LINKS = ("PKG-INFO", "./PKG-INFO", "a/../PKG-INFO", "a/b", "nowhere", ".", "x", "x/y", "link", "link/y", "z/" * 99)


@pytest.mark.parametrize("target", GOOD_LINKS)
def test_links_that_stay_inside_are_kept(target: str) -> None:
    sdist, _, _ = normalised(zipped(tarred([*PLAIN, entry("p-1/x", LINK, linkname=target)])))
    assert {m.target for m in sdist.members if m.kind == "link"} == {"PKG-INFO", target}


def test_links_by_way_of_others_that_stay_inside_are_kept() -> None:
    links = {
        "lib64": "lib",
        "a/up": "..",
        "x": "lib64/../a/up/lib64/so",
        "ring": "gnir",
        "gnir": "ring/x",
        "here": ".",
    }
    chain = {f"l{n}": f"l{n + 1}" for n in range(40)}
    entries = [entry(f"p-1/{name}", LINK, linkname=target) for name, target in (links | chain).items()]
    sdist, _, _ = normalised(zipped(tarred([*PLAIN, *entries])))
    assert {m.name: m.target for m in sdist.members if m.kind == "link"} == {
        "p-1/link": "PKG-INFO", **{f"p-1/{name}": target for name, target in (links | chain).items()}
    }  # fmt: skip


def test_long_and_deep_names_are_read() -> None:
    names = ["p-1/" + "x" * 4092, "p-1/" + "x/" * 98 + "x", "p-1/a\uff0fb", "p-1/a/b"]
    assert {*normalised(zipped(tarred([*PLAIN, *map(entry, names)])))[2]} > {*names}


def test_many_parts_take_no_longer_than_they_are_long() -> None:
    """Each was looked up with all that is before it: 1,200 bytes of gzip took more than a minute."""
    start = time.thread_time()
    assert refused(normalised, zipped(tarred([*PLAIN, entry("p-1/" + "a/" * 500_000 + "x")]))) == "archive-name"
    assert time.thread_time() - start < 1


GOOD = zipped(tarred(PLAIN))
RAW = tarred(PLAIN)


def with_header(at: int, value: bytes) -> bytes:
    """One field of the second header changed, its checksum right."""
    block = bytearray(RAW[512:1024])
    block[at : at + len(value)] = value
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return RAW[:512] + bytes(block) + RAW[1024:]


BROKEN = {
    "nothing": ("archive-damaged", b""),
    "not gzip": ("archive-damaged", RAW),
    "cut off": ("archive-damaged", GOOD[:-9]),
    "cut within the trailer": ("archive-damaged", GOOD[:-1]),
    "another checksum": ("archive-damaged", GOOD[:-8] + b"\0\0\0\0" + GOOD[-4:]),
    "a byte after the end": ("archive-trailing", GOOD + b"\0"),
    "a second stream": ("archive-trailing", GOOD + GOOD),
    "an empty tar": ("archive-damaged", zipped(b"")),
    "no end": ("archive-damaged", zipped(RAW[: 512 * 6])),
    "half an end": ("archive-damaged", zipped(RAW[: 512 * 7])),
    "an end within a file": ("archive-damaged", zipped(RAW[:1100])),
    "a header with a wrong checksum": ("archive-damaged", zipped(RAW[:512] + b"q" + RAW[513:])),
    "text after the end": ("archive-trailing", zipped(RAW + b"x" * 512)),
    "a second tar": ("archive-trailing", zipped(RAW + RAW)),
    "a size in another alphabet": ("archive-damaged", zipped(with_header(124, b"\x80" + bytes(11)))),
    "a size with a sign": ("archive-damaged", zipped(with_header(124, b"-0000000010\0"))),
    "a name that is not utf-8": ("archive-name", zipped(with_header(4, b"\xff"))),
    "a name that is said to be no utf-8": ("archive-type", zipped(tarred([*PLAIN, entry("p-1/\udcff")]))),
    "an unknown type": ("archive-type", zipped(with_header(156, b"Z"))),
    "a continued volume": ("archive-type", zipped(with_header(156, b"M"))),
    "an extension of a megabyte": (
        "archive-damaged",
        zipped(tarred([entry("p-1/x", pax_headers={"a": "x" * (1 << 20)})])),
    ),
    "a directory with bytes": ("archive-ambiguous", zipped(with_header(156, b"5"))),
    "an extension that cannot be read": ("archive-damaged", zipped(with_header(156, b"x"))),
}


@pytest.mark.parametrize(("code", "data"), BROKEN.values(), ids=BROKEN)
def test_sdists_that_are_broken(code: str, data: bytes) -> None:
    assert refused(normalised, data) == code


def test_a_bomb_is_not_unpacked() -> None:
    bomb = zipped(tarred([*PLAIN, entry("p-1/zeros", data=bytes(30_000_000))]))
    assert len(bomb) < 100_000
    assert refused(normalised, bomb, Limits(unpacked=1_000_000)) == "archive-size"
    many = zipped(tarred([*PLAIN, *(entry(f"p-1/{n}") for n in range(100))]))
    assert refused(normalised, many, Limits(members=50)) == "archive-size"


@given(st.binary(max_size=2000))
def test_noise_is_refused_and_never_crashes(noise: bytes) -> None:
    for data in (noise, zipped(noise), zipped(RAW[:512] + noise), GOOD[:40] + noise):
        assert refused(normalised, data).startswith("archive-")


@given(st.integers(0, len(RAW) - 1), st.integers(0, 255))
def test_a_tar_with_one_byte_changed_is_read_or_refused(at: int, value: int) -> None:
    changed = RAW[:at] + bytes([value]) + RAW[at + 1 :]
    found = attempt(zipped(changed))
    if isinstance(found, str):
        assert found.startswith("archive-")
    else:
        assert normalised(found[1])[0].tar == found[0].tar


# Wheels


def wheel(*members: tuple[str, bytes], epoch: int = EPOCH, mode: int = 0o100644, **changes: object) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in members:
            info = zipfile.ZipInfo(name, zip_time(epoch))
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, mode << 16
            for key, value in changes.items():
                setattr(info, key, value)
            packed.writestr(info, data)
    return out.getvalue()


FILES = (("p-1.dist-info/METADATA", b"Name: p\n"), ("p/__init__.py", b""), ("p/a.py", b"a = 1\n" * 50))


def repacked(data: bytes) -> bytes:
    out = io.BytesIO()
    Wheel(io.BytesIO(data)).write(out, EPOCH)
    return out.getvalue()


def is_normal(data: bytes) -> bool:
    return Wheel(io.BytesIO(data)).is_normal(EPOCH)


@pytest.mark.parametrize("mode", [0o100644, 0o100755, 0o644, 0o755])
def test_a_wheel_in_normal_form_stays_as_it_is(mode: int) -> None:
    assert is_normal(wheel(*FILES, mode=mode))


def with_record(place: str, mode: int, record_mode: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data, how in (*((name, data, mode) for name, data in FILES), (place, b"", record_mode)):
            info = zipfile.ZipInfo(name, zip_time(EPOCH))
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, how << 16
            packed.writestr(info, data)
    return out.getvalue()


def test_setuptools_gives_record_a_mode_of_its_own() -> None:
    assert is_normal(with_record("p-1.dist-info/RECORD", 0o100644, 0o100664))


@pytest.mark.parametrize(
    ("place", "mode", "record_mode"),
    [
        ("p/RECORD", 0o100644, 0o100664),
        ("p-1.dist-info/RECORD.jws", 0o100644, 0o100664),
        ("p-1.dist-info/x/RECORD", 0o100644, 0o100664),
        ("RECORD", 0o100644, 0o100664),
        ("p-1.dist-info/RECORD", 0o100664, 0o100664),
        ("p-1.dist-info/RECORD", 0o100644, 0o100666),
        ("p-1.dist-info/RECORD", 0o100644, 0o100600),
    ],
)
def test_no_other_file_and_no_other_mode(place: str, mode: int, record_mode: int) -> None:
    assert not is_normal(with_record(place, mode, record_mode))


ABNORMAL = {
    "a time": wheel(*FILES, epoch=EPOCH + 2),
    "a mode by umask": wheel(*FILES, mode=0o100664),
    "an order that a file system has": wheel(FILES[0], FILES[2], FILES[1]),
    "no mode": wheel(*FILES, mode=0),
    "another system": wheel(*FILES, create_system=0),
    "a comment": wheel(*FILES, comment=b"built on Tuesday"),
    "an extra field": wheel(*FILES, extra=b"UT\x05\0\x03\0\0\0\0"),
    "bytes before": b"#!/usr/bin/python\n" + wheel(*FILES),
    "a comment of the archive": wheel(*FILES)[:-2] + b"\x02\0hi",
}


@pytest.mark.parametrize("data", ABNORMAL.values(), ids=ABNORMAL)
def test_wheels_that_differ_between_machines_are_packed_anew(data: bytes) -> None:
    assert not is_normal(data)
    again = repacked(data)
    assert is_normal(again)
    assert repacked(again) == again
    with zipfile.ZipFile(io.BytesIO(again)) as packed:
        assert packed.testzip() is None
        assert [(n, packed.read(n)) for n in packed.namelist()] == [FILES[1], FILES[2], FILES[0]]


def test_all_wheels_with_the_same_members_become_the_same() -> None:
    assert len({repacked(data) for data in ABNORMAL.values()}) == 1
    assert repacked(wheel(*reversed(FILES))) == repacked(wheel(*FILES))


def test_bytes_between_the_members_are_not_normal() -> None:
    data = wheel(*FILES)
    second = data.index(b"PK\x03\x04", 4)
    ends = data.index(b"PK\x01\x02")
    hidden = data[:second] + b"hidden" + data[second:]
    # the directory says where each record begins, so a gap between them can hide anything
    moved = bytearray(hidden)
    at = ends + 6
    for number in range(3):
        offset = int.from_bytes(moved[at + 42 : at + 46], "little")
        if number:
            moved[at + 42 : at + 46] = (offset + 6).to_bytes(4, "little")
        at += 46 + int.from_bytes(moved[at + 28 : at + 30], "little")
    moved[at + 16 : at + 20] = (ends + 6).to_bytes(4, "little")
    assert not is_normal(bytes(moved))
    assert b"hidden" not in repacked(bytes(moved))


@pytest.mark.parametrize("more", [1, 2**31, 2**32 - 100])
def test_members_that_are_said_to_begin_before_the_wheel_are_not_normal(more: int) -> None:
    """By an end that puts the directory behind itself; found by libFuzzer."""
    data = bytearray(wheel(("toy/", b""), mode=0o040755))
    place = data.rindex(b"PK\x05\x06") + 16
    data[place : place + 4] = (min(int.from_bytes(data[place : place + 4], "little") + more, 2**32 - 2)).to_bytes(
        4, "little"
    )
    assert not is_normal(bytes(data))


BAD_WHEELS = {
    "absolute": ("archive-outside", wheel(("/x", b""))),
    "up": ("archive-outside", wheel(("p/../../x", b""))),
    "a line end": ("archive-name", wheel(("p/a\nb", b""))),
    "a zero byte": ("archive-name", wheel(("p/aXb", b"")).replace(b"p/aXb", b"p/a\0b")),
    "an empty part": ("archive-name", wheel(("p//x", b""))),
    "a link": ("archive-link", wheel(("p/x", b"/etc/passwd"), mode=0o120777)),
    "a pipe": ("archive-type", wheel(("p/x", b""), mode=0o010644)),
    "a device": ("archive-type", wheel(("p/x", b""), mode=0o020644)),
    "a file that says it is a directory": ("archive-type", wheel(("p/x", b""), mode=0o040755)),
    "set-user-id": ("archive-setuid", wheel(("p/x", b""), mode=0o104755)),
    "case": ("archive-case", wheel(("p/x", b""), ("p/X", b""))),
    "unicode form": ("archive-case", wheel(("p/\u00e4", b""), ("p/a\u0308", b""))),
    "below a file": ("archive-duplicate", wheel(("p", b""), ("p/x", b""))),
    "not a zip": ("archive-damaged", b"PK\x03\x04 and so on"),
    "nothing": ("archive-damaged", b""),
    "cut off": ("archive-damaged", wheel(*FILES)[:-30]),
    "encrypted": (
        "archive-type",
        wheel(("p/x", b"")).replace(b"PK\x01\x02\x14\x03\x14\0\0\0", b"PK\x01\x02\x14\x03\x14\0\1\0"),
    ),
    "another compression": (
        "archive-type",
        wheel(("p/x", b"x")).replace(b"\x14\x03\x14\0\0\0\x08", b"\x14\x03\x14\0\0\0\x0c"),
    ),
}


@pytest.mark.parametrize(("code", "data"), BAD_WHEELS.values(), ids=BAD_WHEELS)
def test_wheels_that_are_refused(code: str, data: bytes) -> None:
    assert refused(lambda: Wheel(io.BytesIO(data))) == code


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_in_a_wheel() -> None:
    assert refused(lambda: Wheel(io.BytesIO(wheel(("p/x", b"a"), ("p/x", b"b"))))) == "archive-duplicate"


def test_a_wheel_bomb_is_not_opened() -> None:
    bomb = wheel(("p/zeros", bytes(5_000_000)))
    assert refused(lambda: Wheel(io.BytesIO(bomb), Limits(unpacked=1_000_000))) == "archive-size"
    assert refused(lambda: Wheel(io.BytesIO(wheel(*FILES)), Limits(members=2))) == "archive-size"


def test_a_wheel_whose_members_are_altered() -> None:
    data = wheel(("p/x", b"right"), compress_type=zipfile.ZIP_STORED).replace(b"right", b"wrong")
    assert refused(repacked, data) == "archive-damaged"


@pytest.mark.parametrize(
    ("epoch", "wanted"),
    [
        (0, (1980, 1, 1, 0, 0, 0)),
        (EPOCH, (2023, 11, 14, 22, 13, 20)),
        (EPOCH + 1, (2023, 11, 14, 22, 13, 20)),
        (2**40, (2107, 12, 31, 23, 59, 58)),
    ],
)
def test_the_time_that_a_zip_can_say(epoch: int, wanted: tuple[int, ...]) -> None:
    assert zip_time(epoch) == wanted


def test_names_are_compared_all_together() -> None:
    check_members(Member(name=name) for name in ("a", "b/a", "b/c"))
    assert refused(check_members, [Member(name="straße"), Member(name="STRASSE")]) == "archive-case"


@given(st.lists(st.binary(max_size=3000), max_size=8))
@example([bytes(range(256)) * 5000, b"", b"x" * 3_000_000])
def test_xz_is_what_lzma_gives_however_it_comes(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    assert b"".join(xzed(pieces)) == lzma.compress(whole, preset=6)
    assert b"".join(inflated(io.BytesIO(b"".join(deflated(pieces))))) == whole


FORMS: dict[str, Callable[[Iterable[bytes]], Iterable[bytes]]] = {
    "tar": iter, "tar.gz": deflated, "tar.xz": xzed, "tar.bz2": lambda pieces: (bz2.compress(b"".join(pieces)),),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_somebody_elses_archive_is_read(form: str) -> None:
    members = [
        (Member(name="a", size=1), [b"x"]),
        (Member(name="b", kind="directory"), []),
        (Member(name="b/link", kind="link", target="../a"), []),
    ]
    plain = b"".join(tar(members, 0))
    spool = io.BytesIO()
    found = read_tarball(io.BytesIO(b"".join(FORMS[form]([plain]))), spool, form=form)
    assert [m.name for m in found.members] == ["a", "b", "b/link"]
    assert b"".join(content(spool, found.members[0])) == b"x"
    assert found.tar == hashlib.sha256(plain).hexdigest()


@pytest.mark.parametrize("form", FORMS)
@given(cut=st.integers(0, 10_000), flip=st.integers(0, 10_000))
def test_a_damaged_archive_is_refused_or_read_and_never_anything_else(form: str, cut: int, flip: int) -> None:
    data = bytearray(b"".join(FORMS[form]([b"".join(tar([(Member(name="a", size=1), [b"x"])], 0))])))
    data[flip % len(data)] ^= 1 + flip % 255
    with suppress(ProjectError):
        read_tarball(io.BytesIO(data[: cut % len(data)]), io.BytesIO(), form=form)


@pytest.mark.parametrize("form", ["tar.gz", "tar.xz", "tar.bz2"])
def test_one_stream_and_nothing_after_it(form: str) -> None:
    data = b"".join(FORMS[form]([b"".join(tar([(Member(name="a", size=1), [b"x"])], 0))]))
    for more, code in ((b"", ""), (data, "archive-trailing"), (b"x", "archive-trailing"), (b"\0", "archive-trailing")):
        read = partial(read_tarball, io.BytesIO(data + more), io.BytesIO(), form=form)
        assert (refused(read) if code else read().members[0].name) == (code or "a")
    assert refused(partial(read_tarball, io.BytesIO(data[:-1]), io.BytesIO(), form=form)) == "archive-damaged"
    small = partial(read_tarball, io.BytesIO(data), io.BytesIO(), form=form, limits=Limits(unpacked=2047))
    assert refused(small) == "archive-size"


def test_a_link_out_of_an_archive_without_a_top() -> None:
    plain = b"".join(tar([(Member(name="b/link", kind="link", target="../../a"), [])], 0))
    with pytest.raises(ProjectError) as caught:
        read_tarball(io.BytesIO(plain), io.BytesIO(), form="tar")
    assert caught.value.code == "archive-outside"

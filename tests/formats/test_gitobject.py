from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagtrail.formats.gitobject import (
    Listed,
    blob_id,
    header,
    object_id,
    parse_listing,
    parse_tree,
    time_of,
    verified,
)

# git's own: `git hash-object -t TYPE --stdin`, with an empty blob and an empty tree in both formats
IDS = [
    ("blob", b"", 40, "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"),
    ("tree", b"", 40, "4b825dc642cb6eb9a060e54bf8d69288fbee4904"),
    ("blob", b"what is up, doc?", 40, "bd9dbf5aae1a3862dd1526723246b20206e5fc37"),
    ("blob", b"", 64, "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813"),
    ("tree", b"", 64, "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"),
]


@pytest.mark.parametrize(("kind", "content", "digits", "oid"), IDS)
def test_ids_are_those_of_git(kind: str, content: bytes, digits: int, oid: str) -> None:
    assert object_id(kind, content, digits) == oid
    if kind == "blob":
        assert blob_id([content[:5], content[5:]], len(content), digits) == oid


COMMIT = (
    b"tree 4b82\nauthor A > B <a> 1 +0000\ncommitter C <c@d> 1700000000 -0130\nencoding x\n\ncommitter D <d> 7 +0000\n"
)


@pytest.mark.parametrize(("key", "value"), [("tree", "4b82"), ("encoding", "x"), ("parent", ""), ("tre", "")])
def test_headers_end_with_the_empty_line(key: str, value: str) -> None:
    assert header(COMMIT, key) == value


@pytest.mark.parametrize(
    ("line", "time"),
    [
        (b"committer C <c@d> 1700000000 -0130", 1_700_000_000),
        (b"committer C <c@d> 1700000000", 1_700_000_000),
        (b"committer > 5 <c> 6 +0000", 6),
        (b"committer C <c> -5 +0000", 0),
        (b"committer C <c> 99999999999999999999 +0000", 0),
        ("committer C <c> \u0663 +0000".encode(), 0),
        (b"author C <c> 5 +0000", 0),
    ],
)
def test_the_committers_time(line: bytes, time: int) -> None:
    assert time_of(b"tree x\n" + line + b"\n\ntext\n") == time


ID = bytes(range(20))


@pytest.mark.parametrize(
    ("mode", "read"),
    [(b"100644", 0o100644), (b"100664", 0o100644), (b"100755", 0o100755), (b"100700", 0o100755), (b"120000", 0o120000),
     (b"40000", 0o040000), (b"040000", 0o040000), (b"160000", 0o160000)],
)  # fmt: skip
def test_modes_are_read_as_git_reads_them(mode: bytes, read: int) -> None:
    (member,) = parse_tree(mode + b" name\0" + ID)
    assert (member.mode, member.name, member.id) == (read, b"name", ID.hex())


@pytest.mark.parametrize(
    "content",
    [
        b"x", b"100644 name", b"100644 name\0" + ID[:-1], b"100644 \0" + ID, b"1009 x\0" + ID, b"100644 a/b\0" + ID,
        b"100644 ..\0" + ID, b"100644 .\0" + ID, b"100644 .git\0" + ID,
    ],
)  # fmt: skip
def test_what_is_no_tree(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_tree(content)


def test_a_listing_is_sorted_by_the_bytes_of_paths() -> None:
    first = b"100644 blob 01\ta-b\x00040000 tree 02\ta\x00100644 blob 03\ta/b\0"
    raw = first + b"160000 commit 04\tm\x00120000 blob 05\t\xff\0"
    listing = parse_listing(raw)
    assert [(m.path, m.mode, m.id) for m in listing] == [
        ("a", 0o40000, "02"), ("a-b", 0o100644, "01"), ("a/b", 0o100644, "03"), ("m", 0o160000, "04"),
        ("\udcff", 0o120000, "05"),
    ]  # fmt: skip


# A commit of a file, a directory with a file, and a submodule


def tree_of(*members: tuple[str, str, str]) -> bytes:
    return b"".join(f"{mode} {name}".encode() + b"\0" + bytes.fromhex(oid) for mode, name, oid in members)


BLOB = object_id("blob", b"x")
BELOW = tree_of(("100644", "b", BLOB))
TOP = tree_of(("40000", "a", object_id("tree", BELOW)), ("100755", "c", BLOB), ("160000", "m", "11" * 20))
RAW = f"tree {object_id('tree', TOP)}\ncommitter a <a> 1 +0000\n\n".encode()
LISTING = (
    Listed(path="a", mode=0o40000, id=object_id("tree", BELOW)),
    Listed(path="a/b", mode=0o100644, id=BLOB),
    Listed(path="c", mode=0o100755, id=BLOB),
    Listed(path="m", mode=0o160000, id="11" * 20),
)
OBJECTS = (("commit", RAW), ("tree", TOP), ("tree", BELOW), ("blob", b"x"), ("blob", b"x"))


def prove(
    listing: tuple[Listed, ...] = LISTING, objects: tuple[tuple[str, bytes], ...] = OBJECTS
) -> list[tuple[str, bytes]]:
    return [(m.path, content) for m, content in verified(object_id("commit", RAW), listing, iter(objects))]


def test_everything_is_proven_from_the_commit_downwards() -> None:
    assert prove() == [("a", BELOW), ("a/b", b"x"), ("c", b"x"), ("m", b"")]


@pytest.mark.parametrize("place", range(5))
def test_one_altered_object_is_found(place: int) -> None:
    kind, content = OBJECTS[place]
    for other in ((kind, content + b"\n"), ("blob" if kind != "blob" else "tree", content)):
        with pytest.raises(ValueError, match="not the"):
            prove(objects=(*OBJECTS[:place], other, *OBJECTS[place + 1 :]))


@pytest.mark.parametrize(
    "listing",
    [
        LISTING[:-1],
        LISTING[:2] + LISTING[3:],
        (*LISTING, Listed(path="z", mode=0o160000, id="22" * 20)),
        (*LISTING[:3], Listed(path="m", mode=0o160000, id="22" * 20)),
        (*LISTING[:2], Listed(path="c", mode=0o100644, id=BLOB), LISTING[3]),
    ],
)
def test_a_listing_that_is_not_the_trees(listing: tuple[Listed, ...]) -> None:
    with pytest.raises(ValueError, match=r"listed|not the"):
        prove(listing)


@given(st.dictionaries(st.from_regex(r"[a-z]{1,3}", fullmatch=True), st.binary(max_size=20), max_size=5))
def test_any_tree_of_files(files: dict[str, bytes]) -> None:
    tree = tree_of(*(("100644", n, object_id("blob", c)) for n, c in sorted(files.items())))
    commit = f"tree {object_id('tree', tree)}\n\n".encode()

    def objects() -> Iterator[tuple[str, bytes]]:
        yield from (("commit", commit), ("tree", tree))
        yield from (("blob", files[name]) for name in sorted(files))

    listing = tuple(Listed(path=n, mode=0o100644, id=object_id("blob", c)) for n, c in sorted(files.items()))
    found = {m.path: content for m, content in verified(object_id("commit", commit), listing, objects())}
    assert found == files

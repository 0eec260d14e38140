import hashlib
import json
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagtrail.formats import merkle, note, tiles
from tagtrail.formats.tiles import Tile, TileReader
from tests.formats.laws import sparing
from tests.formats.refusal import refused

MOST = 66_000  # above 256 * 256: three levels of tiles
ENTRIES = [b"entry %d" % number for number in range(MOST)]


def build() -> dict[tuple[int, int], bytes]:
    nodes: dict[tuple[int, int], bytes] = {}
    for number, entry in enumerate(ENTRIES):
        nodes.update(merkle.complete(number, merkle.leaf_hash(entry), lambda level, index: nodes[level, index]))
    return nodes


NODES = build()


def read(level: int, index: int) -> bytes:
    return NODES[level, index]


def content(tile: Tile) -> bytes:
    start = tile.index * tiles.WIDTH
    return (
        tiles.bundle_bytes(ENTRIES[start : start + tile.width]) if tile.level is None else tiles.tile_bytes(tile, read)
    )


class Site(dict[str, bytes]):
    """The tiles of a tree, as a web server has them."""

    def __init__(self, size: int) -> None:
        super().__init__({tile.path: content(tile) for tile in tiles.grown(0, size)})

    def reader(self, size: int) -> TileReader:
        return TileReader(size, merkle.root(size, read), self.get)


# Names


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        # c2sp.org/tlog-tiles: the example of an index
        (Tile(level=0, index=1234067), "tile/0/x001/x234/067"),
        (Tile(level=0, index=0), "tile/0/000"),
        (Tile(level=0, index=5, width=1), "tile/0/005.p/1"),
        (Tile(level=None, index=273, width=112), "tile/entries/273.p/112"),
        (Tile(level=None, index=999), "tile/entries/999"),
        (Tile(level=None, index=1000), "tile/entries/x001/000"),
        (Tile(level=63, index=0, width=255), "tile/63/000.p/255"),
        (Tile(level=1, index=10**9), "tile/1/x001/x000/x000/000"),
    ],
)
def test_paths(tile: Tile, path: str) -> None:
    assert tile.path == path
    assert tiles.parse_tile_path(path) == tile


def test_path_functions() -> None:
    assert tiles.tile_path(1, 0, 17) == "tile/1/000.p/17"
    assert tiles.tile_path(0, 65536) == "tile/0/x065/536"
    assert tiles.entries_path(256) == "tile/entries/256"


TILES = st.builds(
    Tile, level=st.none() | st.integers(0, 63), index=st.integers(0, 2**63 - 1), width=st.integers(1, tiles.WIDTH)
)


@given(TILES)
def test_paths_come_back(tile: Tile) -> None:
    assert tiles.parse_tile_path(tile.path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/000/",
        "/tile/0/000",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/x/000",
        "tile/0/x000/000",
        "tile/0/x000/x001/000",
        "tile/0/001/000",
        "tile/0/x001",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/999",
        "tile/0/000.p/",
        "tile/0/000.p",
        "tile/0/000\n",
        "tile/0/\u0660\u0660\u0660",
        "tile/0/../000",
        "tile/entries/000.p/1.p/1",
        "tile/data/000",
        "tile/0/x001/x000/x000/x000/x000/x000/x000/000",
        "tile/0/" + "x001/" * 2000 + "000",
    ],
)
def test_other_paths_are_refused(path: str) -> None:
    assert refused(tiles.parse_tile_path, path) == "tile-path"


# Which tiles


def test_the_example_of_the_specification() -> None:
    # "273 full level 0 tiles, one partial level 0 tile of width 112, one full level 1 tile, one partial level 1 tile of
    # width 17, and one partial level 2 tile of width 1"
    paths = list(tiles.paths(70_000))
    assert paths[:274] == [tiles.entries_path(n) for n in range(273)] + ["tile/entries/273.p/112"]
    assert paths[274:548] == [tiles.tile_path(0, n) for n in range(273)] + ["tile/0/273.p/112"]
    assert paths[548:] == ["tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"]


@pytest.mark.parametrize(
    ("size", "paths"),
    [
        (0, []),
        (1, ["tile/entries/000.p/1", "tile/0/000.p/1"]),
        (255, ["tile/entries/000.p/255", "tile/0/000.p/255"]),
        (256, ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]),
        (257, ["tile/entries/000", "tile/entries/001.p/1", "tile/0/000", "tile/0/001.p/1", "tile/1/000.p/1"]),
    ],
)
def test_all_tiles_of_a_tree(size: int, paths: list[str]) -> None:
    assert list(tiles.paths(size)) == paths


@pytest.mark.parametrize(
    ("old", "new", "paths"),
    [
        (5, 5, []),
        (5, 6, ["tile/entries/000.p/6", "tile/0/000.p/6"]),
        (255, 256, ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]),
        (256, 257, ["tile/entries/001.p/1", "tile/0/001.p/1"]),
        (65_535, 65_536, ["tile/entries/255", "tile/0/255", "tile/1/000", "tile/2/000.p/1"]),
        (65_536, 65_537, ["tile/entries/256.p/1", "tile/0/256.p/1"]),
        (2**24 - 1, 2**24, ["tile/entries/x065/535", "tile/0/x065/535", "tile/1/255", "tile/2/000", "tile/3/000.p/1"]),
    ],
)
def test_growth_writes_what_changed(old: int, new: int, paths: list[str]) -> None:
    assert [tile.path for tile in tiles.grown(old, new)] == paths


@sparing
@given(st.lists(st.integers(0, 70_000), min_size=1, max_size=6).map(sorted))
def test_growth_by_steps_gives_every_tile(sizes: list[int]) -> None:
    shown: set[str] = set()
    for old, new in zip([0, *sizes], sizes, strict=False):
        shown |= {tile.path for tile in tiles.grown(old, new)}
        assert set(tiles.paths(new)) <= shown
        shown -= {tile.path for tile in tiles.obsolete(old, new)}
        assert set(tiles.paths(new)) <= shown
    last = sizes[-1]
    # What remains beside the tree's own are older partial tiles of tiles that are still partial.
    partial = {path.partition(".p/")[0] for path in tiles.paths(last) if ".p/" in path}
    assert {path.partition(".p/")[0] for path in shown - set(tiles.paths(last))} <= partial


def test_obsolete_is_nothing_while_the_tile_is_partial() -> None:
    assert list(tiles.obsolete(3, 255)) == []
    assert [tile.path for tile in tiles.obsolete(2, 256)] == [
        "tile/entries/000.p/1",
        "tile/entries/000.p/2",
        "tile/0/000.p/1",
        "tile/0/000.p/2",
    ]
    assert list(tiles.obsolete(256, 300)) == []


# Contents


def test_tile_and_bundle_bytes() -> None:
    assert tiles.tile_bytes(Tile(level=0, index=0, width=2), read) == read(0, 0) + read(0, 1)
    assert tiles.tile_bytes(Tile(level=1, index=0, width=1), read) == read(8, 0)
    assert len(tiles.tile_bytes(Tile(level=0, index=3), read)) == 8192
    assert tiles.bundle_bytes([b"a", b"bc"]) == b"\x00\x01a\x00\x02bc"
    with pytest.raises(ValueError, match="tile/entries/000"):
        tiles.tile_bytes(Tile(level=None, index=0), read)


@given(st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=9))
def test_bundles_come_back(entries: list[bytes]) -> None:
    data = tiles.bundle_bytes(entries)
    assert tiles.parse_bundle(data, len(entries)) == tuple(entries)
    assert refused(tiles.parse_bundle, data, len(entries) + 1) == "bundle-size"
    assert refused(tiles.parse_bundle, data + b"\x00", len(entries)) == "bundle-size"
    assert refused(tiles.parse_bundle, data[:-1], len(entries)) == "bundle-size"


def test_the_longest_entry() -> None:
    entry = bytes(tiles.MAX_ENTRY)
    assert tiles.parse_bundle(tiles.bundle_bytes([entry]), 1) == (entry,)
    assert refused(tiles.bundle_bytes, [entry + b"\x00"]) == "bundle-entry"
    assert refused(tiles.bundle_bytes, [b""]) == "bundle-entry"
    assert refused(tiles.parse_bundle, b"\x00\x00", 1) == "bundle-entry"
    assert refused(tiles.bundle_bytes, []) == "bundle-size"
    assert refused(tiles.bundle_bytes, [b"a"] * 257) == "bundle-size"


@pytest.mark.parametrize("data", [b"", bytes(31), bytes(33), bytes(63), bytes(65), bytes(96)])
def test_tiles_have_exactly_their_width(data: bytes) -> None:
    assert tiles.parse_tile(bytes(64), 2) == (bytes(32), bytes(32))
    assert refused(tiles.parse_tile, data, 2) == "tile-size"


# Reading a stranger's tiles


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 700, 65_535, 65_536, 65_537, MOST])
def test_a_reader_proves_what_the_log_holds(size: int) -> None:
    reader = Site(size).reader(size)
    for index in {0, 1, size // 2, size - 2, size - 1} & set(range(size)):
        assert merkle.inclusion(index, size, reader.read) == merkle.inclusion(index, size, read)
    for old in {1, size // 3, size - 1, size} & set(range(1, size + 1)):
        assert merkle.consistency(old, size, reader.read) == merkle.consistency(old, size, read)
    for number in {0, (size - 1) // 256}:
        assert list(reader.entries(number)) == ENTRIES[:size][number * 256 : number * 256 + 256]


def test_a_proof_needs_few_tiles() -> None:
    fetched: list[str] = []
    site = Site(MOST)

    def fetch(path: str) -> bytes | None:
        fetched.append(path)
        return site.get(path)

    merkle.inclusion(3, MOST, TileReader(MOST, merkle.root(MOST, read), fetch).read)
    assert sorted(fetched) == ["tile/0/000", "tile/0/257.p/208", "tile/1/000", "tile/1/001.p/1", "tile/2/000.p/1"]


def test_an_older_checkpoint_is_read_from_full_tiles() -> None:
    site = Site(700)
    site["tile/1/000.p/1"] = read(8, 0)  # a tile that is still partial keeps its older widths
    reader = site.reader(300)
    assert "tile/0/001.p/44" not in site
    assert merkle.root(300, reader.read) == merkle.root(300, read)
    assert list(reader.entries(1)) == ENTRIES[256:300]


@pytest.mark.parametrize("path", ["tile/0/000", "tile/0/002", "tile/1/000", "tile/2/000.p/1", "tile/0/257.p/208"])
def test_a_missing_tile(path: str) -> None:
    site = Site(MOST)
    del site[path]
    index = MOST - 1 if "257" in path else 512 if path.endswith("002") else 0
    assert refused(merkle.inclusion, index, MOST, site.reader(MOST).read) == "tile-missing"


def test_a_full_tile_is_missing_while_its_partial_one_stands() -> None:
    site = Site(256)
    site["tile/0/000.p/255"] = site.pop("tile/0/000")[:-32]
    assert refused(site.reader(256).read, 0, 0) == "tile-missing"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("tile/0/000", "tile-mismatch"),
        ("tile/0/001", "tile-mismatch"),
        ("tile/0/002.p/188", "tile-root"),
        ("tile/1/000.p/2", "tile-root"),
    ],
)
def test_a_garbled_tile(path: str, code: str) -> None:
    site = Site(700)
    site[path] = bytes([site[path][0] ^ 1]) + site[path][1:]
    number = int(path[7:10]) if path.startswith("tile/0/") else 0
    assert refused(site.reader(700).read, 0, number * 256) == code
    assert refused(site.reader(700).entries, number) == code


@pytest.mark.parametrize("path", ["tile/0/000", "tile/0/002.p/188", "tile/1/000.p/2"])
def test_a_tile_of_another_length(path: str) -> None:
    for change in (bytes.__add__, lambda data, _: data[:-32]):
        site = Site(700)
        site[path] = change(site[path], bytes(32))
        assert refused(site.reader(700).read, 0, 0) == "tile-size"


def test_tiles_of_another_tree() -> None:
    reader = TileReader(700, merkle.root(699, read), Site(700).get)
    assert refused(reader.read, 0, 0) == "tile-root"


def test_a_bundle_that_disagrees_with_its_tile() -> None:
    site = Site(700)
    site["tile/entries/001"] = tiles.bundle_bytes([*ENTRIES[256:511], b"another"])
    assert refused(site.reader(700).entries, 1) == "bundle-mismatch"
    site["tile/entries/001"] = tiles.bundle_bytes(ENTRIES[256:511])
    assert refused(site.reader(700).entries, 1) == "bundle-size"
    del site["tile/entries/001"]
    assert refused(site.reader(700).entries, 1) == "tile-missing"


@sparing
@given(st.integers(1, 700), st.data())
def test_no_byte_of_any_file_can_change_unseen(size: int, data: st.DataObject) -> None:
    site = Site(size)
    path = data.draw(st.sampled_from(sorted(site)))
    place = data.draw(st.integers(0, len(site[path]) - 1))
    changed = bytearray(site[path])
    changed[place] ^= data.draw(st.integers(1, 255))
    site[path] = bytes(changed)
    reader = site.reader(size)
    code = refused(lambda: [reader.entries(number) for number in range((size + 255) // 256)])
    assert code in {"tile-root", "tile-mismatch", "bundle-mismatch", "bundle-size", "bundle-entry"}


@pytest.mark.parametrize(("level", "index"), [(0, 700), (0, -1), (8, 2), (9, 1), (10, 0), (64, 0)])
def test_outside_the_tree(level: int, index: int) -> None:
    with pytest.raises(KeyError):
        Site(700).reader(700).read(level, index)


@pytest.mark.parametrize("number", [-1, 3, 10**9])
def test_bundles_outside_the_tree(number: int) -> None:
    with pytest.raises(KeyError):
        Site(700).reader(700).entries(number)


class TestTheLogOfAnotherImplementation:
    """A log that Tessera wrote: every size from 0 to 15 was shown once."""

    log = json.loads((Path(__file__).parent / "vectors" / "tessera.json").read_text())
    files = MappingProxyType({path: bytes.fromhex(data) for path, data in log["tiles"].items()})

    def head(self, size: int) -> note.Checkpoint:
        opened = note.open_note(self.log["checkpoints"][size].encode(), [note.parse_vkey(self.log["vkey"])])
        return note.parse_checkpoint(opened.note.text)

    def reader(self, size: int) -> TileReader:
        return TileReader(size, self.head(size).root, self.files.get)

    def test_the_names_of_its_files(self) -> None:
        assert set(self.files) == {tile.path for size in range(15) for tile in tiles.grown(size, size + 1)}

    @pytest.mark.parametrize("size", range(16))
    def test_every_size_reads_and_writes(self, size: int) -> None:
        head = self.head(size)
        assert (head.origin, head.size) == ("example.com/log/testdata", size)
        entries = self.reader(size).entries(0) if size else ()
        assert merkle.root_of([merkle.leaf_hash(entry) for entry in entries]) == head.root
        for path in tiles.paths(size):
            tile = tiles.parse_tile_path(path)
            again = (
                tiles.bundle_bytes(entries) if tile.level is None else tiles.tile_bytes(tile, self.reader(size).read)
            )
            assert again == self.files[path]

    @pytest.mark.parametrize("new", range(16))
    def test_its_checkpoints_are_consistent(self, new: int) -> None:
        for old in range(new + 1):
            proof = merkle.consistency(old, new, self.reader(new).read)
            merkle.verify_consistency(old, new, self.head(old).root, self.head(new).root, proof)


def test_the_reader_forgets_before_it_grows_without_bound() -> None:
    class Small(TileReader):
        __slots__ = ()
        CACHE = 2

    reader = Small(MOST, merkle.root(MOST, read), Site(MOST).get)
    for number in range(0, 256 * 9, 256):
        assert reader.read(0, number) == read(0, number)
    assert hashlib.sha256(b"".join(reader.entries(3))).digest() == hashlib.sha256(b"".join(ENTRIES[768:1024])).digest()

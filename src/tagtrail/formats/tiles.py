"""Tiles: a Merkle tree and its entries as static files, 256 hashes or entries each.

    tile/0/x001/x234/067         256 hashes of level 0 (leaf hashes), number 1234067 of its level: 8,192 bytes
    tile/1/000.p/17              17 hashes of level 1, a partial tile; each is the root of a full tile of level 0
    tile/entries/273.p/112       112 entries, each a big-endian 16-bit length and that many bytes (at least one)

Tile N of level L holds the complete subtrees of 256**L leaves number N * 256 to N * 256 + 255. In a tree of size s the
rightmost tile of level L has floor(s / 256**L) mod 256 hashes; empty tiles do not exist. Numbers are written in groups
of three digits, all but the last with an `x`. A partial tile may go when its full tile stands.
Source: c2sp.org/tlog-tiles.

`TileReader` reads a stranger's tiles against a root that somebody signed: what it returns is proven.
Reason codes: tile-path, tile-size, tile-missing, tile-root, tile-mismatch; bundle-size, bundle-entry, bundle-mismatch.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from tagtrail.formats.encoding import HASH_SIZE, shown
from tagtrail.formats.merkle import Read, leaf_hash, root_of
from tagtrail.formats.merkle import root as tree_root
from tagtrail.model.errors import TamperError
from tagtrail.model.frozen import frozen

__all__ = [
    "MAX_ENTRY",
    "WIDTH",
    "Fetch",
    "Tile",
    "TileReader",
    "bundle_bytes",
    "entries_path",
    "grown",
    "obsolete",
    "parse_bundle",
    "parse_tile",
    "parse_tile_path",
    "paths",
    "tile_bytes",
    "tile_path",
]

WIDTH = 256
HEIGHT = 8
"""Tree levels per tile level."""

MAX_ENTRY = 65_535
"""Bytes of an entry: the length prefix has 16 bits."""

MAX_LEVEL = 7
"""The tile level above which a tree of less than 2**63 leaves has nothing."""

_PATH = re.compile(r"tile/(entries|[0-9]|[1-5][0-9]|6[0-3])/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")

Fetch = Callable[[str], bytes | None]
"""`fetch("tile/0/000")`: the stored bytes, or None where there is no such file."""


@frozen
class Tile:
    """One file. `level` is the tile level, or None for entries; `width` is below 256 for a partial one."""

    level: int | None
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Below the log's prefix, with `/`."""
        number = f"{self.index % 1000:03}"
        rest = self.index // 1000
        while rest:
            number = f"x{rest % 1000:03}/{number}"
            rest //= 1000
        level = "entries" if self.level is None else self.level
        return f"tile/{level}/{number}" + (f".p/{self.width}" if self.width < WIDTH else "")


# Names


def tile_path(level: int, index: int, width: int = WIDTH) -> str:
    """The path of a tile of hashes."""
    return Tile(level=level, index=index, width=width).path


def entries_path(index: int, width: int = WIDTH) -> str:
    """The path of an entry bundle."""
    return Tile(level=None, index=index, width=width).path


def parse_tile_path(path: str) -> Tile:
    """The tile that `path` names. Raises TamperError tile-path."""
    match = _PATH.fullmatch(path)
    if match:
        level = None if match[1] == "entries" else int(match[1])
        index = int(re.sub("[x/]", "", match[2]))
        tile = Tile(level=level, index=index, width=int(match[3] or WIDTH))
        # Leading x000 groups and widths of 256 and more are other spellings, or none.
        if tile.path == path:
            return tile
    raise TamperError(f"{shown(path)} is not the path of a tile", code="tile-path")


def paths(size: int) -> Iterator[str]:
    """The paths of all tiles and bundles of a tree of `size`, entries first."""
    return (tile.path for tile in grown(0, size))


def grown(old: int, new: int) -> Iterator[Tile]:
    """The tiles and bundles of a tree of `new` leaves that the same tree of `old` did not have, entries first."""
    for level in (None, *range(MAX_LEVEL + 1)):
        before, after = old >> HEIGHT * (level or 0), new >> HEIGHT * (level or 0)
        if before == after:
            continue
        for index in range(before // WIDTH, after // WIDTH):
            yield Tile(level=level, index=index)
        if after % WIDTH:
            yield Tile(level=level, index=after // WIDTH, width=after % WIDTH)


def obsolete(old: int, new: int) -> Iterator[Tile]:
    """The partial tiles up to size `old` whose full tiles stand at size `new`: they may go.

    All widths that earlier checkpoints can have had are named, not only those that exist.
    """
    for level in (None, *range(MAX_LEVEL + 1)):
        before, after = old >> HEIGHT * (level or 0), new >> HEIGHT * (level or 0)
        if before // WIDTH < after // WIDTH:
            for width in range(1, before % WIDTH + 1):
                yield Tile(level=level, index=before // WIDTH, width=width)


# Contents


def tile_bytes(tile: Tile, read: Read) -> bytes:
    """The bytes of a tile of hashes; `read` gives the hashes of complete subtrees. ValueError for a bundle."""
    if tile.level is None:
        message = f"{tile.path} is made of entries"
        raise ValueError(message)
    start = tile.index * WIDTH
    return b"".join(read(HEIGHT * tile.level, start + place) for place in range(tile.width))


def bundle_bytes(entries: Sequence[bytes]) -> bytes:
    """The bytes of 1 to 256 entries (else TamperError bundle-size) of 1 to 65,535 bytes each (else bundle-entry)."""
    if not 1 <= len(entries) <= WIDTH:
        raise TamperError(f"a bundle of {len(entries)} entries instead of 1 to {WIDTH}", code="bundle-size")
    for entry in entries:
        if not 1 <= len(entry) <= MAX_ENTRY:
            raise TamperError(f"an entry of {len(entry)} bytes instead of 1 to {MAX_ENTRY}", code="bundle-entry")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def parse_tile(data: bytes, width: int) -> tuple[bytes, ...]:
    """The hashes of a tile. Raises TamperError tile-size unless there are exactly `width`."""
    if len(data) != width * HASH_SIZE:
        what = f"a tile of {width} hashes has {width * HASH_SIZE} bytes, this one {len(data)}"
        raise TamperError(what, code="tile-size", why="it is cut short, or something was added")
    return tuple(data[start : start + HASH_SIZE] for start in range(0, len(data), HASH_SIZE))


def parse_bundle(data: bytes, width: int) -> tuple[bytes, ...]:
    """The entries of a bundle. Raises TamperError bundle-size unless exactly `width`, bundle-entry for an empty one."""
    entries, place = [], 0
    for number in range(width):
        start = place + 2
        stop = start + int.from_bytes(data[place:start], "big")
        if start > len(data) or stop > len(data):
            raise TamperError(f"the bundle ends within entry {number} of {width}", code="bundle-size")
        if start == stop:
            raise TamperError(f"entry {number} of the bundle is empty", code="bundle-entry")
        entries.append(data[start:stop])
        place = stop
    if place != len(data):
        what = f"the bundle has {len(data) - place} bytes after its {width} entries"
        raise TamperError(what, code="bundle-size")
    return tuple(entries)


# Reading a stranger's tiles


class TileReader:
    """The tree of `size` leaves under `root`, read through `fetch`; every tile is checked before it is used.

    Where a partial tile is gone, the beginning of the full one is taken: the log has grown since. Tiles are remembered,
    so one reader per checkpoint. `read` is what `merkle.inclusion` and `merkle.consistency` want.
    """

    __slots__ = ("_edge", "_fetch", "_full", "root", "size")

    CACHE: int = 1024
    """Full tiles that are remembered (8 KiB each)."""

    def __init__(self, size: int, root: bytes, fetch: Fetch) -> None:
        self.size = size
        self.root = root
        self._fetch = fetch
        self._edge: dict[int, tuple[bytes, ...]] | None = None
        self._full: dict[tuple[int, int], tuple[bytes, ...]] = {}

    def read(self, level: int, index: int) -> bytes:
        """The proven hash of a complete subtree. KeyError outside the tree.

        Raises TamperError tile-missing, tile-size, tile-root (the right edge), tile-mismatch (a full tile).
        """
        if not 0 <= index < self.size >> level:
            raise KeyError((level, index))
        height = level % HEIGHT
        number, place = divmod(index << height, WIDTH)
        return root_of(self._hashes(level // HEIGHT, number)[place : place + (1 << height)])

    def entries(self, number: int) -> tuple[bytes, ...]:
        """The proven entries of bundle `number`. KeyError outside the tree.

        Raises TamperError as `read` does, and bundle-size, bundle-entry, bundle-mismatch.
        """
        tile = self._tile(None, number)
        data, width = self._stored(tile)
        entries = parse_bundle(data, width)[: tile.width]
        hashes = self._hashes(0, number)
        for place, (entry, expected) in enumerate(zip(entries, hashes, strict=True)):
            if leaf_hash(entry) != expected:
                what = f"entry {number * WIDTH + place} in {tile.path} is not the one that the tree holds"
                raise TamperError(what, code="bundle-mismatch", why="entries and hash tiles disagree")
        return entries

    def _tile(self, level: int | None, number: int) -> Tile:
        width = min(WIDTH, (self.size >> HEIGHT * (level or 0)) - number * WIDTH)
        if number < 0 or width < 1:
            raise KeyError((level, number))
        return Tile(level=level, index=number, width=width)

    def _hashes(self, level: int, number: int) -> tuple[bytes, ...]:
        tile = self._tile(level, number)
        if tile.width < WIDTH:
            return self._right_edge()[level]
        if (level, number) not in self._full:
            hashes = self._load(tile)
            above = self.read(HEIGHT * (level + 1), number)
            if root_of(hashes) != above:
                what = f"{tile.path} hashes to {root_of(hashes).hex()}, the tile above holds {above.hex()}"
                raise TamperError(what, code="tile-mismatch", why="the tile was changed")
            if len(self._full) >= self.CACHE:
                self._full.clear()
            self._full[level, number] = hashes
        return self._full[level, number]

    def _right_edge(self) -> dict[int, tuple[bytes, ...]]:
        """The partial tiles of all levels: together they give the root, so together they are proven."""
        if self._edge is None:
            edge = {}
            for level in range(MAX_LEVEL + 1):
                number, width = divmod(self.size >> HEIGHT * level, WIDTH)
                if width:
                    edge[level] = self._load(Tile(level=level, index=number, width=width))
            self._check_edge(edge)
            self._edge = edge
        return self._edge

    def _check_edge(self, edge: dict[int, tuple[bytes, ...]]) -> None:
        def peak(level: int, index: int) -> bytes:
            height = level % HEIGHT
            place = (index << height) % WIDTH
            return root_of(edge[level // HEIGHT][place : place + (1 << height)])

        found = tree_root(self.size, peak)
        if found != self.root:
            what = f"the rightmost tiles give root {found.hex()}, the tree of {self.size} has {self.root.hex()}"
            raise TamperError(what, code="tile-root", why="a tile was changed, or belongs to another tree")

    def _load(self, tile: Tile) -> tuple[bytes, ...]:
        data, width = self._stored(tile)
        return parse_tile(data, width)[: tile.width]

    def _stored(self, tile: Tile) -> tuple[bytes, int]:
        data = self._fetch(tile.path)
        if data is not None:
            return data, tile.width
        full = Tile(level=tile.level, index=tile.index)
        data = self._fetch(full.path) if tile != full else None
        if data is None:
            raise TamperError(f"{tile.path} of the tree of {self.size} is missing", code="tile-missing")
        return data, WIDTH

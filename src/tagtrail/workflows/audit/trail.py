"""The trail of a site: roots followed, the tree proven from its tiles, every entry read, the past remembered.

Reason codes beside those of the formats and of `verify`: checkpoint-missing, root-differs, tile-differs, rolled-back,
other-log, split-view (what was remembered is no beginning of the log).
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field

from tagtrail.formats import entry as entry_format
from tagtrail.formats import merkle, note, policy, tiles
from tagtrail.formats.note import Checkpoint
from tagtrail.formats.policy import Checked, Policy
from tagtrail.formats.root import MAX_ROOT, Root
from tagtrail.formats.site import CHECKPOINT
from tagtrail.model.errors import TamperError
from tagtrail.model.facts import Entry
from tagtrail.model.frozen import frozen
from tagtrail.verify.proofs import TOLERANCE
from tagtrail.verify.roots import next_root, open_root, policy_of
from tagtrail.workflows.audit.report import Report
from tagtrail.workflows.audit.site import SiteReader, read, stated
from tagtrail.workflows.inventory import TILES

__all__ = ["TRAIL", "Remembered", "Trail", "check_remembered", "check_tiles", "follow_roots", "open_trail"]

TRAIL = CHECKPOINT.removesuffix("checkpoint")
MAX_BUNDLE = tiles.WIDTH * (tiles.MAX_ENTRY + 2)


Progress = Callable[[str, int, int, str], None]
"""`progress(what, done, total, unit)`; an empty unit means bytes."""


@frozen
class Remembered:
    """What an auditor saw before: a size, and the signed checkpoint of it (empty: only the size is known)."""

    size: int
    note: bytes = b""

    @property
    def checkpoint(self) -> Checkpoint | None:
        """What the note says. Raises TamperError note-*, checkpoint-*."""
        return note.parse_checkpoint(note.parse(self.note).text) if self.note else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """A tree that was proven, and all that it holds. `nodes` are the hashes of its complete subtrees, by level."""

    note: bytes
    checked: Checked
    raws: tuple[bytes, ...]
    entries: tuple[Entry, ...]
    nodes: tuple[tuple[bytes, ...], ...] = field(repr=False)

    @property
    def size(self) -> int:
        """Entries, by the checkpoint: `entries` has only those that could be read."""
        return len(self.raws)

    def node(self, level: int, index: int) -> bytes:
        """The hash of a complete subtree (`merkle.Read`)."""
        return self.nodes[level][index]


def follow_roots(site: SiteReader, trust: Root | Policy, report: Report) -> Root | Policy:
    """The newest root: those on the site count where the one before, and at first the auditor's own, signed them."""
    while isinstance(trust, Root):
        path = f"{TRAIL}{trust.version}.root.json"
        try:
            shown = read(site, path, 2 * MAX_ROOT)
            if shown is not None and open_root(shown) != trust:
                raise TamperError(f"it is not the root {trust.version} that you trust", code="root-differs")
            path = f"{TRAIL}{trust.version + 1}.root.json"
            data = read(site, path, 2 * MAX_ROOT)
            if data is None:
                break
            trust = next_root(trust, data, None)
        except TamperError as error:
            report.refused(path, error)
            break
    return trust


def open_trail(
    site: SiteReader, trust: Root | Policy, now: int, pool: Executor, report: Report, progress: Progress
) -> Trail:
    """The trail under the site's checkpoint, every tile and entry proven; what is no entry is reported.

    Raises TamperError checkpoint-missing, those of `policy.check`, tile-*, bundle-*; RemoteError.
    """
    signed = read(site, CHECKPOINT, note.MAX_SIZE)
    if signed is None:
        what = f"{CHECKPOINT} is missing"
        raise TamperError(what, code="checkpoint-missing", why="nothing says what the log holds")
    believed = policy_of(trust) if isinstance(trust, Root) else trust
    checked = policy.check(believed, signed, now + TOLERANCE)
    head = checked.checkpoint
    reader = tiles.TileReader(head.size, head.root, _fetched(site, head.size, pool, progress))
    raws = tuple(raw for n in range(-(-head.size // tiles.WIDTH)) for raw in reader.entries(n))
    return Trail(
        note=signed, checked=checked, raws=raws, entries=tuple(_parsed(raws, report)), nodes=tuple(_nodes(raws))
    )


def _fetched(site: SiteReader, size: int, pool: Executor, progress: Progress) -> Callable[[str], bytes | None]:
    """The tiles of a tree, fetched many at a time; a partial one that is gone is looked for as a full one."""
    paths, found = tuple(tiles.paths(size)), dict[str, bytes | None]()
    for path, data in zip(paths, pool.map(lambda path: read(site, TRAIL + path, MAX_BUNDLE), paths), strict=True):
        found[path] = data
        progress("trail", len(found), len(paths), "tiles")
    return lambda path: found[path] if path in found else read(site, TRAIL + path, MAX_BUNDLE)


def _parsed(raws: Iterable[bytes], report: Report) -> Iterator[Entry]:
    for index, raw in enumerate(raws):
        try:
            yield entry_format.parse(index, raw)
        except TamperError as error:
            report.refused(f"entry {index}", error)


def _nodes(raws: Iterable[bytes]) -> Iterator[tuple[bytes, ...]]:
    level = tuple(map(merkle.leaf_hash, raws))
    while level:
        yield level
        level = tuple(map(merkle.node_hash, level[0 : len(level) & ~1 : 2], level[1::2]))


def check_remembered(trail: Trail, before: Remembered, report: Report) -> bool:
    """Whether the trail grew out of what was remembered. Else the log showed one thing to us, and now another."""
    head = trail.checked.checkpoint
    old = before.checkpoint
    if old and old.origin != head.origin:
        report.found("other-log", CHECKPOINT, head.origin, f"{old.origin}, as was remembered")
    elif before.size > head.size:
        report.found("rolled-back", CHECKPOINT, f"{head.size} entries", f"{before.size} or more, as were seen before")
    elif old and (root := merkle.root(old.size, trail.node)) != old.root:
        there = f"the first {old.size} entries have root {root.hex()}"
        report.found("split-view", CHECKPOINT, there, f"{old.root.hex()}, as was seen before")
    else:
        return True
    return False


def check_tiles(site: SiteReader, trail: Trail, listed: Iterable[str], report: Report) -> None:
    """Every tile that lies there: those of this tree are proven by now, older partial ones must be beginnings."""
    for path in (path for path in listed if path.startswith(TILES)):
        try:
            tile = tiles.parse_tile_path(path.removeprefix(TRAIL))
            there = read(site, path, MAX_BUNDLE)
        except TamperError as error:
            report.refused(path, error)
            continue
        wanted = _tile(trail, tile)
        if wanted is None:
            report.left_out[path] = f"it is of a larger tree than the checkpoint's, of {trail.size}"
        elif there != wanted:
            report.found("tile-differs", path, stated(there or b""), stated(wanted))


def _tile(trail: Trail, tile: tiles.Tile) -> bytes | None:
    start = tile.index * tiles.WIDTH
    if start + tile.width > trail.size >> tiles.HEIGHT * (tile.level or 0):
        return None
    if tile.level is None:
        return tiles.bundle_bytes(trail.raws[start : start + tile.width])
    return tiles.tile_bytes(tile, trail.node)

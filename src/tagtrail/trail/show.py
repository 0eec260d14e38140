"""What the public sees of the trail: tiles first, then the checkpoint that needs them, and the proof of each entry."""

from tagtrail.formats import note, proof, tiles
from tagtrail.formats.merkle import inclusion
from tagtrail.formats.site import CHECKPOINT
from tagtrail.model.errors import RemoteError, TamperError
from tagtrail.model.facts import Entry
from tagtrail.ports import Committed, Journal, Reading, Store

__all__ = ["prove", "show"]

PREFIX = CHECKPOINT.removesuffix("checkpoint")
CURSOR = "shown"


def show(ledger: Reading, store: Store, journal: Journal) -> int:
    """Bring tiles and checkpoint up to the largest that met the witness policy; a smaller shown one is repaired.

    Returns its size; only what is committed can have met the policy.

    It looks again when it has written: of two at one time the slower one must not leave the smaller checkpoint.
    The cursor moves when all is public, so a failed push is pushed again. Raises RemoteError `upload-failed`.
    """
    size = 0
    while (head := ledger.cosigned()) and head.size > size:
        _bring_up(ledger, store, journal, head)
        size = head.size
    return size


def _bring_up(ledger: Reading, store: Store, journal: Journal, head: Committed) -> None:
    cursor = journal.cursor(CURSOR)
    shown = min(cursor, _shown_size(store))
    if shown < head.size or store.read(CHECKPOINT) != head.note.encode():
        _write_tiles(ledger, store, shown, head)
        store.write(CHECKPOINT, [head.note.encode()])
        store.push("checkpoint", [CHECKPOINT])
        for tile in tiles.obsolete(max(cursor, shown), head.size):
            store.remove(PREFIX + tile.path)
    journal.cursor(CURSOR, cursor, head.size)


def prove(ledger: Reading, entry: Entry) -> bytes:
    """The tlog-proof of an entry, under the first checkpoint that covers it and met the policy: always the same bytes.

    Raises RemoteError `quorum-unmet`: none has yet.
    """
    head = ledger.cosigned(covering=entry.index)
    if head is None:
        what = f"entry {entry.index} is not witnessed yet: it is signed, and nobody is shown it"
        raise RemoteError(what, code="quorum-unmet", hint="tagtrail resume")
    hashes = inclusion(entry.index, head.size, ledger.node)
    return proof.Proof(index=entry.index, hashes=hashes, checkpoint=head.note.encode(), extra=entry.raw).encode()


def _shown_size(store: Store) -> int:
    data = store.read(CHECKPOINT)
    try:
        return 0 if data is None else note.parse_checkpoint(note.parse(data).text).size
    except TamperError:
        return 0  # half a checkpoint shows nothing: everything is written again


def _write_tiles(ledger: Reading, store: Store, shown: int, head: Committed) -> None:
    paths = []
    for tile in tiles.grown(shown, head.size):
        paths.append(PREFIX + tile.path)
        store.write(paths[-1], [_tile(ledger, tile)])
    store.push("tiles", paths)


def _tile(ledger: Reading, tile: tiles.Tile) -> bytes:
    if tile.level is not None:
        return tiles.tile_bytes(tile, ledger.node)
    start = tile.index * tiles.WIDTH
    return tiles.bundle_bytes(ledger.raws(start, start + tile.width))

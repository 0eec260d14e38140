"""The suite of the port Kept: bytes by their digest, and no altered byte ever gets out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import sha256

from tagtrail.model.errors import TamperError
from tagtrail.model.facts import Blob
from tagtrail.ports import Kept
from tagtrail.testing import samples
from tagtrail.testing.suites.promise import equal, holds, race, race_processes, refusal

__all__ = ["CHECKS", "PROCESS_CHECKS", "Case"]

MEBIBYTE = 1024 * 1024
TEXT = "text/plain"
UNKNOWN = sha256(b"never kept").hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`open` gives a handle on one place; `alter(sha256, data)` changes the stored bytes behind its back (None: gone);
    `stored()` names what is stored, temporary things included."""

    open: Callable[[], Kept]
    alter: Callable[[str, bytes | None], None]
    stored: Callable[[], set[str]]


def what_is_put_is_read(case: Case) -> None:
    """Whatever the pieces: none, empty ones, many; by another handle as well."""
    for pieces in ((), (b"",), (b"one",), (b"o", b"", b"ne"), (b"\0\r\n\xff" * 999,)):
        data = b"".join(pieces)
        blob = case.open().put(iter(pieces), TEXT)
        equal(blob, samples.blob(data, TEXT), "the blob names the digest, the size and the media type")
        equal(case.open().read(blob.sha256), data, "the bytes come back")
        equal(b"".join(case.open().chunks(blob.sha256)), data, "also in pieces")


def putting_again_changes_nothing(case: Case) -> None:
    """Same bytes, same blob, one copy."""
    kept = case.open()
    first = kept.put([b"bytes"], TEXT)
    stored = case.stored()
    equal(kept.put([b"by", b"tes"], TEXT), first, "put is idempotent")
    equal(case.stored(), stored, "and makes no second copy")


def pieces_are_small(case: Case) -> None:
    """At most 1 MiB each, however large the bytes."""
    kept = case.open()
    data = b"0123456789abcdef" * (2 * MEBIBYTE // 16) + b"end"
    blob = kept.put([data], TEXT)
    pieces = list(kept.chunks(blob.sha256))
    equal(b"".join(pieces), data, "the pieces are the bytes")
    holds(max(map(len, pieces)) <= MEBIBYTE, "a piece has at most 1 MiB")


def a_blob_is_looked_up(case: Case) -> None:
    """With its size and the media type asked for, or None."""
    kept = case.open()
    kept.put([b"bytes"], TEXT)
    digest = sha256(b"bytes").hexdigest()
    equal(kept.blob(digest, "text/html"), Blob(sha256=digest, size=5, media="text/html"), "a blob is looked up")
    equal(kept.blob(UNKNOWN, TEXT), None, "what is not kept is None")


def what_is_not_kept_is_missing(case: Case) -> None:
    """`kept-missing`, before any byte."""
    kept = case.open()
    with refusal(TamperError, "kept-missing"):
        kept.read(UNKNOWN)
    with refusal(TamperError, "kept-missing"):
        list(kept.chunks(UNKNOWN))
    blob = kept.put([b"bytes"], TEXT)
    case.alter(blob.sha256, None)
    with refusal(TamperError, "kept-missing"):
        kept.read(blob.sha256)
    equal(kept.blob(blob.sha256, TEXT), None, "what is gone is None")


def altered_bytes_never_get_out(case: Case) -> None:
    """A flipped byte, a truncation, an appended byte, another blob's bytes: `kept-altered` by both exits."""
    data = bytes(range(256)) * 5000
    for wrong in (b"\x01" + data[1:], data[:-1], data[: len(data) // 2], b"", data + b"\0", b"another"):
        kept = case.open()
        blob = kept.put([data], TEXT)
        case.alter(blob.sha256, wrong)
        with refusal(TamperError, "kept-altered"):
            kept.read(blob.sha256)
        with refusal(TamperError, "kept-altered"):
            list(kept.chunks(blob.sha256))


def putting_heals(case: Case) -> None:
    """Good bytes put again take the place of altered ones: put promises that they are kept when it returns."""
    for wrong in (b"bytez", b"", None):
        blob = case.open().put([b"bytes"], TEXT)
        case.alter(blob.sha256, wrong)
        case.open().put([b"bytes"], TEXT)
        equal(case.open().read(blob.sha256), b"bytes", "bytes that were put are kept")


def a_source_that_fails_leaves_nothing(case: Case) -> None:
    """The exception goes to the caller; nothing half stays, under whatever name."""
    kept = case.open()
    before = case.stored()
    try:
        kept.put(_breaks(), TEXT)
    except OSError as error:
        equal(str(error), "the wire was cut", "the caller sees the exception itself")
    equal(case.stored(), before, "nothing half is left")
    equal(kept.blob(sha256(b"half of it").hexdigest(), TEXT), None, "and nothing half is kept")


def many_are_put_at_once(case: Case) -> None:
    """As if one after the other, in that order; the same twice, and what was kept before, are no exception."""
    kept = case.open()
    kept.put([b"before"], TEXT)
    bodies = (b"one", b"", b"before", b"one", b"two" * MEBIBYTE)
    blobs = kept.put_all((iter([data]), TEXT) for data in bodies)
    equal(blobs, tuple(samples.blob(data, TEXT) for data in bodies), "each body has its blob")
    for blob, data in zip(blobs, bodies, strict=True):
        equal(case.open().read(blob.sha256), data, "the bytes come back")
    equal(len(case.stored()), 4, "one copy of each")
    equal(kept.put_all(()), (), "nothing is nothing")


def one_that_fails_keeps_none(case: Case) -> None:
    """Of those that were to be put with it, wherever it stands among them."""
    kept = case.open()
    before = case.stored()
    for bodies in (([b"one"], _breaks()), (_breaks(), [b"one"])):
        try:
            kept.put_all((body, TEXT) for body in bodies)
        except OSError as error:
            equal(str(error), "the wire was cut", "the caller sees the exception itself")
        equal(case.stored(), before, "nothing is left")


def _breaks() -> Iterator[bytes]:
    yield b"half of it"
    raise OSError("the wire was cut")


def many_keep_the_same(case: Case) -> None:
    """Threads that put the same bytes and different ones: all are kept, whole."""
    race(*(partial(_put, case.open, n) for n in range(6)))
    for n in range(6):
        equal(case.open().read(sha256(_data(n)).hexdigest()), _data(n), "the bytes of every thread are kept")
    equal(len(case.stored()), 3, "one copy of each")


def processes_keep_the_same(case: Case) -> None:
    """The same for processes."""
    race_processes(*(partial(_put, case.open, n) for n in (0, 3)))
    equal(case.open().read(sha256(_data(0)).hexdigest()), _data(0), "the bytes of both are kept")
    equal(len(case.stored()), 1, "one copy")


def _put(open_: Callable[[], Kept], n: int) -> Blob:
    return open_().put([_data(n)] * 1, TEXT)


def _data(n: int) -> bytes:
    return bytes([n % 3]) * 300_000


CHECKS: tuple[Callable[[Case], None], ...] = (
    what_is_put_is_read,
    putting_again_changes_nothing,
    pieces_are_small,
    a_blob_is_looked_up,
    what_is_not_kept_is_missing,
    altered_bytes_never_get_out,
    putting_heals,
    a_source_that_fails_leaves_nothing,
    many_are_put_at_once,
    one_that_fails_keeps_none,
    many_keep_the_same,
)
PROCESS_CHECKS: tuple[Callable[[Case], None], ...] = (processes_keep_the_same,)

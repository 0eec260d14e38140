"""The suite of the port Store: files by path, each whole or not at all, listed in one order everywhere."""

from collections.abc import Callable, Iterator
from functools import partial

from tagtrail.ports import Store
from tagtrail.testing.suites.promise import equal, holds, race, race_processes

__all__ = ["CHECKS", "PROCESS_CHECKS", "Open"]

Open = Callable[[], Store]

PATHS = (
    "index.html",
    "nova/33.0.0/index.html",
    "nova/nova-33.0.0.tar.gz",
    "nova/nova-33.0.0.tar.gz.asc",
    "nova-x/index.html",
    "nova.x/index.html",
    "nova_x/index.html",
    "trail/tile/0/x001/234.p/56",
    "trail/tile/0/x001/234",
    "trail/checkpoint",
    "trailer/index.html",
    "Zun/index.html",
    "oslo+~1/a b",
)
"""Names that directories sort otherwise than strings do."""


def what_is_written_is_read(open_: Open) -> None:
    """Bytes as they are, by another handle as well; None where nothing is, also at a directory's name."""
    store = open_()
    equal(store.read("nova/index.html"), None, "where nothing is, there is None")
    for data in (b"", b"\0\r\n\xff", b"long" * 100_000):
        store.write("nova/index.html", [data[:1], b"", data[1:]])
        equal(open_().read("nova/index.html"), data, "the bytes come back")
    equal(store.read("nova"), None, "a directory is nothing to read")
    equal(store.read("nova/index.html/more"), None, "and nothing is below a file")


def writing_replaces(open_: Open) -> None:
    """The last one stands, alone."""
    store = open_()
    for data in (b"first, and longer", b"second", b"third"):
        store.write("a/b", iter([data]))
    equal((store.read("a/b"), list(store.paths())), (b"third", ["a/b"]), "writing replaces")


def paths_are_sorted(open_: Open) -> None:
    """As strings; of a prefix that ends in `/`, what is below that directory alone."""
    store = open_()
    for path in reversed(PATHS):
        store.write(path, [path.encode()])
    equal(list(store.paths()), sorted(PATHS), "every path, sorted as strings")
    for prefix in ("trail/", "nova/", "trail/tile/0/x001/", "nothing/"):
        equal(list(store.paths(prefix)), sorted(p for p in PATHS if p.startswith(prefix)), f"paths below {prefix}")
    equal([store.read(path) for path in PATHS], [path.encode() for path in PATHS], "all are there")


def a_new_store_is_empty(open_: Open) -> None:
    """No paths, and nothing to read."""
    equal((list(open_().paths()), open_().read("index.html")), ([], None), "a new store is empty")


def removing_is_quiet(open_: Open) -> None:
    """Gone, also if it was not there; nothing else goes."""
    store = open_()
    for path in ("nova/a", "nova/b", "nova-x/a"):
        store.write(path, [b"data"])
    for path in ("nova/a", "nova/a", "never/there", "nova-x/a"):
        store.remove(path)
    equal((list(store.paths()), store.read("nova/a")), (["nova/b"], None), "what was removed is gone, the rest is not")
    store.write("nova-x/a", [b"again"])
    equal(store.read("nova-x/a"), b"again", "and can come back")


def a_source_that_fails_changes_nothing(open_: Open) -> None:
    """The exception goes to the caller; the old bytes stand; where there were none, there are none."""

    def breaks() -> Iterator[bytes]:
        yield b"half of it"
        raise OSError("the wire was cut")

    store = open_()
    store.write("old", [b"old"])
    for path in ("old", "new/index.html"):
        try:
            store.write(path, breaks())
        except OSError as error:
            equal(str(error), "the wire was cut", "the caller sees the exception itself")
    found = (store.read("old"), store.read("new/index.html"), list(store.paths()))
    equal(found, (b"old", None, ["old"]), "a write that fails changes nothing")


def a_reader_never_sees_a_part(open_: Open) -> None:
    """While the pieces come, the old bytes stand and no other path is listed."""
    store, other = open_(), open_()
    store.write("a/b", [b"old"])
    seen: list[object] = []

    def watched() -> Iterator[bytes]:
        for _ in range(3):
            yield b"new" * 50_000
            seen.append((other.read("a/b"), list(other.paths())))

    store.write("a/b", watched())
    equal(seen, [(b"old", ["a/b"])] * 3, "a reader sees the old bytes until the new ones are whole")
    equal(other.read("a/b"), b"new" * 150_000, "and then these")


def writers_do_not_mix(open_: Open) -> None:
    """Threads that write one path and neighbours of it: one of them stands, whole."""
    race(*(partial(_write, open_, n) for n in range(6)))
    _look(open_, 6)


def removing_does_not_hinder_writers(open_: Open) -> None:
    """Threads that write and remove neighbours: an empty directory that goes must not take a new file's place away."""
    race(*(partial(_come_and_go, open_, n) for n in range(4)))
    equal(list(open_().paths()), [f"a/p/{n}" for n in range(4)], "what was written last is there")


def pushing_is_quiet(open_: Open) -> None:
    """Every phase, any number of paths, again and again."""
    store = open_()
    store.write("a", [b"a"])
    for phase in ("tiles", "checkpoint", "files", "pages"):
        for paths in (("a",), ("a",), ()):
            store.push(phase, paths)
    equal((list(store.paths()), store.read("a")), (["a"], b"a"), "a push changes nothing here")


def processes_do_not_mix(open_: Open) -> None:
    """The same for processes."""
    race_processes(*(partial(_write, open_, n) for n in range(2)))
    _look(open_, 2)


def _come_and_go(open_: Open, n: int) -> None:
    store = open_()
    for _ in range(60):
        store.write(f"a/p/{n}", [b"data"])
        store.remove(f"a/p/{n}")
    store.write(f"a/p/{n}", [b"data"])


def _write(open_: Open, n: int) -> None:
    for _ in range(3):
        open_().write("a/shared", [bytes([n]) * 1000] * 20)
        open_().write(f"a/own-{n}", [bytes([n])])


def _look(open_: Open, writers: int) -> None:
    shared = open_().read("a/shared") or b""
    holds(len(shared) == 20_000 and len(set(shared)) == 1, "one writer's bytes stand, whole")
    equal(list(open_().paths("a/")), [*(f"a/own-{n}" for n in range(writers)), "a/shared"], "and everybody's own")


CHECKS: tuple[Callable[[Open], None], ...] = (
    what_is_written_is_read,
    writing_replaces,
    paths_are_sorted,
    a_new_store_is_empty,
    removing_is_quiet,
    a_source_that_fails_changes_nothing,
    a_reader_never_sees_a_part,
    writers_do_not_mix,
    removing_does_not_hinder_writers,
    pushing_is_quiet,
)
PROCESS_CHECKS: tuple[Callable[[Open], None], ...] = (processes_do_not_mix,)

"""A bucket as the site's root: the suite of the port, faults of the wire, and what it must never do."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tagtrail.adapters.objectstore.bucket import Bucket
from tagtrail.adapters.objectstore.store import ObjectStore
from tagtrail.formats.served import headers
from tagtrail.model.errors import RemoteError, SetupError
from tagtrail.testing.suites import store as suite
from tagtrail.testing.suites.promise import refusal
from tests.storage.bucket import Peer, serving


@pytest.fixture
def peer() -> Iterator[Peer]:
    with serving() as found:
        yield found


@pytest.fixture
def store(peer: Peer, tmp_path: Path) -> ObjectStore:
    return ObjectStore(peer.bucket(), spool=tmp_path)


@pytest.mark.parametrize("check", suite.CHECKS)
def test_store(check: Callable[[suite.Open], None], peer: Peer, tmp_path: Path) -> None:
    check(lambda: ObjectStore(peer.bucket(), spool=tmp_path))


def test_objects_lie_below_the_prefix_with_their_headers(store: ObjectStore, peer: Peer) -> None:
    for path in ("nova/nova-1.0.tar.gz", "nova/index.html", "trail/checkpoint"):
        store.write(path, [b"x"])
        assert peer.headers[f"pre/{path}"] == {name.lower(): value for name, value in headers(path).items()}
    assert sorted(peer.objects) == ["pre/nova/index.html", "pre/nova/nova-1.0.tar.gz", "pre/trail/checkpoint"]


def test_what_lies_beside_the_prefix_is_not_ours(store: ObjectStore, peer: Peer) -> None:
    for key in ("pre", "prefix/a", "other/a", "pre-x/a"):
        peer.objects[key], peer.headers[key] = b"theirs", {}
    store.write("a", [b"ours"])
    assert list(store.paths()) == ["a"]
    assert store.read("b") is None


def test_thousands_are_listed(store: ObjectStore, peer: Peer) -> None:
    paths = [f"p{n % 7}/f{n:05}" for n in range(3_500)]
    peer.objects |= {f"pre/{path}": b"" for path in paths}
    assert list(store.paths()) == sorted(paths)
    assert list(store.paths("p3/")) == sorted(path for path in paths if path.startswith("p3/"))
    assert list(store.paths("p3/f0000")) == ["p3/f00003"]
    assert len([one for one in peer.asked if one[0] == "LIST"]) == 4 + 1 + 1


def test_no_request_is_conditional(store: ObjectStore, peer: Peer) -> None:
    peer.fault("PUT", 0, "after drop")  # a client that would ask `only if it is new` meets its own object
    with refusal(RemoteError, "bucket-unreachable"):
        store.write("a", [b"x"])
    peer.faults.clear()
    store.write("a", [b"x"])
    assert peer.objects["pre/a"] == b"x"


# --- the wire ---

FAULTS = ("before 500", "after 500", "before 503", "after 503", "before drop", "after drop")
USES: dict[str, Callable[[ObjectStore], object]] = {
    "PUT": lambda store: store.write("a", [b"new"]),
    "GET": lambda store: store.read("a"),
    "LIST": lambda store: list(store.paths()),
    "DELETE": lambda store: store.remove("a"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("method", USES)
def test_a_fault_that_lasts_is_said_and_passes(method: str, fault: str, store: ObjectStore, peer: Peer) -> None:
    store.write("a", [b"old"])
    peer.fault(method, 0, fault)
    with refusal(RemoteError, "bucket-unreachable"):
        USES[method](store)
    peer.faults.clear()
    assert peer.objects.get("pre/a") in {"PUT": (b"old", b"new"), "DELETE": (b"old", None)}.get(method, (b"old",))
    USES[method](store)
    assert store.read("a") == {"PUT": b"new", "DELETE": None}.get(method, b"old")


@pytest.mark.parametrize("fault", ["before 500", "after 500", "before 503"])
@pytest.mark.parametrize("method", USES)
def test_a_server_that_stumbles_once_is_asked_again(method: str, fault: str, store: ObjectStore, peer: Peer) -> None:
    store.write("a", [b"old"])
    peer.fault(method, 1, fault)
    USES[method](store)
    assert store.read("a") == {"PUT": b"new", "DELETE": None}.get(method, b"old")


def test_silence_is_given_up(peer: Peer, tmp_path: Path) -> None:
    store = ObjectStore(peer.bucket(patience=0.2), spool=tmp_path)
    peer.fault("PUT", 0, "before silence")
    with refusal(RemoteError, "bucket-unreachable"):
        store.write("a", [b"x"])
    peer.faults.clear()
    store.write("a", [b"x"])


def test_nobody_there(tmp_path: Path) -> None:
    bucket = Bucket(name="rel", endpoint="http://127.0.0.1:1", credentials=lambda: ("a", "b"), attempts=1, patience=1)
    with pytest.raises(RemoteError) as caught:
        ObjectStore(bucket, spool=tmp_path).read("trail/checkpoint")
    assert caught.value.code == "bucket-unreachable"
    assert "Debug" not in caught.value.why
    assert caught.value.hint == "tagtrail resume, when the storage answers again"


# --- what a person must mend ---


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_no_such_bucket(use: Callable[[ObjectStore], object], peer: Peer, tmp_path: Path) -> None:
    with refusal(SetupError, "bucket-missing"):
        use(ObjectStore(peer.bucket(name="other"), spool=tmp_path))


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_key_that_may_not(use: Callable[[ObjectStore], object], peer: Peer, tmp_path: Path) -> None:
    with pytest.raises(SetupError) as caught:
        use(ObjectStore(peer.bucket(credentials=lambda: ("stranger", "hidden")), spool=tmp_path))
    assert caught.value.code == "bucket-denied"
    assert "hidden" not in caught.value.why


def test_credentials_are_looked_up_when_they_are_needed(peer: Peer, tmp_path: Path) -> None:
    def missing() -> tuple[str, str]:
        raise SetupError("the environment has no KEY", code="secret-missing")

    store = ObjectStore(peer.bucket(credentials=missing), spool=tmp_path)
    with refusal(SetupError, "secret-missing"):
        store.read("a")


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../x", "a/../x", "a//b", "./a", "a/.", "a\0b"])
def test_paths_stay_below_the_prefix(path: str, store: ObjectStore, peer: Peer) -> None:
    for use in (lambda: store.write(path, [b"x"]), lambda: store.read(path), lambda: store.remove(path)):
        with refusal(SetupError, "site-path"):
            use()
    assert peer.asked == []


# --- a push reads back ---


def test_a_push_reads_back_what_was_written(store: ObjectStore, peer: Peer) -> None:
    for path in ("a", "b"):
        store.write(path, [path.encode()])
    peer.asked.clear()
    store.push("files", ["a", "b", "never-written-here"])
    assert sorted(peer.asked) == [("GET", "pre/a"), ("GET", "pre/b")]
    store.push("files", ["a", "b"])
    assert len(peer.asked) == 2


@pytest.mark.parametrize("there", [b"theirs", None])
def test_other_bytes_are_not_called_public(store: ObjectStore, peer: Peer, there: bytes | None) -> None:
    for path in ("a", "b"):
        store.write(path, [path.encode()])
    peer.objects.pop("pre/b")
    if there is not None:
        peer.objects["pre/b"] = there
    for _ in range(2):
        with refusal(RemoteError, "upload-failed"):
            store.push("tiles", ["a", "b"])
    store.write("b", [b"b"])
    store.push("tiles", ["a", "b"])


# --- large ones ---


def test_a_large_source_waits_on_this_disk_and_leaves_nothing(peer: Peer, tmp_path: Path) -> None:
    def breaks() -> Iterator[bytes]:
        yield b"x" * 4_000
        assert list(tmp_path.iterdir()) == []  # it has no name there
        raise OSError("the wire was cut")

    store = ObjectStore(peer.bucket(), spool=tmp_path, part=1_000)
    with pytest.raises(OSError, match="the wire was cut"):
        store.write("a", breaks())
    assert peer.asked == []
    assert list(tmp_path.iterdir()) == []

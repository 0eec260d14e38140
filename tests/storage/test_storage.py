"""A site in a bucket of real object storage: the suite of the port, and whole commands; a directory's very bytes."""

import shutil
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from tagtrail.adapters.objectstore.bucket import Bucket
from tagtrail.adapters.objectstore.store import ObjectStore
from tagtrail.formats.served import headers
from tagtrail.model.errors import SetupError
from tagtrail.testing.suites import store as suite
from tagtrail.testing.suites.promise import refusal
from tests.app.world import World
from tests.storage.bucket import serving
from tests.storage.peers import Storage, moto, swift

pytestmark = pytest.mark.client

HEAVY = {suite.removing_does_not_hinder_writers}
"""Hundreds of objects: one peer is enough."""


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    with moto(tmp_path_factory.mktemp("moto")) as storage:
        yield storage


@pytest.fixture(scope="module")
def openstack() -> Iterator[Storage]:
    with swift() as storage:
        yield storage


@pytest.fixture(params=["aws", "openstack"])
def storage(request: pytest.FixtureRequest) -> Storage:
    found: Storage = request.getfixturevalue(request.param)
    return found


def named(request: pytest.FixtureRequest) -> str:
    """A bucket of a test's own."""
    return f"t{sha256(request.node.nodeid.encode()).hexdigest()[:12]}"


def opened(bucket: Bucket, spool: Path) -> ObjectStore:
    return ObjectStore(bucket, spool=spool)


@pytest.mark.parametrize("check", suite.CHECKS)
def test_store(check: Callable[[suite.Open], None], storage: Storage, request, tmp_path: Path) -> None:
    if check in HEAVY and storage.public:
        pytest.skip("hundreds of objects: moto has had them")
    check(partial(opened, storage.make(named(request)), tmp_path))


@pytest.mark.parametrize("check", suite.PROCESS_CHECKS)
def test_store_between_processes(check: Callable[[suite.Open], None], storage: Storage, request, tmp_path) -> None:
    check(partial(opened, storage.make(named(request)), tmp_path))


def test_what_is_sent_in_parts(storage: Storage, request, tmp_path: Path) -> None:
    store = ObjectStore(storage.make(named(request)), spool=tmp_path, part=1024 * 1024)
    block = bytes(range(256)) * 4096
    store.write("toy/toy-1.0.tar.gz", (block for _ in range(11)))
    store.push("files", ["toy/toy-1.0.tar.gz"])
    assert store.read("toy/toy-1.0.tar.gz") == block * 11
    assert list(store.paths()) == ["toy/toy-1.0.tar.gz"]
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_secret(openstack: Storage, request, tmp_path: Path) -> None:
    bucket = openstack.make(named(request))
    other = Bucket(name=bucket.name, endpoint=bucket.endpoint, credentials=lambda: (openstack.key, "wrong"))
    with refusal(SetupError, "bucket-denied"):
        ObjectStore(other, spool=tmp_path).read("trail/checkpoint")


def test_everybody_gets_the_headers(openstack: Storage, request, tmp_path: Path) -> None:
    bucket = openstack.make(named(request))
    store, public = ObjectStore(bucket, spool=tmp_path), f"{openstack.public}/{bucket.name}/{bucket.prefix}/"
    paths = ("toy/index.html", "toy/toy-1!2.0+x~1.tar.gz", "toy/toy.tlog-proof", "trail/tile/0/000", "trail/checkpoint")
    for path in paths:
        store.write(path, [path.encode()])
        answer = httpx.get(public + path)
        assert (answer.status_code, answer.text) == (200, path)
        said = {name: answer.headers[name] for name in headers("a/a.bin") if name in answer.headers}
        assert said == headers(path)
        assert "X-Content-Type-Options" not in answer.headers, "docs/hosting.md says that a CDN adds it"
    assert httpx.get(f"{public}toy/").text == "toy/index.html"


# --- whole commands ---


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> World:
    """An instance with a release, its site in a directory."""
    world = World(tmp_path_factory.mktemp("world")).make()
    world.tag("1.0")
    assert world.tell("release", "toy", "1.0").code == 0
    return world


def moved(world: World, root: Path, bucket: Bucket) -> World:
    """The same instance, its site to be in a bucket; nothing is there yet, and the journal knows of no site at all."""
    shutil.copytree(world.root, root, symlinks=True)
    other = World.__new__(World)
    other.root = root
    (root / "person").rename(root / "person-before")
    other.__post_init__()
    shutil.rmtree(root / "home" / "site")
    place = f'root = "{bucket.shown}"\nendpoint = "{bucket.endpoint}"'
    said = f'{place}\naccess-key = "env:KEY"\nsecret-key = "env:SECRET"'
    settings = other.home / "tagtrail.toml"
    text = settings.read_text().replace(str(world.root), str(root))
    assert text.count('root = "site"') == 1
    settings.write_text(text.replace('root = "site"', said))
    key, secret = bucket.credentials() if bucket.credentials else ("", "")
    other.env |= {"KEY": key, "SECRET": secret}
    other.lose_journal()
    return other


def stored(bucket: Bucket, spool: Path) -> dict[str, bytes | None]:
    store = ObjectStore(bucket, spool=spool)
    return {path: store.read(path) for path in store.paths()}


def test_a_bucket_holds_the_very_bytes_of_a_directory(storage: Storage, released: World, request, tmp_path) -> None:
    bucket = storage.make(named(request))
    world = moved(released, tmp_path / "w", bucket)
    assert world.tell("release", "toy", "1.0").code == 0
    assert stored(bucket, tmp_path) == released.snapshot("site")


def test_every_command_that_reads_the_site(aws: Storage, released: World, request, tmp_path: Path) -> None:
    bucket = aws.make(named(request))
    world = moved(released, tmp_path / "w", bucket)
    assert world.tell("release", "toy", "1.0").event("outcome")["exit"] == 0
    for words in (["status"], ["render", "--check"], ["render"], ["audit"], ["resume"]):
        ended = world.tell(*words)
        assert (words, ended.code, ended.err) == (words, 0, "")
    alone = tmp_path / "toy-1.0-py3-none-any.whl"
    alone.write_bytes((released.site / "toy" / alone.name).read_bytes())
    assert world.tell("verify", str(alone)).code == 7
    assert world.tell("verify", "--fetch", str(alone)).code == 0
    store = ObjectStore(bucket, spool=tmp_path)
    store.write("toy/toy-1.0-py3-none-any.whl", [b"other bytes"])
    store.write("toy/index.html", [b"other page"])
    store.write("toy/unknown.zip", [b"unknown"])
    assert world.tell("audit").code == 7
    assert world.tell("render", "--check").code == 7
    assert world.tell("render").code == 0


def test_a_second_release_and_a_directory_again(aws: Storage, released: World, request, tmp_path: Path) -> None:
    bucket = aws.make(named(request))
    world = moved(released, tmp_path / "w", bucket)
    world.git("commit", "-q", "--allow-empty", "-m", "more")
    world.tag("1.1")
    assert world.tell("release", "toy", "1.1").code == 0
    assert world.tell("render", "--check").code == 0
    found = stored(bucket, tmp_path)
    assert {"toy/1.0/index.html", "toy/1.1/index.html", "toy/toy-1.1.tar.gz"} <= found.keys()


# --- what breaks between two writes ---


@pytest.mark.parametrize("number", [1, 2, 3, 6, 12, 20, 30])
def test_a_release_that_is_cut_off_is_carried_on(number: int, released: World, tmp_path: Path) -> None:
    with serving() as peer:
        bucket = peer.bucket(prefix="site")
        world = moved(released, tmp_path / "w", bucket)
        peer.fault("PUT", number, "after drop")
        for _ in range(3):  # a reply that is lost, then a storage that is down for good
            peer.fault("PUT", number + 4, "before 503")
        first = world.tell("release", "toy", "1.0").code
        peer.faults.clear()
        ordered(peer.asked)
        assert first in (0, 5)
        for _ in range(2):
            world.tell("resume")
        assert world.tell("release", "toy", "1.0").code == 0
        assert stored(bucket, tmp_path) == released.snapshot("site")
        ordered(peer.asked)


def ordered(asked: list[tuple[str, str]]) -> None:
    """No checkpoint before its tiles, no page that names a file before the file."""
    first: dict[str, int] = {}
    for place, (method, key) in enumerate(asked):
        if method == "PUT":
            first.setdefault(key.removeprefix("site/"), place)
    checkpoint = first.get("trail/checkpoint", len(asked))
    assert all(at < checkpoint for path, at in first.items() if path.startswith("trail/tile/"))
    files = [at for path, at in first.items() if path.startswith("toy/toy-1.0")]
    pages = [at for path, at in first.items() if path.endswith(("index.html", "index.json", ".atom"))]
    assert len(files) == FILES if pages else len(files) <= FILES
    assert max([checkpoint, *files]) < min(pages, default=len(asked) + 1)


FILES = 15
"""What a release of toy puts beside its pages."""

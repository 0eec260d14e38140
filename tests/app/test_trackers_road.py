"""A whole release to a command, to a stub of GitHub, and to a type of target that another package brings."""

import threading
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.adapters.strict_index import Index, served
from tests.adapters.trackers.github_stub import TOKEN, GitHubStub
from tests.app.world import World

pytestmark = pytest.mark.client

SHELF = '''
"""A target of another package: files on a shelf, with nothing but the standard library and the ports."""
from hashlib import sha256
from pathlib import Path
from tagtrail.model.facts import Effect, Receipt, Survey
from tagtrail.ports import Conflict

class Shelf:
    retry, lag = "keyed", 0

    def __init__(self, name, options, given):
        self.name, self.root, self.given = name, Path(options["root"]), given

    def survey(self, project):
        files = sorted(self.root.glob("*")) if self.root.is_dir() else []
        return Survey(target=self.name, files=tuple((f.name, sha256(f.read_bytes()).hexdigest()) for f in files))

    def plan(self, logged, notice):
        blobs = {one.name: one.blob for one in logged.blobs}
        index = logged.entry.index
        return tuple(
            Effect(target=self.name, key=f"{index}/{f.name}", entry=index, path=f.name, blob=blobs[f.name])
            for f in logged.entry.files if f.name in blobs
        )

    def find(self, effect):
        path = self.root / effect.path
        return Receipt(where=str(path), sha256=sha256(path.read_bytes()).hexdigest()) if path.is_file() else None

    def apply(self, effect):
        found = self.find(effect)
        if found and found.sha256 != effect.blob.sha256:
            raise Conflict("other bytes")
        data = self.given.kept.read(effect.blob.sha256)
        self.root.mkdir(exist_ok=True)
        (self.root / effect.path).write_bytes(data)
        return Receipt(where=str(self.root / effect.path), sha256=effect.blob.sha256)
'''
UPLOAD = '#!/bin/sh\ncp "$1" "$2" "$OUT/"\n'
LOOK = '#!/bin/sh\n[ -e "$OUT/$1" ] || exit 1\nsha256sum "$OUT/$1" | cut -c1-64\n'


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def package(root: Path, name: str, code: str = SHELF, value: str = "") -> Path:
    """An installed distribution that brings the type `shelf`."""
    module = name.replace("-", "_")
    info = root / f"{module}-0.1.dist-info"
    info.mkdir(parents=True)
    (root / f"{module}.py").write_text(code)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text(f"[tagtrail.targets]\nshelf = {value or f'{module}:Shelf'}\n")
    return root


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """An instance whose site is served, and whose projects publish to `places` too."""
    world = World(tmp_path)
    handler = partial(Quiet, directory=str(world.site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        world.make("--origin", "example.org/trail")
        settings = world.home / "tagtrail.toml"
        url = f'root = "site"\nurl  = "http://127.0.0.1:{server.server_address[1]}/"'
        settings.write_text(settings.read_text().replace('root = "site"', url, 1))
        yield world
        server.shutdown()


def publish(world: World, name: str, table: str) -> None:
    settings = world.home / "tagtrail.toml"
    text = settings.read_text().replace('publish = ["site"', f'publish = ["site", "{name}"')
    settings.write_text(f"{text}\n[targets.{name}]\n{table}\n")


def files(world: World) -> dict[str, str]:
    (entry,) = [leaf for leaf in world.leaves() if leaf["predicate"]["tagtrail"]["event"] == "release"]
    return {s["name"]: s["digest"]["sha256"] for s in entry["subject"]}


def test_everywhere_with_the_same_bytes(world: World) -> None:
    out, shelf = world.root / "out", world.root / "shelf"
    out.mkdir()
    for name, text in {"upload": UPLOAD, "look": LOOK}.items():
        (world.home / name).write_text(text)
        (world.home / name).chmod(0o755)
    world.tag("1.0")
    lines = 'apply = ["./upload", "{file}", "{signature}"]\nfind = ["./look", "{name}"]'
    references = 'env = { OUT = "env:OUT" }'
    with GitHubStub({"1.0": world.git("rev-parse", "refs/tags/1.0")}) as stub:
        publish(world, "tarballs", f'type = "command"\n{lines}\n{references}')
        publish(
            world, "forge", f'type = "github"\nrepository = "example/nova"\ntoken = "env:FORGE"\napi = "{stub.url}"'
        )
        publish(world, "shelf", f'type = "shelf"\nroot = "{shelf}"')
        world.env |= {
            "OUT": str(out),
            "FORGE": TOKEN,
            "PYTHONPATH": str(package(world.root / "packages", "example-shelf")),
        }
        stub.fault("500 before", "POST /repos/example/nova/releases")
        first = world.tell("release", "toy", "1.0")
        assert first.code == 5, first.out + first.err
        world.lose_journal()
        second = world.tell("release", "toy", "1.0")
        assert second.code == 0, second.out + second.err
        wanted = files(world)
        assert {p.name: sha256(p.read_bytes()).hexdigest() for p in shelf.iterdir()} == wanted
        assert {p.name for p in out.iterdir()} == {*wanted, *(f"{name}.asc" for name in wanted)}
        (release,) = stub.state["releases"].values()
        there = {a["name"]: sha256(a["data"]).hexdigest() for a in release["assets"]}
        assert {name: there[name] for name in wanted} == wanted
        assert not release["draft"]
        assert world.tell("release", "toy", "1.0").code == 0
        assert TOKEN not in first.out + first.err + second.out + second.err


def places(world: World, code: int) -> tuple[dict[str, list[str]], str]:
    """What `audit --places` says: the rows that are not as they should be, and its last line."""
    done = world.tell("audit", "--places")
    assert done.code == code, done.out + done.err
    assert ("by hand" in done.event("outcome")["next"]) is (code == 7), "nothing but marks is wrong here"
    rows = {row["name"]: row["cells"] for row in done.event("compared")["rows"]}
    return rows, done.event("outcome")["text"].splitlines()[-1]


def everywhere(world: World, stub: GitHubStub, index: Index) -> None:
    """Released to the site, a command that is told the page alone, an index and a tracker."""
    words = 'files = false\nfind = ["./there", "{url}"]\napply = ["touch", "told"]\n'
    marks = 'withdraw = ["touch", "marked"]\nwithdrawn = ["test", "-e", "marked"]'
    (world.home / "there").write_text('#!/bin/sh\n[ -e told ] && printf %s "$1" | sha256sum | cut -c1-64 || exit 1\n')
    (world.home / "there").chmod(0o755)
    forge = f'type = "github"\nrepository = "example/nova"\ntoken = "env:FORGE"\napi = "{stub.url}"'
    publish(world, "forge", forge)
    publish(world, "index", f'type = "index"\nupload = "{index.upload}"')
    publish(world, "note", f'type = "command"\n{words}{marks}')
    world.env["FORGE"] = TOKEN
    world.tell("release", "toy", "1.0")
    assert world.tell("release", "toy", "1.0").code == 0
    assert places(world, 0)[0] == {}


def test_a_withdrawn_version_is_marked_or_it_is_said(world: World) -> None:
    world.tag("1.0")
    with GitHubStub({"1.0": world.git("rev-parse", "refs/tags/1.0")}) as stub, served(Index(login=None)) as index:
        everywhere(world, stub, index)
        wheel, sdist = sorted(files(world))
        withdraw = ("withdraw", "toy", "1.0", "--reason", "loses data")
        stub.fault("500 before", "PATCH")
        assert world.tell(*withdraw).code == 5
        waits = ["yanked", "-", "shown", "waiting"]
        assert places(world, 7) == (
            {wheel: waits, sdist: waits}, "1 version withdrawn: marked at note, site; not at index"
        )  # fmt: skip
        world.lose_journal()
        assert world.tell(*withdraw).code == 0
        index.yanked = {wheel}
        assert places(world, 7)[0] == {sdist: ["yanked", "-", "shown", "yanked"]}
        index.yanked = {wheel, sdist}
        assert places(world, 0) == ({}, "1 version withdrawn: marked at forge, index, note, site")
        unmarked(world, stub, {wheel, sdist})


def unmarked(world: World, stub: GitHubStub, names: set[str]) -> None:
    """A mark that somebody takes away again, one place at a time."""
    (release,) = stub.state["releases"].values()
    release["body"] = release["body"].replace("is withdrawn", "was withdrawn")
    assert places(world, 7)[0] == {name: ["yanked", "-", "yanked", "shown"] for name in names}
    release["body"] = release["body"].replace("was withdrawn", "is withdrawn")
    (world.home / "marked").unlink()
    assert places(world, 7)[0] == {"toy 1.0": ["-", "shown", "-", "-"]}


# --- what cannot be made --------------------------------------------------------------------------------------------

SHELVED = 'type = "shelf"\nroot = "shelf"'


def refused(world: World, *packages: Path) -> tuple[int, str, str]:
    world.env["PYTHONPATH"] = ":".join(map(str, packages))
    world.tag("1.0")
    ended = world.tell("release", "toy", "1.0")
    event = ended.events[-1]
    return ended.code, event["code"], f"{event['what']} {event['why']}"


def test_a_type_that_nobody_brings(world: World) -> None:
    publish(world, "shelf", SHELVED)
    code, reason, what = refused(world)
    assert (code, reason) == (2, "settings")
    assert "there is no type of target 'shelf'" in what


@pytest.mark.parametrize(
    ("code", "value", "reason"),
    [
        ("import nothing_of_that_name", "", "target-import"),
        (SHELF, "example_shelf:Other", "target-import"),
        (SHELF.replace('options["root"]', 'options["rooot"]'), "", "target-options"),
        (SHELF.replace("def find", "def search"), "", "target-port"),
    ],
)
def test_a_package_that_does_not_work_is_named(code: str, value: str, reason: str, world: World) -> None:
    publish(world, "shelf", SHELVED)
    exit_code, found, what = refused(world, package(world.root / "packages", "example-shelf", code, value))
    assert (exit_code, found) == (2, reason)
    assert "example-shelf 0.1" in what


def test_two_packages_of_one_type_are_named(world: World) -> None:
    publish(world, "shelf", SHELVED)
    two = [package(world.root / name, name) for name in ("example-shelf", "other-shelf")]
    code, reason, what = refused(world, *two)
    assert (code, reason) == (2, "target-ambiguous")
    assert "example-shelf 0.1" in what
    assert "other-shelf 0.1" in what


def test_a_tracker_needs_an_address_to_point_at(tmp_path: Path) -> None:
    world = World(tmp_path).make()
    publish(world, "forge", 'type = "github"\nrepository = "example/nova"\ntoken = "env:FORGE"')
    code, reason, _ = refused(world)
    assert (code, reason) == (2, "site-url")

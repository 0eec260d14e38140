"""`audit --existing`, `adopt` and `audit --places` as commands, over real listings on the loopback."""

import os
import subprocess
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest

from tagtrail.app.commands import audit
from tagtrail.model.errors import SetupError
from tests.app.desk import said
from tests.app.world import World
from tests.storage.peers import ports

FILES = ("toy-0.8.tar.gz", "toy-0.9.tar.gz", "toy-0.9.tar.gz.asc", "toy-0.8.tar.gz.asc")


class Quiet(SimpleHTTPRequestHandler):
    """The standard library's listing; every address that is asked for is kept."""

    asked: ClassVar[list[str]]

    def do_GET(self) -> None:
        type(self).asked.append(self.path)
        super().do_GET()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def web(tmp_path: Path) -> Iterator[tuple[Path, str, list[str]]]:
    """A directory, its address, and what was asked for."""
    root = tmp_path / "web"
    (root / "tarballs").mkdir(parents=True)
    (root / "simple" / "toy").mkdir(parents=True)
    for name in FILES:
        (root / "tarballs" / name).write_bytes(name.encode())
    index(root, dict.fromkeys(n for n in FILES if not n.endswith(".asc")))

    class Handler(Quiet):
        asked: ClassVar[list[str]] = []

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(root))) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield root, f"http://127.0.0.1:{server.server_port}/", Handler.asked
        server.shutdown()


def index(root: Path, files: dict[str, bytes | None]) -> None:
    """A page with these files; None: the bytes are the name."""
    digests = {name: sha256(name.encode() if data is None else data).hexdigest() for name, data in files.items()}
    anchors = "".join(f'<a href="{name}#sha256={digest}">{name}</a>\n' for name, digest in digests.items())
    (root / "simple" / "toy" / "index.html").write_text(anchors)


@pytest.fixture
def world(tmp_path: Path) -> World:
    (tmp_path / "world").mkdir()
    return World(tmp_path / "world")


def existing(world: World, url: str, *words: str) -> tuple[int, dict[str, list[str]]]:
    """The exit code, and the reason codes by version."""
    argv = ["audit", "--existing", "toy", "--index", f"{url}simple/", "--tarballs", f"{url}tarballs/", *words]
    ended = world.run("--json", *argv)
    assert "Traceback" not in ended.err
    return ended.code, {row["name"]: row["codes"] for row in ended.event("compared")["rows"]}


@pytest.mark.client
def test_existing_places_are_compared_and_nothing_is_written(world: World, web: tuple[Path, str, list[str]]) -> None:
    root, url, asked = web
    before = sorted(world.root.rglob("*"))
    assert existing(world, url) == (0, {})
    assert asked == ["/simple/toy/", "/tarballs/"]
    index(root, {"toy-0.8.tar.gz": b"other", "toy-0.9.tar.gz": None})
    assert existing(world, url) == (0, {})  # nobody told the tarballs' digests
    assert existing(world, url, "--deep") == (7, {"0.8": ["two-digests"]})
    assert sorted(world.root.rglob("*")) == before


@pytest.mark.client
def test_hostile_listings_are_not_followed(world: World, web: tuple[Path, str, list[str]]) -> None:
    root, url, asked = web
    evil = "".join(
        f'<a href="{href}">toy-9.9.tar.gz</a>'
        for href in (
            "http://127.0.0.1:1/toy-9.9.tar.gz", "../simple/toy-9.9.tar.gz", "javascript:toy-9.9.tar.gz",
            "%2e%2e%2ftoy-9.9.tar.gz", "//evil.example/toy-9.9.tar.gz", "file:///etc/toy-9.9.tar.gz",
        )
    )  # fmt: skip
    listing = "".join(f'<a href="{name}">{name}</a>' for name in FILES)
    (root / "tarballs" / "index.html").write_text(listing + evil)
    assert existing(world, url, "--deep") == (0, {})
    assert {path for path in asked if "9.9" in path} == set()


@pytest.mark.client
def test_a_place_that_does_not_answer_is_five(world: World, web: tuple[Path, str, list[str]]) -> None:
    _, url, _ = web
    argv = ["audit", "--existing", "toy", "--index", f"{url}simple/", "--tarballs", "http://127.0.0.1:1/"]
    ended = world.run("--json", *argv)
    assert ended.code == 5
    assert any(event["silent"] for event in ended.events if event["event"] == "place")


@pytest.mark.parametrize(
    "words",
    [
        ["--existing", "toy"],
        ["--index", "http://127.0.0.1/"],
        ["--places", "https://releases.example.org/"],
        ["--existing", "toy", "--index", "http://127.0.0.1/"],
        ["--existing", "toy", "--tarballs", "/"],
        ["--existing", "toy", "--repo", "/"],
        ["--existing", "../x", "--tarballs", "/", "--repo", "/"],
        ["--existing", "toy", "--index", "http://127.0.0.1/", "--repo", "/", "--places"],
        ["--existing", "toy", "--index", "http://127.0.0.1/", "--repo", "/", "--project", "toy"],
        ["--existing", "toy", "--index", "http://127.0.0.1/", "--repo", "/", "--jobs", "2"],
        ["--places", "--jobs", "2"],
        ["--places", "--project", "toy", "--expect-signer", "SHA256:x"],
        ["--deep"],
    ],
)
def test_wrong_usage_is_said(words: list[str]) -> None:
    with pytest.raises(SetupError) as caught:
        said(audit, *words)
    assert (caught.value.code, caught.value.hint != "") == ("usage", True)


@pytest.mark.parametrize("where", ["nowhere", "nowhere/{project}", "nowhere/of-{project}"])
def test_a_directory_that_is_not_there_is_no_empty_one(tmp_path: Path, where: str) -> None:
    with pytest.raises(SetupError, match="there is no directory") as caught:
        said(audit, "--existing", "toy", "--repo", tmp_path, "--tarballs", tmp_path / where)
    assert caught.value.code == "file-missing"


@pytest.mark.parametrize("where", ["", "{project}", "of-{project}"])
def test_of_a_project_there_may_be_no_directory(tmp_path: Path, where: str) -> None:
    ended = said(audit, "--existing", "toy", "--tarballs", f"{tmp_path}/{where}", "--index", "http://127.0.0.1:1/")
    assert (ended.code, ended.of("compared")[0]["total"]) == (5, 0)
    assert [event["silent"] != "" for event in ended.of("place")] == [True, False]


@pytest.mark.client
def test_adopt_then_release_then_the_places(tmp_path: Path, web: tuple[Path, str, list[str]]) -> None:
    root, url, _ = web
    (tmp_path / "made").mkdir()
    target = f'[targets.shelf]\ntype = "index"\nupload = "{url}upload/"\nsimple = "{url}simple/"\nby = "ci"\n\n'
    world = World(tmp_path / "made").make(targets=target)
    settings = world.home / "tagtrail.toml"
    settings.write_text(settings.read_text() + 'publish = ["site", "shelf"]\n')
    for version in ("0.8", "0.9", "1.0"):
        world.commit(version)
        world.tag(version)
    dry = world.tell("adopt", "toy", "--dry-run")
    assert (dry.code, [e["version"] for e in dry.events if e["event"] == "imported"]) == (0, ["0.8", "0.9"])
    assert not (world.site / "trail" / "checkpoint").exists()
    assert world.tell("adopt", "toy", "--from", "shelf", "--from", f"{url}tarballs/", "--deep").code == 0
    again = world.tell("adopt", "toy")
    assert (again.code, [e for e in again.events if e["event"] == "imported"]) == (0, [])
    assert world.tell("audit", "--places").code == 0
    assert world.tell("release", "toy", "1.0").code == 4  # a workflow uploads
    assert world.tell("audit", "--places").code == 4
    assert world.tell("audit").code == 0
    index(root, {"toy-0.8.tar.gz": b"other", "toy-0.9.tar.gz": None, "toy-2.0.tar.gz": None})
    found = world.tell("audit", "--places")
    assert found.event("outcome")["next"].startswith("find out who put it there")
    cells = {row["name"]: row["cells"] for row in found.event("compared")["rows"]}
    assert (found.code, cells["toy-0.8.tar.gz"], cells["toy-2.0.tar.gz"]) == (7, ["-", "other"], ["-", "extra"])
    conflict = world.tell("adopt", "toy")
    assert (conflict.code, conflict.event("finding")["code"]) == (6, "two-digests")


@pytest.mark.client
def test_the_listing_of_a_real_nginx(world: World, tmp_path: Path, web: tuple[Path, str, list[str]]) -> None:
    nginx = Path("/usr/sbin/nginx")
    if not nginx.exists():
        pytest.skip("apt-get install nginx-light")
    root, url, _ = web
    (port,) = ports(1)
    (tmp_path / "nginx.conf").write_text(
        f"{'user root; ' * (os.geteuid() == 0)}daemon off; pid {tmp_path}/pid; error_log {tmp_path}/err; events {{}}\n"
        f"http {{ access_log off; client_body_temp_path {tmp_path}/b; proxy_temp_path {tmp_path}/p; "
        f"fastcgi_temp_path {tmp_path}/f; uwsgi_temp_path {tmp_path}/u; scgi_temp_path {tmp_path}/s;\n"
        f"server {{ listen 127.0.0.1:{port}; root {root}; autoindex on; }} }}\n"
    )
    server = subprocess.Popen([nginx, "-c", tmp_path / "nginx.conf", "-e", tmp_path / "err"])
    try:
        argv = ["--json", "audit", "--existing", "toy", "--index", f"{url}simple/", "--deep"]
        argv += ["--tarballs", f"http://127.0.0.1:{port}/tarballs/"]
        ended, tries = world.run(*argv), 0
        while ended.code == 5 and (tries := tries + 1) < 20:  # it is not up yet
            ended = world.run(*argv)
        assert ended.code == 0, ended.out
        assert [e["files"] for e in ended.events if e["event"] == "place"] == [2, 4]
    finally:
        server.terminate()
        server.wait(10)

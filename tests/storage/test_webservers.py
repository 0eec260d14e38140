"""A site in a plain directory behind the web servers of docs/hosting: every header, and what installers make of it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tagtrail.formats.served import BRIEFLY, NOSNIFF, headers
from tests.app.world import World
from tests.storage.peers import caddy, nginx

pytestmark = pytest.mark.client

JSON = "application/vnd.pypi.simple.v1+json"
PIP = f"{JSON}, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01"
PATHS = """
    index.html feed.atom feed.rss robots.txt verify/index.html simple/index.html simple/index.json
    simple/toy/index.html simple/toy/index.json toy/index.html toy/feed.atom toy/releases.json toy/watch
    feed/1.atom feed/12.rss toy/feed.rss toy/feed/1.atom toy/feed/12.rss toy/runbook/index.html toy/toy-1.0.runbook.md
    toy/toy-1.0.contacts.json toy/toy-1.0.atom
    toy/1.0/index.html toy/toy-1.0.tar.gz toy/toy-1.0.tar.gz.asc toy/toy-1.0.tar.gz.tlog-proof toy/toy-1.0.tar.xz
    toy/toy-1.0-py3-none-any.whl toy/toy-1.0-py3-none-any.whl.metadata toy/toy-1.0.SHA256SUMS
    toy/toy-1.0.SHA256SUMS.asc toy/toy-1.0.intoto.jsonl toy/toy-1.0.tag toy/toy-1.0.cdx.json toy/toy-1.0.notes.md
    toy/toy-1.0.vex.json toy/toy-1.0.html toy/toy-1.0.svg toy/toy-1.0.bin toy/toy-1.0+local.1.zip toy/toy-1!1.0.tar.gz
    trail/checkpoint trail/policy trail/site.json trail/root.json trail/1.root.json trail/keys/release-key.asc
    trail/keys/toy.allowed_signers trail/tile/0/000 trail/tile/0/x001/234 trail/tile/entries/000 trail/tile/1/001.p/8
    trail/tile/entries/001.p/200
""".split()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file of every sort, each with its own path as its bytes."""
    root = tmp_path_factory.mktemp("served") / "site"
    for path in (*PATHS, ".incoming/draft"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)
    return root


@pytest.fixture(scope="module", params=[nginx, caddy], ids=["nginx", "caddy"])
def web(request: pytest.FixtureRequest, site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with request.param(site, tmp_path_factory.mktemp("web")) as url:
        yield url


@pytest.mark.parametrize("path", PATHS)
def test_every_header(path: str, web: str) -> None:
    answer = httpx.get(f"{web}/{path}")
    said = {name: answer.headers[name] for name in headers("a/a.bin") if name in answer.headers}
    assert (answer.status_code, answer.text, said) == (200, path, headers(path))
    assert answer.headers.get_list("X-Content-Type-Options") == [NOSNIFF]
    assert answer.headers.get_list("Cache-Control") == [headers(path)["Cache-Control"]]
    assert answer.headers.get("Vary") == ("Accept" if path.startswith("simple/") else None)
    assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        (None, "text/html; charset=utf-8"),
        ("*/*", "text/html; charset=utf-8"),
        ("text/html", "text/html; charset=utf-8"),
        (f"text/html, {JSON};q=0.5", "text/html; charset=utf-8"),
        (JSON, JSON),
        (PIP, JSON),
        ("application/vnd.pypi.simple.latest+json", JSON),
    ],
)
@pytest.mark.parametrize("page", ["simple/", "simple/toy/"])
def test_the_index_is_what_was_asked_for(page: str, accept: str | None, media: str, web: str) -> None:
    answer = httpx.get(f"{web}/{page}", headers={"Accept": accept} if accept else {})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, media)
    assert answer.text == f"{page}index.{'json' if media == JSON else 'html'}"
    assert (answer.headers["Vary"], answer.headers["Cache-Control"]) == ("Accept", BRIEFLY)


@pytest.mark.parametrize("page", ["", "toy/", "toy/1.0/", "verify/"])
def test_directories_show_their_page(page: str, web: str) -> None:
    answer = httpx.get(f"{web}/{page}", headers={"Accept": PIP})
    assert (answer.status_code, answer.text) == (200, f"{page}index.html")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("path", ["toy/2.0/", "trail/", "trail/tile/", "nothing", ".incoming/draft", ".incoming/"])
def test_nothing_else_is_shown(path: str, web: str) -> None:
    answer = httpx.get(f"{web}/{path}", follow_redirects=True)
    assert answer.status_code in (403, 404)
    assert "immutable" not in answer.headers.get("Cache-Control", "")
    assert "draft" not in answer.text


def test_a_slash_is_added(web: str) -> None:
    answer = httpx.get(f"{web}/toy/1.0", follow_redirects=True)
    assert answer.text == "toy/1.0/index.html"
    assert "immutable" not in answer.history[0].headers.get("Cache-Control", "")


def test_a_part_of_a_file(web: str) -> None:
    answer = httpx.get(f"{web}/toy/toy-1.0.bin", headers={"Range": "bytes=4-7"})
    assert (answer.status_code, answer.content) == (206, b"toy-")


# --- installers ---


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with a release."""
    world = World(tmp_path_factory.mktemp("world")).make()
    world.tag("1.0")
    assert world.tell("release", "toy", "1.0").code == 0
    return world.site


@pytest.mark.parametrize("server", [nginx, caddy], ids=["nginx", "caddy"])
def test_installers_find_the_very_bytes(server, released: Path, tmp_path: Path) -> None:
    wheel, there, place = "toy-1.0-py3-none-any.whl", tmp_path / "there", str(tmp_path)
    pip = f"{sys.executable} -m pip download --no-deps --disable-pip-version-check --no-cache-dir -q -d {place}".split()
    uv = f"{Path(sys.executable).with_name('uv')} pip install -q --no-config --no-cache --target {there}".split()
    with server(released, tmp_path) as url:
        index, environ = f"{url}/simple/", {"HOME": place, "PATH": os.environ["PATH"], "PIP_CONFIG_FILE": "/dev/null"}
        subprocess.run([*pip, "--index-url", index, "toy==1.0"], check=True, env=environ)
        assert (tmp_path / wheel).read_bytes() == (released / "toy" / wheel).read_bytes()
        subprocess.run([*uv, "--default-index", index, "toy"], check=True, env=environ)
        assert (there / "toy.py").read_text() == "X = 1\n"

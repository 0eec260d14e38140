"""`tagtrail audit URL` against real HTTP on loopback: what a server can show, hide, swell, redirect and refuse."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tagtrail.app.consumer.readers import WebSite
from tagtrail.model.errors import RemoteError, TamperError
from tagtrail.trail.keys import root_envelope
from tagtrail.workflows.audit.site import measure
from tests.app.test_audit_command import run
from tests.workflows.auditing import look, made, root_of
from tests.workflows.world import World

pytestmark = pytest.mark.client

SDIST, NEXT, PAGE = "nova/nova-1.0.0.tar.gz", "nova/nova-2.0.0.tar.gz", "nova/index.html"
ENDLESS = 10**12


class Web:
    """A server over a dictionary. `answers` are status codes by path; an int for a body is its length in zeros."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files: dict[str, bytes | int] = dict(files)
        self.answers: dict[str, int] = {}
        self.asked: list[str] = []
        self.connections: set[int] = set()
        self.url = ""

    @contextmanager
    def served(self) -> Iterator["Web"]:
        web = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                web.connections.add(self.client_address[1])
                path = self.path.lstrip("/")
                web.asked.append(path)
                body = web.files.get(path)
                self.send_response(web.answers.get(path, 200 if body is not None else 404))
                if web.answers.get(path) == 302:
                    self.send_header("Location", f"http://localhost:1/{path}")
                self.send_header("Content-Length", str(body if isinstance(body, int) else len(body or b"")))
                self.end_headers()
                if isinstance(body, int):
                    with_zeros = bytes(65536)
                    try:
                        while True:
                            self.wfile.write(with_zeros)
                    except OSError:
                        self.close_connection = True
                elif body:
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """A reader that has had enough is no error."""

        server = Server(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}/"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


@pytest.fixture(scope="module")
def world() -> World:
    return made("1.0.0", "2.0.0")


@pytest.fixture(scope="module")
def root(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("root") / "root.json"
    path.write_bytes(root_envelope(world.ledger, world.kept) or b"")
    return path


@pytest.fixture
def web(world: World) -> Iterator[Web]:
    with Web(world.store.files).served() as web:
        yield web


def test_a_site_that_is_right(web: Web, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, events = run(capsys, "audit", web.url, "--root", str(root), "--jobs", "3")
    assert (code, events[-1]["state"]) == (0, "agrees")
    assert any("files that nothing names" in e["what"] for e in events if e["event"] == "skip")
    assert len(web.connections) <= 4, "connections are used again"
    assert set(web.files) - set(web.asked) <= {p for p in web.files if p.startswith("trail/tile")}


@pytest.mark.parametrize(
    ("change", "code", "wanted"),
    [
        (lambda web: web.files.update({SDIST: b"x"}), 7, {"file-differs"}),
        (lambda web: web.files.update({SDIST: ENDLESS}), 7, {"file-differs"}),
        (lambda web: web.files.update({PAGE: ENDLESS}), 7, {"page-differs"}),
        (lambda web: web.files.pop(SDIST), 7, {"file-missing"}),
        (lambda web: web.answers.update({SDIST: 410}), 7, {"file-missing"}),
        (lambda web: web.answers.update({SDIST: 503}), 5, {"url-status"}),
        (lambda web: web.answers.update({SDIST: 302}), 5, {"url-redirect"}),
        (
            lambda web: (web.answers.update({SDIST: 503}), web.files.update({NEXT: b"x"})),
            7,
            {"url-status", "file-differs"},
        ),
    ],
    ids="changed endless endless-page gone 410 503 redirect both".split(),
)
def test_one_thing_wrong(web: Web, world: World, change: Callable[[Web], object], code: int, wanted: set[str]) -> None:
    change(web)
    seen = look(world, WebSite(web.url), root_of(world))
    assert (seen.exit_code, {mismatch.code for mismatch in seen.findings}) == (code, wanted)


@pytest.mark.parametrize("path", ["trail/checkpoint", "trail/tile/entries/000.p/3"])
def test_a_trail_that_does_not_answer(web: Web, root: Path, capsys: pytest.CaptureFixture[str], path: str) -> None:
    web.answers[path] = 500
    code, events = run(capsys, "audit", web.url, "--root", str(root))
    assert (code, events[-1]["event"], events[-1]["code"]) == (5, "refused", "url-status")


@pytest.mark.parametrize("path", ["../root.json", "nova/../../x", "/etc/passwd", "nova//x", "."])
def test_no_path_leads_out_of_a_site(web: Web, path: str) -> None:
    with pytest.raises(TamperError) as caught, WebSite(web.url).opened(path):
        pass
    assert caught.value.code == "path-outside"
    assert web.asked == []


def test_reading_ends_when_it_is_enough(web: Web) -> None:
    web.files["x"] = ENDLESS
    found = measure(WebSite(web.url), "x", 1000)
    assert found
    assert 1000 < found.size < 10**7


def test_one_attempt(web: Web) -> None:
    web.answers[SDIST] = 500
    with pytest.raises(RemoteError):
        measure(WebSite(web.url), SDIST, 1000)
    assert web.asked == [SDIST]

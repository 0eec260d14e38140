"""A stub of a service on a free loopback port, with a script of faults; its state is a value, so old ones can be shown.

A stub follows a service's documentation, and is none: it proves what we do with answers, not that they are given.
"""

import json
import threading
import time
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Self
from urllib.parse import parse_qsl, unquote, urlsplit

PATIENCE = 1.0
"""Seconds that a client of ours waits for a stub: long for any answer on a busy machine, short for one that hangs."""

FAULTS = ("lost", "500 before", "500 after", "403", "429", "502", "slow", "hang", "stale")
STALE = 3
"""How many looks still show the old state, unless `stale_for` says otherwise."""


@dataclass(frozen=True, kw_only=True)
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def writes(self) -> bool:
        return self.method != "GET"


@dataclass(frozen=True, kw_only=True)
class Response:
    status: int = 200
    value: Any = None
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> bytes:
        return json.dumps(self.value).encode() if self.body is None else self.body


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that hung up is what some tests are about."""


class Stub:
    """Subclasses answer a request from `state`, which they may change."""

    retry_after: ClassVar[int] = 7

    def __init__(self) -> None:
        self.state: Any = None
        self.faults: list[tuple[str, str]] = []
        self.asked: list[Request] = []
        self.old: Any = None
        self.stale = 0
        self.stale_for = STALE
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self.server = Server(("127.0.0.1", 0), type("Bound", (Handler,), {"stub": self}))
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()

    def answer(self, request: Request, state: Any) -> Response:
        raise NotImplementedError

    def broken(self, request: Request, state: Any) -> None:
        """What a 502 leaves behind."""

    def fault(self, what: str, path: str) -> None:
        """The next change of a path with this in it goes wrong."""
        self.faults.append((what, path))

    def took(self, request: Request) -> Response:
        with self.lock:
            self.asked.append(request)
            if not request.writes and self.stale > 0:
                self.stale -= 1
                return self.answer(request, deepcopy(self.old))
            return self.answer(request, self.state)

    def aged(self, request: Request) -> Response:
        """Done, and not seen for a while."""
        before = deepcopy(self.state)
        response = self.took(request)
        self.old, self.stale = before, self.stale_for
        return response

    def refuse(self, request: Request, what: str) -> Response:
        with self.lock:
            self.asked.append(request)
            if what == "502":
                self.broken(request, self.state)
        more = {"Retry-After": str(self.retry_after)} if what == "429" else {}
        return Response(status=int(what[:3]), value={"message": what}, headers=more)

    def due(self, request: Request) -> str:
        with self.lock:
            for at, (what, path) in enumerate(self.faults):
                if request.writes and path in f"{request.method} {request.path}":
                    del self.faults[at]
                    return what
        return ""


class Handler(BaseHTTPRequestHandler):
    """One request: what is due goes wrong."""

    stub: Stub
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        pass

    def do_any(self) -> None:
        request, stub = self.request_of(), self.stub
        if len(request.body) != int(request.headers.get("content-length", 0)):
            self.close_connection = True  # the other side gave up: nothing is stored
            return
        what = stub.due(request)
        if what in ("500 before", "403", "429", "502"):
            self.reply(stub.refuse(request, what))
            return
        response = stub.aged(request) if what == "stale" else stub.took(request)
        if what == "hang":
            stub.closing.wait(5)
        if what in ("hang", "lost"):
            self.close_connection = True
        elif what == "500 after":
            self.reply(Response(status=500, value={"message": what}))
        else:
            self.reply(response, slowly=what == "slow")

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_any  # noqa: N815  (the standard library's names)

    def request_of(self) -> Request:
        split = urlsplit(self.path)
        return Request(
            method=self.command,
            path=unquote(split.path),
            query=dict(parse_qsl(split.query)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(int(self.headers.get("Content-Length") or 0)),
        )

    def reply(self, response: Response, *, slowly: bool = False) -> None:
        data = response.data
        self.send_response_only(response.status)
        headers = {"Content-Type": "application/json", "Content-Length": str(len(data))} | response.headers
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        for piece in _pieces(data) if slowly else [data]:
            self.wfile.write(piece)
            time.sleep(0.03 if slowly else 0)


def _pieces(data: bytes) -> Iterator[bytes]:
    step = max(len(data) // 5, 1)
    for at in range(0, len(data), step):
        yield data[at : at + step]

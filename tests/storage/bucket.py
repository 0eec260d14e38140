"""A bucket in memory that speaks the part of S3 that a site needs, strictly, with a script of faults; on loopback.

A fault is (method, when, what): the n-th request of that method from now on (0: every one) is answered with `what`.
`before` does nothing and `after` does what was asked first: 500, 503 (SlowDown), drop (no answer at all), silence.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from tagtrail.adapters.objectstore.bucket import Bucket

KEPT = ("content-type", "cache-control", "content-disposition")
PAGE = 1000
"""Names in one answer to a listing, as S3 has it."""


def credentials() -> tuple[str, str]:
    return "key", "secret"


class Peer(ThreadingHTTPServer):
    """The server. `objects` are the bytes by key, `headers` what was sent with them, `asked` every request."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, bytes] = {}
        self.headers: dict[str, dict[str, str]] = {}
        self.asked: list[tuple[str, str]] = []
        self.faults: list[list[Any]] = []
        self.lock = Lock()
        self.over = Event()

    def bucket(self, **said: Any) -> Bucket:
        """It as the settings would name it."""
        endpoint = f"http://127.0.0.1:{self.server_port}"
        defaults: dict[str, Any] = {"name": "rel", "prefix": "pre", "credentials": credentials}
        defaults |= {"attempts": 2, "patience": 5.0, "pause": 0.01}
        return Bucket(endpoint=endpoint, **(defaults | said))

    def fault(self, method: str, number: int, what: str) -> None:
        """Misbehave at the n-th such request from now on; number 0 means every one until `faults` is emptied."""
        self.faults.append([method, number, what])

    def due(self, method: str) -> str:
        with self.lock:
            for fault in self.faults:
                if fault[0] == method:
                    fault[1] -= 1
                    if fault[1] in (0, -1):
                        if fault[1] == 0:
                            self.faults.remove(fault)
                        else:
                            fault[1] = 0
                        return str(fault[2])
        return ""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body in one packet
    server: Peer

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (its name in the standard library)
        """Nothing."""

    def do_GET(self) -> None:
        self._serve("GET")

    def do_PUT(self) -> None:
        self._serve("PUT")

    def do_DELETE(self) -> None:
        self._serve("DELETE")

    def _serve(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        at = urlsplit(self.path)
        _, bucket, key = unquote(at.path).split("/", 2) if at.path.count("/") > 1 else ("", unquote(at.path[1:]), "")
        kind = method if key else "LIST"
        self.server.asked.append((kind, key))
        fault = self.server.due(kind)
        when, _, what = fault.partition(" ")
        answer = (0, b"", dict[str, str]())
        if when != "before":
            answer = self._answer(kind, bucket, key, body, parse_qs(at.query))
        if not fault:
            self._send(*answer)
        elif what == "silence":
            self.server.over.wait(30)
            self.close_connection = True
        elif what == "drop":
            self.close_connection = True
        else:
            code = "SlowDown" if what == "503" else "InternalError"
            self._send(int(what), f"<Error><Code>{code}</Code></Error>".encode(), {})

    def _answer(
        self, kind: str, bucket: str, key: str, body: bytes, query: dict[str, list[str]]
    ) -> tuple[int, bytes, dict[str, str]]:
        mine = self.server
        if hashlib.sha256(body).hexdigest() != self.headers["x-amz-content-sha256"]:
            return 400, b"<Error><Code>XAmzContentSHA256Mismatch</Code></Error>", {}
        if "Credential=key/" not in self.headers["Authorization"]:
            return 403, b"<Error><Code>InvalidAccessKeyId</Code></Error>", {}
        if bucket != "rel":
            return 404, b"<Error><Code>NoSuchBucket</Code></Error>", {}
        with mine.lock:
            if kind == "LIST":
                return self._list(query)
            if kind == "PUT":
                mine.objects[key] = body
                said = {name.lower(): value for name, value in self.headers.items()}
                mine.headers[key] = {name: said[name] for name in KEPT if name in said}
                return 200, b"", {"ETag": f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'}
            if kind == "DELETE":
                mine.objects.pop(key, None)
                return 204, b"", {}
            if key not in mine.objects:
                return 404, b"<Error><Code>NoSuchKey</Code></Error>", {}
            data = mine.objects[key]
            dated = {"Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT", "ETag": '"e"'}
            return 200, data, dated | mine.headers[key]

    def _list(self, query: dict[str, list[str]]) -> tuple[int, bytes, dict[str, str]]:
        prefix, after = query.get("prefix", [""])[0], query.get("continuation-token", [""])[0]
        found = sorted(key for key in self.server.objects if key.startswith(prefix) and key > after)
        rows = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
            f"<ETag>&quot;e&quot;</ETag><Size>{len(self.server.objects[key])}</Size></Contents>"
            for key in found[:PAGE]
        )
        more = len(found) > PAGE
        token = f"<NextContinuationToken>{escape(found[PAGE - 1])}</NextContinuationToken>" if more else ""
        text = f"<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>{token}{rows}</ListBucketResult>"
        return 200, text.encode(), {"Content-Type": "application/xml"}

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving() -> Iterator[Peer]:
    """A peer as long as the block lasts."""
    peer = Peer()
    Thread(target=peer.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield peer
    finally:
        peer.over.set()
        peer.shutdown()
        peer.server_close()

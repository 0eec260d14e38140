"""The witness over HTTP: a small WSGI application, served by waitress until it is told to stop.

    POST /add-checkpoint           c2sp.org/tlog-witness
    GET  /ORIGIN-HASH/checkpoint   what was cosigned last of that log, with the log's signatures and ours
    GET  /                         what this is

waitress reads a request whole before a thread is given to it, so slow clients hold connections, never threads, and it
refuses a body above the limit (413) by its length, before it is sent.
"""

import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING

from tagtrail.formats.witness import ADD_CHECKPOINT, MAX_REQUEST
from tagtrail.model.errors import Error, SetupError
from tagtrail.ports import Cosigned
from tagtrail.workflows.witness import Answer, Desk, add_checkpoint

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["address", "application", "serve"]

THREADS = 4
CONNECTIONS = 1000
BACKLOG = 128
IDLE = 30
"""Seconds after which a connection on which nothing happens is closed."""

_TEXT = "text/plain; charset=utf-8"


def application(desk: Desk, at: Callable[[str], Cosigned | None]) -> "WSGIApplication":
    """The witness at `desk`; `at` gives what was cosigned last of the log whose checkpoint has that path."""

    def answer(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        found = _answer(desk, at, environ)
        status = f"{found.status} {HTTPStatus(found.status).phrase}"
        headers = [("Content-Type", found.media), ("Content-Length", str(len(found.body)))]
        start(status, [*headers, ("Allow", "POST")] if found.status == 405 else headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [found.body]

    return answer


def _answer(desk: Desk, at: Callable[[str], Cosigned | None], environ: "WSGIEnvironment") -> Answer:
    path = environ.get("PATH_INFO", "").lstrip("/")
    posted = environ["REQUEST_METHOD"] == "POST"
    try:
        if path == ADD_CHECKPOINT:
            return (
                add_checkpoint(desk, environ["wsgi.input"].read(MAX_REQUEST + 1)) if posted else _said(405, "POST it")
            )
        if posted:
            return _said(404, f"POST to /{ADD_CHECKPOINT}")
        cosigned = at(path)
    except Error as error:
        desk.tell("note", {"text": f"not answered: {error.what} ({error.code})"})
        return _said(503, "this witness cannot remember anything just now")
    if cosigned:
        return Answer(status=200, body=cosigned.note, media=_TEXT)
    return _said(404, "nothing is here") if path else _said(200, _about(desk))


def _said(status: int, text: str) -> Answer:
    return Answer(status=status, body=f"{text}\n".encode(), media=_TEXT)


def _about(desk: Desk) -> str:
    return (
        f"{desk.signer.name} is a witness of transparency logs: https://c2sp.org/tlog-witness\n"
        f"key {desk.signer.verifier.vkey()}\n"
        f"POST /{ADD_CHECKPOINT}; GET /SHA256-OF-ORIGIN/checkpoint"
    )


def address(listen: str, default: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`. Raises SetupError `usage`."""
    host, colon, port = listen.rpartition(":")
    if not colon or not host or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise SetupError(f"--listen {listen} is no HOST:PORT", code="usage", hint=f"--listen {default}")
    return host.strip("[]"), int(port)


def serve(
    app: "WSGIApplication", host: str, port: int, ready: Callable[[str], None], largest: int = MAX_REQUEST + 1
) -> None:
    """Serve until SIGTERM or SIGINT, bodies of at most `largest` bytes. `ready` gets the address, with the real port.

    Raises SetupError `listen` where the address cannot be had.
    """
    from waitress import create_server

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        what = f"cannot listen on {host}:{port}: {error.strerror}"
        raise SetupError(what, code="listen", hint="--listen HOST:PORT; port 0 takes a free one") from error
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # that some wait their turn is no news
    with listening, _stopped_by_signals():
        server = create_server(
            app,
            sockets=[listening],
            threads=THREADS,
            connection_limit=CONNECTIONS,
            channel_timeout=IDLE,
            cleanup_interval=IDLE // 3,
            max_request_body_size=largest,
            max_request_header_size=16 * 1024,
            asyncore_use_poll=True,
            clear_untrusted_proxy_headers=True,
            ident=None,
        )
        real = listening.getsockname()[1]
        ready(f"http://[{host}]:{real}" if ":" in host else f"http://{host}:{real}")
        server.run()  # ends by itself at the SystemExit of a signal


@contextlib.contextmanager
def _stopped_by_signals() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise SystemExit

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with contextlib.suppress(SystemExit):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

"""The server's addresses: a small WSGI application; each request opens the instance anew, and no secret key.

POST /PROJECT/TAG/legacy/                 an upload, as twine and uv make it
GET  /staging/PROJECT/TAG/simple/...      the staging index of a draft, and its files
POST /hint/PROJECT, /hint                a webhook that says that something was pushed (app/serve/hints)
GET  /                                    what this is
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, cast

from tagtrail.app.serve.gate import open_gate
from tagtrail.app.serve.hints import check_secrets, receive_hint
from tagtrail.app.serve.identity import Denied, Desk, password
from tagtrail.app.serve.staging import find, parted
from tagtrail.app.serve.uploads import builders_of, receive
from tagtrail.formats.settings import project_of
from tagtrail.io.durable import setup_error
from tagtrail.model.errors import Error, RemoteError, SetupError, TamperError
from tagtrail.ports import Tell

if TYPE_CHECKING:
    from typing import BinaryIO
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["Gatehouse", "application"]

_TEXT = "text/plain; charset=utf-8"
_STATUS = {"add-built": 409, "add-other-bytes": 409, "file-names-alike": 409, "name-taken": 409, "project-unknown": 404,
           "tag-missing": 404, "draft-empty": 404, "tag-name": 404, "hint-size": 413, "hint-project": 404}  # fmt: skip
_ABOUT = """\
tagtrail serve
POST /PROJECT/TAG/legacy/              upload a file that was built elsewhere (twine, uv publish)
GET  /staging/PROJECT/TAG/simple/      the index of a draft (pip --index-url, uv --default-index)
POST /hint/PROJECT, /hint              say that something was pushed (webhooks of forges)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gatehouse:
    """An instance that is served. `open_staging`: drafts are shown to whoever asks; else to the project's builders."""

    home: Path
    desk: Desk
    tell: Tell
    open_staging: bool
    one: Lock
    """One request at a time looks at repositories and stages files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    status: int
    body: Iterable[bytes]
    size: int
    media: str = _TEXT
    reason: str = ""
    """Stands after the status in place of its usual words: twine shows nothing else."""


def application(house: Gatehouse) -> "WSGIApplication":
    """The application of an instance."""

    def answer(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        found = _guarded(house, environ)
        headers = [("Content-Type", found.media), ("Content-Length", str(found.size)), ("Cache-Control", "no-store")]
        headers += [("X-Content-Type-Options", "nosniff"), ("Content-Security-Policy", "default-src 'none'")]
        if found.status == 401:
            headers.append(("WWW-Authenticate", 'Basic realm="tagtrail", charset="UTF-8"'))
        start(f"{found.status} {found.reason or HTTPStatus(found.status).phrase}", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else found.body

    return answer


def _guarded(house: Gatehouse, environ: "WSGIEnvironment") -> _Answer:
    try:
        try:
            return _answer(house, environ)
        except OSError as error:  # a full disk, most of all
            raise setup_error(house.home, error) from error
    except Error as error:
        status = _status(error)
        house.tell("note", {"text": f"{status}: {error.what} ({error.code})"})
        told = (error.what, error.why, error.hint) if status < 500 else ("not now; try again later", "", "")
        if _asks_json(environ):
            named = dict(zip(("what", "why", "hint"), told, strict=True))
            return _json(status, {"code": error.code, "exit": error.exit_code, **named})
        text = f"{error.code}: " + "\n".join(filter(None, told))
        return replace(_said(status, text), reason=_reason(text))


def _reason(text: str) -> str:
    """The first line, as a status line may bear it."""
    line = text.partition("\n")[0][:300]
    return "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in line)


def _status(error: Error) -> int:
    if isinstance(error, Denied):
        return 401 if error.code == "token-missing" else 403
    if error.code in _STATUS:
        return _STATUS[error.code]
    if isinstance(error, TamperError):
        return 409
    return 503 if isinstance(error, (RemoteError, SetupError)) else 400


def _answer(house: Gatehouse, environ: "WSGIEnvironment") -> _Answer:
    method, token = environ["REQUEST_METHOD"], password(environ.get("HTTP_AUTHORIZATION", ""))
    words = environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8", "replace").lstrip("/").split("/")
    if words == [""]:
        return _said(200, _ABOUT)
    if words[0] == "hint" and len(words) < 3:
        return _hint(house, environ, words[1:]) if method == "POST" else _said(405, "POST a webhook here")
    if words[0] == "staging" and len(words) > 3 and method in ("GET", "HEAD"):
        return _staging(house, words, token)
    if len(words) > 2 and words[-2:] in (["legacy", ""], [words[-2], "legacy"]):
        name, tag = words[0], "/".join(words[1:]).rstrip("/").removesuffix("/legacy")
        return _upload(house, environ, name, tag, token) if method == "POST" else _said(405, "POST a file here")
    return _said(404, "nothing is here")


def _upload(house: Gatehouse, environ: "WSGIEnvironment", name: str, tag: str, token: str) -> _Answer:
    body = cast("BinaryIO", environ["wsgi.input"])
    with house.one:
        road = open_gate(house.home, tell=house.tell, clock=house.desk.clock)
        got = receive(road, house.home, house.desk, name, tag, token, environ.get("CONTENT_TYPE", ""), body)
    return _json(200, {"staged": got.staged, "text": got.draft}) if _asks_json(environ) else _said(200, got.text)


def _hint(house: Gatehouse, environ: "WSGIEnvironment", names: list[str]) -> _Answer:
    """202 after one insert; what it is worth, `watch` finds out."""
    headers = {key[5:].replace("_", "-").lower(): str(value) for key, value in environ.items() if key[:5] == "HTTP_"}
    headers["content-length"] = str(environ.get("CONTENT_LENGTH", ""))
    body = cast("BinaryIO", environ["wsgi.input"])
    with house.one:
        road = open_gate(house.home, tell=house.tell, clock=house.desk.clock)
        secrets = check_secrets([house.desk.secrets.value(ref) for ref in road.settings.watch.secrets])
        named = project_of(road.settings, names[0]) if names and names[0] else None
        found = receive_hint(road, secrets, headers, body, named)
    return _said(202, f"tagtrail watch looks at {', '.join(found)}")


def _staging(house: Gatehouse, words: list[str], token: str) -> _Answer:
    name, where = words[1], parted(words[1], words[2:])
    if where is None:
        return _said(404, "nothing is here")
    with house.one:
        road = open_gate(house.home, tell=lambda *_: None, clock=house.desk.clock)
        if not house.open_staging:
            house.desk.judge(token, builders_of(road, project_of(road.settings, name)), None)
        found = find(road, name, *where)
    if found is None:
        return _said(404, "nothing is here")
    return _Answer(status=200, body=_whole(found.pieces), size=found.size, media=found.media)


def _whole(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Bytes that turn out to be altered end the connection before it is complete."""
    yield from pieces


def _asks_json(environ: "WSGIEnvironment") -> bool:
    """Whether it is `tagtrail -C URL` that speaks to us (`app/bringing`)."""
    return bool(environ.get("HTTP_ACCEPT") == "application/json")


def _json(status: int, said: Mapping[str, object]) -> _Answer:
    body = json.dumps(said).encode()
    return _Answer(status=status, body=[body], size=len(body), media="application/json")


def _said(status: int, text: str) -> _Answer:
    body = (text.rstrip("\n") + "\n").encode()
    return _Answer(status=status, body=[body], size=len(body))

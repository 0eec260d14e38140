"""`tagtrail -C URL add`: files brought to an instance that is served elsewhere (`app/serve/uploads` is the other end).

Who brings them is a CI workflow, by the token that its CI issues for the host in URL, or a builder of the project by
its token in $TAGTRAIL_TOKEN. The draft there does not change by what it has already, so whatever failed is run again.
"""

import json
import os
from collections.abc import Iterator, Mapping
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from urllib.parse import quote, urlsplit

from tagtrail.app.instance.home import spoken
from tagtrail.app.terminal.console import Console
from tagtrail.formats.upload_form import file_form
from tagtrail.io.ambient import workflow_token
from tagtrail.io.foreign import check_name, plain
from tagtrail.io.http import Reply, ask
from tagtrail.model.errors import Error, ProjectError, RemoteError, SetupError, TamperError
from tagtrail.model.names import LOOPBACK

if TYPE_CHECKING:
    from io import BufferedReader

__all__ = ["bring"]

_PIECE, _ANSWER = 1 << 20, 1 << 20
_BUSY = (429, 500, 502, 503, 504)
"""What a web server says for itself, or for another that does not answer it."""
_PATIENCE = 600.0
"""Seconds without a word from there: one file is looked at after the other, and sixty runners may come at once."""
_FIELDS = {"project": str, "version": str, "file": str, "size": int, "sha256": str, "by": str, "new": bool}


def bring(url: str, project: str, tag: str, files: list[Path], console: Console) -> int:
    """Each file into the draft, in order, until one is refused; 0 where all are there.

    Raises SetupError `url-form`, `token-none`, `file-missing`, and what `workflow_token` raises; RemoteError
    `not-served`, `serve-failing`, and what `ask` raises; TamperError `upload-altered`; whatever the server says.
    """
    base, host = _place(url)
    token = _token(host)
    said: dict[str, Any] = {}
    for path in files:
        try:
            said = _brought(f"{base}/{quote(project, safe='')}/{quote(tag)}/legacy/", path, token)
        except RemoteError as error:
            error.hint = error.hint or "run it again: what the draft has already is fine"
            raise
        console.tell("staged", said["staged"])
    console.tell(
        "outcome", {"exit": 0, "state": "", "project": said["staged"]["project"], "text": said["text"], "next": ""}
    )
    return 0


def _place(url: str) -> tuple[str, str]:
    """The address without a slash at its end, and its host. A token goes nowhere in the clear."""
    at = urlsplit(url)
    plain_text = at.scheme == "http" and at.hostname in LOOPBACK
    if not at.hostname or at.query or at.fragment or "@" in at.netloc or not (at.scheme == "https" or plain_text):
        what = f"{url} is no address that a token may be sent to"
        raise SetupError(what, code="url-form", hint="https://HOST, or http://localhost:PORT")
    return url.rstrip("/"), at.hostname


def _token(host: str) -> str:
    token = os.environ.get("TAGTRAIL_TOKEN", "").strip() or workflow_token(host)
    hint = "export TAGTRAIL_TOKEN=..., the token of a builder of the project"
    if not token:
        why = "this is no workflow of a CI that is known, and $TAGTRAIL_TOKEN is empty"
        raise SetupError("nothing says who brings these files", code="token-none", why=why, hint=hint)
    if not token.isascii() or not token.isprintable() or " " in token:
        what = "the token has letters that cannot be sent, or white space within"
        raise SetupError(what, code="token-none", hint=hint)
    return token


def _brought(address: str, path: Path, token: str) -> dict[str, Any]:
    check_name(path.name)
    try:
        with plain(path) as file:
            sha256 = file_digest(cast("BufferedReader", file), "sha256").hexdigest()
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            form = file_form(path.name, sha256)
            headers = {
                "Accept": "application/json",
                "Authorization": f"Bearer {token}",
                "Content-Type": form.content_type,
                "Content-Length": str(len(form.head) + size + len(form.tail)),
            }
            body = _body(form.head, file, size, form.tail)
            reply = ask("POST", address, headers=headers, body=body, limit=_ANSWER, wait=_PATIENCE)
    except FileNotFoundError as error:
        hint = f"ls -l {spoken(path.parent)}"
        raise SetupError(f"there is no file {path}", code="file-missing", hint=hint) from error
    return _accepted(reply, address, path.name, sha256)


def _body(head: bytes, file: BinaryIO, size: int, tail: bytes) -> Iterator[bytes]:
    """No byte more than was announced, should the file grow."""
    yield head
    while size > 0 and (piece := file.read(min(size, _PIECE))):
        size -= len(piece)
        yield piece
    yield tail


def _accepted(reply: Reply, address: str, name: str, sha256: str) -> dict[str, Any]:
    """What the server says of the file, as far as it has the form that we know."""
    try:
        said = json.loads(reply.body)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        said = {}
    if reply.status != 200:
        raise _refused(reply, said, address)
    staged, text = said.get("staged"), said.get("text")
    if not isinstance(text, str) or not isinstance(staged, dict) or not _whole(staged):
        raise _not_served(address, reply)
    if (staged["file"], staged["sha256"]) != (name, sha256):
        there = f"{staged['file'][:255]!r} with SHA-256 {staged['sha256'][:64]!r}"
        what = f"{address} says that it has {there}, {name!r} with {sha256} was sent"
        raise TamperError(what, code="upload-altered", hint="drop it from the draft, and find out who is in between")
    return {"staged": {name: staged[name] for name in _FIELDS}, "text": _line(text)}


def _whole(staged: Mapping[str, object]) -> bool:
    return all(type(staged.get(name)) is kind for name, kind in _FIELDS.items())


def _refused(reply: Reply, said: Mapping[str, object], address: str) -> Error:
    """What it would do next is said to be its own idea: a command of somebody else's is not for pasting."""
    code, what, why, idea = (_line(said.get(name, "")) for name in ("code", "what", "why", "hint"))
    if reply.status == 413:
        return ProjectError(
            f"{address} takes no file of this size", code="add-size",
            hint="its operator: tagtrail serve --largest MB, and the limit of the web server in front of it",
        )  # fmt: skip
    if not what or not code:
        return _busy(address, reply) if reply.status in _BUSY else _not_served(address, reply)
    if reply.status >= 500:
        return RemoteError(f"{address}: {what}", code="serve-failing", hint="run it again; its operator sees why")
    kind = TamperError if said.get("exit") == TamperError.exit_code else ProjectError
    why = "\n".join(filter(None, (why, idea and f"the server suggests, where the instance is: {idea}")))
    return kind(what, code=code, why=why, hint="mend that and run it again: what the draft has already is fine")


def _line(said: object) -> str:
    """One line, not too long."""
    return " ".join(str(said)[:4000].split())


def _busy(address: str, reply: Reply) -> RemoteError:
    what = f"{address} answers {reply.status} {reply.reason}".rstrip()
    return RemoteError(what, code="serve-failing", why="it does not say why", hint="run it again")


def _not_served(address: str, reply: Reply) -> RemoteError:
    what = f"{address} answers {reply.status} {reply.reason}".rstrip()
    why = "no `tagtrail serve` speaks like that"
    return RemoteError(what, code="not-served", why=why, hint="-C takes the address before /PROJECT/TAG/legacy/")

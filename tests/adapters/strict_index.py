"""A package index on loopback that takes nothing on trust, and goes wrong by a script.

`POST /legacy/` takes one file by the upload form; `GET /simple/NAME/` shows them, as JSON, as HTML, or as HTML without
hashes; `GET /pypi/NAME/json` shows what twine asks for, as the public index documents it. A name means one file: other
bytes are answered 400, the same bytes 200 (`friendly`) or 400. One fault of the script is used up by each upload;
`stale` pages show an upload only after so many looks.
"""

import json
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b, md5, sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from threading import Event, Thread
from typing import Literal

from tagtrail.formats.multipart import boundary_of, parts
from tagtrail.model.errors import ProjectError
from tagtrail.model.names import project_key

Fault = Literal[
    "fine", "lost", "lost-before", "500-before", "500-after", "502-after", "403", "429", "429-date", "503", "slow",
    "hang", "redirect", "garbled",
]  # fmt: skip
LIE = sha256(b"a lie").hexdigest()


@dataclass
class Index:
    """What is there, and what will go wrong. `elsewhere` is where a redirect leads; with
    `moved` pages do too. `behind` are other bytes than the page tells of, `yanked` the names that it marks."""

    friendly: bool = True
    form: Literal["json", "html", "bare"] = "json"
    login: tuple[str, str] | None = ("__token__", "secret-token")
    private: bool = False
    script: list[Fault] = field(default_factory=list)
    stale: int = 0
    lies: bool = False
    elsewhere: str = ""
    moved: bool = False
    etag: bool = True
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    behind: dict[str, bytes] = field(default_factory=dict)
    yanked: set[str] = field(default_factory=set)
    fields: list[dict[str, list[str]]] = field(default_factory=list)
    stored: list[str] = field(default_factory=list)
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    hidden: dict[str, int] = field(default_factory=dict)
    released: Event = field(default_factory=Event)
    url: str = ""

    @property
    def upload(self) -> str:
        return f"{self.url}/legacy/"

    @property
    def simple(self) -> str:
        return f"{self.url}/simple/"

    def lay(self, project: str, name: str, data: bytes) -> None:
        """Somebody else's upload."""
        self.files[name] = (project_key(project), data)

    def put(self, body: bytes, content_type: str) -> tuple[int, str]:
        """One upload: what an index that checks everything says."""
        said: dict[str, list[str]] = {}
        name, data = "", b""
        try:
            for part, pieces in parts(BytesIO(body), boundary_of(content_type)):
                value = b"".join(pieces)
                if part.filename is None:
                    said.setdefault(part.name, []).append(value.decode())
                else:
                    name, data = part.filename, value
        except (ProjectError, ValueError) as error:
            return 400, f"no form: {error}"
        if fault := self._fault(said, name, data):
            return 400, fault
        if name in self.files:
            same = self.files[name][1] == data
            return (200, "OK") if same and self.friendly else (400, "File already exists.")
        self.fields.append(said)
        self.files[name] = (project_key(said["name"][0]), data)
        self.stored.append(name)
        self.hidden[name] = self.stale
        return 200, "OK"

    def _fault(self, said: dict[str, list[str]], name: str, data: bytes) -> str:
        wanted = {
            ":action": "file_upload",
            "protocol_version": "1",
            "sha256_digest": sha256(data).hexdigest(),
            "md5_digest": md5(data, usedforsecurity=False).hexdigest(),
            "blake2_256_digest": blake2b(data, digest_size=32).hexdigest(),
            "filetype": "bdist_wheel" if name.endswith(".whl") else "sdist",
            "pyversion": name.split("-")[-3] if name.endswith(".whl") else "source",
        }
        for key, value in wanted.items():
            if said.get(key, [value] if key in ("md5_digest", "blake2_256_digest") else []) != [value]:
                return f"Invalid value for {key}"
        if not all(said.get(key) for key in ("name", "version", "metadata_version")):
            return "Invalid metadata"
        return ""

    def releases(self, project: str) -> bytes | None:
        """Its releases by version, each with its files (the JSON API that it documents)."""
        shown = self.shown(project)
        found: dict[str, list[dict[str, object]]] = {}
        for name, digest in shown.items():
            version = name.removesuffix(".tar.gz").split("-")[1]
            found.setdefault(version, []).append({"filename": name, "digests": {"sha256": digest}})
        return json.dumps({"info": {"name": project}, "releases": found}).encode() if shown else None

    def shown(self, project: str) -> dict[str, str]:
        """Name to digest, as it is told now; one look of a stale page is used up."""
        shown = {}
        for name, (owner, data) in sorted(self.files.items()):
            if owner != project:
                continue
            if self.hidden.get(name, 0) > 0:
                self.hidden[name] -= 1
            else:
                shown[name] = LIE if self.lies else sha256(data).hexdigest()
        return shown

    def page(self, project: str, *, html: bool) -> bytes | None:
        """What a consumer sees now."""
        shown = self.shown(project)
        if not shown:
            return None
        if html:
            mark = "" if self.form == "bare" else "#sha256="
            lines = (f'<a href="../../files/{n}{mark and mark + d}">{n}</a><br>' for n, d in shown.items())
            return ("<!DOCTYPE html>\n" + "\n".join(lines)).encode()
        files = [
            {"filename": n, "url": f"../../files/{n}", "hashes": {"sha256": d}, "yanked": n in self.yanked}
            for n, d in shown.items()
        ]
        return json.dumps({"meta": {"api-version": "1.1"}, "name": project, "files": files}).encode()


@contextmanager
def served(index: Index) -> Iterator[Index]:
    """The index on a free port of loopback, until the block is left."""
    handler = type("Handler", (_Handler,), {"index": index})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    index.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield index
    finally:
        index.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    index: Index
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer in one packet, or each waits for the other side's acknowledgement

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the name that the library gives it)
        """Nothing is said."""

    def do_GET(self) -> None:
        self.index.asked.append(("GET", self.path, self.headers.get("Authorization", "")))
        if self.index.private and not self._known():
            self._answer(401, b"who?", "text/plain", **{"WWW-Authenticate": "Basic"})
        elif self.path.startswith("/files/"):
            name = self.path.removeprefix("/files/")
            data = self.index.behind.get(name, self.index.files.get(name, ("", b""))[1])
            self._answer(200 if data else 404, data, "application/octet-stream")
        elif self.path.startswith("/simple/") and self.path.endswith("/"):
            self._page(self.path.split("/")[2])
        elif self.path.startswith("/pypi/") and self.path.endswith("/json"):
            body = self.index.releases(project_key(self.path.split("/")[2]))
            self._answer(200 if body else 404, body or b"", "application/json")
        else:
            self._answer(404, b"", "text/plain")

    def _page(self, name: str) -> None:
        html = self.index.form != "json" or "json" not in self.headers.get("Accept", "")
        if self.index.moved:
            return self._answer(302, b"", "text/plain", Location=f"{self.index.elsewhere}/simple/{name}/")
        if name != project_key(name):
            return self._answer(301, b"", "text/plain", Location=f"/simple/{project_key(name)}/")
        body = self.index.page(name, html=html)
        if body is None:
            return self._answer(404, b"no such project", "text/plain")
        kind = "text/html" if html else "application/vnd.pypi.simple.v1+json"
        tag = f'"{sha256(body).hexdigest()[:16]}"'
        if self.index.etag and self.headers.get("If-None-Match") == tag:
            return self._answer(304, b"", kind, ETag=tag)
        return self._answer(200, body, kind, **({"ETag": tag} if self.index.etag else {}))

    def do_POST(self) -> None:
        index = self.index
        index.asked.append(("POST", self.path, self.headers.get("Authorization", "")))
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path != "/legacy/":
            return self._answer(404, b"", "text/plain")
        if index.login and not self._known():
            return self._answer(403, b"Invalid or non-existent authentication information.", "text/plain")
        fault = index.script.pop(0) if index.script else "fine"
        if fault == "lost-before":
            return self._drop()
        if fault in ("500-before", "403", "429", "429-date", "503", "redirect"):
            return self._refuse(fault)
        status, text = index.put(body, self.headers["Content-Type"])
        if fault == "lost":
            return self._drop()
        if fault == "hang":
            index.released.wait(20)
            return self._drop()
        if fault in ("500-after", "502-after"):
            return self._answer(int(fault[:3]), b"<html><h1>oh no</h1></html>", "text/html")
        if fault == "slow":
            time.sleep(0.2)
        return self._answer(status, b"\xff\x00\x1b[31m" if fault == "garbled" else text.encode(), "text/plain")

    def _refuse(self, fault: str) -> None:
        status = int(fault[:3]) if fault[:3].isdigit() else 307
        headers = {
            "429": {"Retry-After": "30"},
            "429-date": {"Retry-After": "Wed, 01 Apr 2026 15:03:00 GMT"},
            "503": {"Retry-After": "7"},
            "redirect": {"Location": f"{self.index.elsewhere}/legacy/"},
        }
        self._answer(status, b"not now", "text/plain", **headers.get(fault, {}))

    def _known(self) -> bool:
        wanted = b64encode(":".join(self.index.login or ("", "")).encode()).decode()
        return self.headers.get("Authorization", "") == f"Basic {wanted}"

    def _drop(self) -> None:
        self.close_connection = True
        self.connection.close()

    def _answer(self, status: int, body: bytes, kind: str, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if status != 304:
            self.wfile.write(body)

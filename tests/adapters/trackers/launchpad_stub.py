"""A stub of Launchpad for the real launchpadlib: it serves the WADL that launchpadlib ships, the address replaced."""

import json
from email.parser import BytesParser
from email.policy import HTTP
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl, quote

from tests.adapters.trackers.stub import Request, Response, Stub

CREDENTIALS = """[1]
consumer_key = tagtrail
consumer_secret =
access_token = a-token
access_secret = a-secret
"""
THEIRS = "https://api.launchpad.test/1.0/"


@cache
def wadl() -> str:
    return (files("launchpadlib") / "testing" / "launchpad-wadl.xml").read_text(encoding="utf-8")


class LaunchpadStub(Stub):
    """The project nova with the series trunk. Files are kept at another host, where credentials must not be seen."""

    def __init__(self) -> None:
        super().__init__()
        self.state = {"milestones": {}}

    @property
    def root(self) -> str:
        return f"{self.url}/1.0/"

    def answer(self, request: Request, state: Any) -> Response:
        path = request.path.removeprefix("/1.0/")
        if path.startswith("storage/"):
            return self.stored(request, state, path.split("/"))
        if path == "" and "wadl" in request.headers["accept"]:
            body = wadl().replace(THEIRS, self.root).encode()
            return Response(body=body, headers={"Content-Type": "application/vnd.sun.wadl+xml"})
        if path.endswith("/file"):
            where = f"http://localhost:{self.port}/1.0/storage/{path}"
            return Response(status=303, headers={"Location": where.replace(" ", "%20")})
        if "a-token" not in request.headers.get("authorization", ""):
            return Response(status=401, value="no credentials")
        handle = {"GET": self.looked, "POST": self.posted, "PATCH": self.patched}[request.method]
        return handle(request, state, path.split("/"))

    def stored(self, request: Request, state: Any, parts: list[str]) -> Response:
        if "authorization" in request.headers:
            return Response(status=400, value="credentials at another host")
        release = state["milestones"][parts[3]]["release"]
        return Response(body=release["files"][parts[5]]["file_content"])

    def looked(self, request: Request, state: Any, parts: list[str]) -> Response:
        asked = json.loads(request.query.get("name", "null"))
        match [*parts, request.query.get("ws.op", "")]:
            case ["", _]:
                return self.entry("", "service-root", projects_collection_link=f"{self.root}projects")
            case ["nova", ""]:
                return self.entry("nova", "project", name="nova", releases_collection_link=f"{self.root}nova/releases")
            case ["nova", "getSeries"]:
                return self.entry("nova/trunk", "project_series", name="trunk") if asked == "trunk" else Response()
            case ["nova", "getMilestone"]:
                return self.milestone(state, asked)
            case ["nova", "releases", _]:
                return self.listed([self.release(state, name) for name in state["milestones"]], "project_release")
            case ["nova", "+milestone", name, _]:
                return self.milestone(state, name)
            case ["nova", "trunk", name, ""]:
                return self.release(state, name)
            case ["nova", "trunk", name, "files", _]:
                held = state["milestones"][name]["release"]["files"]
                return self.listed([self.file(name, file) for file in held], "project_release_file")
            case ["nova", "trunk", name, "+file", file, _]:
                return self.file(name, file)
        return Response(status=404, value="there is none")

    def posted(self, request: Request, state: Any, parts: list[str]) -> Response:
        said = _form(request)
        match [*parts, said["ws.op"]]:
            case ["nova", "trunk", "newMilestone"]:
                if said["name"] in state["milestones"]:
                    return Response(status=400, value="name: taken")
                state["milestones"][said["name"]] = {"is_active": True, "release": None}
                return self.made(f"nova/+milestone/{said['name']}")
            case ["nova", "+milestone", name, "createProductRelease"]:
                milestone = state["milestones"][name]
                if milestone["release"]:
                    return Response(status=400, value="A milestone can only have one ProductRelease.")
                milestone["release"] = {**said, "files": {}}
                return self.made(f"nova/trunk/{name}")
            case ["nova", "trunk", name, "add_file"]:
                held = state["milestones"][name]["release"]["files"]
                if said["filename"] in held:
                    return Response(status=400, value="file is already there")
                held[said["filename"]] = said
                return self.made(f"nova/trunk/{name}/+file/{said['filename']}")
        return Response(status=404, value="there is none")

    def patched(self, request: Request, state: Any, parts: list[str]) -> Response:
        if parts[1] != "+milestone":
            state["milestones"][parts[2]]["release"] |= request.json
            return self.release(state, parts[2])
        state["milestones"][parts[2]] |= request.json
        return self.milestone(state, parts[2])

    def made(self, path: str) -> Response:
        return Response(status=201, body=b"", headers={"Location": self.root + quote(path)})

    def milestone(self, state: Any, name: str) -> Response:
        held = state["milestones"].get(name)
        if held is None:
            return Response()
        link = f"{self.root}nova/trunk/{name}" if held["release"] else None
        about = {"name": name, "is_active": held["is_active"], "release_link": link}
        return self.entry(f"nova/+milestone/{name}", "milestone", **about)

    def release(self, state: Any, name: str) -> Response:
        at, held = f"nova/trunk/{name}", state["milestones"][name]["release"]
        about = {"release_notes": held["release_notes"], "web_link": f"https://launchpad.example/{at}"}
        return self.entry(at, "project_release", **about, files_collection_link=f"{self.root}{at}/files")

    def file(self, name: str, file: str) -> Response:
        return self.entry(f"nova/trunk/{name}/+file/{quote(file)}", "project_release_file")

    def entry(self, path: str, kind: str, **fields: Any) -> Response:
        about = {"self_link": self.root + path, "resource_type_link": f"{self.root}#{kind}", "http_etag": '"1"'}
        return Response(value=about | fields)

    def listed(self, entries: list[Response], kind: str) -> Response:
        about = {"total_size": len(entries), "start": 0, "resource_type_link": f"{self.root}#{kind}-page-resource"}
        return Response(value=about | {"entries": [entry.value for entry in entries]})


def _form(request: Request) -> dict[str, Any]:
    """The fields of a form; what launchpadlib wrote as JSON is read as JSON."""
    kind = request.headers["content-type"]
    if not kind.startswith("multipart/"):
        return {name: _plain(value) for name, value in parse_qsl(request.body.decode())}
    whole = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + request.body)
    fields: dict[str, Any] = {}
    for part in whole.iter_parts():
        name, data = str(part.get_param("name", header="content-disposition")), part.get_payload(decode=True)
        assert isinstance(data, bytes)
        fields[name] = data if name.endswith("_content") else _plain(data.decode())
    return fields


def _plain(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text

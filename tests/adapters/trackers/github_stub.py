"""A stub of GitHub's releases as its REST API documents them: drafts, assets, publishing, immutable releases."""

from hashlib import sha256
from typing import Any

from tests.adapters.trackers.stub import Request, Response, Stub

TOKEN = "a-token"
REPOSITORY = "example/nova"


class GitHubStub(Stub):
    """One repository with tags; `tells`: whether assets have a digest; `immutable`: whether what is public can change.

    Files are kept at another host, where a token must not be seen.
    """

    def __init__(self, tags: dict[str, str], *, tells: bool = True, immutable: bool = True) -> None:
        super().__init__()
        self.tells = tells
        self.immutable = immutable
        self.renames = ""
        self.state = {"tags": tags, "releases": {}, "next": 1}

    def answer(self, request: Request, state: Any) -> Response:
        if request.path.startswith("/storage/"):
            if "authorization" in request.headers:
                return Response(status=400, value={"message": "only one way to authenticate"})
            asset = _asset(state, int(request.path.rpartition("/")[2]))
            return Response(body=asset["data"]) if asset else Response(status=404)
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Response(status=401, value={"message": "Bad credentials"})
        parts = request.path.removeprefix("/uploads").strip("/").split("/")
        if parts[:3] != ["repos", *REPOSITORY.split("/")]:
            return Response(status=404, value={"message": "Not Found"})
        return self.route(request, state, parts[3:])

    def route(self, request: Request, state: Any, parts: list[str]) -> Response:
        match request.method, *parts:
            case ("GET",):
                return Response(value={"permissions": {"push": True}})
            case "GET", "git", "ref", "tags", *tag:
                sha = state["tags"].get("/".join(tag))
                return Response(value={"object": {"sha": sha, "type": "tag"}}) if sha else Response(status=404)
            case "GET", "releases":
                return self.listed(request, state)
            case "POST", "releases":
                return self.create(request.json, state)
            case "PATCH", "releases", number:
                return self.edit(state["releases"].get(int(number)), request.json)
            case "DELETE", "releases", number:
                state["releases"].pop(int(number), None)
                return Response(status=204, body=b"")
        return self.route_assets(request, state, parts)

    def route_assets(self, request: Request, state: Any, parts: list[str]) -> Response:
        match request.method, *parts:
            case "POST", "releases", number, "assets":
                return self.upload(request, state, state["releases"].get(int(number)))
            case "GET", "releases", "assets", number:
                return Response(status=302, headers={"Location": f"http://localhost:{self.port}/storage/{number}"})
            case "DELETE", "releases", "assets", number:
                for release in state["releases"].values():
                    release["assets"] = [a for a in release["assets"] if a["id"] != int(number)]
                return Response(status=204, body=b"")
        return Response(status=404, value={"message": "Not Found"})

    def listed(self, request: Request, state: Any) -> Response:
        size, page = int(request.query.get("per_page", 30)), int(request.query.get("page", 1))
        newest = sorted(state["releases"].values(), key=lambda release: -int(release["id"]))
        return Response(value=[self.shown(r) for r in newest[(page - 1) * size : page * size]])

    def create(self, said: dict[str, Any], state: Any) -> Response:
        if "target_commitish" in said:
            return Response(status=400, value={"message": "the stub's own rule: this would make a tag"})
        public = [r for r in state["releases"].values() if r["tag_name"] == said["tag_name"] and not r["draft"]]
        if public:
            return Response(status=422, value={"errors": [{"code": "already_exists", "field": "tag_name"}]})
        release = {"id": state["next"], "assets": [], **said}
        state["releases"][state["next"]] = release
        state["next"] += 1
        return Response(status=201, value=self.shown(release))

    def edit(self, release: dict[str, Any] | None, said: dict[str, Any]) -> Response:
        if release is None:
            return Response(status=404)
        release |= {key: value for key, value in said.items() if key != "make_latest"}
        return Response(value=self.shown(release))

    def upload(self, request: Request, state: Any, release: dict[str, Any] | None) -> Response:
        if release is None:
            return Response(status=404)
        name = request.query["name"]
        if any(asset["name"] == name for asset in release["assets"]) or (self.immutable and not release["draft"]):
            return Response(status=422, value={"errors": [{"code": "already_exists", "field": "name"}]})
        return Response(status=201, value=self.asset(self.store(state, release, self.renames + name, request.body)))

    def broken(self, request: Request, state: Any) -> None:
        if request.path.endswith("/assets"):
            release = state["releases"][int(request.path.split("/")[-2])]
            self.store(state, release, request.query["name"], b"")["state"] = "starter"

    @staticmethod
    def store(state: Any, release: dict[str, Any], name: str, data: bytes) -> dict[str, Any]:
        asset = {"id": state["next"], "name": name, "state": "uploaded", "data": data}
        state["next"] += 1
        release["assets"].append(asset)
        return asset

    def shown(self, release: dict[str, Any]) -> dict[str, Any]:
        at = f"{self.url}/repos/{REPOSITORY}/releases/{release['id']}"
        return {
            "url": at,
            "upload_url": f"{self.url}/uploads/repos/{REPOSITORY}/releases/{release['id']}/assets{{?name,label}}",
            "html_url": f"https://forge.example/{REPOSITORY}/releases/tag/{release['tag_name']}",
            **release,
            "assets": [self.asset(asset) for asset in release["assets"]],
        }

    def asset(self, asset: dict[str, Any]) -> dict[str, Any]:
        digest = f"sha256:{sha256(asset['data']).hexdigest()}" if asset["state"] == "uploaded" else None
        return {
            "id": asset["id"],
            "name": asset["name"],
            "state": asset["state"],
            "size": len(asset["data"]),
            "url": f"{self.url}/repos/{REPOSITORY}/releases/assets/{asset['id']}",
            "browser_download_url": f"https://forge.example/{REPOSITORY}/download/{asset['name']}",
            **({"digest": digest} if self.tells else {}),
        }


def _asset(state: Any, number: int) -> dict[str, Any] | None:
    assets = [asset for release in state["releases"].values() for asset in release["assets"]]
    return next((asset for asset in assets if asset["id"] == number), None)

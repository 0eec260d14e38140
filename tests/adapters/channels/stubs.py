"""Stubs of services that people are told on, as their documents have them: a webhook's receiver, Mastodon, X."""

import html
import re
from datetime import UTC, datetime
from typing import Any

from tests.adapters.trackers.stub import Request, Response, Stub

TIME = 1_775_100_000
"""When the stubs say that something was posted."""
LINK = re.compile(r"https?://\S+")


class Hook(Stub):
    """A receiver that drops an id which it has seen, as Standard Webhooks says; `got` are the messages by id."""

    status = 204

    def __init__(self) -> None:
        super().__init__()
        self.state = {}

    def answer(self, request: Request, state: Any) -> Response:
        if self.status < 300:
            state.setdefault(request.headers.get("webhook-id", ""), request)
        return Response(status=self.status, body=b"" if self.status == 204 else b"thanks, not JSON")


class MastodonStub(Stub):
    """One account. A key is kept until `forget()`; a link is shown in pieces, as the real one does. `limits` are the
    headers of a 429 that comes of every change."""

    limit = 500
    limits: dict[str, str] | None = None

    def __init__(self) -> None:
        super().__init__()
        self.state = {"statuses": [], "keys": {}}

    @property
    def statuses(self) -> list[dict[str, Any]]:
        return list(self.state["statuses"])

    def forget(self) -> None:
        """An hour has passed."""
        self.state["keys"] = {}

    def answer(self, request: Request, state: Any) -> Response:
        if request.headers.get("authorization") != "Bearer a-token":
            return Response(status=401, value={"error": "The access token is invalid"})
        match request.method, request.path:
            case "GET", "/api/v1/accounts/verify_credentials":
                return Response(value={"id": "7", "acct": "releases"})
            case "GET", "/api/v1/accounts/7/statuses":
                return Response(value=self.page(request, state))
            case "POST", "/api/v1/statuses":
                return self.post(request, state)
        return Response(status=404, value={"error": "Record not found"})

    def page(self, request: Request, state: Any) -> list[dict[str, Any]]:
        newest = sorted(state["statuses"], key=lambda status: -int(status["id"]))
        below = int(request.query.get("max_id", 1 << 40))
        return [status for status in newest if int(status["id"]) < below][: int(request.query["limit"])]

    def post(self, request: Request, state: Any) -> Response:
        if self.limits is not None:
            return Response(status=429, value={"error": "Too many requests"}, headers=self.limits)
        key, text = request.headers.get("idempotency-key", ""), request.json["status"]
        if key and key in state["keys"]:
            return Response(value=state["keys"][key])
        if len(LINK.sub("x" * 23, text)) > self.limit:
            return Response(status=422, value={"error": "Validation failed: Text character limit exceeded"})
        status = self.status(len(state["statuses"]) + 1, text)
        state["statuses"].append(status)
        state["keys"][key] = status
        return Response(value=status)

    @staticmethod
    def status(number: int, text: str, time: int = TIME) -> dict[str, Any]:
        shown = LINK.sub(lambda found: _pieces(found.group()), html.escape(text))
        created = datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        where = f"https://m.example/@releases/{number}"
        return {"id": str(number), "created_at": created, "url": where, "content": f"<p>{shown}</p>"}


def _pieces(url: str) -> str:
    scheme, rest = url.split("://")
    spans = f'<span class="invisible">{scheme}://</span><span class="ellipsis">{rest[:30]}</span>'
    return f'<a href="{url}" rel="nofollow">{spans}<span class="invisible">{rest[30:]}</span></a>'


class XStub(Stub):
    """One account; links are wrapped, and the same text twice is a 403.

    `unread`: its timeline cannot be read; `sure`: whatever is posted is a duplicate, it says; `limit` are the headers
    of a 429 that comes of everything.
    """

    def __init__(self) -> None:
        super().__init__()
        self.state = {"posts": []}
        self.unread = self.sure = False
        self.limit: dict[str, str] | None = None

    def answer(self, request: Request, state: Any) -> Response:
        if self.limit is not None:
            return Response(status=429, value={"title": "Too Many Requests"}, headers=self.limit)
        if "oauth_token=" not in request.headers.get("authorization", ""):
            return Response(status=401, value={"title": "Unauthorized"})
        match request.method, request.path:
            case "GET", "/2/users/me":
                return Response(value={"data": {"id": "9"}})
            case "GET", "/2/users/9/tweets":
                return Response(status=403, value={}) if self.unread else self.page(request, state["posts"])
            case "POST", "/2/tweets":
                return self.post(request.json["text"], state)
        return Response(status=404, value={"title": "Not Found"})

    def page(self, request: Request, posts: list[dict[str, Any]]) -> Response:
        """Newest first, a page of them; a page that is empty has no `data`."""
        newest = [post for post in posts[::-1] if post["created_at"] >= request.query["start_time"]]
        first, size = int(request.query.get("pagination_token", 0)), int(request.query["max_results"])
        more = {"next_token": str(first + size)} if newest[first + size :] else {}
        shown = newest[first : first + size]
        return Response(value={"meta": {"result_count": len(shown), **more}} | ({"data": shown} if shown else {}))

    def post(self, text: str, state: Any) -> Response:
        links = LINK.findall(text)
        shown = html.escape(LINK.sub("https://t.co/abc", text), quote=False)
        if self.sure or any((post["text"], post["links"]) == (shown, links) for post in state["posts"]):
            detail = "You are not allowed to create a Tweet with duplicate content."
            return Response(status=403, value={"title": "Forbidden", "detail": detail})
        state["posts"].append(self.made(len(state["posts"]) + 1, shown, links))
        return Response(status=201, value={"data": {"id": state["posts"][-1]["id"], "text": shown}})

    @staticmethod
    def made(number: int, text: str, links: list[str], time: int = TIME) -> dict[str, Any]:
        """A post as the timeline has it."""
        created = datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        urls = [{"url": "https://t.co/abc", "expanded_url": link} for link in links]
        return {"id": str(number), "created_at": created, "text": text, "links": links, "entities": {"urls": urls}}

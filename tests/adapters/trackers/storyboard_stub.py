"""A stub of StoryBoard's REST API, version 1: stories by tag, tasks, comments, milestones."""

from typing import Any

from tests.adapters.trackers.stub import Request, Response, Stub

TOKEN = "a-token"


class StoryBoardStub(Stub):
    """One project with a branch, and the stories that a test makes."""

    def __init__(self) -> None:
        super().__init__()
        self.state = {
            "projects": [{"id": 1, "name": "example/nova"}],
            "branches": [{"id": 2, "name": "stable/1", "project_id": 1}],
            "stories": [],
            "tasks": [],
            "comments": [],
            "milestones": [],
            "next": 10,
        }

    @property
    def api(self) -> str:
        return f"{self.url}/api/v1"

    def story(self, *tags: str) -> int:
        return int(self.add(self.state, "stories", {"title": "a release", "tags": list(tags)})["id"])

    @staticmethod
    def add(state: Any, kind: str, value: dict[str, Any]) -> dict[str, Any]:
        made = {"id": state["next"], **value}
        state["next"] += 1
        state[kind].append(made)
        return made

    def answer(self, request: Request, state: Any) -> Response:
        parts = request.path.removeprefix("/api/v1/").split("/")
        if request.writes and request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Response(status=401, value={"faultstring": "Authorization required"})
        return self.written(request, state, parts) if request.writes else self.looked(request, state, parts)

    def looked(self, request: Request, state: Any, parts: list[str]) -> Response:
        match parts:
            case ["projects", *name]:
                found = [p for p in state["projects"] if p["name"] == "/".join(name)]
                return Response(value=found[0]) if found else Response(status=404, value={})
            case ["stories"]:
                return Response(value=[s for s in state["stories"] if request.query["tags"] in s["tags"]])
            case ["stories", story, ("tasks" | "comments") as kind]:
                return Response(value=[item for item in state[kind] if item["story_id"] == int(story)])
            case [("branches" | "milestones") as kind]:
                return Response(value=[item for item in state[kind] if request.query["name"] in item["name"]])
        return Response(status=404, value={})

    def written(self, request: Request, state: Any, parts: list[str]) -> Response:
        match request.method, *parts:
            case "POST", "milestones":
                said = request.json
                if any((m["name"], m["branch_id"]) == (said["name"], said["branch_id"]) for m in state["milestones"]):
                    return Response(status=400, value={"faultstring": "already exists"})
                return Response(value=self.add(state, "milestones", said))
            case "POST", "tasks":
                return self.task(request.json, state)
            case "PUT", "tasks", number:
                task = next(task for task in state["tasks"] if task["id"] == int(number))
                task |= request.json
                return Response(value=task)
            case "POST", "stories", story, "comments":
                comment = self.add(state, "comments", {"story_id": int(story), **request.json})
                return Response(value={"id": comment["id"] + 1000, "comment_id": comment["id"]})
        return Response(status=404, value={})

    def task(self, said: dict[str, Any], state: Any) -> Response:
        if "milestone_id" in said and (said["status"] != "merged" or "branch_id" not in said):
            return Response(status=400, value={"faultstring": "Milestones can only be associated with merged tasks"})
        return Response(value=self.add(state, "tasks", said))

"""StoryBoard as a place: the story of a release gets the address of its page, as a task's link and in one comment.

The story is found by a tag, for titles are not unique; a milestone is, by its name and branch. A task whose link is set
again stays one task. Source: StoryBoard's REST API, version 1.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from tagtrail.formats.carried import address, link, own_names, step_effect, step_of, withdrawal
from tagtrail.formats.site import Site
from tagtrail.io.api import Answer, Api
from tagtrail.model.errors import RemoteError
from tagtrail.model.facts import Effect, Entry, Logged, Receipt, Skip, Survey
from tagtrail.model.notice import Notice
from tagtrail.ports import Conflict, Refused

__all__ = ["StoryBoard"]

SOON, LATER = 30, 3600


@dataclass(slots=True, kw_only=True)
class StoryBoard:
    """The port `Target` for the stories with `tag`; tasks are of `project` (both with {project}, `tag` with {version}).

    With a `branch` there is a milestone of the version on it; with `files` a task for each file beside that of the
    release page. `entry` gives the trail's entry at an index. A release that has no story needs nothing told, and the
    receipt says so; with `required` it is waited for.
    """

    name: str
    api: Api
    project: str
    tag: str
    branch: str = ""
    site: Site
    entry: Callable[[int], Entry]
    files: bool = False
    required: bool = False
    retry: Literal["keyed", "searchable", "blind"] = "searchable"
    lag: int = 600

    def survey(self, project: str) -> Survey:
        """See `tagtrail.ports.Target`. A StoryBoard holds no files."""
        there = self.api.look(f"projects/{self._name(project)}")
        note = "" if there else f"there is no project {self._name(project)}"
        return Survey(target=self.name, note=note, unlisted=True)

    def plan(self, logged: Logged, notice: Notice | None) -> tuple[Effect | Skip, ...]:
        """See `tagtrail.ports.Target`: the milestone, the tasks, the comment."""
        entry = logged.entry
        if entry.event == "withdraw":
            return (self._effect(entry, "comment", f"{entry.project} {entry.version}", address(self.site, entry)),)
        return tuple(self._plan(entry)) if entry.event == "release" else ()

    def _plan(self, entry: Entry) -> Iterator[Effect]:
        page = address(self.site, entry)
        if self.branch:
            yield self._effect(entry, "milestone", entry.version, entry.version)
        yield self._effect(entry, "task", f"{entry.project} {entry.version}", page)
        for name in own_names(entry) if self.files else ():
            yield self._effect(entry, "task", name, self.site.url + self.site.file(entry.project, name))
        yield self._effect(entry, "comment", f"{entry.project} {entry.version}", page)

    def _effect(self, entry: Entry, step: str, title: str, text: str) -> Effect:
        return step_effect(self.name, entry, step, title, f"{step}: {title}", link(text))

    def find(self, effect: Effect) -> Receipt | None:
        """See `tagtrail.ports.Target`."""
        step, title = step_of(effect)
        entry = self.entry(effect.entry)
        if step == "milestone":
            found = self._milestone(entry)
            return self._receipt(f"milestones/{found['id']}", title) if found else None
        story = self._story(entry)
        if story is None:
            return None if self.required else self._nothing(entry, effect)
        return self._task(story, title, self._wanted(effect)) if step == "task" else self._comment(story, entry)

    def apply(self, effect: Effect) -> Receipt:
        """See `tagtrail.ports.Target`. A story that nobody has made yet is waited for."""
        found = self.find(effect)
        if found and found.sha256 != effect.blob.sha256:
            raise Conflict(found.note)
        if found:
            return found
        step, title = step_of(effect)
        entry = self.entry(effect.entry)
        if step == "milestone":
            return self._done(
                effect, self.api.send("POST", "milestones", {"name": title, "branch_id": self._on(entry)})
            )
        story = self._story(entry)
        if story is None:
            raise Refused(f"no story has the tag {self._label(entry)}: make one", LATER)
        if step == "comment":
            return self._done(
                effect, self.api.send("POST", f"stories/{story}/comments", {"content": self._text(entry)})
            )
        return self._done(effect, self._link(entry, story, title, self._wanted(effect)))

    def _link(self, entry: Entry, story: int, title: str, url: str) -> Answer:
        """The link of the story's task of this title, or a new task, which is done."""
        for task in self._list(f"stories/{story}/tasks"):
            if task["title"] == title:
                return self.api.send("PUT", f"tasks/{task['id']}", {"link": url})
        about = {"title": title, "link": url, "story_id": story, "status": "merged"}
        about["project_id"] = self._id(f"projects/{self._name(entry.project)}")
        if self.branch:
            milestone = self._milestone(entry)
            if milestone is None:
                raise Refused(f"waits for the milestone {entry.version}", SOON)
            about |= {"branch_id": milestone["branch_id"], "milestone_id": milestone["id"]}
        return self.api.send("POST", "tasks", about)

    def _done(self, effect: Effect, answer: Answer) -> Receipt:
        """What was made; a 400 says that it is there already or is not wanted: look, do not read the text."""
        step, title = step_of(effect)
        if answer.ok:
            key = "comment_id" if step == "comment" else "id"
            return Receipt(where=self._url(f"{step}s/{answer.value[key]}"), sha256=effect.blob.sha256)
        found = self.find(effect)
        if found and found.sha256 == effect.blob.sha256:
            return found
        raise Refused(f"{self.api.base} answers {answer.status} to {step} {title}", LATER)

    def _task(self, story: int, title: str, url: str) -> Receipt | None:
        tasks = self._list(f"stories/{story}/tasks")
        linked = [task for task in tasks if task["link"] == url] or [
            t for t in tasks if t["title"] == title and t["link"]
        ]
        if len(linked) > 1:
            return self._several(f"stories/{story}", f"{len(linked)} tasks for {url}")
        if not linked:
            return None
        where, said = self._url(f"tasks/{linked[0]['id']}"), linked[0]["link"]
        return Receipt(where=where, sha256=link(said).sha256, note="" if said == url else f"{where} says {said}")

    def _comment(self, story: int, entry: Entry) -> Receipt | None:
        ours = [c for c in self._list(f"stories/{story}/comments") if c["content"] == self._text(entry)]
        if len(ours) > 1:
            return self._several(f"stories/{story}", f"{len(ours)} comments for {entry.version}")
        return self._receipt(f"stories/{story}/comments/{ours[0]['id']}", address(self.site, entry)) if ours else None

    def _receipt(self, path: str, text: str) -> Receipt:
        return Receipt(where=self._url(path), sha256=link(text).sha256)

    def _nothing(self, entry: Entry, effect: Effect) -> Receipt:
        label = self._label(entry)
        note = f"no story has the tag {label}, so there is nothing to tell it"
        return Receipt(where=self._url(f"stories?tags={label}"), sha256=effect.blob.sha256, note=note)

    def _several(self, path: str, what: str) -> Receipt:
        return Receipt(where=self._url(path), sha256="", note=f"{self._url(path)} has {what}: remove all but one")

    def _story(self, entry: Entry) -> int | None:
        """The oldest story with the tag."""
        label = self._label(entry)
        return min((s["id"] for s in self._list("stories", tags=label) if label in s["tags"]), default=None)

    def _milestone(self, entry: Entry) -> dict[str, Any] | None:
        listed = self._list("milestones", name=entry.version, branch_id=self._on(entry))
        return next((m for m in listed if m["name"] == entry.version), None)

    def _on(self, entry: Entry) -> int:
        project = self._id(f"projects/{self._name(entry.project)}")
        branches = self._list("branches", name=self.branch, project_id=project)
        found = next((branch["id"] for branch in branches if branch["name"] == self.branch), None)
        if found is None:
            raise RemoteError(f"{self._name(entry.project)} has no branch {self.branch}", code="api-missing")
        return int(found)

    def _id(self, path: str) -> int:
        there = self.api.look(path)
        if not isinstance(there, dict):
            raise RemoteError(f"there is no {self._url(path)}", code="api-missing")
        return int(there["id"])

    def _list(self, path: str, **query: str | int) -> list[dict[str, Any]]:
        listed = self.api.look(path, **query)
        if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
            raise RemoteError(f"{self._url(path)} is no list", code="api-reply")
        return listed

    def _wanted(self, effect: Effect) -> str:
        """The address that a task links to."""
        entry, (_, title) = self.entry(effect.entry), step_of(effect)
        of_file = title in own_names(entry)
        return self.site.url + self.site.file(entry.project, title) if of_file else address(self.site, entry)

    def _text(self, entry: Entry) -> str:
        if entry.event == "withdraw":
            return withdrawal(self.site, entry)
        return f"{entry.project} {entry.version} is released: {address(self.site, entry)}"

    def _label(self, entry: Entry) -> str:
        return self.tag.replace("{project}", entry.project).replace("{version}", entry.version)

    def _name(self, project: str) -> str:
        return self.project.replace("{project}", project)

    def _url(self, path: str) -> str:
        return f"{self.api.base.rstrip('/')}/{path}"

"""Mastodon as a channel: one status for a notice, with the service's own key against a second one.

The key is kept for an hour; after that, and where our journal is lost, our own statuses are read: one that says the
same words and links to the same page is ours. Source: Mastodon's API, statuses (`Idempotency-Key`) and accounts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from html.parser import HTMLParser
from typing import Any, Literal

from tagtrail.formats.notice import parse_notice
from tagtrail.formats.told import notice_effects, same_words, shortened, told_key
from tagtrail.io.api import Api
from tagtrail.model.errors import RemoteError
from tagtrail.model.facts import Effect, Logged, Receipt, Skip, Survey
from tagtrail.model.notice import Notice
from tagtrail.ports import Kept, Refused

__all__ = ["LIMIT", "Mastodon"]

LIMIT = 500
"""Characters, unless the server has another limit."""
PAGE, PAGES = 40, 25
DAY = 86_400
LATER = 3_600


@dataclass(slots=True, kw_only=True)
class Mastodon:
    """The port `Target` for the account that `api`'s token belongs to."""

    name: str
    api: Api
    kept: Kept
    limit: int = LIMIT
    visibility: str = "public"
    retry: Literal["keyed", "searchable", "blind"] = "searchable"
    lag: int = 600

    def survey(self, project: str) -> Survey:
        """See `tagtrail.ports.Target`."""
        return Survey(target=self.name, note=f"statuses at {self.api.base}")

    def plan(self, logged: Logged, notice: Notice | None) -> tuple[Effect | Skip, ...]:
        """See `tagtrail.ports.Target`: one status; words go where it would be too long."""
        if notice is not None and not shortened(notice, self.limit):
            because = f"its address alone has more than {self.limit} characters"
            return (Skip(target=self.name, what=notice.subject, because=because),)
        return notice_effects(self.name, logged, notice)

    def find(self, effect: Effect) -> Receipt | None:
        """See `tagtrail.ports.Target`: among our own statuses, back to the day before the release."""
        notice = self._notice(effect)
        wanted = shortened(notice, self.limit)
        for status in self._statuses(notice.time - DAY):
            read = _Read(str(status["content"]))
            if same_words(read.text, read.links, wanted, notice):
                return Receipt(where=str(status.get("url") or status["id"]), sha256=effect.blob.sha256)
        return None

    def apply(self, effect: Effect) -> Receipt:
        """See `tagtrail.ports.Target`."""
        notice = self._notice(effect)
        said = {"status": shortened(notice, self.limit), "visibility": self.visibility}
        headers = {"Idempotency-Key": told_key(self.name, notice)}
        answer = self.api.send("POST", "api/v1/statuses", said, headers=headers)
        if not answer.ok:
            why = answer.value.get("error", "") if isinstance(answer.value, dict) else ""
            raise Refused(f"{self.api.base} answers {answer.status}: {str(why)[:200]!r}", LATER)
        where = answer.value.get("url") if isinstance(answer.value, dict) else None
        return Receipt(where=str(where or self.api.base), sha256=effect.blob.sha256)

    def _statuses(self, since: int) -> Iterator[dict[str, Any]]:
        """Ours, newest first. Raises RemoteError `api-reply` where there are too many to read."""
        about = self.api.look("api/v1/accounts/verify_credentials")
        if not isinstance(about, dict) or "id" not in about:
            raise RemoteError(f"{self.api.base} does not say who we are", code="api-reply")
        query: dict[str, str | int] = {"limit": PAGE, "exclude_reblogs": "true"}
        for _ in range(PAGES):
            listed = self.api.look(f"api/v1/accounts/{about['id']}/statuses", **query)
            if not isinstance(listed, list):
                raise RemoteError(f"{self.api.base} does not list our statuses", code="api-reply")
            yield from listed
            if not listed or datetime.fromisoformat(listed[-1]["created_at"]).timestamp() < since:
                return
            query["max_id"] = str(listed[-1]["id"])
        what = f"{self.api.base} has more than {PAGE * PAGES} statuses of ours since the release"
        raise RemoteError(what, code="api-reply")

    def _notice(self, effect: Effect) -> Notice:
        return parse_notice(self.kept.read(effect.blob.sha256))


class _Read(HTMLParser):
    """A status as words and links."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.text = ""
        self.links: set[str] = set()
        self.feed(content)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A link's address; a new line is white space."""
        if tag == "a":
            self.links.add(dict(attrs).get("href") or "")
        if tag in ("br", "p"):
            self.text += " "

    def handle_data(self, data: str) -> None:
        """Words."""
        self.text += data

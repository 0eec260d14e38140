"""X as a channel: one post for a notice; what the service calls a duplicate is looked up, not believed.

A post has no key, so our own timeline says whether it is there: the same words and a link to the same page. The
service wraps links; their own addresses are beside the text. Source: X API v2, POST /2/tweets and user timelines.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import unescape
from typing import TYPE_CHECKING, Any, Literal

from tagtrail.formats.notice import parse_notice
from tagtrail.formats.told import notice_effects, same_words, shortened
from tagtrail.model.errors import RemoteError
from tagtrail.model.facts import Effect, Logged, Receipt, Skip, Survey
from tagtrail.model.notice import Notice
from tagtrail.ports import Clock, Kept, Refused, Unknown

if TYPE_CHECKING:
    import tweepy

__all__ = ["LIMIT", "X", "connect"]

LIMIT = 280
PAGE, PAGES = 100, 10
DAY = 86_400
BUSY, LATER = 900, 3_600


def connect(consumer: tuple[str, str], access: tuple[str, str]) -> "tweepy.Client":
    """A client of our own account: (key, secret) of the application, (token, secret) of the account."""
    import tweepy

    return tweepy.Client(
        consumer_key=consumer[0],
        consumer_secret=consumer[1],
        access_token=access[0],
        access_token_secret=access[1],
        return_type=dict,
    )


@dataclass(slots=True, kw_only=True)
class X:
    """The port `Target` for the account of `client`; with `search` False the timeline cannot be read, and it is
    blind."""

    name: str
    client: Callable[[], Any]
    kept: Kept
    clock: Clock
    search: bool = True
    lag: int = 900
    retry: Literal["keyed", "searchable", "blind"] = field(init=False)

    def __post_init__(self) -> None:
        self.retry = "searchable" if self.search else "blind"

    def survey(self, project: str) -> Survey:
        """See `tagtrail.ports.Target`: reading costs of the account's quota, so nothing is asked."""
        return Survey(target=self.name, note="posts on X")

    def plan(self, logged: Logged, notice: Notice | None) -> tuple[Effect | Skip, ...]:
        """See `tagtrail.ports.Target`: one post; words go where it would be too long."""
        if notice is not None and not shortened(notice, LIMIT, weighed=True):
            because = f"its address alone has more than {LIMIT} characters"
            return (Skip(target=self.name, what=notice.subject, because=because),)
        return notice_effects(self.name, logged, notice)

    def find(self, effect: Effect) -> Receipt | None:
        """See `tagtrail.ports.Target`: in our own timeline, back to the day before the release."""
        if not self.search:
            return None
        notice = self._notice(effect)
        wanted = shortened(notice, LIMIT, weighed=True)
        for post in self._posts(datetime.fromtimestamp(notice.time - DAY, UTC)):
            links = [link["expanded_url"] for link in post.get("entities", {}).get("urls", ())]
            if same_words(unescape(post["text"]), links, wanted, notice):
                return self._receipt(post["id"], effect)
        return None

    def apply(self, effect: Effect) -> Receipt:
        """See `tagtrail.ports.Target`. A 403 may say that it is there already: then it is found, or it is refused."""
        import requests
        import tweepy

        text = shortened(self._notice(effect), LIMIT, weighed=True)
        try:
            return self._receipt(self.client().create_tweet(text=text, user_auth=True)["data"]["id"], effect)
        except tweepy.TooManyRequests as error:
            raise Refused("X answers 429: too many requests", self._wait(error.response)) from error
        except tweepy.TwitterServerError as error:
            raise Unknown(f"X answers {error.response.status_code}") from error
        except tweepy.HTTPException as error:
            if self.search and (found := self._found(effect)):
                return found
            raise Refused(f"X answers {error.response.status_code}: {_words(error)}", LATER) from error
        except requests.ConnectTimeout as error:
            raise Refused("X does not answer", BUSY) from error
        except (requests.RequestException, KeyError, TypeError, ValueError) as error:
            raise Unknown(f"X did not say whether it took it: {type(error).__name__}") from error

    def _posts(self, since: datetime) -> Iterator[dict[str, Any]]:
        """Ours, newest first. Raises RemoteError `api-unreachable`; `api-reply` where there are too many to read."""
        asked: dict[str, Any] = {"max_results": PAGE, "start_time": since, "tweet_fields": ["entities"]}
        with _looking():
            me = self.client().get_me(user_auth=True)["data"]["id"]
        for _ in range(PAGES):
            with _looking():
                there = self.client().get_users_tweets(me, user_auth=True, **asked)
                posts, token = there.get("data", ()), there.get("meta", {}).get("next_token")
            yield from posts
            if not token:
                return
            asked["pagination_token"] = token
        raise RemoteError(f"X has more than {PAGE * PAGES} posts of ours since the release", code="api-reply")

    def _found(self, effect: Effect) -> Receipt | None:
        try:
            return self.find(effect)
        except RemoteError:
            return None

    def _wait(self, response: Any) -> int:
        said = response.headers.get("x-rate-limit-reset", "")
        left = int(said) - self.clock() if said.isascii() and said.isdigit() and len(said) < 12 else BUSY
        return min(max(left, 1), DAY)

    def _receipt(self, number: object, effect: Effect) -> Receipt:
        return Receipt(where=f"https://x.com/i/status/{number}", sha256=effect.blob.sha256)

    def _notice(self, effect: Effect) -> Notice:
        return parse_notice(self.kept.read(effect.blob.sha256))


@contextmanager
def _looking() -> Iterator[None]:
    import requests
    import tweepy

    try:
        yield
    except (tweepy.TweepyException, requests.RequestException, KeyError, TypeError, ValueError) as error:
        raise RemoteError("our timeline on X cannot be read", code="api-unreachable", why=_words(error)) from error


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:200]

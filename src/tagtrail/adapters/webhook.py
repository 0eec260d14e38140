"""A webhook as a channel: a signed notice to an address, with an id that is the same at every attempt.

Whoever receives it drops an id that it has seen, so it is sent until a 2xx comes back. Source: Standard Webhooks 1.0.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from tagtrail.formats.notice import parse_notice
from tagtrail.formats.told import notice_effects, told_key
from tagtrail.formats.webhook import webhook_body, webhook_headers
from tagtrail.io.api import Api, Body
from tagtrail.model.facts import Effect, Logged, Receipt, Skip, Survey
from tagtrail.model.notice import Notice
from tagtrail.ports import Clock, Kept, Refused

__all__ = ["Webhook"]

LATER = 3_600


@dataclass(slots=True, kw_only=True)
class Webhook:
    """The port `Target` for the address that is `api`'s base; `secrets` are the live ones, newest first."""

    name: str
    api: Api
    secrets: Sequence[Callable[[], str]]
    kept: Kept
    clock: Clock
    retry: Literal["keyed", "searchable", "blind"] = "keyed"
    lag: int = 600

    def survey(self, project: str) -> Survey:
        """See `tagtrail.ports.Target`: it is asked when there is something to send."""
        return Survey(target=self.name, note="a webhook is not asked before")

    def plan(self, logged: Logged, notice: Notice | None) -> tuple[Effect | Skip, ...]:
        """See `tagtrail.ports.Target`: one message."""
        return notice_effects(self.name, logged, notice)

    def find(self, effect: Effect) -> Receipt | None:
        """See `tagtrail.ports.Target`: nobody can look; its answer counts."""
        return None

    def apply(self, effect: Effect) -> Receipt:
        """See `tagtrail.ports.Target`: one attempt; any 2xx is yes, a redirect is not followed."""
        notice = parse_notice(self.kept.read(effect.blob.sha256))
        data = webhook_body(notice)
        secrets = [secret() for secret in self.secrets]
        headers = webhook_headers(told_key(self.name, notice), self.clock(), data, secrets)
        body = Body(chunks=[data], size=len(data), media="application/json")
        answer = self.api.send("POST", self.api.base, body=body, headers=headers, deaf=True)
        if not answer.ok:
            raise Refused(f"{self.api.base} answers {answer.status}", LATER)
        return Receipt(where=self.api.base, sha256=effect.blob.sha256)

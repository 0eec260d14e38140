"""Any chat, pager or push service by an apprise address, as a channel: one attempt, and nobody can look.

apprise says yes or no; a no may have been sent all the same, so a person looks and says what it was.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tagtrail.formats.notice import parse_notice
from tagtrail.formats.told import notice_effects
from tagtrail.model.errors import SetupError
from tagtrail.model.facts import Effect, Logged, Receipt, Skip, Survey
from tagtrail.model.notice import Notice
from tagtrail.ports import Kept, Refused, Unknown

__all__ = ["Apprise"]

LATER = 600


@dataclass(slots=True, kw_only=True)
class Apprise:
    """The port `Target` for one apprise address, which `url` gives when it is used; `form`: the one line, or all."""

    name: str
    url: Callable[[], str]
    kept: Kept
    form: str = "short"
    retry: Literal["keyed", "searchable", "blind"] = "blind"
    lag: int = 600

    def survey(self, project: str) -> Survey:
        """See `tagtrail.ports.Target`."""
        return Survey(target=self.name, note="apprise is not asked before")

    def plan(self, logged: Logged, notice: Notice | None) -> tuple[Effect | Skip, ...]:
        """See `tagtrail.ports.Target`: one message."""
        return notice_effects(self.name, logged, notice)

    def find(self, effect: Effect) -> Receipt | None:
        """See `tagtrail.ports.Target`: nobody can look."""
        return None

    def apply(self, effect: Effect) -> Receipt:
        """See `tagtrail.ports.Target`. What is wrong with the address is known before anything is sent."""
        import apprise

        notice = parse_notice(self.kept.read(effect.blob.sha256))
        service = apprise.Apprise()
        try:
            known = service.add(self.url())
        except SetupError as error:
            raise Refused(f"{error.what}: {error.hint}", LATER) from error
        if not known:
            raise Refused(f"apprise does not know the address of targets.{self.name}", LATER)
        body, title = (notice.short, "") if self.form == "short" else (notice.text, notice.subject)
        if not service.notify(body=body, title=title, body_format=apprise.NotifyFormat.TEXT):
            raise Unknown("apprise says no, and not whether anything was sent")
        return Receipt(where=f"apprise:{self.name}", sha256=effect.blob.sha256)

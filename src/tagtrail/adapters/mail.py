"""Mail as a channel: one mail for a notice, never a second; where nobody knows whether it went, a person says.

Nobody can look into other people's letter boxes, so mail is blind. A list with an archive that has an address for each
Message-ID can be looked at: then an unclear mail is searched for there, and sent again only when the archive does not
have it after `lag` seconds.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote

from tagtrail.formats.mail import Envelope, archived, mail, message_id
from tagtrail.formats.mailbox import split
from tagtrail.formats.notice import parse_notice
from tagtrail.formats.told import notice_effects
from tagtrail.io.smtp import Smtp
from tagtrail.model.errors import RemoteError
from tagtrail.model.facts import Effect, Logged, Receipt, Skip, Survey
from tagtrail.model.notice import Notice
from tagtrail.ports import Kept

__all__ = ["DAY", "Mail"]

DAY = 86_400
NOBODY = "<nobody-sent-this@tagtrail.invalid>"
"""No archive has it: one that shows it shows anything."""
LARGEST = 16 * 1024 * 1024


@dataclass(slots=True, kw_only=True)
class Mail:
    """The port `Target` for mail to the lists of `envelope`.

    `archive` is an address with {message-id} or {hash} (Mailman's), empty where there is none; `digest` gives the
    SHA-256 of what is at an address (None: nothing), or raises RemoteError.
    """

    name: str
    smtp: Smtp
    envelope: Envelope
    kept: Kept
    archive: str = ""
    digest: Callable[[str, int], str | None] = lambda *_: None
    lag: int = DAY
    retry: Literal["keyed", "searchable", "blind"] = field(init=False)

    def __post_init__(self) -> None:
        self.retry = "searchable" if self.archive else "blind"

    def survey(self, project: str) -> Survey:
        """See `tagtrail.ports.Target`: a mail server is asked when there is something to send."""
        return Survey(target=self.name, note=f"mail to {', '.join(self.envelope.to)}")

    def plan(self, logged: Logged, notice: Notice | None) -> tuple[Effect | Skip, ...]:
        """See `tagtrail.ports.Target`: one mail."""
        return notice_effects(self.name, logged, notice)

    def find(self, effect: Effect) -> Receipt | None:
        """See `tagtrail.ports.Target`: whether the archive has it. RemoteError `archive-anything`: it shows what nobody
        sent."""
        if not self.archive:
            return None
        where = self._at(message_id(self.name, self._notice(effect)))
        if self.digest(where, LARGEST) is None:
            return None
        if self.digest(self._at(NOBODY), LARGEST) is not None:
            what = f"the archive of {self.name} shows a page for mails that nobody sent"
            raise RemoteError(what, code="archive-anything", hint=f"take archive out of [targets.{self.name}]")
        return Receipt(where=where, sha256=effect.blob.sha256)

    def apply(self, effect: Effect) -> Receipt:
        """See `tagtrail.ports.Target`: one attempt at one mail to all."""
        notice = self._notice(effect)
        data = mail(self.name, notice, self.envelope)
        sender, *to = (split(one)[1] for one in (self.envelope.sender, *self.envelope.to))
        words = self.smtp.send(sender, to, data)
        return Receipt(where=f"mailto:{','.join(to)}", sha256=effect.blob.sha256, note=words)

    def _notice(self, effect: Effect) -> Notice:
        return parse_notice(self.kept.read(effect.blob.sha256))

    def _at(self, message: str) -> str:
        plain = quote(message.strip("<>"), safe="@")
        return self.archive.replace("{message-id}", plain).replace("{hash}", archived(message))

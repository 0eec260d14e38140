"""What the release team is told of a tag: that it appeared, moved or vanished, what is wrong with it, where it goes."""

from typing import Literal

from tagtrail.model.facts import Finding
from tagtrail.model.frozen import frozen

__all__ = ["Sighting"]


@frozen
class Sighting:
    """A tag that is not what it was when somebody last looked.

    `object` is the id (40 or 64 hex) that the tag points at now, unpeeled, empty where it is gone; `before` what it
    was, empty for a new one. `entry` is the trail's index of a release that was made from `before`: then what happened
    concerns everybody, else the team. Of a new tag: `signer` is the fingerprint, where the signature counts;
    `findings` are what `check` says, `visible` who will see it, `approvals` how many must approve, `held` the hold that
    stands; `unread` why it could not be examined, empty where it was.
    """

    what: Literal["new", "moved", "gone"]
    project: str
    tag: str
    version: str = ""
    object: str = ""
    before: str = ""
    entry: int | None = None
    commit: str = ""
    signer: str = ""
    channel: str = ""
    follows: str = ""
    visible: str = ""
    targets: tuple[str, ...] = ()
    announce: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    approvals: int = 0
    held: str = ""
    unread: str = ""

    @property
    def is_alarm(self) -> bool:
        """Whether somebody must look before anything else is done."""
        return self.what != "new"

    @property
    def key(self) -> str:
        """Its own for ever: one word of it to each target."""
        return f"watch/{self.project}/{self.tag}/{self.before}..{self.object}"

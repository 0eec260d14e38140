"""What a good signature says, whatever its scheme."""

from dataclasses import dataclass

from tagtrail.model.facts import Key

__all__ = ["Statement"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A good signature: by whom, when it says so itself, and the times of the key that made it, in Unix seconds.

    The key is valid from `begins` on, before `expires`, before `revoked`; None: without limit.
    """

    signer: Key
    signed_at: int | None = None
    begins: int | None = None
    expires: int | None = None
    revoked: int | None = None

"""What a good signature says, whatever its scheme."""

from tagtrail.model.entry import Key
from tagtrail.model.frozen import frozen

__all__ = ["Statement"]


@frozen
class Statement:
    """A good signature: by whom, when it says so itself, and the times of the key that made it, in Unix seconds.

    The key is valid from `begins` on, before `expires`, before `revoked`; None: without limit.
    """

    signer: Key
    signed_at: int | None = None
    begins: int | None = None
    expires: int | None = None
    revoked: int | None = None

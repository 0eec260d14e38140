"""The head of a log, fetched apart from any proof: believed, recent enough, and grown from every tree seen before.

A proof beside a file is as old as the file, and stays good. A checkpoint that somebody fetches now should be of now,
and must contain what the log showed before: else the log, or somebody between, hides entries or shows different people
different ones.
"""

from tagtrail.formats import merkle, policy
from tagtrail.formats.note import Checkpoint
from tagtrail.formats.policy import Policy
from tagtrail.formats.root import Root
from tagtrail.formats.times import format_time
from tagtrail.model.errors import TamperError
from tagtrail.model.frozen import frozen
from tagtrail.verify.proofs import TOLERANCE, Seen, seen_by
from tagtrail.verify.roots import policy_of

__all__ = ["Head", "check_grown", "judge_head"]


@frozen
class Head:
    """A checkpoint that meets a policy.

    `fresh` is the latest time (Unix seconds) at which others than the log's operator said that it was the largest they
    knew; None where nobody else did.
    """

    checkpoint: Checkpoint
    seen: tuple[Seen, ...]
    fresh: int | None


def judge_head(data: bytes, trust: Root | Policy, now: int, max_age: int | None = None) -> Head:
    """The head in a signed note; `max_age` in seconds, None: of any age.

    Raises TamperError as `policy.check`, and root-policy, checkpoint-age-unknown, checkpoint-stale.
    """
    believed = policy_of(trust) if isinstance(trust, Root) else trust
    checked = policy.check(believed, data, now + TOLERANCE)
    seen = seen_by(believed, checked)
    others = [one.time for one in seen if not one.own]
    met = checked.fresh_time
    fresh = None if met is None or not others else min(met, max(others))
    if max_age is not None:
        _check_age(checked.checkpoint, fresh, now, max_age)
    return Head(checkpoint=checked.checkpoint, seen=seen, fresh=fresh)


def check_grown(before: Checkpoint, after: Checkpoint, read: merkle.Read | None) -> bool:
    """Whether `after` is proven to contain `before`; False where the tiles of `after` (`read`) are not to be had.

    Raises TamperError checkpoint-rollback, split-view, consistency-old-root, tile-size, tile-root, tile-mismatch.
    """
    if after.size < before.size:
        what = f"the checkpoint of {after.origin} has {after.size} entries, it had {before.size} before"
        why = "a log only grows: somebody shows an old checkpoint, or the log was cut back"
        raise TamperError(what, code="checkpoint-rollback", why=why)
    if before.size in {0, after.size}:
        merkle.verify_consistency(before.size, after.size, before.root, after.root, ())
        return True
    if read is None:
        return False
    try:
        path = merkle.consistency(before.size, after.size, read)
    except TamperError as error:
        if error.code == "tile-missing":
            return False
        raise
    merkle.verify_consistency(before.size, after.size, before.root, after.root, path)
    return True


def _check_age(checkpoint: Checkpoint, fresh: int | None, now: int, max_age: int) -> None:
    if fresh is None:
        what = f"nobody but the operator of {checkpoint.origin} says when its tree of {checkpoint.size} was the newest"
        raise TamperError(what, code="checkpoint-age-unknown", why="without other witnesses no checkpoint has an age")
    if now - fresh > max_age:
        what = f"the checkpoint of {checkpoint.origin} was last cosigned at {format_time(fresh)}"
        why = f"that is {now - fresh} seconds ago, at most {max_age} were asked for: newer entries may be withheld"
        raise TamperError(what, code="checkpoint-stale", why=why)

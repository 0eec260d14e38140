"""Which root or policy a command trusts: the one that was named, the instance's own, or those pinned by `trust`."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from tagtrail.app.consumer.beside import read_small
from tagtrail.formats import policy
from tagtrail.formats.encoding import shown
from tagtrail.formats.policy import Policy
from tagtrail.formats.root import MAX_ROOT, Root
from tagtrail.model.errors import SetupError, TamperError
from tagtrail.verify.roots import open_root

if TYPE_CHECKING:
    import argparse

    from tagtrail.app.consumer.beside import Where

__all__ = ["Trust", "chosen_trust", "own_root", "read_trust"]

T = TypeVar("T")

Trust = Callable[[str], Root | Policy]
"""What is trusted for a log's origin. Raises TamperError `unpinned`."""


def chosen_trust(args: "argparse.Namespace") -> Trust:
    """What `--root`, `--policy`, `-C` or the pins say, in this order; asked with a log's origin.

    `$TAGTRAIL_HOME` speaks for its own origin alone. Raises SetupError `file-missing`, TamperError `unpinned`, and what
    parsing a root or a policy raises.
    """
    if args.root is not None:
        root = read_trust(args.root, 2 * MAX_ROOT, open_root)
        return lambda _: root
    if args.policy is not None:
        believed = read_trust(args.policy, policy.MAX_SIZE, policy.parse)
        return lambda _: believed
    if args.home or os.environ.get("TAGTRAIL_HOME"):
        own = own_root(args.home)
        return lambda origin: own if args.home or origin == own.origin else _pinned(origin)
    return _pinned


def read_trust(path: "Where", limit: int, parse: Callable[[bytes], T]) -> T:
    """What `parse` makes of the file at `path`, whose errors name it. Raises SetupError `file-missing`."""
    data = read_small(path, limit)
    if data is None:
        hint = "a site has them as trail/root.json and trail/policy"
        raise SetupError(f"there is no {path}", code="file-missing", hint=hint)
    try:
        return parse(data)
    except TamperError as error:
        raise TamperError(f"{path}: {error.what}", code=error.code, why=error.why, hint=error.hint) from None


def own_root(home: str | None) -> Root:
    """The root of the instance at `home`, or `$TAGTRAIL_HOME`. Raises TamperError `unpinned` before its first."""
    from tagtrail.adapters.directory import DirectoryKept
    from tagtrail.adapters.sqlite import SqliteLedger
    from tagtrail.app.instance.home import Home, find_home
    from tagtrail.trail.keys import root_envelope

    at = Home(path=find_home(home))
    envelope = root_envelope(SqliteLedger(at.database), DirectoryKept(at.kept)) if at.database.exists() else None
    if envelope is None:
        why = "it comes into being with the first release"
        raise TamperError(f"the instance at {at.path} has no root of trust yet", code="unpinned", why=why)
    return open_root(envelope)


def _pinned(origin: str) -> Root:
    from tagtrail.app.consumer.trust_store import TrustStore

    root = TrustStore.standard().root(origin)
    if root is None:
        raise TamperError(
            f"nobody here has pinned a root of trust for the log {shown(origin)}",
            code="unpinned",
            why="what lies beside a file or on its site grants no trust",
            hint="tagtrail trust URL, of the site whose files these should be; or --root FILE, or --policy FILE",
        )
    return root

"""The settings of `watch`: who is told of a new tag, how long it rests, and the secrets of webhooks that come in.

[watch]
tell   = ["team"]                              # targets of types that tell people, and nobody else
after  = "1h"                                  # how long a tag rests before `watch --release` goes on with it
secret = ["env:HOOK", "env:HOOK_BEFORE"]       # at most two: the second while the first is brought out
"""

import re
from collections.abc import Mapping

from tagtrail.formats.times import parse_span
from tagtrail.formats.toml import Table, meant
from tagtrail.model.settings import TargetSettings, Watch

__all__ = ["PUBLIC", "watching"]

PUBLIC = frozenset({"site", "index", "github", "launchpad", "storyboard", "mastodon", "x"})
"""Types that carry files, or tell the whole world: findings are for the team."""
_REFERENCE = r"(env|file|cmd):\S.*"


def watching(table: Table, targets: Mapping[str, TargetSettings]) -> Watch:
    """The table `[watch]`; what is wrong with it is said to it."""
    tell, after, secrets = table.texts("tell", ()), table.text("after", "1h"), table.texts("secret", ())
    for name in tell:
        if name not in targets:
            table.problem("tell", f"there is no target {name!r}{meant(name, targets)}")
        elif targets[name].type in PUBLIC:
            table.problem("tell", f"{name} is of type {targets[name].type!r}, which tells not only the team")
    span = parse_span(after)
    if span is None:
        table.problem("after", f"is a number and a unit such as 90s, 30m, 2h or 3d, not {after!r}")
    if len(secrets) > 2:
        table.problem("secret", f"names {len(secrets)} secrets: at most two are live")
    for reference in secrets:
        if not re.fullmatch(_REFERENCE, reference):
            table.problem("secret", "is a secret in clear: write env:NAME, file:PATH or cmd:COMMAND")
    table.close()
    return Watch(tell=tell, after=span or 0, secrets=secrets)

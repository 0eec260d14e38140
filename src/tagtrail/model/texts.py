"""What an organisation says in its announcements beside the release itself: templates of its own, addresses, places."""

from tagtrail.model.frozen import frozen
from tagtrail.model.notice import Place

__all__ = ["TEXTS", "Sayings", "Text"]

TEXTS = (
    "subject", "short", "notice", "notice-html", "withdrawn", "withdrawn-html", "digest", "digest-html",
)  # fmt: skip
"""The texts that may be replaced, as `[texts]` names them."""


@frozen
class Text:
    """A template that replaces ours: `name` is of `TEXTS`, `file` as the settings write it, `source` its text."""

    name: str
    file: str
    source: str


@frozen
class Sayings:
    """What the settings and the places say of a release.

    `bugs` and `security` are addresses (https, mailto), `support_until` a date; empty: not said. `on_pypi`: plain `pip
    install` finds it. `places` are those that were seen to show it, beside the site.
    """

    bugs: str = ""
    security: str = ""
    support_until: str = ""
    on_pypi: bool = False
    places: tuple[Place, ...] = ()
    texts: tuple[Text, ...] = ()

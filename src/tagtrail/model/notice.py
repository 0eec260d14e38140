"""What is said of a release once it is out, or of the many of one day: one text for every channel."""

from tagtrail.model.frozen import frozen

__all__ = ["SHORT", "Notice", "Place", "ToldFile"]

SHORT = 280
"""Characters of the short form at most: what a microblog takes."""


@frozen
class ToldFile:
    """A file as the entry names it: lower-case hex SHA-256, bytes, and its address on the site."""

    name: str
    sha256: str
    size: int
    url: str


@frozen
class Place:
    """A place that was seen to show the release: the target's name, and where people find it (empty: nowhere to link
    to)."""

    name: str
    where: str = ""


@frozen
class Notice:
    r"""The announcement. The same release gives the same bytes: no clock, no locale.

    `subject` is one line with no control characters; `text` is plain UTF-8, its own lines at most 72 characters, `\n`
    only, with one at the end; `html` a fragment that loads nothing; `short` one line of at most `SHORT` characters
    that has the address. `entries` are the trail indexes that it speaks of, ascending: several, where the releases of
    a day are told together (then `project`, `version`, `channel`, `series` and `visible` are empty, and `files`
    too). `key` is its own for ever: what effects, Message-IDs and idempotency keys are made of. `thread` is what
    belongs together, the project and its series. `event` is `release`, `withdraw` or `digest`. `time` is the newest
    entry's, in Unix seconds. `url` is the page that tells it all, empty where the site has none; `verify` the command
    that checks the first file; `bugs`, `security` and `support_until` as the settings say, empty if they do not.
    """

    key: str
    event: str
    subject: str
    text: str
    html: str
    short: str
    entries: tuple[int, ...]
    time: int
    org: str
    origin: str
    thread: str = ""
    url: str = ""
    project: str = ""
    version: str = ""
    channel: str = ""
    series: str = ""
    visible: str = ""
    verify: str = ""
    bugs: str = ""
    security: str = ""
    support_until: str = ""
    files: tuple[ToldFile, ...] = ()
    places: tuple[Place, ...] = ()

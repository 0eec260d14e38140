"""How the site's files are to be served, whoever serves them: a bucket, nginx, Caddy, a CDN.

    path                                     Content-Type                            Cache-Control   attachment
    nova/nova-33.0.0.tar.gz                  application/gzip                        FOREVER         yes
    nova/nova-33.0.0.tar.gz.asc              application/pgp-signature               FOREVER
    nova/nova-33.0.0.tar.gz.tlog-proof       text/plain; charset=utf-8               BRIEFLY
    nova/33.0.0/index.html                   text/html; charset=utf-8                BRIEFLY
    nova/feed/1.atom                         application/atom+xml                    BRIEFLY
    simple/nova/index.json                   application/vnd.pypi.simple.v1+json     BRIEFLY
    trail/checkpoint                         text/plain; charset=utf-8               BRIEFLY
    trail/tile/0/000                         application/octet-stream                FOREVER
    trail/tile/0/001.p/8                     application/octet-stream                BRIEFLY

What never changes may be kept for ever: artifacts, what lies beside them, full tiles, numbered roots. Pages change, and
so may a proof (`tagtrail keys reprove`). What a browser could take for a page of ours is an attachment. Everything has
`X-Content-Type-Options: nosniff` where the server can say it; object storage cannot, the CDN before it can.
Sources: RFC 9111, RFC 8246 (immutable), PEP 691 (media types), C2SP tlog-tiles (what is immutable).
"""

import re

from tagtrail.formats.site import media
from tagtrail.model.names import PAGES, is_archived_feed

__all__ = ["BRIEFLY", "FOREVER", "NOSNIFF", "headers", "is_page"]

FOREVER = "public, max-age=31536000, immutable"
BRIEFLY = "public, max-age=60"
NOSNIFF = "nosniff"

_ROOMS = frozenset({"feed", "simple", "trail", "verify"})
_LASTING = re.compile(r"trail/(tile/([0-5]?[0-9]|entries)/(x[0-9]{3}/)*[0-9]{3}|[1-9][0-9]*\.root\.json)")
_BESIDE = re.compile(r".*(\.(asc|tag|metadata|tlog-proof|md|json|jsonl)|SHA256SUMS)")
_TEXT = "text/plain; charset=utf-8"


def headers(path: str) -> dict[str, str]:
    """The headers of what lies at `path`, relative to the site's root; without `X-Content-Type-Options`."""
    said = {"Content-Type": _media(path), "Cache-Control": FOREVER if _lasts(path) else BRIEFLY}
    if not is_page(path) and not _BESIDE.fullmatch(path):
        said["Content-Disposition"] = "attachment"
    return said


def is_page(path: str) -> bool:
    """Whether a page, a feed or a part of the trail lies there, not a file of a release: their names are kept apart."""
    first, _, rest = path.partition("/")
    return not rest or first in _ROOMS or path.rpartition("/")[2] in PAGES or is_archived_feed(path)


def _lasts(path: str) -> bool:
    return _LASTING.fullmatch(path) is not None if is_page(path) else not path.endswith(".tlog-proof")


def _media(path: str) -> str:
    known = media(path)
    if path.startswith("simple/") and path.endswith(".json"):
        return "application/vnd.pypi.simple.v1+json"
    if path.startswith("trail/keys/") and path.endswith(".asc"):
        return "application/pgp-keys"
    unknown_page = is_page(path) and not path.startswith("trail/tile/") and known == media("")
    return _TEXT if unknown_page else known

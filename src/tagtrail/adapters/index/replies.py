"""What an index's answer to an upload means. Indexes differ, so a refusal is looked up on the page, never believed.

2xx            it has it                                              sent
3xx            it wants the form elsewhere; nobody is named there     refused
408, 5xx       nobody knows what it did                               unknown
429, 503       with or without Retry-After: not now                   refused, until then
401, 403       not by us                                              refused
other 4xx      it is there, or is not wanted                          refused
"""

import re
from email.utils import parsedate_to_datetime

from tagtrail.io.http import Reply
from tagtrail.ports import Refused, Unknown

__all__ = ["after", "judged", "maybe_there", "words"]

LONGEST = 6 * 3600
"""Seconds: nobody is believed who says that it takes longer."""
SHORT, LONG = 300, 3600
_THERE = re.compile(r"\b(already|exists?|existing|overwrit\w*|duplicate|conflict)\b", re.IGNORECASE)


def judged(reply: Reply, secret: str, now: int) -> Refused | Unknown | None:
    """What an answer means; None: it has the file. What it says is shown without `secret`."""
    status, said = reply.status, words(reply, secret)
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        to = reply.headers.get("location", "nowhere").replace(secret or "\0", "***")
        return Refused(f"{status}: it redirects to {to[:200]}; upload = that address, if it is the index", LONG)
    if status == 429 or (status == 503 and "retry-after" in reply.headers):
        return Refused(f"{status}: {said}", after(reply.headers.get("retry-after", ""), now))
    if status >= 500 or status == 408 or status < 200:
        return Unknown(f"{status}: {said}")
    if status in (401, 403):
        return Refused(f"{status}: {said}; is the token right, and is it for this project?", SHORT)
    if maybe_there(reply, said):
        return Refused(f"{status}: it says that it has this name, and shows no file: {said}", SHORT)
    return Refused(f"{status}: {said}", LONG)


def maybe_there(reply: Reply, said: str) -> bool:
    """Whether an answer can mean that the name is taken."""
    return reply.status == 409 or bool(_THERE.search(said))


def after(text: str, now: int) -> int:
    """Seconds to wait by a Retry-After header (RFC 9110: seconds, or a date), within reason."""
    if text.isascii() and text.isdigit() and len(text) < 10:
        return min(max(int(text), 1), LONGEST)
    try:
        return min(max(int(parsedate_to_datetime(text).timestamp()) - now, 1), LONGEST)
    except (ValueError, TypeError, OverflowError):
        return SHORT


def words(reply: Reply, secret: str) -> str:
    """The reason in one line that is safe to show: no markup, no controls, no secret that came back."""
    body = reply.body[:4096].decode("utf-8", "replace")
    reason = reply.reason if len(reply.reason) > len("Internal Server Error") else ""
    text = re.sub(r"<(style|title)\b.*?</\1>|<[^>]*>", " ", reason or body, flags=re.DOTALL)
    line = "".join(c if c.isprintable() else " " for c in text).replace(secret or "\0", "***")
    return " ".join(line.split())[:200].rstrip(".") or reply.reason or "no reason given"

"""Times as RFC 3339 in UTC with whole seconds (`2026-04-01T15:02:00Z`), and nothing else."""

import re
import time
from calendar import timegm

from tagtrail.model.errors import TamperError

__all__ = ["format_time", "parse_time"]

_FORM = "%Y-%m-%dT%H:%M:%SZ"
_SHAPE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


def format_time(seconds: int) -> str:
    """Unix seconds as `YYYY-MM-DDTHH:MM:SSZ` (RFC 3339, section 5.6)."""
    return time.strftime(_FORM, time.gmtime(seconds))


def parse_time(text: str) -> int:
    """Unix seconds of exactly the form that `format_time` writes. Raises TamperError `time-form`."""
    try:
        seconds = timegm(time.strptime(text, _FORM)) if _SHAPE.fullmatch(text) else None
    except ValueError:
        seconds = None
    if seconds is None or format_time(seconds) != text:
        raise TamperError(f"not a time of the form YYYY-MM-DDTHH:MM:SSZ: {text[:40]!r}", code="time-form")
    return seconds

"""Times as RFC 3339 in UTC with whole seconds (`2026-04-01T15:02:00Z`); spans as people write them (`90s`, `3d`)."""

import re
import time

from tagtrail.model.errors import TamperError

__all__ = ["format_time", "parse_span", "parse_time"]

_FORM = "%Y-%m-%dT%H:%M:%SZ"
_SHAPE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})Z")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def format_time(seconds: int) -> str:
    """Unix seconds as `YYYY-MM-DDTHH:MM:SSZ` (RFC 3339, section 5.6)."""
    return time.strftime(_FORM, time.gmtime(seconds))


def parse_time(text: str) -> int:
    """Unix seconds of exactly the form that `format_time` writes. Raises TamperError `time-form`."""
    shape = _SHAPE.fullmatch(text)
    seconds = _seconds(*map(int, shape.groups())) if shape else None
    if seconds is None or format_time(seconds) != text:  # a 30th of February comes back as a day of March
        raise TamperError(f"not a time of the form YYYY-MM-DDTHH:MM:SSZ: {text[:40]!r}", code="time-form")
    return seconds


def parse_span(text: str) -> int | None:
    """Seconds of `90s`, `30m`, `2h`, `3d` or `1w`; None for anything else."""
    found = re.fullmatch(r"([0-9]{1,6})([smhdw])", text)
    return int(found[1]) * _UNITS[found[2]] if found else None


def _seconds(year: int, month: int, day: int, hour: int, minute: int, second: int) -> int:
    """Of a date of the Gregorian calendar, whose years are counted from March on, so that the leap day is their last.

    By hand because `calendar` and `strptime` load all that there is on locales.
    """
    year, month = (year, month - 3) if month > 2 else (year - 1, month + 9)
    days = 365 * year + year // 4 - year // 100 + year // 400 + (153 * month + 2) // 5 + day - 719_469
    return ((days * 24 + hour) * 60 + minute) * 60 + second

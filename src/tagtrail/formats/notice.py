"""An announcement as bytes: canonical JSON of the fact `Notice`, `_type` beside its fields, kept like any other bytes.

    {"_type": "https://tagtrail.dev/notice/v1", "bugs": "", "channel": "final", "entries": [812], ...}

An effect that tells somebody something names these bytes (`notice_blob`): what is sent is made of them when it is sent,
so a text is what it was, whatever the settings say meanwhile. Reason codes (TamperError): notice-form.
"""

from hashlib import sha256

from tagtrail.formats import canonical
from tagtrail.formats.facts import dump, load
from tagtrail.model.errors import TamperError
from tagtrail.model.facts import Blob
from tagtrail.model.notice import Notice

__all__ = ["MEDIA", "NOTICE_TYPE", "notice_blob", "notice_bytes", "parse_notice"]

NOTICE_TYPE = "https://tagtrail.dev/notice/v1"
MEDIA = "application/json"
MAX_SIZE = 4 * 1024 * 1024


def notice_bytes(notice: Notice) -> bytes:
    """The bytes to keep."""
    return canonical.dumps({"_type": NOTICE_TYPE, **dump(notice)})


def notice_blob(notice: Notice) -> Blob:
    """What an effect names; the road has kept the bytes before any target is driven."""
    data = notice_bytes(notice)
    return Blob(sha256=sha256(data).hexdigest(), size=len(data), media=MEDIA)


def parse_notice(data: bytes) -> Notice:
    """The announcement in kept bytes. Raises TamperError `notice-form`."""
    value = canonical.loads(data, MAX_SIZE)
    if not isinstance(value, dict) or value.pop("_type", None) != NOTICE_TYPE:
        raise TamperError("these bytes are no notice", code="notice-form")
    try:
        return load(Notice, value)
    except TamperError as error:
        raise TamperError(error.what, code="notice-form") from error

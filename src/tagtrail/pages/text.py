"""Foreign text made fit to be shown, addresses from one page to another, and JSON as pages write it."""

import json
import re
from urllib.parse import quote

__all__ = ["clean", "json_bytes", "relative"]

_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def clean(text: str) -> str:
    """Control characters, lone surrogates and what turns the writing direction round become U+FFFD.

    What is left may stand in XML 1.0 (section 2.2) and cannot make a line read as something else.
    """
    return _UNFIT.sub("\ufffd", text.replace("\r\n", "\n"))


def relative(source: str, target: str) -> str:
    """The address of `target` as written on the page `source`; both are paths below the site's root."""
    return "../" * source.count("/") + quote(target)


def json_bytes(value: object) -> bytes:
    """ASCII JSON in the order given, in one line: an index of thousands of files is made at every release."""
    return (json.dumps(value, ensure_ascii=True, separators=(",", ":")) + "\n").encode("ascii")

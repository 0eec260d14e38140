"""PROJECT-VERSION.contacts.json: where bugs go, and until when a release is supported, as the settings said then.

    {"_type":"https://tagtrail.dev/contacts/v1","bugs":"https://bugs.example.org/nova",
     "security":"mailto:security@example.org","support-until":"2031-12"}

Canonical JSON. What is not said is left out; where nothing is said, there is no such file. The feeds of the site are
made of it, so that whoever audits them needs no settings. Addresses are `https:`, `http:` or `mailto:`, dates a year, a
month or a day.
"""

import re
from typing import Any

from tagtrail.formats import canonical
from tagtrail.model.errors import TamperError
from tagtrail.model.texts import Sayings

__all__ = ["ADDRESS", "DATE", "MAX_CONTACTS", "contacts_name", "format_contacts", "parse_contacts"]

CONTACTS_TYPE = "https://tagtrail.dev/contacts/v1"
MAX_CONTACTS = 8192
"""Bytes of the file."""

ADDRESS = r"(https?://|mailto:)[A-Za-z0-9._~%+/@?&=#:{}-]+"
DATE = r"[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?"

_FIELDS = {"bugs": ("bugs", ADDRESS), "security": ("security", ADDRESS), "support-until": ("support_until", DATE)}
"""Key to the field of `Sayings`, and its form."""


def contacts_name(project: str, version: str) -> str:
    """`PROJECT-VERSION.contacts.json`."""
    return f"{project}-{version}.contacts.json"


def format_contacts(said: Sayings) -> bytes:
    """The file's bytes; empty where nothing is said."""
    fields = {key: value for key, (name, _) in _FIELDS.items() if (value := getattr(said, name))}
    return canonical.dumps({"_type": CONTACTS_TYPE, **fields}) if fields else b""


def parse_contacts(data: bytes) -> Sayings:
    """What the file says. Raises TamperError `contacts-form`, `json-*`."""
    value: Any = canonical.loads(data, MAX_CONTACTS)
    if not isinstance(value, dict) or value.pop("_type", "") != CONTACTS_TYPE or not value.keys() <= _FIELDS.keys():
        raise TamperError("not a file of contacts", code="contacts-form")
    for key, text in value.items():
        if not isinstance(text, str) or not re.fullmatch(_FIELDS[key][1], text):
            raise TamperError(f"{key} = {str(text)[:200]!r} is none", code="contacts-form", why="feeds would show it")
    return Sayings(**{_FIELDS[key][0]: text for key, text in value.items()})

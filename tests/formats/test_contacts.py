"""Contacts beside a release: there and back, and nothing in them that a feed should not show."""

import pytest

from tagtrail.formats.contacts import MAX_CONTACTS, format_contacts, parse_contacts
from tagtrail.model.errors import TamperError
from tagtrail.model.texts import Sayings

SAID = Sayings(bugs="https://bugs.example.org/nova", security="mailto:security@example.org", support_until="2031-12")
BYTES = (
    b'{"_type":"https://tagtrail.dev/contacts/v1","bugs":"https://bugs.example.org/nova",'
    b'"security":"mailto:security@example.org","support-until":"2031-12"}'
)


def test_the_bytes() -> None:
    assert format_contacts(SAID) == BYTES
    assert parse_contacts(BYTES) == SAID


@pytest.mark.parametrize("said", [Sayings(bugs="http://x.example/"), Sayings(support_until="2031"), SAID])
def test_there_and_back(said: Sayings) -> None:
    assert parse_contacts(format_contacts(said)) == said


def test_who_says_nothing_has_no_file() -> None:
    assert format_contacts(Sayings(on_pypi=True)) == b""


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"contacts/v1", b"contacts/v2", "contacts-form"),
        (b'"bugs"', b'"bug"', "contacts-form"),
        (b"https://bugs", b"javascript:bugs", "contacts-form"),
        (b"mailto:security@", b"data:,security@", "contacts-form"),
        (b"/nova", b'/\\"><script>', "contacts-form"),
        (b'"https://bugs.example.org/nova"', b"7", "contacts-form"),
        (b"2031-12", b"2031-13", "contacts-form"),
        (b"2031-12", b"soon", "contacts-form"),
        (b"2031-12", b"", "contacts-form"),
        (b"/nova", b"/" + b"n" * MAX_CONTACTS, "json-size"),
        (b"nova", b"nov\xe4", "json-utf8"),
    ],
)
def test_one_thing_wrong(old: bytes, new: bytes, code: str) -> None:
    with pytest.raises(TamperError) as refused:
        parse_contacts(BYTES.replace(old, new, 1))
    assert refused.value.code == code


def test_a_list_is_no_contacts() -> None:
    with pytest.raises(TamperError) as refused:
        parse_contacts(b"[]")
    assert refused.value.code == "contacts-form"

"""What channels send: mails, webhooks and short forms, by tables and laws, with other people's readers."""

import base64
import hashlib
from dataclasses import replace
from email import message_from_bytes
from email.policy import SMTP
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagtrail.formats.mail import Envelope, archived, mail, message_id
from tagtrail.formats.mailbox import address_fault, split
from tagtrail.formats.told import length, notice_effects, same_words, shortened, told_key
from tagtrail.formats.webhook import webhook_body, webhook_headers
from tagtrail.model.errors import SetupError
from tagtrail.model.facts import Skip
from tagtrail.model.notice import Notice
from tagtrail.testing import samples
from tagtrail.testing.memory import Kept

LOGGED = samples.logged(Kept(), 3)
NOTICE: Notice = samples.notice(LOGGED.entry)
ENVELOPE = Envelope(sender="Gr\u00fc\u00dfe <releases@example.org>", to=("a@example.org", "b@example.org"))


def read(data: bytes) -> Any:
    return message_from_bytes(data, policy=SMTP)


# --- mail -----------------------------------------------------------------------------------------------------------


def test_the_same_notice_is_the_same_mail() -> None:
    assert mail("list", NOTICE, ENVELOPE) == mail("list", NOTICE, ENVELOPE)
    others = [
        ("other", NOTICE),
        ("list", replace(NOTICE, key="4")),
        ("list", replace(NOTICE, origin="b.example/trail")),
    ]
    ids = {message_id(target, notice) for target, notice in [("list", NOTICE), *others]}
    assert len(ids) == 4
    assert all(one.endswith(">") and "@" in one for one in ids)


def test_headers() -> None:
    message = read(mail("list", NOTICE, replace(ENVELOPE, reply_to="dev@example.org")))
    assert message["From"] == "Gr\u00fc\u00dfe <releases@example.org>"
    assert message["To"] == "a@example.org, b@example.org"
    assert message["Reply-To"] == "dev@example.org"
    assert message["Date"] == "Wed, 01 Apr 2026 15:02:00 +0000"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].endswith("@releases.example.org>")
    assert message["References"] == message["In-Reply-To"] == message_id("list", NOTICE, thread=True)
    assert message.get_content_type() == "multipart/alternative"
    assert "References" not in read(mail("list", replace(NOTICE, thread=""), ENVELOPE))


def test_a_series_is_one_thread() -> None:
    later = replace(NOTICE, key="9", version="1.1.0")
    assert message_id("list", later, thread=True) == message_id("list", NOTICE, thread=True)
    assert message_id("list", NOTICE, thread=True) != message_id("list", NOTICE)


@pytest.mark.parametrize("evil", ["a\nBcc: x@example.org", "a\rb", "a\r\n\r\nbody"])
def test_no_header_can_be_smuggled_in(evil: str) -> None:
    with pytest.raises(ValueError, match=r"linefeed|carriage|newline"):
        mail("list", replace(NOTICE, subject=evil), ENVELOPE)


ENCODED = ("=?utf-8?q?x=0D=0ABcc:_y@example.org=0D=0A=0D=0Abody?=", "=?utf-8?b?eAoKeQ==?=", "==?utf-8?q?x=0Ay:_z?=?=")


@pytest.mark.parametrize("evil", ENCODED)
@pytest.mark.parametrize("before", ["", "nova 1.0: ", "\u65e5\u672c "])
def test_what_looks_encoded_is_never_decoded(before: str, evil: str) -> None:
    """RFC 2047: a metadata's summary in a subject of one's own template; a name in an address."""
    sender = f"{evil.replace('@', '')} <releases@example.org>"
    data = mail("list", replace(NOTICE, subject=f"{before}{evil}"), replace(ENVELOPE, sender=sender))
    usual = mail("list", NOTICE, ENVELOPE)
    assert read(data).keys() == read(usual).keys()
    assert read(data)["Subject"] == f"{before}{evil}".replace("=?", "= ?")
    assert read(data)["From"].addresses[0].display_name == evil.replace("@", "").replace("=?", "= ?")
    assert data.partition(b"\r\n\r\n")[2] == usual.partition(b"\r\n\r\n")[2]


SEEN = st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp", "Cf"))
TEXT = st.text(SEEN | st.sampled_from("\n.\t\u200f\u2028"), max_size=1500)
LINE = st.text(SEEN, min_size=1, max_size=200)


@settings(max_examples=60, deadline=None)
@given(TEXT, LINE)
def test_any_text_arrives_as_it_was(text: str, subject: str) -> None:
    data = mail("list", replace(NOTICE, text=f"{text}\n", subject=" ".join(subject.split()) or "s"), ENVELOPE)
    assert data.isascii()
    assert all(len(line) <= 998 for line in data.split(b"\r\n"))
    assert b"\n" not in data.replace(b"\r\n", b"")
    plain, _ = read(data).iter_parts()
    assert plain.get_content().replace("\r\n", "\n") == f"{text}\n"


WORDS = ("nova", "33.0.0rc1", "(2026.1", "G\u00f6zpacho),", "\u65e5\u672c\u8a9e", "\u2013", "a", "gr\u00f6\u00dfer")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=30))
def test_a_subject_keeps_its_spaces_however_it_is_folded(words: list[str]) -> None:
    subject = " ".join(words)
    data = mail("list", replace(NOTICE, subject=subject), ENVELOPE)
    assert read(data)["Subject"].strip() == subject
    assert all(len(line) <= 78 for line in data.partition(b"\r\n\r\n")[0].split(b"\r\n"))


def test_mailmans_hash() -> None:
    """The example of Mailman's own documentation of X-Message-ID-Hash."""
    assert archived("<first>") == base64.b32encode(hashlib.sha1(b"first").digest()).decode()  # noqa: S324
    assert archived("<87myycy5eh.fsf@uwakimon.sk.tsukuba.ac.jp>") == "JJIGKPKB6CVDX6B2CUG4IHAJRIQIOUTP"


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("a@example.org", True),
        ("Releases of X <a.b+c@lists.example.org>", True),
        ("Gr\u00fc\u00dfe <a@example.org>", True),
        ("a", False),
        ("a@", False),
        ("a@b, c@d", False),
        ("a@b\nBcc: c@d", False),
        ("<a@example.org>", False),
        ('"x" <a@example.org>', False),
        ("x@y <a@example.org>", False),
        ("\u00fc@example.org", False),
        (".a@example.org", False),
        (f"{'a' * 65}@example.org", False),
    ],
)
def test_addresses(text: str, good: bool) -> None:
    assert (address_fault(text) == "") is good


def test_a_name_and_its_address() -> None:
    assert split("Releases of X <a@example.org>") == ("Releases of X", "a@example.org")
    assert split("a@example.org") == ("", "a@example.org")


# --- webhooks: the standard's own vector ----------------------------------------------------------------------------


def test_the_standards_vector() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    headers = webhook_headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', [secret])
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert headers["webhook-timestamp"] == "1614265330"


def test_two_secrets_two_signatures_newest_first() -> None:
    keys = [base64.b64encode(bytes([n]) * 24).decode() for n in (1, 2)]
    both = webhook_headers("m", 1, b"{}", keys)["webhook-signature"].split(" ")
    assert both == [webhook_headers("m", 1, b"{}", [key])["webhook-signature"] for key in keys]


@pytest.mark.parametrize("secret", ["", "whsec_c2hvcnQ=", "not base64", base64.b64encode(b"x" * 65).decode()])
def test_a_secret_that_is_none(secret: str) -> None:
    with pytest.raises(SetupError) as caught:
        webhook_headers("m", 1, b"{}", [secret])
    assert caught.value.code == "webhook-secret"


def test_a_body_is_the_notice_without_its_html() -> None:
    body = webhook_body(NOTICE)
    assert body == webhook_body(replace(NOTICE, html="other"))
    assert body.endswith(b'"timestamp":"2026-04-01T15:02:00Z","type":"tagtrail.release"}')


# --- short forms ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "plain", "weighed"),
    [
        ("nova 1.0.0", 10, 10),
        ("a https://releases.example.org/a/very/long/path/ b", 27, 27),
        ("see setup.py", 27, 27),
        ("\u6f22\u5b57", 2, 4),
        ("\u2026", 1, 2),
        ("\u2019", 1, 1),
        ("\U0001f680", 1, 2),
    ],
)
def test_length(text: str, plain: int, weighed: int) -> None:
    assert (length(text), length(text, weighed=True)) == (plain, weighed)


@given(LINE, st.integers(23, 300), st.booleans())
def test_a_short_form_fits_and_keeps_its_address(words: str, limit: int, weighed: bool) -> None:
    notice = replace(NOTICE, short=f"{words} {NOTICE.url}")
    short = shortened(notice, limit, weighed=weighed)
    assert short.endswith(NOTICE.url)
    assert length(short, weighed=weighed) <= limit


def test_what_does_not_fit_at_all_is_empty() -> None:
    assert shortened(NOTICE, 22) == ""


def test_the_same_words_and_the_same_page() -> None:
    there = "nova 1.0.0 is out: https://t.co/abc"
    assert same_words(there, [NOTICE.url], NOTICE.short, NOTICE)
    assert not same_words(there, ["https://elsewhere.example/"], NOTICE.short, NOTICE)
    assert not same_words(there.replace("out", "withdrawn"), [NOTICE.url], NOTICE.short, NOTICE)


def test_a_channel_among_the_places_is_left_out_and_says_so() -> None:
    (skip,) = notice_effects("list", LOGGED, None)
    assert isinstance(skip, Skip)
    assert "under announce" in skip.because


def test_keys_differ_by_all_their_parts() -> None:
    keys = {told_key("a", NOTICE), told_key("b", NOTICE), told_key("a", replace(NOTICE, key="x")),
            told_key("a", replace(NOTICE, origin="o")), told_key("a", NOTICE, NOTICE.key)}  # fmt: skip
    assert len(keys) == 5

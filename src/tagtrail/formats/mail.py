"""A notice as a mail: the same notice to the same people gives the same bytes, so a second attempt is the same mail.

    Message-ID: <HEX@HOST>        HEX of origin, target and notice (`told_key`), HOST of the trail's origin
    References, In-Reply-To       a root of the project's series, likewise; nobody ever sent it, readers thread by it
    Date                          the newest entry's time in the trail, in UTC
    Auto-Submitted: auto-generated     so that no vacation message comes back; List-Id and the like are the list's own
    multipart/alternative         text, then HTML; ASCII alone: 7bit, else quoted-printable; headers as RFC 2047, where
                                  `=?` in a text is `= ?`

Lines end in CR LF and are at most 998 bytes. Sources: RFC 5322, RFC 2045 to 2047, RFC 3834; Mailman's
X-Message-ID-Hash, under which its archive has a mail: base32(sha1(Message-ID without its brackets)).
"""

import base64
import hashlib
from datetime import UTC, datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from tagtrail.formats.mailbox import split
from tagtrail.formats.told import told_key
from tagtrail.model.frozen import frozen
from tagtrail.model.notice import Notice

__all__ = ["Envelope", "archived", "mail", "message_id"]

_LONGEST = 998
_PAGE = '<!DOCTYPE html>\n<html><head><meta charset="utf-8"></head><body>\n{}</body></html>\n'


@frozen
class Envelope:
    """From whom, to whom, and who is answered (nobody in particular: empty); `NAME <ADDRESS>` or an address alone."""

    sender: str
    to: tuple[str, ...]
    reply_to: str = ""


def message_id(target: str, notice: Notice, *, thread: bool = False) -> str:
    """`<HEX@HOST>` of this notice; or of the root of what it belongs to."""
    host = notice.origin.partition("/")[0].partition(":")[0]
    return f"<{told_key(target, notice, notice.thread if thread else '')[:40]}@{host}>"


def archived(message: str) -> str:
    """Mailman's hash of a Message-ID."""
    return base64.b32encode(hashlib.sha1(message.strip("<>").encode(), usedforsecurity=False).digest()).decode()


def mail(target: str, notice: Notice, envelope: Envelope) -> bytes:
    """The whole mail, headers and body. Raises ValueError where a header would have a line's end in it."""
    message = EmailMessage(policy=SMTP)
    message["From"] = _mailbox(envelope.sender)
    message["To"] = [_mailbox(one) for one in envelope.to]
    if envelope.reply_to:
        message["Reply-To"] = _mailbox(envelope.reply_to)
    _entitle(message, _words(notice.subject))
    message["Date"] = format_datetime(datetime.fromtimestamp(notice.time, UTC))
    message["Message-ID"] = message_id(target, notice)
    if notice.thread:
        message["In-Reply-To"] = message["References"] = message_id(target, notice, thread=True)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(notice.text, cte=_encoding(notice.text))
    if notice.html:
        message.add_alternative(_PAGE.format(notice.html), subtype="html", cte="quoted-printable")
        message.set_boundary(f"={told_key(target, notice)[:32]}=")
    return message.as_bytes()


def _mailbox(text: str) -> Address:
    name, address = split(text)
    return Address(display_name=_words(name), addr_spec=address)


def _entitle(message: EmailMessage, subject: str) -> None:
    """Folded by hand where it is not ASCII: `email` loses spaces between encoded words and others."""
    if subject.isascii() or len(subject.splitlines()) != 1:
        message["Subject"] = subject
    else:
        message.set_raw("Subject", Header(subject, "utf-8", header_name="Subject").encode())


def _words(text: str) -> str:
    """Text that is read as it stands: `email` would decode what looks like an encoded word, line feeds and all."""
    return text.replace("=?", "= ?")


def _encoding(text: str) -> str:
    short = max(map(len, text.split("\n"))) <= _LONGEST
    return "7bit" if text.isascii() and short and "\r" not in text else "quoted-printable"

"""One attempt to hand a mail to an SMTP server: it took it, it said no, or nobody knows.

Only the last dot decides. The mail goes out first and that dot alone after it, so whatever fails before it is a clear
no; a reply to it that is lost is unknown; what fails after a 250 (QUIT) is nothing. All recipients or none: if one is
refused, nothing is sent. Source: RFC 5321 (4.5.3.2 for the waits), RFC 3207.
"""

import re
import smtplib
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

from tagtrail.io.process import said
from tagtrail.model.errors import SetupError
from tagtrail.model.names import LOOPBACK
from tagtrail.ports import Refused, Unknown

__all__ = ["Smtp"]

TIMEOUT, PATIENCE = 60.0, 600.0
"""Seconds for each step, and for the answer to the last dot: a server may look for viruses before it."""
UNREACHED, SOON, LATER = 60, 300, 3_600
"""Seconds until the next attempt: nobody answers; a 4xx (greylisting asks for five minutes); a 5xx."""


@dataclass(slots=True, kw_only=True)
class Smtp:
    """A server. `tls`: from the first byte (`smtps`), by STARTTLS, which it must then offer, or not at all.

    `password` is asked for when it is used, and only over TLS or within this machine. `hello` is the name that we say
    (empty: this machine's).
    """

    host: str
    port: int
    tls: Literal["first", "starttls", "none"]
    user: str = ""
    password: Callable[[], str] = field(default=str, repr=False)
    hello: str = ""
    timeout: float = TIMEOUT
    patience: float = PATIENCE
    context: Callable[[], ssl.SSLContext] = ssl.create_default_context
    secret: str = field(default="", init=False, repr=False)

    def __post_init__(self) -> None:
        if self.user and self.tls == "none" and self.host not in LOOPBACK:
            what = f"{self.where} would be told a password in the clear"
            raise SetupError(what, code="mail-clear", hint='take out tls = "none", or the user')

    @property
    def where(self) -> str:
        """The server, for people."""
        return f"{self.host}:{self.port}"

    def send(self, sender: str, to: Sequence[str], data: bytes) -> str:
        """Hands over a mail (lines end in CR LF) to addresses; returns the server's words.

        Raises Refused: it will not have it now, and has nothing; Unknown: it may have it.
        """
        line = self._opened()
        try:
            with self._definite():
                self._greet(line)
                self._address(line, sender, to)
                self._expect(line.docmd("DATA"), 354)
                line.send(_quoted(data))
            return self._end(line)
        finally:
            with suppress(smtplib.SMTPException, OSError):
                _wait(line, min(self.timeout, 5.0))
                line.quit()
            line.close()

    def _opened(self) -> smtplib.SMTP:
        hello = self.hello or None
        with self._definite():
            if self.tls == "first":
                return smtplib.SMTP_SSL(self.host, self.port, hello, timeout=self.timeout, context=self.context())
            return smtplib.SMTP(self.host, self.port, hello, timeout=self.timeout)

    def _greet(self, line: smtplib.SMTP) -> None:
        line.ehlo_or_helo_if_needed()
        if self.tls == "starttls":
            if not line.has_extn("starttls"):
                raise Refused(f"{self.where} offers no STARTTLS", LATER)
            self._expect(line.starttls(context=self.context()), 220)
            line.ehlo_or_helo_if_needed()
        if self.user:
            self.secret = self.password()
            line.login(self.user, self.secret)

    def _address(self, line: smtplib.SMTP, sender: str, to: Sequence[str]) -> None:
        self._expect(line.mail(sender), 250)
        answers = [(address, *line.rcpt(address)) for address in to]
        refused = [answer for answer in answers if answer[1] not in (250, 251)]
        if not refused:
            return
        line.rset()
        why = "; ".join(f"{address}: {code} {self._words(words)}" for address, code, words in refused)
        raise Refused(f"{self.where} refuses {why}", _after(max(code for _, code, _ in refused)))

    def _end(self, line: smtplib.SMTP) -> str:
        """The last dot, and what is answered."""
        try:
            _wait(line, self.patience)
            line.send(b".\r\n")
            code, words = line.getreply()
        except (smtplib.SMTPException, OSError) as error:
            why = self._words(str(error).encode())
            raise Unknown(f"{self.where} did not say whether it took the mail: {why}") from error
        if code == 250:
            return f"{self.where}: {self._words(words)}"
        if 400 <= code < 600:
            raise Refused(f"{self.where} answers {code} {self._words(words)}", _after(code))
        raise Unknown(f"{self.where} has the mail and answers {code} {self._words(words)}")

    def _expect(self, answer: tuple[int, bytes], wanted: int) -> None:
        if answer[0] != wanted:
            raise smtplib.SMTPResponseException(*answer)

    @contextmanager
    def _definite(self) -> Iterator[None]:
        """What goes wrong before the last dot, a password that is missing too: nothing was stored."""
        try:
            yield
        except smtplib.SMTPResponseException as error:
            words = error.smtp_error if isinstance(error.smtp_error, bytes) else str(error.smtp_error).encode()
            why = f"{self.where} answers {error.smtp_code} {self._words(words)}"
            raise Refused(why, _after(error.smtp_code)) from error
        except SetupError as error:
            raise Refused(f"{error.what}: {error.hint}", SOON) from error
        except (smtplib.SMTPException, OSError) as error:
            words = str(error).encode() or type(error).__name__.encode()
            raise Refused(f"{self.where} does not take the mail: {self._words(words)}", UNREACHED) from error

    def _words(self, words: bytes) -> str:
        """A server's words, fit to be shown, without our password."""
        text = " ".join(said(words).split())[:300]
        return text.replace(self.secret, "***") if self.secret else text


def _wait(line: smtplib.SMTP, seconds: float) -> None:
    if line.sock is not None:
        line.sock.settimeout(seconds)


def _after(code: int) -> int:
    return SOON if code < 500 else LATER


def _quoted(data: bytes) -> bytes:
    """The mail with its dots doubled at the start of lines, whole lines only, and without the last dot."""
    whole = data if data.endswith(b"\r\n") else data + b"\r\n"
    return re.sub(rb"(?m)^\.", b"..", whole)

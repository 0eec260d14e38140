"""A real SMTP server (aiosmtpd) on a free loopback port, with a script of faults: one for each mail that comes."""

import asyncio
import re
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

FAULTS = (
    "down", "banner 421", "ehlo 421", "mail 450", "mail 550", "rcpt 450", "rcpt 550", "one of two 550", "data 451",
    "data 554", "end 451", "end 554", "end 250 lost", "end lost", "end odd", "quit lost", "quit 500",
    "hang banner", "hang ehlo", "hang mail", "hang rcpt", "hang data", "hang end", "hang end stored", "hang quit",
    "drop mail", "drop rcpt", "drop data", "drop within",
)  # fmt: skip
"""Stage and what happens there. `end 250 lost`: stored, and the line is cut before anybody is told; `end lost`: not
stored; `hang end stored`: stored, and no word of it; `drop within`: cut while the mail is being sent."""

UNKNOWN = {"end 250 lost", "end lost", "end odd", "hang end", "hang end stored"}
"""Of which a client cannot tell whether the mail was taken."""
STORED = {"end 250 lost", "hang end stored", "quit lost", "quit 500", "hang quit", "end odd", "ehlo 421"}
"""Of which the mail was taken all the same (who has no EHLO has HELO)."""
EITHER = {"drop within"}
"""Not taken; whether a client can tell depends on which of two packets comes first."""


@dataclass
class Peer:
    """`mails` are the ones that were taken, as (sender, recipients, bytes); `faults` are used up, one by each session
    that goes beyond its greeting (or does not)."""

    faults: list[str] = field(default_factory=list)
    mails: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    sessions: int = 0
    tls: ssl.SSLContext | None = None
    login: tuple[str, str] | None = None
    authenticated: list[str] = field(default_factory=list)
    port: int = 0
    lines: list[Any] = field(default_factory=list, repr=False)

    def __enter__(self) -> Self:
        self.loop = asyncio.new_event_loop()
        bound = socket.socket()
        bound.bind(("127.0.0.1", 0))
        self.port = bound.getsockname()[1]
        self.server = self.loop.run_until_complete(self.loop.create_server(self.session, sock=bound))
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)
        self.server.close()
        for line in self.lines:
            with suppress(AttributeError):  # asyncio before 3.11.4: a handshake that failed left nothing to end
                line.abort()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.run_until_complete(asyncio.sleep(0.01))
        self.loop.close()

    def session(self) -> SMTP:
        self.sessions += 1
        fault = self.faults.pop(0) if self.faults else ""
        return Faulty(
            Handler(self, fault),
            fault=fault,
            hostname="mx.example.org",
            loop=self.loop,
            tls_context=self.tls,
            auth_required=bool(self.login),
            auth_require_tls=bool(self.tls),
            authenticator=self.judge if self.login else None,
            ident="a peer",
        )

    def judge(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        said = (data.login.decode(), data.password.decode())
        self.authenticated.append(said[0])
        return AuthResult(success=said == self.login, handled=False)


class Faulty(SMTP):
    """The server, going wrong at one stage."""

    def __init__(self, handler: Any, *, fault: str, **more: Any) -> None:
        super().__init__(handler, **more)
        self.fault = fault

    def connection_made(self, transport: Any) -> None:
        self.event_handler.peer.lines.append(transport)
        super().connection_made(transport)

    async def push(self, status: Any) -> None:
        text = status.decode() if isinstance(status, bytes) else str(status)
        stage = "banner" if text.startswith("220 mx.example.org") else ""
        if stage and self.fault in ("down", "banner 421", "hang banner"):
            text = await self.wrong(stage) or text
        await super().push(text)

    async def wrong(self, stage: str) -> str:
        """The answer of a stage where the fault is its own; the line may be cut, or say nothing."""
        what = self.fault
        if what in ("down", f"drop {stage}"):
            self.cut()
        if what == f"hang {stage}":
            await asyncio.sleep(30)
        found = re.fullmatch(rf"{stage} (\d+)", what)
        return f"{found[1]} not you" if found else ""

    def cut(self) -> None:
        assert isinstance(self.transport, asyncio.Transport)
        self.transport.abort()
        raise ConnectionResetError

    async def smtp_EHLO(self, hostname: str) -> None:  # noqa: N802
        if answer := await self.wrong("ehlo"):
            await self.push(answer)
            return
        await super().smtp_EHLO(hostname)

    async def smtp_MAIL(self, arg: str) -> None:  # noqa: N802
        if answer := await self.wrong("mail"):
            await self.push(answer)
            return
        await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str) -> None:  # noqa: N802
        if answer := await self.wrong("rcpt"):
            await self.push(answer)
            return
        if self.fault == "one of two 550" and "second" in arg:
            await self.push("550 nobody of this name")
            return
        await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        if answer := await self.wrong("data"):
            await self.push(answer)
            return
        if self.fault == "drop within":
            await self.push("354 go on")
            self.cut()
        await super().smtp_DATA(arg)

    async def smtp_QUIT(self, arg: str) -> None:  # noqa: N802
        if self.fault == "quit lost":
            self.cut()
        if answer := await self.wrong("quit"):
            await self.push(answer)
            return
        await super().smtp_QUIT(arg)


@dataclass
class Handler:
    """What becomes of a mail when its last dot has come."""

    peer: Peer
    fault: str

    async def handle_DATA(self, server: Faulty, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if answer := re.fullmatch(r"end (451|554)", self.fault):
            return f"{answer[1]} not this"
        if self.fault not in ("end lost", "hang end"):
            content = envelope.original_content or b""
            self.peer.mails.append((envelope.mail_from or "", list(envelope.rcpt_tos), content))
        if self.fault in ("end 250 lost", "end lost"):
            server.cut()
        if self.fault in ("hang end", "hang end stored"):
            await asyncio.sleep(30)
        return "299 so be it" if self.fault == "end odd" else "250 2.0.0 queued as 4711"

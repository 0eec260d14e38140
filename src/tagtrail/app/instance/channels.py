"""Channels as the settings ask for them: where people are told of a release, and what holds where nothing is said."""

from functools import cache
from typing import Literal
from urllib.parse import unquote, urlsplit

from tagtrail.app.instance.targets import Context
from tagtrail.model.names import LOOPBACK
from tagtrail.model.settings import TargetSettings
from tagtrail.ports import Target

__all__ = ["apprise", "mail", "mastodon", "webhook", "x"]

PORTS = {"first": 465, "starttls": 587, "none": 25}
"""Where a server listens, unless the settings say another port."""
ATTEMPT = 1_800
"""Seconds: no attempt to send a mail takes longer, so no archive is believed to lack one sooner."""


def mail(target: TargetSettings, context: Context) -> Target:
    """A target of type `mail`."""
    from tagtrail.adapters.mail import DAY, Mail
    from tagtrail.formats.mail import Envelope
    from tagtrail.io.api import Api
    from tagtrail.io.smtp import Smtp

    at, tls = urlsplit(str(target.option("server"))), _tls(target)
    smtp = Smtp(
        host=at.hostname or "",
        port=at.port or PORTS[tls],
        tls=tls,
        user=unquote(at.username or ""),
        password=context.secrets.later(str(target.option("password", ""))),
    )
    to, answer = tuple(target.option("to")), str(target.option("reply-to", ""))
    return Mail(
        name=target.name,
        smtp=smtp,
        envelope=Envelope(sender=str(target.option("sender")), to=to, reply_to=answer),
        kept=context.kept,
        archive=str(target.option("archive", "")),
        digest=lambda url, limit: Api(base="").digest(url, limit, accept="text/html"),
        lag=max(int(target.option("lag", DAY)), ATTEMPT),
    )


def _tls(target: TargetSettings) -> Literal["first", "starttls", "none"]:
    """TLS, unless the settings take it away or nobody else can hear."""
    at = urlsplit(str(target.option("server")))
    if at.scheme == "smtps":
        return "first"
    said = target.option("tls", "none" if at.hostname in LOOPBACK else "required")
    return "none" if said == "none" else "starttls"


def webhook(target: TargetSettings, context: Context) -> Target:
    """A target of type `webhook`."""
    from tagtrail.adapters.webhook import Webhook
    from tagtrail.io.api import Api

    references = (target.option(key) for key in ("secret", "old-secret"))
    return Webhook(
        name=target.name,
        api=Api(base=str(target.option("url")), headers={"User-Agent": "tagtrail"}),
        secrets=[context.secrets.later(str(reference)) for reference in references if reference],
        kept=context.kept,
        clock=context.clock,
    )


def mastodon(target: TargetSettings, context: Context) -> Target:
    """A target of type `mastodon`."""
    from tagtrail.adapters.mastodon import LIMIT, Mastodon
    from tagtrail.io.api import Api

    token = context.secrets.later(str(target.option("token")))
    headers = {"User-Agent": "tagtrail"}
    return Mastodon(
        name=target.name,
        api=Api(base=str(target.option("server")), authorization=lambda: f"Bearer {token()}", headers=headers),
        kept=context.kept,
        limit=int(target.option("limit", LIMIT)),
        visibility=str(target.option("visibility", "public")),
    )


def x(target: TargetSettings, context: Context) -> Target:
    """A target of type `x`. Raises SetupError `extra-missing`."""
    from tagtrail.adapters.x import X, connect

    _needs(target, "tweepy", "x")
    keys = ("consumer-key", "consumer-secret", "token", "token-secret")
    consumer, secret, token, proof = (context.secrets.later(str(target.option(key))) for key in keys)
    return X(
        name=target.name,
        client=cache(lambda: connect((consumer(), secret()), (token(), proof()))),
        kept=context.kept,
        clock=context.clock,
        search=bool(target.option("search", True)),  # noqa: FBT003  (a default)
    )


def apprise(target: TargetSettings, context: Context) -> Target:
    """A target of type `apprise`. Raises SetupError `extra-missing`."""
    from tagtrail.adapters.apprise import Apprise

    _needs(target, "apprise", "apprise")
    url, form = context.secrets.later(str(target.option("url"))), str(target.option("form", "short"))
    return Apprise(name=target.name, url=url, kept=context.kept, form=form)


def _needs(target: TargetSettings, package: str, extra: str) -> None:
    from importlib.util import find_spec

    from tagtrail.model.errors import SetupError

    if find_spec(package) is None:
        what = f"targets.{target.name} is of type {target.type}, and {package} is not installed"
        raise SetupError(what, code="extra-missing", hint=f"pip install 'tagtrail[{extra}]'")

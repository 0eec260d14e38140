"""One small file over HTTP from one host: what a person named, not where somebody else would send us."""

import time
from typing import TYPE_CHECKING

from tagtrail.model.errors import RemoteError, SetupError

if TYPE_CHECKING:
    import httpx

__all__ = ["fetch"]

TIMEOUT = 20.0
"""Seconds for a connection, and for each wait within an answer."""
PATIENCE = 120.0
"""Seconds for a whole answer, however slowly it drips."""
_REDIRECTS = 5


def fetch(url: str, limit: int) -> bytes | None:
    """The body at `url`; None where there is none (404, 410).

    Redirects are followed on the same host, and never from https to http. Raises SetupError `url`; RemoteError
    `url-unreachable`, `url-status`, `url-redirect`, `url-too-large` (more than `limit` bytes), `url-slow`.
    """
    import httpx

    try:
        with httpx.Client(timeout=TIMEOUT, headers={"Accept-Encoding": "identity"}) as client:
            at = httpx.URL(url)
            for _ in range(_REDIRECTS):
                with client.stream("GET", at) as answer:
                    if answer.next_request is None:
                        return _body(url, answer, limit)
                    at = _elsewhere(at, answer.next_request.url)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise SetupError(f"{url} is not an address: {error}", code="url", hint="https://HOST/") from error
    except httpx.HTTPError as error:
        why = str(error) or type(error).__name__
        raise RemoteError(f"{url} does not answer", code="url-unreachable", why=why) from error
    raise RemoteError(f"{url} redirects more than {_REDIRECTS} times", code="url-redirect")


def _body(url: str, answer: "httpx.Response", limit: int) -> bytes | None:
    if answer.status_code in (404, 410):
        return None
    if answer.status_code != 200:
        raise RemoteError(f"{url} answers {answer.status_code}", code="url-status")
    body, until = b"", time.monotonic() + PATIENCE
    for chunk in answer.iter_raw():
        body += chunk
        if len(body) > limit:
            raise RemoteError(f"{url} has more than {limit} bytes", code="url-too-large")
        if time.monotonic() > until:
            raise RemoteError(f"{url} takes more than {PATIENCE:.0f} seconds", code="url-slow")
    return body


def _elsewhere(at: "httpx.URL", to: "httpx.URL") -> "httpx.URL":
    if to.host != at.host or (at.scheme, to.scheme) == ("https", "http"):
        what = f"{at} redirects to {to}"
        raise RemoteError(
            what, code="url-redirect", why="another host, or without TLS", hint="name that address yourself"
        )
    return to

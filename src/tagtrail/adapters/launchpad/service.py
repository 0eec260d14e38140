"""Launchpad's service as launchpadlib speaks it (extra `launchpad`): connecting to it, and what its answers mean.

A 400 means that a thing exists, or that it is not wanted; so it is looked up.
Source: launchpad.net/+apidoc, version 1.0.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tagtrail.model.errors import RemoteError, SetupError
from tagtrail.ports import Refused, Unknown

__all__ = ["LATER", "Turned", "connect", "looked", "tried"]

BUSY, LATER = 60, 3600


def connect(root: str, credentials: str, timeout: float = 30.0) -> Any:
    """launchpadlib's service root: `root` is an address or a name it knows (`production`), `credentials` the text that
    launchpadlib saves. Nothing is tried twice. Raises SetupError `extra-missing`, `launchpad-credentials`, RemoteError.
    """
    try:
        from launchpadlib import uris
        from launchpadlib.credentials import Credentials
        from launchpadlib.launchpad import Launchpad as Service
    except ImportError as error:
        hint = "pip install 'tagtrail[launchpad]'"
        raise SetupError("launchpadlib is not installed", code="extra-missing", hint=hint) from error
    try:
        known = Credentials.from_string(credentials)
    except Exception as error:
        hint = "the text that launchpadlib's Credentials.save_to_path writes"
        raise SetupError("no credentials of launchpadlib", code="launchpad-credentials", hint=hint) from error
    with looked():
        service = Service(known, None, None, uris.lookup_service_root(root), timeout=timeout, version="1.0")
    service._browser.max_retries = 0  # noqa: SLF001  (a change is tried once: the driver looks before it tries again)
    return service


class Turned(Exception):  # noqa: N818  (an answer)
    """A 400, 409 or 412: it is there already, or is not wanted."""


@contextmanager
def looked() -> Iterator[None]:
    """What launchpadlib raises when it looks, as a RemoteError."""
    try:
        yield
    except _foreign() as error:
        status = _status(error)
        what = f"Launchpad answers {status}" if status else "Launchpad does not answer"
        raise RemoteError(what, code="api-status" if status else "api-unreachable", why=type(error).__name__) from error


@contextmanager
def tried() -> Iterator[None]:
    """What launchpadlib raises when it changes something."""
    try:
        yield
    except _foreign() as error:
        status = _status(error)
        if status in (400, 409, 412):
            raise Turned(str(status)) from error
        if status == 429:
            raise Refused("Launchpad answers 429: too many requests", _after(error)) from error
        if 400 <= status < 500:
            raise Refused(f"Launchpad answers {status}: may these credentials write there?", LATER) from error
        raise Unknown(f"Launchpad answers {status}" if status else "Launchpad does not answer") from error


def _foreign() -> tuple[type[Exception], ...]:
    from http.client import HTTPException

    from httplib2 import HttpLib2Error
    from lazr.restfulclient.errors import RestfulError

    return (RestfulError, HttpLib2Error, HTTPException, OSError)


def _status(error: Exception) -> int:
    return int(getattr(getattr(error, "response", None), "status", 0))


def _after(error: Exception) -> int:
    said = str(getattr(error, "response", {}).get("retry-after", ""))
    return min(max(int(said), 1), 86_400) if said.isdigit() and len(said) < 10 else BUSY

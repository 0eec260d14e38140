"""One attempt at an API: what answers mean, how long we are told to wait, and whom we tell who we are."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tagtrail.io.api import Api, Body
from tagtrail.model.errors import RemoteError, TamperError
from tagtrail.ports import Refused, Unknown
from tagtrail.testing.suites.promise import refusal
from tests.adapters.trackers.stub import PATIENCE, Request, Response, Stub

pytestmark = pytest.mark.client


class Says(Stub):
    """Whatever a test wants it to."""

    response = Response(value={})

    def answer(self, request: Request, state: Any) -> Response:
        return self.response


@pytest.fixture
def says() -> Iterator[Says]:
    with Says() as stub:
        yield stub


def api(stub: Stub) -> Api:
    return Api(base=stub.url, authorization=lambda: "Bearer hush", timeout=PATIENCE)


NOW = "Wed, 01 Apr 2026 15:02:00 GMT"
WAITS = [
    ({"Retry-After": "17"}, 17),
    ({"Retry-After": "0"}, 1),
    ({"Retry-After": "9999999"}, 86_400),
    ({"Retry-After": "-4"}, 60),
    ({"Retry-After": "later"}, 60),
    ({"Retry-After": "Wed, 01 Apr 2026 15:03:30 GMT", "Date": "Wed, 01 Apr 2026 15:02:00 GMT"}, 90),
    ({"Retry-After": "Wed, 01 Apr 2026 15:01:00 GMT", "Date": "Wed, 01 Apr 2026 15:02:00 GMT"}, 1),
    ({}, 60),
    ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "2026-04-01T15:05:00.123Z", "Date": NOW}, 180),
    ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1775055900", "Date": NOW}, 180),
    ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1775055600", "Date": NOW}, 1),
    ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "99999999999", "Date": NOW}, 86_400),
    ({"X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "1775055900", "Date": NOW}, 60),
    ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1775055900"}, 60),
    ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "2026-04-01T15:05:00", "Date": NOW}, 60),
    ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "2026 soon", "Date": NOW}, 60),
    ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1775055900", "Retry-After": "5", "Date": NOW}, 5),
]


@pytest.mark.parametrize(("headers", "after"), WAITS)
def test_how_long_to_wait(headers: dict[str, str], after: int, says: Says) -> None:
    says.response = Response(status=429, headers=headers)
    with pytest.raises(Refused) as refused:
        api(says).send("POST", "x", {})
    assert refused.value.after == after


@pytest.mark.parametrize("status", [401, 403, 404, 301, 418])
def test_a_change_that_is_refused(status: int, says: Says) -> None:
    says.response = Response(status=status)
    with pytest.raises(Refused) as refused:
        api(says).send("POST", "x", {})
    assert "hush" not in refused.value.why


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_change_of_which_nobody_knows(status: int, says: Says) -> None:
    says.response = Response(status=status, headers={"Retry-After": "1"})
    with pytest.raises(Unknown):
        api(says).send("POST", "x", {})


@pytest.mark.parametrize("status", [400, 409, 422])
def test_what_only_the_caller_knows(status: int, says: Says) -> None:
    says.response = Response(status=status, body=b"<html>")
    assert api(says).send("POST", "x", {}).ok is False


def test_done_in_words_that_we_do_not_read_is_unknown(says: Says) -> None:
    says.response = Response(status=201, body=b"<html>")
    with pytest.raises(Unknown):
        api(says).send("POST", "x", {})


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (Response(status=500), "api-status"),
        (Response(status=302), "api-status"),
        (Response(body=b"<html>"), "api-reply"),
    ],
)
def test_a_look_that_fails(response: Response, code: str, says: Says) -> None:
    says.response = response
    with refusal(RemoteError, code):
        api(says).look("x")


def test_more_bytes_than_asked_for(says: Says) -> None:
    says.response = Response(body=b"12345")
    assert api(says).digest(f"{says.url}/x", 5)
    with refusal(RemoteError, "api-too-large"):
        api(says).digest(f"{says.url}/x", 4)


def test_a_redirect_without_end(says: Says) -> None:
    says.response = Response(status=302, headers={"Location": f"{says.url}/x"})
    with refusal(RemoteError, "api-redirect"):
        api(says).digest(f"{says.url}/x", 5)


def test_another_host_is_not_told_who_we_are(says: Says) -> None:
    with Says() as other:
        other.response = Response(body=b"bytes")
        says.response = Response(status=302, headers={"Location": f"{other.url}/x"})
        assert api(says).digest(f"{says.url}/x", 5)
        assert ["authorization" in r.headers for r in (*says.asked, *other.asked)] == [True, False]


def test_bytes_that_fail_at_their_end_are_not_sent_whole(says: Says) -> None:
    def altered() -> Iterator[bytes]:
        yield b"12345"
        raise TamperError("altered", code="kept-altered")

    with refusal(TamperError, "kept-altered"):
        api(says).send("POST", "x", body=Body(chunks=altered(), size=5, media="text/plain"))
    time.sleep(0.15)  # what was sent whole would be there by now
    assert says.asked == []

"""Webhooks, Mastodon, X and apprise against stubs of them: told once whatever goes wrong, and what is refused."""

import base64
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from standardwebhooks.webhooks import Webhook as Oracle
from standardwebhooks.webhooks import WebhookVerificationError

from tagtrail.adapters.apprise import Apprise
from tagtrail.adapters.mastodon import Mastodon
from tagtrail.adapters.webhook import Webhook
from tagtrail.adapters.x import X, connect
from tagtrail.formats.told import length, shortened
from tagtrail.io.api import Api
from tagtrail.model.errors import RemoteError, SetupError
from tagtrail.model.facts import Skip
from tagtrail.ports import Refused, Unknown
from tagtrail.testing import samples
from tagtrail.testing.suites import target as suite
from tests.adapters.channels.ground import Drive, Ground
from tests.adapters.channels.stubs import TIME, Hook, MastodonStub, XStub
from tests.adapters.trackers.stub import FAULTS, PATIENCE, Stub

pytestmark = pytest.mark.client

NEW, OLD = (f"whsec_{base64.b64encode(bytes([n]) * 32).decode()}" for n in (1, 2))


@pytest.fixture
def ground() -> Ground:
    return Ground()


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as stub:
        yield stub


@pytest.fixture
def mastodon() -> Iterator[MastodonStub]:
    with MastodonStub() as stub:
        yield stub


@pytest.fixture
def x() -> Iterator[XStub]:
    with XStub() as stub:
        yield stub


def webhook_to(stub: Stub, ground: Ground, *secrets: str, clock: Callable[[], int] = lambda: TIME) -> Webhook:
    api = Api(base=f"{stub.url}/in", timeout=PATIENCE)
    later = [partial(str, secret) for secret in secrets or (NEW,)]
    return Webhook(name="hook", api=api, secrets=later, kept=ground.kept, clock=clock)


def mastodon_at(stub: Stub, ground: Ground, limit: int = 500) -> Mastodon:
    api = Api(base=stub.url, authorization=lambda: "Bearer a-token", timeout=PATIENCE)
    return Mastodon(name="toot", api=api, kept=ground.kept, limit=limit)


class Loopback(HTTPAdapter):
    """requests' own way to have another transport for an address: the stub's, and not the service's."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        assert request.url
        request.url = self.url + request.url.partition(".com")[2]
        return super().send(request, *args, **(more | {"timeout": PATIENCE}))


def x_at(stub: Stub, ground: Ground, *, search: bool = True) -> X:
    client = connect(("key", "secret"), ("token", "proof"))
    client.session.mount("https://", Loopback(stub.url))
    return X(name="x", client=lambda: client, kept=ground.kept, clock=lambda: TIME, search=search)


# --- the suite, and one of each whatever goes wrong -----------------------------------------------------------------


@pytest.mark.parametrize("check", suite.CHECKS)
def test_suite_mastodon(check: Callable[[suite.Case], None], mastodon: MastodonStub, ground: Ground) -> None:
    target = mastodon_at(mastodon, ground)
    check(suite.Case(target=target, logged=ground.logged, later=ground.later, notice=samples.notice))


@pytest.mark.parametrize("check", suite.CHECKS)
def test_suite_x(check: Callable[[suite.Case], None], x: XStub, ground: Ground) -> None:
    check(suite.Case(target=x_at(x, ground), logged=ground.logged, later=ground.later, notice=samples.notice))


LOSE = pytest.mark.parametrize("lose", [False, True], ids=["journal kept", "journal lost"])


@LOSE
@pytest.mark.parametrize("fault", FAULTS)
def test_a_webhook_is_told_once(fault: str, lose: bool, hook: Hook, ground: Ground) -> None:
    hook.fault(fault, "POST /in")
    assert Drive(ground, webhook_to(hook, ground)).to_the_end(lose=lose).state == "seen"
    assert hook.faults == []
    assert len(hook.state) == 1, "one id, however often it was sent"


@LOSE
@pytest.mark.parametrize("fault", FAULTS)
def test_mastodon_is_told_once(fault: str, lose: bool, mastodon: MastodonStub, ground: Ground) -> None:
    mastodon.fault(fault, "POST")
    drive = Drive(ground, mastodon_at(mastodon, ground))
    drive.once()
    if not (lose and fault == "stale"):  # an old list and no memory: the service's key alone helps
        mastodon.forget()
    row = drive.to_the_end(lose=lose)
    assert row.state == "seen"
    assert mastodon.faults == []
    assert len(mastodon.statuses) == 1


@LOSE
@pytest.mark.parametrize("fault", FAULTS)
def test_x_is_told_once(fault: str, lose: bool, x: XStub, ground: Ground) -> None:
    x.fault(fault, "POST")
    assert Drive(ground, x_at(x, ground)).to_the_end(lose=lose).state == "seen"
    assert x.faults == []
    assert len(x.state["posts"]) == 1


@LOSE
@pytest.mark.parametrize("fault", ["lost", "500 after", "hang", "stale"])
@pytest.mark.parametrize("looks", range(1, 10, 2))
def test_x_shows_a_post_late(looks: int, fault: str, lose: bool, x: XStub, ground: Ground) -> None:
    """The post is there; nobody heard of it, and so many looks do not show it. Two looks are one of ours."""
    drive = Drive(ground, x_at(x, ground))
    old = deepcopy(x.state)
    x.fault(fault, "POST")
    first = drive.once().state
    x.old, x.stale = old, looks
    assert first == ("sent" if fault == "stale" else "asked")
    assert drive.to_the_end(lose=lose, most=9).state == "seen"
    assert len(x.state["posts"]) == 1


@LOSE
@pytest.mark.parametrize("fault", ["lost", "500 after", "hang", "stale"])
@pytest.mark.parametrize("looks", range(1, 10, 2))
def test_mastodon_shows_a_status_late(
    looks: int, fault: str, lose: bool, mastodon: MastodonStub, ground: Ground
) -> None:
    """Within the hour in which the service knows our key, however old its list is."""
    drive = Drive(ground, mastodon_at(mastodon, ground), step=700)
    old = deepcopy(mastodon.state)
    mastodon.fault(fault, "POST")
    drive.once()
    mastodon.old, mastodon.stale = old, looks
    assert drive.to_the_end(lose=lose, most=9).state == "seen"
    assert len(mastodon.statuses) == 1


# --- webhooks -------------------------------------------------------------------------------------------------------


def test_others_can_check_it_with_either_secret(hook: Hook, ground: Ground) -> None:
    webhook_to(hook, ground, NEW, OLD, clock=lambda: int(time.time())).apply(ground.effect("hook"))  # noqa: TID251
    (request,) = hook.state.values()
    for secret in (NEW, OLD):
        body = Oracle(secret).verify(request.body, request.headers)
        assert (body["type"], body["data"]["project"]) == ("tagtrail.release", "nova")
    with pytest.raises(WebhookVerificationError):
        Oracle(NEW).verify(request.body + b" ", request.headers)


@pytest.mark.parametrize(("status", "after"), [(410, 86_400), (302, 3_600), (404, 3_600), (400, 3_600), (429, 60)])
def test_what_a_receiver_does_not_want(status: int, after: int, hook: Hook, ground: Ground) -> None:
    hook.status = status
    with pytest.raises(Refused, match=str(status)) as caught:
        webhook_to(hook, ground).apply(ground.effect("hook"))
    assert caught.value.after == after


def test_words_of_a_receiver_are_not_read(hook: Hook, ground: Ground) -> None:
    hook.status = 200
    assert webhook_to(hook, ground).apply(ground.effect("hook")).where == f"{hook.url}/in"


@pytest.mark.parametrize("secret", ["whsec_c2hvcnQ=", "no base64!", f"whsec_{'A' * 100}"])
def test_a_secret_that_is_none(secret: str, hook: Hook, ground: Ground) -> None:
    with pytest.raises(SetupError) as caught:
        webhook_to(hook, ground, secret).apply(ground.effect("hook"))
    assert caught.value.code == "webhook-secret"
    assert secret not in caught.value.what + caught.value.hint


# --- microblogs -----------------------------------------------------------------------------------------------------


def test_after_an_hour_our_own_statuses_are_read_to_the_release(mastodon: MastodonStub, ground: Ground) -> None:
    target = mastodon_at(mastodon, ground)
    target.apply(ground.effect("toot"))
    chatter = [MastodonStub.status(n, f"word {n}") for n in range(2, 100)]
    mastodon.state["statuses"] += chatter
    mastodon.forget()
    found = target.find(ground.effect("toot"))
    assert found
    assert found.where == "https://m.example/@releases/1"
    withdrawn = replace(ground.notice, key="3w", short=ground.notice.short.replace("is out", "is withdrawn"))
    assert target.find(ground.effect("toot", withdrawn)) is None, "the same page, other words"


def test_a_list_without_an_end_is_not_believed(mastodon: MastodonStub, ground: Ground) -> None:
    mastodon.state["statuses"] = [MastodonStub.status(n, f"word {n}") for n in range(1, 1200)]
    with pytest.raises(RemoteError) as caught:
        mastodon_at(mastodon, ground).find(ground.effect("toot"))
    assert caught.value.code == "api-reply"


def test_too_long_is_shortened_or_said(mastodon: MastodonStub, ground: Ground) -> None:
    url = ground.notice.url
    long = ground.keep(ground.notice, short=f"nova 1.0.0 is out, {'and better ' * 20}: {url}")
    assert shortened(long, 80) == f"nova 1.0.0 is out, and better and better and better \u2026 {url}"
    assert length(shortened(long, 80)) <= 80 < length(long.short)
    (skip,) = mastodon_at(mastodon, ground, limit=20).plan(ground.logged, long)
    assert isinstance(skip, Skip)
    assert "20 characters" in skip.because


def test_a_duplicate_is_looked_up_not_trusted(x: XStub, ground: Ground) -> None:
    target, effect = x_at(x, ground), ground.effect("x")
    first = target.apply(effect)
    assert target.apply(effect) == first
    x.unread = True
    with pytest.raises(Refused, match="403"):
        target.apply(effect)
    with pytest.raises(RemoteError):
        target.find(effect)


OTHER = "https://releases.example.org/nova/9.9.9/"
DAYS = 86_400


def shown(ground: Ground, *, words: str = "", link: str = "", time: int = TIME) -> dict[str, Any]:
    """Our post as the timeline has it, or another one."""
    text, url = ground.notice.short, ground.notice.url
    return XStub.made(1, (words or text.replace(url, "{}")).format("https://t.co/abc"), [link or url], time)


@pytest.mark.parametrize(
    ("wrong", "post"),
    [
        ("", {}),
        ("another page", {"link": OTHER}),
        ("other words", {"words": "nova 1.0.0 is withdrawn: {}"}),
        ("before the release", {"time": samples.TIME - 2 * DAYS}),
        ("nothing", None),
        ("unread", {}),
        ("no search", {}),
    ],
)
def test_what_x_calls_a_duplicate_is_ours_or_it_is_refused(
    wrong: str, post: dict[str, Any] | None, x: XStub, ground: Ground
) -> None:
    """One thing wrong at a time: what is not seen in our timeline, word for word and with our page, is not told."""
    x.sure, x.unread = True, wrong == "unread"
    x.state["posts"] = [] if post is None else [shown(ground, **post)]
    target, effect = x_at(x, ground, search=wrong != "no search"), ground.effect("x")
    if not wrong:
        assert target.apply(effect).where == "https://x.com/i/status/1"
        return
    with pytest.raises(Refused, match="duplicate content") as caught:
        target.apply(effect)
    assert caught.value.after == 3_600


def test_a_duplicate_that_nobody_sees_stays_refused_and_is_asked_again(x: XStub, ground: Ground) -> None:
    x.sure = True
    drive = Drive(ground, x_at(x, ground))
    row = drive.once()
    assert (row.state, row.due, "duplicate content" in row.why) == ("refused", drive.now + 3_600, True)
    x.sure = False
    assert drive.to_the_end().state == "seen"
    assert len(x.state["posts"]) == 1


def test_a_post_is_found_behind_many_others(x: XStub, ground: Ground) -> None:
    target, effect = x_at(x, ground), ground.effect("x")
    target.apply(effect)
    x.state["posts"] += [XStub.made(n, f"word {n}", []) for n in range(2, 250)]
    found = target.find(effect)
    assert found is not None
    assert found.where == "https://x.com/i/status/1"
    x.state["posts"] += [XStub.made(n, f"word {n}", []) for n in range(250, 1_100)]
    with pytest.raises(RemoteError) as caught:
        target.find(effect)
    assert caught.value.code == "api-reply"


@pytest.mark.parametrize(
    ("headers", "after"),
    [
        ({"x-rate-limit-reset": str(TIME + 42)}, 42),
        ({"x-rate-limit-reset": str(TIME - 5)}, 1),
        ({"x-rate-limit-reset": str(TIME + 99_999_999)}, 86_400),
        ({}, 900),
    ],
)
def test_x_says_when_it_may_be_asked_again(headers: dict[str, str], after: int, x: XStub, ground: Ground) -> None:
    x.limit = headers
    with pytest.raises(Refused, match="429") as caught:
        x_at(x, ground).apply(ground.effect("x"))
    assert caught.value.after == after


def test_a_limit_that_makes_no_sense_is_nothing_that_anybody_knows(x: XStub, ground: Ground) -> None:
    x.limit = {"x-rate-limit-reset": "soon"}
    with pytest.raises(Unknown):
        x_at(x, ground).apply(ground.effect("x"))


def test_where_the_timeline_is_limited_nothing_is_posted(x: XStub, ground: Ground) -> None:
    x.limit = {"x-rate-limit-reset": str(TIME + 42)}
    row = Drive(ground, x_at(x, ground)).once()
    assert (row.state, row.why, x.state["posts"]) == ("none", "our timeline on X cannot be read", [])


def test_mastodon_says_when_it_may_be_asked_again(mastodon: MastodonStub, ground: Ground) -> None:
    now, reset = "Wed, 01 Apr 2026 15:02:00 GMT", "2026-04-01T15:05:00.000Z"
    mastodon.limits = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset, "Date": now}
    with pytest.raises(Refused, match="too many requests") as caught:
        mastodon_at(mastodon, ground).apply(ground.effect("toot"))
    assert caught.value.after == 180


def test_without_a_timeline_x_is_blind(x: XStub, ground: Ground) -> None:
    x.fault("lost", "POST")
    row = Drive(ground, x_at(x, ground, search=False)).to_the_end()
    assert (row.state, len(x.state["posts"])) == ("held", 1)


# --- apprise, which has a plug-in for plain JSON --------------------------------------------------------------------


def apprise_to(stub: Hook, ground: Ground, url: str = "", form: str = "short") -> Apprise:
    to = url or stub.url.replace("http:", "json:") + "/in"
    return Apprise(name="chat", url=lambda: to, kept=ground.kept, form=form)


quiet = pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")  # a plug-in of it, on Python before 3.13


@quiet
@pytest.mark.parametrize(("form", "words"), [("short", "nova 1.0.0 is out: "), ("text", "nova 1.0.0 is out.")])
def test_apprise_tells_a_service(form: str, words: str, hook: Hook, ground: Ground) -> None:
    row = Drive(ground, apprise_to(hook, ground, form=form)).to_the_end()
    assert row.state == "seen"
    (request,) = hook.asked
    assert request.json["message"].startswith(words)


@quiet
@pytest.mark.parametrize("fault", ["lost", "500 before", "500 after", "403"])
def test_what_apprise_is_not_sure_of_is_held(fault: str, hook: Hook, ground: Ground) -> None:
    hook.fault(fault, "POST")
    assert Drive(ground, apprise_to(hook, ground)).to_the_end().state == "held"
    assert len(hook.asked) == 1


@quiet
def test_an_address_that_apprise_does_not_know_sends_nothing(hook: Hook, ground: Ground) -> None:
    with pytest.raises(Refused, match="does not know"):
        apprise_to(hook, ground, "nonsense://x").apply(ground.effect("chat"))

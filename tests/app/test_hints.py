"""Webhooks in: judged before they are read, believed in nothing, and no secret is no entry."""

import hmac
import io
import json
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from tagtrail.app.serve.hints import LARGEST, check_secrets, receive_hint
from tagtrail.model.errors import Error
from tagtrail.model.settings import Project
from tagtrail.workflows import hints
from tagtrail.workflows.road import Road
from tests.workflows.world import START, World

NOW, OLD = "a-live-secret-of-hooks", "the-secret-before-that"
OBJECT = "a" * 40
PUSH = {"ref": "refs/tags/1.0.0", "after": OBJECT, "repository": {"clone_url": "https://git.example.org/x/nova.git"}}


class Door(World):
    """A world whose projects lie on a forge."""

    def project(self, name: str = "nova") -> Project:
        return replace(super().project(name), repo=f"https://git.example.org/x/{name}")


def hub(body: bytes, secret: str = NOW) -> dict[str, str]:
    return {"x-hub-signature-256": "sha256=" + hmac.new(secret.encode(), body, sha256).hexdigest()}


def standard(body: bytes, secret: str = NOW, at: int = START) -> dict[str, str]:
    made = hmac.new(secret.encode(), f"m1.{at}.".encode() + body, sha256).digest()
    return {"webhook-id": "m1", "webhook-timestamp": str(at), "webhook-signature": f"v1,{b64encode(made).decode()}"}


def send(road: Road, body: bytes, headers: dict[str, str], *secrets: str, named: Project | None = None) -> Any:
    usual = {"content-length": str(len(body))}
    return receive_hint(road, secrets, usual | headers, io.BytesIO(body), named)


def body(**changes: Any) -> bytes:
    return json.dumps(PUSH | changes).encode()


FORMS = {
    "github": hub,
    "gitea": lambda data: {"x-gitea-signature": hub(data)["x-hub-signature-256"][7:]},
    "forgejo": lambda data: {"x-forgejo-signature": hub(data)["x-hub-signature-256"][7:]},
    "gitlab": lambda _: {"x-gitlab-token": NOW},
    "standard": standard,
    "the secret before": lambda data: hub(data, OLD),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms(form: str) -> None:
    world = Door(names=("nova", "glance"))
    road = world.road()
    assert send(road, body(), FORMS[form](body()), NOW, OLD) == ("nova",)
    assert [row.effect.key for row in hints.waiting(world.journal)] == [f"nova/refs/tags/1.0.0/{OBJECT}"]


def test_standard_webhooks_with_the_key_as_they_write_it() -> None:
    road, key = Door().road(), "whsec_" + b64encode(NOW.encode()).decode()
    assert send(road, body(), standard(body()), key) == ("nova",)


DEEP = b"[" * 100_000
REFUSED: dict[str, tuple[bytes, dict[str, str], tuple[str, ...], str]] = {
    "no secret configured": (body(), hub(body()), (), "hint-off"),
    "an empty secret": (body(), hub(body(), ""), ("",), "hint-signature"),
    "wrong secret": (body(), hub(body(), "somebody-elses-secret"), (NOW,), "hint-signature"),
    "old secret": (body(), hub(body(), OLD), (NOW,), "hint-signature"),
    "no signature": (body(), {}, (NOW,), "hint-signature"),
    "other bytes": (body(), hub(body(ref="refs/tags/2")), (NOW,), "hint-signature"),
    "an old standard webhook": (body(), standard(body(), at=START - 301), (NOW,), "hint-signature"),
    "signature is not ASCII": (body(), {"x-hub-signature-256": "sha256=\u00e9"}, (NOW,), "hint-signature"),
    "no length": (body(), hub(body()) | {"content-length": ""}, (NOW,), "hint-size"),
    "odd length": (body(), hub(body()) | {"content-length": "\u0663"}, (NOW,), "hint-size"),
    "too short": (body(), hub(body()) | {"content-length": str(len(body()) + 1)}, (NOW,), "hint-size"),
    "not UTF-8": (b'{"ref": "\xff"}', hub(b'{"ref": "\xff"}'), (NOW,), "hint-form"),
    "deep": (DEEP, hub(DEEP), (NOW,), "hint-form"),
    "a list": (b"[]", hub(b"[]"), (NOW,), "hint-form"),
    "somebody else's repository": (body(repository={}), hub(body(repository={})), (NOW,), "hint-project"),
}


@pytest.mark.parametrize("which", REFUSED)
def test_refused(which: str) -> None:
    world = Door()
    data, headers, secrets, code = REFUSED[which]
    with pytest.raises(Error) as refused:
        send(world.road(), data, headers, *secrets)
    assert (refused.value.code, hints.waiting(world.journal)) == (code, ())


def test_the_size_is_judged_before_anything_is_read() -> None:
    stream, data = io.BytesIO(b" " * LARGEST + b"{}"), b" " * LARGEST + b"{}"
    headers = hub(data) | {"content-length": str(len(data))}
    with pytest.raises(Error) as refused:
        receive_hint(Door().road(), [NOW], headers, stream, World().project())
    assert (refused.value.code, stream.tell()) == ("hint-size", 0)


def test_a_replay_is_no_second_hint_not_even_after_it_was_answered() -> None:
    world = Door()
    road = world.road()
    for data in (body(), body(), body(pusher="other words, same object")):
        send(road, data, hub(data), NOW)
    assert len(hints.waiting(world.journal)) == 1
    hints.answered(world.journal, hints.waiting(world.journal))
    send(road, body(), hub(body()), NOW)
    assert hints.waiting(world.journal) == ()
    send(road, body(after="b" * 40), hub(body(after="b" * 40)), NOW)
    assert len(hints.waiting(world.journal)) == 1


def test_the_address_may_name_the_project_and_the_payload_nothing() -> None:
    world = Door()
    assert send(world.road(), b"{}", hub(b"{}"), NOW, named=world.project()) == ("nova",)
    assert [row.effect.key for row in hints.waiting(world.journal)] == [f"nova/{sha256(b'{}').hexdigest()}"]


@pytest.mark.parametrize(
    "address", ["git@git.example.org:x/nova.git", "ssh://git@git.example.org/x/nova", "https://GIT.example.org/x/nova/"]
)
def test_a_repository_by_its_other_addresses(address: str) -> None:
    data = body(repository={"ssh_url": address})
    assert send(Door().road(), data, hub(data), NOW) == ("nova",)


def test_a_secret_that_can_be_guessed_is_none() -> None:
    assert check_secrets([NOW, OLD]) == (NOW, OLD)
    with pytest.raises(Error) as refused:
        check_secrets([NOW, "short"])
    assert refused.value.code == "hint-secret"

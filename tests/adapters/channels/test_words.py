"""Words to the release team by every channel that may tell them: notices of no entry, once, like any other."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import partial

import pytest
from standardwebhooks.webhooks import Webhook as Oracle

from tagtrail.adapters.apprise import Apprise
from tagtrail.adapters.mail import Mail
from tagtrail.adapters.webhook import Webhook
from tagtrail.formats.mail import Envelope, message_id
from tagtrail.formats.notice import notice_blob, notice_bytes, parse_notice
from tagtrail.formats.site import Site
from tagtrail.io.api import Api
from tagtrail.io.smtp import Smtp
from tagtrail.model.facts import Effect, Finding, Row
from tagtrail.model.notice import Notice
from tagtrail.model.sighting import Sighting
from tagtrail.pages.sighting import sighting_notice
from tagtrail.ports import Target
from tagtrail.testing import samples
from tagtrail.testing.memory import Journal
from tagtrail.workflows.carry import bring
from tagtrail.workflows.words import WORD
from tests.adapters.channels.ground import Ground
from tests.adapters.channels.smtp_peer import Peer
from tests.adapters.channels.stubs import Hook
from tests.adapters.channels.test_services import NEW, quiet

pytestmark = pytest.mark.client

SITE = Site(name="Example Cloud", origin="releases.example.org/trail", url="")
MOVED = Sighting(what="moved", project="nova", tag="1.1.0", version="1.1.0", object="b" * 40, before="a" * 40)
HOSTILE = Finding(
    rule="TAG009", name="x", code="x", level="error", text="gr\u00fc\u00df\r\nBcc: all@example.org\x1b[2J", fix=""
)
NEW_TAG = Sighting(what="new", project="nova", tag="1.1.0", version="1.1.0", object="c" * 40, findings=(HOSTILE,))


def said(seen: Sighting) -> Notice:
    return sighting_notice(seen, SITE, samples.TIME)


class Words:
    """The driver over one word, by as many processes as a test wants."""

    def __init__(self, ground: Ground, target: Target, notice: Notice) -> None:
        self.target, self.journal, self.now = target, Journal(), samples.TIME
        ground.kept.put([notice_bytes(notice)], "application/json")
        key = f"notice:{notice.key}"
        blob = notice_blob(notice)
        self.effect = Effect(target=target.name, key=key, entry=WORD, path=notice.subject, blob=blob)

    def told(self) -> Row:
        self.now += 100_000
        more = {"clock": lambda: self.now, "tell": lambda *_: None, "told": True}
        (row,) = bring((self.effect,), self.target, self.journal, **more)  # type: ignore[arg-type]
        return row


@pytest.fixture
def ground() -> Ground:
    return Ground()


@pytest.fixture
def peer() -> Iterator[Peer]:
    with Peer() as peer:
        yield peer


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as stub:
        yield stub


def mail_to(peer: Peer, ground: Ground) -> Mail:
    smtp = Smtp(host="127.0.0.1", port=peer.port, tls="none", hello="us.example.org", timeout=2, patience=2)
    envelope = Envelope(sender="releases@example.org", to=("team@lists.example.org",))
    return Mail(name="team", smtp=smtp, envelope=envelope, kept=ground.kept)


def mails(peer: Peer) -> list[EmailMessage]:
    return [message_from_bytes(data, policy=default) for _, _, data in peer.mails]


@pytest.mark.parametrize("seen", [MOVED, NEW_TAG], ids=["alarm", "tag"])
def test_a_word_is_one_mail(seen: Sighting, peer: Peer, ground: Ground) -> None:
    notice = said(seen)
    assert (notice.entries, notice.url) == ((), "")
    words = Words(ground, mail_to(peer, ground), notice)
    assert [words.told().state for _ in range(3)] == ["seen"] * 3
    (mail,) = mails(peer)
    assert (mail["Subject"], mail["Message-ID"]) == (notice.subject, message_id("team", notice))
    assert mail["Bcc"] is None
    text, html = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    assert text.get_content().replace("\r\n", "\n") == notice.text
    assert "<pre>" in html.get_content()
    assert "\x1b" not in text.get_content() + html.get_content()


def test_the_words_of_a_project_are_one_thread_and_no_releases_thread(peer: Peer, ground: Ground) -> None:
    target = mail_to(peer, ground)
    for notice in (said(NEW_TAG), said(MOVED), ground.notice):
        Words(ground, target, notice).told()
    first, second, release = mails(peer)
    assert first["References"] == second["References"] != release["References"]
    assert len({mail["Message-ID"] for mail in mails(peer)}) == 3


@pytest.mark.parametrize(("fault", "state", "arrived"), [("end 250 lost", "held", 1), ("end lost", "held", 0)])
def test_a_word_that_nobody_knows_of_is_held(fault: str, state: str, arrived: int, peer: Peer, ground: Ground) -> None:
    peer.faults = [fault]
    words = Words(ground, mail_to(peer, ground), said(MOVED))
    assert [words.told().state for _ in range(3)] == [state] * 3
    assert len(peer.mails) == arrived


@pytest.mark.parametrize(("seen", "kind"), [(MOVED, "tagtrail.alarm"), (NEW_TAG, "tagtrail.tag")])
def test_a_word_by_webhook_has_a_type_of_its_own(seen: Sighting, kind: str, hook: Hook, ground: Ground) -> None:
    now = samples.TIME
    api = Api(base=f"{hook.url}/in", timeout=2)
    target = Webhook(name="team", api=api, secrets=[partial(str, NEW)], kept=ground.kept, clock=lambda: now)
    hook.fault("lost", "POST")
    words = Words(ground, target, said(seen))
    assert [words.told().state for _ in range(3)] == ["asked", "seen", "seen"]
    (request,) = hook.state.values()
    assert len(hook.asked) == 2
    body = request.json
    assert (body["type"], body["data"]["entries"], body["data"]["project"]) == (kind, [], "nova")
    assert body["data"]["subject"] == parse_notice(ground.kept.read(words.effect.blob.sha256)).subject
    signed = {"webhook-timestamp": request.headers["webhook-timestamp"]}
    assert signed == {"webhook-timestamp": str(now)}
    assert (
        Oracle(NEW).sign(request.headers["webhook-id"], _at(now), request.body.decode())
        == (request.headers["webhook-signature"])
    )


def _at(now: int) -> datetime:
    return datetime.fromtimestamp(now, UTC)


@quiet
def test_a_word_by_apprise_is_its_line(hook: Hook, ground: Ground) -> None:
    url = hook.url.replace("http:", "json:") + "/in"
    words = Words(ground, Apprise(name="team", url=lambda: url, kept=ground.kept), said(MOVED))
    assert [words.told().state for _ in range(2)] == ["seen", "seen"]
    (request,) = hook.asked
    assert request.json["message"] == said(MOVED).subject

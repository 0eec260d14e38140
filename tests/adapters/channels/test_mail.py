"""Mail to a real SMTP server that goes wrong at every stage: never two, never none, and the unclear ones held."""

import ssl
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import SMTP as POLICY
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tagtrail.adapters.mail import Mail
from tagtrail.formats.mail import Envelope, archived, message_id
from tagtrail.io.smtp import Smtp
from tagtrail.model.errors import RemoteError, SetupError
from tagtrail.ports import Refused, Unknown
from tagtrail.testing import samples
from tagtrail.testing.fuse import Blown, Fuse
from tagtrail.testing.memory import Journal
from tagtrail.testing.suites import target as suite
from tests.adapters.channels.ground import Drive, Ground
from tests.adapters.channels.smtp_peer import EITHER, FAULTS, STORED, UNKNOWN, Peer

pytestmark = pytest.mark.client

TO = ("first@lists.example.org", "second@lists.example.org")


@dataclass
class Place:
    peer: Peer
    ground: Ground = field(default_factory=Ground)

    def smtp(self, **more: Any) -> Smtp:
        said = {"tls": "none", "hello": "us.example.org", "timeout": 0.15, "patience": 0.15} | more
        return Smtp(host="127.0.0.1", port=self.peer.port, **said)  # type: ignore[arg-type]

    def target(self, *, archive: bool = False, **more: Any) -> Mail:
        envelope = Envelope(sender="Rel <releases@example.org>", to=TO, reply_to="dev@example.org")
        where = "https://lists.example.org/message/{hash}/" if archive else ""
        return Mail(
            name="list",
            smtp=self.smtp(**more),
            envelope=envelope,
            kept=self.ground.kept,
            archive=where,
            digest=self.looked,
        )

    def looked(self, url: str, limit: int) -> str | None:
        """An archive of what the peer took."""
        ids = [archived(message_from_bytes(data)["Message-ID"]) for _, _, data in self.peer.mails]
        return sha256(url.encode()).hexdigest() if url.split("/")[-2] in ids else None


@pytest.fixture
def place() -> Iterator[Place]:
    with Peer() as peer:
        yield Place(peer)


@pytest.mark.parametrize("archive", [False, True], ids=["blind", "searchable"])
@pytest.mark.parametrize("check", suite.CHECKS)
def test_suite(check: Callable[[suite.Case], None], archive: bool, place: Place) -> None:
    ground = place.ground
    case = suite.Case(
        target=place.target(archive=archive), logged=ground.logged, later=ground.later, notice=samples.notice
    )
    if check is suite.applying_again_changes_nothing:
        pytest.skip("mail has no key: what was sent twice is two")
    check(case)


# --- one mail, whatever goes wrong ----------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", FAULTS)
def test_blind_never_two_never_none(fault: str, place: Place) -> None:
    place.peer.faults = [fault]
    row = Drive(place.ground, place.target()).to_the_end()
    if fault in EITHER:
        assert (row.state, len(place.peer.mails)) in {("held", 0), ("seen", 1)}
    elif fault in UNKNOWN:
        assert row.state == "held"
        assert len(place.peer.mails) == (fault in STORED), "nothing was sent again"
    else:
        assert row.state == "seen"
        assert len(place.peer.mails) == 1


@pytest.mark.parametrize("fault", FAULTS)
def test_blind_with_the_journal_lost_is_held(fault: str, place: Place) -> None:
    place.peer.faults = [fault]
    row = Drive(place.ground, place.target()).to_the_end(lose=True)
    assert row.state == "held"
    assert len(place.peer.mails) == (fault in STORED), "nothing was sent by somebody who does not remember"


@pytest.mark.parametrize("lose", [False, True], ids=["journal kept", "journal lost"])
@pytest.mark.parametrize("fault", FAULTS)
def test_with_an_archive_exactly_one(fault: str, lose: bool, place: Place) -> None:
    place.peer.faults = [fault]
    row = Drive(place.ground, place.target(archive=True)).to_the_end(lose=lose)
    assert row.state == "seen"
    assert len(place.peer.mails) == 1


@pytest.mark.parametrize("at", range(4))
def test_a_worker_that_is_killed_between_intent_and_receipt(at: int, place: Place) -> None:
    """Points: before and after the row `none`... of the journal; the mail goes out between asked and seen."""
    journal = Journal()
    drive = Drive(place.ground, place.target(), journal)
    journal.fuse = Fuse(at + 2)
    with pytest.raises(Blown):
        drive.once()
    journal.fuse = Fuse()
    row = drive.to_the_end()
    sent = len(place.peer.mails)
    assert (row.state, sent) in {("seen", 1), ("held", 0), ("held", 1)}
    assert row.state == "seen" or at > 0


def test_what_the_server_says_is_told(place: Place) -> None:
    place.peer.faults = ["one of two 550"]
    with pytest.raises(Refused) as caught:
        place.target().apply(place.ground.effect("list"))
    assert "refuses second@lists.example.org: 550 nobody of this name" in caught.value.why
    assert caught.value.after == 3600
    place.peer.faults = ["mail 450"]
    with pytest.raises(Refused) as caught:
        place.target().apply(place.ground.effect("list"))
    assert caught.value.after == 300
    assert place.peer.mails == []


def test_nobody_listens(place: Place) -> None:
    target = place.target()
    target.smtp.port = 1
    with pytest.raises(Refused) as caught:
        target.apply(place.ground.effect("list"))
    assert caught.value.after == 60


def test_the_mail_arrives_as_it_was_written(place: Place) -> None:
    text = "\n.\n..dots\n" + "gr\u00fc\u00df " * 300 + "\n" + "x" * 2000 + "\n"
    place.ground.notice = place.ground.keep(place.ground.notice, text=text, subject="nova \u2014 " + "\u00fc" * 300)
    place.target().apply(place.ground.effect("list"))
    ((sender, to, data),) = place.peer.mails
    assert (sender, tuple(to)) == ("releases@example.org", TO)
    assert max(map(len, data.split(b"\r\n"))) <= 998
    assert data.isascii()
    message = message_from_bytes(data, policy=POLICY)
    plain, html = message.iter_parts()
    assert plain.get_content().replace("\r\n", "\n") == text
    assert "nova 1.0.0 is out" in html.get_content()
    assert message["Subject"] == place.ground.notice.subject
    assert message["Message-ID"] == message_id("list", place.ground.notice)


# --- TLS and passwords ----------------------------------------------------------------------------------------------


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A key and a certificate for 127.0.0.1 that nobody but the test trusts, in one file."""
    path = tmp_path / "both.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=mx", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", path, "-out", tmp_path / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    path.write_bytes(path.read_bytes() + (tmp_path / "cert.pem").read_bytes())
    return path


def test_starttls_and_a_password(certificate: Path) -> None:
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(certificate)
    ours = lambda: ssl.create_default_context(cafile=str(certificate))  # noqa: E731
    with Peer(tls=theirs, login=("jo", "hunter2")) as peer:
        place = Place(peer)
        said: dict[str, Any] = {"tls": "starttls", "user": "jo", "timeout": 5.0, "patience": 5.0}
        place.target(**said, password=lambda: "hunter2", context=ours).apply(place.ground.effect("list"))
        assert (len(peer.mails), peer.authenticated) == (1, ["jo"])
        with pytest.raises(Refused, match="certificate"):  # one that the system does not trust
            place.target(**said, password=lambda: "hunter2").apply(place.ground.effect("list"))
        assert peer.authenticated == ["jo"], "no password was told"
        with pytest.raises(Refused, match="535"):
            place.target(**said, password=lambda: "wrong", context=ours).apply(place.ground.effect("list"))
        assert len(peer.mails) == 1


def test_no_starttls_no_mail(place: Place) -> None:
    with pytest.raises(Refused, match="offers no STARTTLS"):
        place.target(tls="starttls").apply(place.ground.effect("list"))
    assert place.peer.mails == []


def test_no_password_in_the_clear() -> None:
    with pytest.raises(SetupError) as caught:
        Smtp(host="mx.example.org", port=25, tls="none", user="jo")
    assert caught.value.code == "mail-clear"


def test_a_missing_password_is_known_before_anything_is_sent(place: Place) -> None:
    def missing() -> str:
        raise SetupError("the environment has no P", code="secret-missing", hint="export P=...")

    with pytest.raises(Refused, match=r"has no P: export P"):
        place.target(user="jo", password=missing).apply(place.ground.effect("list"))


# --- the archive ----------------------------------------------------------------------------------------------------


def test_an_archive_that_shows_anything_is_not_believed(place: Place) -> None:
    target = place.target(archive=True)
    target.digest = lambda *_: "0" * 64
    with pytest.raises(RemoteError) as caught:
        target.find(place.ground.effect("list"))
    assert caught.value.code == "archive-anything"


def test_unknown_is_said(place: Place) -> None:
    place.peer.faults = ["end 250 lost"]
    with pytest.raises(Unknown, match="did not say whether it took the mail"):
        place.target().apply(place.ground.effect("list"))

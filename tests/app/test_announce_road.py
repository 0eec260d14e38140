"""People told by the real command line over a real mail server: once, threaded, together, held where nobody knows."""

import threading
from base64 import b64encode
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from tests.adapters.channels.smtp_peer import Peer
from tests.adapters.trackers.stub import Request, Response, Stub
from tests.app.test_trackers_road import package
from tests.app.world import Ended, World

pytestmark = pytest.mark.client

LIST = """
[targets.list]
type   = "mail"
server = "smtp://localhost:{port}"
sender = "Example Releases <releases@example.org>"
to     = ["announce@lists.example.org"]
{more}
[watch]
tell = ["team"]

[targets.team]
type   = "mail"
server = "smtp://localhost:{port}"
sender = "releases@example.org"
to     = ["release-team@lists.example.org"]

"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


class Told(World):
    """A world whose site is served, and whose releases are announced by mail to `peer`."""

    peer: Peer

    def begin(self, url: str, more: str = "") -> "Told":
        self.make("--url", url, targets=LIST.format(port=self.peer.port, more=more))
        settings = self.home / "tagtrail.toml"
        bugs = 'announce = ["list"]\nbugs = "https://bugs.example.org/{project}"\n'
        settings.write_text(settings.read_text() + bugs)
        return self

    def mails(self, to: str = "announce") -> list[EmailMessage]:
        taken = [mail for mail in self.peer.mails if mail[1][0].startswith(to)]
        return [message_from_bytes(data, policy=default) for _, _, data in taken]

    def released(self, version: str) -> None:
        """Tagged and on the site; 4 is one that waits for the day's end."""
        self.commit(version)
        self.tag(version)
        done = self.tell("release", "toy", version)
        assert done.code in (0, 4), done.out + done.err


@pytest.fixture
def peer() -> Iterator[Peer]:
    with Peer() as peer:
        yield peer


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    handler = partial(Quiet, directory=str(tmp_path / "home" / "site"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


@pytest.fixture
def world(tmp_path: Path, url: str, peer: Peer) -> Told:
    told = Told(tmp_path)
    told.peer = peer
    return told.begin(url)


@pytest.fixture
def daily(tmp_path: Path, url: str, peer: Peer) -> Told:
    told = Told(tmp_path)
    told.peer = peer
    return told.begin(url, 'together = "day"')


def parts(mail: EmailMessage) -> tuple[str, str]:
    text, html = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    return text.get_content(), html.get_content()


def place(shown: Ended, name: str = "list") -> dict[str, Any]:
    """What `status` says of a place."""
    (found,) = [one for one in shown.event("status")["targets"] if one["target"] == name]
    return dict(found)


def test_a_release_and_its_end_are_one_mail_each_in_one_thread(world: Told, url: str) -> None:
    world.released("1.0.0")
    (mail,) = world.mails()
    assert (mail["From"], mail["To"], mail["Subject"]) == (
        "Example Releases <releases@example.org>", "announce@lists.example.org", "toy 1.0.0",
    )  # fmt: skip
    assert (mail["Auto-Submitted"], mail["In-Reply-To"]) == ("auto-generated", mail["References"])
    text, html = parts(mail)
    files = {s["name"]: s["digest"]["sha256"] for s in world.leaves()[1]["subject"]}
    for said in (f"{url}toy/1.0.0/", "tagtrail verify toy-1.0.0.tar.gz --fetch", "entry 1 of", *files, *files.values()):
        assert said in text
        assert said in html
    assert world.tell("release", "toy", "1.0.0").code == world.tell("resume").code == world.tell("status").code == 0
    assert len(world.mails()) == 1

    for _ in range(2):
        assert world.tell("withdraw", "toy", "1.0.0", "--reason", "loses data").code == 0
    _, gone = world.mails()
    assert (gone["Subject"], gone["References"]) == ("toy 1.0.0 is withdrawn", mail["References"])
    assert gone["Message-ID"] != mail["Message-ID"]
    assert "Why: loses data." in parts(gone)[0]
    assert (world.tell("resume").code, len(world.mails())) == (0, 2)


def test_the_same_release_is_the_same_mail_whoever_sends_it_and_when(world: Told, peer: Peer) -> None:
    peer.faults = ["end 451"]
    world.commit("1.0.0")
    world.tag("1.0.0")
    assert world.tell("release", "toy", "1.0.0").code == 5
    assert world.tell("settle", "list", "--again", "--because", "greylisted").code == 0
    assert world.tell("resume").code == 0
    assert world.tell("settle", "list", "--again", "--because", "it is there").code == 2
    world.lose_journal()
    held = world.tell("release", "toy", "1.0.0")
    assert (held.code, len(world.mails())) == (4, 1), "who forgot does not send it again"
    assert world.tell("settle", "list", "--again", "--because", "nobody has it").code == world.tell("resume").code == 0
    once, again = (data for _, _, data in peer.mails)
    assert once == again


LOST = pytest.mark.parametrize("lost", [False, True], ids=["journal kept", "journal lost"])


@LOST
@pytest.mark.parametrize("fault", ["end 250 lost", "end lost"])
def test_dropped_after_the_data_it_is_held_shown_and_settled(
    world: Told, peer: Peer, fault: str, *, lost: bool
) -> None:
    arrived = fault == "end 250 lost"
    peer.faults = [fault]
    world.released("1.0.0")
    if lost:
        world.lose_journal()
        assert world.tell("release", "toy", "1.0.0").code == 4
    assert world.tell("resume").code == 4
    shown = world.tell("status")
    assert (shown.code, place(shown)["state"], place(shown)["of"]) == (4, "held", 1)
    assert "published, not announced" in shown.event("status")["text"]
    assert "settle list toy 1.0.0 --done|--again|--drop" in shown.event("outcome")["next"]
    assert len(peer.mails) == arrived, "nobody sent it again"
    how = "--done" if arrived else "--again"
    settled = world.tell("settle", "list", "toy", "1.0.0", how, "--because", "the archive says so")
    assert (settled.code, settled.event("outcome")["text"].split(":")[0]) == (0, "1 effect at list")
    assert world.tell("resume").code == world.tell("status").code == 0
    assert len(world.mails()) == 1


def test_the_releases_of_a_day_are_one_mail_when_the_operator_says_so(daily: Told, url: str) -> None:
    for version in ("1.0.0", "1.0.1", "1.0.2"):
        daily.released(version)
    waits = daily.tell("status")
    assert (waits.code, daily.mails()) == (4, [])
    assert "or now by `resume --early`" in place(waits)["why"]
    assert (daily.tell("resume").code, daily.mails()) == (4, []), "cron sends nothing before the day's end"
    early = daily.tell("resume", "--early")
    assert [e["exit"] for e in early.events if e["event"] == "outcome"] == [0, 0, 0]
    (mail,) = daily.mails()
    assert ": 3 releases, " in mail["Subject"]
    for body in parts(mail):
        assert all(f"{url}toy/{version}/" in body for version in ("1.0.0", "1.0.1", "1.0.2"))
    for _ in range(2):
        assert daily.tell("resume", "--early").code == daily.tell("status").code == 0
    assert len(daily.mails()) == 1


def test_a_digest_that_nobody_knows_of_is_held_as_one_and_settled_as_one(daily: Told, peer: Peer) -> None:
    for version in ("1.0.0", "1.0.1"):
        daily.released(version)
    peer.faults = ["end 250 lost"]
    assert daily.tell("resume", "--early").code == 4
    assert daily.tell("resume", "--early").code == 4
    assert daily.tell("settle", "list", "toy", "1.0.1", "--done", "--because", "it is in the archive").code == 0
    assert daily.tell("resume").code == daily.tell("status").code == 0
    assert len(daily.mails()) == 1


def test_a_withdrawal_does_not_wait_for_the_end_of_the_day(daily: Told) -> None:
    daily.released("1.0.0")
    daily.released("1.0.1")
    assert daily.tell("withdraw", "toy", "1.0.0", "--reason", "loses data").code == 0
    assert [mail["Subject"] for mail in daily.mails()] == ["toy 1.0.0 is withdrawn"]
    assert daily.tell("resume", "--early").code == 0
    assert [mail["Subject"] for mail in daily.mails()] == ["toy 1.0.0 is withdrawn", "toy 1.0.1"]


# --- words to the team ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("how", "mails"), [("--done", 1), ("--again", 2), ("--drop", 1)])
def test_a_word_to_the_team_is_held_shown_and_settled(world: Told, peer: Peer, how: str, mails: int) -> None:
    assert world.tell("watch", "--once").code == 0
    world.tag("1.0.0")
    peer.faults = ["end 250 lost"]
    assert world.tell("watch", "--once").code == world.tell("resume").code == 4
    shown = world.tell("status", "toy", "1.0.0")
    told = place(shown, "team")
    assert (shown.code, told["state"], told["path"]) == (4, "held", "toy 1.0.0: a tag appeared, no errors")
    assert "settle team/watch/toy/1.0.0 --done|--again|--drop" in shown.event("outcome")["next"]
    assert world.tell("settle", "team/watch/toy/1.0.0", how, "--because", "I looked").code == 0
    assert world.tell("resume").code == world.tell("status").code == world.tell("watch", "--once").code == 0
    assert len(world.mails("release-team")) == mails
    assert len({mail["Message-ID"] for mail in world.mails("release-team")}) == 1


# --- a program of one's own -----------------------------------------------------------------------------------------


class Chat(Stub):
    """A server that takes words; `gone`: it says 500, and has them."""

    gone = False

    def __init__(self) -> None:
        super().__init__()
        self.state = []

    def answer(self, request: Request, state: Any) -> Response:
        state.append((request.headers["authorization"], dict(parse_qsl(request.body.decode()))))
        return Response(status=500 if self.gone else 200, value={"result": "success"})


@pytest.fixture
def chat() -> Iterator[Chat]:
    with Chat() as chat:
        yield chat


def example(name: str) -> str:
    """A script as docs/channels.md shows it."""
    text = (Path(__file__).parents[2] / "docs" / "channels.md").read_text()
    lines = text[text.index(f"    #!/bin/sh\n    # {name}") :].split("\n\n")[0].splitlines()
    return "".join(f"{line.removeprefix('    ')}\n" for line in lines)


def pager() -> str:
    """The type of one's own as docs/channels.md shows it."""
    text = (Path(__file__).parents[2] / "docs" / "channels.md").read_text()
    block = text[text.index("    from tagtrail.formats.notice import") : text.index("## How it was tried")]
    return "".join(f"{line.removeprefix('    ')}\n" for line in block.splitlines())


def chatting(world: Told, script: str) -> None:
    """The project is told of by the example of the docs, and by nobody else."""
    (world.home / "scripts").mkdir()
    (world.home / "scripts" / "say").write_text(script)
    (world.home / "scripts" / "say").chmod(0o755)
    table = '[targets.chat]\ntype = "command"\napply = ["scripts/say", "releases", "{short}"]\n'
    settings = world.home / "tagtrail.toml"
    text = settings.read_text().replace('announce = ["list"]', 'announce = ["chat"]')
    settings.write_text(f'{text}\n{table}env = {{ ZULIP = "env:ZULIP" }}\n')
    world.env["ZULIP"] = "bot@example.org:key"


def test_the_program_of_the_docs_says_it_once(world: Told, chat: Chat, url: str) -> None:
    chatting(world, example("scripts/say").replace("https://chat.example.org", chat.url))
    world.released("1.0.0")
    assert world.tell("withdraw", "toy", "1.0.0", "--reason", "loses data").code == world.tell("resume").code == 0
    who = f"Basic {b64encode(b'bot@example.org:key').decode()}"
    about = {"type": "stream", "to": "releases", "topic": "releases"}
    said = (f"toy 1.0.0 is out: {url}toy/1.0.0/", f"toy 1.0.0 is withdrawn: {url}toy/1.0.0/")
    assert chat.state == [(who, about | {"content": words}) for words in said]


def test_the_program_of_the_docs_is_sure_or_says_so(world: Told, chat: Chat) -> None:
    chatting(world, example("scripts/say").replace("https://chat.example.org", "http://127.0.0.1:9"))
    world.commit("1.0.0")
    world.tag("1.0.0")
    down = world.tell("release", "toy", "1.0.0")
    assert (down.code, place(world.tell("status"), "chat")["state"]) == (5, "refused"), "nobody could be reached"
    chat.gone = True
    chatting_again = example("scripts/say").replace("https://chat.example.org", chat.url)
    (world.home / "scripts" / "say").write_text(chatting_again)
    assert world.tell("settle", "chat", "--again", "--because", "it is up").code == 0
    assert (world.tell("resume").code, place(world.tell("status"), "chat")["state"]) == (4, "held")
    assert len(chat.state) == 1


PAGE = 'def page(room, words, key):\n    with open(room, "a") as said:\n        said.write(f"{key[:8]} {words}\\n")\n'


def test_the_type_of_the_docs_is_told_once(world: Told, url: str) -> None:
    brought = package(world.root / "packages", "example-pager", f"{PAGE}\n{pager()}", "example_pager:Pager")
    world.env["PYTHONPATH"] = str(brought)
    settings, room = world.home / "tagtrail.toml", world.root / "room"
    text = settings.read_text().replace('announce = ["list"]', 'announce = ["pager"]')
    settings.write_text(f'{text}\n[targets.pager]\ntype = "shelf"\nroom = "{room}"\n')
    world.released("1.0.0")
    assert world.tell("release", "toy", "1.0.0").code == 0
    assert world.tell("withdraw", "toy", "1.0.0", "--reason", "loses data").code == world.tell("resume").code == 0
    said = [line.partition(" ") for line in room.read_text().splitlines()]
    assert [words for _, _, words in said] == [
        f"toy 1.0.0 is out: {url}toy/1.0.0/", f"toy 1.0.0 is withdrawn: {url}toy/1.0.0/",
    ]  # fmt: skip
    assert len({key for key, _, _ in said}) == 2

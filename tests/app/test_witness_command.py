"""`tagtrail witness`: its directory, its answers over HTTP; and a real server with slow clients, killed, restarted."""

import http.client
import io
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tagtrail.adapters.http_witness import HttpWitness
from tagtrail.adapters.sqlite_witness import SqliteWitness
from tagtrail.app.commands import witness as command
from tagtrail.app.serve.witness import application
from tagtrail.formats import note
from tagtrail.formats.note import COSIGNATURE, Signer
from tagtrail.formats.policy import parse as parse_policy
from tagtrail.formats.witness import MAX_REQUEST, Request
from tagtrail.model.errors import Error, RemoteError, SetupError, TamperError
from tagtrail.ports import Behind
from tagtrail.testing.suites.witness import Tree
from tagtrail.workflows.witness import Desk, add_checkpoint
from tests.app.desk import Said, said
from tests.ports.witnesses import Server

NAME = "witness.example.org/w1"
LOG = Signer(name="example.org/trail", seed=b"\x01" * 32)
NEXT = Signer(name=LOG.name, seed=b"\x02" * 32)
TREE, FORK = Tree(LOG), Tree(LOG, fork=3)
VKEY = LOG.verifier.vkey()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    said(command, "init", tmp_path / "w", "--name", NAME)
    return tmp_path / "w"


def refused(*words: object) -> str:
    with pytest.raises(Error) as caught:
        said(command, *words)
    assert caught.value.exit_code == 2
    return caught.value.code


def send(place: Path, old: int, size: int, tree: Tree = TREE, proof: tuple[bytes, ...] | None = None) -> int:
    """The status of an answer, given without a server."""
    memory = SqliteWitness(place / "witness.db")
    signer = command._signer(place)
    desk = Desk(signer=signer, keys=memory.keys, seen=memory, clock=lambda: 1_775_055_720, tell=lambda *_: None)
    given = tree.proof(old, size) if proof is None else proof
    return add_checkpoint(desk, Request(old=old, proof=given, note=tree.note(size)).encode()).status


# --- init -----------------------------------------------------------------------------------------------------------


def test_init_makes_a_key_that_nobody_else_reads(tmp_path: Path) -> None:
    (about,) = said(command, "init", tmp_path / "w", "--name", NAME).of("witness")
    modes = {p.relative_to(tmp_path).as_posix(): p.stat().st_mode & 0o777 for p in (tmp_path / "w").rglob("*")}
    assert modes == {
        "w/private": 0o700,
        "w/private/.gitignore": 0o600,
        "w/private/witness.key": 0o600,
        "w/witness.db": 0o600,
    }
    assert (tmp_path / "w" / "private" / ".gitignore").read_text() == "*\n"
    secret = (tmp_path / "w" / "private" / "witness.key").read_text()
    signer = note.parse_skey(secret.removesuffix("\n"))
    assert (signer.kind, signer.verifier.vkey()) == (COSIGNATURE, about["vkey"])
    assert secret not in str(about)
    policy = parse_policy(f"{about['policy']}\nquorum {NAME}\n".encode())
    assert policy.witnesses[0].verifier == signer.verifier
    assert policy.witnesses[0].url == f"https://{NAME}/"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "usage"),
        ("https://witness.example.org", "witness-name"),
        ("a b", "witness-name"),
        ("a+b", "witness-name"),
        ("witness.example.org/", "witness-name"),
    ],
)
def test_a_witness_needs_a_name(name: str, code: str, tmp_path: Path) -> None:
    assert refused("init", tmp_path / "w", "--name", name) == code
    assert list(tmp_path.iterdir()) == []


def test_init_changes_nothing_that_is_there(place: Path) -> None:
    before = (place / "private" / "witness.key").read_bytes()
    assert refused("init", place, "--name", NAME) == "home-exists"
    assert (place / "private" / "witness.key").read_bytes() == before


def test_init_in_an_empty_directory(tmp_path: Path) -> None:
    (tmp_path / "w").mkdir()
    assert said(command, "init", tmp_path / "w", "--name", NAME).code == 0
    assert refused("init", tmp_path / "no" / "where", "--name", NAME) == "not-writable"


# --- add ------------------------------------------------------------------------------------------------------------


def keys(done: Said) -> list[str]:
    (watched,) = done.of("watched")
    return list(watched["keys"])


def test_keys_of_a_log(place: Path) -> None:
    assert keys(said(command, "add", place, VKEY)) == [VKEY]
    assert keys(said(command, "add", place, VKEY)) == [VKEY]
    both = keys(said(command, "add", place, NEXT.verifier.vkey()))
    assert set(both) == {VKEY, NEXT.verifier.vkey()}
    assert keys(said(command, "add", place, VKEY, "--remove")) == [NEXT.verifier.vkey()]
    assert keys(said(command, "add", place, VKEY, "--remove")) == [NEXT.verifier.vkey()]
    assert keys(said(command, "add", place, NEXT.verifier.vkey(), "--remove")) == []


def test_a_log_that_comes_back_is_where_it_was(place: Path) -> None:
    said(command, "add", place, VKEY)
    assert send(place, 0, 7) == 200
    said(command, "add", place, VKEY, "--remove")
    assert send(place, 7, 9) == 404
    said(command, "add", place, VKEY)
    assert send(place, 0, 9, FORK) == 409
    assert send(place, 7, 9) == 200


SMALL = "example.org/trail+" + note.key_id("example.org/trail", 1, bytes(32)).hex() + "+AQ" + "A" * 42


@pytest.mark.parametrize(
    ("vkey", "code"),
    [
        ("", "usage"),
        ("nonsense", "vkey-syntax"),
        (VKEY.replace("trail+", "other+"), "vkey-key-id"),
        (VKEY[:-1], "vkey-base64"),
        (SMALL, "key-small-order"),
        (Signer(name="w.example", kind=COSIGNATURE, seed=b"\x05" * 32).verifier.vkey(), "policy-log-type"),
    ],
)
def test_what_is_no_log_s_key(vkey: str, code: str, place: Path) -> None:
    assert refused(*(["add", place, vkey] if vkey else ["add", place])) == code
    assert said(command, "status", place).of("watched") == []


def test_a_witness_is_not_its_own_log(place: Path) -> None:
    own = note.parse_skey((place / "private" / "witness.key").read_text().strip())
    log = Signer(name=LOG.name, seed=own.seed)
    assert refused("add", place, log.verifier.vkey()) == "policy-log-is-witness"


@pytest.mark.parametrize(
    "words",
    [
        ("status", "{}", VKEY),
        ("serve", "{}", "--remove"),
        ("status", "{}", "--moved"),
        ("add", "{}", VKEY, "--name", "x"),
    ],
)
def test_options_belong_to_their_action(words: tuple[str, ...], place: Path) -> None:
    assert refused(*(word.format(place) for word in words)) == "usage"


# --- its directory --------------------------------------------------------------------------------------------------


def test_what_a_directory_must_have(place: Path) -> None:
    key, memory = place / "private" / "witness.key", place / "witness.db"
    key.chmod(0o644)
    assert refused("status", place) == "key-mode"
    key.chmod(0o600)
    secret = key.read_bytes()
    for content in (b"nonsense\n", b"\xff", f"{LOG.skey()}\n".encode()):
        key.write_bytes(content)
        assert refused("status", place) == "key-form"
    key.write_bytes(secret)
    memory.rename(place / "elsewhere")
    assert refused("status", place) == "witness-memory"
    assert refused("serve", place) == "witness-memory"
    assert not memory.exists()
    (place / "elsewhere").rename(memory)
    key.unlink()
    assert refused("status", place) == "key-missing"


def test_no_copy_serves_by_accident(place: Path) -> None:
    copy = place.with_name("copy")
    shutil.copytree(place, copy)
    taken = socket.create_server(("127.0.0.1", 0))
    where = ("--listen", f"127.0.0.1:{taken.getsockname()[1]}")  # so that it ends at once
    with taken:
        assert refused("serve", place, *where) == "listen"
        assert refused("serve", copy, *where) == "witness-copied"
        assert said(command, "status", copy).code == 0
        assert refused("serve", copy, *where, "--moved") == "listen"
        assert refused("serve", copy, *where) == "listen"
    place.rename(place.with_name("elsewhere"))  # a name is not a copy
    assert not SqliteWitness(place.with_name("elsewhere") / "witness.db").copied()


# --- status ---------------------------------------------------------------------------------------------------------


def test_status_tells_logs_and_evidence(place: Path) -> None:
    assert said(command, "status", place).code == 0
    said(command, "add", place, VKEY)
    (watched,) = said(command, "status", place).of("watched")
    assert (watched["size"], watched["time"], watched["root"]) == (None, None, "")
    assert send(place, 0, 7) == 200
    assert send(place, 7, 9, proof=()) == 422
    waiting = said(command, "status", place)
    assert (waiting.code, [e["standing"] for e in waiting.of("evidence")]) == (4, ["unproven"])
    (watched,) = waiting.of("watched")
    assert (watched["size"], watched["root"]) == (7, TREE.checkpoint(7).root.hex())
    assert send(place, 7, 9) == 200
    assert said(command, "status", place).code == 0
    assert send(place, 9, 9, FORK) == 422
    found = said(command, "status", place)
    (evidence,) = found.of("evidence")
    assert (found.code, evidence["standing"], evidence["size"]) == (6, "fork", 9)
    assert evidence["note"].encode() == FORK.note(9)
    assert len(note.open_note(evidence["against"].encode(), [LOG.verifier]).verified) == 1
    assert found.of("outcome")[0]["exit"] == 6


# --- over HTTP ------------------------------------------------------------------------------------------------------


class Web:
    """The WSGI application, without a server."""

    def __init__(self, place: Path) -> None:
        said(command, "add", place, VKEY)
        memory = SqliteWitness(place / "witness.db")
        self.told: list[str] = []
        self.desk = Desk(signer=command._signer(place), keys=memory.keys, seen=memory, clock=lambda: 9, tell=self.tell)
        self.app = application(self.desk, memory.at)
        self.memory = memory

    def tell(self, name: str, fields: object) -> None:
        self.told.append(name)

    def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
        answered: list[Any] = []
        environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "wsgi.input": io.BytesIO(body)}
        chunks = self.app(environ, lambda status, headers, _=None: answered.append((status, headers)))  # type: ignore[arg-type]
        ((status, headers),) = answered
        return int(status.split()[0]), dict(headers), b"".join(chunks)


@pytest.fixture
def web(place: Path) -> Web:
    return Web(place)


def request(old: int, size: int, tree: Tree = TREE) -> bytes:
    return Request(old=old, proof=tree.proof(old, size), note=tree.note(size)).encode()


SHOWN = f"/{sha256(LOG.name.encode()).hexdigest()}/checkpoint"


def test_add_checkpoint_and_what_is_shown(web: Web) -> None:
    assert web.ask("GET", SHOWN)[0] == 404
    status, headers, lines = web.ask("POST", "/add-checkpoint", request(0, 7))
    assert (status, headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    status, headers, shown = web.ask("GET", SHOWN)
    assert (status, headers["Content-Length"]) == (200, str(len(shown)))
    opened = note.open_note(shown, [LOG.verifier, web.desk.signer.verifier])
    assert len(opened.verified) == 2
    assert shown.endswith(lines)
    assert web.ask("POST", "/add-checkpoint", request(0, 9))[1:] == (
        {"Content-Type": "text/x.tlog.size", "Content-Length": "2"},
        b"7\n",
    )


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("HEAD", "/", 200),
        ("GET", "/add-checkpoint", 405),
        ("HEAD", "/add-checkpoint", 405),
        ("PUT", "/add-checkpoint", 405),
        ("POST", "/", 404),
        ("POST", "/sign-subtree", 404),
        ("POST", SHOWN, 404),
        ("GET", "/metrics", 404),
        ("GET", SHOWN.upper(), 404),
        ("GET", "/../private/witness.key", 404),
        ("POST", "/add-checkpoint", 400),
    ],
)
def test_other_requests(method: str, path: str, status: int, web: Web) -> None:
    found, headers, body = web.ask(method, path)
    assert found == status
    assert (method == "HEAD") == (body == b"")
    assert headers.get("Allow") == ("POST" if status == 405 else None)


def test_it_says_what_it_is(web: Web) -> None:
    about = web.ask("GET", "/")[2].decode()
    assert web.desk.signer.verifier.vkey() in about
    assert LOG.name not in about


def test_a_memory_that_fails_gives_no_cosignature(web: Web) -> None:
    web.memory._db.execute("PRAGMA query_only = ON")
    status, _, body = web.ask("POST", "/add-checkpoint", request(0, 7))
    assert (status, b"witness.example.org" in body, web.told) == (503, False, ["note"])
    web.memory._db.execute("PRAGMA query_only = OFF")
    assert web.ask("POST", "/add-checkpoint", request(0, 7))[0] == 200


# --- a real server --------------------------------------------------------------------------------------------------


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "w", LOG) as server:
        yield server


def connect(server: Server) -> http.client.HTTPConnection:
    at = urlsplit(server.url)
    return http.client.HTTPConnection(at.hostname or "", at.port, timeout=20)


@pytest.mark.client
def test_a_server_serves_and_stops(server: Server) -> None:
    witness = HttpWitness(server.url)
    assert witness.add_checkpoint(0, (), TREE.note(7)).startswith("— witness.example.org/w1 ".encode())
    code, events = server.stop()
    assert (code, [e["event"] for e in events]) == (0, ["cosigned", "outcome"])
    server.start()
    with pytest.raises(Behind) as behind:
        HttpWitness(server.url).add_checkpoint(0, (), TREE.note(9))
    assert behind.value.size == 7
    assert server.stop(signal.SIGINT)[0] == 0


@pytest.mark.client
def test_slow_clients_hold_up_nobody(server: Server) -> None:
    at = urlsplit(server.url)
    slow = [socket.create_connection((at.hostname, at.port)) for _ in range(60)]
    for one in slow:
        one.sendall(b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 500\r\n\r\nold 0\n")
    witness = HttpWitness(server.url)
    assert witness.add_checkpoint(0, (), TREE.note(7))
    assert witness.add_checkpoint(7, TREE.proof(7, 9), TREE.note(9))
    for one in slow:
        one.close()


@pytest.mark.client
@pytest.mark.parametrize("headers", [{"Content-Length": "1000000000"}, {"Transfer-Encoding": "chunked"}])
def test_what_is_too_long_is_not_read(headers: dict[str, str], server: Server) -> None:
    connection = connect(server)
    connection.putrequest("POST", "/add-checkpoint")
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    if "Transfer-Encoding" in headers:
        connection.send(b"40000\r\n" + bytes(0x40000))
    with closing(connection), connection.getresponse() as answer:
        assert answer.status == 413
    assert HttpWitness(server.url).add_checkpoint(0, (), TREE.note(7))


@pytest.mark.client
def test_the_longest_request_is_read(server: Server) -> None:
    connection = connect(server)
    connection.request("POST", "/add-checkpoint", b"old 0\n\n" + b"x" * (MAX_REQUEST - 7))
    answer = connection.getresponse()
    assert (answer.status, answer.read()[:10]) == (400, b"note-size:")
    connection.close()


KILLED = """
import os, signal, sys
from pathlib import Path
from tagtrail.adapters.sqlite_witness import SqliteWitness
from tagtrail.app.commands.witness import _signer
from tagtrail.app.serve.witness import application, serve
from tagtrail.workflows.witness import Desk

class Mortal(SqliteWitness):
    def advance(self, before, after):
        if sys.argv[2] == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        super().advance(before, after)
        os.kill(os.getpid(), signal.SIGKILL)

place = Path(sys.argv[1])
memory = Mortal(place / "witness.db")
desk = Desk(signer=_signer(place), keys=memory.keys, seen=memory, clock=lambda: 9, tell=lambda *_: None)
serve(application(desk, memory.at), "127.0.0.1", 0, lambda url: print(url, flush=True))
"""


@pytest.mark.client
@pytest.mark.parametrize(("when", "size"), [("before", None), ("after", 7)])
def test_killed_between_memory_and_answer(when: str, size: int | None, place: Path) -> None:
    said(command, "add", place, VKEY)
    mortal = subprocess.Popen([sys.executable, "-c", KILLED, str(place), when], stdout=subprocess.PIPE, text=True)
    assert mortal.stdout
    url = mortal.stdout.readline().strip()
    with pytest.raises(RemoteError) as caught:
        HttpWitness(url).add_checkpoint(0, (), TREE.note(7))
    assert caught.value.code == "witness-unreachable"
    mortal.communicate(timeout=20)
    assert mortal.returncode == -signal.SIGKILL
    known = SqliteWitness(place / "witness.db").latest(LOG.name)
    assert (known.size if known else None) == size
    if size is None:
        assert send(place, 0, 7, FORK) == 200  # nothing was promised
    else:
        assert send(place, 0, 7) == 409
        assert send(place, 7, 7, FORK) == 422
        assert send(place, 7, 7) == 200


@pytest.mark.client
def test_two_servers_of_one_directory_are_one_witness(server: Server) -> None:
    at = socket.create_server(("127.0.0.1", 0))
    port = at.getsockname()[1]
    assert refused("serve", server.directory, "--listen", f"127.0.0.1:{port}") == "listen"
    at.close()
    other = Server.again(server.directory)
    trees = [Tree(LOG, fork=n) for n in range(6)]
    with other, ThreadPoolExecutor(12) as pool:
        urls = [server.url, other.url] * 3
        ends = list(pool.map(lambda pair: outcome(*pair), zip(urls, trees, strict=True)))
    assert sorted(ends) == ["behind"] * 5 + ["cosigned"]


def outcome(url: str, tree: Tree) -> str:
    try:
        HttpWitness(url).add_checkpoint(0, (), tree.note(9))
    except Behind:
        return "behind"
    return "cosigned"


@pytest.mark.parametrize("listen", ["8080", "127.0.0.1", ":8080", "127.0.0.1:x", "127.0.0.1:70000", "127.0.0.1:-1"])
def test_where_nobody_can_listen(listen: str, place: Path) -> None:
    assert refused("serve", place, "--listen", listen) == "usage"


# --- what a client makes of answers ---------------------------------------------------------------------------------


def canned(status: int, body: bytes, where: Path) -> Iterator[str]:
    """A server that always gives one answer."""
    code = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\nLocation: /\r\n\r\n"

    def answer(listening: socket.socket) -> None:
        one, _ = listening.accept()
        with one:
            got = b""
            while TREE.note(7)[-40:] not in got:
                got += one.recv(65536)
            one.sendall(code.encode() + body)

    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor(1) as pool:
        pool.submit(answer, listening)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/prefix/"


LINE = note.sign(TREE.checkpoint(7).text(), [Signer(name="w", kind=COSIGNATURE, seed=b"\x05" * 32)], time=7).signatures[
    0
]


@pytest.mark.client
@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (200, b"", RemoteError, "witness-reply"),
        (200, b"<html></html>\n", RemoteError, "witness-reply"),
        (200, LINE.line().encode() * 101, RemoteError, "witness-reply"),
        (200, b"x" * 70_000, RemoteError, "witness-unreachable"),
        (204, b"", RemoteError, "witness-reply"),
        (302, b"", RemoteError, "witness-reply"),
        (400, b"why\n", RemoteError, "witness-reply"),
        (403, b"why\n", SetupError, "witness-unknown-log"),
        (404, b"why\n", SetupError, "witness-unknown-log"),
        (409, b"x\n", RemoteError, "witness-reply"),
        (409, b"7", RemoteError, "witness-reply"),
        (413, b"", RemoteError, "witness-reply"),
        (422, b"why \x1b[2J\n", TamperError, "witness-refused"),
        (429, b"", RemoteError, "witness-reply"),
        (500, b"", RemoteError, "witness-reply"),
        (503, b"", RemoteError, "witness-reply"),
    ],
)
def test_other_answers(status: int, body: bytes, kind: type[Error], code: str, tmp_path: Path) -> None:
    for url in canned(status, body, tmp_path):
        with pytest.raises(kind) as caught:
            HttpWitness(url).add_checkpoint(0, (), TREE.note(7))
        assert (caught.value.code, "\x1b" in caught.value.why) == (code, False)


@pytest.mark.client
def test_lines_of_unknown_keys_are_handed_on(tmp_path: Path) -> None:
    for url in canned(200, LINE.line().encode() * 2, tmp_path):
        assert HttpWitness(url).add_checkpoint(0, (), TREE.note(7)) == LINE.line().encode() * 2


def test_nobody_listens() -> None:
    with socket.socket() as deaf, pytest.raises(RemoteError) as caught:
        deaf.bind(("127.0.0.1", 0))  # nobody else gets the port meanwhile
        HttpWitness(f"http://127.0.0.1:{deaf.getsockname()[1]}").add_checkpoint(0, (), TREE.note(7))
    assert caught.value.code == "witness-unreachable"


@pytest.mark.parametrize("url", ["ftp://x/", "nowhere"])
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(SetupError) as caught:
        HttpWitness(url).add_checkpoint(0, (), TREE.note(7))
    assert caught.value.code == "url"

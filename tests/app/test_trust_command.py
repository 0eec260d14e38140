"""`tagtrail trust`: the first root by agreement, every later one by the keys of the one before."""

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from tagtrail.app.commands import trust
from tagtrail.app.consumer.trust_store import TrustStore
from tagtrail.formats.root import Root
from tagtrail.io.http import _elsewhere as elsewhere
from tagtrail.model.errors import Error, RemoteError, SetupError
from tagtrail.verify.roots import root_digest
from tests.app.desk import said
from tests.app.world import World
from tests.verify.workshop import NOW, ORIGIN, YEAR, Workshop, envelope, root_key

R1, R2, R3 = (root_key(name) for name in ("r1", "r2", "r3"))
FAR = NOW + 50 * YEAR
ONE = replace(Workshop().root, expires=FAR)


def following(*signers, version: int, **changes) -> Root:
    return replace(ONE, version=version, keys=tuple(s.verifier.vkey() for s in signers), **changes)


TWO, THREE = following(R2, version=2), following(R3, version=3)
SIGNED = {1: envelope(ONE, R1), 2: envelope(TWO, R1, R2), 3: envelope(THREE, R2, R3)}


@pytest.fixture(autouse=True)
def config(tmp_path) -> Iterator[Path]:
    before = dict(os.environ)
    os.environ["XDG_CONFIG_HOME"] = str(tmp_path / "config")
    yield tmp_path / "config"
    os.environ.clear()
    os.environ.update(before)


def site(directory: Path, *versions: int, newest: bytes | None = None) -> Path:
    """A copy of a site with these roots; the last one, or `newest`, is its root.json."""
    trail = directory / "trail"
    trail.mkdir(parents=True, exist_ok=True)
    for version in versions:
        (trail / f"{version}.root.json").write_bytes(SIGNED[version])
    (trail / "root.json").write_bytes(newest or SIGNED[versions[-1]])
    return directory


def refused(*words: object) -> str:
    with pytest.raises(Error) as caught:
        said(trust, *words)
    assert caught.value.what.isprintable()
    assert TrustStore.standard().root(ORIGIN) in (None, ONE, TWO)
    return caught.value.code


def pinned() -> Root | None:
    return TrustStore.standard().root(ORIGIN)


# The first time


@pytest.mark.parametrize("how", ["yes", "root", "key", "upper"])
def test_a_first_root_is_pinned_by_agreement(tmp_path, how):
    where = site(tmp_path / "site", 1)
    shown = root_digest(SIGNED[1])
    key = said(trust, where, "--yes").of("root")[0]["keys"][0]["fingerprint"]
    TrustStore.standard().path(ORIGIN).unlink()
    given = {"root": shown, "key": key, "upper": shown.upper()}
    options = ["--yes"] if how == "yes" else ["--fingerprint", given[how]]
    result = said(trust, where, *options)
    assert (result.code, pinned()) == (0, ONE)
    (root,), (pin,) = result.of("root"), result.of("pinned")
    assert (root["fingerprint"], root["origin"], root["version"]) == (shown, ORIGIN, 1)
    assert root["signers"] == {"nova": [Workshop().jo.key.fingerprint]}
    assert (pin["before"], pin["path"]) == (None, str(TrustStore.standard().path(ORIGIN)))
    assert TrustStore.standard().url(ORIGIN) == str(where)
    assert TrustStore.standard().envelope(ORIGIN) == SIGNED[1]
    assert TrustStore.standard().origins() == (ORIGIN,)


@pytest.mark.parametrize(
    ("answer", "good"), [("y\n", True), ("Yes\n", True), ("n\n", False), ("\n", False), ("", False)]
)
def test_on_a_terminal_it_asks(tmp_path, answer, good):
    where = site(tmp_path / "site", 1)
    with terminal(answer):
        if good:
            said(trust, where)
        else:
            assert refused(where) == "not-pinned"
    assert pinned() == (ONE if good else None)


@contextlib.contextmanager
def terminal(answer: str) -> Iterator[None]:
    """Standard input is a terminal on which somebody types `answer`."""
    ours, theirs = os.openpty()
    os.write(ours, answer.encode() or b"\x04")
    with reading_from(theirs):
        yield
    os.close(ours)


@contextlib.contextmanager
def reading_from(source: int | str) -> Iterator[None]:
    before = sys.stdin
    with open(source, encoding="utf-8") as sys.stdin:  # noqa: PTH123
        yield
    sys.stdin = before


def test_without_a_terminal_nothing_is_pinned(tmp_path):
    where = site(tmp_path / "site", 1)
    with reading_from(os.devnull), pytest.raises(SetupError) as caught:
        said(trust, where)
    assert (caught.value.code, caught.value.exit_code, pinned()) == ("no-terminal", 2, None)


def test_another_fingerprint_is_refused(tmp_path):
    where = site(tmp_path / "site", 1)
    for given in (root_digest(SIGNED[2]), "sha256:00", "", root_digest(SIGNED[1])[:20]):
        assert refused(where, "--fingerprint", given) == "fingerprint-mismatch"
    assert pinned() is None


def test_a_key_that_is_only_listed_vouches_for_nothing(tmp_path):
    honest = said(trust, site(tmp_path / "site", 1), "--yes").of("root")[0]["keys"][0]["fingerprint"]
    TrustStore.standard().path(ORIGIN).unlink()
    forged = envelope(following(R1, R2, version=1), R2)
    where = site(tmp_path / "forged", 1, newest=forged)
    assert refused(where, "--fingerprint", honest) == "fingerprint-mismatch"


@pytest.mark.parametrize(
    ("newest", "code"),
    [
        (b"", "json-syntax"),
        (b"{}", "dsse-members"),
        (envelope(ONE, R2), "root-signatures"),
        (envelope(replace(ONE, expires=NOW - YEAR), R1), "root-expired"),
        (b" " * (2**25 + 1), "json-size"),
    ],
)
def test_a_bad_root_is_not_pinned(tmp_path, newest, code):
    assert refused(site(tmp_path / "site", 1, newest=newest or b"\n"), "--yes") == code
    assert pinned() is None


def test_a_directory_without_a_root_is_said(tmp_path):
    (tmp_path / "empty").mkdir()
    assert refused(tmp_path / "empty", "--yes") == "no-root"
    assert refused(tmp_path / "absent", "--yes") == "file-missing"
    assert refused("ftp://releases.example.org/", "--yes") == "url"


# Later


@pytest.mark.parametrize(("versions", "root"), [((1, 2), TWO), ((1, 2, 3), THREE)])
def test_a_later_root_is_followed_without_asking(tmp_path, versions, root):
    said(trust, site(tmp_path / "site", 1), "--yes")
    result = said(trust, site(tmp_path / "site", *versions))
    assert (pinned(), result.of("pinned")[0]["before"]) == (root, 1)


def test_the_same_root_again_changes_nothing(tmp_path):
    said(trust, site(tmp_path / "site", 1), "--yes")
    assert said(trust, site(tmp_path / "elsewhere", 1)).code == 0
    assert TrustStore.standard().url(ORIGIN) == str(tmp_path / "elsewhere")


@pytest.mark.parametrize(
    ("newest", "missing", "code"),
    [
        (envelope(TWO, R2), (), "root-old-signatures"),
        (envelope(following(R3, version=2), R1), (), "root-signatures"),
        (envelope(THREE, R1, R3), (), "root-old-signatures"),
        (envelope(THREE, R2, R3), (2,), "root-unreachable"),
        (envelope(following(R1, version=1, expires=FAR - 1), R1), (), "root-fork"),
        (envelope(following(R1, version=1002), R1), (), "root-unreachable"),
        (envelope(following(R2, version=2, expires=NOW - YEAR), R1, R2), (), "root-expired"),
    ],
)
@pytest.mark.parametrize("options", [(), ("--yes",)])
def test_what_the_pinned_keys_did_not_sign_is_refused_whoever_agrees(tmp_path, newest, missing, code, options):
    said(trust, site(tmp_path / "site", 1), "--yes")
    where = site(tmp_path / "site", 1, 2, newest=newest)
    for version in missing:
        (where / "trail" / f"{version}.root.json").unlink()
    assert refused(where, *options) == code
    assert pinned() == ONE


def test_an_older_root_is_a_rollback(tmp_path):
    said(trust, site(tmp_path / "site", 1), "--yes")
    said(trust, site(tmp_path / "site", 1, 2))
    assert refused(site(tmp_path / "site", 1), "--yes") == "root-rollback"
    assert pinned() == TWO


def test_a_fingerprint_is_compared_later_too(tmp_path):
    said(trust, site(tmp_path / "site", 1), "--yes")
    assert refused(site(tmp_path / "site", 1, 2), "--fingerprint", root_digest(SIGNED[1])) == "fingerprint-mismatch"


def test_a_relative_config_directory_is_ignored():
    store = TrustStore.standard({"XDG_CONFIG_HOME": "config"})
    assert store.directory == Path.home() / ".config" / "tagtrail" / "trust"
    assert TrustStore.standard({}).directory == store.directory


@pytest.mark.parametrize("origin", ["..", "a/../b", "x" * 80, "ä.example", "a~b"])
def test_a_pin_is_one_file_in_its_directory_whatever_the_origin(tmp_path, origin):
    path = TrustStore(tmp_path).path(origin)
    assert path.parent == tmp_path
    assert path.name.isascii()
    assert path.name.endswith(".root.json")


# Over HTTP


class Site(SimpleHTTPRequestHandler):
    """A site that can also send people elsewhere."""

    elsewhere = ""

    def do_GET(self) -> None:
        if self.path.startswith("/moved/"):
            self._redirect(self.path.removeprefix("/moved"))
        elif self.path.startswith("/away/"):
            self._redirect(f"http://localhost:{self.connection.getsockname()[1]}/trail/root.json")
        elif self.path.startswith("/round/"):
            self._redirect(self.path)
        elif self.path.startswith("/broken/"):
            self.send_error(500)
        else:
            super().do_GET()

    def _redirect(self, to: str) -> None:
        self.send_response(302)
        self.send_header("Location", to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def served(tmp_path) -> Iterator[str]:
    directory = site(tmp_path / "site", 1, 2)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Site, directory=str(directory))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.client
def test_a_site_is_pinned_and_followed_over_http(tmp_path, served):
    said(trust, site(tmp_path / "old", 1), "--yes")
    assert said(trust, served).code == 0
    assert pinned() == TWO
    assert TrustStore.standard().url(ORIGIN) == f"{served}/"
    said(trust, f"{served}/moved")


@pytest.mark.client
@pytest.mark.parametrize(
    ("path", "code", "kind"),
    [
        ("/away", "url-redirect", RemoteError),
        ("/round", "url-redirect", RemoteError),
        ("/broken", "url-status", RemoteError),
        ("/nothing", "no-root", SetupError),
    ],
)
def test_a_site_that_sends_us_elsewhere_is_refused(served, path, code, kind):
    with pytest.raises(kind) as caught:
        said(trust, served + path, "--yes")
    assert caught.value.code == code


@pytest.mark.client
def test_a_site_that_sends_too_much_or_nothing_is_refused(tmp_path, served):
    (tmp_path / "site" / "trail" / "root.json").write_bytes(b" " * (2**25 + 2))
    assert refused(served, "--yes") == "url-too-large"
    assert refused("http://127.0.0.1:1/", "--yes") == "url-unreachable"
    assert refused("http://host:port/", "--yes") == "url"


@pytest.mark.parametrize(
    ("at", "to", "good"),
    [
        ("http://a.example/x", "https://a.example/y", True),
        ("https://a.example/x", "https://a.example:8443/y", True),
        ("https://a.example/x", "http://a.example/y", False),
        ("https://a.example/x", "https://b.example/x", False),
        ("https://a.example/x", "https://a.example.org/x", False),
    ],
)
def test_a_redirect_stays_on_its_host_and_keeps_tls(at, to, good):
    if good:
        assert elsewhere(httpx.URL(at), httpx.URL(to)) == to
    else:
        with pytest.raises(RemoteError) as caught:
            elsewhere(httpx.URL(at), httpx.URL(to))
        assert caught.value.code == "url-redirect"


# A real site


@pytest.mark.client
def test_a_consumer_trusts_a_site_once_and_follows_it(tmp_path):
    world = World(tmp_path).make()
    consumer = {"XDG_CONFIG_HOME": str(tmp_path / "consumer")}
    file = world.site / "toy" / "toy-1.0.0.tar.gz"
    world.tag("1.0.0")
    assert world.tell("release", "toy", "1.0.0").code == 0
    assert world.run("verify", str(file), env=consumer).code == 7
    assert world.run("trust", str(world.site), env=consumer).code == 2
    assert world.run("trust", str(world.site), "--yes", env=consumer).code == 0
    assert world.run("verify", str(file), env=consumer).code == 0

    # jo goes and al comes: the old release stays good, jo's next tag does not
    settings = world.home / "tagtrail.toml"
    (world.home / "keys" / "al.pub").write_bytes(world.stranger.with_suffix(".pub").read_bytes())
    al = '[people.al]\nkeys = ["keys/al.pub"]\n'
    settings.write_text(settings.read_text().replace('signers = ["jo"]', 'signers = ["al"]') + al)
    world.commit("second")
    world.tag("1.1.0", key=world.stranger)
    released = world.tell("release", "toy", "1.1.0")
    assert released.code == 0, released.out
    new = world.site / "toy" / "toy-1.1.0.tar.gz"
    before = world.run("--json", "verify", str(new), env=consumer)
    assert (before.code, before.event("verified")["code"]) == (7, "tag-signer-unknown")
    followed = world.run("--json", "trust", str(world.site), env=consumer)
    assert (followed.code, followed.event("pinned")["before"], followed.event("pinned")["version"]) == (0, 1, 2)
    assert world.run("verify", str(file), str(new), env=consumer).code == 0

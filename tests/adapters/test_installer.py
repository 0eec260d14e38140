"""Who must act where build requirements cannot be installed."""

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tagtrail.adapters.builder.environments import Environments
from tagtrail.io.sandbox import Limits
from tagtrail.model.errors import Error, ProjectError, RemoteError, SetupError
from tests.adapters.projects import PYPROJECT, TIME
from tests.adapters.test_hostile import WHEEL, pack

pytestmark = pytest.mark.client

ANSWERS = {
    "/403/": (403, {}),
    "/401/": (401, {}),
    "/500/": (500, {}),
    "/404/": (404, {}),
    "/plain/": (200, {}),
    "/page/": (200, {"Content-Type": "text/html"}),
}


class Answer(BaseHTTPRequestHandler):
    """Of an index that is none."""

    def do_GET(self) -> None:
        status, headers = ANSWERS[self.path.removesuffix("tool/")]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"<html>log in here</html>")

    def log_message(self, *_: object) -> None:
        """Silent."""


@pytest.fixture(scope="module")
def index() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def made(root: Path, environ: dict[str, str], *, limit: float = 60.0, **most: int) -> Environments:
    own = {"PATH": os.environ["PATH"], "HOME": str(root), "UV_NO_CACHE": "1", "UV_HTTP_RETRIES": "0"} | environ
    limits = Limits(**{"disk": 1 << 26, **most})
    return Environments(root / "envs", root / "rooms", own, limit, limits, clock=lambda: TIME)


def refused(environments: Environments, asked: str, kind: str = "none") -> Error:
    with pytest.raises(Error) as caught:
        environments([asked], kind)
    return caught.value


@pytest.mark.parametrize(
    ("at", "kind", "code", "hint"),
    [
        ("/403/", RemoteError, "requirements-unreachable", "credentials"),
        ("/401/", RemoteError, "requirements-unreachable", "credentials"),
        ("/plain/", RemoteError, "requirements-unreachable", "look at the index that UV_* names"),
        ("/page/", RemoteError, "requirements-unreachable", "look at the index that UV_* names"),
        ("/500/", RemoteError, "requirements-unreachable", "when the package index answers"),
        ("/404/", ProjectError, "requirements-unsatisfiable", "the index that UV_* names has no such package"),
        ("notaurl", SetupError, "installer-settings", "UV_*"),
    ],
)
def test_what_an_index_answers(tmp_path: Path, index: str, at: str, kind: type[Error], code: str, hint: str) -> None:
    environments = made(tmp_path, {"UV_DEFAULT_INDEX": f"{index}{at}" if at.startswith("/") else at})
    error = refused(environments, "tool==1.0")
    assert (type(error), error.code, hint in error.hint) == (kind, code, True), (error.why, error.hint)


@pytest.mark.parametrize("asked", ["evil==5.0", "evil>5", "evil>=4,<4"])
def test_a_version_that_is_not_there(tmp_path: Path, asked: str) -> None:
    """Of a package that the index has."""
    source(tmp_path, "pass")
    page = f'<a href="file://{tmp_path}/links/evil-4.0.tar.gz">evil-4.0.tar.gz</a>'
    (tmp_path / "index" / "evil").mkdir(parents=True)
    (tmp_path / "index" / "evil" / "index.html").write_text(page)
    error = refused(made(tmp_path, {"UV_DEFAULT_INDEX": f"file://{tmp_path}/index"}), asked)
    assert (type(error), error.code) == (ProjectError, "requirements-unsatisfiable"), error.why


@pytest.mark.parametrize(
    ("name", "value"), [("UV_HTTP_TIMEOUT", "soon"), ("UV_INDEX_STRATEGY", "best"), ("UV_CONFIG_FILE", "/nowhere")]
)
def test_settings_that_say_nothing(tmp_path: Path, name: str, value: str) -> None:
    error = refused(made(tmp_path, {"UV_OFFLINE": "1", name: value}), "tool==1.0")
    assert (type(error), error.code) == (SetupError, "installer-settings"), error.why


def source(root: Path, build: str) -> dict[str, str]:
    """evil-4.0 as source, whose build does that; how it is found."""
    (root / "links").mkdir(parents=True)
    backend = (
        build if "\n" in build else f"import time\n{WHEEL}\n\ndef build_wheel(directory, *_, **__):\n    {build}\n"
    )
    about = "Metadata-Version: 2.1\nName: evil\nVersion: 4.0\n"
    files = {"pyproject.toml": PYPROJECT, "backend.py": backend, "PKG-INFO": about}
    pack(root / "links" / "evil-4.0.tar.gz", "evil-4.0", files)
    return {"UV_FIND_LINKS": str(root / "links"), "UV_OFFLINE": "1"}


@pytest.mark.parametrize("kind", ["bubblewrap", "none"])
def test_a_requirement_that_hangs_is_named(tmp_path: Path, kind: str) -> None:
    environments = made(tmp_path, source(tmp_path, "time.sleep(600)"), limit=4.0)
    error = refused(environments, "evil==4.0", kind)
    assert (type(error), error.code, error.why) == (
        ProjectError, "requirements-late", "evil==4.0 was still being built",
    )  # fmt: skip
    assert "4 s" in error.what
    assert b"Building evil==4.0" in environments.said()
    assert environments.said() == b""


FILLS = {
    "environment": "[open(f'/env/{n}', 'wb').write(bytes(1 << 20)) for n in range(40)]",
    "cache": "[open(f'/build/{n}', 'wb').write(bytes(1 << 20)) for n in range(40)]",
    "files": "[open(f'/env/{n}', 'wb').close() for n in range(20000)]",
    "hidden": "os.mkdir('/env/x'); [open(f'/env/x/{n}', 'wb').write(bytes(1 << 20)) for n in range(40)]",
}


@pytest.mark.parametrize("kind", ["bubblewrap", "namespaces"])
@pytest.mark.parametrize("what", FILLS)
def test_what_is_installed_has_a_limit(tmp_path: Path, kind: str, what: str) -> None:
    if (kind, what) == ("bubblewrap", "files"):
        pytest.skip("NOT LIMITED: bubblewrap mounts with a size, and with nothing else")
    environments = made(tmp_path, source(tmp_path, FILLS[what]), disk=1 << 25)
    error = refused(environments, "evil==4.0", kind)
    assert (type(error), error.code, "`disk` in [build]" in error.hint) == (SetupError, "disk-full", True), error.why
    assert [list((tmp_path / name).glob("*")) for name in ("rooms", "envs")] == [[], []]


@pytest.mark.parametrize("kind", ["bubblewrap", "namespaces"])
def test_what_is_installed_has_a_limit_of_memory(tmp_path: Path, kind: str) -> None:
    hold = "import mmap; m = mmap.mmap(-1, 1 << 29); [m.write(bytes(1 << 20)) for n in range(512)]; time.sleep(30)"
    error = refused(made(tmp_path, source(tmp_path, hold), memory=300 << 20), "evil==4.0", kind)
    assert (type(error), error.code, "`memory` in [build]" in error.hint) == (SetupError, "memory-full", True), (
        error.why
    )
    assert [list((tmp_path / name).glob("*")) for name in ("rooms", "envs")] == [[], []]


@pytest.mark.parametrize("kind", ["bubblewrap", "none"])
def test_who_only_speaks_of_space_has_enough(tmp_path: Path, kind: str) -> None:
    error = refused(made(tmp_path, source(tmp_path, "raise OSError(28, 'No space left on device')")), "evil", kind)
    assert (type(error), error.code) == (ProjectError, "requirements-unsatisfiable")
    assert "No space left on device" in error.why


def test_credentials_in_addresses_are_not_kept(tmp_path: Path) -> None:
    environments = made(tmp_path, {})
    refused(environments, "tool @ http://me:hidden-word@127.0.0.1:9/tool-1.0.tar.gz", "bubblewrap")
    said = environments.said()
    assert b"http://***@127.0.0.1:9/tool-1.0.tar.gz" in said
    assert b"hidden-word" not in said


FORGES = """
import ctypes, gzip, io, json, os, tarfile, time
from pathlib import Path

def frame(data):
    return len(data).to_bytes(8, "big") + data

def build_wheel(directory, *_, **__):
    lines = {p.parent: p.read_bytes().split(b"\\0") for p in Path("/proc").glob("[0-9]*/cmdline")}
    (place, answers), *_ = [(p, line[-2].decode()) for p, line in lines.items() if b"/in/hooks.py" in line[2:4]]
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as packed:
        about = tarfile.TarInfo("vast")
        about.size = 1 << 25
        packed.addfile(about, io.BytesIO(bytes(1 << 25)))
        about.name = "second"
        packed.addfile(about, io.BytesIO(bytes(1 << 25)))
    done = frame(json.dumps({"values": [], "fault": ""}).encode())
    taken = ctypes.CDLL(None).syscall(438, os.pidfd_open(int(place.name)), int(answers), 0)  # pidfd_getfd
    if taken < 0:
        raise OSError("it cannot be taken")
    os.write(taken, done * 3 + frame(gzip.compress(out.getvalue())) + frame(b""))
    time.sleep(600)
"""


@pytest.mark.parametrize("kind", ["bubblewrap", "namespaces"])
def test_who_packs_in_the_place_of_the_hooks_fills_no_disk(tmp_path: Path, kind: str) -> None:
    """What is carried over is as big as it is: nothing in it is unpacked twice."""
    environ = source(tmp_path, FORGES)
    error = refused(made(tmp_path, environ, disk=1 << 25, limit=20.0), "evil==4.0", kind)
    assert (type(error), error.code) == (ProjectError, "requirements-unsatisfiable"), error.why
    if "it cannot be taken" in error.why:
        pytest.skip("NOT TESTED: this kernel lets nobody take another's descriptors")
    assert "compressed" in error.why

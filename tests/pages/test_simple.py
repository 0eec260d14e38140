"""The index: PEP 503, 592, 658, 691, 700, 714, 792 by their letter, and what pip and uv make of it."""

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urljoin

import pytest

from tagtrail.formats.site import Site
from tagtrail.pages import all_paths, page
from tests.pages.trails import SITE, Trail, begun

DIGEST = "ab" * 32


class Anchors(HTMLParser):
    """The anchors of a page: their text and attributes; the meta tags by name."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.anchors: list[tuple[str, dict[str, str | None]]] = []
        self.meta: dict[str | None, str | None] = {}
        self.inside = False
        self.feed(data.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag == "a"
        if self.inside:
            self.anchors.append(("", dict(attrs)))
        if tag == "meta" and "name" in dict(attrs):
            self.meta[dict(attrs)["name"]] = dict(attrs)["content"]

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.anchors[-1] = (data, self.anchors[-1][1])

    def handle_endtag(self, tag: str) -> None:
        self.inside = False


def table(trail: Trail, name: str) -> Any:
    return json.loads(page(f"simple/{name}/index.json", trail.view))


def test_the_root_names_python_projects_once() -> None:
    trail = begun()
    for name, kind in (("nova", "pypi"), ("Oslo.Config", "pypi"), ("oslo.config", "pypi"), ("blobs", "generic")):
        trail.release(name, "1.0" if name != "oslo.config" else "2.0", purl=f"pkg:{kind}/{name}@1")
    found = Anchors(page("simple/index.html", trail.view))
    assert [(text, a["href"]) for text, a in found.anchors] == [("nova", "nova/"), ("oslo.config", "oslo-config/")]
    assert found.meta["pypi:repository-version"] == "1.4"
    assert json.loads(page("simple/index.json", trail.view)) == {
        "meta": {"api-version": "1.4"},
        "projects": [{"name": "nova"}, {"name": "oslo.config"}],
    }
    assert not [path for path in all_paths(trail.view) if path.startswith("simple/blobs")]


def test_every_field_of_a_file() -> None:
    trail = begun()
    named = {"Nova-1.0.tar.gz": {"size": 7, "requires-python": ">=3.11, <4", "metadata": DIGEST}, "Nova-1.0.tar.xz": {}}
    trail.release("Nova", "1.0", files=named)
    digest = trail.entries[-1].files[0].sha256
    found = Anchors(page("simple/nova/index.html", trail.view))
    assert found.meta["pypi:repository-version"] == "1.4"
    assert found.meta["pypi:project-status"] == "active"
    core = f"sha256={DIGEST}"
    assert found.anchors == [
        (
            "Nova-1.0.tar.gz",
            {
                "href": f"../../Nova/Nova-1.0.tar.gz#sha256={digest}",
                "data-requires-python": ">=3.11, <4",
                "data-core-metadata": core,
                "data-dist-info-metadata": core,
                "data-gpg-sig": "true",
            },
        )
    ]
    assert table(trail, "nova") == {
        "meta": {"api-version": "1.4"},
        "name": "nova",
        "project-status": {"status": "active"},
        "versions": ["1.0"],
        "files": [
            {
                "filename": "Nova-1.0.tar.gz",
                "url": "../../Nova/Nova-1.0.tar.gz",
                "hashes": {"sha256": digest},
                "size": 7,
                "upload-time": "2026-04-01T16:02:00Z",
                "gpg-sig": True,
                "requires-python": ">=3.11, <4",
                "core-metadata": {"sha256": DIGEST},
            }
        ],
    }


@pytest.mark.parametrize(("reason", "yanked"), [("broken", "broken"), ("", True)])
def test_withdrawn_is_yanked(reason: str, yanked: object) -> None:
    trail = begun()
    trail.release("nova", "1.0")
    trail.release("nova", "2.0")
    trail.withdraw("nova", "1", reason)
    assert [f.get("yanked") for f in table(trail, "nova")["files"]] == [yanked, yanked, None, None]
    found = Anchors(page("simple/nova/index.html", trail.view)).anchors
    assert [a.get("data-yanked") for _, a in found] == [reason, reason, None, None]


def test_versions_are_normalised_and_files_added_later_have_their_own_time() -> None:
    trail = begun()
    trail.release("nova", "1.0.RC1", files={"nova-1.0rc1.tar.gz": {"size": 1}})
    both = {"nova-1.0rc1.tar.gz": {"size": 2}, "nova-1.0rc1-py3-none-any.whl": {"size": 3}}
    trail.release("nova", "1.0rc1", files=both, added=("nova-1.0rc1-py3-none-any.whl",))
    found = table(trail, "nova")
    assert found["versions"] == ["1.0rc1"]
    assert [(f["size"], f["upload-time"][11:16]) for f in found["files"]] == [(3, "17:02"), (1, "16:02")]


@pytest.mark.parametrize("pattern", ["{project}/{file}", "pool/{project}/x/{file}"])
def test_addresses_lead_to_the_files_below_any_prefix(pattern: str) -> None:
    site = Site(name="x", origin=SITE.origin, url="https://x.example/", path=pattern)
    trail = begun(site)
    trail.release("nova", "1.0+local", files={"nova-1.0+local.tar.gz": {}})
    (file,) = table(trail, "nova")["files"]
    wanted = "https://x.example/a/b/" + site.file("nova", "nova-1.0%2Blocal.tar.gz")
    assert urljoin("https://x.example/a/b/simple/nova/", file["url"]) == wanted
    (anchor,) = Anchors(page("simple/nova/index.html", trail.view)).anchors
    assert urljoin("https://x.example/a/b/simple/nova/", anchor[1]["href"]).partition("#")[0] == wanted


# --- real installers ------------------------------------------------------------------------------------------------


def wheel(name: str, version: str, requires: str) -> tuple[bytes, bytes]:
    """A wheel and its METADATA."""
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Python: {requires}\n".encode()
    files = {
        f"{name}.py": b"",
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"]).encode()
    data = BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return data.getvalue(), metadata


class Quiet(SimpleHTTPRequestHandler):
    """A static server that says nothing; with JSON negotiated as docs/format/site.md tells."""

    json = False

    def do_GET(self) -> None:
        if self.json and self.path.startswith("/simple/") and self.path.endswith("/"):
            self.path += "index.json"
        super().do_GET()

    def guess_type(self, path: str) -> str:  # type: ignore[override]
        return "application/vnd.pypi.simple.v1+json" if path.endswith("index.json") else super().guess_type(path)

    def log_message(self, *_: object) -> None:
        pass


class QuietJson(Quiet):
    """The same, answering with JSON."""

    json = True


@pytest.fixture(params=[Quiet, QuietJson], ids=["html", "json"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    trail, site = begun(), tmp_path / "site"
    for version, requires in (
        ("1.0", ">=3.8"),
        ("1.1", ">=3.8"),
        ("1.2", ">=3.8"),
        ("1.3", ">=9.0"),
        ("2.0rc1", ">=3.8"),
    ):
        data, metadata = wheel("tt_toy", version, requires)
        name = f"tt_toy-{version}-py3-none-any.whl"
        path = site / "tt.toy" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.with_name(f"{name}.metadata").write_bytes(metadata)
        fields = {"size": len(data), "requires-python": requires, "metadata": trail.keep(metadata)}
        trail.release("tt.toy", version, files={name: fields}, digests={name: sha256(data).hexdigest()})
    trail.withdraw("tt.toy", "1.2", "broken")
    for path_ in all_paths(trail.view):
        (site / path_).parent.mkdir(parents=True, exist_ok=True)
        (site / path_).write_bytes(page(path_, trail.view))
    with ThreadingHTTPServer(("127.0.0.1", 0), lambda *a: request.param(*a, directory=str(site))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/simple/"
        server.shutdown()


@pytest.mark.client
@pytest.mark.parametrize(
    ("wanted", "chosen"), [("TT-Toy", "1.1"), ("tt_toy==1.2", "1.2"), ("tt.toy>=2.0rc1", "2.0rc1")]
)
def test_pip_and_uv_choose_alike(index: str, tmp_path: Path, wanted: str, chosen: str) -> None:
    pip = [sys.executable, "-m", "pip", "--isolated", "download", "--no-deps", "--no-cache-dir", "--index-url", index]
    subprocess.run([*pip, "--dest", tmp_path / "got", wanted], check=True, capture_output=True, cwd=tmp_path)
    assert [p.name for p in (tmp_path / "got").iterdir()] == [f"tt_toy-{chosen}-py3-none-any.whl"]
    uv = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "compile",
        "--no-config",
        "--no-cache",
        "--generate-hashes",
        "--index-url",
        index,
        "-",
    ]
    done = subprocess.run(uv, check=True, capture_output=True, input=wanted.encode(), cwd=tmp_path)
    assert re.search(rf"^tt-toy=={re.escape(chosen)} ", done.stdout.decode(), re.MULTILINE)
    assert sha256(next((tmp_path / "got").iterdir()).read_bytes()).hexdigest() in done.stdout.decode()

"""An index's page as a consumer reads it, and the form of an upload, compared with what twine would send."""

import json
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from twine.package import PackageFile
from twine.repository import Repository

from tagtrail.formats.index_page import Listed, read_page
from tagtrail.formats.multipart import boundary_of, parts
from tagtrail.formats.upload_form import filetype, upload_form
from tagtrail.model.errors import ProjectError, RemoteError
from tagtrail.testing.suites.promise import refusal
from tests.adapters.shelved import metadata

URL = "https://index.example.org/simple/nova/"
JSON = "application/vnd.pypi.simple.v1+json"
DIGEST = "ab" * 32
FILE = "nova-1.0.0.tar.gz"
BESIDE = f"https://index.example.org/f/{FILE}"
ELSEWHERE = "https://files.example.org/nova-1%2B2.tar.gz"


@pytest.mark.parametrize(
    ("html", "listed"),
    [
        (f'<a href="../../f/{FILE}#sha256={DIGEST}">x</a>', Listed(name=FILE, url=BESIDE, sha256=DIGEST)),
        (f'<a href="{FILE}#sha256={DIGEST.upper()}&x=1">', Listed(name=FILE, url=URL + FILE, sha256=DIGEST)),
        (f'<A HREF="{FILE}#md5=00" data-yanked="bad">', Listed(name=FILE, url=URL + FILE, yanked=True)),
        (f'<a href="{ELSEWHERE}">', Listed(name="nova-1+2.tar.gz", url=ELSEWHERE)),
    ],
)  # fmt: skip
def test_html(html: str, listed: Listed) -> None:
    assert read_page(html.encode(), "text/html; charset=utf-8", URL) == (listed,)


def test_json() -> None:
    file = {"filename": FILE, "url": f"../../f/{FILE}", "hashes": {"sha256": DIGEST}, "yanked": "bad", "size": 3}
    page = json.dumps({"meta": {"api-version": "1.4"}, "name": "nova", "files": [file]}).encode()
    assert read_page(page, JSON, URL) == (Listed(name=FILE, url=BESIDE, sha256=DIGEST, yanked=True),)
    assert read_page(page.replace(b'"sha256"', b'"md5"'), JSON, URL)[0].sha256 == ""


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"{}", JSON),
        (b"not json", JSON),
        (b'{"files": [{"filename": 1, "url": "x", "hashes": {}}]}', JSON),
        (b'{"files": [{"filename": "x", "url": "x", "hashes": {"sha256": "12"}}]}', JSON),
        (b"[" * 100_000, JSON),
        (f'<a href="{FILE}#sha256=12">'.encode(), "text/html"),
        (b"\xff", "text/html"),
        (b"a maintenance page", "text/plain"),
    ],
)
def test_what_is_no_page(data: bytes, kind: str) -> None:
    with refusal(RemoteError, "index-page"):
        read_page(data, kind, URL)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("nova-1.0-py3-none-any.whl", ("bdist_wheel", "py3")),
        ("nova-1.0-1-cp311-cp311-linux_x86_64.whl", ("bdist_wheel", "cp311")),
        ("nova-1.0.tar.gz", ("sdist", "source")),
        ("nova-1.0.zip", ("sdist", "source")),
        ("nova-1.0.tar.xz", None),
        ("nova.whl", None),
    ],
)
def test_filetype(name: str, found: tuple[str, str] | None) -> None:
    assert filetype(name) == found


def test_twine_sends_the_same_fields(tmp_path: Path) -> None:
    name, core = "nova-1.0.0-py3-none-any.whl", metadata("1.0.0")
    with ZipFile(tmp_path / name, "w") as wheel:
        wheel.writestr("nova-1.0.0.dist-info/METADATA", core)
        wheel.writestr("nova-1.0.0.dist-info/WHEEL", "Wheel-Version: 1.0\n")
    theirs = PackageFile.from_filename(str(tmp_path / name), None)
    sent = Repository._convert_metadata_to_list_of_tuples(theirs.metadata_dictionary())
    digests = {"sha256_digest": theirs.sha2_digest or "", "blake2_256_digest": theirs.blake2_256_digest or ""}
    form = upload_form(name, core, digests)
    body = BytesIO(form.head + b"bytes" + form.tail)
    ours = [(part, b"".join(pieces)) for part, pieces in parts(body, boundary_of(form.content_type))]
    assert ours[-1][0].filename == name
    assert ours[-1][1] == b"bytes"
    fields = sorted((part.name, value.decode()) for part, value in ours[:-1])
    assert fields == sorted([*sent, (":action", "file_upload"), ("protocol_version", "1")])


def test_older_metadata_has_no_license_files() -> None:
    core = metadata("1.0.0").replace(b"Metadata-Version: 2.4", b"Metadata-Version: 2.1")
    assert b"license_file" not in upload_form(FILE, core, {"sha256_digest": DIGEST}).head


@pytest.mark.parametrize(
    ("name", "core"), [("nova.exe", b""), (FILE, b"x"), ('no"va-1.tar.gz', metadata("1")), (FILE, b"x" * (2 << 20))]
)
def test_no_form(name: str, core: bytes) -> None:
    with refusal(ProjectError, "metadata-invalid"):
        upload_form(name, core, {"sha256_digest": DIGEST})

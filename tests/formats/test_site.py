from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagtrail.formats import canonical, site
from tagtrail.formats.site import Site, format_site, media, parse_site
from tagtrail.model.errors import SetupError
from tests.formats.refusal import refused

HERE = Site(name="Example Cloud", origin="releases.example.org/trail", url="https://releases.example.org/")
BYTES = (
    b'{"_type":"https://tagtrail.dev/site/v1","name":"Example Cloud","origin":"releases.example.org/trail",'
    b'"path":"{project}/{file}","renderer":"5","url":"https://releases.example.org/"}'
)


def changed(**fields: Any) -> bytes:
    value = canonical.loads(BYTES) | fields
    return canonical.dumps({key: said for key, said in value.items() if said is not ...})


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_a_site_comes_back(name: str) -> None:
    one = Site(name=name, origin=HERE.origin, path="files/{project}/{file}")
    assert parse_site(format_site(one)) == one


def test_the_bytes() -> None:
    assert format_site(HERE) == BYTES
    assert parse_site(BYTES) == HERE


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "json-syntax"),
        (b"{}", "site-form"),
        (b"[]", "site-form"),
        (b'"_type"', "site-form"),
        (b"null", "site-form"),
        (BYTES + b"\n", "json-not-canonical"),
        (BYTES.replace(b'"url"', b'"name"'), "json-duplicate-key"),
        (changed(_type="https://tagtrail.dev/site/v2"), "site-form"),
        (changed(_type=...), "site-form"),
        (changed(_type=None), "site-form"),
        (changed(name=...), "site-form"),
        (changed(url=...), "site-form"),
        (changed(renderer=...), "site-form"),
        (changed(more=""), "site-form"),
        (changed(name=5), "site-form"),
        (changed(path=5), "site-form"),
        (changed(url=None), "site-form"),
        (changed(renderer=1), "site-form"),
        (changed(path="{project}"), "site-form"),
        (changed(path="../{project}/{file}"), "site-form"),
        (changed(path="{project}/{file}/{project:>9999999999}"), "site-form"),
        (changed(path="{project.__class__}/{project}/{file}"), "site-form"),
        (changed(url="https://releases.example.org"), "site-form"),
        (changed(url="javascript:alert(1)/"), "site-form"),
        (changed(url="ftp://releases.example.org/"), "site-form"),
        (changed(url='https://releases.example.org/"onclick="/'), "site-form"),
        (changed(url="https://user:secret@releases.example.org/"), "site-form"),
        (changed(url="https://releases.example.org/?a=/"), "site-form"),
    ],
)
def test_other_forms_are_refused(data: bytes, code: str) -> None:
    assert refused(parse_site, data) == code


@pytest.mark.parametrize(
    "path",
    ["", "{project}", "{file}", "{project}{file}", "/{project}/{file}", "../{project}/{file}", "{project}/../{file}",
     "{project}//{file}", "./{project}/{file}", "{project}/{file}/", "{project}/{file}.gz", "{project}/{name}/{file}",
     "{project!r}/{file}", "{project:9}/{file}", "{project}\\{file}", "{project}/{file}\n", "{project}/ä/{file}",
     "simple/{project}/{file}", "trail/{project}/{file}", "Verify/{project}/{file}", "{}/{project}/{file}"],
)  # fmt: skip
def test_a_path_places_project_and_file(path: str) -> None:
    with pytest.raises(SetupError) as caught:
        Site(name="x", origin="x", path=path)
    assert caught.value.code == "site-path"


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("{project}/{file}", "nova/nova-1.0.tar.gz"),
        ("releases/{project}/{file}", "releases/nova/nova-1.0.tar.gz"),
        ("files/{project}-{project}/{file}", "files/nova-nova/nova-1.0.tar.gz"),
    ],
)
def test_where_a_file_lies(path: str, wanted: str) -> None:
    assert Site(name="x", origin="x", path=path).file("nova", "nova-1.0.tar.gz") == wanted


def test_pages_and_sidecars_have_fixed_places() -> None:
    assert site.project_page("oslo.config") == "oslo.config/index.html"
    assert site.release_page("oslo.config", "9.7.0") == "oslo.config/9.7.0/index.html"
    assert site.simple_page("oslo.config") == "simple/oslo-config/index.html"
    assert site.sums_name("oslo.config", "9.7.0") == "oslo.config-9.7.0.SHA256SUMS"
    assert site.sums_name("oslo.config", "9.7.0", 12) == "oslo.config-9.7.0.12.SHA256SUMS"
    assert site.sums_name("oslo.config", "9.7.0", 0) == "oslo.config-9.7.0.0.SHA256SUMS"
    assert site.tag_name("oslo.config", "9.7.0") == "oslo.config-9.7.0.tag"
    assert site.CHECKPOINT == "trail/checkpoint"


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("nova-1.0.tar.gz", "application/gzip"),
        ("nova-1.0.tar.xz", "application/x-xz"),
        ("nova-1.0-py3-none-any.whl", "application/zip"),
        ("nova-1.0.tar.gz.asc", "application/pgp-signature"),
        ("nova-1.0.SHA256SUMS", "text/plain; charset=utf-8"),
        ("nova-1.0.SHA256SUMS.asc", "application/pgp-signature"),
        ("nova-1.0.tar.gz.tlog-proof", "text/plain; charset=utf-8"),
        ("nova-1.0.tar.gz.metadata", "text/plain; charset=utf-8"),
        ("nova-1.0.tag", "text/plain; charset=utf-8"),
        ("nova-1.0.notes.md", "text/markdown; charset=utf-8"),
        ("index.html", "text/html; charset=utf-8"),
        ("feed.atom", "application/atom+xml"),
        ("trail/checkpoint", "text/plain; charset=utf-8"),
        ("trail/tile/0/000", "application/octet-stream"),
        ("nova-1.0", "application/octet-stream"),
        ("nova-1.0.svg", "application/octet-stream"),
        ("", "application/octet-stream"),
    ],
)
def test_media_types(name: str, wanted: str) -> None:
    assert media(name) == wanted


MAKERS: list[Callable[[str], str]] = [site.project_page, lambda p: site.release_page(p, "1.0"), site.simple_page]


@pytest.mark.parametrize("make", MAKERS)
def test_pages_of_one_project_have_one_place(make: Callable[[str], str]) -> None:
    assert make("nova") == make("nova")
    assert make("nova") != make("glance")

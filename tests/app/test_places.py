"""Places: what an address on a page leads to, and that nothing outside of a site is opened."""

import pytest

from tagtrail.app.consumer.places import Place, check_address, place
from tagtrail.model.errors import SetupError

WEB = Place("https://releases.example.org/x/")
PAGE = "simple/nova/index.json"


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("../../nova/a.whl", "nova/a.whl"),
        ("a.whl#sha256=x", "simple/nova/a.whl"),
        ("../../nova/a%2Bb.whl", "nova/a+b.whl"),
        ("../../../nova/a.whl", None),
        ("https://releases.example.org/x/nova/a.whl", "nova/a.whl"),
        ("https://releases.example.org/nova/a.whl", None),
        ("https://releases.example.org.evil/x/nova/a.whl", None),
        ("http://releases.example.org/x/nova/a.whl", None),
    ],
)
def test_an_address_leads_within_its_site_or_nowhere(address, path):
    assert WEB.path(address, PAGE) == path


@pytest.mark.parametrize("path", ["../secret", "a/../../secret", "/etc/passwd", "", "a//b", "./a", "a/.."])
def test_nothing_outside_is_opened(tmp_path, path):
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "site").mkdir()
    assert place(str(tmp_path / "site")).read(path, 10) is None


def test_a_file_is_read_up_to_its_limit(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 100)
    at = place(str(tmp_path))
    assert (at.read("a", 100), at.read("a", 9), at.read("b", 9)) == (b"x" * 100, b"x" * 10, None)
    assert at.shown("a b") == f"{tmp_path}/a b"
    assert WEB.shown("nova/a+b c.whl") == "https://releases.example.org/x/nova/a%2Bb%20c.whl"


@pytest.mark.parametrize("url", ["ftp://x/", "https:///x", "https://jo@x/", "https://jo:secret@x/", "https://x/\n"])
def test_what_is_no_address_is_refused_without_its_password(url):
    with pytest.raises(SetupError) as caught:
        check_address(url)
    assert caught.value.code == "url"
    assert "secret" not in caught.value.what
    assert "jo" not in caught.value.what


def test_an_address_ends_with_a_slash():
    assert place("https://x.example/y") == place("https://x.example/y/") == Place("https://x.example/y/")

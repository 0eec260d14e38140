"""Directory listings as servers make them, and as an enemy would: only names of the directory itself are read."""

import pytest

from tagtrail.formats.listing import MOST, read_listing
from tagtrail.model.errors import RemoteError

AT = "https://tarballs.example.org/nova/"
APACHE = b"""<h1>Index of /nova</h1><table><tr><th><a href="?C=N;O=D">Name</a></th></tr>
<tr><td><a href="/">Parent Directory</a></td></tr>
<tr><td><a href="nova-33.0.0.tar.gz">nova-33.0.0.tar.gz</a></td><td>9.3M</td></tr>
<tr><td><a href="old/">old/</a></td></tr></table>"""
NGINX = b"""<h1>Index of /nova/</h1><hr><pre><a href="../">../</a>
<a href="old/">old/</a>   01-Apr-2026 15:02   -
<a href="nova-33.0.0.tar.gz">nova-33.0.0.tar.gz</a>   01-Apr-2026 15:02   9780112</pre>"""
PYTHON = b'<ul><li><a href="nova-33.0.0.tar.gz">nova-33.0.0.tar.gz</a></li><li><a href="old/">old/</a></li></ul>'
WHOLE = b'<a href="/nova/nova-33.0.0.tar.gz">x</a><a href="./old/">x</a><a href="https://tarballs.example.org/">up</a>'


@pytest.mark.parametrize("page", [APACHE, NGINX, PYTHON, WHOLE])
def test_the_listings_of_servers(page: bytes) -> None:
    found = read_listing(page, AT)
    assert (found.files, found.folders, found.passed) == (("nova-33.0.0.tar.gz",), ("old",), ())


@pytest.mark.parametrize(
    "href",
    [
        "https://evil.example/nova/a.tar.gz",
        "//evil.example/nova/a.tar.gz",
        "http://tarballs.example.org/nova/a.tar.gz",
        "https://tarballs.example.org:8443/nova/a.tar.gz",
        "https://jo@tarballs.example.org/nova/a.tar.gz",
        "javascript:alert(1)",
        "data:text/plain,a",
        "file:///etc/passwd",
        "../cinder/a.tar.gz",
        "old/a.tar.gz",
        "a.tar.gz?x=1",
        "a.tar.gz#x",
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e",
        "a%00.tar.gz",
        "a%0d%0ab",
        "%1b[2Ja",
        ".hidden",
        "-rf",
        "h\u00e4.tar.gz",
        "http://[::1/a.tar.gz",
        "a" * 300,
    ],
)
def test_what_leads_elsewhere_is_passed_over(href: str) -> None:
    found = read_listing(f'<a href="{href}">nova-1.tar.gz</a><a href="b.tar.gz">b</a>'.encode(), AT)
    assert found.files == ("b.tar.gz",)
    assert found.folders == ()
    assert len(found.passed) == 1 or href == "%2e%2e"


@pytest.mark.parametrize(
    ("page", "code"),
    [(b"<h1>It works</h1>", "listing-page"), (b"", "listing-page"), (b"<a href=a>" * (MOST + 1), "listing-size")],
)
def test_what_is_no_listing_is_said(page: bytes, code: str) -> None:
    with pytest.raises(RemoteError) as caught:
        read_listing(page, AT)
    assert caught.value.code == code

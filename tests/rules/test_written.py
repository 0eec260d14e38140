"""A version in a project's own file: each form read, and what is not there in that form not guessed."""

import pytest

from tagtrail.rules.written import written

READ = [
    ("metadata.json:version", '{"name": "x", "version": "1.2.0"}', "1.2.0"),
    ("package.json:a.b-c.version", '{"a": {"b-c": {"version": "1.2.0"}}}', "1.2.0"),
    ("Cargo.toml:package.version", '[package]\nname = "x"\nversion = "1.2.0"\n', "1.2.0"),
    ("setup.cfg:metadata.version", "[metadata]\nversion = 1.2.0\n", "1.2.0"),
    ("x.ini:a.b.version", "[a.b]\nversion = 100%\n", "100%"),
    ("galaxy.yml:version", "namespace: a\nversion: 1.2.0\nname: b\n", "1.2.0"),
    ("galaxy.yml:version", "---\nversion: '1.2.0'  # the version\n", "1.2.0"),
    ("galaxy.yml:version", 'a:\n  version: 9\nversion: "1.2.0"\r\n', "1.2.0"),
    ("Chart.yaml:app-version", "app-version: 1.2.0", "1.2.0"),
    ("VERSION", "1.2.0\n", "1.2.0"),
]


@pytest.mark.parametrize(("place", "text", "version"), READ)
def test_read(place: str, text: str, version: str) -> None:
    assert written(place, text.encode()) == version


NOT = [
    ("a.json:version", b"{"),
    ("a.json:version", b"[]"),
    ("a.json:version", b'{"version": 1.2}'),
    ("a.json:version", b'{"version": null}'),
    ("a.json:version", b'{"version": "1.1", "version": "1.2"}'),
    ("a.json:a.version", b'{"a": {"version": "1.2"}, "a": {"version": "1.2"}}'),
    ("a.json:version.x", b'{"version": "1.2"}'),
    ("a.json:version", b'{"version": "1.2\xff"}'),
    ("a.json:version", b"[" * 100_000),
    ("a.toml:version", b"version = 1.2"),
    ("a.toml:version", b"version = '1.2"),
    ("a.cfg:version", b"[a]\nversion = 1"),
    ("a.cfg:a.version", b"[a]\nversion = 1\nversion = 2"),
    ("a.cfg:a.version", b"version = 1"),
    ("a.yml:version", b"a:\n  version: 1.2\n"),
    ("a.yml:version", b"version: 1.2\nversion: 1.3\n"),
    ("a.yml:version", b'version: 1.2\n"version": 1.3\n'),
    ("a.yml:version", b"version: >\n  1.2\n"),
    ("a.yml:version", b"version: *other\n"),
    ("a.yml:version", b"version: !!str 1.2\n"),
    ("a.yml:version", b'version: "1.\\x32"\n'),
    ("a.yml:version", b"version: 1.2 3\n"),
    ("a.yml:version", b"version:1.2\n"),
    ("a.yml:version", b"my-version: 1.2\n"),
    ("a.yml:version", b""),
]


@pytest.mark.parametrize(("place", "data"), NOT)
def test_not_read(place: str, data: bytes) -> None:
    assert written(place, data) is None

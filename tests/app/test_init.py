"""`tagtrail init`: a whole instance, or nothing at all."""

import json
import os
import stat
from pathlib import Path

import pytest

from tagtrail.adapters.openpgp import OpenPGP
from tagtrail.app.instance.home import find_home
from tagtrail.app.instance.reading import read_settings
from tagtrail.app.main import main
from tagtrail.formats.note import parse_skey
from tagtrail.formats.settings import site_of
from tagtrail.formats.site import Site


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["init", "--json", *words]) == 2
    event = json.loads(capsys.readouterr().out)
    assert event["next"]
    code: str = event["code"]
    return code


@pytest.mark.parametrize("umask", [0o022, 0o002, 0o077])
def test_a_whole_instance(umask: int, tmp_path: Path) -> None:
    home = tmp_path / "rel"
    before = os.umask(umask)
    try:
        assert main(["init", str(home), "--url", "https://jo.example/rel"]) == 0
    finally:
        os.umask(before)
    assert {p.name: mode(p) for p in home.iterdir()} == {
        "tagtrail.toml": 0o644, "keys": 0o755, "site": 0o755, "kept": 0o700, "state": 0o700, "private": 0o700,
    }  # fmt: skip
    assert {mode(p) for p in (home / "private").iterdir()} == {0o600}
    assert mode(home) == 0o755
    settings = read_settings(home)
    assert site_of(settings) == Site(name="jo.example", origin="jo.example/rel/trail", url="https://jo.example/rel/")
    assert settings.build.isolation == "auto"
    assert list((home / "site").iterdir()) == []
    assert [path.name for path in (home / "state").iterdir()] == ["tagtrail.db"]
    assert find_home(None, env={}, start=home / "site") == home
    assert list(tmp_path.iterdir()) == [home]


def test_keys(tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert main(["init", str(tmp_path / name), "--origin", "example.org/trail"]) == 0
    private = tmp_path / "a" / "private"
    signers = {name: parse_skey((private / name).read_text().strip()) for name in ("log.key", "root.key")}
    assert {signer.name for signer in signers.values()} == {"example.org/trail"}
    assert parse_skey((private / "builder.key").read_text().strip()).name == "example.org/trail/builder"
    seeds = {parse_skey(p.read_text().strip()).seed for p in tmp_path.glob("*/private/*.key")}
    assert len(seeds) == 6
    signature = OpenPGP((private / "release-key.pgp").read_bytes()).sign(b"x")
    assert signature.startswith(b"-----BEGIN PGP SIGNATURE-----")


def test_what_people_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = tmp_path / "rel"
    assert main(["init", str(home), "--url", "https://jo.example/rel/"]) == 0
    out = capsys.readouterr().out
    assert "origin jo.example/rel/trail is permanent: choose a domain you will keep" in out
    assert f"keys in {home}/private: back them up" in out
    assert out.endswith(f"next   export TAGTRAIL_HOME={home}\n       tagtrail add-project PATH\n")


@pytest.mark.parametrize(
    ("words", "origin"),
    [
        (("--url", "https://jo.example/"), "jo.example/trail"),
        (("--url", "http://localhost:8000/a/b/"), "localhost:8000/a/b/trail"),
        (("--origin", "a.example/x"), "a.example/x"),
        (("--origin", "a.example/x", "--url", "https://b.example/"), "a.example/x"),
    ],
)
def test_origin(words: tuple[str, ...], origin: str, tmp_path: Path) -> None:
    assert main(["init", str(tmp_path / "rel"), *words]) == 0
    assert read_settings(tmp_path / "rel").org.origin == origin


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), "usage"),
        (("--origin", "https://a.example/x"), "origin"),
        (("--origin", "a.example/x/"), "origin"),
        (("--origin", "a example"), "origin"),
        (("--url", "a.example"), "url"),
        (("--url", "https://jo:pw@a.example/"), "url"),
        (("--url", "https://a.example/?x"), "url"),
    ],
)
def test_one_thing_wrong(words: tuple[str, ...], code: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, str(tmp_path / "rel"), *words) == code
    assert list(tmp_path.iterdir()) == []


def test_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = (str(tmp_path / "rel"), "--origin", "a.example/x")
    assert main(["init", *words]) == 0
    capsys.readouterr()
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert refused(capsys, *words) == "home-exists"
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_not_empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "precious").touch()
    assert refused(capsys, str(tmp_path), "--origin", "a.example/x") == "home-exists"
    assert [p.name for p in tmp_path.iterdir()] == ["precious"]


def test_a_file_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rel").touch()
    assert refused(capsys, str(tmp_path / "rel"), "--origin", "a.example/x") == "home-exists"


def test_no_parent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, str(tmp_path / "a" / "rel"), "--origin", "a.example/x") == "not-writable"
    assert list(tmp_path.iterdir()) == []


def test_an_empty_directory_stays_the_same_directory(tmp_path: Path) -> None:
    home = tmp_path / "rel"
    home.mkdir()
    home.chmod(0o777)
    inode = home.stat().st_ino
    assert main(["-C", str(home), "init", "--origin", "a.example/x"]) == 0
    assert home.stat().st_ino == inode
    assert find_home(None, env={}, start=home) == home
    assert list(tmp_path.iterdir()) == [home]


def test_where_nothing_can_be_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "/proc/self/rel", "--origin", "a.example/x") == "not-writable"

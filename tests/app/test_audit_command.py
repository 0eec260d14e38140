"""`tagtrail audit` as people type it: exit codes, events, and what is refused."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tagtrail.app.main import main
from tagtrail.trail.keys import root_envelope
from tagtrail.workflows.release import release
from tests.workflows.auditing import signed
from tests.workflows.world import World


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A released site on this disk, and its root beside it."""
    at, world = tmp_path_factory.mktemp("copy"), signed(World(names=("nova", "glance")))
    for name in world.names:
        release(world.road(), world.project(name), "1.0.0")
    for path, data in world.store.files.items():
        (at / "site" / path).parent.mkdir(parents=True, exist_ok=True)
        (at / "site" / path).write_bytes(data)
    envelope = root_envelope(world.ledger, world.kept)
    assert envelope
    (at / "root.json").write_bytes(envelope)
    return at


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[dict[str, Any]]]:
    code = main(["--json", *words])
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_good_copy(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, events = run(capsys, "audit", str(copy / "site"), "--root", str(copy / "root.json"))
    assert (code, events[-1]["exit"], events[-1]["state"]) == (0, 0, "agrees")
    assert next(e["what"] for e in events if e["event"] == "skip").startswith("not compared: ")
    assert main(["audit", str(copy / "site"), "--root", str(copy / "root.json")]) == 0
    assert "agrees  3 entries of releases.example.org/trail, 24 files, " in capsys.readouterr().out


def test_what_is_wrong_is_named(copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = tmp_path / "site"
    shutil.copytree(copy / "site", site)
    (site / "nova/nova-1.0.0.tar.gz").write_bytes(b"x")
    (site / "nova/index.html").unlink()
    (site / os.fsdecode(b"nova/\xff.whl")).write_bytes(b"")
    (site / "nova/\x1b[31m").write_bytes(b"")
    (site / "more").symlink_to("/")
    (site / "nova/nova-2.0.0.tar.gz").mkdir()
    code, events = run(capsys, "audit", str(site), "--root", str(copy / "root.json"))
    assert (code, events[-1]["exit"], events[-1]["state"]) == (7, 7, "disagrees")
    assert [(e["rule"], e["name"]) for e in events if e["event"] == "finding"] == [
        ("file-differs", "nova/nova-1.0.0.tar.gz"),
        ("page-missing", "nova/index.html"),
        ("file-unknown", "more"),
        ("file-unknown", "nova/\x1b[31m"),
        ("file-unknown", "nova/\\xff.whl"),
    ]


def test_nobody_pinned_a_root(copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {name: os.environ.get(name) for name in ("HOME", "XDG_CONFIG_HOME", "TAGTRAIL_HOME")}
    os.environ |= {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    os.environ.pop("TAGTRAIL_HOME", None)
    try:
        code, events = run(capsys, "audit", str(copy / "site"))
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            os.environ |= {name: value} if value is not None else {}
    assert (code, events[-1]["code"]) == (7, "unpinned")


@pytest.mark.parametrize(
    ("place", "code", "reason"),
    [("http://127.0.0.1:1/", 5, "url-unreachable"), ("nowhere", 2, "file-missing"), (".", 7, "checkpoint-missing")],
)
def test_what_is_no_copy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str, code: int, reason: str
) -> None:
    where = place if "://" in place else str(tmp_path / place)
    done, events = run(capsys, "audit", where)
    assert (done, events[-1]["code"]) == (code, reason)

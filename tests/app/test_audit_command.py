"""`tagtrail audit` as people type it: exit codes, events, and what is refused."""

import json
import os
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tagtrail.app.consumer.readers import LocalSite
from tagtrail.app.main import main
from tagtrail.formats import note
from tagtrail.model.errors import TamperError
from tagtrail.trail.keys import root_envelope
from tagtrail.verify.roots import open_root
from tagtrail.workflows.audit import Asked, look
from tagtrail.workflows.release import release
from tests.workflows.auditing import NOW, signed
from tests.workflows.world import ADA, ORIGIN, World


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
    assert "agrees  3 entries of releases.example.org/trail, 26 files, " in capsys.readouterr().out


@pytest.mark.slow  # it looks twice, with a pause
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


# --- what is remembered ---------------------------------------------------------------------------------------------


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    before = os.environ.get("XDG_STATE_HOME")
    os.environ["XDG_STATE_HOME"] = str(tmp_path / "state")
    yield tmp_path / "state" / "tagtrail" / "audit"
    os.environ.pop("XDG_STATE_HOME")
    os.environ |= {"XDG_STATE_HOME": before} if before is not None else {}


def again(capsys: pytest.CaptureFixture[str], copy: Path, site: Path, *words: str) -> tuple[int, list[dict[str, Any]]]:
    return run(capsys, "audit", str(site), "--root", str(copy / "root.json"), *words)


def test_last_is_what_the_last_good_audit_saw(copy: Path, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site, memory = copy / "site", state / "releases.example.org%2Ftrail.checkpoint"
    assert again(capsys, copy, site)[0] == 0
    assert not state.exists(), "who does not ask for it is not remembered"
    code, events = again(capsys, copy, site, "--since", "last")
    assert (code, events[-1]["text"].split(", ")[0]) == (0, "3 entries of releases.example.org/trail")
    assert memory.read_bytes() == (site / "trail/checkpoint").read_bytes()
    assert memory.stat().st_mode & 0o077 == 0
    code, events = again(capsys, copy, site, "--since", "last")
    assert (code, events[-1]["text"]) == (0, "3 entries of releases.example.org/trail, 0 of them new, 0 files, 0 pages")


def test_a_bad_audit_is_not_remembered(copy: Path, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    watch = ("--project", "nova", "--expect-signer", "SHA256:somebody-else", "--since", "last")
    assert again(capsys, copy, copy / "site", *watch)[0] == 7
    assert not state.exists()


@pytest.mark.slow  # it looks twice, with a pause
def test_a_log_that_contradicts_itself_leaves_evidence(
    copy: Path, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = note.Checkpoint(origin=ORIGIN, size=3, root=bytes(32)).text()
    fork = note.sign(text, [note.Signer(name=ORIGIN, seed=sha256(b"log").digest())]).encode()
    state.mkdir(parents=True)
    memory = state / "releases.example.org%2Ftrail.checkpoint"
    memory.write_bytes(fork)
    ended, events = again(capsys, copy, copy / "site", "--since", "last")
    (finding,) = [e for e in events if e["event"] == "finding"]
    assert (ended, finding["code"], finding["name"]) == (7, "split-view", "trail/checkpoint")
    assert finding["there"]
    assert finding["expected"]
    kept = {path.read_bytes() for path in (state / "releases.example.org%2Ftrail.evidence").iterdir()}
    assert kept == {fork, (copy / "site/trail/checkpoint").read_bytes()}
    assert "evidence" in events[-1]["text"]
    assert memory.read_bytes() == fork, "what was seen is not forgotten"


def test_a_checkpoint_that_somebody_kept(copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes((copy / "site/trail/checkpoint").read_bytes())
    assert again(capsys, copy, copy / "site", "--since", str(kept))[1][-1]["text"].endswith("0 files, 0 pages")
    text = note.Checkpoint(origin=ORIGIN, size=2, root=bytes(32)).text()
    kept.write_bytes(note.sign(text, [note.Signer(name=ORIGIN, seed=bytes(32))]).encode())
    code, events = again(capsys, copy, copy / "site", "--since", str(kept))
    assert (code, events[-1]["code"]) == (7, "note-no-known-key")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--since", "nowhere"), "file-missing"),
        (("--expect-signer", ADA.key.fingerprint), "usage"),
        (("--project", "nova", "--expect-signer", "DF3E"), "usage"),
        (("--project", "nowa"), "project-unknown"),
        (("--jobs", "0"), "usage"),
        (("--jobs", "65"), "usage"),
        (("--policy", "x"), "usage"),
    ],
)
def test_what_cannot_be_asked(
    copy: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], reason: str
) -> None:
    code, events = again(capsys, copy, copy / "site", *words)
    assert (code, events[-1]["code"]) == (2, reason)


# --- a maintainer's own project -------------------------------------------------------------------------------------


def test_a_maintainer_who_watches(copy: Path, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    watch = ("--project", "nova", "--expect-signer", ADA.key.fingerprint, "--since", "last")
    code, events = again(capsys, copy, copy / "site", *watch)
    listed = [(e["entry"], e["project"], e["signer"]) for e in events if e["event"] == "entry"]
    assert (code, listed) == (0, [("key", "", ""), ("release", "nova", ADA.key.fingerprint)])
    code, events = again(capsys, copy, copy / "site", *watch)
    assert (code, [e["event"] for e in events]) == (0, ["outcome"]), "one line while nothing is new"
    assert events[0]["text"] == "nothing new of nova in 3 entries of releases.example.org/trail"
    assert [path.name for path in state.iterdir()] == ["releases.example.org%2Ftrail;project=nova.checkpoint"]


def test_a_signer_whom_nobody_expects(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = "df3e 9f76 5b21 3073 a03c  da6e b66c 130c e844 33ed"
    code, events = again(capsys, copy, copy / "site", "--project", "nova", "--expect-signer", other)
    (finding,) = [e for e in events if e["event"] == "finding"]
    assert (code, finding["code"], finding["name"]) == (7, "unexpected-signer", "entry 1")
    assert ADA.key.fingerprint in finding["there"]
    assert finding["expected"] == other.replace(" ", "").upper()


# --- names that lead elsewhere --------------------------------------------------------------------------------------


def test_no_link_leads_out_of_a_site(copy: Path, tmp_path: Path) -> None:
    site, outside = tmp_path / "site", tmp_path / "outside"
    shutil.copytree(copy / "site", site)
    shutil.copytree(site / "nova", outside)
    (site / "nova/nova-1.0.0.tar.gz").unlink()
    (site / "nova/nova-1.0.0.tar.gz").symlink_to(outside / "nova-1.0.0.tar.gz")
    wheel = site / "nova/nova-1.0.0-py3-none-any.whl"
    wheel.rename(site / "nova/moved")
    wheel.symlink_to("moved")
    root = open_root((copy / "root.json").read_bytes())
    seen = look(LocalSite(site), root, Asked(), tell=lambda *_: None, clock=lambda: NOW)
    assert [(mismatch.code, mismatch.path) for mismatch in seen.findings] == [
        ("path-outside", "nova/nova-1.0.0.tar.gz"),
        ("file-unknown", "nova/moved"),
    ]


@pytest.mark.parametrize("path", ["../root.json", "nova/../../root.json", "/etc/passwd", "nova//index.html", "a\0b"])
def test_no_path_leads_out_of_a_site(copy: Path, path: str) -> None:
    with pytest.raises(TamperError) as caught, LocalSite(copy / "site").opened(path):
        pass
    assert caught.value.code == "path-outside"


def test_a_directory_that_is_a_link_is_not_entered(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site/nova").symlink_to(copy / "site/nova")
    site = LocalSite(tmp_path / "site")
    assert [*site.paths()] == ["nova"]
    with pytest.raises(TamperError), site.opened("nova/index.html"):
        pass


def test_people_read_both_values_below_each_other(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    watch = ["--project", "nova", "--expect-signer", "SHA256:jo"]
    assert main(["audit", str(copy / "site"), "--root", str(copy / "root.json"), *watch]) == 7
    lines = capsys.readouterr().out.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("unexpected-signer"))
    assert lines[at].split() == ["unexpected-signer", "entry", "1"]
    assert lines[at + 1].split()[0] == "there"
    assert lines[at + 2].split() == ["expected", "SHA256:jo"]
    assert lines[-1].startswith("disagrees  1 finding in 1 entry of nova, 13 files")

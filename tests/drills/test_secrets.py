"""No secret is shown, whatever is run and however it ends: in output, tracebacks, state, site, or to a build."""

import base64
import os
from pathlib import Path

import pytest

from tagtrail.formats.note import parse_skey
from tests.app.world import BACKEND
from tests.drills.scene import ORIGIN, Scene

pytestmark = [pytest.mark.client, pytest.mark.slow]

LOUD = {"TAGTRAIL_TRACEBACK": "1", "PYTHONFAULTHANDLER": "1"}
SPY = """
import os, pathlib
def _seen():
    for process in ("self", os.getppid()):
        try:
            yield pathlib.Path(f"/proc/{process}/environ").read_bytes()
            yield pathlib.Path(f"/proc/{process}/cmdline").read_bytes()
        except OSError:
            pass
    yield repr(dict(os.environ)).encode()
print("seen:", *_seen(), flush=True)
"""


def secrets_of(home: Path) -> list[bytes]:
    """Everything by which a secret key here could be known: seeds in three spellings, lines of the armour."""
    found = []
    for path in (home / "private").iterdir():
        text = path.read_text()
        if path.suffix == ".pgp":
            found += [line.encode() for line in text.split("\n") if len(line) >= 60 and ":" not in line]
        elif text.startswith("PRIVATE+KEY+"):
            seed = parse_skey(text.strip()).seed
            found += [seed, seed.hex().encode(), base64.b64encode(seed), text.strip().split("+", 4)[4].encode()]
    return found


def leaks(secrets: list[bytes], *texts: bytes) -> list[bytes]:
    return [secret for secret in secrets for text in texts if secret in text]


def below(*directories: Path) -> list[bytes]:
    return [p.read_bytes() for d in directories for p in d.rglob("*") if p.is_file() and not p.is_symlink()]


def test_no_command_shows_a_secret(scene: Scene) -> None:
    made = scene.root / "ann.key"
    scene.keys("make", made, "--origin", ORIGIN)
    vkey = parse_skey(made.read_text().strip()).verifier.vkey()
    secrets = secrets_of(scene.home)
    file, public = str(scene.file), str(scene.root / "public")
    assert set(leaks(secrets, *below(scene.home / "private"))) >= set(secrets[-4:])  # the sieve holds
    assert len(secrets) > 12
    commands = [
        ["status"], ["check", "toy", "1.0.0"], ["plan", "toy", "1.0.0"], ["release", "toy", "1.0.0"], ["resume"],
        ["render"], ["render", "--check"], ["audit"], ["verify", file], ["trust", str(scene.site), "--yes"],
        ["keys"], ["keys", "export"], ["keys", "export", "--to", public], ["keys", "freeze"], ["keys", "rotate", "log"],
        ["keys", "rotate", "release"], ["keys", "rotate", "builder", "--stolen"], ["keys", "rotate", "root"],
        ["keys", "add", "root", vkey, "--threshold", "2"], ["keys", "renew"], ["keys", "reprove"],
        ["keys", "submit", "private/root.key"], ["keys", "sign", "private/log.key", "--key", "private/root.key"],
        ["keys", "add", "root", "nonsense"], ["keys", "no-such-verb"], ["check", "private/log.key", "1"],
    ]  # fmt: skip
    said = []
    for words in commands:
        for flag in ([], ["--json"]):
            ended = scene.run("-C", str(scene.home), *flag, *words, env=LOUD, cwd=scene.home)
            said += [ended.out.encode(), ended.err.encode()]
            assert "Traceback" not in ended.err, (words, ended.err)
    secrets += secrets_of(scene.home)
    assert leaks(secrets, *said) == []
    assert leaks(secrets, *below(scene.home / "state", scene.site, scene.home / "kept", Path(public))) == []


@pytest.mark.parametrize("name", ["log.key", "root.key", "builder.key", "release-key.pgp"])
@pytest.mark.parametrize("harm", ["cut", "turned", "mode", "twice"])
def test_a_damaged_key_file_is_not_quoted(scene: Scene, name: str, harm: str) -> None:
    path = scene.private(name)
    secrets, text = secrets_of(scene.home), path.read_text()
    head, tail = text[: len(text) // 2], text[len(text) // 2 :]
    path.write_text({"cut": head, "turned": tail + head, "mode": text, "twice": text * 2}[harm])
    path.chmod(0o644 if harm == "mode" else 0o600)
    for words in (["keys"], ["release", "toy", "1.0.0"], ["keys", "renew"]):
        ended = scene.run("-C", str(scene.home), *words, env=LOUD)
        assert leaks([*secrets, text.strip().encode()[-30:]], ended.out.encode(), ended.err.encode()) == []
        assert "Traceback" not in ended.err, ended.err


def test_a_traceback_shows_no_secret(scene: Scene) -> None:
    """A bug is provoked where the secrets are in hand: the database is not what it was."""
    import sqlite3

    with sqlite3.connect(scene.home / "state" / "tagtrail.db") as db:
        db.execute("ALTER TABLE checkpoints RENAME COLUMN note TO words")
    ended = scene.run("-C", str(scene.home), "keys", "renew", env=LOUD)
    assert ended.code != 0
    assert "Traceback" in ended.err
    assert leaks(secrets_of(scene.home), ended.out.encode(), ended.err.encode()) == []


def test_a_build_sees_no_secret(scene: Scene) -> None:
    """What it finds it says, and what it says is in the log of the build."""
    (scene.repo / "backend.py").write_text(SPY + BACKEND)
    scene.release("1.1.0")
    seen = (scene.home / "state" / "logs" / "toy-1.1.0.log").read_bytes()
    assert b"SOURCE_DATE_EPOCH" in seen
    assert leaks(secrets_of(scene.home), seen) == []
    assert b"PRIVATE" not in seen
    assert os.environ.get("SSH_AUTH_SOCK", "no agent").encode() not in seen

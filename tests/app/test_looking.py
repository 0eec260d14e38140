"""Who may only look gets `status`: no secret key is read; what else needs one says which, and is no bug."""

import argparse
import contextlib
import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tagtrail.adapters.directory import DirectoryKept
from tagtrail.app.commands import init, status
from tagtrail.app.everywhere import audit_places
from tagtrail.app.instance.home import Home
from tagtrail.app.instance.wiring import open_road
from tagtrail.app.terminal.console import Console
from tagtrail.model.errors import SetupError
from tests.app.desk import said


@pytest.fixture
def home() -> Iterator[Path]:
    """An instance in a place that another user can reach, who may read its state."""
    with tempfile.TemporaryDirectory(dir="/tmp") as room:
        path = Path(room, "rel")
        said(init, path, "--origin", "example.org/trail")
        Path(room).chmod(0o755)
        (path / "state").chmod(0o755)
        yield path


def test_status_needs_no_secret_key_and_changes_nothing(home: Path) -> None:
    before = said(status, "-C", home)
    shutil.rmtree(home / "private")
    (home / "state" / "scratch").mkdir(exist_ok=True)
    left = home / "state" / "scratch" / "scratch-of-somebody"
    left.mkdir()
    assert said(status, "-C", home) == before
    assert (before.code, before.of("outcome")[0]["state"], left.exists()) == (0, "complete", True)


def test_what_needs_a_secret_key_says_which(home: Path) -> None:
    (home / "private" / "log.key").unlink()
    with pytest.raises(SetupError, match=r"private/log\.key cannot be read: No such file") as caught:
        open_road(home, tell=lambda *_: None)
    assert (caught.value.code, caught.value.hint) == ("key-missing", "restore private/ from its back-up")


@contextlib.contextmanager
def somebody_else() -> Iterator[None]:
    """Everything that is loaded already runs as another user."""
    if os.geteuid() != 0:
        pytest.skip("NOT TESTED: only root can be somebody else")
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_another_user_may_look(home: Path) -> None:
    asked = argparse.Namespace(home=str(home), project=None, deep=False)
    told = io.StringIO()
    for again in (False, True):
        with somebody_else() if again else contextlib.nullcontext(), Console(told, told) as console:
            assert said(status, "-C", home).code == 0
            assert audit_places(asked, console) == 0


def test_another_user_is_told_what_cannot_be_read(home: Path) -> None:
    blob = DirectoryKept(home / "kept").put([b"x"], "text/plain")
    with somebody_else(), pytest.raises(SetupError, match=r"log\.key cannot be read: Permission denied") as key:
        Home(path=home).holds("log.key")
    with somebody_else(), pytest.raises(SetupError, match="cannot be read: Permission denied") as kept:
        DirectoryKept(home / "kept").read(blob.sha256)
    assert (key.value.code, key.value.hint) == ("key-missing", f"ls -ld {home / 'private'}; id -un")
    assert (kept.value.code, kept.value.hint) == ("not-readable", f"ls -ld {home / 'kept'}; id -un")

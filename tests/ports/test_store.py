"""The suite of the port Store, for every adapter there is."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tagtrail.adapters.directory import DirectoryStore
from tagtrail.model.errors import RemoteError, SetupError
from tagtrail.testing.memory import Store, Web
from tagtrail.testing.suites import store as suite
from tagtrail.testing.suites.promise import refusal


@pytest.fixture(params=["memory", "directory"])
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> suite.Open:
    if request.param == "directory":
        return partial(DirectoryStore, tmp_path / "site")
    one = Store()
    return lambda: one


@pytest.mark.parametrize("check", suite.CHECKS)
def test_store(check: Callable[[suite.Open], None], opening: suite.Open) -> None:
    check(opening)


@pytest.mark.parametrize("check", suite.PROCESS_CHECKS)
def test_store_directory_between_processes(check: Callable[[suite.Open], None], tmp_path: Path) -> None:
    check(partial(DirectoryStore, tmp_path / "site"))


# --- upload ---------------------------------------------------------------------------------------------------------

COPY = "import shutil, sys; [shutil.copy(sys.argv[1] + '/' + p.strip(), sys.argv[3]) for p in open(sys.argv[2])]"


def test_a_push_runs_the_upload_command_with_the_paths(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    argv = (sys.executable, "-c", COPY, "{root}", "{list}", str(tmp_path / "there"))
    store = DirectoryStore(tmp_path / "site", upload=argv, incoming=tmp_path / "incoming")
    for path in ("a.html", "b.html", "c.html"):
        store.write(path, [path.encode()])
    store.push("pages", ["a.html", "c.html"])
    assert sorted(p.name for p in (tmp_path / "there").iterdir()) == ["a.html", "c.html"]
    assert list(tmp_path.rglob("*.list")) == []


def test_an_upload_that_fails_is_to_be_run_again(tmp_path: Path) -> None:
    argv = (sys.executable, "-c", "import sys; sys.exit('no route')")
    store = DirectoryStore(tmp_path / "site", upload=argv, incoming=tmp_path / "incoming")
    store.write("a.html", [b"a"])
    with pytest.raises(RemoteError) as caught:
        store.push("pages", ["a.html"])
    assert caught.value.code == "upload-failed"
    assert caught.value.hint
    assert "no route" in caught.value.why
    assert list(tmp_path.rglob("*.list")) == []


def test_an_upload_command_that_is_not_there(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "site", upload=("no-such-command-anywhere",), incoming=tmp_path / "incoming")
    with refusal(SetupError, "command-missing"):
        store.push("pages", ["a.html"])
    assert list(tmp_path.rglob("*.list")) == []


def test_nothing_to_push_runs_nothing(tmp_path: Path) -> None:
    DirectoryStore(tmp_path / "site", upload=("no-such-command-anywhere",), incoming=tmp_path / "incoming").push(
        "pages", []
    )


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../x", "a/../x", "a//b", "./a", "a/.", "a\0b"])
def test_paths_stay_below_the_root(tmp_path: Path, path: str) -> None:
    store = DirectoryStore(tmp_path / "site")
    for use in (lambda: store.write(path, [b"x"]), lambda: store.read(path), lambda: store.remove(path)):
        with refusal(SetupError, "site-path"):
            use()


def test_web_shows_a_change_after_so_many_looks() -> None:
    store = Store()
    web = Web(store, late=2)
    store.write("a", [b"one"])
    assert [web.get("a") for _ in range(4)] == [None, None, b"one", b"one"]
    store.write("a", [b"two"])
    assert [web.get("a") for _ in range(4)] == [b"one", b"one", b"two", b"two"]
    store.remove("a")
    assert [web.get("a") for _ in range(4)] == [b"two", b"two", None, None]


def test_what_is_not_there_cannot_be_pushed() -> None:
    with refusal(RemoteError, "upload-failed"):
        Store().push("files", ["a"])


def test_web_shows_what_was_pushed() -> None:
    store = Store()
    web = Web(store, pushes=True)
    store.write("a", [b"one"])
    assert web.get("a") is None
    store.push("files", ["a"])
    assert web.get("a") == b"one"
    store.write("a", [b"two"])
    assert web.get("a") == b"one"

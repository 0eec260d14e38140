"""The suite of the port Store, for every adapter there is."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tagtrail.adapters.directory import DirectoryStore
from tagtrail.testing.memory import Store, Web
from tagtrail.testing.suites import store as suite


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


def test_web_shows_a_change_after_so_many_looks() -> None:
    store = Store()
    web = Web(store, late=2)
    store.write("a", [b"one"])
    assert [web.get("a") for _ in range(4)] == [None, None, b"one", b"one"]
    store.write("a", [b"two"])
    assert [web.get("a") for _ in range(4)] == [b"one", b"one", b"two", b"two"]
    store.remove("a")
    assert [web.get("a") for _ in range(4)] == [b"two", b"two", None, None]


def test_web_shows_what_was_pushed() -> None:
    store = Store()
    web = Web(store, pushes=True)
    store.write("a", [b"one"])
    assert web.get("a") is None
    store.push("files", ["a"])
    assert web.get("a") == b"one"
    store.write("a", [b"two"])
    assert web.get("a") == b"one"

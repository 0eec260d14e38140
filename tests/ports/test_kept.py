"""The suite of the port Kept, for every adapter there is."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tagtrail.adapters.directory import DirectoryKept
from tagtrail.testing.memory import Kept
from tagtrail.testing.suites import kept as suite


def in_memory() -> suite.Case:
    one = Kept()

    def alter(sha256: str, data: bytes | None) -> None:
        if data is None:
            del one.blobs[sha256]
        else:
            one.blobs[sha256] = data

    return suite.Case(open=lambda: one, alter=alter, stored=lambda: set(one.blobs))


def on_disk(root: Path) -> suite.Case:
    def alter(sha256: str, data: bytes | None) -> None:
        path = root / sha256[:2] / sha256
        path.unlink()
        if data is not None:
            path.write_bytes(data)

    stored = partial(files, root)
    return suite.Case(open=partial(DirectoryKept, root), alter=alter, stored=stored)


def files(root: Path) -> set[str]:
    return {str(path) for path in root.rglob("*") if path.is_file()}


@pytest.fixture(params=["memory", "directory"])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> suite.Case:
    return in_memory() if request.param == "memory" else on_disk(tmp_path / "kept")


@pytest.mark.parametrize("check", suite.CHECKS)
def test_kept(check: Callable[[suite.Case], None], case: suite.Case) -> None:
    check(case)


@pytest.mark.parametrize("check", suite.PROCESS_CHECKS)
def test_kept_directory_between_processes(check: Callable[[suite.Case], None], tmp_path: Path) -> None:
    check(on_disk(tmp_path / "kept"))

"""What all tests share: the switch that rewrites golden files, and calm settings for hypothesis."""

import gc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# the same examples on every machine; to look for new ones: pytest --hypothesis-profile=explore
settings.register_profile("house", deadline=None, database=None, derandomize=True, max_examples=40)
settings.register_profile("explore", deadline=None, database=None, max_examples=2_000)
settings.load_profile("house")

Golden = Callable[[Path, bytes], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="write golden files anew instead of comparing with them")


def pytest_collection_finish() -> None:
    """Thousands of tests wait their turn, none of them garbage: nobody looks through them again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compares bytes with a golden file; with --update, writes it."""

    def compare(path: Path, data: bytes) -> None:
        if request.config.getoption("--update"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        assert path.exists(), f"no golden file {path}: run pytest --update and read what it writes"
        assert data == path.read_bytes()

    return compare

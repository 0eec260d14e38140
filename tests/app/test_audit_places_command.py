"""`tagtrail audit --places` and `--deep` on real places: the site's directory, pypiserver, an index that lies."""

from pathlib import Path

import pytest

from tests.adapters.strict_index import Index, served
from tests.app.test_index_road import FILES, published, pypiserver
from tests.app.world import Ended, World

pytestmark = pytest.mark.client
WHL, SDIST = FILES


def cells(done: Ended) -> dict[str, list[str]]:
    """Of the rows that are not as they should be; the columns are site and index."""
    (compared,) = [event for event in done.events if event["event"] == "compared"]
    return {row["name"]: row["cells"] for row in compared["rows"]}


def audited(world: World, *options: str) -> tuple[int, dict[str, list[str]]]:
    done = world.tell("audit", "--places", *options)
    return done.code, cells(done)


def test_pypiserver_and_a_directory_one_thing_wrong_at_a_time(tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    with pypiserver(shelf) as url:
        world = published(tmp_path, f'upload = "{url}"\nsimple = "{url}simple/"\n')
        assert world.tell("release", "toy", "1.0.0").code == 0
        assert audited(world) == audited(world, "--deep") == (0, {})
        site, index = world.site / "toy" / SDIST, shelf / SDIST
        good = index.read_bytes()
        site.write_bytes(b"other bytes")
        assert audited(world) == (0, {}), "the site tells no digests"
        assert audited(world, "--deep") == (7, {SDIST: ["other", "same"]})
        site.write_bytes(good)
        index.write_bytes(b"other bytes")
        assert audited(world)[0] == 7
        index.unlink()
        assert audited(world, "--deep") == (7, {SDIST: ["same", "missing"]})
        index.write_bytes(good)
        (shelf / "toy-9.tar.gz").write_bytes(b"x")
        assert audited(world, "--deep") == (7, {"toy-9.tar.gz": ["-", "extra"]})
        (shelf / "toy-9.tar.gz").unlink()
        assert audited(world, "--deep") == (0, {})
    assert audited(world, "--deep") == (5, {name: ["same", "silent"] for name in FILES})


@pytest.mark.parametrize("behind", [b"other", b"other bytes, and more of them than there should be" * 1000])
def test_other_bytes_behind_the_right_digest(behind: bytes, tmp_path: Path) -> None:
    with served(Index(login=None)) as index:
        world = published(tmp_path, f'upload = "{index.upload}"\n')
        assert world.tell("release", "toy", "1.0.0").code == 0
        assert audited(world, "--deep") == (0, {})
        index.behind[WHL] = behind
        assert audited(world) == (0, {}), "the page tells the right one"
        said = world.run("-C", str(world.home), "audit", "--places").out
        assert "  no difference seen: 2 by name alone  " in said
        assert said.endswith(
            "agrees  2 files of 1 project; of their copies 2 by name alone (--deep hashes what it can)\n"
        )
        assert audited(world, "--deep") == (7, {WHL: ["same", "other"]})


def test_a_file_that_cannot_be_fetched_is_counted(tmp_path: Path) -> None:
    with served(Index(login=None)) as index:
        world = published(tmp_path, f'upload = "{index.upload}"\n')
        assert world.tell("release", "toy", "1.0.0").code == 0
        index.behind[WHL] = b""
        done = world.tell("audit", "--places", "--deep")
        assert (done.code, cells(done)) == (0, {})
        assert done.event("outcome")["text"] == "2 files of 1 project; of their copies 1 by name alone"

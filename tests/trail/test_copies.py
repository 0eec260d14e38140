"""Real commands on a copied HOME and on a restored back-up, with one public site: the second pen is taken away."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.app.world import Ended, World

pytestmark = pytest.mark.client


@pytest.fixture
def world(tmp_path: Path) -> World:
    """An instance that shows its trail outside its HOME, with one release."""
    made = World(tmp_path).make()
    settings = made.home / "tagtrail.toml"
    text = settings.read_text()
    assert 'root = "site"' in text
    settings.write_text(text.replace('root = "site"', f'root = "{tmp_path / "public"}"'))
    release(made, made.home, "1.0.0")
    return made


def release(world: World, home: Path, version: str) -> Ended:
    world.commit(version)
    world.tag(version)
    return world.run("-C", str(home), "--json", "release", "toy", version)


def signed(home: Path) -> dict[int, str]:
    with closing(sqlite3.connect(home / "state" / "tagtrail.db")) as db:
        return dict(db.execute("SELECT size, note FROM checkpoints"))


def test_of_two_copies_of_a_home_the_second_signs_nothing(world: World, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(world.home, copy, symlinks=True)
    before = signed(copy)
    assert release(world, world.home, "1.1.0").code == 0
    shown = (tmp_path / "public" / "trail" / "checkpoint").read_bytes()
    ended = release(world, copy, "1.2.0")
    assert (ended.code, ended.event("refused")["code"]) == (6, "trail-ahead")
    assert signed(copy) == before
    assert (tmp_path / "public" / "trail" / "checkpoint").read_bytes() == shown


def test_a_restored_back_up_that_is_used_without_its_site_is_found_out(world: World, tmp_path: Path) -> None:
    """The site's directory was away, so the back-up went on; when it is back, two trees of one size meet."""
    copy, public = tmp_path / "copy", tmp_path / "public"
    shutil.copytree(world.home, copy, symlinks=True)
    shutil.copytree(public, tmp_path / "old")
    assert release(world, world.home, "1.1.0").code == 0
    public.rename(tmp_path / "away")
    (tmp_path / "old").rename(public)
    assert release(world, copy, "1.2.0").code == 0, "nobody could know yet"
    shutil.rmtree(public)
    (tmp_path / "away").rename(public)
    before = signed(copy)
    ended = release(world, copy, "1.3.0")
    assert (ended.code, ended.event("refused")["code"]) == (6, "trail-forked")
    assert signed(copy) == before

"""Finding HOME: what is named is taken; what is only found must be ours, alone and in its place."""

import os
import shutil
from pathlib import Path

import pytest

from tagtrail.app.instance.home import find_home, place_mark, spoken
from tagtrail.model.errors import SetupError


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """What `init` leaves, as far as finding it is concerned."""
    made = tmp_path / "rel"
    (made / "private").mkdir(parents=True)
    made.chmod(0o755)
    (made / "tagtrail.toml").write_text("")
    (made / "tagtrail.toml").chmod(0o644)
    (made / "private" / "place").write_text(place_mark(made))
    (made / "deep" / "er").mkdir(parents=True)
    return made


def code(given: str | None, env: dict[str, str], start: Path) -> str:
    with pytest.raises(SetupError) as caught:
        find_home(given, env=env, start=start)
    assert caught.value.hint
    return caught.value.code


def test_c_wins_over_the_environment_and_that_over_parents(home: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "tagtrail.toml").touch()
    assert find_home(str(home), env={"TAGTRAIL_HOME": str(other)}, start=other) == home
    assert find_home(None, env={"TAGTRAIL_HOME": str(home)}, start=other) == home
    assert find_home(None, env={"TAGTRAIL_HOME": ""}, start=home / "deep" / "er") == home


@pytest.mark.parametrize("where", [".", "deep", "deep/er"])
def test_the_nearest_parent(home: Path, where: str) -> None:
    assert find_home(None, env={}, start=home / where) == home


def test_none(tmp_path: Path) -> None:
    assert code(None, {}, tmp_path) == "no-home"


def test_named_but_no_instance(tmp_path: Path) -> None:
    assert code(str(tmp_path), {}, tmp_path) == "not-an-instance"
    assert code(None, {"TAGTRAIL_HOME": str(tmp_path)}, tmp_path) == "not-an-instance"


def test_an_address_comes_later(tmp_path: Path) -> None:
    assert code("https://rel.example", {}, tmp_path) == "not-from-afar"


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777])
def test_a_directory_that_others_may_write(home: Path, mode: int) -> None:
    home.chmod(mode)
    assert code(None, {}, home / "deep") == "home-not-ours"
    assert find_home(str(home), env={}, start=home) == home  # named: the operator has said so


@pytest.mark.parametrize("mode", [0o664, 0o646])
def test_settings_that_others_may_write(home: Path, mode: int) -> None:
    (home / "tagtrail.toml").chmod(mode)
    assert code(None, {}, home) == "home-not-ours"


def test_settings_behind_a_link(home: Path) -> None:
    (home / "tagtrail.toml").rename(home / "elsewhere.toml")
    (home / "tagtrail.toml").symlink_to("elsewhere.toml")
    with pytest.raises(SetupError, match="is a link") as caught:
        find_home(None, env={}, start=home)
    assert caught.value.code == "home-not-ours"


def test_a_dangling_link_is_not_passed_over(home: Path) -> None:
    (home / "deep" / "tagtrail.toml").symlink_to("nowhere")
    assert code(None, {}, home / "deep" / "er") == "home-not-ours"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("what", [".", "tagtrail.toml"])
def test_somebody_elses(home: Path, what: str) -> None:
    os.chown(home / what, 12345, -1)
    assert code(None, {}, home) == "home-not-ours"


def test_planted_in_a_tarball_or_a_checkout(home: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(home, copy)  # owner, modes and contents are right: only the place is not
    assert code(None, {}, copy / "deep") == "home-not-ours"
    assert find_home(str(copy), env={}, start=copy) == copy


def test_planted_without_a_mark(home: Path) -> None:
    (home / "private" / "place").unlink()
    assert code(None, {}, home) == "home-not-ours"


def test_moved_is_still_itself(home: Path, tmp_path: Path) -> None:
    home.rename(tmp_path / "moved")
    assert find_home(None, env={}, start=tmp_path / "moved") == tmp_path / "moved"


def test_spoken() -> None:
    assert spoken(Path("~/rel").expanduser()) == "~/rel"
    assert spoken(Path("~/my rel").expanduser()) == "~/'my rel'"
    assert spoken(Path("/srv/rel")) == "/srv/rel"
    assert spoken(Path("/srv/my rel")) == "'/srv/my rel'"
    assert spoken(Path("~").expanduser()) == str(Path("~").expanduser())

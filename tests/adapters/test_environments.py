"""How long a build environment is used: a day, thirty days, or until somebody asks for new versions."""

import base64
import hashlib
import json
import os
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from tagtrail.adapters.builder.environments import Environment, Environments
from tagtrail.model.errors import RemoteError, SetupError

pytestmark = pytest.mark.client
HOUR, DAY = 3600, 86_400
NOON = 1_775_044_800


def wheel(directory: Path, name: str, version: str, requires: str = "") -> None:
    """A package of one module, where the installer finds it."""
    info = f"{name}-{version}.dist-info"
    needs = f"Requires-Dist: {requires}\n" if requires else ""
    files = {
        f"{name}.py": f"version = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    sums = {path: base64.urlsafe_b64encode(hashlib.sha256(t.encode()).digest()) for path, t in files.items()}
    lines = [f"{path},sha256={said.rstrip(b'=').decode()},{len(files[path])}" for path, said in sums.items()]
    files[f"{info}/RECORD"] = "\n".join([*lines, f"{info}/RECORD,,", ""])
    with zipfile.ZipFile(directory / f"{name}-{version}-py3-none-any.whl", "w") as packed:
        for path, text in files.items():
            packed.writestr(path, text)


class Shelf:
    """A directory of packages in the place of an index, and environments made from it at some time of day."""

    def __init__(self, root: Path) -> None:
        self.root, self.links = root, root / "links"
        self.links.mkdir()
        wheel(self.links, "tool", "1.0")

    def take(self, now: int, *, refresh: bool = False, pins: Iterable[str] = (), asks: str = "tool") -> Environment:
        return self.at(now, refresh=refresh, pins=pins)([asks], "none")

    def at(self, now: int, *, refresh: bool = False, pins: Iterable[str] = ()) -> Environments:
        environ = {"PATH": os.environ["PATH"], "HOME": str(self.root), "UV_NO_CACHE": "1", "UV_OFFLINE": "1"}
        environ |= {"UV_FIND_LINKS": str(self.links), "UV_INDEX_URL": "http://127.0.0.1:9/simple"}
        return Environments(
            self.root / "envs", self.root / "scratch", environ, pins=tuple(pins), clock=lambda: now, refresh=refresh
        )

    def kept(self) -> set[str]:
        return {path.name for path in (self.root / "envs").iterdir() if path.is_dir()}


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def version(environment: Environment) -> str:
    (path,) = environment.path.glob("lib/python*/site-packages/tool.py")
    return path.read_text().split("'")[1]


def test_within_a_day_the_versions_stay(shelf: Shelf) -> None:
    first = shelf.take(NOON)
    wheel(shelf.links, "tool", "2.0")
    assert shelf.take(NOON + DAY - 1) == first
    assert (version(first), first.resolved) == ("1.0", NOON)


@pytest.mark.parametrize(("later", "refresh"), [(DAY, False), (HOUR, True)], ids=["a-day", "refresh"])
def test_after_a_day_or_when_asked_they_are_looked_for(shelf: Shelf, later: int, refresh: bool) -> None:
    first = shelf.take(NOON)
    wheel(shelf.links, "tool", "2.0")
    second = shelf.take(NOON + later, refresh=refresh)
    assert (version(second), second.resolved) == ("2.0", NOON + later)
    # what was built in the first can be built in it again
    assert version(first) == "1.0"
    assert shelf.take(NOON + later + 1) == second


def test_the_same_versions_are_the_same_environment(shelf: Shelf) -> None:
    first = shelf.take(NOON)
    made = first.path.lstat().st_ino
    second = shelf.take(NOON + DAY)
    assert (second.path, second.resolved) == (first.path, NOON + DAY)
    assert second.path.lstat().st_ino == made
    assert len(shelf.kept()) == 1


def test_what_a_requirement_requires_counts(shelf: Shelf) -> None:
    wheel(shelf.links, "more", "1.0", requires="tool")
    first = shelf.take(NOON, asks="more")
    wheel(shelf.links, "tool", "2.0")
    assert version(shelf.take(NOON + DAY, asks="more")) == "2.0"
    assert version(first) == "1.0"


def test_who_refreshes_looks_once(shelf: Shelf) -> None:
    """One build asks several times: sdist and wheel are made with the same."""
    environments = shelf.at(NOON, refresh=True)
    first = environments(["tool"], "none")
    wheel(shelf.links, "tool", "2.0")
    assert environments(["tool"], "none") == first


def test_another_set_that_comes_to_the_same_is_another_environment(shelf: Shelf) -> None:
    """What a requirement does to its environment while it is installed, no other set of requirements meets."""
    assert shelf.take(NOON, asks="tool").path != shelf.take(NOON, asks="tool>=1").path


def test_pins_hold_and_do_not_age(shelf: Shelf) -> None:
    wheel(shelf.links, "tool", "2.0")
    pinned = shelf.take(NOON, pins=["tool==1.0"])
    assert version(pinned) == "1.0"
    wheel(shelf.links, "tool", "1.0.post1")
    assert shelf.take(NOON + 2 * DAY, pins=["tool==1.0"]) == pinned
    assert version(shelf.take(NOON)) == "2.0"


def gone(shelf: Shelf, *pins: str, asks: str = "tool") -> SetupError:
    """The index answers, and does not have it."""
    (shelf.root / "uv.toml").write_text("no-index = true\n")
    environ = {"PATH": os.environ["PATH"], "HOME": str(shelf.root), "UV_NO_CACHE": "1"}
    environ |= {"UV_FIND_LINKS": str(shelf.links), "UV_CONFIG_FILE": str(shelf.root / "uv.toml")}
    with pytest.raises(SetupError) as caught:
        Environments(shelf.root / "e", shelf.root / "scratch", environ, pins=pins, clock=lambda: NOON)([asks], "none")
    assert caught.value.code == "requirements-gone"
    return caught.value


@pytest.mark.parametrize(
    ("pins", "asks", "named"),
    [
        (("tool==0.9", "other==1.0"), "tool", "tool==0.9"),
        (("tool==0.9",), "more", "tool==0.9"),
        (("Lost_One==1.0", "tool==1.0"), "lost-one", "lost-one==1.0"),
    ],
    ids=["asked-for", "required-in-turn", "all-versions"],
)
def test_a_recorded_version_that_is_gone_is_named(shelf: Shelf, pins: tuple[str, ...], asks: str, named: str) -> None:
    wheel(shelf.links, "more", "1.0", requires="tool")
    refusal = gone(shelf, *pins, asks=asks)
    assert refusal.what == f"recorded versions of build requirements cannot be installed any more: {named}"
    assert "pyproject.toml" not in refusal.hint


def test_what_is_not_recorded_is_not_blamed_on_a_record(shelf: Shelf) -> None:
    refusal = gone(shelf, "tool==1.0", asks="nowhere")
    assert refusal.what == "the build requirements nowhere cannot be met with the versions that were recorded"


def test_a_clock_that_was_wrong_ages_nothing_for_ever(shelf: Shelf) -> None:
    shelf.take(NOON + 400 * DAY)
    wheel(shelf.links, "tool", "2.0")
    assert version(shelf.take(NOON)) == "2.0"


@pytest.mark.parametrize(
    "text", ["", "nonsense", "[]", "{}", '{"environment": "x"}', '{"environment": "", "resolved": "x"}']
)
def test_what_is_remembered_can_be_spoilt(shelf: Shelf, text: str) -> None:
    first = shelf.take(NOON)
    (memory,) = (shelf.root / "envs").glob("*.json")
    memory.write_text(text)
    assert shelf.take(NOON + HOUR).path == first.path
    assert json.loads(memory.read_text())["resolved"] == NOON + HOUR


def test_an_environment_that_was_thrown_away_is_made_again(shelf: Shelf) -> None:
    first = shelf.take(NOON)
    first.path.rename(shelf.root / "gone")
    assert shelf.take(NOON + HOUR).path == first.path
    assert version(first) == "1.0"


def test_nothing_is_remembered_of_what_cannot_be_had(shelf: Shelf) -> None:
    first = shelf.take(NOON)
    (shelf.links / "tool-1.0-py3-none-any.whl").unlink()
    with pytest.raises(RemoteError) as caught:
        shelf.take(NOON + DAY)
    assert caught.value.code == "requirements-unreachable"
    assert shelf.take(NOON + HOUR) == first


def test_what_nobody_used_for_thirty_days_goes(shelf: Shelf) -> None:
    first = shelf.take(NOON)
    used = shelf.take(NOON, asks="tool>=1")
    wheel(shelf.links, "tool", "2.0")
    shelf.at(NOON + 20 * DAY, pins=["tool==1.0"])(["tool>=1"], "none")
    os.utime(used.path, (NOON + 20 * DAY, NOON + 20 * DAY))
    second = shelf.take(NOON + 29 * DAY)
    assert {first.path.name, used.path.name, second.path.name} <= shelf.kept()
    shelf.take(NOON + 31 * DAY, asks="tool<3")
    assert first.path.name not in shelf.kept()
    assert {used.path.name, second.path.name} <= shelf.kept()
    assert not list((shelf.root / "scratch").iterdir())

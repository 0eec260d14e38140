"""The target of two commands: the suite over a small uploader, every exit code, and what a command can see."""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

import pytest

from tagtrail.adapters.command import Command
from tagtrail.model.errors import RemoteError, SetupError
from tagtrail.model.facts import Effect, Receipt, Skip
from tagtrail.ports import Conflict, Refused, Unknown
from tagtrail.testing.suites import target as suite
from tagtrail.testing.suites.promise import refusal
from tests.adapters.trackers.ground import PAGE, SITE, WHY, Drive, Ground

FIND = """#!/bin/sh
[ -e "there/$1" ] || exit 1
sha256sum "there/$1" | cut -c1-64
echo "https://files.example.org/$1"
"""
APPLY = """#!/bin/sh
[ ! -e "there/$2" ] || cmp -s "$1" "there/$2" || { echo "$2 is taken" >&2; exit 73; }
cp "$1" "there/$2" && echo "https://files.example.org/$2"
"""


@dataclass
class Place:
    home: Path
    ground: Ground = field(default_factory=Ground)

    def __post_init__(self) -> None:
        (self.home / "there").mkdir()
        self.script("find", FIND)
        self.script("apply", APPLY)

    def script(self, name: str, text: str) -> None:
        path = self.home / name
        path.write_text(text if text.startswith("#!") else f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def target(self, **changes: object) -> Command:
        target = Command(
            name="upload",
            retry="searchable",
            finding=("./find", "{name}"),
            applying=("./apply", "{file}", "{name}"),
            limit=5,
            env=lambda: ({"PATH": os.environ["PATH"], "TOKEN": "hush-hush"}, ("hush-hush",)),
            home=self.home,
            rooms=self.home / "rooms",
            site=SITE,
            kept=self.ground.kept,
            entry=self.ground.entry,
        )
        return replace(target, **changes)  # type: ignore[arg-type]

    def effect(self) -> Effect:
        effect = self.target().plan(self.ground.logged, None)[0]
        assert isinstance(effect, Effect)
        return effect

    def applied(self, script: str, *words: str, **changes: object) -> Receipt:
        self.script("apply", script)
        return self.target(applying=("./apply", *words), **changes).apply(self.effect())

    def found(self, script: str, **changes: object) -> Receipt | None:
        self.script("find", script)
        return self.target(finding=("./find",), **changes).find(self.effect())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.mark.parametrize("check", suite.CHECKS)
def test_suite(check: Callable[[suite.Case], None], place: Place) -> None:
    def intrude(effect: Effect) -> None:
        (place.home / "there" / effect.path.rpartition("/")[2]).write_bytes(b"other bytes")

    ground = place.ground
    case = suite.Case(target=place.target(), logged=ground.logged, later=ground.later)
    check(replace(case, intrude=intrude, alter=ground.alter))


@pytest.mark.parametrize("check", suite.CHECKS)
def test_suite_of_a_blind_one(check: Callable[[suite.Case], None], place: Place) -> None:
    target = place.target(retry="blind", finding=())
    check(suite.Case(target=target, logged=place.ground.logged, later=place.ground.later))


def test_the_driver_brings_every_file_there(place: Place) -> None:
    assert Drive(place.ground, place.target()).to_the_end() == 0
    there = {path.name: sha256(path.read_bytes()).hexdigest() for path in (place.home / "there").iterdir()}
    assert there == {name: place.ground.digests[name] for name in there}
    assert set(there) == {file.name for file in place.ground.logged.entry.files}
    assert [*(place.home / "rooms").iterdir()] == [], "copies are gone"


# --- exit codes -----------------------------------------------------------------------------------------------------


def test_what_apply_says(place: Place) -> None:
    assert place.applied("echo https://x.example/1; echo more").where == "https://x.example/1"
    assert place.applied(":").where == "upload: nova/1.0.0/nova-1.0.0-py3-none-any.whl"


@pytest.mark.parametrize(
    ("script", "after"),
    [("exit 75", 300), ("echo 20; exit 75", 20), ("echo 0; exit 75", 1), ("echo soon; exit 75", 300),
     ("echo 999999; exit 75", 86_400), ("echo -5; exit 75", 300)],
)  # fmt: skip
def test_not_now(script: str, after: int, place: Place) -> None:
    with pytest.raises(Refused) as refused:
        place.applied(script)
    assert refused.value.after == after


def test_other_bytes(place: Place) -> None:
    with pytest.raises(Conflict, match="it is mine"):
        place.applied("echo it is mine >&2; exit 73")


@pytest.mark.parametrize("script", ["exit 1", "exit 2", "exit 127", "kill -9 $$"])
def test_nobody_knows(script: str, place: Place) -> None:
    with pytest.raises(Unknown):
        place.applied(script)


def test_too_slow_is_dead_and_nobody_knows(place: Place) -> None:
    with pytest.raises(Unknown, match="takes too long"):
        place.applied("sleep 60 & echo $! > child; wait", limit=0.3)
    child = Path(f"/proc/{(place.home / 'child').read_text().strip()}")
    assert not child.exists() or "Z" in (child / "stat").read_text().split()[2]


@pytest.mark.parametrize(
    "script",
    ["exit 2", "exit 75", "echo; exit 0", "echo nothing", "echo ABCDEF", "kill -9 $$", "printf 'ab%.0s' $(seq 33)"],
)
def test_could_not_look(script: str, place: Place) -> None:
    with refusal(RemoteError, "command-find"):
        place.found(script)


def test_looking_too_long_is_no_look(place: Place) -> None:
    with refusal(RemoteError, "command-find"):
        place.found("trap 'exit 1' TERM; sleep 60", limit=0.3)


def test_there_and_not_there(place: Place) -> None:
    assert place.found("exit 1") is None
    found = place.found(f"echo {'a' * 64}")
    assert found is not None
    assert found.sha256 == "a" * 64


def test_a_program_that_is_not_there(place: Place) -> None:
    with refusal(SetupError, "command-missing"):
        place.target(applying=("./none",)).apply(place.effect())


# --- what a command sees --------------------------------------------------------------------------------------------


def test_words_stand_for_what_they_say(place: Place) -> None:
    words = ["{name}", "{sha256}", "{size}", "{project}", "{version}", "{tag}", "{url}", "a{name}b", "{other}", "$(id)"]
    place.applied('for word; do echo "$word"; done > words', *words)
    effect, name = place.effect(), "nova-1.0.0-py3-none-any.whl"
    said = [
        name,
        effect.blob.sha256,
        str(effect.blob.size),
        "nova",
        "1.0.0",
        "1.0.0",
        PAGE,
        f"a{name}b",
        "{other}",
        "$(id)",
    ]
    assert (place.home / "words").read_text().splitlines() == said


def test_copies_are_private_and_checked(place: Place) -> None:
    place.applied(
        'stat -c %a "$1" "$2" $(dirname "$1") > modes; cp "$1" file; cp "$2" signature', "{file}", "{signature}"
    )
    assert (place.home / "modes").read_text().split() == ["600", "600", "700"]
    digests = {name: sha256((place.home / name).read_bytes()).hexdigest() for name in ("file", "signature")}
    ours = place.ground.digests
    assert digests == {
        "file": ours["nova-1.0.0-py3-none-any.whl"],
        "signature": ours["nova-1.0.0-py3-none-any.whl.asc"],
    }


def test_the_environment_is_what_is_named(place: Place) -> None:
    place.applied("env > environment")
    names = {line.partition("=")[0] for line in (place.home / "environment").read_text().splitlines()}
    assert names - {"PWD", "SHLVL", "_", "OLDPWD"} == {"PATH", "TOKEN"}


def test_a_secret_is_not_repeated(place: Place) -> None:
    with pytest.raises(Unknown) as unknown:
        place.applied('echo "no entry with $TOKEN" >&2; exit 9')
    assert "no entry with ***" in str(unknown.value)


def test_the_page_alone(place: Place) -> None:
    target = place.target(files=False, finding=("./find",), applying=("./apply", "{url}"))
    place.script("find", f"[ -e url ] && echo {sha256(PAGE.encode()).hexdigest()}")
    place.script("apply", 'echo "$1" > url')
    assert Drive(place.ground, target).to_the_end() == 0
    assert (place.home / "url").read_text().strip() == PAGE


def test_scratch_is_ours_alone(place: Place) -> None:
    place.applied("ls -d rooms/tmp-* > rooms.txt; stat -c %a rooms/tmp-* >> rooms.txt", "{file}")
    assert stat.S_IMODE(0o40700) == int((place.home / "rooms.txt").read_text().split()[-1], 8)


# --- taken back -----------------------------------------------------------------------------------------------------

LOOK = '[ -e "there/$1.gone" ]'
MARK = 'echo "$2" > "there/$1.gone"'


def test_a_withdrawal_is_marked_and_looked_at(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.script("look", LOOK)
    place.script("mark", MARK)
    target = place.target(withdrawn=("./look", "{version}"), withdrawing=("./mark", "{version}", "{reason}"))
    assert Drive(place.ground, target, logged=place.ground.withdrawal).to_the_end() == 0
    assert (tmp_path / "there" / "1.0.0.gone").read_text() == f"{WHY}\n"
    (tmp_path / "mark").unlink()
    assert Drive(place.ground, target, logged=place.ground.withdrawal).to_the_end() == 0, "it is seen"


def test_a_withdrawal_that_no_command_does_is_for_a_person(tmp_path: Path) -> None:
    place = Place(tmp_path)
    (item,) = place.target().plan(place.ground.withdrawal, None)
    assert isinstance(item, Skip)
    assert (item.what, "by hand" in item.because) == ("nova 1.0.0", True)

"""The target of two commands: the suite over a small uploader, every exit code, and what a command can see."""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

import pytest

from tagtrail.adapters.command import Command
from tagtrail.formats.notice import MEDIA, notice_blob, notice_bytes, parse_notice
from tagtrail.model.errors import RemoteError, SetupError, TamperError
from tagtrail.model.facts import Effect, Logged, Receipt, Row, Skip
from tagtrail.model.notice import Notice
from tagtrail.ports import Conflict, Refused, Unknown
from tagtrail.testing import samples
from tagtrail.testing.memory import Journal
from tagtrail.testing.suites import target as suite
from tagtrail.testing.suites.promise import refusal
from tagtrail.workflows.carry import drive
from tests.adapters.trackers.ground import PAGE, SITE, WHY, Drive, Ground
from tests.io.processes import alive

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


@pytest.mark.slow
def test_too_slow_is_dead_and_nobody_knows(place: Place) -> None:
    with pytest.raises(Unknown, match="takes too long"):
        place.applied("sleep 60 & echo $! > child; wait", limit=2.0)
    assert not alive(int((place.home / "child").read_text()))


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


# --- people are told ------------------------------------------------------------------------------------------------

TOLD = ("./tell", "{event}", "{subject}", "{file}", "{notice}")
TELL = 'echo "$1: $2" >> said; cat "$3" > text; cat "$4" > notice\n'


def told(place: Place, logged: Logged, **changes: object) -> Notice:
    notice = replace(samples.notice(logged.entry), **changes)  # type: ignore[arg-type]
    place.ground.kept.put([notice_bytes(notice)], MEDIA)
    return notice


def tell(place: Place, logged: Logged, notice: Notice, **changes: object) -> Row:
    place.script("tell", TELL)
    target = place.target(**{"finding": (), "applying": TOLD, "retry": "blind", **changes})
    (row,) = drive(
        logged, target, Journal(), notice=notice, ours=True, clock=lambda: 10_000, tell=lambda *_: None
    )  # fmt: skip
    return row


def test_under_announce_it_gets_the_notice_and_not_the_files(place: Place) -> None:
    notice = told(place, place.ground.logged)
    row = tell(place, place.ground.logged, notice)
    assert (row.state, row.effect.key) == ("seen", "3/notice:3")
    assert (place.home / "said").read_text() == f"{notice.event}: {notice.subject}\n"
    assert (place.home / "text").read_text() == notice.text
    assert parse_notice((place.home / "notice").read_bytes()) == notice
    assert [*(place.home / "rooms").iterdir()] == [], "copies are gone"


def test_every_word_of_a_notice(place: Place) -> None:
    notice = told(place, place.ground.logged)
    place.script("say", 'for word; do echo "$word"; done > words')
    words = ("{short}", "{url}", "{project} {version} {tag}", "{name} {sha256} {size}", "{signature}|{reason}|{other}")
    tell(place, place.ground.logged, notice, applying=("./say", *words))
    blob = notice_blob(notice)
    assert (place.home / "words").read_text().splitlines() == [
        notice.short, notice.url, "nova 1.0.0 1.0.0", f"notice.txt {blob.sha256} {blob.size}", "||{other}",
    ]  # fmt: skip


def test_of_several_releases_at_once_no_one_is_named(place: Place) -> None:
    several = {"entries": (3, 7), "key": "together-7", "event": "digest", "project": "", "version": ""}
    notice = told(place, place.ground.later, **several)
    place.script("say", 'echo "$1" > words')
    tell(place, place.ground.later, notice, applying=("./say", "{event}:{project}:{version}:{tag}:{reason}"))
    assert (place.home / "words").read_text() == "digest::::\n"


@pytest.mark.parametrize(("look", "state"), [("exit 0", "seen"), ("exit 1", "sent"), ("exit 2", "none")])
def test_a_look_says_whether_people_were_told(look: str, state: str, place: Place) -> None:
    place.script("look", look)
    notice = told(place, place.ground.logged)
    row = tell(place, place.ground.logged, notice, finding=("./look", "{short}"), retry="searchable")
    assert row.state == state
    assert (place.home / "said").exists() == (look == "exit 1")


@pytest.mark.parametrize("word", ["{subject}", "{short}", "{event}", "{file}", "{notice}"])
def test_a_withdrawal_is_told_by_who_can_say_that_it_is_one(word: str, place: Place) -> None:
    notice = told(place, place.ground.withdrawal, event="withdraw", key="9", entries=(9,))
    (effect,) = place.target(applying=("./tell", word)).plan(place.ground.withdrawal, notice)
    assert isinstance(effect, Effect)
    (skip,) = place.target(applying=("./tell", "{project} {version} is out: {url}")).plan(
        place.ground.withdrawal, notice
    )
    assert isinstance(skip, Skip)
    assert "say {subject} or {file} in it" in skip.because


@pytest.mark.parametrize("event", ["release", "withdraw"])
def test_a_withdrawal_has_words_of_its_own_where_the_settings_say_some(event: str, place: Place) -> None:
    logged = place.ground.withdrawal if event == "withdraw" else place.ground.logged
    notice = told(place, logged, event=event, key=str(logged.entry.index), entries=(logged.entry.index,))
    place.script("gone", 'echo "$1" > reason')
    tell(place, logged, notice, withdrawing=("./gone", "{reason}"))
    wrote = {name for name in ("reason", "said") if (place.home / name).exists()}
    assert wrote == ({"reason"} if event == "withdraw" else {"said"})
    assert event == "release" or (place.home / "reason").read_text() == f"{WHY}\n"


def test_a_word_to_the_team_is_of_no_entry(place: Place) -> None:
    notice = told(place, place.ground.logged, key="watch/nova/1.1.0/..a", event="alarm", entries=(), url="")
    effect = Effect(target="upload", key=f"notice:{notice.key}", entry=-2, path="x", blob=notice_blob(notice))
    place.script("tell", TELL)
    place.target(applying=TOLD).apply(effect)
    assert (place.home / "said").read_text() == f"alarm: {notice.subject}\n"
    assert (place.home / "text").read_text() == notice.text


def test_an_altered_notice_is_told_to_nobody(place: Place) -> None:
    notice = told(place, place.ground.logged)
    place.ground.alter(notice_blob(notice).sha256)
    with refusal(TamperError, "kept-altered"):
        tell(place, place.ground.logged, notice)
    assert not (place.home / "said").exists()

"""`tagtrail withdraw`, `settle`, `status` and `resume --quiet` as people and timers use them, on a real instance."""

import json
from pathlib import Path

import pytest

from tests.app.test_approve_command import Team
from tests.app.world import World

pytestmark = pytest.mark.client

WHY = "loses data on upgrade"
BUSY = """[targets.mirror]
type = "command"
find = ["sh", "-c", "cat there 2>/dev/null || exit 1"]
apply = ["sh", "-c", "cat answer >&2; exit 75"]

[targets.blind]
type = "command"
apply = ["sh", "-c", "exit 9"]

"""


def released(root: Path, *places: str) -> World:
    world = World(root).make(targets=BUSY)
    settings = world.home / "tagtrail.toml"
    named = ", ".join(f'"{name}"' for name in ("site", *places))
    settings.write_text(settings.read_text().replace("[project.toy]\n", f"[project.toy]\npublish = [{named}]\n"))
    (world.home / "answer").write_text("busy")
    world.tag("1.0.0")
    world.tell("release", "toy", "1.0.0")
    return world


def test_it_is_withdrawn_and_everybody_is_told(tmp_path: Path) -> None:
    world = released(tmp_path)
    sdist, head = str(world.site / "toy" / "toy-1.0.0.tar.gz"), str(world.site / "trail" / "checkpoint")
    before = world.tell("verify", sdist, "--checkpoint", head).event("verified")
    assert {"withdrawn", "withdrawals-unchecked"}.isdisjoint(before["doubts"])
    done = world.tell("withdraw", "toy", "1.0", "--reason", WHY)
    assert (done.code, done.event("outcome")["state"]) == (0, "withdrawn")
    after = world.tell("verify", sdist, "--checkpoint", head)
    assert (after.code, "withdrawn" in after.event("verified")["doubts"]) == (0, True)
    assert f"withdrawn in entry 2: {WHY}" in world.run("-C", str(world.home), "verify", sdist, "--checkpoint", head).out
    shown = json.loads((world.site / "simple" / "toy" / "index.json").read_text())
    assert {file["yanked"] for file in shown["files"]} == {WHY}
    assert f'data-yanked="{WHY}"' in (world.site / "simple" / "toy" / "index.html").read_text()
    for command in (("audit",), ("render", "--check"), ("status",), ("resume",)):
        assert world.tell(*command).code == 0, command
    world.lose_journal()
    lost = [event["text"] for event in world.tell("status").events if event["event"] == "status"]
    nobody = "and nobody remembers how far it came"
    assert lost == [
        f"logged (entry 1), {nobody}, withdrawn in entry 2: {WHY}",
        f"withdrawn (entry 2), {nobody}",
    ]
    assert world.tell("resume").code == 0
    again = world.tell("withdraw", "toy", "1.0.0", "--reason", "once more")
    assert (again.code, again.event("already")["what"]) == (0, f"withdrawn: {WHY}")
    refused = world.tell("release", "toy", "1.0.0")
    assert (refused.code, refused.event("refused")["code"]) == (3, "version-withdrawn")
    assert len(world.leaves()) == 3


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (("toy", "2.0", "--reason", "x"), 3, "version-unknown"),
        (("nothere", "1.0", "--reason", "x"), 2, "project-unknown"),
        (("toy", "1.0.0", "--reason", "ask jo@example.org"), 2, "reason"),
    ],
)
def test_what_is_refused_changes_nothing(words: tuple[str, ...], code: int, reason: str, tmp_path: Path) -> None:
    world = released(tmp_path)
    done = world.tell("withdraw", *words)
    assert (done.code, done.event("refused")["code"]) == (code, reason)
    assert len(world.leaves()) == 2


def test_people_approve_a_withdrawal_as_they_do_a_release(tmp_path: Path) -> None:
    team = Team(tmp_path).begin(need=1)
    team.tell("release", "toy", "1.0.0")
    assert team.tell("approve", "toy", "1.0.0", "--key", str(team.bob)).code == 0
    assert team.tell("release", "toy", "1.0.0").code == 0
    waits = team.tell("withdraw", "toy", "1.0.0", "--reason", WHY)
    assert (waits.code, waits.event("outcome")["state"]) == (4, "waiting")
    assert f"\nwithdraw {WHY}\n" in waits.event("approval")["text"]
    status = team.tell("status")
    assert (status.code, "approve toy 1.0.0" in status.event("outcome")["next"]) == (4, True)
    assert len(team.leaves()) == 2
    given = team.tell("approve", "toy", "1.0.0", "--key", str(team.bob))
    assert (given.code, given.event("outcome")["next"].endswith(" resume")) == (0, True)
    assert team.tell("resume").code == 0
    assert [leaf["predicate"]["tagtrail"]["event"] for leaf in team.leaves()][-1] == "withdraw"
    assert team.tell("audit").code == 0


def test_two_in_the_morning(tmp_path: Path) -> None:
    world = released(tmp_path, "mirror", "blind")
    said = world.tell("status")
    status, places = said.event("status"), {t["target"]: t for t in said.event("status")["targets"]}
    assert (said.code, status["burned"], "not burned: safe to run again" in status["text"]) == (5, False, True)
    assert (places["mirror"]["state"], places["mirror"]["why"]) == ("refused", "apply says not now: busy")
    assert places["mirror"]["due"] > status["now"] >= places["mirror"]["since"]
    assert (places["blind"]["state"], places["blind"]["seen"], places["blind"]["of"]) == ("held", 0, 2)
    assert [line.split(" ", 3)[3] for line in said.event("outcome")["next"].split("\n")] == [
        'settle blind toy 1.0.0 --done|--again|--drop --because "..."',
        "resume",
    ]
    words = world.run("-C", str(world.home), "status").out
    assert all(len(line) <= 80 for line in words.split("\n") if not line.startswith(("next", "     ")))
    settings = (world.home / "tagtrail.toml").read_text()
    gone = settings.replace(BUSY, "").replace(', "mirror", "blind"', "")
    (world.home / "tagtrail.toml").write_text(gone)
    said = world.tell("status")
    assert (said.code, said.event("outcome")["next"].count("\n")) == (5, 1)
    for line, place in zip(said.event("outcome")["next"].split("\n"), ("mirror", "blind"), strict=True):
        assert line.endswith(f' settle {place} toy 1.0.0 --drop --because "..."')
        assert world.tell("settle", place, "toy", "1.0.0", "--drop", "--because", "it is no more").code == 0
    assert world.tell("status").code == 0


def test_a_burned_version_names_the_one_to_use(tmp_path: Path) -> None:
    world = World(tmp_path).make(targets=BUSY)
    settings = world.home / "tagtrail.toml"
    named = settings.read_text().replace("[project.toy]\n", '[project.toy]\npublish = ["site", "mirror"]\n')
    settings.write_text(named)
    (world.home / "there").write_text("0" * 64)
    world.tag("1.0.0")
    done = world.tell("release", "toy", "1.0.0")
    assert done.code == 6
    assert 'withdraw toy 1.0.0 --reason "..." and tag 1.0.1' in done.event("outcome")["next"]
    status = world.tell("status")
    assert status.code == 6
    assert status.event("status")["text"].endswith("burned: other bytes at mirror; use 1.0.1")
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "toy-1.0.1.tar.gz").write_bytes(b"released by hand meanwhile")
    assert world.tell("adopt", "toy", "--from", str(tmp_path / "old")).code == 0
    assert world.tell("status").event("status")["text"].endswith("burned: other bytes at mirror; use 1.0.2")
    assert world.tell("release", "toy", "1.0.0").event("outcome")["next"].endswith(" and tag 1.0.2")
    assert world.tell("settle", "mirror", "--drop", "--because", "x").event("refused")["code"] == "settle-state"
    assert world.tell("withdraw", "toy", "1.0.0", "--reason", WHY).code == 0
    assert world.tell("status").code == 0


def test_a_timer_is_told_of_a_trouble_once(tmp_path: Path) -> None:
    world = released(tmp_path, "mirror")
    quiet = ("-C", str(world.home), "resume", "--quiet")
    first, again = world.run(*quiet), world.run(*quiet)
    assert (first.code, "mirror does not show the rest yet" in first.out) == (5, True)
    assert (again.code, again.out, again.err) == (5, "", "")
    assert world.tell("settle", "mirror", "--drop", "--because", "it is down").code == 0
    done = world.run(*quiet)
    assert (done.code, done.out, done.err) == (0, "", "")

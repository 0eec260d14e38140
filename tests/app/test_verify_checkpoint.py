"""`tagtrail verify --checkpoint`: a log that is frozen, cut back or forked is caught, by proofs and by memory."""

import fcntl
import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tagtrail.app.commands import verify
from tagtrail.app.consumer.heads import Memory
from tagtrail.formats import note
from tagtrail.model.errors import Error, SetupError
from tests.app.desk import Said, lay, lay_root, said
from tests.app.shelf import alone, lay_log, lay_site, served
from tests.verify.workshop import NAME, ORIGIN, Workshop, log_key, witness_key

W1 = witness_key("w1")
SHOP = Workshop()
GROWN = Workshop(size=20)
FORKED = Workshop(entry_time=SHOP.entry_time - 1)
"""The same log with another entry 7."""


@pytest.fixture(autouse=True)
def desk(tmp_path):
    with alone(tmp_path):
        yield


@pytest.fixture
def root(tmp_path) -> Path:
    return lay_root(tmp_path / "root.json")


def memory() -> Memory:
    return Memory.standard(ORIGIN)


def look(tmp_path: Path, shop: Workshop, *words: object, tiles: bool = True) -> Said:
    """Look at the shop's checkpoint; `tiles` says whether its tree lies beside it."""
    at = lay_log(tmp_path / f"log-{shop.size}-{shop.entry_time}-{tiles}", shop)
    if not tiles:
        alone_at = tmp_path / f"alone-{shop.size}-{shop.entry_time}" / "checkpoint"
        alone_at.parent.mkdir(exist_ok=True)
        at = at.rename(alone_at)
    return said(verify, "--checkpoint", at, "--root", lay_root(tmp_path / "r.json", shop), *words)


def refused(tmp_path: Path, shop: Workshop, *words: object, tiles: bool = True) -> Error:
    with pytest.raises(Error) as caught:
        look(tmp_path, shop, *words, tiles=tiles)
    assert caught.value.what.isprintable()
    return caught.value


# Alone


def test_a_checkpoint_is_looked_at_and_remembered(tmp_path):
    result = look(tmp_path, SHOP)
    (event,) = result.events
    assert (result.code, event["event"], event["origin"], event["size"]) == (0, "checkpoint", ORIGIN, 13)
    assert (event["fresh"], event["contains"], event["doubts"]) == (None, [], ["age-unknown"])
    assert memory().remembered() == {13: SHOP.proof().checkpoint}


def test_a_log_grows(tmp_path):
    look(tmp_path, SHOP)
    (event,) = look(tmp_path, GROWN).events
    assert event["contains"] == [13]
    assert [*memory().remembered()] == [20]
    assert look(tmp_path, GROWN).events[0]["contains"] == [20]


def test_growth_that_cannot_be_proven_is_said_and_what_was_seen_stays(tmp_path):
    look(tmp_path, SHOP, tiles=False)
    (event,) = look(tmp_path, GROWN, tiles=False).events
    assert (event["contains"], event["doubts"]) == ([], ["age-unknown", "consistency-unchecked"])
    assert [*sorted(memory().remembered())] == [13, 20]
    assert look(tmp_path, GROWN).events[0]["contains"] == [13, 20]
    assert [*memory().remembered()] == [20]


@pytest.mark.parametrize("tiles", [True, False])
def test_a_smaller_checkpoint_is_a_rollback(tmp_path, tiles):
    look(tmp_path, GROWN)
    error = refused(tmp_path, SHOP, tiles=tiles)
    assert (error.code, error.hint) == ("checkpoint-rollback", f"what was seen before: {memory().directory}/20")
    assert [*memory().remembered()] == [20]


@pytest.mark.parametrize("tiles", [True, False])
def test_two_trees_of_one_size_are_a_split_view_and_both_are_kept(tmp_path, tiles):
    look(tmp_path, SHOP)
    error = refused(tmp_path, FORKED, tiles=tiles)
    assert error.code == "split-view"
    kept = sorted((memory().directory / "evidence").iterdir())
    assert all(str(path) in error.hint for path in kept)
    assert {path.read_bytes() for path in kept} == {SHOP.proof().checkpoint, FORKED.proof().checkpoint}
    assert memory().remembered() == {13: SHOP.proof().checkpoint}


def test_a_longer_fork_is_caught_by_its_tiles(tmp_path):
    look(tmp_path, SHOP)
    error = refused(tmp_path, replace(FORKED, size=20))
    assert error.code == "consistency-old-root"
    assert len([*(memory().directory / "evidence").iterdir()]) == 2
    assert [*memory().remembered()] == [13]


def test_a_changed_tile_is_no_missing_tile(tmp_path):
    look(tmp_path, SHOP)
    at = lay_log(tmp_path / "log", GROWN)
    (tile,) = (tmp_path / "log" / "tile" / "0").rglob("20")
    tile.write_bytes(bytes(20 * 32))
    with pytest.raises(Error) as caught:
        said(verify, "--checkpoint", at, "--root", lay_root(tmp_path / "r.json"))
    assert caught.value.code == "tile-root"


def test_a_checkpoint_of_no_trusted_log_is_refused_and_not_remembered(tmp_path):
    at = lay_log(tmp_path / "log", SHOP)
    with pytest.raises(Error) as caught:
        said(verify, "--checkpoint", at)
    assert caught.value.code == "unpinned"
    assert not memory().directory.exists()


# Age


def test_an_age_needs_witnesses(tmp_path):
    assert refused(tmp_path, SHOP, "--max-age", "1d").code == "checkpoint-age-unknown"
    assert not memory().remembered()


@pytest.mark.parametrize(
    ("ago", "age", "good"), [(100, "2m", True), (100, "90s", False), (7000, "2h", True), (90_000, "1d", False)]
)
def test_an_age_is_of_the_cosignatures(tmp_path, ago, age, good):
    shop = Workshop(witnesses=(W1,), needed=1, witnessed_at=int(time.time()) - ago)  # noqa: TID251  (the command's clock is this one)
    if good:
        (event,) = look(tmp_path, shop, "--max-age", age).events
        assert (event["doubts"], [w["name"] for w in event["witnesses"]]) == ([], [W1.name])
    else:
        assert refused(tmp_path, shop, "--max-age", age).code == "checkpoint-stale"


@pytest.mark.parametrize("age", ["", "1", "d", "-1d", "1w", "1.5h", " 1h", "1h ", "\u0661h", "9999999999s"])
def test_what_is_no_age_is_said(tmp_path, age):
    assert refused(tmp_path, SHOP, f"--max-age={age}").code == "usage"


# Beside files


def test_an_old_proof_beside_an_old_file_stays_fine(tmp_path, root):
    file = lay(tmp_path / "d")
    result = look(tmp_path, GROWN, file)
    assert (result.code, result.verdicts) == (0, [(NAME, "ok")])
    (event,) = result.of("verified")
    assert "in entries 8 to 19 (`tagtrail audit` reads them)" in event["not_proven"][-1]
    assert "consistency-unchecked" not in event["doubts"]
    (event,) = look(tmp_path, GROWN, file, tiles=False).of("verified")
    assert event["doubts"][-1] == "consistency-unchecked"


@pytest.mark.parametrize(
    ("head", "tiles", "code"),
    [
        (FORKED, True, "split-view"),
        (FORKED, False, "split-view"),
        (replace(FORKED, size=20), True, "consistency-old-root"),
        (Workshop(size=12), True, "checkpoint-rollback"),
    ],
)
def test_a_proof_that_the_checkpoint_contradicts_is_refused(tmp_path, head, tiles, code):
    file = lay(tmp_path / "d")
    result = look(tmp_path, head, file, tiles=tiles)
    assert (result.code, result.verdicts) == (7, [(NAME, code)])


def test_two_proofs_of_one_run_may_not_contradict_each_other(tmp_path, root):
    one, other = lay(tmp_path / "d"), lay(tmp_path / "e", FORKED)
    assert said(verify, one, "--root", root).code == said(verify, other, "--root", root).code == 0
    result = said(verify, one, other, "--root", root)
    assert (result.code, result.verdicts) == (7, [(NAME, "ok"), (NAME, "split-view")])
    assert str(one) in result.of("verified")[1]["what"]
    assert said(verify, one, lay(tmp_path / "f", GROWN), "--root", root).code == 0


def test_a_checkpoint_of_another_log_says_nothing_of_a_file(tmp_path):
    policy = tmp_path / "policy"
    other = log_key("other", origin="other.example/trail")
    policy.write_bytes(SHOP.policy.encode().replace(b"quorum", f"log {other.verifier.vkey()}\nquorum".encode()))
    text = replace(SHOP.checkpoint(), origin="other.example/trail").text()
    (tmp_path / "checkpoint").write_bytes(note.sign(text, [other]).encode())
    result = said(verify, "--checkpoint", tmp_path / "checkpoint", "--policy", policy, lay(tmp_path / "d"))
    assert (result.code, result.verdicts) == (0, [(NAME, "ok")])
    assert result.of("verified")[0]["doubts"][-2:] == ["withdrawals-unchecked", "checkpoint-of-another-log"]


@pytest.mark.client
@pytest.mark.parametrize("where", ["", "trail/checkpoint"])
def test_a_checkpoint_comes_from_an_address_with_its_tiles(tmp_path, where):
    look(tmp_path, SHOP)
    lay_site(tmp_path / "site", GROWN)
    with served(tmp_path / "site") as (url, asked):
        (event,) = said(verify, "--checkpoint", url + where, "--root", lay_root(tmp_path / "r.json")).events
    assert (event["where"], event["contains"]) == (f"{url}trail/checkpoint", [13])
    assert asked == ["/trail/checkpoint", "/trail/tile/0/000.p/20"]


@pytest.mark.parametrize("where", ["missing", "http://127.0.0.1:1/"])
def test_a_checkpoint_that_is_not_there_is_said(root, where):
    with pytest.raises(Error) as caught:
        said(verify, "--checkpoint", where, "--root", root)
    assert caught.value.code == ("url-unreachable" if "://" in where else "file-missing")


# Memory


def test_a_memory_that_was_changed_is_not_used(tmp_path):
    look(tmp_path, SHOP)
    at = memory().directory / "13"
    for spoiled in (b"", at.read_bytes().replace(b"\n13\n", b"\n12\n"), at.read_bytes().replace(b"org", b"com")):
        at.write_bytes(spoiled)
        assert refused(tmp_path, SHOP).code == "memory-form"
        at.write_bytes(SHOP.proof().checkpoint)
    at.chmod(0o666)
    assert refused(tmp_path, SHOP).code == "memory-not-ours"
    at.chmod(0o644)
    memory().directory.chmod(0o777)
    assert refused(tmp_path, SHOP).code == "memory-not-ours"


def test_what_cannot_be_remembered_is_not_accepted(tmp_path):
    (tmp_path / "state").write_bytes(b"a file")
    assert refused(tmp_path, SHOP).code == "not-writable"


@pytest.mark.parametrize("state", ["relative", ""])
def test_a_relative_state_directory_is_ignored(state):
    at = Memory.standard("a/..~b", {"XDG_STATE_HOME": state}).directory
    assert at == Path.home() / ".local" / "state" / "tagtrail" / "checkpoints" / "a%2F..%7Eb"


def test_only_so_many_unproven_notes_are_kept(tmp_path):
    memory().directory.mkdir(parents=True)
    for size in range(8, 13):
        (memory().directory / f"{size}").write_bytes(Workshop(size=size).proof().checkpoint)
    look(tmp_path, SHOP, tiles=False)
    assert len(memory().remembered()) == 6


def test_one_at_a_time_reads_and_writes(tmp_path):
    memory().directory.mkdir(parents=True)
    with (memory().directory / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        waiting = threading.Thread(target=look, args=(tmp_path, SHOP))
        waiting.start()
        waiting.join(0.3)
        assert (waiting.is_alive(), memory().remembered()) == (True, {})
    waiting.join()
    assert [*memory().remembered()] == [13]


def test_two_at_once_remember_one_of_two_forks(tmp_path):
    logs = [lay_log(tmp_path / f"log{n}", shop) for n, shop in enumerate((SHOP, FORKED))]
    root = lay_root(tmp_path / "r.json")
    codes: list[str] = []

    def run(at: Path) -> None:
        try:
            said(verify, "--checkpoint", at, "--root", root)
            codes.append("")
        except Error as error:
            codes.append(error.code)

    threads = [threading.Thread(target=run, args=(at,)) for at in logs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == ["", "split-view"]


def test_usage(tmp_path, root):
    file = lay(tmp_path / "d")
    for words in ((), (file, "--max-age", "1d"), (file, "--all"), ("--as", "x", "--checkpoint", "y")):
        with pytest.raises(SetupError) as caught:
            said(verify, *words, "--root", root)
        assert caught.value.code == "usage"
    assert "XDG_STATE_HOME" in os.environ

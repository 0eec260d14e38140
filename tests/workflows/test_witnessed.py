"""The road with witnesses: nothing unwitnessed is shown, waiting is 4, and running it again goes on."""

from itertools import count

import pytest

from tagtrail.formats import note, policy, proof
from tagtrail.formats.policy import Group, Policy
from tagtrail.formats.site import CHECKPOINT
from tagtrail.model.errors import TamperError
from tagtrail.testing import memory
from tagtrail.testing.fuse import Blown, Fuse
from tagtrail.workflows.release import Outcome, release
from tagtrail.workflows.resume import resume, unfinished
from tagtrail.workflows.witnessed import FRESH, recosign
from tests.workflows.world import LOG, World


def world(quorum: int = 2, *versions: str) -> tuple[World, dict[str, memory.Witness]]:
    """A world whose log has three witnesses."""
    made = World(versions=versions or ("1.0.0",))
    keys = {
        f"W{n}": note.Signer(name=f"w{n}.example/k", kind=note.COSIGNATURE, seed=bytes([n]) * 32) for n in (1, 2, 3)
    }
    witnesses = {name: memory.Witness(key, (LOG.verifier,), made.clock) for name, key in keys.items()}
    made.trust = Policy(
        witnesses=tuple(policy.Witness(name=name, verifier=key.verifier) for name, key in keys.items()),
        groups=(Group(name="some", threshold=quorum, members=tuple(keys)),),
        quorum="some",
    )
    made.witnesses = dict(witnesses)
    return made, witnesses


def run(made: World, version: str = "1.0.0", fuse: Fuse | None = None) -> Outcome:
    return release(made.road(fuse), made.project(), version)


def believed(made: World) -> Policy:
    return made.road().trust


def test_what_is_shown_and_every_proof_meets_the_policy() -> None:
    made, _ = world()
    assert run(made).exit == 0
    shown = policy.check(believed(made), made.store.files[CHECKPOINT])
    assert (shown.checkpoint.size, shown.cosigned) == (2, 3)
    proofs = [data for path, data in made.store.files.items() if path.endswith(".tlog-proof")]
    assert proofs
    for data in proofs:
        assert policy.check(believed(made), proof.parse(data).checkpoint).cosigned == 3
    logged = [fields["witnessed"] for name, fields in made.told if name == "logged"]
    assert logged == ["3 of 3", "3 of 3"], "the root's entry and the release"


def test_too_few_before_anything_is_signed() -> None:
    made, witnesses = world()
    witnesses["W1"].down = witnesses["W2"].down = True
    outcome = run(made)
    assert (outcome.exit, outcome.reached, outcome.entry) == (4, "signed", None)
    assert made.ledger.committed() is None, "nothing was entered"
    assert made.store.files == {}
    assert [name for name, _ in made.told if name == "waiting"] == ["waiting"]
    witnesses["W1"].down = False
    assert [outcome.exit for outcome in resume(made.road())] == [0]
    assert len(made.builder.built) == 1, "and nothing was built again"


def down_after(made: World, witnesses: dict[str, memory.Witness]) -> Fuse:
    """Two witnesses go down as soon as the trail has committed."""

    class Falls(Fuse):
        def point(self, name: str) -> None:
            if name == "after ledger.commit":
                witnesses["W1"].down = witnesses["W2"].down = True
            super().point(name)

    return Falls()


def test_too_few_after_the_entry() -> None:
    made, witnesses = world()
    outcome = run(made, fuse=down_after(made, witnesses))
    assert (outcome.exit, outcome.reached) == (4, "signed")
    assert len(made.ledger.entries()) == 2
    assert made.store.files == {}, "nobody is shown it"
    ((entry, rows),) = unfinished(made.ledger, made.journal).entries
    assert (entry.version, rows) == ("1.0.0", ())
    assert run(made).exit == 4, "still too few"
    witnesses["W1"].down = witnesses["W2"].down = False
    assert [outcome.exit for outcome in resume(made.road())] == [0]
    assert len(made.ledger.entries()) == 2
    assert policy.check(believed(made), made.store.files[CHECKPOINT]).checkpoint.size == 2


def test_pages_and_files_of_an_unwitnessed_entry_are_not_shown_by_anothers_release() -> None:
    made, witnesses = world(2, "1.0.0", "2.0.0")
    run(made)
    before = dict(made.store.files)
    run(made, "2.0.0", fuse=down_after(made, witnesses))
    assert run(made, "1.0.0").exit == 0
    assert made.store.files == before


def test_a_copy_of_the_instance_is_stopped_by_one_witness() -> None:
    made, witnesses = world(2, "1.0.0", "2.0.0")
    run(made)
    copy, _ = world(2, "1.0.0", "2.0.0")
    copy.witnesses = {"W1": witnesses["W1"], **{n: w for n, w in copy.witnesses.items() if n != "W1"}}
    with pytest.raises(TamperError) as refusal:
        run(copy, "2.0.0")
    assert refusal.value.code == "trail-ahead"
    assert copy.ledger.committed() is None


def test_the_root_names_log_witnesses_and_quorum() -> None:
    made, _ = world()
    run(made)
    assert policy.parse(made.store.files["trail/policy"]) == believed(made)


# --- fresh ----------------------------------------------------------------------------------------------------------


def test_cosigned_again_after_an_hour() -> None:
    made, _ = world()
    run(made)
    before = {path: data for path, data in made.store.files.items() if path != CHECKPOINT}
    made.now += FRESH - 1
    assert not recosign(made.road())
    made.now += 1
    assert recosign(made.road())
    assert policy.check(believed(made), made.store.files[CHECKPOINT]).fresh_time == made.now
    assert before == {path: data for path, data in made.store.files.items() if path != CHECKPOINT}
    assert run(made).exit == 0
    assert policy.check(believed(made), made.store.files[CHECKPOINT]).fresh_time == made.now, "it stays the fresh one"


# --- crashes --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_killed_at_any_point() -> None:
    """Whatever is shown at any time is witnessed; who goes on ends with one entry."""
    for n in count():
        made, witnesses = world(3)
        died = killed(made, witnesses, n)
        shown = made.store.files.get(CHECKPOINT)
        if shown is not None:
            policy.check(believed(made), shown)
        assert run(made).exit == 0
        assert [e.event for e in made.ledger.entries()] == ["key", "release"]
        assert policy.check(believed(made), made.store.files[CHECKPOINT]).cosigned == 3
        if not died:
            return


def killed(made: World, witnesses: dict[str, memory.Witness], n: int) -> bool:
    """Whether there is a point number `n`, at which the release died."""
    fuse = Fuse(n)
    for witness in witnesses.values():
        witness.fuse = fuse
    try:
        run(made, fuse=fuse)
    except Blown:
        return True
    finally:
        for witness in witnesses.values():
            witness.fuse = Fuse()
    return False

"""Roots changed, proofs issued again: in memory, at every point where a process can die, and refused one by one."""

from dataclasses import replace
from hashlib import sha256

import pytest

from tagtrail.formats import dsse, note
from tagtrail.formats import policy as policies
from tagtrail.formats import proof as proofs
from tagtrail.formats.note import COSIGNATURE, Signer
from tagtrail.formats.policy import Group, Log, Policy
from tagtrail.formats.policy import Witness as Known
from tagtrail.formats.root import PAYLOAD_TYPE, Root, format_root
from tagtrail.model.errors import Error, RemoteError
from tagtrail.model.facts import Key
from tagtrail.ports import Witness
from tagtrail.testing import memory
from tagtrail.testing.fuse import Blown, Fuse
from tagtrail.testing.people import Person
from tagtrail.trail.keys import current_root
from tagtrail.verify.proofs import prove
from tagtrail.workflows.keys import carry, differs, enter, frozen, joined, next_of, waiting
from tagtrail.workflows.rekey import with_builder, with_log, with_release, with_root_key, with_threshold, without
from tagtrail.workflows.release import release
from tagtrail.workflows.reprove import rebase, reissue
from tagtrail.workflows.road import Road
from tagtrail.workflows.roots import fits, outdated, signed, wanted
from tests.workflows.world import LOG, ORIGIN, START, World

NEW, ROOT, OTHER = (Signer(name=ORIGIN, seed=sha256(name).digest()) for name in (b"new", b"root", b"other"))
W1, W2 = (Signer(name=f"{name}.example/w", kind=COSIGNATURE, seed=sha256(name.encode()).digest()) for name in "ab")


def released(**changes: object) -> World:
    world = World(versions=("1.0.0", "1.1.0"), **changes)  # type: ignore[arg-type]
    road = world.road()
    assert release(road, world.project(), "1.0.0").exit == 0
    return world


def current(world: World) -> Root:
    root = current_root(world.ledger, world.kept)
    assert root is not None
    return root


def proof(world: World) -> bytes:
    return next(data for path, data in world.store.files.items() if path.endswith("1.0.0.tar.gz.tlog-proof"))


def asked(*witnesses: Signer, needed: int) -> Policy:
    known = tuple(Known(name=w.name[0], verifier=w.verifier) for w in witnesses)
    groups = (Group(name="all", threshold=needed, members=tuple(k.name for k in known)),)
    return Policy(witnesses=known, groups=groups, quorum="all")


def theirs(world: World, *witnesses: Signer, logs: tuple[Signer, ...] = (LOG,)) -> dict[str, Witness]:
    keys = tuple(log.verifier for log in logs)
    return {w.name[0]: memory.Witness(w, keys, world.clock) for w in witnesses}


def stolen(road: Road) -> tuple[Root | None, dsse.Envelope]:
    """The next root after a theft of the log's key."""
    old, new = next_of(road)
    new = frozen(road, with_log(new, NEW.verifier, alone=True), always=True)
    return old, signed(road, old, new)


def after(world: World) -> Road:
    """The road on which the new log key signs."""
    road = world.road()
    return replace(road, log=NEW, trust=after_trust(road))


def after_trust(road: Road) -> Policy:
    return replace(road.trust, logs=(Log(verifier=NEW.verifier),))


# --- what stops a release -------------------------------------------------------------------------------------------


def refused(road: Road) -> tuple[str, int]:
    with pytest.raises(Error) as caught:
        outdated(road)
    return caught.value.code, caught.value.exit_code


def test_nothing_is_outdated_after_a_release() -> None:
    assert outdated(released().road()) == {}


@pytest.mark.parametrize("role", ["log", "builder", "signer"])
def test_a_key_that_the_root_does_not_name_signs_nothing(role: str) -> None:
    road = released().road()
    if role == "log":
        changed = replace(road, log=NEW)
    elif role == "builder":
        changed = replace(road, builder_key=NEW)
    else:
        signer = memory.Signer()
        signer.fingerprint = "B" * 40
        changed = replace(road, signer=signer)
    assert refused(changed) == ("key-not-in-root", 3)


def test_an_expired_root_takes_no_entries() -> None:
    world = released()
    world.now = current(world).expires - 1
    assert outdated(world.road()) == {}
    world.now += 1
    assert refused(world.road()) == ("root-expired", 3)


@pytest.mark.parametrize("root", [None, OTHER])
def test_changed_people_need_the_roots_keys(root: Signer | None) -> None:
    world = released()
    people = {"team": (Person(name="bob").key,)}
    assert [name for name in outdated(replace(world.road(), people=people)) if "root" in name] == ["2.root.json"]
    assert refused(replace(world.road(), people=people, root=root)) == ("root-keys", 3)
    assert outdated(replace(world.road(), root=root)) == {}


def test_other_witnesses_than_those_who_saw_the_proofs_are_not_slipped_in() -> None:
    world = released()
    world.trust = asked(W1, needed=1)
    assert refused(world.road()) == ("proofs-unfit", 3)
    world.trust = replace(asked(W1, needed=1), quorum="none")
    assert "2.root.json" in outdated(world.road())


# --- a theft, and death at every point ------------------------------------------------------------------------------


def test_after_a_theft_old_proofs_stand_on_the_frozen_tree() -> None:
    world = released()
    before = prove(proof(world), current(world), START + 9)
    old, envelope = stolen(world.road())
    assert not waiting(old, envelope)
    (entry,) = enter(world.road(), envelope, NEW)
    assert (entry.event, entry.index) == ("key", 2)
    assert carry(after(world)).written == 2
    found = prove(proof(world), current(world), START + 9)
    assert (found.frozen, found.entry, found.checked.log) == (True, before.entry, NEW.verifier)
    assert fits(world.ledger, current(world))
    assert carry(after(world)).written == 0


def test_a_later_release_leaves_reissued_proofs_alone() -> None:
    world = released()
    enter(world.road(), stolen(world.road())[1], NEW)
    carry(after(world))
    again = proof(world)
    assert release(after(world), world.project(), "1.1.0").exit == 0
    assert release(after(world), world.project(), "1.0.0").exit == 0
    assert proof(world) == again
    assert [row.state for row in world.journal.rows(1) if row.effect.path.endswith("proof")] == ["seen", "seen"]


def test_a_public_that_lags_is_waited_for_and_told_from_a_conflict() -> None:
    world = released(public=True)
    world.web.late = 2
    enter(world.road(), stolen(world.road())[1], NEW)
    assert carry(after(world)).waiting == 2
    assert carried_states(world) == {"sent"}
    world.web.late = 9
    assert release(after(world), world.project(), "1.0.0").exit == 6  # whoever looks too early sees other bytes
    world.web.late = 0
    assert carry(after(world)).waiting == 0
    assert carried_states(world) == {"seen"}
    assert release(after(world), world.project(), "1.0.0").exit == 0


def carried_states(world: World) -> set[str]:
    return {row.state for row in world.journal.rows(1) if row.effect.path.endswith("proof")}


def theft(world: World, fuse: Fuse) -> None:
    """What `keys rotate log --stolen` does, in a process that dies where `fuse` blows."""
    road = world.road(fuse)
    if LOG.verifier.vkey() in current(world).policy:
        enter(road, stolen(road)[1], NEW)
    carry(replace(road, log=NEW, trust=after_trust(road)))


@pytest.mark.slow
def test_died_at_every_point_it_is_run_again() -> None:
    before, whole = released(), Fuse()
    theft(before.twin(), whole)
    assert len(whole.points) > 20
    for point in range(len(whole.points)):
        world = before.twin()
        with pytest.raises(Blown):
            theft(world, Fuse(at=point))
        theft(world, Fuse())
        assert prove(proof(world), current(world), START + 9).checked.log == NEW.verifier
        assert carry(after(world)).written == 0
        assert {row.state for row in world.journal.rows(1)} == {"seen"}
        assert [entry.event for entry in world.ledger.entries()] == ["key", "release", "key"]


# --- witnesses ------------------------------------------------------------------------------------------------------


def test_cosignatures_of_before_are_kept_with_their_times() -> None:
    world = World(trust=asked(W1, needed=1))
    world.witnesses = theirs(world, W1)
    release(world.road(), world.project(), "1.0.0")
    seen = prove(proof(world), current(world), START + 9).witnessed
    world.now += 1000
    with pytest.raises(RemoteError) as caught:
        enter(world.road(), stolen(world.road())[1], NEW)
    assert caught.value.code == "quorum-unmet"
    found = policies.check(after(world).trust, world.ledger.cosigned(covering=1).note.encode())  # type: ignore[union-attr]
    assert found.witnessed_time == seen == START
    world.witnesses["a"].logs = (NEW.verifier,)  # type: ignore[attr-defined]
    carry(after(world))
    assert prove(proof(world), current(world), world.now).witnessed == START


def test_a_planned_rotation_changes_nothing_before_the_witnesses_know() -> None:
    world = World(trust=asked(W1, needed=1))
    world.witnesses = theirs(world, W1)
    release(world.road(), world.project(), "1.0.0")
    before = (world.ledger.committed(), world.ledger.cosigned())
    road = world.road()
    old, new = next_of(road)
    envelope = signed(road, old, with_log(new, NEW.verifier))
    with pytest.raises(RemoteError) as caught:
        enter(road, envelope, NEW)
    assert caught.value.code == "quorum-unmet"
    assert NEW.verifier.vkey() in caught.value.hint
    assert (world.ledger.committed(), world.ledger.cosigned()) == before


def test_new_witnesses_see_the_tree_that_proofs_stand_on() -> None:
    world = released()
    world.trust = asked(W1, W2, needed=2)
    world.witnesses = theirs(world, W1, W2)
    road = world.road()
    old, new = next_of(road)
    assert old is not None
    assert differs(old, new)
    assert not fits(world.ledger, new)
    enter(road, signed(road, old, frozen(road, new)), LOG)
    assert carry(world.road()).written == 2
    assert prove(proof(world), current(world), START + 9).checked.cosigned == 2


def test_a_freeze_is_moved_where_proofs_are_issued_again() -> None:
    world = released()
    road = world.road()
    old, new = next_of(road)
    enter(road, signed(road, old, frozen(road, new, always=True)), LOG)
    carry(world.road())
    release(world.road(), world.project(), "1.1.0")
    world.trust = asked(W1, needed=1)
    world.witnesses = theirs(world, W1)
    road = world.road()
    old, new = next_of(road)
    new = frozen(road, new)
    assert [freeze.size for freeze in new.freezes] == [2, 4]
    enter(road, signed(road, old, new), LOG)
    carry(world.road())
    assert fits(world.ledger, current(world))
    assert prove(proof(world), current(world), START + 9).frozen


def test_a_draft_of_a_tree_that_has_grown_is_refused() -> None:
    world = released()
    _, envelope = stolen(world.road())
    release(world.road(), world.project(), "1.1.0")
    with pytest.raises(Error) as caught:
        enter(world.road(), envelope, NEW)
    assert (caught.value.code, caught.value.exit_code) == ("freeze-passed", 2)


def test_a_draft_for_other_witnesses_is_refused() -> None:
    world = released()
    _, envelope = stolen(world.road())
    world.trust = asked(W1, needed=1)
    with pytest.raises(Error) as caught:
        enter(world.road(), envelope, NEW)
    assert caught.value.code == "draft-outdated"


@pytest.mark.parametrize(
    ("keys", "signers", "code"),
    [
        ((ROOT, OTHER), (OTHER,), "root-old-signatures"),
        ((OTHER,), (ROOT,), "root-signatures"),
    ],
)
def test_a_root_that_too_few_signed_is_not_entered(
    keys: tuple[Signer, ...], signers: tuple[Signer, ...], code: str
) -> None:
    world = released()
    old, new = next_of(world.road())
    new = replace(new, keys=tuple(key.verifier.vkey() for key in keys))
    envelope = dsse.sign(PAYLOAD_TYPE, format_root(new), signers)
    assert waiting(old, envelope)
    with pytest.raises(Error) as caught:
        enter(world.road(), envelope, LOG)
    assert caught.value.code == code
    assert len(world.ledger.entries()) == 2


def test_signatures_on_copies_are_joined() -> None:
    world = released()
    _, new = next_of(world.road())
    one, two = (dsse.sign(PAYLOAD_TYPE, format_root(new), [key]) for key in (ROOT, OTHER))
    assert {s.keyid for s in joined([one, two, one]).signatures} == {key.verifier.key_id.hex() for key in (ROOT, OTHER)}
    with pytest.raises(Error) as caught:
        joined([one, dsse.sign(PAYLOAD_TYPE, format_root(replace(new, version=9)), [ROOT])])
    assert caught.value.code == "drafts-differ"


# --- one function for each change -----------------------------------------------------------------------------------


def test_roots_are_changed_one_thing_at_a_time() -> None:
    root = wanted(released().road(), None)
    again = with_log(root, NEW.verifier)
    assert again.policy.count("log ") == 2
    assert without(again, "log", LOG.verifier.key_id.hex(), used=NEW.verifier.vkey()).policy.count("log ") == 1
    assert with_log(root, NEW.verifier, alone=True).policy.count("log ") == 1
    release_key = Key(fingerprint="C" * 40, scheme="openpgp", material="new")
    ended = with_release(root, release_key, until=7)
    assert [k.fingerprint for k in ended.release_at(7)] == ["C" * 40]
    assert len(ended.release_at(6)) == len(with_release(root, release_key).release_at(99)) == 2
    assert with_builder(root, NEW.verifier, until=7).builders_at(7) == (NEW.verifier.vkey(),)
    two = with_threshold(with_root_key(root, OTHER.verifier.vkey()), 2)
    assert (two.threshold, len(two.keys)) == (2, 2)
    assert with_root_key(root, OTHER.verifier.vkey(), instead=root.keys[0]).keys == (OTHER.verifier.vkey(),)


@pytest.mark.parametrize(
    ("vkey", "code"),
    [
        ("nonsense", "root-key"),
        (Signer(name="other.example", seed=bytes(32)).verifier.vkey(), "root-key"),
        (Signer(name=ORIGIN, kind=COSIGNATURE, seed=bytes(32)).verifier.vkey(), "root-key"),
        (ROOT.verifier.vkey(), "root-key"),
    ],
)
def test_what_cannot_be_a_root_key(vkey: str, code: str) -> None:
    with pytest.raises(Error) as caught:
        with_root_key(wanted(released().road(), None), vkey)
    assert caught.value.code == code


def test_a_threshold_that_nobody_could_meet() -> None:
    root = wanted(released().road(), None)
    for threshold in (-1, 2):
        with pytest.raises(Error) as caught:
            with_threshold(root, threshold)
        assert caught.value.code == "threshold"


def test_what_cannot_be_retired() -> None:
    root = with_log(wanted(released().road(), None), NEW.verifier)
    for key, code in (("nonsense", "key-unknown"), (NEW.verifier.vkey(), "key-in-use")):
        with pytest.raises(Error) as caught:
            without(root, "log", key, used=NEW.verifier.vkey())
        assert caught.value.code == code


def test_reissue_and_rebase_of_an_empty_trail_do_nothing() -> None:
    road = World().road()
    rebase(road)
    assert reissue(road).written == 0
    assert road.ledger.cosigned() is None


def test_a_proof_that_is_issued_again_is_a_proof_of_the_same_entry() -> None:
    world = released()
    before = proofs.parse(proof(world))
    enter(world.road(), stolen(world.road())[1], NEW)
    carry(after(world))
    again = proofs.parse(proof(world))
    assert (again.index, again.extra, again.hashes) == (before.index, before.extra, before.hashes)
    assert note.parse(again.checkpoint).text == note.parse(before.checkpoint).text

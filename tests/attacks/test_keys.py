"""Attacks on keys (lines 21 and 22): roots that nobody may follow, and what a stolen key is worth."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tagtrail.formats.note import Signer
from tagtrail.formats.provenance import builder_name, provenance_name
from tagtrail.formats.root import Freeze, Root
from tagtrail.model.errors import ProjectError, TamperError
from tagtrail.verify.provenance import judge_provenance
from tagtrail.verify.roots import check_current, next_root
from tagtrail.workflows.release import release
from tests.attacks.ground import Ground, ground, root
from tests.verify.workshop import NOW, ORIGIN, TIME, YEAR, Case, Workshop, envelope, log_key, root_key

OLD = tuple(root_key(name) for name in ("a", "b", "c"))
NEW = tuple(root_key(name) for name in ("x", "y", "z"))


def keyed(signers: tuple[Signer, ...], version: int, threshold: int = 2, expires: int = NOW + YEAR) -> Root:
    keys = tuple(signer.verifier.vkey() for signer in signers)
    return replace(Workshop().root, keys=keys, version=version, threshold=threshold, expires=expires)


PINNED = keyed(OLD, 3)
FOLLOWING = keyed(NEW, 4)


def refused(call: Callable[..., object], *args: object) -> str:
    with pytest.raises(TamperError) as caught:
        call(*args)
    assert caught.value.what.isprintable()
    return caught.value.code


# --- 21: roots ------------------------------------------------------------------------------------------------------

ROOTS: dict[str, tuple[Root, tuple[Signer, ...], str]] = {
    "signed by the new keys alone": (FOLLOWING, NEW, "root-old-signatures"),
    "below the old threshold": (FOLLOWING, (*OLD[:1], *NEW), "root-old-signatures"),
    "one old key twice": (FOLLOWING, (OLD[0], OLD[0], *NEW), "root-old-signatures"),
    "signed by the old keys alone": (FOLLOWING, OLD, "root-signatures"),
    "below the new threshold": (FOLLOWING, (*OLD, *NEW[:1]), "root-signatures"),
    "signed by nobody known": (FOLLOWING, (root_key("eve"),), "root-old-signatures"),
    "a version skipped": (replace(FOLLOWING, version=5), (*OLD, *NEW), "root-version"),
    "a version repeated": (replace(FOLLOWING, version=3), (*OLD, *NEW), "root-version"),
    "a rollback": (replace(FOLLOWING, version=2), (*OLD, *NEW), "root-version"),
    "expired": (replace(FOLLOWING, expires=NOW), (*OLD, *NEW), "root-expired"),
    "of another origin": (replace(FOLLOWING, origin="other.example/trail"), (*OLD, *NEW), "root-origin"),
    "with a threshold of none": (replace(FOLLOWING, threshold=0), (*OLD, *NEW), "root-threshold"),
    "with a threshold that nobody meets": (replace(FOLLOWING, threshold=4), (*OLD, *NEW), "root-threshold"),
    "with one key listed twice": (
        replace(FOLLOWING, keys=(FOLLOWING.keys[0], FOLLOWING.keys[0])),
        (*OLD, *NEW),
        "root-threshold",
    ),
}


@pytest.mark.parametrize(("new", "signers", "code"), ROOTS.values(), ids=ROOTS)
def test_a_root_that_nobody_may_follow(new: Root, signers: tuple[Signer, ...], code: str) -> None:
    assert refused(next_root, PINNED, envelope(new, *signers), NOW) == code


def test_a_root_that_old_and_new_keys_signed_is_followed() -> None:
    assert next_root(PINNED, envelope(FOLLOWING, OLD[0], OLD[2], NEW[0], NEW[1]), NOW) == FOLLOWING
    assert refused(check_current, replace(PINNED, expires=NOW), NOW) == "root-expired"


# --- 22: the log's key stolen ---------------------------------------------------------------------------------------

SHOP = Workshop()
HEAD = SHOP.checkpoint()
FROZEN = Workshop(root_fields={"freezes": (Freeze(size=HEAD.size, root=HEAD.root),)})
THIEF = {
    "a forged leaf at a small index in a forked tree": replace(FROZEN, entry_time=TIME - 1),
    "a forged leaf in a fork of the frozen size": replace(FROZEN, ours={"policy": "9" * 64}),
    "the very entry in a longer fork": replace(FROZEN, size=HEAD.size + 1),
    "the very entry in a shorter tree": replace(FROZEN, size=HEAD.size - 1),
    "a forged leaf at the last frozen index": replace(FROZEN, index=HEAD.size - 1),
}


def judged(case: Case) -> str:
    return refused(case.verify)


@pytest.mark.parametrize("shop", THIEF.values(), ids=THIEF)
def test_under_a_freeze_one_tree_counts(shop: Workshop) -> None:
    """The thief holds the log's key: what he signs is well signed."""
    assert judged(shop.case) == "frozen"


def test_proofs_under_the_frozen_tree_stay_good() -> None:
    assert FROZEN.case.verify().size == HEAD.size


def test_a_log_key_that_the_root_dropped_signs_nothing() -> None:
    assert judged(Workshop(log=log_key("stolen"), believed=log_key("new")).case) == "note-no-known-key"


# --- 22: the builder's key ------------------------------------------------------------------------------------------


def test_a_stolen_builder_key_is_worth_nothing_once_the_root_drops_it() -> None:
    world = ground()
    entry = world.ledger.entries()[1]
    data = world.store.files[f"nova/{provenance_name('nova', entry.version)}"]
    trust = root(world.store.files)
    assert judge_provenance(data, entry, trust).version == "1.0.0"
    other = Signer(name=builder_name(ORIGIN), seed=bytes(32)).verifier.vkey()
    assert refused(judge_provenance, data, entry, replace(trust, builders=(other,))) == "provenance-signature"


def test_a_builder_key_that_was_exchanged_in_secret_releases_nothing() -> None:
    world = Ground(versions=("1.0.0", "2.0.0"))
    release(world.road(), world.project(), "1.0.0")
    road = replace(world.road(), builder_key=Signer(name=builder_name(ORIGIN), seed=bytes(32)))
    with pytest.raises(ProjectError) as caught:
        release(road, world.project(), "2.0.0")
    assert caught.value.code == "key-not-in-root"
    assert [e.version for e in world.ledger.entries()] == ["", "1.0.0"]

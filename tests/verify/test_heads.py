"""The head of a log: of any age or a fresh one, and grown from what was seen before, with one thing wrong at a time."""

from dataclasses import replace

import pytest

from tagtrail.formats import note
from tagtrail.model.errors import TamperError
from tagtrail.verify.heads import Head, check_grown, judge_head
from tests.verify.workshop import ORIGIN, TIME, Workshop, log_key, witness_key

W1, W2 = witness_key("w1"), witness_key("w2")
OWN = note.Signer(name="releases.example.org/w", kind=note.COSIGNATURE, seed=b"o" * 32)
SHOP = Workshop(witnesses=(W1, W2, OWN), needed=1)
DAY = 86400


def cosigned(shop: Workshop = SHOP, **late: int) -> bytes:
    """The shop's checkpoint with cosignatures at these seconds after TIME."""
    text = shop.checkpoint().text()
    keys = {"w1": W1, "w2": W2, "own": OWN}
    lines: tuple[note.Signature, ...] = ()
    for name, seconds in late.items():
        lines = (*lines, *note.sign(text, [keys[name]], time=TIME + seconds).signatures)
    return note.sign(text, [shop.log], others=lines).encode()


def judged(data: bytes, shop: Workshop = SHOP, now: int = TIME + DAY, max_age: int | None = None) -> Head:
    return judge_head(data, shop.root, now, max_age)


def refused(data: bytes, shop: Workshop = SHOP, **options: int) -> str:
    with pytest.raises(TamperError) as caught:
        judged(data, shop, **options)
    assert caught.value.what.isprintable()
    return caught.value.code


@pytest.mark.parametrize(
    ("late", "fresh"),
    [
        ({"w1": 5}, 5),
        ({"w1": 5, "w2": 50}, 50),
        ({"w1": 5, "own": 50}, 5),
        ({"own": 50}, None),
    ],
)
def test_a_head_is_as_fresh_as_others_say(late, fresh):
    head = judged(cosigned(**late))
    assert (head.checkpoint.origin, head.checkpoint.size) == (ORIGIN, 13)
    assert head.fresh == (None if fresh is None else TIME + fresh)
    assert judge_head(cosigned(**late), SHOP.policy, TIME + DAY) == head


def test_an_age_is_of_the_last_cosignature_and_the_last_second_counts():
    assert judged(cosigned(w1=0), max_age=DAY).fresh == TIME
    assert refused(cosigned(w1=0), now=TIME + DAY + 1, max_age=DAY) == "checkpoint-stale"
    assert judged(cosigned(w1=0, w2=1), now=TIME + DAY + 1, max_age=DAY).fresh == TIME + 1
    assert refused(cosigned(w1=0, own=DAY), now=TIME + DAY + 1, max_age=DAY) == "checkpoint-stale"


def test_both_of_a_quorum_must_be_fresh():
    both = Workshop(witnesses=(W1, W2), needed=2)
    assert refused(cosigned(both, w1=0, w2=DAY), both, now=TIME + DAY + 1, max_age=DAY) == "checkpoint-stale"


def test_without_other_witnesses_there_is_no_age():
    nobody = Workshop()
    assert judged(cosigned(nobody), nobody).fresh is None
    assert refused(cosigned(nobody), nobody, max_age=DAY) == "checkpoint-age-unknown"
    assert refused(cosigned(own=5), max_age=DAY) == "checkpoint-age-unknown"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "note-unsigned"),
        (cosigned(w1=5).replace(b"\n13\n", b"\n14\n"), "note-bad-signature"),
        (cosigned(), "quorum-unmet"),
        (cosigned(w1=DAY + 601), "cosignature-future"),
        (cosigned(Workshop(log=log_key("stranger")), w1=5), "log-unknown"),
    ],
)
def test_what_the_log_or_its_witnesses_did_not_sign_is_refused(data, code):
    assert refused(data) == code


# Growth


@pytest.mark.parametrize("before", range(14))
def test_a_tree_contains_all_its_beginnings(before):
    assert check_grown(SHOP.checkpoint(before), SHOP.checkpoint(), SHOP.node)
    assert check_grown(SHOP.checkpoint(before), SHOP.checkpoint(), None) is (before in (0, 13))


def test_missing_tiles_prove_nothing_and_refuse_nothing():
    def gone(_level: int, _index: int) -> bytes:
        raise TamperError("no tile", code="tile-missing")

    assert not check_grown(SHOP.checkpoint(9), SHOP.checkpoint(), gone)


def other(size: int) -> note.Checkpoint:
    return replace(SHOP.checkpoint(size), root=b"x" * 32)


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        (SHOP.checkpoint(13), SHOP.checkpoint(12), "checkpoint-rollback"),
        (SHOP.checkpoint(13), SHOP.checkpoint(0), "checkpoint-rollback"),
        (other(13), SHOP.checkpoint(13), "split-view"),
        (other(9), SHOP.checkpoint(13), "consistency-old-root"),
        (SHOP.checkpoint(9), other(13), "consistency-new-root"),
    ],
)
def test_a_tree_that_lost_something_is_refused(before, after, code):
    with pytest.raises(TamperError) as caught:
        check_grown(before, after, SHOP.node)
    assert caught.value.code == code


def test_a_broken_tile_is_no_missing_tile():
    def broken(_level: int, _index: int) -> bytes:
        raise TamperError("no tile", code="tile-mismatch")

    with pytest.raises(TamperError) as caught:
        check_grown(SHOP.checkpoint(9), SHOP.checkpoint(), broken)
    assert caught.value.code == "tile-mismatch"

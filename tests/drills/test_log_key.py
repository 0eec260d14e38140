"""Drills for the log's key: planned rotation, lost, stolen; what consumers of the old root and of the new one get."""

import json
from hashlib import sha256

import pytest

from tagtrail.formats import canonical
from tests.drills.scene import FILE, Scene, forged, proof_of

pytestmark = [pytest.mark.client, pytest.mark.slow]

EVIL = b"not what was released"


def invented(scene: Scene) -> bytes:
    """A release that the thief invents: the last one's entry, with another file."""
    leaf = json.loads(scene.raws()[1])
    for subject in leaf["subject"]:
        subject["digest"]["sha256"] = sha256(EVIL).hexdigest()
    leaf["predicate"]["tagtrail"]["files"][FILE]["size"] = len(EVIL)
    return canonical.dumps(leaf)


def test_a_planned_rotation_changes_nothing_that_was_proven(scene: Scene) -> None:
    proof = scene.file.with_name(f"{FILE}.tlog-proof").read_bytes()
    scene.keys("rotate", "log")
    new = scene.release("1.1.0")
    assert scene.file.with_name(f"{FILE}.tlog-proof").read_bytes() == proof
    assert scene.verify("ann", scene.file) == "ok"
    assert scene.verify("ann", new) == "note-no-known-key"
    scene.pin("bob")
    assert [scene.verify("bob", file) for file in (scene.file, new)] == ["ok", "ok"]
    scene.done("audit")
    assert scene.rule()["policy"].count("log ") == 2


def test_a_lost_log_key_is_replaced_and_believed_for_what_it_signed(scene: Scene) -> None:
    scene.private("log.key").unlink()
    scene.commit("next")
    scene.tag("1.1.0")
    assert scene.done("release", "toy", "1.1.0", exit=2).event("refused")["code"] == "key-missing"
    scene.keys("rotate", "log")
    scene.done("release", "toy", "1.1.0")
    scene.pin("bob")
    new = scene.site / "toy" / "toy-1.1.0.tar.gz"
    assert [scene.verify(who, scene.file) for who in ("ann", "bob")] == ["ok", "ok"]
    assert scene.verify("bob", new) == "ok"
    scene.done("audit")


def test_a_stolen_log_key_forges_nothing_for_whoever_follows(scene: Scene) -> None:
    thief, raws = scene.stolen("log.key"), scene.raws()
    fork = scene.place(FILE, EVIL, forged(raws, 1, FILE, EVIL, thief))
    assert scene.verify("ann", fork) == "ok"  # nobody else saw the log: this is what witnesses are for
    honest = scene.file.with_name(f"{FILE}.tlog-proof").read_bytes()

    ended = scene.keys("rotate", "log", "--stolen")
    assert "2 proofs issued again" in ended.event("outcome")["text"]
    scene.pin("bob")
    assert scene.verify("bob", fork) == "note-no-known-key"
    later = invented(scene)
    beyond = proof_of([*scene.raws(), later], len(scene.raws()), thief)
    assert scene.verify("bob", scene.place(FILE, EVIL, beyond)) == "note-no-known-key"
    reissued = scene.file.with_name(f"{FILE}.tlog-proof").read_bytes()
    assert reissued != honest
    assert scene.verify("bob", scene.file) == "ok"
    assert scene.verify("ann", scene.file) == "note-no-known-key"  # until she follows
    assert scene.verify("bob", scene.place(FILE, scene.file.read_bytes(), honest)) == "note-no-known-key"
    new = scene.release("1.1.0")
    scene.done("resume")
    assert scene.verify("bob", new) == "ok"
    assert scene.file.with_name(f"{FILE}.tlog-proof").read_bytes() == reissued
    scene.done("audit")
    assert [freeze["size"] for freeze in scene.rule()["freezes"]] == [len(raws)]
    assert scene.keys("reprove").event("outcome")["text"].startswith("root 2 stays;")


def test_a_frozen_tree_takes_no_forged_leaf_even_under_a_believed_key(scene: Scene) -> None:
    thief, raws = scene.stolen("log.key"), scene.raws()
    scene.keys("freeze")
    scene.pin("bob")
    fork = scene.place(FILE, EVIL, forged(raws, 1, FILE, EVIL, thief))
    assert scene.verify("bob", fork) == "frozen"
    assert scene.verify("bob", scene.file) == "ok"
    assert scene.verify("bob", scene.release("1.1.0")) == "ok"
    scene.done("audit")


def test_a_second_theft_freezes_anew_and_older_files_stay_good(scene: Scene) -> None:
    scene.keys("rotate", "log", "--stolen")
    middle = scene.release("1.1.0")
    scene.keys("rotate", "log", "--stolen")
    newest = scene.release("1.2.0")
    scene.pin("bob")
    assert [scene.verify("bob", file) for file in (scene.file, middle, newest)] == ["ok"] * 3
    scene.done("audit")


def test_an_old_key_is_retired_once_proofs_are_issued_again(scene: Scene) -> None:
    old = scene.rule()["policy"].split()[1]
    scene.keys("rotate", "log")
    assert scene.keys("retire", "log", scene.rule()["policy"].split()[3].split("+")[1], exit=2).events[-1]["code"] == (
        "key-in-use"
    )
    scene.keys("retire", "log", old.split("+")[1])
    scene.pin("bob")
    assert old not in scene.rule()["policy"]
    assert scene.verify("bob", scene.file) == "ok"
    scene.done("audit")


def test_a_key_that_no_root_names_signs_nothing(scene: Scene) -> None:
    scene.private("log.key").write_text(scene.private("root.key").read_text())
    scene.commit("next")
    scene.tag("1.1.0")
    ended = scene.done("release", "toy", "1.1.0", exit=3)
    assert ended.event("refused")["code"] == "key-not-in-root"
    assert len(scene.leaves()) == 2

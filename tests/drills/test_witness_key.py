"""Drills with witnesses that are real servers: their keys lost or stolen, and the log's key stolen under their eyes."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tagtrail.formats.note import parse_skey
from tests.drills.scene import FILE, Scene, Witness, forged, witness

pytestmark = [pytest.mark.client, pytest.mark.slow]

EVIL = b"not what was released"


@pytest.fixture
def three(scene: Scene) -> Iterator[tuple[Scene, list[Witness]]]:
    """Three witnesses who know the log; two of them must have seen a checkpoint, and the root says so."""
    with ExitStack() as stack:
        witnesses = [stack.enter_context(witness(scene, name)) for name in ("w1", "w2", "w3")]
        for one in witnesses:
            one.know(log_of(scene))
        ask(scene, witnesses)
        settings = scene.home / "tagtrail.toml"
        settings.write_text(settings.read_text().replace("[org]", '[org]\nwitnesses = "keys/witnesses.policy"', 1))
        scene.keys("reprove")
        for who in ("ann", "bob"):
            scene.pin(who)
        yield scene, witnesses


def ask(scene: Scene, witnesses: list[Witness]) -> None:
    """The policy file: two of these."""
    names = " ".join(one.name for one in witnesses)
    text = "".join(one.line for one in witnesses) + f"group all 2 {names}\nquorum all\n"
    (scene.home / "keys" / "witnesses.policy").write_text(text)


def log_of(scene: Scene) -> str:
    """The vkey of the log that signs now."""
    return scene.stolen("log.key").verifier.vkey()


def test_a_first_witness_policy_issues_proofs_again(three: tuple[Scene, list[Witness]]) -> None:
    scene, _ = three
    assert scene.verify("ann", scene.file) == "ok"
    assert scene.verify("ann", scene.release("1.1.0")) == "ok"
    ended = scene.run("verify", "--require-witnessed", str(scene.file), env=scene.config("ann"))
    assert ended.code == 0, ended.err
    scene.done("audit")


def test_a_lost_witness_is_replaced(three: tuple[Scene, list[Witness]]) -> None:
    scene, (w1, w2, w3) = three
    with witness(scene, "w4") as w4:
        w4.know(log_of(scene))
        ask(scene, [w2, w3, w4])
        scene.keys("reprove")
        scene.pin("bob")
        assert [scene.verify(who, scene.file) for who in ("ann", "bob")] == ["ok", "ok"]
        assert scene.verify("bob", scene.release("1.1.0")) == "ok"
        scene.done("audit")
        assert w1.vkey not in scene.rule()["policy"]


def test_stolen_witness_keys_forge_nothing_for_whoever_follows(three: tuple[Scene, list[Witness]]) -> None:
    scene, (w1, w2, w3) = three
    thieves = tuple(parse_skey((w.directory / "private" / "witness.key").read_text().strip()) for w in (w1, w2))
    at = int((scene.home / "tagtrail.toml").stat().st_mtime)
    raws, log = scene.raws(), scene.stolen("log.key")
    one = scene.place(FILE, EVIL, forged(raws, 1, FILE, EVIL, log, thieves[:1], at))
    assert scene.verify("ann", one) == "quorum-unmet"
    fork = forged(raws, 1, FILE, EVIL, log, thieves, at)
    assert scene.verify("ann", scene.place(FILE, EVIL, fork)) == "ok"  # a quorum and the log's key: nothing is left
    with witness(scene, "w4") as w4, witness(scene, "w5") as w5:
        for new in (w4, w5):
            new.know(log_of(scene))
        ask(scene, [w3, w4, w5])
        refused = release_refused(scene, "1.1.0")
        assert refused == ("proofs-unfit", "tagtrail keys reprove")
        scene.keys("reprove")
        scene.pin("bob")
        assert scene.verify("bob", scene.place(FILE, EVIL, fork)) == "quorum-unmet"
        assert scene.verify("bob", scene.file) == "ok"
        scene.done("release", "toy", "1.1.0")
        scene.done("audit")


def release_refused(scene: Scene, version: str) -> tuple[str, str]:
    scene.commit(version)
    scene.tag(version)
    refused = scene.done("release", "toy", version, exit=3).event("refused")
    return refused["code"], refused["next"]


def test_a_planned_rotation_waits_for_the_witnesses(three: tuple[Scene, list[Witness]]) -> None:
    scene, witnesses = three
    ended = scene.keys("rotate", "log", exit=4)
    assert len(scene.leaves()) == 3
    new = parse_skey(Path(f"{scene.private('log.key')}.next").read_text().strip()).verifier.vkey()
    assert new in ended.event("outcome")["next"]
    assert scene.verify("ann", scene.release("1.1.0")) == "ok"
    for one in witnesses:
        one.know(new)
    scene.keys("rotate", "log")
    assert log_of(scene) == new
    scene.pin("bob")
    assert scene.verify("bob", scene.release("1.2.0")) == "ok"
    assert scene.verify("ann", scene.file) == "ok"
    scene.done("audit")


def test_a_stolen_log_key_under_witnesses(three: tuple[Scene, list[Witness]]) -> None:
    scene, witnesses = three
    thief, raws = scene.stolen("log.key"), scene.raws()
    fork = scene.place(FILE, EVIL, forged(raws, 1, FILE, EVIL, thief))
    assert [scene.verify(who, fork) for who in ("ann", "bob")] == ["quorum-unmet"] * 2
    ended = scene.keys("rotate", "log", "--stolen", exit=4)
    assert ended.event("outcome")["next"] == "tagtrail keys reprove"
    assert scene.verify("ann", scene.file) == "ok"  # nobody is shown anything new yet
    for one in witnesses:
        one.know(log_of(scene))
    scene.keys("reprove")
    scene.pin("bob")
    assert scene.verify("bob", scene.file) == "ok"
    assert scene.verify("bob", fork) == "note-no-known-key"
    ended = scene.run("verify", "--require-witnessed", str(scene.file), env=scene.config("bob"))
    assert ended.code == 0, ended.err  # the cosignatures of before were kept
    assert scene.verify("bob", scene.release("1.1.0")) == "ok"
    scene.done("audit")

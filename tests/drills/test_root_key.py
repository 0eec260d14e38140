"""Drills for root keys: 2 of 3 that lie apart, one of them lost or stolen; and what a single one means."""

from dataclasses import replace
from pathlib import Path

import pytest

from tagtrail.formats import dsse
from tagtrail.formats.note import Signer, parse_skey
from tagtrail.formats.root import PAYLOAD_TYPE, Root, format_root, parse_root
from tests.drills.scene import ORIGIN, Scene

pytestmark = [pytest.mark.client, pytest.mark.slow]

YEAR = 365 * 86400


def current(scene: Scene) -> Root:
    return parse_root(dsse.parse((scene.site / "trail" / "root.json").read_bytes()).payload)


def signed(root: Root, *keys: Signer) -> bytes:
    return dsse.sign(PAYLOAD_TYPE, format_root(root), keys).encode()


def made(scene: Scene, name: str) -> Path:
    """A root key made on a machine of its own."""
    file = scene.root / name
    ended = scene.run("--json", "keys", "make", str(file), "--origin", ORIGIN)
    assert ended.code == 0, ended.err
    assert file.stat().st_mode & 0o777 == 0o600
    return file


def vkey(file: Path) -> str:
    return parse_skey(file.read_text().strip()).verifier.vkey()


def two_of_three(scene: Scene) -> tuple[Path, Path]:
    """The root taken over by three keys, two of which lie elsewhere."""
    ann, bea = made(scene, "ann.key"), made(scene, "bea.key")
    scene.keys("add", "root", vkey(ann))
    assert scene.keys("add", "root", vkey(bea), "--threshold", "2", exit=4).event("draft")["signatures"] == [
        {"root": 2, "have": 1, "need": 1},
        {"root": 3, "have": 1, "need": 2},
    ]
    sign(scene, 3, ann)
    submit(scene, 3)
    submit(scene, 3)
    assert (current(scene).version, current(scene).threshold, len(current(scene).keys)) == (3, 2, 3)
    return ann, bea


def draft(scene: Scene, version: int) -> Path:
    return scene.home / "state" / f"{version}.root.draft.json"


def sign(scene: Scene, version: int, *keys: Path) -> None:
    for key in keys:
        ended = scene.run("keys", "sign", str(draft(scene, version)), "--key", str(key))
        assert ended.code == 0, ended.err


def submit(scene: Scene, version: int, *, exit: int = 0) -> None:  # noqa: A002
    scene.keys("submit", draft(scene, version), exit=exit)


def test_people_change_under_a_root_of_several_keys(scene: Scene) -> None:
    ann, _ = two_of_three(scene)
    settings = scene.home / "tagtrail.toml"
    (scene.home / "keys" / "stranger.pub").write_bytes(scene.stranger.with_suffix(".pub").read_bytes())
    text = settings.read_text().replace('keys = ["keys/jo.pub"]', 'keys = ["keys/jo.pub", "keys/stranger.pub"]')
    settings.write_text(text)
    scene.commit("next")
    scene.tag("1.1.0", key=scene.stranger)
    refused = scene.done("release", "toy", "1.1.0", exit=3).event("refused")
    assert (refused["code"], refused["next"]) == ("root-keys", "tagtrail keys renew")
    scene.keys("renew", exit=4)
    submit(scene, 4, exit=4)
    sign(scene, 4, ann)
    submit(scene, 4)
    scene.done("release", "toy", "1.1.0")
    scene.pin("bob")
    assert scene.verify("bob", scene.site / "toy" / "toy-1.1.0.tar.gz") == "ok"
    scene.done("audit")


def test_a_lost_root_key_of_three_is_replaced_by_the_others(scene: Scene) -> None:
    ann, bea = two_of_three(scene)
    lost = scene.stolen("root.key").verifier.vkey()
    scene.private("root.key").unlink()
    scene.keys("rotate", "root", lost.split("+")[1], exit=4)
    sign(scene, 4, ann, bea)
    submit(scene, 4)
    assert lost not in current(scene).keys
    scene.pin("bob")
    assert [scene.verify(who, scene.file) for who in ("ann", "bob")] == ["ok", "ok"]
    assert scene.verify("bob", scene.release("1.1.0")) == "ok"
    scene.done("audit")


def test_a_stolen_root_key_of_three_forges_no_root(scene: Scene) -> None:
    ann, bea = two_of_three(scene)
    scene.pin("bob")
    root, thief = current(scene), scene.stolen("root.key")
    evil = replace(root, version=4, threshold=1, keys=(thief.verifier.vkey(),))
    assert scene.follow("bob", signed(evil, thief), 4) == "root-old-signatures"
    scene.keys("retire", "root", thief.verifier.vkey(), exit=4)
    sign(scene, 4, ann, bea)
    submit(scene, 4)
    scene.pin("bob")
    assert scene.follow("bob", signed(replace(evil, version=5), thief, thief), 5) == "root-old-signatures"
    skipped = replace(current(scene), version=6)
    signers = [parse_skey(file.read_text().strip()) for file in (ann, bea)]
    assert scene.follow("bob", signed(skipped, *signers), 6) == "root-unreachable"
    fork = replace(current(scene), expires=current(scene).expires - 1)
    assert scene.follow("bob", signed(fork, *signers), 4) == "root-fork"
    assert scene.follow("bob", (scene.site / "trail" / "3.root.json").read_bytes(), 3) == "root-rollback"
    assert scene.verify("bob", scene.file) == "ok"


def test_whoever_steals_the_only_root_key_is_the_operator(scene: Scene) -> None:
    """What one machine with all keys means: only people who compare fingerprints, and auditors, notice."""
    thief = Signer(name=ORIGIN, seed=b"t" * 32)
    evil = replace(current(scene), version=2, keys=(thief.verifier.vkey(),))
    stolen = scene.stolen("root.key")
    assert scene.follow("bob", signed(evil, stolen, thief), 2) == "ok"
    scene.keys("renew")
    ended = scene.run("--json", "trust", str(scene.site), env={"XDG_CONFIG_HOME": str(scene.root / "consumers/bob")})
    assert (ended.code, ended.events[-1]["code"]) == (7, "root-fork")
    assert scene.verify("ann", scene.file) == "ok"


def test_without_its_only_root_key_nothing_about_trust_can_change(scene: Scene) -> None:
    scene.private("root.key").unlink()
    assert scene.verify("ann", scene.release("1.1.0")) == "ok"
    ended = scene.keys("renew", exit=4)
    assert ended.event("draft")["signatures"][0] == {"root": 1, "have": 0, "need": 1}
    assert scene.verify("ann", scene.file) == "ok"


def test_the_only_root_key_is_replaced_while_it_is_there(scene: Scene) -> None:
    old = scene.stolen("root.key").verifier.vkey()
    scene.keys("rotate", "root")
    assert current(scene).keys == (scene.stolen("root.key").verifier.vkey(),) != (old,)
    scene.pin("bob")
    assert scene.verify("bob", scene.release("1.1.0")) == "ok"
    scene.done("audit")


def test_an_expired_root_takes_no_entries_and_proves_old_ones(scene: Scene) -> None:
    root, key = current(scene), scene.stolen("root.key")
    expired = replace(root, version=2, expires=1)
    enter_by_hand(scene, signed(expired, key))
    scene.commit("next")
    scene.tag("1.1.0")
    refused = scene.done("release", "toy", "1.1.0", exit=3).event("refused")
    assert (refused["code"], refused["next"]) == ("root-expired", "tagtrail keys renew")
    assert "expired" in scene.keys("show").event("note")["text"]
    assert scene.tell("verify", str(scene.file)).code == 0
    scene.keys("renew")
    scene.done("release", "toy", "1.1.0")
    scene.pin("bob")
    assert scene.verify("bob", scene.file) == "ok"


def enter_by_hand(scene: Scene, envelope: bytes) -> None:
    """A root in the trail that no command would enter: only time makes one."""
    from tagtrail.app.instance.wiring import open_road
    from tagtrail.trail import sequencer
    from tagtrail.workflows.roots import key_draft
    from tagtrail.workflows.witnessed import witnessed

    road = open_road(scene.home, tell=lambda *_: None)
    head = road.ledger.committed()
    new = sequencer.append(
        [key_draft(road, {"2.root.json": envelope})], after=head, ledger=road.ledger, log=road.log, clock=road.clock
    )
    witnessed(road, *new)

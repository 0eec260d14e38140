"""Drills for the keys that sign files: the OpenPGP release key and the builder's key, each lost and stolen."""

import subprocess
from pathlib import Path

import pytest

from tagtrail.adapters.openpgp import OpenPGP
from tests.drills.scene import FILE, Scene

pytestmark = [pytest.mark.client, pytest.mark.slow]

EVIL = b"not what was released"


def gpg_accepts(scene: Scene, certificate: bytes, file: Path, signature: bytes) -> bool:
    """Whether gpg, which knows nothing but this certificate file, finds the signature good."""
    home = scene.root / "gnupg"
    home.mkdir(mode=0o700)
    (home / "key.asc").write_bytes(certificate)
    (home / "file.asc").write_bytes(signature)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--no-autostart"]
    subprocess.run([*gpg, "--import", str(home / "key.asc")], check=True, capture_output=True)
    done = subprocess.run([*gpg, "--verify", str(home / "file.asc"), str(file)], capture_output=True, check=False)
    for path in sorted(home.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    home.rmdir()
    return done.returncode == 0


def certificate(scene: Scene) -> bytes:
    return (scene.site / "trail" / "keys" / "release-key.asc").read_bytes()


def test_a_lost_release_key_stays_good_for_what_it_signed(scene: Scene) -> None:
    asc = scene.file.with_name(f"{FILE}.asc").read_bytes()
    scene.private("release-key.pgp").unlink()
    scene.keys("rotate", "release")
    new = scene.release("1.1.0")
    scene.pin("bob")
    assert [scene.verify(who, scene.file) for who in ("ann", "bob")] == ["ok", "ok"]
    assert [scene.verify(who, new) for who in ("ann", "bob")] == ["ok", "ok"]
    assert gpg_accepts(scene, certificate(scene), scene.file, asc)
    assert gpg_accepts(scene, certificate(scene), new, new.with_name(f"{new.name}.asc").read_bytes())
    scene.done("audit")
    assert len(scene.rule()["release"]) == 2


def test_a_stolen_release_key_signs_nothing_that_counts(scene: Scene) -> None:
    thief = OpenPGP(scene.private("release-key.pgp").read_bytes())
    signature = thief.sign(EVIL)
    honest = scene.file.with_name(f"{FILE}.tlog-proof").read_bytes()
    evil = scene.place(FILE, EVIL, honest)
    before = certificate(scene)
    assert gpg_accepts(scene, before, evil, signature)  # gpg alone is fooled by whoever holds the key
    assert scene.verify("ann", evil) == "digest-mismatch"

    scene.keys("rotate", "release", "--stolen")
    new = scene.release("1.1.0")
    scene.pin("bob")
    assert not gpg_accepts(scene, certificate(scene), evil, signature)
    assert gpg_accepts(scene, certificate(scene), new, new.with_name(f"{new.name}.asc").read_bytes())
    assert [scene.verify(who, file) for who in ("ann", "bob") for file in (scene.file, new)] == ["ok"] * 4
    scene.done("audit")
    assert scene.rule()["until"] == {thief.fingerprint: 2}

    (scene.site / "toy" / f"{new.name}.asc").write_bytes(thief.sign(new.read_bytes()))
    assert "file-differs" in {e["rule"] for e in scene.done("audit", exit=7).events if e["event"] == "finding"}


def test_an_old_signature_made_after_the_theft_counts_for_no_later_entry(scene: Scene) -> None:
    """A thief inside: the release goes on with the stolen key, which only the root's word can end."""
    stolen = scene.private("release-key.pgp").read_bytes()
    scene.keys("rotate", "release", "--stolen")
    scene.private("release-key.pgp").write_bytes(stolen)
    scene.commit("next")
    scene.tag("1.1.0")
    ended = scene.done("release", "toy", "1.1.0", exit=3)
    assert ended.event("refused")["code"] == "key-not-in-root"


@pytest.mark.parametrize("stolen", [False, True], ids=["lost", "stolen"])
def test_a_builder_key_is_replaced(scene: Scene, stolen: bool) -> None:
    old = scene.stolen("builder.key").verifier.vkey()
    if not stolen:
        scene.private("builder.key").unlink()
    scene.keys("rotate", "builder", *(["--stolen"] if stolen else []))
    new = scene.release("1.1.0")
    scene.pin("bob")
    assert [scene.verify(who, file) for who in ("ann", "bob") for file in (scene.file, new)] == ["ok"] * 4
    assert scene.rule().get("until") == ({old: 2} if stolen else None)
    assert scene.rule()["builders"][0] == old
    scene.done("audit")


def test_a_forged_provenance_is_found(scene: Scene) -> None:
    from tagtrail.formats import dsse

    thief = scene.stolen("builder.key")
    path = scene.site / "toy" / "toy-1.0.0.intoto.jsonl"
    payload = dsse.parse(path.read_bytes().strip()).payload.replace(b'"toy"', b'"not"')
    scene.keys("rotate", "builder", "--stolen")
    path.write_bytes(dsse.sign(dsse.IN_TOTO, payload, [thief]).encode() + b"\n")
    assert "file-differs" in {e["rule"] for e in scene.done("audit", exit=7).events if e["event"] == "finding"}

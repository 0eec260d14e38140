"""FILE.asc judged as OpenPGP: what a release key that errs, or somebody else's, can leave beside an artifact."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from pysequoia import CipherSuite, Profile, SignatureMode, Tsk, sign

from tagtrail.adapters.openpgp import OpenPGP, generate
from tagtrail.workflows.audit.files import SIGNED
from tagtrail.workflows.release import release
from tests.workflows.auditing import KEY, NOW, Site, found, look, root_of, signed
from tests.workflows.world import World

OTHER = OpenPGP(generate("<other@example.org>").encode())
V6 = Tsk.generate(
    user_id="<six@example.org>", profile=Profile.RFC9580, cipher_suite=CipherSuite.Cv25519, validity_seconds=None
)
SDIST, WHEEL = "nova/nova-1.0.0.tar.gz", "nova/nova-1.0.0-py3-none-any.whl"


class Signer:
    """A release key that signs as `how` says."""

    def __init__(self, how: Callable[[bytes], bytes], key: OpenPGP = KEY) -> None:
        self.fingerprint, self.certificate, self.sign = key.fingerprint, key.certificate, how


def released(how: Callable[[bytes], bytes]) -> World:
    world = signed(World())
    vars(world).update(signer=Signer(how))
    release(world.road(), world.project(), "1.0.0")
    return world


def clear(data: bytes) -> bytes:
    return sign(KEY._signer, data, mode=SignatureMode.CLEAR)


def swap_middle(block: bytes) -> bytes:
    lines = block.split(b"\n")
    lines[4] = lines[4][::-1]
    return b"\n".join(lines)


@pytest.mark.parametrize(
    ("how", "code"),
    [
        (KEY.sign, None),
        (lambda data: KEY.sign(data + b"."), "asc-signature-bad"),
        (OTHER.sign, "asc-signer-unknown"),
        (lambda data: KEY.sign(data) + KEY.sign(data), "asc-two-signatures"),
        (clear, "asc-malformed"),
        (lambda data: b"", "asc-malformed"),
        (lambda data: b"hello\n" + KEY.sign(data), "asc-malformed"),
        (lambda data: KEY.sign(data) + b"hello\n", "asc-malformed"),
        (lambda data: swap_middle(KEY.sign(data)), "asc-malformed"),
        (lambda data: sign(V6.signer(), data, mode=SignatureMode.DETACHED, armor=True), "asc-version"),
        (lambda data: sign(KEY._signer, data, mode=SignatureMode.DETACHED, armor=False), "asc-malformed"),
    ],
    ids="good other-bytes other-key two clear empty before behind garbled v6 binary".split(),
)
def test_a_signature_that_the_trail_names_and_that_is_not_good(how: Callable[[bytes], bytes], code: str | None) -> None:
    world = released(how)
    wanted = {(code, f"{path}.asc") for path in (SDIST, WHEEL)} if code else set()
    assert found(look(world, Site(world.store.files), root_of(world))) == wanted


def test_a_release_key_that_was_made_after_the_entry() -> None:
    world = signed(World(now=NOW - 86_400))
    world.now = NOW - 86_400
    release(world.road(), world.project(), "1.0.0")
    codes = {code for code, _ in found(look(world, Site(world.store.files), root_of(world)))}
    assert codes == {"asc-key-not-yet"}


def test_a_root_without_release_keys_judges_no_signature() -> None:
    world = released(OTHER.sign)
    root = replace(root_of(world), release=())
    site = Site({path: data for path, data in world.store.files.items() if path != "trail/1.root.json"})
    assert {code for code, _ in found(look(world, site, root))} == {"page-missing"}


def test_what_is_too_large_to_be_held_is_measured_and_said(tmp_path: Any) -> None:
    world = released(KEY.sign)
    seen = look(world, Site(world.store.files), root_of(world))
    assert SIGNED >= 2**20
    assert not [what for what, _ in seen.left_out if "OpenPGP" in what]

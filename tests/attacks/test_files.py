"""Attacks on files and what lies beside them (lines 1 to 6), by whoever can change a mirror or a download."""

import gzip
import lzma
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from pysequoia import ArmorKind, SignatureMode, Tsk, armor, sign
from pysequoia.packet import PacketPile

from tagtrail.adapters.openpgp import generate
from tagtrail.model.errors import TamperError
from tagtrail.model.facts import Key
from tagtrail.verify.asc import judge_asc
from tagtrail.workflows.release import release
from tests.attacks.ground import (
    NEWER,
    NOW,
    SDIST,
    SIGNER,
    SUMS,
    TAG,
    WHEEL,
    XZ,
    Bend,
    Files,
    Ground,
    audited,
    consumer,
    ground,
    root,
    verified,
)
from tests.verify.test_tags import armoured
from tests.verify.vectors import keys, tag

BLOCK = 512


@pytest.fixture
def files() -> Files:
    return dict(ground().store.files)


def changed(name: str, change: Callable[[bytes], bytes]) -> Bend:
    return lambda files: files.update({f"nova/{name}": change(files[f"nova/{name}"])})


def gone(*names: str) -> Bend:
    return lambda files: [files.pop(f"nova/{name}") for name in names]


def taken(name: str, other: str) -> Bend:
    """The bytes of `other` under the name of `name`."""
    return lambda files: files.update({f"nova/{name}": files[f"nova/{other}"]})


def each(*bends: Bend) -> Bend:
    return lambda files: [bend(files) for bend in bends]


def flip(at: int) -> Callable[[bytes], bytes]:
    def flipped(data: bytes) -> bytes:
        place = at % len(data)
        return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]

    return flipped


# --- 1: the artifact ------------------------------------------------------------------------------------------------

Change = Callable[[bytes], bytes]
ARTIFACT: dict[str, tuple[str, Change]] = {
    "first byte": (SDIST, flip(0)),
    "a byte in the middle": (SDIST, flip(60)),
    "last byte": (SDIST, flip(-1)),
    "a byte that gzip ignores, its operating system": (SDIST, flip(9)),
    "a byte of an xz": (XZ, flip(40)),
    "a byte of a wheel": (WHEEL, flip(40)),
    "cut at a block boundary": (SDIST, lambda data: data[: len(data) // 2 // 16 * 16]),
    "cut to one block": (XZ, lambda data: data[: min(BLOCK, len(data) - 4)]),
    "cut by one byte": (WHEEL, lambda data: data[:-1]),
    "cut to zero": (SDIST, lambda _: b""),
    "zeros after the gzip end": (SDIST, lambda data: data + bytes(BLOCK)),
    "text after the gzip end": (SDIST, lambda data: data + b"#!/bin/sh\n"),
    "a second gzip stream": (SDIST, lambda data: data + gzip.compress(b"evil")),
    "an empty second gzip stream": (SDIST, lambda data: data + gzip.compress(b"")),
    "padding after the xz end": (XZ, lambda data: data + bytes(4)),
    "text after the xz end": (XZ, lambda data: data + b"#!/bin/sh\n"),
    "a second xz stream": (XZ, lambda data: data + lzma.compress(b"evil")),
    "an empty second xz stream": (XZ, lambda data: data + lzma.compress(b"")),
    "a comment at the zip end": (WHEEL, lambda data: data[:-2] + b"\x04\x00evil"),
    "a program before the zip": (WHEEL, lambda data: b"#!/bin/sh\n" + data),
    "a second zip": (WHEEL, lambda data: data * 2),
    "packed again, the same content": (SDIST, lambda data: gzip.compress(gzip.decompress(data), 1, mtime=1)),
    "unpacked": (SDIST, gzip.decompress),
}


@pytest.mark.parametrize(("name", "change"), ARTIFACT.values(), ids=ARTIFACT)
def test_an_artifact_is_what_was_released(
    name: str, change: Callable[[bytes], bytes], files: Files, tmp_path: Path
) -> None:
    before = files[f"nova/{name}"]
    changed(name, change)(files)
    assert files[f"nova/{name}"] != before
    at = consumer(tmp_path, files, name, f"{name}.tlog-proof", TAG)
    assert verified(at / name) == [(name, "digest-mismatch")]
    assert audited(files) == {("file-differs", f"nova/{name}")}


# --- 2: its signature -----------------------------------------------------------------------------------------------

ASC = f"{SDIST}.asc"
SIGNATURE: dict[str, Bend] = {
    "flipped": changed(ASC, flip(150)),
    "empty": changed(ASC, lambda _: b""),
    "clear-signed": changed(ASC, lambda _: b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nx\n"),
    "with two signatures": changed(ASC, lambda data: data * 2),
    "swapped with another file's": taken(ASC, f"{WHEEL}.asc"),
    "of the older release": taken(ASC, f"{NEWER}.asc"),
    "a comment more": changed(ASC, lambda data: b"\n" + data),
}


@pytest.mark.parametrize("bend", SIGNATURE.values(), ids=SIGNATURE)
def test_a_signature_on_a_mirror_is_the_logged_one(bend: Bend, files: Files, tmp_path: Path) -> None:
    bend(files)
    assert (ASC, "sidecar-mismatch") in verified(consumer(tmp_path, files))
    assert audited(files) == {("file-differs", f"nova/{ASC}")}


def test_a_signature_that_was_stripped_is_missed_by_auditors_alone(files: Files, tmp_path: Path) -> None:
    """It adds nothing to the proof, so a consumer does not need it."""
    gone(ASC)(files)
    assert {code for _, code in verified(consumer(tmp_path, files))} == {"ok"}
    assert audited(files) == {("file-missing", f"nova/{ASC}")}


KEY = Key(fingerprint=SIGNER.fingerprint, scheme="openpgp", material=SIGNER.certificate)
STRANGER = Tsk.from_bytes(generate("<eve@example.org>").encode())
DATA = b"the artifact"


def packets(*blocks: bytes) -> bytes:
    """The packets of several armoured signatures in one armour."""
    raw = b"".join(bytes(packet) for block in blocks for packet in PacketPile.from_bytes(block))
    return armor(raw, ArmorKind.Signature).encode()


def by(key: Tsk, mode: SignatureMode = SignatureMode.DETACHED) -> bytes:
    return sign(key.signer(), DATA, mode=mode, armor=True)


GOOD = SIGNER.sign(DATA)
LOGGED = {
    "empty": (b"", "asc-malformed"),
    "text": (b"good signature\n", "asc-malformed"),
    "cut": (GOOD[:-40], "asc-malformed"),
    "binary": (b"".join(bytes(p) for p in PacketPile.from_bytes(GOOD)), "asc-malformed"),
    "something before it": (b"x\n" + GOOD, "asc-malformed"),
    "something behind it": (GOOD + b"x\n", "asc-malformed"),
    "clear-signed": (by(STRANGER, SignatureMode.CLEAR), "asc-malformed"),
    "a signed message": (by(STRANGER, SignatureMode.INLINE), "asc-malformed"),
    "two blocks": (GOOD * 2, "asc-two-signatures"),
    "two packets in one block": (packets(GOOD, GOOD), "asc-two-signatures"),
    "a stranger's beside ours": (packets(GOOD, by(STRANGER)), "asc-two-signatures"),
    "a stranger's": (by(STRANGER), "asc-signer-unknown"),
    "of another file": (SIGNER.sign(b"another file"), "asc-signature-bad"),
}


@pytest.mark.parametrize(("block", "code"), LOGGED.values(), ids=LOGGED)
def test_a_signature_that_was_logged_is_judged(block: bytes, code: str) -> None:
    """An operator, or whoever has his log, may log any bytes as a signature: auditors look at them."""
    with pytest.raises(TamperError) as caught:
        judge_asc(block, DATA, [KEY], NOW)
    assert caught.value.code == code
    assert judge_asc(GOOD, DATA, [KEY], NOW) == SIGNER.fingerprint


def test_a_subkey_without_back_signature_signs_no_file() -> None:
    payload, mark, rest = tag("good").partition(b"-----BEGIN PGP SIGNATURE-----")
    (key,) = keys("jo.asc")
    at = NOW
    assert judge_asc(mark + rest, payload, [key], at) == key.fingerprint
    *others, subkey, binding = [bytes(packet) for packet in PacketPile.from_bytes(key.material.encode())]
    place = binding.index(b"\x20\x04\x19")
    bare = armoured(b"".join([*others, subkey, binding[:place] + b"\x64" + binding[place + 1 :]]))
    with pytest.raises(TamperError) as caught:
        judge_asc(mark + rest, payload, [bare], at)
    assert caught.value.code == "asc-signature-bad"


def test_an_auditor_judges_what_was_logged() -> None:
    class Careless:
        """Signs something else than it is given."""

        fingerprint, certificate = SIGNER.fingerprint, SIGNER.certificate

        def sign(self, data: bytes) -> bytes:
            return SIGNER.sign(data + b"x")

    world = Ground()
    vars(world).update(signer=Careless())
    release(world.road(), world.project(), "1.0.0")
    found = audited(dict(world.store.files), root(world.store.files))
    assert found == {("asc-signature-bad", f"nova/{name}.asc") for name in (SDIST, XZ, WHEEL)}


# --- 3: an older artifact under a new name --------------------------------------------------------------------------


def test_an_old_artifact_under_a_new_name(files: Files, tmp_path: Path) -> None:
    """With its own valid signature: what is signed is bytes, what is logged is a name with its bytes."""
    each(taken(NEWER, SDIST), taken(f"{NEWER}.asc", f"{SDIST}.asc"))(files)
    at = consumer(tmp_path, files)
    said = dict(verified(at))
    assert (said[NEWER], said[f"{NEWER}.asc"]) == ("digest-mismatch", "sidecar-mismatch")
    assert audited(files) == {("file-differs", f"nova/{NEWER}"), ("file-differs", f"nova/{NEWER}.asc")}


def test_an_old_artifact_under_a_new_name_with_its_proof(files: Files, tmp_path: Path) -> None:
    each(taken(NEWER, SDIST), taken(f"{NEWER}.tlog-proof", f"{SDIST}.tlog-proof"))(files)
    at = consumer(tmp_path, files, NEWER, f"{NEWER}.tlog-proof", TAG)
    assert verified(at / NEWER) == [(NEWER, "name-not-in-entry")]
    assert ("file-differs", f"nova/{NEWER}") in audited(files)


def test_another_releases_whole_set_under_this_one(files: Files, tmp_path: Path) -> None:
    """Everything of 1.0.0 called 2.0.0, tag and sums too."""
    old = [path for path in files if path.startswith("nova/nova-1.0.0")]
    for path in old:
        files[path.replace("1.0.0", "2.0.0")] = files[path]
    at = consumer(tmp_path, files, *(path.removeprefix("nova/").replace("1.0.0", "2.0.0") for path in old))
    assert {code for name, code in verified(at) if name.endswith((".gz", ".xz", ".whl"))} == {"name-not-in-entry"}


# --- 4: SHA256SUMS --------------------------------------------------------------------------------------------------


def line(name: str) -> Callable[[bytes], bytes]:
    return lambda data: data + f"{'0' * 64}  {name}\n".encode()


LISTS: dict[str, Change] = {
    "a missing line": lambda data: b"".join(data.splitlines(keepends=True)[1:]),
    "an extra one": line("zzz-1.0.0.tar.gz"),
    "a path out of the directory": line("../zzz"),
    "an absolute path": line("/etc/passwd"),
    "the same name twice": lambda data: data + data.splitlines(keepends=True)[-1],
    "CRLF": lambda data: data.replace(b"\n", b"\r\n"),
    "an escaped name": lambda data: b"\\" + data,
    "no final newline": lambda data: data[:-1],
    "empty": lambda _: b"",
}


@pytest.mark.parametrize("change", LISTS.values(), ids=LISTS)
def test_a_list_on_a_mirror_is_the_logged_one(change: Callable[[bytes], bytes], files: Files, tmp_path: Path) -> None:
    changed(SUMS, change)(files)
    assert (SUMS, "sidecar-mismatch") in verified(consumer(tmp_path, files))
    assert audited(files) == {("file-differs", f"nova/{SUMS}")}


# --- 5: without sidecars --------------------------------------------------------------------------------------------

BESIDE = (f"{SDIST}.asc", f"{SDIST}.tlog-proof", f"{SDIST}.metadata", SUMS, f"{SUMS}.asc", TAG)


def test_sidecars_stripped_and_the_artifact_replaced(files: Files, tmp_path: Path) -> None:
    each(gone(*BESIDE), changed(SDIST, lambda _: b"evil"))(files)
    at = consumer(tmp_path, files, SDIST)
    assert verified(at / SDIST) == [(SDIST, "proof-missing")]
    assert verified(at) == [(SDIST, "unknown")]
    missing = {("file-missing", f"nova/{name}") for name in BESIDE}
    assert missing | {("file-differs", f"nova/{SDIST}")} <= audited(files)


def test_the_proof_kept_and_the_artifact_replaced(files: Files, tmp_path: Path) -> None:
    changed(SDIST, lambda _: b"evil")(files)
    at = consumer(tmp_path, files, SDIST, f"{SDIST}.tlog-proof")
    assert verified(at) == [(SDIST, "digest-mismatch")]


@pytest.mark.parametrize("kept", [TAG, None])
def test_what_is_required_comes_from_the_entry(kept: str | None, files: Files, tmp_path: Path) -> None:
    """A mirror that lacks sidecars: the tag is needed, for the entry names it; what else is there does not matter."""
    names = [SDIST, f"{SDIST}.tlog-proof", *filter(None, [kept])]
    at = consumer(tmp_path, files, *names)
    assert verified(at) == [(SDIST, "ok" if kept else "tag-missing")]


@pytest.mark.parametrize("name", [*BESIDE, "nova-1.0.0.notes.md", "nova-1.0.0.intoto.jsonl"])
def test_an_auditor_misses_every_sidecar(name: str, files: Files) -> None:
    gone(name)(files)
    assert ("file-missing", f"nova/{name}") in audited(files)


def test_a_sidecar_is_not_taken_from_another_release(files: Files, tmp_path: Path) -> None:
    taken(TAG, "nova-2.0.0.tag")(files)
    at = consumer(tmp_path, files, SDIST, f"{SDIST}.tlog-proof", TAG)
    assert verified(at / SDIST) == [(SDIST, "tag-digest-mismatch")]


# --- 6: archives of one release that do not agree -------------------------------------------------------------------


def test_an_xz_of_other_content_than_the_gz(files: Files, tmp_path: Path) -> None:
    """On a mirror: each archive has a digest of its own."""
    changed(XZ, lambda _: lzma.compress(gzip.decompress(files[f"nova/{NEWER}"])))(files)
    at = consumer(tmp_path, files, XZ, f"{XZ}.tlog-proof", SDIST, f"{SDIST}.tlog-proof", TAG)
    assert verified(at) == [(SDIST, "ok"), (XZ, "digest-mismatch")]


def test_a_wheel_of_another_commit(files: Files, tmp_path: Path) -> None:
    """On a mirror: the wheel of the next release, which is of another commit."""
    taken(WHEEL, WHEEL.replace("1.0.0", "2.0.0"))(files)
    at = consumer(tmp_path, files, WHEEL, f"{WHEEL}.tlog-proof")
    assert verified(at) == [(WHEEL, "digest-mismatch")]
    assert sha256(files[f"nova/{WHEEL}"]).hexdigest() != sha256(ground().store.files[f"nova/{WHEEL}"]).hexdigest()

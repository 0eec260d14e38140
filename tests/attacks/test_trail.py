"""Attacks on the trail (lines 7 to 14), by who can change a proof, a checkpoint, a tile, or holds the log's key."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from tagtrail.formats import ed25519, entry, merkle, note
from tagtrail.formats.proof import Proof
from tagtrail.model.errors import ProjectError, TamperError
from tagtrail.model.facts import Artifact
from tagtrail.ports import BuildOrder, Kept, Objects
from tagtrail.testing import memory
from tagtrail.testing.fuse import Blown, Fuse
from tagtrail.workflows.release import release
from tests.attacks.ground import SDIST, Bend, Files, Ground, audited, consumer, ground, root, verified
from tests.verify.workshop import ORIGIN, TIME, Case, Workshop, witness_key
from tests.workflows.world import World

SHOP = Workshop()
W1, W2 = witness_key("w1"), witness_key("w2")
WITNESSED = Workshop(witnesses=(W1, W2), needed=2)


def refused(case: Case, **options: bool) -> str:
    with pytest.raises(TamperError) as caught:
        case.verify(**options)
    assert caught.value.what.isprintable()
    return caught.value.code


def line(text: bytes, signer: note.Signer = SHOP.log, key_id: bytes | None = None) -> bytes:
    """A signature line over any bytes at all, as an enemy with the key makes it."""
    value = (signer.verifier.key_id if key_id is None else key_id) + ed25519.sign(signer.seed, text)
    return f"\u2014 {signer.name} ".encode() + b64encode(value) + b"\n"


def under(text: bytes, *lines: bytes) -> Case:
    """The workshop's proof with this checkpoint, signed by the log's own key."""
    checkpoint = text + b"\n" + b"".join(lines or (line(text),))
    head = SHOP.proof()
    bare = Proof(index=head.index, hashes=head.hashes, checkpoint=head.checkpoint, extra=head.extra).encode()
    return SHOP.but(proof=bare[: -len(head.checkpoint)] + checkpoint)


TEXT = SHOP.checkpoint().text().encode()
ROOT = TEXT.split(b"\n")[2]


def test_the_enemys_tools_make_what_holds() -> None:
    assert under(TEXT).verify().size == SHOP.size


# --- 7: entry and proof ---------------------------------------------------------------------------------------------


def proof(change: Callable[[Proof], Proof]) -> Case:
    return SHOP.but(proof=change(SHOP.proof()).encode())


def later(**changes: object) -> bytes:
    return replace(SHOP, **changes).entry  # type: ignore[arg-type]


HEAD = SHOP.proof()
NODE = b"\x01" + HEAD.hashes[0] + merkle.leaf_hash(SHOP.entry)
PROOFS: dict[str, tuple[Case, str]] = {
    "entry changed, proof intact": (proof(lambda p: replace(p, extra=later(entry_time=TIME - 1))), "proof-mismatch"),
    "another digest in the entry": (
        proof(lambda p: replace(p, extra=later(ours={"policy": "9" * 64}))),
        "proof-mismatch",
    ),
    "no entry": (proof(lambda p: replace(p, extra=None)), "proof-no-entry"),
    "a hash changed": (proof(lambda p: replace(p, hashes=(bytes(32), *p.hashes[1:]))), "proof-mismatch"),
    "hashes in another order": (proof(lambda p: replace(p, hashes=p.hashes[::-1])), "proof-mismatch"),
    "proof of the next leaf": (SHOP.but(proof=replace(Workshop(index=8).proof(), index=7).encode()), "proof-mismatch"),
    "index one more": (proof(lambda p: replace(p, index=8)), "proof-mismatch"),
    "index one less": (proof(lambda p: replace(p, index=6)), "proof-mismatch"),
    "index of the size": (proof(lambda p: replace(p, index=13)), "index-range"),
    "index 2**63 - 1": (proof(lambda p: replace(p, index=2**63 - 1)), "index-range"),
    "a hash too few": (proof(lambda p: replace(p, hashes=p.hashes[:-1])), "proof-length"),
    "a hash too many": (proof(lambda p: replace(p, hashes=(*p.hashes, p.hashes[-1]))), "proof-length"),
    "no hash at all": (proof(lambda p: replace(p, hashes=())), "proof-length"),
    "64 hashes": (proof(lambda p: replace(p, hashes=p.hashes[:1] * 64)), "proof-hash-count"),
    "size unlike the checkpoint's": (
        proof(lambda p: replace(p, hashes=Workshop(size=30).proof().hashes)),
        "proof-length",
    ),
    "an older checkpoint": (
        proof(lambda p: replace(p, checkpoint=Workshop(size=12).proof().checkpoint)),
        "proof-mismatch",
    ),
    "an entry that looks like an inner node": (
        proof(lambda p: replace(p, index=3, hashes=p.hashes[1:], extra=NODE)),
        "json-utf8",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("case", "code"), PROOFS.values(), ids=PROOFS)
def test_an_entry_and_its_proof(case: Case, code: str) -> None:
    assert refused(case) == code


def test_an_entry_that_looks_like_an_inner_node_has_another_hash() -> None:
    """Were it read, it would prove nothing either: leaves and nodes are hashed apart."""
    assert len(NODE) == 65
    assert merkle.leaf_hash(NODE) != merkle.node_hash(NODE[1:33], NODE[33:])


# --- 8: the checkpoint ----------------------------------------------------------------------------------------------


def sized(size: str) -> Case:
    return under(TEXT.replace(b"\n13\n", f"\n{size}\n".encode(), 1))


def rooted(text: bytes) -> Case:
    return under(TEXT.replace(ROOT, text))


def loose(text: bytes) -> bytes:
    """Another spelling of the same 32 bytes: the last character has two bits that nobody reads."""
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    place = alphabet.index(text[-2:-1])
    other = text[:-2] + alphabet[place + 1 : place + 2] + b"="
    assert b64decode(other) == b64decode(text)
    return other


CRLF = TEXT.replace(b"\n", b"\r\n")
CHECKPOINTS: dict[str, tuple[Case, str]] = {
    "wrong origin under the right key": (
        under(TEXT.replace(ORIGIN.encode(), b"other.example/trail")),
        "checkpoint-origin-mismatch",
    ),
    "the origin with a slash more": (under(TEXT.replace(b"\n", b"/\n", 1)), "checkpoint-origin-mismatch"),
    "the origin in capitals": (under(TEXT.replace(b"releases", b"Releases")), "checkpoint-origin-mismatch"),
    "an empty origin": (under(TEXT.replace(ORIGIN.encode(), b"")), "checkpoint-origin"),
    "leading zero": (sized("013"), "checkpoint-size"),
    "plus sign": (sized("+13"), "checkpoint-size"),
    "minus sign": (sized("-13"), "checkpoint-size"),
    "space before": (sized(" 13"), "checkpoint-size"),
    "space behind": (sized("13 "), "checkpoint-size"),
    "underscore": (sized("1_3"), "checkpoint-size"),
    "full-width digits": (sized("\uff11\uff13"), "checkpoint-size"),
    "Arabic digits": (sized("\u0661\u0663"), "checkpoint-size"),
    "superscript": (sized("1\u00b3"), "checkpoint-size"),
    "a fraction": (sized("13.0"), "checkpoint-size"),
    "an exponent": (sized("13e0"), "checkpoint-size"),
    "hexadecimal": (sized("0xd"), "checkpoint-size"),
    "nothing": (sized(""), "checkpoint-size"),
    "2**64 + 13": (sized(str(2**64 + 13)), "checkpoint-size"),
    "ten thousand digits": (sized("1" * 10_000), "checkpoint-size"),
    "non-canonical base64": (rooted(loose(ROOT)), "checkpoint-root"),
    "base64 without padding": (rooted(ROOT.rstrip(b"=")), "checkpoint-root"),
    "base64 of URLs": (rooted(b"-" + ROOT[1:]), "checkpoint-root"),
    "base64 with a space": (rooted(ROOT[:8] + b" " + ROOT[8:]), "checkpoint-root"),
    "31-byte root": (rooted(b64encode(b64decode(ROOT)[:31])), "checkpoint-root-size"),
    "33-byte root": (rooted(b64encode(b64decode(ROOT) + b"\0")), "checkpoint-root-size"),
    "no root": (under(b"\n".join(TEXT.split(b"\n")[:2]) + b"\n"), "checkpoint-lines"),
    "CRLF": (under(CRLF), "note-crlf"),
    "a single carriage return": (under(TEXT.replace(b"\n13\n", b"\r13\n")), "note-crlf"),
    "no final newline": (under(TEXT, line(TEXT)[:-1]), "note-no-newline"),
    "U+2028 in an extension": (under(TEXT + "x\u2028y\n".encode()), "checkpoint-separator"),
    "U+2028 for a newline": (under(TEXT.replace(b"\n13\n", "\u202813\n".encode())), "checkpoint-lines"),
    "U+0085 in an extension": (under(TEXT + "x\u0085y\n".encode()), "checkpoint-separator"),
    "a tab": (under(TEXT.replace(b"\n13\n", b"\n13\t\n")), "note-control"),
    "not UTF-8": (under(TEXT + b"\xff\n"), "note-utf8"),
    "duplicate signature lines": (under(TEXT, line(TEXT), line(TEXT)), "note-duplicate-signature"),
    "a good and a bad line of the log": (under(TEXT, line(TEXT), line(b"other")), "note-duplicate-signature"),
    "known name with wrong key id": (under(TEXT, line(TEXT, key_id=b"\0\0\0\0")), "note-no-known-key"),
    "known key under another name": (
        under(TEXT, line(TEXT, replace(SHOP.log, name="other.example"))),
        "note-no-known-key",
    ),
    "signature of another text": (under(TEXT, line(b"other")), "note-bad-signature"),
    "signature cut": (under(TEXT, line(TEXT)[:-5] + b"\n"), "note-bad-signature"),
    "signature cut within a group": (under(TEXT, line(TEXT)[:-6] + b"\n"), "note-base64"),
    "no signature": (under(TEXT, b"\n"), "note-unsigned"),
    "size of a deeper tree": (sized("17"), "proof-length"),
    "size of a tree without the entry": (sized("7"), "index-range"),
}


@pytest.mark.parametrize(("case", "code"), CHECKPOINTS.values(), ids=CHECKPOINTS)
def test_a_checkpoint_signed_by_the_logs_own_key(case: Case, code: str) -> None:
    assert refused(case) == code


# --- 9: the quorum --------------------------------------------------------------------------------------------------

QUORUM: dict[str, tuple[tuple[note.Signer, ...], str]] = {
    "one witness is too few": ((W1,), "quorum-unmet"),
    "a stranger is no witness": ((W1, witness_key("w3")), "quorum-unmet"),
    "one witness's line twice": ((W1, W1), "note-duplicate-signature"),
    "one key under two names": ((W1, replace(W1, name="witness.example/again")), "quorum-unmet"),
    "one key under the other's name": ((W1, replace(W1, name=W2.name)), "quorum-unmet"),
}


@pytest.mark.parametrize(("cosigned", "code"), QUORUM.values(), ids=QUORUM)
def test_a_quorum_is_not_stuffed(cosigned: tuple[note.Signer, ...], code: str) -> None:
    signed = WITNESSED.signed(WITNESSED.checkpoint().text(), *cosigned)
    assert refused(WITNESSED.but(proof=replace(WITNESSED.proof(), checkpoint=signed).encode())) == code


def test_a_cosignature_is_of_this_checkpoint() -> None:
    """One of an older tree, carried over."""
    old = note.parse(WITNESSED.signed(WITNESSED.checkpoint(12).text()))
    new = note.parse(WITNESSED.signed(WITNESSED.checkpoint().text(), W1))
    stale = next(s for s in old.signatures if s.name == W2.name)
    text = WITNESSED.checkpoint().text()
    mixed = note.sign(text, [], others=(*new.signatures, stale)).encode()
    assert refused(WITNESSED.but(proof=replace(WITNESSED.proof(), checkpoint=mixed).encode())) == "note-bad-signature"


# --- 11: tiles ------------------------------------------------------------------------------------------------------

HASHES, BUNDLE = "trail/tile/0/000.p/3", "trail/tile/entries/000.p/3"


def put(path: str, data: bytes) -> Bend:
    return lambda files: files.update({path: data})


def cut(path: str, at: int) -> Bend:
    return lambda files: files.update({path: files[path][:at]})


def bent(path: str, old: bytes, new: bytes) -> Bend:
    return lambda files: files.update({path: files[path].replace(old, new)})


TILES: dict[str, tuple[Bend, set[tuple[str, str]]]] = {
    "no hash tile": (lambda f: f.pop(HASHES), {("tile-missing", "trail/checkpoint")}),
    "no bundle": (lambda f: f.pop(BUNDLE), {("tile-missing", "trail/checkpoint")}),
    "an empty hash tile": (put(HASHES, b""), {("tile-size", "trail/checkpoint")}),
    "a garbled hash tile": (put(HASHES, bytes(96)), {("tile-root", "trail/checkpoint")}),
    "a hash tile cut at a hash": (cut(HASHES, 64), {("tile-size", "trail/checkpoint")}),
    "a hash tile cut within a hash": (cut(HASHES, 70), {("tile-size", "trail/checkpoint")}),
    "an older hash tile garbled": (put(HASHES[:-1] + "2", bytes(64)), {("tile-differs", HASHES[:-1] + "2")}),
    "a bundle of other entries": (
        lambda f: f.update({BUNDLE: f[BUNDLE].replace(b"nova", b"Nova")}),
        {("bundle-mismatch", "trail/checkpoint")},
    ),
    "a bundle cut": (cut(BUNDLE, 100), {("bundle-size", "trail/checkpoint")}),
    "an empty bundle": (put(BUNDLE, b""), {("bundle-size", "trail/checkpoint")}),
    "a bundle with more behind": (
        lambda f: f.update({BUNDLE: f[BUNDLE] + b"\0\1x"}),
        {("bundle-size", "trail/checkpoint")},
    ),
    "an older bundle for the newer one": (
        lambda f: f.update({BUNDLE: f[BUNDLE[:-1] + "2"]}),
        {("bundle-size", "trail/checkpoint")},
    ),
}


@pytest.mark.parametrize(("bend", "wanted"), TILES.values(), ids=TILES)
def test_tiles_are_the_checkpoints(bend: Bend, wanted: set[tuple[str, str]]) -> None:
    files = dict(ground().store.files)
    bend(files)
    assert audited(files) == wanted


# --- 12: at every point ---------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_bytes_altered_between_build_and_publish_never_arrive() -> None:
    """A kept artifact and a kept sidecar, altered on disk after every point of the road."""
    begun, fuse = World(), Fuse()
    release(begun.road(), begun.project(), "1.0.0", until="built")
    whole = begun.twin()
    release(whole.road(fuse), whole.project(), "1.0.0")
    for at in range(0, len(fuse.points), 9):
        killed = begun.twin()
        with pytest.raises(Blown):
            release(killed.road(Fuse(at)), killed.project(), "1.0.0")
        for victim in ("nova-1.0.0.tar.gz", "nova-1.0.0.tag"):
            world = killed.twin()
            shown = dict(world.store.files)
            digest = next(
                (d for d, data in world.kept.blobs.items() if data == whole.store.files[f"nova/{victim}"]), ""
            )
            if digest:
                world.kept.blobs[digest] = b"evil"
            with suppress(TamperError):
                release(world.road(), world.project(), "1.0.0")
            assert world.store.files.get(f"nova/{victim}") in (None, whole.store.files[f"nova/{victim}"])
            assert b"evil" not in world.store.files.values()
            assert shown.items() <= {**world.store.files, **shown}.items()


# --- 13: site and trail ---------------------------------------------------------------------------------------------

SITE: dict[str, tuple[Bend, set[tuple[str, str]]]] = {
    "a file without entry": (put("nova/nova-9.tar.gz", b"x"), {("file-unknown", "nova/nova-9.tar.gz")}),
    "a file of no project": (put("evil/evil-1.tar.gz", b"x"), {("file-unknown", "evil/evil-1.tar.gz")}),
    "a signature without file": (put("nova/nova-9.tar.gz.asc", b"x"), {("file-unknown", "nova/nova-9.tar.gz.asc")}),
    "a proof without file": (put("nova/x.tlog-proof", b"x"), {("file-unknown", "nova/x.tlog-proof")}),
    "a file beside the tiles": (put("trail/evil", b"x"), {("file-unknown", "trail/evil")}),
    "an entry without file": (lambda f: f.pop(f"nova/{SDIST}"), {("file-missing", f"nova/{SDIST}")}),
    "an index that names another digest": (
        bent("simple/nova/index.json", b'"sha256":"', b'"sha256":"0'),
        {(code, "simple/nova/index.json") for code in ("index-differs", "page-differs")},
    ),
    "an index without a file": (
        lambda f: f.update({"simple/nova/index.html": b"<!DOCTYPE html>"}),
        {(code, "simple/nova/index.html") for code in ("index-differs", "page-differs")},
    ),
    "no index": (lambda f: f.pop("simple/nova/index.html"), {("page-missing", "simple/nova/index.html")}),
    "a page that names another digest": (
        bent("nova/1.0.0/index.html", b"SHA-256", b"SHA-1"),
        {("page-differs", "nova/1.0.0/index.html")},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("bend", "wanted"), SITE.values(), ids=SITE)
def test_a_site_is_its_trail_and_nothing_else(bend: Bend, wanted: set[tuple[str, str]]) -> None:
    files: Files = dict(ground().store.files)
    bend(files)
    assert audited(files) == wanted


def test_a_file_that_no_entry_names_is_unknown_to_a_consumer(tmp_path: Path) -> None:
    files = dict(ground().store.files) | {"nova/nova-9.tar.gz": b"x"}
    assert ("nova-9.tar.gz", "unknown") in verified(consumer(tmp_path, files))


# --- 14: too much for a leaf ----------------------------------------------------------------------------------------


class ManyFiles(memory.Builder):
    """A build of more files than one entry can name."""

    def build(
        self, order: BuildOrder, objects: Objects, kept: Kept, meanwhile: Iterable[Callable[[], object]] = ()
    ) -> tuple[Artifact, ...]:
        (first, *_) = super().build(order, objects, kept, meanwhile)
        one = replace(first, generated=("nova-1.0.0.dist-info/METADATA",))
        return tuple(replace(one, name=f"nova-1.0.0-py3-none-linux_{n}.whl") for n in range(800))


@pytest.mark.slow
def test_more_files_than_an_entry_holds() -> None:
    world = Ground()
    world.builder = ManyFiles()
    with pytest.raises(ProjectError) as caught:
        release(world.road(), world.project(), "1.0.0")
    assert caught.value.code == "entry-too-large"
    assert (world.ledger.entries(), world.store.files) == ((), {})


@pytest.mark.parametrize("size", [65_536, 100_000])
def test_an_entry_beyond_a_leaf(size: int) -> None:
    """Whoever makes a log of his own can hash what he likes: it is not read."""
    huge = SHOP.entry + b" " * (size - len(SHOP.entry))
    assert refused(proof(lambda p: replace(p, extra=huge))) == "json-size"
    with pytest.raises(TamperError) as caught:
        entry.parse(0, huge)
    assert caught.value.code == "json-size"


def test_the_root_that_was_pinned_is_the_root_of_all_this() -> None:
    assert root(ground().store.files).version == 1

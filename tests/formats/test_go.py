"""Go's sumdb/note and sumdb/tlog (golang.org/x/mod): its vectors in every run, and its judgement of what we write."""

import base64
import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tagtrail.formats import merkle, note, tiles
from tagtrail.formats.merkle import leaf_hash
from tagtrail.formats.note import Note, Signer
from tagtrail.model.errors import TamperError
from tests.conftest import Golden
from tests.formats.gopher import build
from tests.formats.refusal import refused

FILE = Path(__file__).parent / "vectors" / "go-sumdb.json"
VECTORS = json.loads(FILE.read_bytes())
SUMDB = "golang.org/x/mod/sumdb"


@cache
def subtree(level: int, index: int) -> bytes:
    """The hash of a complete subtree of Go's log, whose entry N is the text `entry N`."""
    if level == 0:
        return leaf_hash(b"entry %d" % index)
    return merkle.node_hash(subtree(level - 1, 2 * index), subtree(level - 1, 2 * index + 1))


def root(size: int) -> bytes:
    return merkle.root(size, subtree)


def hashes(texts: list[str] | None) -> tuple[bytes, ...]:
    return tuple(base64.b64decode(text) for text in texts or [])


# --- its vectors ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", VECTORS["Keys"], ids=lambda key: key["Vkey"])
def test_its_keys_are_ours(key: dict[str, str]) -> None:
    signer = note.parse_skey(key["Skey"])
    assert (signer.skey(), signer.verifier.vkey()) == (key["Skey"], key["Vkey"])
    assert note.parse_vkey(key["Vkey"]) == signer.verifier


def test_its_notes_are_ours() -> None:
    signers = [note.parse_skey(key["Skey"]) for key in VECTORS["Keys"]]
    for vector in VECTORS["Notes"]:
        by = [signers[number] for number in vector["By"]]
        assert note.sign(vector["Text"], by).encode() == vector["Note"].encode()
        opened = note.open_note(vector["Note"].encode(), [signer.verifier for signer in signers])
        assert opened.note.text == vector["Text"]
        assert [found.verifier for found in opened.verified] == [signer.verifier for signer in by]


def test_its_checkpoints_and_roots_are_ours() -> None:
    signer = note.parse_skey(VECTORS["Keys"][0]["Skey"])
    for vector in VECTORS["Roots"]:
        head = note.Checkpoint(origin=signer.name, size=vector["Size"], root=root(vector["Size"]))
        assert base64.b64decode(vector["Root"]) == head.root
        assert note.sign(head.text(), [signer]).encode() == vector["Note"].encode()
        assert note.parse_checkpoint(note.parse(vector["Note"].encode()).text) == head


def test_its_inclusion_proofs_are_ours() -> None:
    for vector in VECTORS["Inclusion"]:
        size, index, proof = vector["Size"], vector["Index"], hashes(vector["Proof"])
        assert merkle.inclusion(index, size, subtree) == proof
        merkle.verify_inclusion(index, size, subtree(0, index), proof, root(size))


def test_its_consistency_proofs_are_ours() -> None:
    for vector in VECTORS["Consistency"]:
        old, new, proof = vector["Old"], vector["New"], hashes(vector["Proof"])
        assert merkle.consistency(old, new, subtree) == proof
        merkle.verify_consistency(old, new, root(old), root(new), proof)


def test_its_tiles_are_ours() -> None:
    for vector in VECTORS["Tiles"]:
        path = vector["Path"].replace("tile/8/", "tile/")
        assert path in set(tiles.paths(vector["Size"]))
        data = tiles.tile_bytes(tiles.parse_tile_path(path), subtree)
        assert sha256(data).hexdigest() == vector["Sha256"]


def test_its_paths_are_ours() -> None:
    for vector in VECTORS["Paths"]:
        tile = tiles.Tile(level=vector["Level"], index=vector["Index"], width=vector["Width"])
        path = vector["Path"].replace("tile/8/", "tile/")
        assert (tile.path, tiles.parse_tile_path(path)) == (path, tile)


# --- its judgement --------------------------------------------------------------------------------------------------

Question = dict[str, Any]
Case = tuple[str, Question, Callable[[], object]]
"""A name, what Go is asked, and what we do with the same bytes."""

LOG = Signer(name="releases.example.org/trail", seed=bytes([9]) * 32)
OTHER = Signer(name="other.example", seed=bytes([8]) * 32)
HEAD = note.Checkpoint(origin=LOG.name, size=300, root=root(300))
SIGNED = note.sign(HEAD.text(), [OTHER, LOG])
LINE = SIGNED.signatures[1]


def of_note(name: str, data: bytes, vkey: str = LOG.verifier.vkey()) -> Case:
    question = {"What": "note", "Note": data.decode(), "Vkeys": [vkey]}
    return f"note: {name}", question, lambda: note.open_note(data, [note.parse_vkey(vkey)])


def notes() -> Iterator[Case]:
    data, text = SIGNED.encode(), HEAD.text()
    yield of_note("as written", data)
    yield of_note("a changed size", data.replace(b"\n300\n", b"\n301\n"))
    yield of_note("a changed origin", data.replace(b"trail\n300", b"trial\n300"))
    yield of_note("nobody known", data, Signer(name=LOG.name, seed=bytes(32)).verifier.vkey())
    yield of_note("a cut signature", Note(text=text, signatures=(replace(LINE, value=LINE.value[:-1]),)).encode())
    yield of_note("another's signature", Note(text=text, signatures=(replace(LINE, name=OTHER.name),)).encode())
    yield of_note("no last newline", data[:-1])
    yield of_note("no empty line", data.replace(b"\n\n", b"\n"))
    yield of_note("carriage returns", data.replace(b"\n", b"\r\n"))
    yield of_note("a control character", data.replace(b"trail\n300", b"trail\x01\n300"))
    yield of_note("two spaces", data.replace(b"\xe2\x80\x94 rel", b"\xe2\x80\x94  rel"))
    yield of_note("no signatures", text.encode() + b"\n")


def proofs() -> Iterator[Case]:
    for size in (1, 2, 7, 255, 256, 257, 300):
        for index in {0, size // 2, size - 1}:
            good = merkle.inclusion(index, size, subtree)
            yield of_inclusion("as written", index, size, good)
            yield of_inclusion("too short", index, size, good[:-1]) if good else of_inclusion("x", 1, 1, ())
            yield of_inclusion("too long", index, size, (*good, bytes(32)))
            yield of_inclusion("another leaf", index, size, good, subtree(0, index + 1))
            yield of_inclusion("beyond the tree", size, size, good)
            grown = merkle.consistency(index + 1, size, subtree)
            yield of_consistency("as written", index + 1, size, grown)
            yield of_consistency(
                "too long", index + 1, size, (*merkle.consistency(index + 1, size, subtree), bytes(32))
            )
    grown = merkle.consistency(257, 300, subtree)
    for place in range(len(grown)):
        yield of_consistency("one hash wrong", 257, 300, (*grown[:place], bytes(32), *grown[place + 1 :]))
    yield of_consistency("another old root", 257, 300, grown, old_root=root(256))
    yield of_consistency("shrunk", 300, 257, grown)


def of_inclusion(name: str, index: int, size: int, proof: tuple[bytes, ...], leaf: bytes | None = None) -> Case:
    leaf = subtree(0, index) if leaf is None else leaf
    question = {"What": "inclusion", "Index": index, "Size": size, "Leaf": b64(leaf), "Root": b64(root(size))}
    question |= {"Proof": [b64(one) for one in proof]}
    act = partial(merkle.verify_inclusion, index, size, leaf, proof, root(size))
    return f"inclusion {index} of {size}: {name}", question, act


def of_consistency(name: str, old: int, new: int, proof: tuple[bytes, ...], old_root: bytes | None = None) -> Case:
    before = root(old) if old_root is None else old_root
    question = {"What": "consistency", "Old": old, "Size": new, "OldRoot": b64(before), "Root": b64(root(new))}
    question |= {"Proof": [b64(one) for one in proof]}
    act = partial(merkle.verify_consistency, old, new, before, root(new), proof)
    return f"growth from {old} to {new}: {name}", question, act


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def sites() -> Iterator[Case]:
    for size in (1, 3, 256, 257, 600):
        site = {path: data for path in tiles.paths(size) if (data := contents(path))}
        yield of_tiles("as written", size, site)
        for path, data in site.items():
            yield of_tiles(f"{path} changed", size, site | {path: bytes([data[0] ^ 1]) + data[1:]})
            yield of_tiles(f"{path} cut", size, site | {path: data[:-1]})
            yield of_tiles(f"{path} gone", size, {other: site[other] for other in site if other != path})


def contents(path: str) -> bytes:
    tile = tiles.parse_tile_path(path)
    return b"" if tile.level is None else tiles.tile_bytes(tile, subtree)


def of_tiles(name: str, size: int, site: dict[str, bytes]) -> Case:
    leaves = [subtree(0, number) for number in range(size)]
    served = {path.replace("tile/", "tile/8/"): b64(data) for path, data in site.items()}
    question = {"What": "tiles", "Size": size, "Root": b64(root(size)), "Tiles": served, "Leaves": [*map(b64, leaves)]}

    def read() -> None:
        reader = tiles.TileReader(size, root(size), site.get)
        assert [reader.read(0, number) for number in range(size)] == leaves

    return f"tiles of {size}: {name}", question, read


def texts() -> Iterator[Case]:
    for text in (LOG.verifier.vkey(), LOG.verifier.vkey()[:-4], LOG.verifier.vkey().replace("+", "+0", 1), "", "a+b+c"):
        yield f"vkey {text}", {"What": "vkey", "Text": text}, partial(note.parse_vkey, text)
    for text in (LOG.skey(), LOG.skey()[:-4], LOG.skey().replace("KEY+r", "KEY+s"), LOG.verifier.vkey()):
        yield f"skey {text}", {"What": "skey", "Text": text}, partial(note.parse_skey, text)
    for text in (
        "0/000",
        "0/x001/234",
        "0/000.p/255",
        "0/000.p/256",
        "0/000.p/0",
        "0/000.p/01",
        "0/x000/001",
        "0/1",
        "",
    ):
        question = {"What": "path", "Text": f"tile/8/{text}"}
        yield f"path {text}", question, partial(tiles.parse_tile_path, f"tile/{text}")


def strictly_ours() -> Iterator[Case]:
    """What Go takes and we do not."""
    yield of_note("one signature twice", Note(text=HEAD.text(), signatures=(LINE, LINE)).encode())
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    *start, last = SIGNED.encode().removesuffix(b"=\n")
    yield of_note("stray bits in base64", bytes([*start, alphabet[alphabet.index(last) + 1]]) + b"=\n")
    small = note.key_id("small", 1, (1).to_bytes(32, "little")).hex()
    text = f"small+{small}+{b64(bytes([1]) + (1).to_bytes(32, 'little'))}"
    yield "a key of small order", {"What": "vkey", "Text": text}, partial(note.parse_vkey, text)


@pytest.fixture(scope="module")
def go(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("go/peer.go", tmp_path_factory.mktemp("go"), needs=SUMDB)


def answers(go: Path, cases: list[Case]) -> list[str]:
    lines = "".join(json.dumps(question) + "\n" for _, question, _ in cases)
    return subprocess.run([go, "check"], input=lines, capture_output=True, text=True, check=True).stdout.splitlines()


def accepts(act: Callable[[], object]) -> bool:
    try:
        act()
    except TamperError:
        return False
    return True


@pytest.mark.client
def test_go_makes_these_vectors(go: Path, golden: Golden) -> None:
    golden(FILE, subprocess.run([go, "vectors"], capture_output=True, check=True).stdout)


@pytest.mark.client
def test_go_and_we_agree(go: Path) -> None:
    cases = [*notes(), *proofs(), *sites(), *texts()]
    said = answers(go, cases)
    assert len(said) == len(cases)
    apart = [
        (name, answer) for (name, _, act), answer in zip(cases, said, strict=True) if accepts(act) != (answer == "yes")
    ]
    assert not apart
    assert said.count("yes") > 40
    assert len(said) - said.count("yes") > 60


@pytest.mark.client
def test_where_we_are_stricter_than_go(go: Path) -> None:
    cases = [*strictly_ours()]
    assert answers(go, cases) == ["yes"] * len(cases)
    codes = [refused(act) for _, _, act in cases]
    assert codes == ["note-duplicate-signature", "note-base64", "key-small-order"]

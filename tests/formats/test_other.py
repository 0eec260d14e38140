"""The second verifier (other/verify.go), written from the documents, says yes and no where ours does."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tagtrail.formats import dsse, note
from tagtrail.formats.policy import Policy
from tagtrail.formats.root import PAYLOAD_TYPE, Allowed, Freeze, format_root
from tagtrail.model.errors import TamperError
from tests.formats.gopher import build
from tests.verify.workshop import (
    CONTENT,
    NAME,
    NOW,
    TIME,
    YEAR,
    Case,
    Person,
    Workshop,
    log_key,
    root_key,
    seed,
    witness_key,
)

SHOP = Workshop()
W1, W2, W3 = (witness_key(name) for name in ("w1", "w2", "w3"))
WITNESSED = Workshop(witnesses=(W1, W2), needed=2)
OWN = replace(W1, name="releases.example.org/w", seed=seed("own"))
WITNESSED_TREE = Freeze(size=13, root=WITNESSED.checkpoint().root)
EVE = Person("eve")
OTHER = "f" * 64


def shops() -> Iterator[tuple[str, Workshop]]:
    """Releases that somebody made, some of them badly."""
    yield "right", SHOP
    yield "witnessed", WITNESSED
    yield "a tree of one", Workshop(size=1, index=0, allowed=_spans(start=0))
    for size, index in ((2, 1), (8, 7), (9, 8), (13, 12), (200, 100)):
        yield f"leaf {index} of {size}", Workshop(size=size, index=index, allowed=_spans(start=0))
    yield "another log", Workshop(believed=log_key("other"))
    yield "another log's name", Workshop(believed=log_key("log", "elsewhere.example/trail"))
    yield "one witness of two", Workshop(witnesses=(W1, W2), needed=1)
    yield "an entry of the future", Workshop(entry_time=NOW + 601)
    yield "an entry almost of the future", Workshop(entry_time=NOW + 600)
    yield "a time after it was witnessed", replace(WITNESSED, entry_time=TIME + 606)
    yield "a time just after it was witnessed", replace(WITNESSED, entry_time=TIME + 605)
    yield "the operator's own witness", Workshop(witnesses=(OWN,), needed=1, entry_time=TIME + 700)
    yield "the operator's own and another", Workshop(witnesses=(OWN, W1), needed=1, entry_time=TIME + 700)
    yield "a witness of the future", replace(WITNESSED, witnessed_at=NOW + 601)
    yield "a key event", Workshop(event="key")
    yield "an imported file", Workshop(of_file={"origin": {"how": "imported"}})
    yield "another size in the entry", Workshop(of_file={"size": 1})


def tags() -> Iterator[tuple[str, Workshop]]:
    """Releases whose tag is another than it should be, or allowed at another time."""
    yield "eve's tag", Workshop(raw=EVE.tag())
    yield "eve's tag said to be eve's", Workshop(jo=EVE, people=(Person("jo"),), allowed=_spans())
    yield "another tag's name", Workshop(raw=SHOP.jo.tag(name="1.0.1"))
    yield "another commit", Workshop(raw=SHOP.jo.tag(commit="d" * 40))
    yield "a tag of a tag", Workshop(raw=SHOP.jo.tag(kind="tag"))
    yield "another object id", Workshop(reference={"object": "d" * 40})
    yield "another digest", Workshop(reference={"sha256": OTHER})
    yield "another sidecar", Workshop(ours={"sidecars": {"nova-1.0.0.tag": OTHER}})
    yield "allowed later", Workshop(allowed=_spans(start=8))
    yield "allowed before", Workshop(allowed=_spans(start=0, until=7))
    yield "allowed until the next", Workshop(allowed=_spans(start=0, until=8))
    yield "allowed for another project", Workshop(allowed=(("glance", _spans()[0][1]),))
    yield "a signer who expired", Workshop(jo=Person("jo", valid_before=TIME - YEAR))
    yield "a signer who expired since, unwitnessed", Workshop(jo=Person("jo", valid_before=TIME + 3600))
    yield "a signer who expired before it was witnessed", replace(WITNESSED, jo=Person("jo", valid_before=TIME + 3))
    yield (
        "a signer who expired since, frozen",
        replace(WITNESSED, jo=Person("jo", valid_before=TIME + 3), root_fields={"freezes": (WITNESSED_TREE,)}),
    )
    yield "a signer who expired since", replace(WITNESSED, jo=Person("jo", valid_before=TIME + 3600))
    frozen = SHOP.checkpoint()
    for name, size, root in (("this", 13, frozen.root), ("another", 13, bytes(32)), ("a larger", 14, frozen.root)):
        yield f"frozen: {name} tree", Workshop(root_fields={"freezes": (Freeze(size=size, root=root),)})


def _spans(start: int = 3, until: int | None = None) -> tuple[tuple[str, tuple[Allowed, ...]], ...]:
    return (("nova", (Allowed(key=Person("jo").key.fingerprint, start=start, until=until),)),)


def changes(shop: Workshop) -> Iterator[tuple[str, Case]]:
    """One thing wrong in what lies before a consumer."""
    case, proof = shop.case, shop.proof()
    yield "another file", case
    yield "no tag", replace(case, tag=None)
    yield "a byte of the tag", replace(case, tag=(case.tag or b"").replace(b"release", b"releasf"))
    for name, data in (
        ("another index", replace(proof, index=proof.index + 1)),
        ("an index outside", replace(proof, index=shop.size)),
        ("a hash too few", replace(proof, hashes=proof.hashes[:-1])),
        ("a hash too many", replace(proof, hashes=(*proof.hashes, bytes(32)))),
        ("another hash", replace(proof, hashes=(bytes(32), *proof.hashes[1:]))),
        ("no entry", replace(proof, extra=None)),
        ("another entry", replace(proof, extra=shop.entry.replace(b"final", b"alpha"))),
        ("an entry not canonical", replace(proof, extra=shop.entry + b" ")),
        ("another checkpoint", replace(proof, checkpoint=shop.signed(shop.checkpoint(12).text()))),
    ):
        yield name, replace(case, proof=data.encode())
    for old, new in (
        (b"tlog-proof@v1", b"tlog-proof@v2"),
        (b"\nindex ", b"\nindex 0"),
        (b"\n13\n", b"\n013\n"),
        (b"\n13\n", b"\n14\n"),
        (b"trail\n13", b"trial\n13"),
        (b"\n\n", b"\n"),
        (b"\n", b"\r\n"),
        (b"extra ", b"extra  "),
    ):
        yield f"{new!r} for {old!r}", replace(case, proof=case.proof.replace(old, new, 1))
    twice = note.parse(proof.checkpoint)
    doubled = replace(twice, signatures=(*twice.signatures, twice.signatures[0])).encode()
    yield "the log twice", replace(case, proof=replace(proof, checkpoint=doubled).encode())


def cases() -> Iterator[tuple[str, Case]]:
    for name, shop in (*shops(), *tags()):
        yield name, shop.case
        yield f"{name}, by policy", shop.but(trust=shop.policy, tag=None)
    for trust in ("root", "policy"):
        for name, case in changes(WITNESSED):
            file = replace(case.file, sha256=OTHER) if name == "another file" else case.file
            yield f"{name}, by {trust}", replace(case, trust=getattr(WITNESSED, trust), file=file)
    stuffed = replace(WITNESSED, witnesses=(W1, W2, W3), needed=3)
    text = stuffed.checkpoint().text()
    impostor = note.Signer(name=W2.name, kind=W2.kind, seed=seed("impostor"))
    for name, cosigned in (("two of three", (W1, W2)), ("an impostor", (W1, W2, impostor)), ("three", (W1, W2, W3))):
        proof = replace(stuffed.proof(), checkpoint=stuffed.signed(text, *cosigned)).encode()
        yield f"a quorum of three: {name}", stuffed.but(proof=proof, trust=stuffed.policy, tag=None)


def lay(case: Case, where: Path) -> Path:
    """The case as files, as the second verifier reads them."""
    where.mkdir()
    content = CONTENT if case.file.sha256 != OTHER else b"other bytes!"
    files = {"name": NAME.encode(), NAME: content, f"{NAME}.tlog-proof": case.proof, "now": str(case.now).encode()}
    if isinstance(case.trust, Policy):
        files["policy"] = case.trust.encode()
    else:
        files["root.json"] = dsse.sign(PAYLOAD_TYPE, format_root(case.trust), [root_key("r1")]).encode()
    if case.tag is not None:
        files["nova-1.0.0.tag"] = case.tag
    for name, data in files.items():
        (where / name).write_bytes(data)
    return where


def accepts(case: Case) -> bool:
    try:
        case.verify()
    except TamperError:
        return False
    return True


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("other/verify.go", tmp_path_factory.mktemp("other"))


@pytest.mark.client
def test_both_verifiers_agree(other: Path, tmp_path: Path) -> None:
    known = [*cases()]
    places = [lay(case, tmp_path / str(number)) for number, (_, case) in enumerate(known)]
    said = subprocess.run([other, *places], capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(said) == len(known)
    theirs = [answer == "accept" for answer in said]
    ours = [accepts(case) for _, case in known]
    judged = zip(known, ours, theirs, said, strict=True)
    assert [(name, answer) for (name, _), we, they, answer in judged if we != they] == []
    assert sum(theirs) > 15
    assert len(theirs) - sum(theirs) > 60

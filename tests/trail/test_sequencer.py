"""The sequencer over a real SQLite ledger: one place and time for each draft, one root for each size."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tagtrail.adapters.sqlite import SqliteLedger
from tagtrail.formats import canonical, merkle, note, proof
from tagtrail.formats.drafts import event_draft
from tagtrail.formats.entry import EVENT_TYPE, RELEASE_TYPE, STATEMENT_TYPE
from tagtrail.model.errors import RemoteError, TamperError
from tagtrail.model.facts import Draft, Entry
from tagtrail.testing.suites.appending import cosign
from tagtrail.trail import sequencer
from tagtrail.trail.show import prove

LOG = note.Signer(name="example.org/trail", seed=b"\1" * 32)
DIGEST = "ab" * 32


def drafted(project: str, version: str, *, name: str = "", sha256: str = DIGEST, signer: str = "K") -> Draft:
    """A release of one file; `sidecars` and `approvals` are there, as the format wants."""
    name = name or f"{project}-{version}.tar.gz"
    tag = {
        "repo": "local:x",
        "name": version,
        "object": "1" * 40,
        "sha256": DIGEST,
        "commit": "2" * 40,
        "signer": signer,
    }
    ours: dict[str, Any] = {
        "event": "release", "project": project, "kind": "library", "version": version, "channel": "final", "series": "",
        "tag": tag, "tree": DIGEST, "files": {name: {"size": 1, "origin": {"how": "built"}}}, "added": [],
        "policy": DIGEST, "overrides": [],
    }  # fmt: skip
    extra: dict[str, Any] = {"sidecars": {f"{name}.asc": DIGEST}, "approvals": []}

    def statement(fields: dict[str, Any]) -> bytes:
        subject = [{"name": name, "digest": {"sha256": sha256}}]
        predicate = {"purl": f"pkg:pypi/{project}@{version}", "tagtrail": fields}
        parts = {"_type": STATEMENT_TYPE, "subject": subject, "predicateType": RELEASE_TYPE, "predicate": predicate}
        return canonical.dumps(parts)

    digest = hashlib.sha256(statement(ours)).hexdigest()
    return Draft(project=project, version=version, digest=digest, statement=statement(ours | extra))


@pytest.fixture
def ledger(tmp_path: Path) -> SqliteLedger:
    return SqliteLedger(tmp_path / "trail.db")


def enter(ledger: SqliteLedger, *drafts: Draft, at: int = 1000) -> tuple[Entry, ...]:
    entries = sequencer.append(drafts, after=ledger.committed(), ledger=ledger, log=LOG, clock=lambda: at)
    cosign(ledger)
    return entries


def test_an_entry_gets_its_place_its_time_and_a_proof_that_holds(ledger: SqliteLedger) -> None:
    key, release = enter(ledger, event_draft("key", "", [("1.root.json", DIGEST)]), drafted("nova", "1.0"))
    assert (key.index, release.index, release.time) == (0, 1, 1000)
    assert json.loads(key.raw)["predicateType"] == EVENT_TYPE
    head = ledger.committed()
    assert head
    ledger.cosign(head)
    proven = proof.parse(prove(ledger, release))
    checkpoint = note.parse_checkpoint(note.open_note(proven.checkpoint, [LOG.verifier]).note.text)
    assert proven.extra == release.raw
    merkle.verify_inclusion(1, 2, merkle.leaf_hash(release.raw), proven.hashes, checkpoint.root)
    assert ledger.committed(1) is None, "both came under one checkpoint"


def test_the_same_draft_twice_is_one_entry(ledger: SqliteLedger) -> None:
    first = enter(ledger, drafted("nova", "1.0"))
    again = enter(ledger, drafted("nova", "1.0"), at=2000)
    assert first == again
    assert len(ledger.entries()) == 1


def test_what_a_key_entry_named_may_be_named_again_once_another_took_its_place(ledger: SqliteLedger) -> None:
    """A settings file that goes from A to B and back to A is three entries: the newest one counts."""
    names = [event_draft("key", "", [("site.json", digest * 32)]) for digest in ("ab", "cd", "ab", "cd", "cd")]
    entries = [enter(ledger, draft)[0] for draft in names]
    assert [e.index for e in entries] == [0, 1, 2, 3, 3]
    withdrawn = [event_draft("withdraw", "nova", [("nova-1.tar.gz", digest * 32)]) for digest in ("ab", "cd", "ab")]
    assert [enter(ledger, draft)[0].index for draft in withdrawn] == [4, 5, 4]


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (drafted("nova", "1.0.0", sha256="cd" * 32), "version-taken"),
        (drafted("Nova", "1.0", signer="L"), "version-taken"),
        (drafted("nova", "1.1", name="nova-1.0.tgz", sha256="cd" * 32), "name-taken"),
        (drafted("nova", "1.1", name="NOVA-1.0.0.tar.gz", sha256="cd" * 32), "name-taken"),
    ],
)
def test_a_name_means_one_thing_for_ever(ledger: SqliteLedger, second: Draft, code: str) -> None:
    enter(ledger, drafted("nova", "1.0"))
    before = ledger.committed()
    with pytest.raises(TamperError) as refusal:
        enter(ledger, second)
    assert refusal.value.code == code
    assert ledger.committed() == before
    assert len(ledger.entries()) == 1, "nothing is left of the refused one"


def test_another_project_may_use_the_same_file_name(ledger: SqliteLedger) -> None:
    enter(ledger, drafted("nova", "1.0", name="notes-1.0.tar.gz"))
    enter(ledger, drafted("zun", "1.0", name="notes-1.0.tar.gz", sha256="cd" * 32))
    assert len(ledger.entries()) == 2


def test_time_never_decreases(ledger: SqliteLedger) -> None:
    enter(ledger, drafted("nova", "1.0"), at=2000)
    (later,) = enter(ledger, drafted("nova", "1.1"), at=1500)
    assert later.time == 2000


def test_who_saw_an_older_trail_must_look_again(ledger: SqliteLedger) -> None:
    seen = ledger.committed()
    enter(ledger, drafted("nova", "1.0"))
    with pytest.raises(RemoteError) as refusal:
        sequencer.append([drafted("nova", "1.1")], after=seen, ledger=ledger, log=LOG, clock=lambda: 1)
    assert refusal.value.code == "trail-moved"
    assert len(ledger.entries()) == 1


def test_a_transaction_that_is_left_leaves_nothing(ledger: SqliteLedger) -> None:
    with pytest.raises(ZeroDivisionError):
        sequencer.append([drafted("nova", "1.0")], after=None, ledger=ledger, log=LOG, clock=lambda: 1 // 0)
    assert ledger.entries() == ()
    assert ledger.committed() is None


def shown(size: int, root: bytes, signer: note.Signer = LOG, origin: str = LOG.name) -> bytes:
    text = note.Checkpoint(origin=origin, size=size, root=root).text()
    return note.sign(text, [signer]).encode()


def _ahead(ledger: SqliteLedger) -> bytes:
    return shown(3, b"\0" * 32)


def _forked(ledger: SqliteLedger) -> bytes:
    return shown(1, b"\0" * 32)


def _forked_at_our_size(ledger: SqliteLedger) -> bytes:
    return shown(2, b"\0" * 32)


def _not_ours(ledger: SqliteLedger) -> bytes:
    head = ledger.committed()
    assert head
    return shown(2, head.root, note.Signer(name=LOG.name, seed=b"\2" * 32))


@pytest.mark.parametrize(
    ("public", "code"),
    [
        (_ahead, "trail-ahead"),
        (_forked, "trail-forked"),
        (_forked_at_our_size, "trail-forked"),
        (_not_ours, "note-no-known-key"),
    ],
)
def test_what_the_public_sees_must_be_a_prefix_of_ours(
    ledger: SqliteLedger, public: Callable[[SqliteLedger], bytes], code: str
) -> None:
    enter(ledger, drafted("nova", "1.0"), drafted("nova", "1.1"))
    head, one = ledger.committed(), merkle.leaf_hash(ledger.entries()[0].raw)
    assert head
    sequencer.guard(ledger, LOG.verifier, [])
    sequencer.guard(ledger, LOG.verifier, [shown(1, one), head.note.encode()])
    with pytest.raises(TamperError) as refusal:
        sequencer.guard(ledger, LOG.verifier, [shown(1, one), public(ledger)])
    assert refusal.value.code == code

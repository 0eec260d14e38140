"""Reproducers' statements judged: one that holds, and each link broken alone."""

import json
from dataclasses import replace
from functools import cached_property
from hashlib import sha256
from typing import Any

import pytest

from tagtrail.formats import canonical
from tagtrail.formats import entry as entry_format
from tagtrail.formats.reproduction import Reproduction, reproducer, sign, statement_name
from tagtrail.model.errors import TamperError
from tagtrail.verify.reproductions import is_about, judge_reproduction
from tests.verify.workshop import CONTENT, NAME, NOW, ORIGIN, TIME, Person, Workshop, log_key, seed

KAI = Person("kai")
RELEASE = Workshop()
DIGEST = sha256(CONTENT).hexdigest()
SAID = Reproduction(
    origin=ORIGIN, project="nova", version="1.0.0", index=7, entry=sha256(RELEASE.entry).hexdigest(), commit="c" * 40,
    provenance="b" * 64, files=((NAME, DIGEST),), materials=(), isolation="bubblewrap", time=TIME, key=KAI.public.line,
)  # fmt: skip


class Told(Workshop):
    """A workshop whose entry has its subjects in order, as tagtrail writes them."""

    @cached_property
    def entry(self) -> bytes:
        value: Any = json.loads(Workshop.entry.func(self))  # type: ignore[attr-defined]
        return canonical.dumps(value | {"subject": sorted(value["subject"], key=lambda one: str(one["name"]))})


def shop(data: bytes, **changes: Any) -> Workshop:
    """The statement in the trail."""
    name, digest = statement_name("nova", "1.0.0", data), sha256(data).hexdigest()
    approvals = [{"key": KAI.public.fingerprint, "digest": digest}]
    ours = {"project": "nova", "version": "1.0.0", "approvals": approvals}
    more = ({"name": name, "digest": {"sha256": digest}},)
    return replace(Told(event="reproduced", ours=ours, more=more, index=9), **changes)


def judged(said: Reproduction = SAID, key: str = "kai", name: str = "", data: bytes = b"", **changes: Any) -> Any:
    made = sign(said, reproducer(seed(key)))
    workshop = shop(made, **changes)
    file = name or statement_name("nova", "1.0.0", made)
    return judge_reproduction(file, data or made, workshop.proof().encode(), workshop.root, NOW)


def test_good() -> None:
    said, found = judged()
    assert (said, found.entry.index, said.fingerprint) == (SAID, 9, KAI.public.fingerprint)
    entry = entry_format.parse(7, RELEASE.entry)
    assert is_about(said, entry, NAME)
    assert not is_about(said, entry, "other")
    assert not is_about(replace(said, entry="0" * 64), entry, NAME)
    assert not is_about(replace(said, files=((NAME, "0" * 64),)), entry, NAME)


def other_key() -> dict[str, Any]:
    """The entry names another key than the one that signed."""
    data = sign(SAID, reproducer(seed("kai")))
    approvals = [{"key": "SHA256:" + "B" * 43, "digest": sha256(data).hexdigest()}]
    return {"ours": {"project": "nova", "version": "1.0.0", "approvals": approvals}}


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "another name": ({"name": "nova-1.0.0.reproduced-00000000.jsonl"}, "reproduction-digest"),
    "other bytes": ({"data": sign(replace(SAID, time=TIME + 1), reproducer(seed("kai")))}, "reproduction-digest"),
    "a release's entry": ({"event": "release", "ours": {}, "more": ()}, "reproduction-entry"),
    "another key in the entry": (other_key(), "reproduction-signer"),
    "signed by another": ({"key": "eve"}, "dsse-threshold"),
    "of another log": ({"said": replace(SAID, origin="evil.example/log")}, "reproduction-entry"),
    "of another project": ({"said": replace(SAID, project="neutron")}, "reproduction-entry"),
    "of another version": ({"said": replace(SAID, version="1.0.1")}, "reproduction-entry"),
    "a log that nobody trusts": ({"believed": log_key("other")}, "note-no-known-key"),
}


@pytest.mark.parametrize("name", WRONG)
def test_one_thing_wrong(name: str) -> None:
    changes, code = WRONG[name]
    with pytest.raises(TamperError) as caught:
        judged(**changes)
    assert caught.value.code == code

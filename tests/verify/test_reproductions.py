"""Reproducers' statements judged: one that holds, and each link broken alone."""

import json
from dataclasses import replace
from functools import cached_property
from hashlib import sha256
from typing import Any

import pytest

from tagtrail.formats import canonical
from tagtrail.formats import entry as entry_format
from tagtrail.formats.provenance import Provenance
from tagtrail.formats.reproduction import Reproduction, reproducer, sign, statement_name
from tagtrail.model.errors import TamperError
from tagtrail.model.facts import Material
from tagtrail.verify.reproductions import check_about, concerns, judge_reproduction
from tests.verify.workshop import CONTENT, NAME, NOW, ORIGIN, TIME, Person, Workshop, log_key, seed

KAI = Person("kai")
PROVENANCE = "nova-1.0.0.intoto.jsonl"
WHEEL, BROUGHT = "nova-1.0.0-py3-none-any.whl", "nova-1.0.0.zip"
DIGEST = sha256(CONTENT).hexdigest()


class Two(Workshop):
    """A workshop whose release has three files: two built here, and one that somebody brought."""

    @cached_property
    def entry(self) -> bytes:
        value: Any = json.loads(Workshop.entry.func(self))  # type: ignore[attr-defined]
        value["subject"] += [{"name": WHEEL, "digest": {"sha256": "3" * 64}}]
        value["subject"] += [{"name": BROUGHT, "digest": {"sha256": "4" * 64}}]
        value["subject"].sort(key=lambda one: one["name"])
        ours = value["predicate"]["tagtrail"]
        ours["files"][WHEEL] = {"size": 1, "origin": {"how": "built"}}
        ours["files"][BROUGHT] = {"size": 1, "origin": {"how": "added", "by": KAI.public.fingerprint}}
        ours["sidecars"] |= {PROVENANCE: "b" * 64}
        return canonical.dumps(value)


RELEASE = Two()
ENTRY = entry_format.parse(7, RELEASE.entry)
SAID = Reproduction(
    origin=ORIGIN, project="nova", version="1.0.0", index=7, entry=sha256(RELEASE.entry).hexdigest(), commit="c" * 40,
    provenance="b" * 64, files=((WHEEL, "3" * 64), (NAME, DIGEST)), materials=(Material(uri="pkg:pypi/pbr@7.0.1"),),
    isolation="bubblewrap", time=TIME, key=KAI.public.line,
)  # fmt: skip


class Told(Workshop):
    """A workshop whose entry has both built files, and its subjects in order, as tagtrail writes them."""

    @cached_property
    def entry(self) -> bytes:
        value: Any = json.loads(Workshop.entry.func(self))  # type: ignore[attr-defined]
        if self.event == "release":
            return canonical.dumps(value)
        subject = [*value["subject"], {"name": WHEEL, "digest": {"sha256": "3" * 64}}]
        return canonical.dumps(value | {"subject": sorted(subject, key=lambda one: str(one["name"]))})


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
    check_about(said, ENTRY, ORIGIN, provenance(Material(uri="pkg:pypi/pbr@7.0.2")), found.entry.time)
    check_about(said, ENTRY, ORIGIN, None, found.entry.time)


def provenance(*materials: Material) -> Provenance:
    return Provenance(
        project="nova", version="1.0.0", repo="local:nova", tag="1.0.0", object="a" * 40, commit="c" * 40, builds=(),
        refs=(), epoch=0, tree="7" * 64, builder="b", invocation="i", started=0, finished=0, files=(),
        materials=materials,
    )  # fmt: skip


def test_what_it_means_to_speak_of() -> None:
    assert concerns(SAID, ENTRY)
    assert concerns(replace(SAID, index=8), ENTRY)
    assert concerns(replace(SAID, entry="0" * 64), ENTRY)
    assert not concerns(replace(SAID, index=8, entry="0" * 64), ENTRY)


ABOUT: dict[str, tuple[Reproduction, str, str]] = {
    "another log": (replace(SAID, origin="evil.example/log"), "reproduction-entry", "of origin"),
    "another project": (replace(SAID, project="neutron"), "reproduction-entry", "of project"),
    "another version": (replace(SAID, version="1.0.1"), "reproduction-entry", "of version"),
    "another index": (replace(SAID, index=8), "reproduction-entry", "of entry index"),
    "another entry": (replace(SAID, entry="0" * 64), "reproduction-entry", "of entry SHA-256"),
    "another commit": (replace(SAID, commit="0" * 40), "reproduction-commit", "of commit"),
    "another provenance": (replace(SAID, provenance="0" * 64), "reproduction-provenance", "of provenance"),
    "one of two files": (
        replace(SAID, files=SAID.files[1:]), "reproduction-files", f"of .{WHEEL}. the statement says nothing, entry 7 ",
    ),
    "other bytes": (
        replace(SAID, files=((WHEEL, "5" * 64), SAID.files[1])), "reproduction-files", "says 555.*, entry 7 333",
    ),
    "a file that was brought": (
        replace(SAID, files=(*SAID.files, (BROUGHT, "4" * 64))), "reproduction-files", "entry 7 not that it was built",
    ),
    "no materials": (replace(SAID, materials=()), "reproduction-materials", "no materials"),
    "before the release": (replace(SAID, time=TIME - 601), "reproduction-time", "the statement is of 2026-04-01T14:51"),
    "of 1970": (replace(SAID, time=0), "reproduction-time", "the statement is of 1970-01-01"),
    "after it was there": (replace(SAID, time=NOW + 601), "reproduction-time", "it is 2026-04-02"),
}  # fmt: skip


@pytest.mark.parametrize("name", ABOUT)
def test_one_thing_wrong_about_the_release(name: str) -> None:
    said, code, text = ABOUT[name]
    with pytest.raises(TamperError, match=text) as caught:
        check_about(said, ENTRY, ORIGIN, provenance(Material(uri="pkg:pypi/pbr@7.0.1")), NOW)
    assert caught.value.code == code


def test_clocks_may_differ_and_a_build_without_tools_names_none() -> None:
    for time in (TIME - 600, NOW + 600):
        check_about(replace(SAID, time=time, materials=()), ENTRY, ORIGIN, provenance(), NOW)


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
    "of an entry that was not there yet": ({"said": replace(SAID, index=9)}, "reproduction-entry"),
    "fewer files than its entry": ({"said": replace(SAID, files=SAID.files[1:])}, "reproduction-files"),
    "signed after it was entered": ({"said": replace(SAID, time=TIME + 601)}, "reproduction-time"),
    "a log that nobody trusts": ({"believed": log_key("other")}, "note-no-known-key"),
}


@pytest.mark.parametrize("name", WRONG)
def test_one_thing_wrong(name: str) -> None:
    changes, code = WRONG[name]
    with pytest.raises(TamperError) as caught:
        judged(**changes)
    assert caught.value.code == code

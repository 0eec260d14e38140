import json
from collections.abc import Callable
from dataclasses import fields, replace
from hashlib import sha256
from typing import Any

import pytest

from tagtrail.formats import canonical, drafts, entry
from tagtrail.model.errors import ProjectError, TamperError
from tagtrail.model.facts import Approval, Approved, Artifact, Built, Origin, Sidecar, Signed
from tagtrail.testing import samples
from tests.formats.refusal import refused

TIME = samples.TIME
SIGNED = samples.signed("oslo.config", "9.7.0")
DRAFT = drafts.draft(SIGNED)
RAW = drafts.seal(DRAFT, TIME)
SDIST = "oslo_config-9.7.0.tar.gz"
WHEEL = "oslo_config-9.7.0-py3-none-any.whl"
HEX = "0" * 64

# --- making and reading ---------------------------------------------------------------------------------------------


def artifacts(*changed: Artifact) -> Signed:
    built = replace(SIGNED.approved.built, artifacts=changed)
    return replace(SIGNED, approved=replace(SIGNED.approved, built=built))


def test_everything_that_was_signed_comes_back() -> None:
    found = entry.parse(7, RAW)
    built, plan = SIGNED.approved.built, SIGNED.approved.built.plan
    assert (found.index, found.raw, found.event, found.time) == (7, RAW, "release", TIME)
    assert (found.project, found.version, found.kind) == ("oslo.config", "9.7.0", "library")
    assert (found.channel, found.series, found.purl) == (plan.channel, plan.series, plan.purl)
    assert (found.tree, found.policy, found.overrides) == (built.tree, plan.policy, plan.overrides)
    assert (found.added, found.approvals) == ((), SIGNED.approved.approvals)
    assert found.tag is not None
    for field in fields(found.tag):
        assert getattr(found.tag, field.name) == getattr(plan.tag, field.name)
    assert dict(found.sidecars) == {s.name: s.blob.sha256 for s in SIGNED.sidecars}
    assert [f.name for f in found.files] == sorted([SDIST, WHEEL])
    for file, made in zip(found.files, sorted(built.artifacts, key=lambda a: a.name), strict=True):
        assert (file.sha256, file.size) == (made.blob.sha256, made.blob.size)
        assert (file.tar, file.requires_python, file.generated) == (made.tar, made.requires_python, made.generated)
        assert made.metadata is not None
        assert (file.metadata, file.origin) == (made.metadata.sha256, made.origin)


def test_what_says_nothing_is_left_out() -> None:
    bare = Artifact(name="a.zip", blob=samples.blob(b"a"))
    raw = drafts.seal(drafts.draft(artifacts(bare)), TIME)
    files = json.loads(raw)["predicate"]["tagtrail"]["files"]
    assert files == {"a.zip": {"size": 1, "origin": {"how": "built"}}}
    (found,) = entry.parse(0, raw).files
    assert (found.tar, found.metadata, found.requires_python, found.generated) == ("", "", "", ())


def test_an_origin_comes_back() -> None:
    brought = replace(samples.artifact("a.zip"), origin=Origin(how="added", by="SHA256:x"))
    (found,) = entry.parse(0, drafts.seal(drafts.draft(artifacts(brought)), TIME)).files
    assert found.origin == Origin(how="added", by="SHA256:x")


def test_an_event_comes_back() -> None:
    draft = drafts.event_draft("key", "", [("2.root.json", HEX), ("1.root.json", HEX)])
    found = entry.parse(0, drafts.seal(draft, TIME))
    assert (found.event, found.project, found.version, found.tag) == ("key", "", "", None)
    assert b'"project"' not in found.raw
    assert [f.name for f in found.files] == ["1.root.json", "2.root.json"]
    assert entry.parse(0, drafts.seal(drafts.event_draft("withdraw", "nova", [("a", HEX)]), TIME)).project == "nova"


def test_the_bytes_are_canonical_and_in_toto() -> None:
    value = json.loads(RAW)
    assert json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() == RAW
    assert list(value) == ["_type", "predicate", "predicateType", "subject"]
    assert value["_type"] == "https://in-toto.io/Statement/v1"
    assert value["predicateType"] == "https://in-toto.io/attestation/release/v0.1"
    assert value["predicate"]["tagtrail"]["time"] == "2026-04-01T15:02:00Z"
    names = [s["name"] for s in value["subject"]]
    assert names == sorted(names)


# --- the draft ------------------------------------------------------------------------------------------------------


def test_approvals_sign_everything_but_time_approvals_and_sidecars() -> None:
    value = json.loads(RAW)
    for field in ("time", "approvals", "sidecars"):
        del value["predicate"]["tagtrail"][field]
    assert DRAFT.digest == sha256(canonical.dumps(value)).hexdigest()


def test_what_comes_after_the_approval_leaves_the_digest() -> None:
    later = Signed(
        approved=Approved(built=SIGNED.approved.built),
        sidecars=(Sidecar(name="x.asc", blob=samples.blob(b"another signature")),),
    )
    other = drafts.draft(later)
    assert other.digest == DRAFT.digest
    assert other.statement != DRAFT.statement


def changes() -> dict[str, Signed]:
    """One thing changed at a time, for every field that an approval must cover."""
    built = SIGNED.approved.built
    plan, (first, *rest) = built.plan, built.artifacts

    def with_built(new: Built) -> Signed:
        return replace(SIGNED, approved=replace(SIGNED.approved, built=new))

    def with_first(**what: Any) -> Signed:
        return with_built(replace(built, artifacts=(replace(first, **what), *rest)))

    plans: dict[str, Any] = {
        "kind": "server", "channel": "rc", "series": "x", "policy": HEX, "purl": "pkg:pypi/x@1", "overrides": (),
    }  # fmt: skip
    tags: dict[str, Any] = {
        "project": "nova", "version": "9.8.0", "repo": "https://x", "name": "x", "object": "1" * 40, "sha256": HEX,
        "commit": "2" * 40, "signer": "x",
    }  # fmt: skip
    files: dict[str, Any] = {
        "name": "x.tar.gz", "blob": samples.blob(b"x"), "tar": HEX, "metadata": None, "requires_python": ">=3.12",
        "origin": Origin(how="added", by="x"), "generated": (),
    }  # fmt: skip
    found = {f"plan.{k}": with_built(replace(built, plan=replace(plan, **{k: v}))) for k, v in plans.items()}
    found |= {
        f"tag.{k}": with_built(replace(built, plan=replace(plan, tag=replace(plan.tag, **{k: v}))))
        for k, v in tags.items()
    }
    found |= {f"file.{k}": with_first(**{k: v}) for k, v in files.items()}
    found["tree"] = with_built(replace(built, tree=HEX))
    found["a file less"] = with_built(replace(built, artifacts=(first,)))
    size = replace(first.blob, size=first.blob.size + 1)
    return found | {"file.size": with_first(blob=size)}


@pytest.mark.parametrize("what", changes())
def test_any_change_voids_an_approval(what: str) -> None:
    assert drafts.draft(changes()[what]).digest != DRAFT.digest


def test_time_is_the_sequencers() -> None:
    one, two = drafts.seal(DRAFT, TIME), drafts.seal(DRAFT, TIME + 1)
    assert entry.parse(0, two).time - entry.parse(0, one).time == 1
    assert one.replace(b"15:02:00Z", b"15:02:01Z") == two


@pytest.mark.parametrize(
    "name", ["", ".hidden", "-rf", "../x", "a/b", "a b", "ä.zip", "a\n", "a\\b", "x" * 256, "a:b", "a%b"]
)
def test_names_that_cannot_be(name: str) -> None:
    with pytest.raises(ProjectError) as caught:
        drafts.draft(artifacts(samples.artifact(name, b"x")))
    assert caught.value.code == "file-name"


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("nova-1.0.tar.gz", "nova-1.0.0.tar.gz"),
        ("nova-1.0.tar.gz", "nova-1.0.tgz"),
        ("nova-1.0.tar.gz", "Nova-1.0.tar.gz"),
        ("nova-1.0.tar.gz", "nova-1.0.tar.gz"),
    ],
)
def test_one_name_in_two_spellings(one: str, two: str) -> None:
    built = replace(
        samples.signed("nova", "1.0").approved.built, artifacts=(samples.artifact(one), samples.artifact(two))
    )
    signed = Signed(approved=Approved(built=built), sidecars=())
    with pytest.raises(ProjectError) as caught:
        drafts.draft(signed)
    assert caught.value.code == "file-name"
    assert one in caught.value.what
    assert two in caught.value.what


def test_an_entry_has_at_most_65535_bytes() -> None:
    most = next(n for n in range(150, 400) if drafted(n) == "entry-too-large")
    raw = drafts.seal(drafts.draft(many(most - 1)), TIME)
    assert 65_535 - 400 < len(raw) <= 65_535
    assert len(entry.parse(0, raw).files) == most - 1


def many(count: int) -> Signed:
    return artifacts(*(samples.artifact(f"oslo_config-9.7.0-{n}.tar.gz") for n in range(count)))


def drafted(count: int) -> str:
    try:
        drafts.draft(many(count))
    except ProjectError as error:
        return error.code
    return ""


def brought(count: int) -> Signed:
    signed = many(count)
    built = signed.approved.built
    files = tuple(replace(a, origin=Origin(how="added", by="ci")) for a in built.artifacts)
    return replace(signed, approved=replace(signed.approved, built=replace(built, artifacts=files)))


@pytest.mark.parametrize(("signed", "helps"), [(many(400), False), (brought(400), True)], ids=["built", "brought"])
def test_an_entry_that_is_too_large_says_what_helps(signed: Signed, helps: bool) -> None:
    with pytest.raises(ProjectError) as caught:
        drafts.draft(signed)
    assert caught.value.code == "entry-too-large"
    assert ("(400)" in caught.value.why, "fewer `build` kinds" in caught.value.hint) == (True, True)
    assert ("--drop NAME" in caught.value.hint) == helps


# --- what an enemy writes -------------------------------------------------------------------------------------------

Change = Callable[[Any], object]
OURS = ("predicate", "tagtrail")
FILE = (*OURS, "files", SDIST)


def put(value: Any, *path: Any) -> Change:
    """A change: `value` at a path within the statement; `...` takes it away."""

    def change(statement: Any) -> None:
        *way, last = path
        for step in way:
            statement = statement[step]
        if value is ...:
            del statement[last]
        else:
            statement[last] = value

    return change


def renamed(name: str) -> Change:
    """The sdist under another name, everywhere."""

    def change(statement: Any) -> None:
        files = statement["predicate"]["tagtrail"]["files"]
        files[name] = files.pop(SDIST)
        subject = [s | {"name": name} if s["name"] == SDIST else s for s in statement["subject"]]
        statement["subject"] = sorted(subject, key=lambda s: s["name"])

    return change


def changed(change: Change, raw: bytes = RAW) -> bytes:
    value = json.loads(raw)
    change(value)
    return canonical.dumps(value)


RELEASE = tuple(json.loads(RAW)["predicate"]["tagtrail"])
TAG = ("repo", "name", "object", "sha256", "commit", "signer")
SUBJECT = json.loads(RAW)["subject"]
REFUSALS: list[tuple[Change, str]] = [
    # the statement
    *((put(..., field), "entry-shape") for field in ("_type", "subject", "predicateType", "predicate")),
    (put("x", "more"), "entry-shape"),
    (put("https://in-toto.io/Statement/v0.1", "_type"), "entry-type"),
    (put(1, "_type"), "entry-type"),
    (put(entry.EVENT_TYPE, "predicateType"), "entry-predicate"),
    (put("https://slsa.dev/provenance/v1", "predicateType"), "entry-predicate"),
    (put(None, "predicate"), "entry-shape"),
    (put([], "predicate", "tagtrail"), "entry-shape"),
    (put(..., "predicate", "tagtrail"), "entry-shape"),
    (put(..., "predicate", "purl"), "entry-fields"),
    (put("x", "predicate", "more"), "entry-fields"),
    (put(1, "predicate", "purl"), "entry-value"),
    # fields
    *((put(..., *OURS, field), "entry-fields") for field in RELEASE if field != "event"),
    (put(..., *OURS, "event"), "entry-value"),
    (put("x", *OURS, "more"), "entry-fields"),
    (put("burn", *OURS, "event"), "entry-event"),
    (put(["release"], *OURS, "event"), "entry-value"),
    (put("withdraw", *OURS, "event"), "entry-predicate"),
    *((put(1, *OURS, f), "entry-value") for f in ("project", "kind", "version", "channel", "series", "tree", "policy")),
    *((put("", *OURS, f), f"entry-{f}") for f in ("project", "version")),
    (put(1775055720, *OURS, "time"), "entry-value"),
    (put("2026-04-01", *OURS, "time"), "time-form"),
    (put("2026-04-01T15:02:00+00:00", *OURS, "time"), "time-form"),
    # what becomes a path
    (put("../x", *OURS, "project"), "entry-project"),
    (put("a/b", *OURS, "project"), "entry-project"),
    (put(".", *OURS, "project"), "entry-project"),
    (put("-x", *OURS, "project"), "entry-project"),
    (put("simple", *OURS, "project"), "entry-project"),
    (put("Trail", *OURS, "project"), "entry-project"),
    (put("növa", *OURS, "project"), "entry-project"),
    (put("nova\n", *OURS, "project"), "entry-project"),
    (put("..", *OURS, "version"), "entry-version"),
    (put("1.0/../../x", *OURS, "version"), "entry-version"),
    (put("1.0 ", *OURS, "version"), "entry-version"),
    (put("1.0\n", *OURS, "version"), "entry-version"),
    # digests
    *((put(bad, *OURS, field), "entry-digest") for field in ("tree", "policy") for bad in ("0", "A" * 64, HEX + "0")),
    # the tag
    *((put(..., *OURS, "tag", field), "entry-fields") for field in TAG),
    *((put(1, *OURS, "tag", field), "entry-value") for field in TAG),
    (put("x", *OURS, "tag", "more"), "entry-fields"),
    (put(None, *OURS, "tag"), "entry-fields"),
    (put("0" * 39, *OURS, "tag", "object"), "entry-git-id"),
    (put("A" * 40, *OURS, "tag", "object"), "entry-git-id"),
    (put("0" * 41, *OURS, "tag", "commit"), "entry-git-id"),
    (put("HEAD", *OURS, "tag", "commit"), "entry-git-id"),
    (put("0" * 40 + "\n", *OURS, "tag", "commit"), "entry-git-id"),
    (put("0" * 40, *OURS, "tag", "sha256"), "entry-digest"),
    # subject
    (put([], "subject"), "entry-subject"),
    (put({}, "subject"), "entry-value"),
    (put(list(reversed(SUBJECT)), "subject"), "entry-subject-order"),
    (put([SUBJECT[0], *SUBJECT], "subject"), "entry-subject-order"),
    (put(SUBJECT[:1], "subject"), "entry-files"),
    (put("x", "subject", 0), "entry-subject"),
    (put(["name", "digest"], "subject", 0), "entry-subject"),
    (put("x", "subject", 0, "digest"), "entry-subject"),
    (put("x", "subject", 0, "more"), "entry-subject"),
    (put(..., "subject", 0, "name"), "entry-subject"),
    (put(1, "subject", 0, "name"), "entry-value"),
    (put(HEX, "subject", 0, "digest"), "entry-subject"),
    (put({}, "subject", 0, "digest"), "entry-subject"),
    (put({"sha1": "0" * 40}, "subject", 0, "digest"), "entry-subject"),
    (put({"sha256": HEX, "sha512": HEX * 2}, "subject", 0, "digest"), "entry-subject"),
    (put({"gitCommit": "0" * 40}, "subject", 0, "digest"), "entry-subject"),
    (put({"sha256": HEX.replace("0", "A")}, "subject", 0, "digest"), "entry-digest"),
    (put({"sha256": "0" * 40}, "subject", 0, "digest"), "entry-digest"),
    (put({"sha256": HEX + "\n"}, "subject", 0, "digest"), "entry-digest"),
    (put({"sha256": None}, "subject", 0, "digest"), "entry-value"),
    *((renamed(bad), "entry-file-name") for bad in ("../x", "a/b", ".x", "-x", "", "a b", "a\nb", "x" * 256, "a\\b")),
    # files
    (put(..., *FILE), "entry-files"),
    (put({}, *OURS, "files"), "entry-files"),
    (put([], *OURS, "files"), "entry-value"),
    (put({"size": 1, "origin": {"how": "built"}}, *OURS, "files", "zzz"), "entry-files"),
    (put([], *FILE), "entry-fields"),
    (put(["size", "origin"], *FILE), "entry-fields"),
    (put(..., *FILE, "size"), "entry-fields"),
    (put(..., *FILE, "origin"), "entry-fields"),
    (put("x", *FILE, "more"), "entry-fields"),
    (put(-1, *FILE, "size"), "entry-value"),
    (put("1", *FILE, "size"), "entry-value"),
    (put(True, *FILE, "size"), "entry-value"),
    (put("built", *FILE, "origin"), "entry-fields"),
    (put({}, *FILE, "origin"), "entry-empty"),
    (put(["how"], *FILE, "origin"), "entry-fields"),
    (put({"how": "stolen"}, *FILE, "origin"), "entry-value"),
    (put({"how": "built", "by": ""}, *FILE, "origin"), "entry-empty"),
    (put({"how": "built", "by": 1}, *FILE, "origin"), "entry-value"),
    (put({"how": "built", "at": "x"}, *FILE, "origin"), "entry-fields"),
    *((put("", *FILE, field), "entry-empty") for field in ("tar", "metadata", "requires-python")),
    (put([], *FILE, "generated"), "entry-empty"),
    (put("PKG-INFO", *FILE, "generated"), "entry-value"),
    (put([1], *FILE, "generated"), "entry-value"),
    *((put("0" * 63, *FILE, field), "entry-digest") for field in ("tar", "metadata")),
    *((put(1, *FILE, field), "entry-value") for field in ("tar", "metadata", "requires-python")),
    # sidecars, approvals, overrides, added
    (put([], *OURS, "sidecars"), "entry-value"),
    (put("0", *OURS, "sidecars", "x.asc"), "entry-digest"),
    (put(None, *OURS, "sidecars", "x.asc"), "entry-value"),
    (put(HEX, *OURS, "sidecars", "../x.asc"), "entry-file-name"),
    (put(HEX, *OURS, "sidecars", SDIST), "entry-name-twice"),
    (put({}, *OURS, "approvals"), "entry-value"),
    (put(["x"], *OURS, "approvals"), "entry-fields"),
    (put([{"key": "x"}], *OURS, "approvals"), "entry-fields"),
    (put([{"key": "x", "digest": 1}], *OURS, "approvals"), "entry-value"),
    (put("x", *OURS, "overrides"), "entry-value"),
    (put([{"rule": "x", "because": "y", "by": "z"}], *OURS, "overrides"), "entry-fields"),
    (put({}, *OURS, "added"), "entry-value"),
    (put([None], *OURS, "added"), "entry-value"),
]


@pytest.mark.parametrize(("change", "code"), REFUSALS)
def test_other_releases_are_refused(change: Change, code: str) -> None:
    assert refused(entry.parse, 0, changed(change)) == code


EVENT = drafts.seal(drafts.event_draft("key", "nova", [("1.root.json", HEX)]), TIME)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (put(..., *OURS, "time"), "entry-value"),
        (put("release", *OURS, "event"), "entry-predicate"),
        (put("gossip", *OURS, "event"), "entry-event"),
        (put(entry.RELEASE_TYPE, "predicateType"), "entry-predicate"),
        (put("pkg:pypi/x@1", "predicate", "purl"), "entry-fields"),
        (put("x", *OURS, "more"), "entry-fields"),
        (put("../x", *OURS, "project"), "entry-project"),
        (put("../x", *OURS, "version"), "entry-version"),
        (put({"1.root.json": {"size": 1, "origin": {"how": "built"}}}, *OURS, "files"), "entry-files"),
        (put([], "subject"), "entry-subject"),
        (put({"sha1": "0" * 40}, "subject", 0, "digest"), "entry-subject"),
        (put({"gitCommit": "0" * 39}, "subject", 0, "digest"), "entry-digest"),
    ],
)
def test_other_events_are_refused(change: Change, code: str) -> None:
    assert refused(entry.parse, 0, changed(change, EVENT)) == code


def test_an_event_may_concern_a_commit() -> None:
    raw = changed(put({"gitCommit": "0" * 40}, "subject", 0, "digest"), EVENT)
    assert entry.parse(0, raw).files[0].sha256 == "0" * 40


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "json-syntax"),
        (b"null", "entry-shape"),
        (b"[]", "entry-shape"),
        (b"{}", "entry-shape"),
        (RAW + b"\n", "json-not-canonical"),
        (json.dumps(json.loads(RAW), indent=1).encode(), "json-not-canonical"),
        (RAW.replace(b'"size":', b'"size":1,"size":', 1), "json-duplicate-key"),
        (RAW.replace(b'"added":[]', b'"added":[NaN]'), "json-nan"),
        (RAW.replace(b'"added":[]', b'"added":' + b"[" * 40 + b"]" * 40), "json-depth"),
        (RAW.replace(b'"added":[]', b'"added":["\\ud800"]'), "json-surrogate"),
        (RAW.replace(b'"added":[]', b'"added":["\xff"]'), "json-utf8"),
        (RAW + b" " * 65_536, "json-size"),
        (b"\x01" + bytes(64), "json-syntax"),
    ],
)
def test_other_bytes_are_refused(raw: bytes, code: str) -> None:
    assert refused(entry.parse, 0, raw) == code


def test_every_byte_counts() -> None:
    """A flipped bit is refused, or is another entry: never the same one."""
    good = entry.parse(0, RAW)
    for place in range(0, len(RAW), 7):
        flipped = RAW[:place] + bytes([RAW[place] ^ 1]) + RAW[place + 1 :]
        assert read(flipped) != good


def read(raw: bytes) -> object:
    try:
        return entry.parse(0, raw)
    except TamperError as error:
        return error.code


# --- taken back -----------------------------------------------------------------------------------------------------

RELEASED = entry.parse(1, RAW)
GONE = drafts.seal(drafts.withdraw_draft(RELEASED, "loses data; take 1.0.1", policy=HEX), TIME)


def test_a_withdrawal_comes_back() -> None:
    found = entry.parse(2, GONE)
    assert (found.event, found.project, found.version) == ("withdraw", RELEASED.project, RELEASED.version)
    assert (found.reason, found.policy, found.channel, found.tag) == (
        "loses data; take 1.0.1",
        HEX,
        RELEASED.channel,
        RELEASED.tag,
    )
    assert [(f.name, f.sha256) for f in found.files] == [(f.name, f.sha256) for f in RELEASED.files]
    assert found.sidecars == ()


def test_another_reason_is_another_draft() -> None:
    one, other = (drafts.withdraw_draft(RELEASED, text, policy=HEX) for text in ("one", "other"))
    assert one.digest != other.digest
    approved = drafts.withdraw_draft(RELEASED, "one", policy=HEX, approvals=[Approval(key="K", digest=HEX)])
    assert approved.digest == one.digest == drafts.draft_digest(drafts.seal(approved, TIME))


@pytest.mark.parametrize("text", ["", " x", "x ", "two\nlines", "\u2028", "\x1b[31m", "x" * 501])
def test_a_reason_is_one_printable_line(text: str) -> None:
    assert refused(entry.parse, 0, changed(put(text, *OURS, "reason"), GONE)) == "entry-reason"


@pytest.mark.parametrize(
    ("raw", "value", "code"),
    [(GONE, 1, "entry-value"), (GONE, None, "entry-value"), (EVENT, "x", "entry-fields"), (RAW, "x", "entry-fields")],
)
def test_only_a_withdrawal_has_a_reason(raw: bytes, value: object, code: str) -> None:
    assert refused(entry.parse, 0, changed(put(value, *OURS, "reason"), raw)) == code


def test_a_withdrawal_without_a_reason_can_be_read() -> None:
    assert entry.parse(0, changed(put(..., *OURS, "reason"), GONE)).reason == ""

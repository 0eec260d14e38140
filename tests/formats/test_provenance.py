"""The provenance file: written in one way, read in that way only, and read by others' verifiers."""

import json
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope as TheirEnvelope
from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]

from tagtrail.formats import canonical, dsse
from tagtrail.formats.note import Signer
from tagtrail.formats.provenance import (
    Provenance,
    builder_id,
    builder_name,
    format_provenance,
    parse,
    parse_provenance,
    provenance_name,
    sign,
)
from tagtrail.model.facts import Material
from tests.formats.laws import sparing
from tests.formats.refusal import refused

ORIGIN = "releases.example.org/trail"
BUILDER = Signer(name=builder_name(ORIGIN), seed=b"\x07" * 32)
FULL = Provenance(
    project="nova",
    version="33.0.0",
    repo="https://git.example.org/nova",
    tag="33.0.0",
    object="a" * 40,
    commit="c" * 40,
    builds=("sdist", "wheel"),
    subdirectory="python",
    refs=(("refs/tags/32.0.0", "b" * 40), ("refs/tags/33.0.0", "a" * 40)),
    isolation="none",
    epoch=1775055600,
    tree="7" * 64,
    materials=(
        Material(uri="pkg:generic/cpython@3.11.2"),
        Material(uri="pkg:pypi/pbr@7.0.1", record="2" * 64),
    ),
    builder=builder_id(BUILDER.name),
    invocation=f"{'8' * 64}-1775055600",
    started=1775055600,
    finished=1775055660,
    files=(("nova-33.0.0-py3-none-any.whl", "1" * 64), ("nova-33.0.0.tar.gz", "2" * 64)),
    byproducts=(("nova-33.0.0.tar.gz.metadata", "3" * 64),),
)
COMMANDS = replace(
    FULL,
    resolved=1775050000,
    builds=(),
    prepare=(("npm", "ci"),),
    run=(("npm", "pack"), ("sh", "-c", "{}")),
    patterns=("*",),
)
BARE = replace(FULL, subdirectory="", refs=(), materials=(), byproducts=(), builds=("sdist",), files=FULL.files[1:])


@pytest.mark.parametrize("provenance", [FULL, BARE, COMMANDS], ids=["full", "bare", "commands"])
def test_it_comes_back(provenance: Provenance) -> None:
    assert parse_provenance(format_provenance(provenance)) == provenance
    envelope, said = parse(sign(provenance, BUILDER))
    assert said == provenance
    assert dsse.verify(envelope, [BUILDER.verifier]) == (BUILDER.verifier,)


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
IDS = st.sampled_from(["a" * 40, "0" * 64])


@sparing
@given(st.builds(
    Provenance, project=TEXT, version=TEXT, repo=TEXT, tag=TEXT, object=IDS, commit=IDS,
    builds=st.lists(TEXT).map(tuple), refs=st.lists(st.tuples(TEXT, IDS)).map(tuple), epoch=st.integers(0, 2**40),
    tree=st.just("7" * 64), builder=TEXT, invocation=TEXT, started=st.integers(0, 2**33), finished=st.just(5),
    files=st.dictionaries(TEXT, st.just("1" * 64), min_size=1).map(lambda d: tuple(sorted(d.items()))),
    subdirectory=TEXT, isolation=TEXT, materials=st.just(FULL.materials), byproducts=st.just(()),
))  # fmt: skip
def test_whatever_it_says_it_comes_back(provenance: Provenance) -> None:
    assert parse_provenance(format_provenance(provenance)) == provenance


def test_the_bytes() -> None:
    said = json.loads(format_provenance(BARE))
    assert said == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "nova-33.0.0.tar.gz", "digest": {"sha256": "2" * 64}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "https://tagtrail.dev/build/v1",
                "externalParameters": {
                    "project": "nova",
                    "version": "33.0.0",
                    "repository": "https://git.example.org/nova",
                    "tag": {"name": "33.0.0", "object": "a" * 40},
                    "commit": "c" * 40,
                    "builds": ["sdist"],
                    "subdirectory": "",
                    "refs": [],
                },
                "internalParameters": {"isolation": "none", "epoch": 1775055600},
                "resolvedDependencies": [
                    {
                        "uri": "git+https://git.example.org/nova@refs/tags/33.0.0",
                        "digest": {"gitCommit": "c" * 40},
                        "annotations": {"tree": "7" * 64},
                    }
                ],
            },
            "runDetails": {
                "builder": {"id": "https://releases.example.org/trail/builder"},
                "metadata": {
                    "invocationId": f"{'8' * 64}-1775055600",
                    "startedOn": "2026-04-01T15:00:00Z",
                    "finishedOn": "2026-04-01T15:01:00Z",
                },
                "byproducts": [],
            },
        },
    }


@pytest.mark.parametrize(
    ("repo", "tag", "uri"),
    [
        ("https://git.example.org/nova", "1.0", "git+https://git.example.org/nova@refs/tags/1.0"),
        ("local:nova", "v1.0", "local:nova@refs/tags/v1.0"),
        ("https://git.example.org/nova", "a b#1", "git+https://git.example.org/nova@refs/tags/a%20b%231"),
    ],
)
def test_where_the_commit_is_from(repo: str, tag: str, uri: str) -> None:
    said = json.loads(format_provenance(replace(FULL, repo=repo, tag=tag)))
    assert said["predicate"]["buildDefinition"]["resolvedDependencies"][0]["uri"] == uri


def test_it_lies_beside_the_files() -> None:
    assert provenance_name("nova", "33.0.0") == "nova-33.0.0.intoto.jsonl"
    data = sign(FULL, BUILDER)
    assert data.count(b"\n") == 1
    assert data == sign(FULL, BUILDER), "made again, it is the same bytes"


def test_securesystemslib_verifies_it() -> None:
    theirs = TheirEnvelope.from_dict(json.loads(sign(FULL, BUILDER)))
    public = Ed25519PublicKey.from_public_bytes(BUILDER.verifier.key)
    key = SSlibKey.from_crypto(public, BUILDER.verifier.key_id.hex())
    assert set(theirs.verify([key], 1)) == {key.keyid}
    assert (theirs.payload_type, theirs.payload) == (dsse.IN_TOTO, format_provenance(FULL))


# --- refusals -------------------------------------------------------------------------------------------------------

Change = Callable[[Any], object]
PLACES = [
    (), ("subject", 0), ("subject", 0, "digest"), ("predicate",), ("predicate", "buildDefinition"),
    ("predicate", "buildDefinition", "externalParameters"), ("predicate", "buildDefinition", "internalParameters"),
    ("predicate", "buildDefinition", "externalParameters", "tag"),
    ("predicate", "buildDefinition", "externalParameters", "refs", 0),
    ("predicate", "buildDefinition", "resolvedDependencies", 0),
    ("predicate", "buildDefinition", "resolvedDependencies", 0, "digest"),
    ("predicate", "buildDefinition", "resolvedDependencies", 0, "annotations"),
    ("predicate", "buildDefinition", "resolvedDependencies", 2),
    ("predicate", "buildDefinition", "resolvedDependencies", 2, "annotations"),
    ("predicate", "runDetails"), ("predicate", "runDetails", "builder"), ("predicate", "runDetails", "metadata"),
    ("predicate", "runDetails", "byproducts", 0),
]  # fmt: skip


def at(value: Any, place: tuple[Any, ...]) -> Any:
    for step in place:
        value = value[step]
    return value


def changed(change: Change) -> bytes:
    value = canonical.loads(format_provenance(FULL), 1 << 20)
    change(value)
    return canonical.dumps(value)


@pytest.mark.parametrize("place", PLACES, ids=lambda p: ".".join(map(str, p)) or "statement")
def test_no_field_more(place: tuple[Any, ...]) -> None:
    assert refused(parse_provenance, changed(lambda v: at(v, place).update(more=1))) == "provenance-form"


@pytest.mark.parametrize("place", PLACES, ids=lambda p: ".".join(map(str, p)) or "statement")
def test_no_field_less(place: tuple[Any, ...]) -> None:
    for name in at(canonical.loads(format_provenance(FULL), 1 << 20), place):
        if place[-2:] == ("resolvedDependencies", 2) and name == "annotations":
            continue  # a package without a list of files has none
        less = canonical.loads(format_provenance(FULL), 1 << 20)
        del at(less, place)[name]
        assert refused(parse_provenance, canonical.dumps(less)) == "provenance-form"


def put(value: Any, *place: Any) -> Change:
    return lambda whole: at(whole, place[:-1]).__setitem__(place[-1], value)


DEFINITION, DETAILS = ("predicate", "buildDefinition"), ("predicate", "runDetails")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (put("https://in-toto.io/Statement/v0.1", "_type"), "provenance-form"),
        (put("https://slsa.dev/provenance/v0.2", "predicateType"), "provenance-form"),
        (put("https://example.org/build", *DEFINITION, "buildType"), "provenance-form"),
        (put([], "subject"), "provenance-form"),
        (lambda v: v["subject"].reverse(), "provenance-form"),
        (lambda v: v["subject"].append(v["subject"][-1]), "provenance-form"),
        (put("A" * 64, "subject", 0, "digest", "sha256"), "provenance-form"),
        (put({"sha1": "1" * 40}, "subject", 0, "digest"), "provenance-form"),
        (put("c" * 39, *DEFINITION, "externalParameters", "commit"), "provenance-form"),
        (put("d" * 40, *DEFINITION, "resolvedDependencies", 0, "digest", "gitCommit"), "provenance-form"),
        (put("d" * 40, *DEFINITION, "externalParameters", "commit"), "provenance-form"),
        (put("git+https://evil.example/nova@refs/tags/33.0.0", *DEFINITION, "resolvedDependencies", 0, "uri"),
         "provenance-form"),
        (put([], *DEFINITION, "resolvedDependencies"), "provenance-form"),
        (lambda v: at(v, DEFINITION)["resolvedDependencies"].reverse(), "provenance-form"),
        (put("g" * 64, *DEFINITION, "resolvedDependencies", 0, "annotations", "tree"), "provenance-form"),
        (put("B" * 64, *DEFINITION, "resolvedDependencies", 2, "annotations", "record"), "provenance-form"),
        (put("C" * 40, *DEFINITION, "externalParameters", "refs", 0, "object"), "provenance-form"),
        (put("c" * 63, *DEFINITION, "externalParameters", "tag", "object"), "provenance-form"),
        (put({"record": ""}, *DEFINITION, "resolvedDependencies", 2, "annotations"), "provenance-form"),
        (put(True, *DEFINITION, "internalParameters", "epoch"), "provenance-form"),
        (put("none", *DEFINITION, "internalParameters"), "provenance-form"),
        (put("sdist", *DEFINITION, "externalParameters", "builds"), "provenance-form"),
        (put([], *DEFINITION, "externalParameters", "run"), "provenance-form"),
        (put(["make"], *DEFINITION, "externalParameters", "run"), "provenance-form"),
        (put([[1]], *DEFINITION, "externalParameters", "prepare"), "provenance-form"),
        (put([[]], *DEFINITION, "externalParameters", "run"), "provenance-form"),
        (put("*", *DEFINITION, "externalParameters", "files"), "provenance-form"),
        (put("2026-04-01T15:00:00+00:00", *DETAILS, "metadata", "startedOn"), "time-form"),
        (put("2026-04-01T15:00:00.5Z", *DETAILS, "metadata", "finishedOn"), "time-form"),
    ],
)  # fmt: skip
def test_no_other_value(change: Change, code: str) -> None:
    assert refused(parse_provenance, changed(change)) == code


def test_every_field_is_written() -> None:
    """What a provenance says is in its bytes: two that differ in one field differ."""
    other: dict[type, Any] = {str: "x", int: 1, tuple: ()}
    for field in fields(COMMANDS):
        value = getattr(COMMANDS, field.name)
        if field.name not in {"object", "commit", "tree"}:
            changes: dict[str, Any] = {field.name: other[type(value)] if value else ("x",)}
            changed = replace(COMMANDS, **changes)
            assert format_provenance(changed) != format_provenance(COMMANDS)


ENVELOPE = sign(FULL, BUILDER)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (ENVELOPE[:-1], "provenance-line"),
        (ENVELOPE + ENVELOPE, "provenance-line"),
        (ENVELOPE + b"\n", "provenance-line"),
        (b"", "provenance-line"),
        (b"\n", "json-syntax"),
        (ENVELOPE[:-1] + b"\r\n", "provenance-line"),
        (b" " + ENVELOPE, "provenance-line"),
        (dsse.sign("application/json", format_provenance(FULL), [BUILDER]).encode() + b"\n", "provenance-payload-type"),
        (dsse.sign(dsse.IN_TOTO, format_provenance(FULL) + b" ", [BUILDER]).encode() + b"\n", "json-not-canonical"),
        (dsse.sign(dsse.IN_TOTO, b"[]", [BUILDER]).encode() + b"\n", "provenance-form"),
        (dsse.sign(dsse.IN_TOTO, format_provenance(FULL), []).encode() + b"\n", "dsse-no-signature"),
    ],
)
def test_no_other_line(data: bytes, code: str) -> None:
    assert refused(parse, data) == code

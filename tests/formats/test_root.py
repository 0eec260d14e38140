from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagtrail.formats import canonical
from tagtrail.formats.note import Signer
from tagtrail.formats.root import Allowed, Freeze, Root, format_root, parse_root
from tagtrail.model.facts import Key
from tagtrail.testing.people import Person
from tests.formats.refusal import refused

ORIGIN = "releases.example.org/trail"
KEYS = tuple(Signer(name=ORIGIN, seed=bytes([n]) * 32).verifier.vkey() for n in range(3))
ADA, BOB = (replace(Person(name=name).key, person="") for name in ("ada", "bob"))
PGP = Key(fingerprint="A" * 40, scheme="openpgp", material="-----BEGIN PGP PUBLIC KEY BLOCK-----\n...")
FULL = Root(
    origin=ORIGIN,
    version=3,
    expires=2_000_000_000,
    threshold=2,
    keys=KEYS,
    policy=f"log {KEYS[0]}\nquorum none\n",
    release=(PGP,),
    builders=(KEYS[1],),
    until=(("A" * 40, 7),),
    people=tuple(sorted((ADA, replace(BOB, valid_after=0, valid_before=2**31)), key=lambda k: k.fingerprint)),
    signers=(
        ("glance", (Allowed(key=ADA.fingerprint),)),
        ("nova", (Allowed(key=ADA.fingerprint, until=4), Allowed(key=BOB.fingerprint, start=4))),
    ),
    freezes=(Freeze(size=4, root=bytes(range(32))), Freeze(size=0, root=bytes(32))),
)
BARE = Root(origin=ORIGIN, version=1, expires=0, threshold=1, keys=KEYS[:1], policy="")


@pytest.mark.parametrize("root", [FULL, BARE], ids=["full", "bare"])
def test_a_root_comes_back(root: Root) -> None:
    assert parse_root(format_root(root)) == root


def test_the_bytes_of_a_bare_root() -> None:
    assert format_root(BARE) == (
        b'{"_type":"https://tagtrail.dev/root/v1","builders":[],"expires":"1970-01-01T00:00:00Z","freezes":[],"keys":{},'
        b'"origin":"releases.example.org/trail","policy":"","release":[],"root":{"keys":["'
        + KEYS[0].encode()
        + b'"],"threshold":1},"signers":{},"version":1}'
    )


def test_a_root_names_no_person() -> None:
    named = replace(FULL, people=tuple(replace(k, person="Ada Example", namespaces=("git",)) for k in FULL.people))
    assert b"Ada" not in format_root(named)
    assert parse_root(format_root(named)) == FULL


Change = Callable[[Any], object]


def changed(change: Change) -> bytes:
    value = canonical.loads(format_root(FULL))
    change(value)
    return canonical.dumps(value)


def put(value: Any, *path: Any) -> Change:
    """A change: `value` at a path within the payload; `...` takes it away."""

    def change(payload: Any) -> None:
        *way, last = path
        for step in way:
            payload = payload[step]
        if value is ...:
            del payload[last]
        else:
            payload[last] = value

    return change


FIELDS = (
    "_type",
    "origin",
    "version",
    "expires",
    "root",
    "policy",
    "release",
    "builders",
    "keys",
    "signers",
    "freezes",
)
A = ADA.fingerprint


@pytest.mark.parametrize(
    ("change", "code"),
    [
        *((put(..., field), "root-form") for field in FIELDS),
        *((put(None, field), "root-form") for field in FIELDS),
        (put("x", "more"), "root-form"),
        (put("https://tagtrail.dev/root/v2", "_type"), "root-form"),
        (put(1, "origin"), "root-form"),
        (put("3", "version"), "root-form"),
        (put(True, "version"), "root-form"),
        (put(0, "version"), "root-threshold"),
        (put(-1, "version"), "root-threshold"),
        (put(0, "expires"), "root-form"),
        (put("2033-05-18", "expires"), "time-form"),
        (put("2033-05-18T03:33:20+00:00", "expires"), "time-form"),
        (put(0, "root", "threshold"), "root-threshold"),
        (put(-1, "root", "threshold"), "root-threshold"),
        (put(4, "root", "threshold"), "root-threshold"),
        (put(True, "root", "threshold"), "root-form"),
        (put("1", "root", "threshold"), "root-form"),
        (put([], "root", "keys"), "root-threshold"),
        (put([KEYS[0], KEYS[0]], "root", "keys"), "root-threshold"),
        (put([KEYS[0], KEYS[1], KEYS[0]], "root", "keys"), "root-threshold"),
        (put([1, 2], "root", "keys"), "root-form"),
        (put("abc", "root", "keys"), "root-form"),
        (put({}, "root", "keys"), "root-form"),
        (put("x", "root", "more"), "root-form"),
        (put("x", "release", 0, "more"), "root-form"),
        (put(..., "release", 0, "certificate"), "root-form"),
        (put(1, "release", 0, "fingerprint"), "root-form"),
        (put([1], "builders"), "root-form"),
        (put("pgp", "keys", A, "scheme"), "root-form"),
        (put(["ssh"], "keys", A, "scheme"), "root-form"),
        (put(..., "keys", A, "material"), "root-form"),
        (put("Ada", "keys", A, "person"), "root-form"),
        (put(5, "keys", A, "valid-after"), "root-form"),
        (put("yesterday", "keys", A, "valid-after"), "time-form"),
        (put([], "keys"), "root-form"),
        (put("x", "signers", "nova"), "root-form"),
        (put("0", "signers", "nova", 0, "from"), "root-form"),
        (put(..., "signers", "nova", 0, "from"), "root-form"),
        (put(None, "signers", "nova", 0, "until"), "root-form"),
        (put(False, "signers", "nova", 0, "from"), "root-form"),
        (put("x", "signers", "nova", 0, "more"), "root-form"),
        (put("AA==", "freezes", 0, "root"), "root-freeze"),
        (put("", "freezes", 0, "root"), "root-freeze"),
        (put("A" * 44, "freezes", 0, "root"), "root-freeze"),
        (put("not base64", "freezes", 0, "root"), "root-freeze"),
        (put("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", "freezes", 0, "root"), "root-freeze"),
        (put("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=", "freezes", 0, "root"), "root-freeze"),
        (put(-1, "freezes", 0, "size"), "root-freeze"),
        (put("4", "freezes", 0, "size"), "root-form"),
        (put(..., "freezes", 0, "size"), "root-form"),
        (put("x", "freezes", 0, "more"), "root-form"),
    ],
)
def test_other_forms_are_refused(change: Change, code: str) -> None:
    assert refused(parse_root, changed(change)) == code


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "json-syntax"),
        (b"[]", "root-form"),
        (b"null", "root-form"),
        (b'"x"', "root-form"),
        (b"7", "root-form"),
        (format_root(FULL) + b"\n", "json-not-canonical"),
        (format_root(FULL).replace(b'"version":3', b'"version":3.0'), "json-float"),
        (format_root(FULL).replace(b'"version":3', b'"version":9007199254740992'), "json-integer"),
        (format_root(FULL).replace(b'"version":3', b'"version":3,"version":4'), "json-duplicate-key"),
    ],
)
def test_other_bytes_are_refused(data: bytes, code: str) -> None:
    assert refused(parse_root, data) == code


# --- who may sign what, from when ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("project", "index", "wanted"),
    [
        ("nova", 0, {ADA}),
        ("nova", 3, {ADA}),
        ("nova", 4, {BOB}),
        ("nova", 10**9, {BOB}),
        ("glance", 0, {ADA}),
        ("glance", 10**9, {ADA}),
        ("keystone", 0, set()),
        ("Nova", 4, set()),
        ("", 0, set()),
    ],
)
def test_who_is_allowed(project: str, index: int, wanted: set[Key]) -> None:
    assert {k.fingerprint for k in FULL.allowed(project, index)} == {k.fingerprint for k in wanted}


def test_who_has_no_key_in_the_root_is_not_allowed() -> None:
    ghost = replace(FULL, signers=(("nova", (Allowed(key="SHA256:ghost"),)),))
    assert ghost.allowed("nova", 0) == ()


@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 20))
def test_validity_is_half_open(start: int, until: int, index: int) -> None:
    root = replace(FULL, signers=(("nova", (Allowed(key=A, start=start, until=until),)),))
    assert bool(root.allowed("nova", index)) == (start <= index < until)

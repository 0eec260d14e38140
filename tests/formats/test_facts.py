from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagtrail.formats import facts
from tagtrail.model.facts import Approval, Artifact, Blob, Built, Effect, Origin, Receipt, Remark, Row, Sidecar, Signed
from tagtrail.ports import BuildOrder
from tagtrail.testing import samples
from tests.formats.refusal import refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Odd:
    """Every shape that a fact may have."""

    number: int = 0
    flag: bool = False
    text: str = ""
    maybe: str | None = None
    choice: Literal["a", "b"] = "a"
    pair: tuple[str, int] = ("", 0)
    pairs: tuple[tuple[str, str], ...] = ()
    inner: Blob | None = None
    many: tuple[Blob, ...] = ()


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
BLOBS = st.builds(Blob, sha256=TEXTS, size=st.integers(0, 2**53 - 1), media=TEXTS)
EFFECTS = st.builds(Effect, target=TEXTS, key=TEXTS, entry=st.integers(0, 9), path=TEXTS, blob=BLOBS)
FACTS = st.one_of(
    BLOBS,
    st.builds(
        Odd,
        number=st.integers(1 - 2**53, 2**53 - 1),
        text=TEXTS,
        maybe=st.none() | TEXTS,
        pair=st.tuples(TEXTS, st.integers(0, 9)),
        pairs=st.lists(st.tuples(TEXTS, TEXTS)).map(tuple),
        inner=st.none() | BLOBS,
        many=st.lists(BLOBS).map(tuple),
    ),
    st.builds(Artifact, blob=BLOBS, metadata=st.none() | BLOBS, name=TEXTS, generated=st.lists(TEXTS).map(tuple)),
    st.builds(Row, effect=EFFECTS, since=st.integers(0, 9), receipt=st.none() | st.builds(Receipt, where=TEXTS)),
)


@given(FACTS)
def test_a_fact_comes_back(fact: Any) -> None:
    assert facts.load(type(fact), facts.dump(fact)) == fact


@pytest.mark.parametrize(
    "fact",
    [
        samples.signed(),
        samples.plan(),
        samples.artifact("nova.zip"),
        Approval(key="k", digest="d"),
        Sidecar(name="a.asc", blob=samples.blob(b"a")),
    ],
    ids=lambda fact: type(fact).__name__,
)
def test_every_fact_of_the_chain_comes_back(fact: Any) -> None:
    assert facts.load(type(fact), facts.dump(fact)) == fact


def test_plain_kinds() -> None:
    assert facts.load(str, "x") == "x"
    assert facts.load(int, 1) == 1
    assert facts.load(bool, value=True) is True


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (int, True),
        (int, 1.0),
        (int, "1"),
        (str, 1),
        (str, None),
        (str, b"x"),
        (bool, 1),
        (Blob, None),
        (Blob, []),
        (Blob, "blob"),
        (Blob, {}),
        (Blob, {"sha256": "a"}),
        (Blob, {"sha256": "a", "size": 1, "media": "x", "more": 1}),
        (Blob, {"sha256": "a", "size": "1"}),
        (Blob, {"sha256": "a", "size": True}),
        (Blob, {"sha256": None, "size": 1}),
        (Odd, {"choice": "c"}),
        (Odd, {"choice": None}),
        (Odd, {"choice": ["a"]}),
        (Odd, {"maybe": 1}),
        (Odd, {"pair": ["a"]}),
        (Odd, {"pair": ["a", 1, 2]}),
        (Odd, {"pair": [1, "a"]}),
        (Odd, {"pair": None}),
        (Odd, {"pairs": [["a"]]}),
        (Odd, {"pairs": ["ab"]}),
        (Odd, {"pairs": "ab"}),
        (Odd, {"pairs": {"a": "b"}}),
        (Odd, {"many": [None]}),
        (Odd, {"many": {}}),
        (Odd, {"inner": []}),
        (Origin, {"how": "stolen"}),
        (Row, {"effect": {}, "state": "none"}),
    ],
)
def test_other_shapes_are_refused(kind: type, value: Any) -> None:
    assert refused(facts.load, kind, value) == "fact-form"


def test_a_field_that_is_new_takes_its_default() -> None:
    assert facts.load(Odd, {"text": "from an older version"}) == Odd(text="from an older version")


# --- the digest of a fact is a step's key ---------------------------------------------------------------------------


def test_a_digest_is_the_same_for_ever() -> None:
    assert (
        facts.digest(Blob(sha256="a" * 64, size=1))
        == "75de93f326aa3149a98d1f336315ca2ab3c13f819f89b06033b6ce0dd160c163"
    )


@given(FACTS, FACTS)
def test_equal_digests_mean_equal_facts(one: Any, other: Any) -> None:
    same = type(one) is type(other) and one == other
    assert (facts.digest(one) == facts.digest(other)) == same


def test_types_of_equal_fields_have_other_digests() -> None:
    assert facts.digest(Approval(key="a", digest="b")) != facts.digest(Pair(key="a", digest="b"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    key: str
    digest: str


ORDER = BuildOrder(
    project="nova", version="1", tag="1", commit="c", epoch=1, builds=("sdist",), refs=(("refs/tags/1", "o"),)
)
CHANGES: dict[str, Any] = {
    "project": "glance",
    "version": "2",
    "tag": "v1",
    "commit": "d",
    "epoch": 2,
    "builds": ("wheel",),
    "refs": (("refs/tags/1", "p"),),
    "subdirectory": "x",
    "isolation": "bwrap",
    "prepare": (("go", "mod", "download"),),
    "run": (("go", "build"),),
    "files": ("nova-*",),
}


def test_every_build_input_changes_the_key() -> None:
    assert set(CHANGES) == {f.name for f in fields(BuildOrder)}
    digests = {facts.digest(replace(ORDER, **{name: value})) for name, value in CHANGES.items()}
    assert len(digests | {facts.digest(ORDER)}) == len(CHANGES) + 1


def test_a_sparse_field_counts_only_where_it_says_something() -> None:
    assert {"prepare", "run", "files"}.isdisjoint(facts.dump(ORDER))
    full = replace(ORDER, run=(("go", "build"),), files=("nova-*",))
    assert facts.load(BuildOrder, facts.dump(full)) == full
    assert facts.load(BuildOrder, facts.dump(ORDER)) == ORDER


def test_the_chain_nests() -> None:
    signed = samples.signed()
    assert isinstance(facts.load(Signed, facts.dump(signed)).approved.built, Built)


def test_a_new_sparse_field_changes_no_digest() -> None:
    plain = Artifact(name="a", blob=samples.blob(b"a"))
    assert "remarks" not in facts.dump(plain)
    noted = replace(plain, remarks=(Remark(kind="litter", member="a~", what="an editor's copy"),))
    assert facts.load(Artifact, facts.dump(noted)) == noted

"""`@frozen` makes what a frozen, slotted dataclass with keywords is: the same values, refusals and answers."""

import copy
import inspect
from dataclasses import FrozenInstanceError, asdict, dataclass, fields, is_dataclass
from dataclasses import replace as dataclass_replace
from typing import Any, Generic, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagtrail.model.frozen import frozen, replace, sparse


@frozen
class Blob:
    """Some bytes."""

    sha256: str
    size: int = 0
    parts: tuple[str, ...] = ()

    @property
    def kilobytes(self) -> float:
        return self.size / 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """The same as a dataclass."""

    sha256: str
    size: int = 0
    parts: tuple[str, ...] = ()


@frozen
class Even:
    number: int

    def __post_init__(self) -> None:
        if self.number % 2:
            raise ValueError(self.number)

    def __repr__(self) -> str:
        return "an even number"


@frozen
class Odd:
    number: int


VALUES: Any = st.fixed_dictionaries(
    {"sha256": st.text(max_size=2)},
    optional={"size": st.integers(0, 2), "parts": st.tuples(st.text(max_size=1))},
)


@given(VALUES, VALUES)
def test_it_does_as_a_dataclass_does(one: dict[str, Any], other: dict[str, Any]) -> None:
    mine, peer = (Blob(**one), Blob(**other)), (Peer(**one), Peer(**other))
    assert (mine[0] == mine[1]) is (peer[0] == peer[1])
    assert len(set(mine)) == len(set(peer))
    for ours, theirs in zip(mine, peer, strict=True):
        assert repr(ours).replace("Blob", "Peer") == repr(theirs)
        assert asdict(ours) == asdict(theirs)
        changed = replace(ours, size=5)
        assert changed == dataclass_replace(ours, size=5) == Blob(**asdict(ours) | {"size": 5})
        assert copy.copy(ours) == copy.deepcopy(ours) == ours


def test_who_asks_about_it_sees_a_dataclass() -> None:
    assert [(f.name, f.default) for f in fields(Blob)] == [(f.name, f.default) for f in fields(Peer)]
    assert str(inspect.signature(Blob)) == str(inspect.signature(Peer))
    assert (Blob.__doc__, Blob.__module__, Blob.__qualname__) == ("Some bytes.", __name__, "Blob")
    assert Blob(sha256="", size=1500).kilobytes == 1.5
    assert is_dataclass(Blob)


@pytest.mark.parametrize("kind", [Blob, Peer])
@pytest.mark.parametrize(
    ("positional", "named"),
    [((), {}), ((), {"size": 1}), ((), {"sha256": "", "colour": 1}), (("",), {}), ((), {"sha256": "", "self": 1})],
)
def test_other_fields_than_its_own_are_refused(kind: Any, positional: tuple[Any, ...], named: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        kind(*positional, **named)


@pytest.mark.parametrize("name", ["sha256", "size", "colour"])
def test_nothing_of_it_changes(name: str) -> None:
    blob = Blob(sha256="a")
    with pytest.raises(FrozenInstanceError):
        setattr(blob, name, 1)
    with pytest.raises(FrozenInstanceError):
        delattr(blob, name)
    assert blob == Blob(sha256="a")
    assert not hasattr(blob, "__dict__")


def test_classes_with_equal_fields_are_not_equal() -> None:
    different: tuple[object, ...] = (Odd(number=2), Even(number=2), 2)
    assert len(set(different)) == 3
    assert different[0] != different[1]


def test_what_a_class_says_of_itself_is_kept() -> None:
    assert repr(Even(number=2)) == "an even number"
    with pytest.raises(ValueError, match="3"):
        Even(number=3)
    with pytest.raises(ValueError, match="3"):
        replace(Even(number=2), number=3)


@frozen
class Grown:
    """A class that had one field once."""

    name: str
    notes: tuple[str, ...] = sparse(())


T = TypeVar("T")


@frozen
class Box(Generic[T]):
    inside: T


def test_its_bases_are_kept() -> None:
    made: Box[int] = Box[int](inside=1)
    assert (made, isinstance(made, Generic)) == (Box(inside=1), True)
    assert repr(made) == "Box(inside=1)"


def test_a_sparse_field_has_its_default_and_is_marked() -> None:
    assert Grown(name="a").notes == ()
    assert Grown(name="a", notes=("b",)).notes == ("b",)
    assert [bool(field.metadata.get("sparse")) for field in fields(Grown)] == [False, True]

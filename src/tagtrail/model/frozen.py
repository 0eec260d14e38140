"""`@frozen`: what `@dataclass(frozen=True, slots=True, kw_only=True)` makes, without compiling source for each class.

A dataclass costs a millisecond when its module is imported, and the first one loads `inspect`: the sixty classes behind
`tagtrail verify` were half of the time that it took. A frozen class is made in a twentieth of that. Type checkers see a
dataclass, and `dataclasses.fields`, `replace` and `asdict` work. Used in the rooms that verify loads (model, formats,
verify), and wherever every `release` loads it; elsewhere a dataclass is as good.

    @frozen
    class Blob:
        sha256: str
        size: int
        media: str = "application/octet-stream"      a default is shared: it never changes either
        notes: tuple[str, ...] = sparse(())          a new field, which changes no digest while it is empty

Equal are two values of one class with equal fields. `__post_init__` and a `__repr__` of the class's own are kept.
"""

from functools import cache, partial
from operator import attrgetter
from typing import Any, ClassVar, NoReturn, TypeVar, dataclass_transform

__all__ = ["fields_of", "frozen", "replace", "sparse"]

T = TypeVar("T")


class _Sparse:
    """A default that is not written down."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value


def sparse(default: T) -> T:
    """The default of a field that `formats/facts.py` leaves out while it is empty."""
    return _Sparse(default)  # type: ignore[return-value]  # `frozen` takes it out again


@dataclass_transform(frozen_default=True, kw_only_default=True)
def frozen(kind: type[T]) -> type[T]:
    """The class anew, with a slot for each annotated name; its values take keywords only and never change."""
    names = tuple(kind.__annotations__)
    space = {name: value for name, value in vars(kind).items() if name not in (*names, "__dict__", "__weakref__")}
    said = {name: vars(kind)[name] for name in names if name in vars(kind)}
    space["_defaults"] = {name: one.value if isinstance(one, _Sparse) else one for name, one in said.items()}
    space["_sparse"] = frozenset(name for name, one in said.items() if isinstance(one, _Sparse))
    space |= {"__slots__": names, "__match_args__": (), "__qualname__": kind.__qualname__}
    bases = (base for base in kind.__bases__ if base is not object)
    made: Any = type(kind.__name__, (_Frozen, *bases), space)
    return made  # type: ignore[no-any-return]  # made of `kind`


def fields_of(kind: type) -> tuple[tuple[str, bool], ...] | None:
    """The fields of a frozen class, in order: (name, whether it is sparse); None for any other class."""
    if not issubclass(kind, _Frozen):
        return None
    return tuple((name, name in kind._sparse) for name, _ in kind._setters)  # noqa: SLF001  (ours)


def replace(value: T, /, **changes: Any) -> T:
    """The value with other fields: `dataclasses.replace`, types unchecked, without what loading dataclasses costs."""
    old = {name: getattr(value, name) for name in type(value).__annotations__}
    return type(value)(**old | changes)


@cache
def _dataclass(kind: type, *, whole: bool) -> type:
    """A dataclass of the same fields, for who asks `kind` about them: made when somebody does. Where it is not `whole`
    it has no methods, which take most of the time."""
    from dataclasses import field, make_dataclass

    defaults, thin = vars(kind)["_defaults"], vars(kind)["_sparse"]
    rows = [
        (name, hint, field(default=defaults[name], metadata={"sparse": name in thin}) if name in defaults else field())
        for name, hint in kind.__annotations__.items()
    ]
    return make_dataclass(kind.__name__, rows, kw_only=True, frozen=whole, init=whole, repr=whole, eq=whole)


class _AsDataclass:
    """What dataclasses have, for `dataclasses.fields`, pprint and `inspect.signature`."""

    def __set_name__(self, _: type, name: str) -> None:
        self._name = name

    def __get__(self, _: object, kind: type) -> Any:
        if self._name == "__signature__":
            from inspect import signature

            return signature(_dataclass(kind, whole=True))
        return getattr(_dataclass(kind, whole=self._name != "__dataclass_fields__"), self._name)


class _Frozen:
    """What all frozen values do."""

    __slots__ = ()
    __dataclass_fields__: ClassVar[Any] = _AsDataclass()
    __dataclass_params__: ClassVar[Any] = _AsDataclass()
    __signature__: ClassVar[Any] = _AsDataclass()
    _defaults: ClassVar[dict[str, Any]]
    _sparse: ClassVar[frozenset[str]]
    _setters: ClassVar[tuple[tuple[str, Any], ...]]
    _values: ClassVar[Any]

    def __init_subclass__(cls) -> None:
        names: tuple[str, ...] = vars(cls)["__slots__"]
        cls._setters = tuple((name, vars(cls)[name].__set__) for name in names)
        cls._values = attrgetter("__class__", *names)

    def __init__(self, /, **given: Any) -> None:
        fields = self._defaults | given
        try:
            for name, put in self._setters:
                put(self, fields.pop(name))
        except KeyError as missing:
            message = f"{type(self).__qualname__}: no value is given for {missing}"
            raise TypeError(message) from None
        if fields:
            message = f"{type(self).__qualname__} has no field {', '.join(map(repr, fields))}"
            raise TypeError(message)
        self.__post_init__()

    def __post_init__(self) -> None:
        """Where a class refuses values that make no sense."""

    def __eq__(self, other: object) -> bool:
        return bool(self._values(self) == self._values(other)) if type(self) is type(other) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._values(self))

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={getattr(self, name)!r}" for name, _ in self._setters)
        return f"{type(self).__qualname__}({told})"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        from dataclasses import FrozenInstanceError

        message = f"cannot change field {name!r}"
        raise FrozenInstanceError(message)

    def __delattr__(self, name: str) -> NoReturn:
        self.__setattr__(name, None)

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), **{name: getattr(self, name) for name, _ in self._setters}), ()

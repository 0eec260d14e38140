"""The vectors that gpg and ssh-keygen made, as values."""

from pathlib import Path

from tagtrail.model.facts import Key
from tagtrail.verify.keys import read_keys

VECTORS = Path(__file__).parent / "vectors"


def tag(name: str) -> bytes:
    return (VECTORS / f"{name}.tag").read_bytes()


def keys(*names: str) -> tuple[Key, ...]:
    return tuple(key for name in names for key in read_keys((VECTORS / name).read_bytes(), name))

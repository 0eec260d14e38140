"""Laws of every parser: what it takes comes back, and an enemy's bytes raise our own errors, soon."""

import base64
import time
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.formats.laws import sparing
from tests.formats.parsers import PARSERS, Parser, judged

ALL = pytest.mark.parametrize("name", PARSERS)
SOON = 1.0
"""Seconds of the processor: those of a clock say how busy the machine is."""


SPICE = tuple(b"\n|\r\n| |\0|\xff|\xc2\x85|\xe2\x80\xa8|\xed\xa0\x80|=|+|999999999999999999999999".split(b"|"))


def outcome(parser: Parser, data: bytes) -> object:
    start = time.thread_time()
    found = judged(parser, data)
    assert time.thread_time() - start < SOON
    return found


def edited(seeds: tuple[bytes, ...], chance: Random) -> bytes:
    """One of `seeds` after a few cuts, copies and overwritten bytes."""
    data = chance.choice(seeds)
    for _ in range(chance.randint(1, 4)):
        start = chance.randint(0, len(data))
        stop = min(len(data), start + chance.choice([0, 1, 1, 2, 40]))
        piece = chance.choice([b"", chance.randbytes(2), data[start:stop] * 2, *SPICE])
        data = data[:start] + piece + data[stop:]
    return data


@ALL
def test_it_takes_its_seeds(name: str) -> None:
    for seed in PARSERS[name].seeds:
        PARSERS[name].read(seed)
        outcome(PARSERS[name], seed)


@ALL
@sparing
@given(start=st.integers(0, 2**32))
def test_edited_bytes_are_read_or_refused(name: str, start: int) -> None:
    chance = Random(start)
    for _ in range(10):
        outcome(PARSERS[name], edited(PARSERS[name].seeds, chance))


HUGE = {
    "allowed signers": (b'a namespaces="' + b"a," * 500_000, b"a\n" * 500_000),
    "build system": (b"a." * 50_000 + b"a=1", b"a=" + b"[" * 100_000, b"a=" + b"9" * 5_000),
    "envelope": (b"[" * 16_000_000,),
    "metadata": (b"Metadata-Version: 2.4\nName: nova\nVersion: " + b"9" * 5_000, b" x\n" * 500_000),
    "note": (b"\n" * 1_000_000, "— a AAAAAAAA\n".encode() * 60_000),
    "settings": (b"a." * 50_000 + b"a=1", b"a=" + b"[" * 100_000, b"a=" + b"9" * 5_000, b"a.a." * 100 + b"a=1"),
    "SSH key line": (b"ssh-ed25519 " + base64.b64encode(bytes(6_000_000)),),
    "sums": (b"0 " * 1_000_000 + b"\n",),
    "tile path": (b"tile/0/" + b"x000/" * 200_000 + b"000",),
}


@pytest.mark.parametrize(
    ("name", "data"),
    [pytest.param(name, data, id=f"{name} {n}") for name, many in HUGE.items() for n, data in enumerate(many)],
)
def test_huge_input_is_refused_soon(name: str, data: bytes) -> None:
    assert isinstance(outcome(PARSERS[name], data), str)


@ALL
@sparing
@given(data=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(name: str, data: bytes) -> None:
    outcome(PARSERS[name], data)

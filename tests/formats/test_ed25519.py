import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tagtrail.formats import ed25519
from tests.formats.refusal import refused

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P

# RFC 8032 section 7.1, tests 1 to 3: seed, public key, message, signature
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize("vector", RFC_8032)
def test_rfc_8032(vector: tuple[str, ...]) -> None:
    seed, key, message, signature = map(bytes.fromhex, vector)
    assert ed25519.public_key(seed) == key
    assert ed25519.sign(seed, message) == signature
    ed25519.check_key(key)
    assert ed25519.verify(key, message, signature)
    assert not ed25519.verify(key, message + b"!", signature)
    assert not ed25519.verify(key, message, signature[:-1] + bytes([signature[-1] ^ 1]))


Point = tuple[int, int]


def add(a: Point, b: Point) -> Point:
    """The addition law of the curve, as RFC 8032 section 5.1.4 states it, in affine coordinates."""
    (x1, y1), (x2, y2) = a, b
    product = D * x1 * x2 * y1 * y2
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, P)
    y = (y1 * y2 + x1 * x2) * pow(1 - product, -1, P)
    return x % P, y % P


def small_order_points() -> set[Point]:
    """The eight points of small order, as multiples of one of order eight."""
    y = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * pow(2, (P - 1) // 4, P) % P
    assert x * x % P == square
    point, points = (0, 1), set()
    for _ in range(8):
        points.add(point)
        point = add(point, (x, y))
    assert point == (0, 1)
    return points


def encodings(point: Point) -> set[bytes]:
    """Every 32 bytes that some implementation reads as `point`: y or y + p, and where x is 0 either sign."""
    x, y = point
    signs = (0, 1) if x == 0 else (x & 1,)
    return {(spelt | sign << 255).to_bytes(32, "little") for spelt in (y, y + P) if spelt < 2**255 for sign in signs}


SMALL = sorted(set().union(*map(encodings, small_order_points())))


def test_there_are_as_many_as_known() -> None:
    # 8 canonical encodings and 6 others: "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko 2020), table 1
    assert len(SMALL) == 14


@pytest.mark.parametrize("key", SMALL, ids=bytes.hex)
def test_keys_of_small_order_are_refused(key: bytes) -> None:
    y = int.from_bytes(key, "little") & (2**255 - 1)
    assert refused(ed25519.check_key, key) == ("key-small-order" if y < P else "key-not-canonical")


def test_why_it_matters() -> None:
    identity = (1).to_bytes(32, "little")
    anything = identity + bytes(32)
    assert ed25519.verify(identity, b"any text", anything)
    assert ed25519.verify(identity, b"another", anything)


@pytest.mark.parametrize("y", [P + 2, P + 3, 2**255 - 1, 2**256 - 1])
def test_second_spellings_are_refused(y: int) -> None:
    assert refused(ed25519.check_key, y.to_bytes(32, "little")) == "key-not-canonical"


@given(st.integers(2, P - 2).filter(lambda y: y.to_bytes(32, "little") not in SMALL))
@example(2)
def test_what_is_no_point_is_refused(y: int) -> None:
    key = y.to_bytes(32, "little")
    square = (y * y - 1) * pow(D * y * y + 1, -1, P)
    if pow(square, (P - 1) // 2, P) == 1:
        ed25519.check_key(key)
    else:
        assert refused(ed25519.check_key, key) == "key-off-curve"


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_other_lengths_are_refused(size: int) -> None:
    assert refused(ed25519.check_key, b"\x09" * size) == "key-size"


@given(st.binary(min_size=32, max_size=32))
def test_real_keys_are_read(seed: bytes) -> None:
    ed25519.check_key(ed25519.public_key(seed))

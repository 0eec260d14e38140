import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagtrail.formats.sums import format_sums, parse_sums
from tagtrail.model.errors import TamperError
from tests.formats.refusal import refused

A, B = "a" * 64, "b" * 64
GOOD = f"{A}  nova-1.0.tar.gz\n{B}  nova-1.0.tar.xz\n".encode()
NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._+!~-]{0,30}", fullmatch=True)
DIGESTS = st.binary(max_size=4).map(lambda data: sha256(data).hexdigest())


@given(st.dictionaries(NAMES, DIGESTS, min_size=1))
def test_a_list_comes_back_sorted(files: dict[str, str]) -> None:
    assert parse_sums(format_sums(files.items())) == tuple(sorted(files.items()))


@given(st.dictionaries(NAMES, DIGESTS, min_size=1), st.data())
def test_no_other_bytes_mean_the_same(files: dict[str, str], data: st.DataObject) -> None:
    good = format_sums(files.items())
    place = data.draw(st.integers(0, len(good) - 1))
    other = (
        good[:place] + bytes([data.draw(st.integers(0, 255).filter(lambda b: b != good[place]))]) + good[place + 1 :]
    )
    assert read(other) != parse_sums(good)


def read(data: bytes) -> object:
    try:
        return parse_sums(data)
    except TamperError as error:
        return error.code


def test_the_bytes() -> None:
    assert format_sums([("nova-1.0.tar.xz", B), ("nova-1.0.tar.gz", A)]) == GOOD


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "sums-form"),
        (b"\n", "sums-form"),
        (GOOD[:-1], "sums-form"),
        (GOOD + b"\n", "sums-form"),
        (b"\n" + GOOD, "sums-form"),
        (GOOD.replace(b"\n", b"\r\n"), "sums-form"),
        (GOOD.replace(b"\n", b"\r", 1), "sums-form"),
        (GOOD.replace(b"\n", "\u2028".encode(), 1), "sums-form"),
        (GOOD.replace(b"  ", b" ", 1), "sums-form"),
        (GOOD.replace(b"  ", b" *", 1), "sums-form"),
        (GOOD.replace(b"  ", b"\t", 1), "sums-form"),
        (GOOD.replace(b"  ", b"   ", 1), "sums-form"),
        (GOOD.replace(b"nova-1.0.tar.gz", b"../nova-1.0.tar.gz"), "sums-form"),
        (GOOD.replace(b"nova-1.0.tar.gz", b"/nova-1.0.tar.gz"), "sums-form"),
        (GOOD.replace(b"nova-1.0.tar.gz", b"a/nova-1.0.tar.gz"), "sums-form"),
        (GOOD.replace(b"nova-1.0.tar.gz", b"..\\nova-1.0.tar.gz"), "sums-form"),
        (GOOD.replace(b"nova-1.0.tar.gz", b".."), "sums-form"),
        (GOOD.replace(b"nova-1.0.tar.gz", b".hidden"), "sums-form"),
        (GOOD.replace(b"nova-1.0.tar.gz", b"-rf"), "sums-form"),
        (GOOD.replace(b"nova-1.0.tar.gz", b""), "sums-form"),
        (GOOD.replace(b"nova-1.0.tar.gz", b"nova 1.0.tar.gz"), "sums-form"),
        (GOOD.replace(b"nova-1.0.tar.gz", b"nova\x001.0.tar.gz"), "sums-form"),
        (GOOD.replace(b"nova-1.0.tar.gz", b"nova\x1b[2J.tar.gz"), "sums-form"),
        (GOOD.replace(b"nova-1.0.tar.gz", b"nova\x0b1.0.tar.gz"), "sums-form"),
        (GOOD.replace(b"nova-1.0.tar.gz", "növa.tar.gz".encode()), "sums-form"),
        (GOOD.replace(b"nova-1.0.tar.gz", b"nova\xff.tar.gz"), "sums-form"),
        (b"\\" + GOOD, "sums-digest"),
        (b"SHA256 (nova-1.0.tar.gz) = " + A.encode() + b"\n", "sums-form"),
        (GOOD.replace(A.encode(), A.upper().encode()), "sums-digest"),
        (GOOD.replace(A.encode(), A[:-1].encode()), "sums-digest"),
        (GOOD.replace(A.encode(), (A + "a").encode()), "sums-digest"),
        (GOOD.replace(A.encode(), b"g" * 64), "sums-digest"),
        (GOOD.replace(A.encode(), b""), "sums-digest"),
        (GOOD + GOOD, "sums-order"),
        (GOOD + GOOD.splitlines(keepends=True)[1], "sums-order"),
        (GOOD + f"{A}  nova-1.0.tar.xz\n".encode(), "sums-order"),
        (b"".join(reversed(GOOD.splitlines(keepends=True))), "sums-order"),
    ],
)
def test_other_forms_are_refused(data: bytes, code: str) -> None:
    assert refused(parse_sums, data) == code


@pytest.mark.client
@pytest.mark.skipif(not shutil.which("sha256sum"), reason="there is no sha256sum")
def test_coreutils_read_it_and_write_the_same(tmp_path: Path) -> None:
    names = ("nova-1.0.tar.gz", "nova-1.0+local.1-py3-none-any.whl", "Zun~1!2.zip")
    for name in names:
        (tmp_path / name).write_bytes(name.encode())
    data = format_sums((name, sha256(name.encode()).hexdigest()) for name in names)
    (tmp_path / "SHA256SUMS").write_bytes(data)
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=tmp_path, check=True, capture_output=True)
    made = subprocess.run(["sha256sum", *sorted(names)], cwd=tmp_path, check=True, capture_output=True)
    assert made.stdout == data

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagtrail.formats.times import format_time, parse_time
from tests.formats.refusal import refused

LAST = 253_402_300_799  # 9999-12-31T23:59:59Z
FIRST = -30_610_224_000  # 1000-01-01T00:00:00Z: earlier years have no four digits in strftime


@given(st.integers(FIRST, LAST))
def test_a_time_comes_back(seconds: int) -> None:
    assert parse_time(format_time(seconds)) == seconds


@given(st.lists(st.integers(0, LAST), min_size=2))
def test_times_sort_as_their_texts_do(times: list[int]) -> None:
    assert [format_time(t) for t in sorted(times)] == sorted(map(format_time, times))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (951_782_400, "2000-02-29T00:00:00Z"),
        (1_775_055_720, "2026-04-01T15:02:00Z"),
        (2**31, "2038-01-19T03:14:08Z"),
        (4_107_542_400, "2100-03-01T00:00:00Z"),
        (LAST, "9999-12-31T23:59:59Z"),
    ],
)
def test_known_times(seconds: int, text: str) -> None:
    assert format_time(seconds) == text
    assert parse_time(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-04-01",
        "2026-04-01T15:02:00",
        "2026-04-01T15:02:00z",
        "2026-04-01t15:02:00Z",
        "2026-04-01 15:02:00Z",
        "2026-04-01T15:02:00+00:00",
        "2026-04-01T15:02:00.0Z",
        "2026-04-01T15:02Z",
        "2026-4-1T15:02:00Z",
        " 2026-04-01T15:02:00Z",
        "2026-04-01T15:02:00Z\n",
        "2026-04-01T15:02:00Z ",
        "+2026-04-01T15:02:00Z",
        "٢٠٢٦-04-01T15:02:00Z",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-04-01T24:00:00Z",
        "2026-04-01T15:60:00Z",
        "2016-12-31T23:59:60Z",
        "2026-04-01T15:02:61Z",
        "0000-01-01T00:00:00Z",
        "0999-01-01T00:00:00Z",
        "12026-04-01T15:02:00Z",
        "2026-04-01T15:02:00Z" * 100,
    ],
)
def test_other_forms_are_refused(text: str) -> None:
    assert refused(parse_time, text) == "time-form"

"""Times of any shape, read as UTC."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.timestamps import (
    EPOCH,
    floor_ms,
    from_sort_values,
    read_time,
    sort_value_to_iso,
    to_iso,
)

_MOMENT = datetime(2026, 11, 22, 15, 52, 25, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-22T15:52:25.933Z", _MOMENT.replace(microsecond=933000)),
        ("2026-11-22T15:52:25Z", _MOMENT),
        ("2026-11-22T15:52:25", _MOMENT),
        ("2026-11-22 15:52:25", _MOMENT),
        ("2026-11-22T15:52:25,933Z", _MOMENT.replace(microsecond=933000)),
        ("2026-11-22T23:52:25+08:00", _MOMENT),
        ("2026-11-22T23:52:25+0800", _MOMENT),
        ("2026-11-22 23:52:25 +0800", _MOMENT),
        ("2026-11-22T10:22:25-05:30", _MOMENT),
        ("2026-11-22 15:52:25 UTC", _MOMENT),
        ("2026-11-22T15:52:25.985737+00:00", _MOMENT.replace(microsecond=985737)),
        ("2026-11-22T15:52:25.123456789Z", _MOMENT.replace(microsecond=123456)),
        ("2026-11-22T15:52:25.999999999Z", _MOMENT.replace(microsecond=999999)),
        ("2026-11-22T15:52Z", _MOMENT.replace(second=0)),
        ("2026-11-22", datetime(2026, 11, 22, tzinfo=UTC)),
        ("20261122T155225Z", _MOMENT),
        ("  2026-11-22T15:52:25Z ", _MOMENT),
        (1795362745, _MOMENT),
        (1795362745.5, _MOMENT.replace(microsecond=500000)),
        (1795362745933, _MOMENT.replace(microsecond=933000)),
        (1795362745933123, _MOMENT.replace(microsecond=933123)),
        (1795362745933123456, _MOMENT.replace(microsecond=933123)),
        ("1795362745", _MOMENT),
        ("1795362745933", _MOMENT.replace(microsecond=933000)),
        ("1795362745.5", _MOMENT.replace(microsecond=500000)),
        ("1712010112345", datetime(2024, 4, 1, 22, 21, 52, 345000, UTC)),
        (["2026-11-22T15:52:25Z", "2026-11-23T15:52:25Z"], _MOMENT),
    ],
)
def test_reads(value: Any, expected: datetime) -> None:
    time = read_time(value)
    assert time == expected
    assert time.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "yesterday",
        "2026-13-45T00:00:00Z",
        True,
        {},
        [],
        [None],
        float("nan"),
        float("inf"),
        10**30,
        "0001-01-01T00:00:00+08:00",
        "x" * 10_000,
    ],
)
def test_refuses_what_is_no_time(value: Any) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        read_time(value)
    assert len(str(caught.value)) < 150


@given(st.integers(-4 * 10**15, 7 * 10**15), st.integers(-14 * 60, 14 * 60))
def test_any_offset_is_the_same_moment(epoch_us: int, minutes: int) -> None:
    time = EPOCH + timedelta(microseconds=epoch_us)
    elsewhere = time.astimezone(timezone(timedelta(minutes=minutes)))
    assert read_time(elsewhere.isoformat()) == time
    assert read_time(to_iso(elsewhere)) == time


def test_iso_texts_of_equal_times_are_equal() -> None:
    east = _MOMENT.astimezone(timezone(timedelta(hours=8)))
    assert to_iso(east) == to_iso(_MOMENT) == "2026-11-22T15:52:25.000000Z"
    with pytest.raises(ValueError, match="zone"):
        to_iso(datetime(2026, 11, 22))  # noqa: DTZ001


@given(st.lists(st.integers(-(10**13), 10**14)))
def test_sort_values_are_read_to_the_millisecond(milliseconds: list[int]) -> None:
    read = from_sort_values(nanos=False)(milliseconds)
    assert read == [EPOCH + timedelta(0, 0, each * 1000) for each in milliseconds]


@pytest.mark.parametrize("nanos", [False, True])
def test_what_has_no_time_stands_at_an_end(nanos: bool) -> None:
    first, last = from_sort_values(nanos=nanos)([-(2**63), 2**63 - 1])
    assert first <= datetime(1678, 1, 1, tzinfo=UTC)
    assert last >= datetime(2262, 1, 1, tzinfo=UTC)


@given(st.datetimes(timezones=st.just(UTC)))
def test_iso_texts_have_six_digits(time: datetime) -> None:
    expected = time.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
    assert to_iso(time) == expected


@given(st.integers(0, 4_000_000_000_000))
def test_sort_values_keep_their_moment(milliseconds: int) -> None:
    nanos = milliseconds * 1_000_000 + 999
    (from_ms,) = from_sort_values(nanos=False)([milliseconds])
    assert from_sort_values(nanos=True)([nanos]) == [from_ms]
    assert read_time(sort_value_to_iso(milliseconds, nanos=False)) == from_ms
    assert sort_value_to_iso(nanos, nanos=True).endswith("000999Z")


def test_a_date_field_keeps_whole_milliseconds() -> None:
    time = _MOMENT.replace(microsecond=933999)
    assert floor_ms(time) == _MOMENT.replace(microsecond=933000)

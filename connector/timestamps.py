"""Times as logs write them, read as UTC.

`read_time` takes what stands in a document: ISO 8601 with any offset and precision, or
epoch seconds to nanoseconds. `from_sort_values` takes what Elasticsearch sorts by.
Digits beyond the microsecond are cut, never rounded, so that a time never moves
forward over a page bound.
"""

import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

FIRST, LAST = (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_EXACT_UNTIL_MS = 2**32 * 1_000  # so far a float keeps whole microseconds
_LONG = len("2026-11-22T19:53:28.985737Z")
_encode = msgspec.json.Encoder().encode

_LOOSE_OFFSET = re.compile(r"[ ](?=[+-]\d{2}:?\d{2}$)")
_ZONE_WORD = re.compile(r"\s*(?:UTC|GMT)$")
_NUMBER = re.compile(r"-?\d+(?:\.\d*)?")

# Below each bound an epoch number has that unit: 1e11 s is the year 5138.
_UNITS_PER_S = ((1e11, 1), (1e14, 1_000), (1e17, 1_000_000), (math.inf, 10**9))


def read_time(value: Any) -> datetime:
    """The time in `value` as a UTC datetime; a text without offset is UTC.

    >>> read_time("2026-11-22T19:53:28.985737123+08:00").isoformat()
    '2026-11-22T11:53:28.985737+00:00'
    >>> read_time(1763826745933).isoformat()
    '2025-11-22T15:52:25.933000+00:00'

    Raises ValueError where no time can be read.
    """
    if type(value) is str:
        if value[4:5] != "-":
            return _read_odd_text(value)
        try:
            time = datetime.fromisoformat(value)
        except ValueError:
            return _read_odd_text(value)
        zone = time.tzinfo
        if zone is UTC:
            return time
        return _to_utc(time)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _from_epoch(value)
    if isinstance(value, list) and value:
        return read_time(value[0])
    raise ValueError(f"not a time: {_shorten(value)}")


def _to_utc(time: datetime) -> datetime:
    if time.tzinfo is None:
        return time.replace(tzinfo=UTC)
    try:
        return time.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"outside the years 1 to 9999: {time}") from error


def _read_odd_text(text: str) -> datetime:
    text = text.strip()
    if _NUMBER.fullmatch(text) and len(text) != 8:
        return _from_epoch(int(text) if text.lstrip("-").isdigit() else float(text))
    text = _LOOSE_OFFSET.sub("", _ZONE_WORD.sub("Z", text))
    try:
        return _to_utc(datetime.fromisoformat(text))
    except ValueError:
        raise ValueError(f"not a time: {_shorten(text)}") from None


def _from_epoch(number: int | float) -> datetime:
    if not math.isfinite(number):
        raise ValueError(f"not a time: {number}")
    size = abs(number)
    per_s = next(unit for bound, unit in _UNITS_PER_S if size < bound)
    if isinstance(number, float):
        whole_us = math.floor(round(number * 1_000_000 / per_s, 3))
    else:
        whole_us = number * 1_000_000 // per_s
    try:
        return EPOCH + timedelta(microseconds=whole_us)
    except OverflowError as error:
        raise ValueError(f"outside the years 1 to 9999: {number}") from error


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def from_sort_values(*, nanos: bool) -> Callable[[Sequence[int]], list[datetime]]:
    """How to read sort values: milliseconds, or nanoseconds of a date_nanos field.

    What lies outside the years 1 to 9999 stands at their end: it has a place in the
    order of reading, though no time.
    """
    divisor = 1_000 if nanos else 1
    factor = 1 if nanos else 1_000

    def read(value: int) -> datetime:
        try:
            return EPOCH + timedelta(0, 0, value * factor // divisor)
        except OverflowError:
            return FIRST if value < 0 else LAST

    def read_all(values: Sequence[int]) -> list[datetime]:
        exact = not nanos and min(values, default=0) >= 0
        if exact and max(values, default=0) < _EXACT_UNTIL_MS:
            return [datetime.fromtimestamp(value / 1_000, UTC) for value in values]
        return list(map(read, values))

    return read_all


def sort_value_to_iso(value: int, *, nanos: bool) -> str:
    """A sort value as the ISO text that stands for exactly the same time."""
    per_s, digits = (10**9, 9) if nanos else (1_000, 3)
    seconds, fraction = divmod(value, per_s)
    whole = (EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()
    return f"{whole}.{fraction:0{digits}d}Z"


def to_iso(time: datetime) -> str:
    """ISO 8601 in UTC with exactly six digits and `Z`: equal times, equal texts.

    Raises ValueError for a time without zone.
    """
    if time.tzinfo is None:
        raise ValueError("a time without zone; every time here is UTC-aware")
    utc = time if time.tzinfo is UTC else time.astimezone(UTC)
    text = _encode(utc)[1:-1].decode()
    return text if len(text) == _LONG else f"{text[:-1]}.000000Z"


def floor_ms(time: datetime) -> datetime:
    """The whole millisecond at or before `time`: what a `date` field keeps of it."""
    return time.replace(microsecond=time.microsecond // 1000 * 1000)

"""Durations and start points."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from elkwatch.config import duration_text, parse_duration, parse_start


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("90s", timedelta(seconds=90)),
        ("10m", timedelta(minutes=10)),
        ("1h", timedelta(hours=1)),
        ("7d", timedelta(days=7)),
        ("1h30m", timedelta(hours=1, minutes=30)),
        ("250ms", timedelta(milliseconds=250)),
        ("0s", timedelta(0)),
    ],
)
def test_durations_there_and_back(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration
    assert parse_duration(duration_text(duration)) == duration


@pytest.mark.parametrize("text", ["", "5", "m", "5 minutes", "-5m", "5m5", "9999999d"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_duration(text)


def test_start_points() -> None:
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert parse_start("now-7d").resolve(now) == now - timedelta(days=7)
    assert parse_start("earliest").resolve(now) is None
    moment = parse_start("2026-11-22T08:00:00+08:00").resolve(now)
    assert moment == datetime(2026, 11, 22, tzinfo=UTC)
    assert parse_start("2026-11-22").resolve(now) == moment
    for text in ("now-7d", "earliest", "2026-11-22T00:00:00Z", "now"):
        assert str(parse_start(text)) == text

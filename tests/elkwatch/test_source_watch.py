"""What the configuration makes of a watch, and what a spell is told as."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

from elkwatch.config import SourceSettings
from elkwatch.source_watch import is_spell, verdict_of, watch_of
from model import NO_RATES, Classifier, Rates, Spell, Watch, load_catalogue
from model.advising import Adviser
from model.rates import ALL, MIN_DAYS, ServiceRates
from tests.model.builders import START

MINUTE = timedelta(minutes=1)
KNOWN = {name: ServiceRates(10_000, (1.0,) * 24, (None,)) for name in (ALL, "a", "b")}
WEEK = Rates(MIN_DAYS, KNOWN)


def settings(**more: Any) -> SourceSettings:
    body = {"name": "shop", "index": "logs", **more}
    return SourceSettings.model_validate(body)


def silent_for(minutes: int, watch: Watch) -> list[Spell]:
    """`b` is silent for so long while `a` goes on."""
    watch.take(START, "b", new=True)
    watch.take(START + minutes * MINUTE, "a", new=True)
    return watch.judge(START + minutes * MINUTE)


def test_what_training_covers_decides_unless_something_is_said() -> None:
    short = Rates(MIN_DAYS - 0.1, KNOWN)
    assert watch_of(settings(), NO_RATES) is None
    assert watch_of(settings(), short) is None
    assert watch_of(settings(silence={"after": "10m"}), short) is not None
    assert watch_of(settings(rate={"factor": 8}), short) is not None
    assert watch_of(settings(), WEEK) is not None
    off = settings(silence={"after": False}, rate={"factor": "off"})
    assert watch_of(off, WEEK) is None


@pytest.mark.parametrize(
    ("after", "minutes", "told"),
    [("auto", 10, 0), ("auto", 11, 1), ("30m", 30, 0), ("30m", 31, 1), ("off", 99, 0)],
)
def test_how_long_a_silence_may_be(after: str, minutes: int, told: int) -> None:
    watch = watch_of(settings(silence={"after": after}), WEEK)
    assert watch is not None
    assert len(silent_for(minutes, watch)) == told


@pytest.mark.parametrize(
    "bad",
    [
        {"silence": {"after": "soon"}},
        {"silence": {"after": "5s"}},
        {"silence": {"after": 10}},
        {"rate": {"factor": "much"}},
        {"rate": {"factor": 0.5}},
        {"rate": {"factor": "nan"}},
        {"rate": {"factor": True}},
    ],
)
def test_what_cannot_be_meant_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(**bad)


class BuiltIn(Classifier):
    """Knows the built-in kinds, and the name of its model."""

    def __init__(self) -> None:
        unused: Any = SimpleNamespace(version="v1")
        self.model = unused
        self.adviser = Adviser(load_catalogue(), {}, "en", str)


def test_a_silence_is_told_with_its_service_and_what_is_usual() -> None:
    spell = Spell(
        "flatline", "pay", START, START + 20 * MINUTE, 1200, 600, 2.0, name="pay"
    )
    verdict = verdict_of(spell, BuiltIn())
    assert is_spell(verdict)
    assert (verdict.key, verdict.window_start) == ("silence of pay", START)
    assert verdict.class_id == verdict.pattern == "flatline"
    assert not verdict.known
    assert verdict.class_name == "pay fell silent"
    assert verdict.severity == "high"
    assert (verdict.risk, verdict.score, verdict.threshold) == (75, 2.0, 1.0)
    assert verdict.evidence[0].message == "pay has been silent for 20m; told after 10m"
    assert verdict.deviation == ("-lines of pay",)
    assert verdict.service == "pay"
    assert verdict.anomaly


def test_a_change_of_rate_says_how_much() -> None:
    spell = Spell(
        "service-rate", "a", START, START + 10 * MINUTE, 4000, 20, 3.0, name="a"
    )
    verdict = verdict_of(spell, BuiltIn())
    assert verdict.key == "rate of a"
    assert "4,000 lines in 5 minutes, 20 are usual" in verdict.evidence[0].message
    assert verdict.deviation == ("+lines of a",)
    assert verdict.class_name == "a says far more or less"

"""The watch over the services of a source: what it is told, and what it tells.

configuration + learned rates ─▶ Watch          Spell ─▶ Verdict, as of a session

A spell is one finding: its key names the service, its window begins with the spell, so
that it is written once however often it is judged, and what ends it changes it. Where
single lines made it, they are its evidence.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from elkwatch.config import SourceSettings, duration_text
from elkwatch.config.watching import OFF
from model import (
    RATE_FACTOR,
    Classifier,
    Evidence,
    LineRate,
    Rates,
    Spell,
    Verdict,
    Watch,
    WatchRules,
)

KEYS = {
    "flatline": "silence of ",
    "service-rate": "rate of ",
    "template-rate": "rate of lines of ",
}
WHOLE_SOURCE = "all services"


def watch_of(settings: SourceSettings, rates: Rates) -> Watch | None:
    """The watch that the configuration asks for; None where nothing is to be told.

    What is left to training is watched where that covers 6.5 days: nights and
    week-ends are quiet, and who has not seen them would call them trouble.
    """
    learned, silence, rate = rates.tell_enough, settings.silence, settings.rate
    by_silence = timedelta(0) if learned and silence.after != OFF else None
    by_rate = RATE_FACTOR if learned and rate.factor != OFF else None
    rules = WatchRules(silence.fixed or by_silence, rate.fixed or by_rate)
    if rules.silence is None and rules.rate_factor is None:
        return None
    return Watch(rates, rules)


def verdict_of(spell: Spell, classifier: Classifier) -> Verdict:
    """A spell as what is written and told of."""
    name = spell.name or WHOLE_SOURCE
    advice = classifier.adviser.of_pattern(spell.pattern, name)
    key = KEYS[spell.pattern] + name
    unit = f"{key}@{spell.start:%Y-%m-%dT%H:%M:%SZ}"
    evidence = tuple(_evidence(spell, name))
    return Verdict(
        session=unit,
        key=key,
        window_start=spell.start,
        start=spell.start,
        end=spell.end,
        events=0 if spell.pattern == "flatline" else round(spell.found),
        anomaly=spell.real,
        score=spell.excess,
        threshold=1.0,
        risk=round(100 - 50 / max(spell.excess, 1.0)),
        confidence=round(1 - 0.5 / max(spell.excess, 1.0), 4),
        class_id=spell.pattern,
        known=False,
        pattern=spell.pattern,
        class_name=advice.name,
        severity=advice.severity,
        advice=advice.advice,
        causes=advice.causes,
        unknown_ratio=0.0,
        model_version=classifier.model.version,
        evidence=evidence,
        missing=(),
        service=spell.name or None,
        closed=spell.over,
        topic=spell.pattern,
        deviation=tuple(sorted(_signed(spell, name))),
    )


def is_spell(verdict: Verdict) -> bool:
    """Whether it is of a service, and of no session."""
    return verdict.key.startswith(KEYS.get(verdict.pattern, "\0"))


def is_of_service(pattern: str) -> bool:
    """Whether findings of a pattern are of services; no session has such a one."""
    return pattern in KEYS


def _signed(spell: Spell, name: str) -> Iterator[str]:
    if spell.pattern == "template-rate":
        for rate in spell.lines:
            yield f"{'-' if rate.excess < 0 else '+'} {rate.text}"
        return
    fewer = spell.pattern == "flatline" or spell.found < spell.usual
    yield f"{'-' if fewer else '+'}lines of {name}"


def _evidence(spell: Spell, name: str) -> Iterator[Evidence]:
    """What is unusual, as lines: the service itself, then templates that made it."""
    lines = [_line(rate) for rate in spell.lines]
    if spell.pattern != "template-rate":
        lines.insert(0, _told(spell, name))
    for position, line in enumerate(lines):
        yield Evidence(position, line, line, 0.0, ())


def _line(rate: LineRate) -> str:
    return (
        f"{rate.text}: {rate.found:,.0f} times in 5 minutes, {rate.usual:,.0f} are "
        "usual at this hour"
    )


def _told(spell: Spell, name: str) -> str:
    if spell.pattern == "flatline":
        silent = duration_text(timedelta(seconds=round(spell.found)))
        usual = duration_text(timedelta(seconds=round(spell.usual)))
        verb = "was silent" if spell.over else "has been silent"
        return f"{name} {verb} for {silent}; told after {usual}"
    return (
        f"{name}: {spell.found:,.0f} lines in 5 minutes, {spell.usual:,.0f} are usual "
        "at this hour"
    )

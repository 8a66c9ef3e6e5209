"""A backtest as JSON."""

from __future__ import annotations

from typing import Any

from connector import Finding, to_iso
from elkwatch.backtest.rehearsal import ChannelName
from elkwatch.backtest.result import (
    BacktestResult,
    ClassFigures,
    Day,
    EpisodeFigures,
    LevelFigures,
    SourceFigures,
)


def record(result: BacktestResult) -> dict[str, Any]:
    """All of it. Times are ISO and UTC, lengths in seconds, shares 0 to 1."""
    return {
        "from": to_iso(result.period.start),
        "to": to_iso(result.period.end),
        "reached": to_iso(result.reached),
        "complete": result.reached >= result.period.end and not result.failures,
        "step_s": result.step.total_seconds(),
        "interval_s": result.interval.total_seconds(),
        "zone": result.zone,
        "days_with_logs": _rounded(result.days_held),
        "messages": result.messages,
        "messages_a_day": _rounded(result.a_day(result.messages)),
        "channels": [_channel(channel, result) for channel in result.channels],
        "findings": result.findings,
        "episodes": result.episode_count,
        "sources": [_source(source) for source in result.sources],
        "days": [_day(day) for day in result.days],
        "classes": [_class(kind) for kind in result.classes],
        "episode_list": [_episode(e) for e in result.episodes],
        "thresholds": [_level(one, result) for one in result.levels],
        "left_out": {
            "episodes": result.more_episodes,
            "classes": result.more_classes,
        },
    }


def _channel(channel: ChannelName, result: BacktestResult) -> dict[str, Any]:
    return {
        "name": channel.name,
        "kind": channel.kind,
        "messages": sum(result.kinds[channel.name].values()),
        "by_kind": dict(result.kinds[channel.name]),
    }


def _day(day: Day) -> dict[str, Any]:
    return {
        "day": day.day,
        "documents": day.documents,
        "unknown_ratio": _rounded(day.unknown_ratio),
        "sessions": day.sessions,
        "findings": day.findings,
        "deviating": _rounded(day.deviating),
        "episodes": day.episodes,
        "messages": dict(day.messages),
    }


def _episode(e: EpisodeFigures) -> dict[str, Any]:
    return {
        "id": e.episode_id,
        "source": e.source,
        "class_id": e.class_id,
        "class_name": e.class_name,
        "severity": e.severity,
        "number": e.number,
        "state": e.state,
        "first_seen": to_iso(e.first_seen),
        "last_seen": to_iso(e.last_seen),
        "findings": e.findings,
        "messages": e.messages,
        "services": list(e.services),
    }


def _level(one: LevelFigures, result: BacktestResult) -> dict[str, Any]:
    return {
        "source": one.source,
        "threshold": one.threshold,
        "exact": one.exact,
        "findings": one.findings,
        "episodes": one.episodes,
        "messages": one.messages,
        "messages_a_day": _rounded(result.a_day(one.messages)),
    }


def _source(source: SourceFigures) -> dict[str, Any]:
    held = source.held
    return {
        "source": source.source,
        "index": source.index,
        "model": source.model,
        "model_version": source.model_version,
        "threshold": source.threshold,
        "documents": source.documents,
        "unknown_ratio": _rounded(source.unknown_ratio),
        "keyless_ratio": _rounded(source.keyless_ratio),
        "problems": source.problems,
        "sessions": source.sessions,
        "open_sessions": source.open_sessions,
        "findings": source.findings,
        "withdrawn": source.withdrawn,
        "held_back": source.held_back,
        "findings_of_services": source.of_services,
        "held_logs_s": held.lasted.total_seconds(),
        "gaps": [{"from": to_iso(g.start), "to": to_iso(g.end)} for g in held.gaps],
        "gaps_in_all": held.gaps_in_all,
        "warnings": list(source.warnings),
        "failure": source.failure,
    }


def _class(kind: ClassFigures) -> dict[str, Any]:
    return {
        "source": kind.source,
        "id": kind.class_id,
        "name": kind.name,
        "severity": kind.severity,
        "pattern": kind.pattern,
        "known": kind.known,
        "advice": kind.advice,
        "findings": kind.findings,
        "by_day": dict(kind.by_day),
        "episodes": kind.episodes,
        "messages": dict(kind.messages),
        "examples": [_finding(found) for found in kind.examples],
    }


def _finding(found: Finding) -> dict[str, Any]:
    return {
        "id": found.finding_id,
        "session": found.session_text,
        "start": to_iso(found.start),
        "end": to_iso(found.end),
        "service": found.service,
        "host": found.host,
        "risk": found.risk,
        "score": _rounded(found.score),
        "threshold": _rounded(found.threshold),
        "missing": list(found.missing),
        "log_url": found.log_url,
        "evidence": [
            {
                "position": line.position,
                "template": line.template,
                "message": line.message,
                "surprise_nats": _rounded(line.surprise_nats),
                "expected": [[text, _rounded(p)] for text, p in line.expected],
            }
            for line in found.evidence
        ],
    }


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 6)

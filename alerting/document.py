"""The JSON body of a webhook, version 1 (docs/alerting.md describes each field)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from alerting.messages.clean import clean, web_address
from alerting.messages.render import Rendered
from alerting.records import FindingNotice
from alerting.rows import OutboxRow

VERSION: Final = 1
TYPES: Final[Mapping[str, str]] = {
    "opened": "episode.opened",
    "ongoing": "episode.ongoing",
    "resolved": "episode.resolved",
    "catch-up": "catchup.done",
}

_EPISODE_KEYS = (
    "source",
    "fingerprint",
    "number",
    "sequence",
    "state",
    "resolution",
    "severity",
    "risk",
    "advice",
    "services",
    "hosts",
    "findings",
    "withdrawn",
    "first_seen",
    "last_seen",
    "resolved_at",
    "reason",
)


def webhook_document(row: OutboxRow, rendered: Rendered) -> dict[str, Any]:
    """The body for that row. The same in each attempt, but for changed templates."""
    news = row.episode or row.catch_up
    data = _episode(row) if row.episode is not None else _catch_up(row)
    document: dict[str, Any] = {
        "version": VERSION,
        "type": TYPES[row.kind],
        "id": row.row_id,
        "timestamp": msgspec.to_builtins(row.created_at),
        "test": news is not None and news.test,
        "subject": rendered.subject,
        "text": rendered.text,
        "data": data,
    }
    return document


def _episode(row: OutboxRow) -> dict[str, Any]:
    news = row.episode
    assert news is not None
    plain = msgspec.to_builtins(news)
    samples = [_finding(sample) for sample in news.samples]
    return {
        "episode_id": news.episode_id,
        **{key: _tidy(plain[key]) for key in _EPISODE_KEYS},
        "class": {
            "id": news.class_id,
            "name": clean(news.class_name),
            "pattern": news.pattern,
            "known": news.known,
        },
        "samples": samples,
    }


def _catch_up(row: OutboxRow) -> dict[str, Any]:
    news = row.catch_up
    assert news is not None
    plain = msgspec.to_builtins(news)
    keys = ("source", "number", "findings", "episodes", "first_seen", "last_seen")
    return {
        **{key: _tidy(plain[key]) for key in keys},
        "max_alert_age_s": news.max_alert_age_s,
        "severity": news.severity,
        "classes": _tidy(plain["classes"]),
        "more_classes": news.more_classes,
        "worst": [_finding(sample) for sample in news.worst],
    }


def _finding(notice: FindingNotice) -> dict[str, Any]:
    plain: dict[str, Any] = _tidy(msgspec.to_builtins(notice))
    del plain["status"], plain["fingerprint"], plain["source"]
    plain["log_url"] = web_address(notice.log_url)
    for line in plain["evidence"]:
        line["expected"] = [
            {"template": template, "probability": probability}
            for template, probability in line["expected"]
        ]
    return plain


def _tidy(value: Any) -> Any:
    """JSON values with control characters taken out of every text."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {key: _tidy(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_tidy(item) for item in value]
    return value

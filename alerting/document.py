"""The JSON body of a webhook, version 1 (docs/alerting.md describes each field)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from alerting.links import NO_LINKS, Links, Subject, subject_of, subject_of_class
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


def webhook_document(
    row: OutboxRow, rendered: Rendered, links: Links = NO_LINKS
) -> dict[str, Any]:
    """The body for that row. The same in each attempt, but for changed templates."""
    news = row.episode or row.catch_up
    data = _catch_up(row, links) if row.episode is None else _episode(row, links)
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


def _episode(row: OutboxRow, links: Links) -> dict[str, Any]:
    news = row.episode
    assert news is not None
    plain = msgspec.to_builtins(news)
    samples = [_finding(sample, links) for sample in news.samples]
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
        **_links(subject_of(news), links),
    }


def _catch_up(row: OutboxRow, links: Links) -> dict[str, Any]:
    news = row.catch_up
    assert news is not None
    plain = msgspec.to_builtins(news)
    keys = ("source", "number", "findings", "episodes", "first_seen", "last_seen")
    return {
        **{key: _tidy(plain[key]) for key in keys},
        "max_alert_age_s": news.max_alert_age_s,
        "severity": news.severity,
        "classes": [
            one | _links(subject_of_class(news.source, known), links)
            for one, known in zip(_tidy(plain["classes"]), news.classes, strict=True)
        ],
        "more_classes": news.more_classes,
        "worst": [_finding(sample, links) for sample in news.worst],
        **_links(subject_of(news), links),
    }


def _links(about: Subject, links: Links) -> dict[str, str | None]:
    return {
        "findings_url": web_address(links.findings(about)),
        "dashboard_url": web_address(links.dashboard(about)),
    }


def _finding(notice: FindingNotice, links: Links) -> dict[str, Any]:
    plain: dict[str, Any] = _tidy(msgspec.to_builtins(notice))
    del plain["status"], plain["fingerprint"], plain["source"]
    plain["log_url"] = web_address(notice.log_url)
    plain["finding_url"] = web_address(
        links.finding(notice.finding_id, notice.start, notice.end)
    )
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

"""Records for tests, with everything that does not matter filled in."""

from datetime import UTC, datetime, timedelta
from typing import Any

from connector import EvidenceLine, Finding, LogDocument

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """So many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def document(doc_id: str = "d1", **changes: Any) -> LogDocument:
    """A log document; its cursor time follows its time unless it is given."""
    values: dict[str, Any] = {
        "doc_id": doc_id,
        "index": "logs",
        "time": NOON,
        "message": "connection received",
        "key": "s1",
        "severity": None,
        "service": None,
        "host": None,
        "sequence": None,
    } | changes
    values.setdefault("cursor_time", values["time"])
    return LogDocument(**values)


def finding(**changes: Any) -> Finding:
    """A finding of session s1 of source shop-db."""
    values: dict[str, Any] = {
        "source": "shop-db",
        "session": "s1",
        "window_start": None,
        "start": NOON,
        "end": at(2.5),
        "events": 21,
        "detected_at": at(60),
        "score": 7.31,
        "threshold": 5.2,
        "risk": 87,
        "confidence": 0.93,
        "class_id": "c07",
        "class_name": "missing step after commit",
        "pattern": "missing-step",
        "severity": "high",
        "known": True,
        "advice": "Look at the disk.",
        "causes": ("disk full", "crash"),
        "model_version": "m1",
        "unknown_ratio": 0.0,
        "service": "shop",
        "host": "db-1",
        "fingerprint": "c07|shop",
        "evidence": (
            EvidenceLine(
                position=12,
                template="duration: <*> ms",
                message="duration: 0.475 ms",
                surprise_nats=9.1,
                expected=(("statement: <*>", 0.71), ("end", 0.2)),
                doc_id="d12",
            ),
        ),
        "missing": ("statement: COMMIT",),
        "log_url": "https://kibana.example.org/app/discover#/?_a=1",
    } | changes
    return Finding(**values)

"""What the model says of a session: the record of contract `classify`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Evidence:
    """One line that made a session anomalous.

    `position` counts from 0; the end of the session has the position after the last
    line and no message. `expected` are the likeliest events there, with probability.
    `nearest`: of a line that no template matches, the template whose words are most
    like its own, with the cosine, if that is .3 or more.
    """

    position: int
    template: str
    message: str
    surprise_nats: float
    expected: tuple[tuple[str, float], ...]
    doc_id: str = ""
    nearest: tuple[str, float] | None = None

    def record(self) -> dict[str, Any]:
        """As it stands in a line of `classify`."""
        record: dict[str, Any] = {
            "position": self.position,
            "template": self.template,
            "message": self.message,
            "surprise_nats": round(self.surprise_nats, 3),
            "expected": [[text, round(p, 4)] for text, p in self.expected],
        }
        if self.nearest is not None:
            text, cosine = self.nearest
            record["nearest"] = [text, round(cosine, 4)]
        return record


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found in one session or window.

    `topic` is what findings of one kind of trouble share: the class where it is known,
    else the pattern, with the catalogue's rule where one recognised the lines.
    `deviation` are signed templates (model/deviation.py): what like findings share.
    """

    session: str
    key: str
    window_start: datetime | None
    start: datetime
    end: datetime
    events: int
    anomaly: bool
    score: float
    threshold: float
    risk: int
    confidence: float
    class_id: str
    known: bool
    pattern: str
    class_name: str
    severity: str
    advice: str
    causes: tuple[str, ...]
    unknown_ratio: float
    model_version: str
    evidence: tuple[Evidence, ...]
    missing: tuple[str, ...]
    service: str | None = None
    host: str | None = None
    closed: bool = True
    topic: str = ""
    deviation: tuple[str, ...] = ()

    def record(self) -> dict[str, Any]:
        """The verdict as one line of `classify`."""
        return {
            "session": self.session,
            "start": _iso(self.start),
            "end": _iso(self.end),
            "events": self.events,
            "anomaly": self.anomaly,
            "score": round(self.score, 6),
            "threshold": round(self.threshold, 6),
            "risk": self.risk,
            "confidence": round(self.confidence, 4),
            "class_id": self.class_id,
            "known": self.known,
            "pattern": self.pattern,
            "class_name": self.class_name,
            "severity": self.severity,
            "advice": self.advice,
            "causes": list(self.causes),
            "unknown_ratio": round(self.unknown_ratio, 4),
            "model_version": self.model_version,
            "missing": list(self.missing),
            "evidence": [line.record() for line in self.evidence],
        }


def _iso(time: datetime) -> str:
    text = time.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")

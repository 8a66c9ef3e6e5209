"""What elkwatch found, and the ECS document it becomes.

A finding is one session (or window) of one source. Its id comes from the session alone,
never from the events in it: a late document changes the finding and makes no second.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Literal

from connector.timestamps import to_iso

ECS_VERSION = "8.17.0"
DATASET = "elkwatch.anomaly"

Severity = Literal["low", "medium", "high", "critical"]
Status = Literal["open", "tentative", "held-back", "withdrawn", "suppressed"]
QUIET: tuple[Status, ...] = ("tentative", "held-back")
PersonsVerdict = Literal["false-alarm", "right", "kind"]

EVENT_SEVERITY: dict[str, int] = {"low": 21, "medium": 47, "high": 73, "critical": 99}
LOG_LEVEL: dict[str, str] = {
    "low": "info",
    "medium": "warning",
    "high": "error",
    "critical": "critical",
}


_ACTIONS: dict[Status, str] = {
    "open": "anomaly-found",
    "tentative": "anomaly-found",
    "held-back": "anomaly-held-back",
    "withdrawn": "anomaly-withdrawn",
    "suppressed": "anomaly-suppressed",
}


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    """One unexpected line: where in the session, how unexpected, what was expected.

    `expected`: templates and their probability, the likeliest first.
    """

    position: int
    template: str
    message: str
    surprise_nats: float
    expected: tuple[tuple[str, float], ...] = ()
    doc_id: str | None = None


@dataclass(frozen=True, slots=True)
class Signature:
    """What findings of one deviation share: an id made of the lines, and the topic.

    `lines` are templates with `+` (more of it than is normal), `-` (less) or `~`.
    """

    signature_id: str
    topic: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FeedbackMark:
    """The feedback of a person that holds for a finding.

    `class_before`: what the model said, where the feedback says another kind.
    """

    feedback_id: str
    verdict: PersonsVerdict
    who: str
    reason: str
    class_before: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A session that was judged, with its class, its advice and its evidence.

    `window_start` is None for keys that end. `missing` names templates that were
    expected and did not come. `detected_at` is when it was written first; it is not
    part of what a finding says, so a replay at another time changes nothing. `status`:
    `suppressed` is what a person called a false alarm: written, and nobody is alerted.
    So with what is `tentative` (its session goes on, and its kind is unknown, or it may
    come to be a false alarm by feedback) and what is `held-back` (the model is out of
    date); a finding that was open once stays open.
    `shown_session`: the key as it may be read, where that is not the key itself.
    `written_as`: the id of one that was read back, whose key may be a masked one.
    `class_before`: what it was called until a class was found for it later.
    """

    source: str
    session: str
    window_start: datetime | None
    start: datetime
    end: datetime
    events: int
    detected_at: datetime
    score: float
    threshold: float
    risk: int
    confidence: float
    class_id: str
    class_name: str
    pattern: str
    severity: Severity
    known: bool
    advice: str
    causes: tuple[str, ...]
    model_version: str
    unknown_ratio: float
    service: str | None
    host: str | None
    fingerprint: str
    evidence: tuple[EvidenceLine, ...] = ()
    missing: tuple[str, ...] = ()
    log_url: str | None = None
    anomaly: bool = True
    status: Status = "open"
    shown_session: str | None = None
    signature: Signature | None = None
    feedback: FeedbackMark | None = None
    written_as: str | None = None
    class_before: str | None = None

    @property
    def alerts(self) -> bool:
        """Whether people are to be told of it."""
        return self.anomaly and self.status == "open"

    @property
    def session_text(self) -> str:
        """The session key as readers see it."""
        return self.session if self.shown_session is None else self.shown_session

    @property
    def finding_id(self) -> str:
        """The `_id`: 32 hex digits of source, session and window start."""
        own = finding_id(self.source, self.session, self.window_start)
        return own if self.written_as is None else self.written_as


def finding_id(source: str, session: str, window_start: datetime | None) -> str:
    """The id of the finding of this session instance, whether there is one or not."""
    instance = (source, session, "" if window_start is None else to_iso(window_start))
    text = "\0".join(instance).encode("utf-8", "surrogatepass")
    return sha256(text).hexdigest()[:32]


def stream_name(namespace: str) -> str:
    """The data stream that findings are written to."""
    return f"logs-{DATASET}-{namespace}"


def finding_document(finding: Finding, namespace: str) -> dict[str, Any]:
    """The ECS document of a finding, ready to index. Empty values are left out."""
    hosts = [finding.host] if finding.host else []
    return {
        "@timestamp": to_iso(finding.end),
        "message": _headline(finding),
        "ecs": {"version": ECS_VERSION},
        "data_stream": {"type": "logs", "dataset": DATASET, "namespace": namespace},
        "event": _event(finding),
        "rule": {
            "id": finding.class_id,
            "name": finding.class_name,
            "category": finding.pattern,
            "version": finding.model_version,
            "description": finding.advice,
        },
        "log": {"level": LOG_LEVEL[finding.severity]},
        "tags": ["elkwatch"],
        **({"service": {"name": finding.service}} if finding.service else {}),
        **({"host": {"name": finding.host}} if finding.host else {}),
        **({"related": {"hosts": hosts}} if hosts else {}),
        "elkwatch": _elkwatch(finding),
    }


def _event(finding: Finding) -> dict[str, Any]:
    duration = finding.end - finding.start
    suppressed = finding.status == "suppressed"
    event = {
        "kind": "alert" if finding.anomaly and not suppressed else "event",
        "id": finding.finding_id,
        "module": "elkwatch",
        "dataset": DATASET,
        "action": _ACTIONS[finding.status],
        "start": to_iso(finding.start),
        "end": to_iso(finding.end),
        "duration": duration // timedelta(microseconds=1) * 1000,
        "severity": EVENT_SEVERITY[finding.severity],
        "risk_score": finding.risk,
        "reason": _reason(finding),
        "ingested": to_iso(finding.detected_at),
    }
    if finding.log_url:
        event["url"] = finding.log_url
    return event


def _elkwatch(finding: Finding) -> dict[str, Any]:
    session: dict[str, Any] = {"id": finding.session_text, "events": finding.events}
    if finding.window_start is not None:
        session["window_start"] = to_iso(finding.window_start)
    return {
        "source": finding.source,
        "session": session,
        "anomaly": finding.anomaly,
        "status": finding.status,
        "score": finding.score,
        "threshold": finding.threshold,
        "risk": finding.risk,
        "severity": finding.severity,
        "class": {
            "id": finding.class_id,
            "name": finding.class_name,
            "known": finding.known,
            "confidence": finding.confidence,
            **({"before": finding.class_before} if finding.class_before else {}),
        },
        "pattern": finding.pattern,
        "causes": list(finding.causes),
        "model": {"version": finding.model_version},
        "unknown_ratio": finding.unknown_ratio,
        "fingerprint": finding.fingerprint,
        "evidence": [_evidence(line) for line in finding.evidence],
        "missing": list(finding.missing),
        **_signature(finding.signature),
        **_feedback(finding.feedback),
    }


def _signature(signature: Signature | None) -> dict[str, Any]:
    if signature is None:
        return {}
    return {
        "signature": {
            "id": signature.signature_id,
            "topic": signature.topic,
            "lines": list(signature.lines),
        }
    }


def _feedback(mark: FeedbackMark | None) -> dict[str, Any]:
    if mark is None:
        return {}
    body = {
        "id": mark.feedback_id,
        "verdict": mark.verdict,
        "who": mark.who,
        "reason": mark.reason,
        "class_before": mark.class_before,
    }
    return {"feedback": {name: value for name, value in body.items() if value}}


def _evidence(line: EvidenceLine) -> dict[str, Any]:
    document: dict[str, Any] = {
        "position": line.position,
        "template": line.template,
        "message": line.message,
        "surprise_nats": line.surprise_nats,
        "expected": [[template, share] for template, share in line.expected],
    }
    if line.doc_id is not None:
        document["doc_id"] = line.doc_id
    return document


def _headline(finding: Finding) -> str:
    where = f" on {finding.service}" if finding.service else ""
    if finding.status == "withdrawn":
        return f"Withdrawn: {finding.class_name}{where}, session {finding.session_text}"
    if finding.status == "held-back":
        return f"Held back: {finding.class_name}{where}, session {finding.session_text}"
    if finding.status == "suppressed":
        return (
            f"False alarm by feedback: {finding.class_name}{where}, session "
            f"{finding.session_text}"
        )
    return f"{finding.class_name}{where}, session {finding.session_text}"


def _reason(finding: Finding) -> str:
    verdict = (
        f"score {finding.score:.3g} against a threshold of {finding.threshold:.3g}"
    )
    if finding.status == "withdrawn":
        return (
            f"Withdrawn: with all {finding.events} events of session "
            f"{finding.session_text} known, it no longer deviates ({verdict})."
        )
    if finding.status == "suppressed" and finding.feedback is not None:
        return (
            f"Suppressed: {finding.feedback.who} called the like of it a false alarm "
            f"(feedback {finding.feedback.feedback_id}; {verdict})."
        )
    held = finding.status == "held-back"
    told = " Nobody was told: the model is out of date." if held else ""
    parts = []
    if finding.evidence:
        parts.append(f"{len(finding.evidence)} unexpected")
    if finding.missing:
        parts.append(f"{len(finding.missing)} missing")
    what = " and ".join(parts) or "an unusual course"
    return (
        f"{finding.class_name}: {what} among {finding.events} events of session "
        f"{finding.session_text} ({verdict}).{told}"
    )

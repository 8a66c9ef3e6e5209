"""Between the packages' records: it translates, it decides nothing.

LogDocument ─▶ LogEvent        Verdict ─▶ Finding ─▶ FindingNotice
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import cast

from alerting import EvidenceNote, FindingNotice
from connector import EvidenceLine, Finding, LogDocument
from connector.findings import Severity
from model import LogEvent, Verdict

Mask = Callable[[str], str]


def log_event(document: LogDocument) -> LogEvent:
    """A decoded document as the model takes it."""
    return LogEvent(
        time=document.time,
        message=document.message,
        key=document.key,
        severity=document.severity,
        service=document.service,
        host=document.host,
        sequence=document.sequence,
        doc_id=document.doc_id,
    )


def finding(
    verdict: Verdict,
    *,
    source: str,
    detected_at: datetime,
    mask: Mask,
    log_url: str | None = None,
    keep_normal: bool = False,
) -> Finding:
    """A verdict as it is written. `mask` is applied to every excerpt of the logs.

    One that is normal withdraws the finding that may stand there; with `keep_normal`
    it is written as a normal one.
    """
    kept = verdict.anomaly or keep_normal
    return Finding(
        source=source,
        session=verdict.key,
        window_start=verdict.window_start,
        start=verdict.start,
        end=verdict.end,
        events=verdict.events,
        detected_at=detected_at,
        score=verdict.score,
        threshold=verdict.threshold,
        risk=verdict.risk,
        confidence=verdict.confidence,
        class_id=verdict.class_id,
        class_name=mask(verdict.class_name),
        pattern=verdict.pattern,
        severity=cast(Severity, verdict.severity),
        known=verdict.known,
        advice=verdict.advice,
        causes=verdict.causes,
        model_version=verdict.model_version,
        unknown_ratio=verdict.unknown_ratio,
        service=verdict.service,
        host=verdict.host,
        fingerprint=fingerprint(source, verdict),
        evidence=tuple(
            EvidenceLine(
                position=line.position,
                template=mask(line.template),
                message=mask(line.message),
                surprise_nats=line.surprise_nats,
                expected=tuple((mask(text), p) for text, p in line.expected),
                doc_id=line.doc_id or None,
            )
            for line in verdict.evidence
        ),
        missing=tuple(mask(text) for text in verdict.missing),
        log_url=log_url,
        anomaly=verdict.anomaly,
        status="open" if kept else "withdrawn",
    )


def fingerprint(source: str, verdict: Verdict) -> str:
    """What groups findings into an episode: source × kind of trouble × service."""
    return "/".join((source, verdict.topic, verdict.service or "-"))


def notice(found: Finding) -> FindingNotice:
    """A finding as alerting is told of it."""
    return FindingNotice(
        finding_id=found.finding_id,
        fingerprint=found.fingerprint,
        source=found.source,
        session=found.session,
        class_id=found.class_id,
        class_name=found.class_name,
        pattern=found.pattern,
        severity=found.severity,
        advice=found.advice,
        known=found.known,
        risk=found.risk,
        score=found.score,
        threshold=found.threshold,
        confidence=found.confidence,
        start=found.start,
        end=found.end,
        detected_at=found.detected_at,
        service=found.service,
        host=found.host,
        causes=found.causes,
        evidence=tuple(
            EvidenceNote(
                position=line.position,
                template=line.template,
                message=line.message,
                surprise_nats=line.surprise_nats,
                expected=line.expected,
            )
            for line in found.evidence
        ),
        missing=found.missing,
        log_url=found.log_url,
        status="open" if found.anomaly else "withdrawn",
        model_version=found.model_version,
    )

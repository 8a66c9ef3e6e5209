"""Between the packages' records: it translates, it decides nothing.

LogDocument ─▶ LogEvent        Verdict ─▶ Finding ─▶ FindingNotice
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import cast

from alerting import EvidenceNote, FindingNotice
from connector import EvidenceLine, Finding, LogDocument, split_key
from connector.findings import Severity
from connector.records import join_key
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
    show_keys: bool = False,
) -> Finding:
    """A verdict as it is written. `mask` is applied to every excerpt of the logs.

    One that is normal withdraws the finding that may stand there; with `keep_normal`
    it is written as a normal one. `show_keys`: session keys are no excerpts.
    """
    kept = verdict.anomaly or keep_normal
    verdict = masked_texts(verdict, mask)
    return Finding(
        source=source,
        session=verdict.key,
        shown_session=None if show_keys else shown_key(verdict, mask),
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
        class_name=verdict.class_name,
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
                template=line.template,
                message=line.message,
                surprise_nats=line.surprise_nats,
                expected=line.expected,
                doc_id=line.doc_id or None,
            )
            for line in verdict.evidence
        ),
        missing=verdict.missing,
        log_url=log_url,
        anomaly=verdict.anomaly,
        status="open" if kept else "withdrawn",
    )


def masked_texts(verdict: Verdict, mask: Mask) -> Verdict:
    """The verdict with every excerpt of the logs masked; its key is left.

    Lines, and what was expected for each, stay where they are.
    """
    return replace(
        verdict,
        class_name=mask(verdict.class_name),
        evidence=tuple(
            replace(
                line,
                template=mask(line.template),
                message=mask(line.message),
                expected=tuple((mask(text), p) for text, p in line.expected),
            )
            for line in verdict.evidence
        ),
        missing=tuple(mask(text) for text in verdict.missing),
    )


def masked_verdict(verdict: Verdict, mask: Mask, *, show_keys: bool) -> Verdict:
    """The verdict as it may leave: excerpts masked, and its key unless that is shown."""
    texts = masked_texts(verdict, mask)
    if show_keys:
        return texts
    key = shown_key(verdict, mask)
    unit = key if verdict.session == verdict.key else mask(verdict.session)
    return replace(texts, session=unit, key=key)


def shown_key(verdict: Verdict, mask: Mask) -> str:
    """The session key, masked; the names of service and host in it are no secrets."""
    whole = mask(verdict.key)
    names = {verdict.service, verdict.host} - {None}
    if whole == verdict.key or verdict.key in names:
        return verdict.key
    parts = split_key(verdict.key)
    if names.isdisjoint(parts):
        return whole
    return join_key([part if part in names else mask(part) for part in parts]) or whole


def fingerprint(source: str, verdict: Verdict) -> str:
    """What groups findings into an episode: source × kind of trouble × service."""
    return "/".join((source, verdict.topic, verdict.service or "-"))


def notice(found: Finding) -> FindingNotice:
    """A finding as alerting is told of it."""
    return FindingNotice(
        finding_id=found.finding_id,
        fingerprint=found.fingerprint,
        source=found.source,
        session=found.session_text,
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

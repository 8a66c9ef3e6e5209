"""Between the packages' records: it translates, it decides nothing.

LogDocument ─▶ LogEvent        Verdict ─▶ Finding ─▶ FindingNotice
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from alerting import EvidenceNote, FindingNotice
from connector import (
    DeadLetter,
    EvidenceLine,
    FeedbackMark,
    Finding,
    LogDocument,
    Signature,
    split_key,
)
from connector.findings import Severity, Status
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
    signature: Signature | None = None,
    feedback: FeedbackMark | None = None,
    told_as: Status = "open",
) -> Finding:
    """A verdict as it is written. `mask` is applied to every excerpt of the logs.

    One that is normal withdraws the finding that may stand there; with `keep_normal`
    it is written as a normal one. `show_keys`: session keys are no excerpts. With
    feedback that calls it a false alarm it is suppressed; else it is `told_as` (see
    telling.py).
    """
    status = _status(verdict, feedback, told_as, keep_normal=keep_normal)
    verdict = masked_texts(verdict, mask)
    names = {verdict.service, verdict.host}
    return Finding(
        source=source,
        session=verdict.key,
        shown_session=None if show_keys else shown_key(verdict.key, names, mask),
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
        status=status,
        signature=signature,
        feedback=feedback,
    )


def _status(
    verdict: Verdict,
    feedback: FeedbackMark | None,
    told_as: Status,
    *,
    keep_normal: bool,
) -> Status:
    if not verdict.anomaly:
        return "open" if keep_normal else "withdrawn"
    said = None if feedback is None else feedback.verdict
    return "suppressed" if said == "false-alarm" else told_as


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
                nearest=line.nearest and (mask(line.nearest[0]), line.nearest[1]),
            )
            for line in verdict.evidence
        ),
        missing=tuple(mask(text) for text in verdict.missing),
    )


def masked_verdict(verdict: Verdict, mask: Mask, *, show_keys: bool) -> Verdict:
    """The verdict as it may leave; its key, too, is masked unless that is shown."""
    texts = masked_texts(verdict, mask)
    if show_keys:
        return texts
    key = shown_key(verdict.key, {verdict.service, verdict.host}, mask)
    unit = key if verdict.session == verdict.key else mask(verdict.session)
    return replace(texts, session=unit, key=key)


def shown_key(key: str, names: Collection[str | None], mask: Mask) -> str:
    """The session key, masked; `names` of service and host in it are no secrets."""
    whole = mask(key)
    if whole == key or key in names:
        return key
    parts = split_key(key)
    if not any(part in names for part in parts):
        return whole
    return join_key([part if part in names else mask(part) for part in parts]) or whole


def masked_letter(letter: DeadLetter, mask: Mask) -> DeadLetter:
    """A document that cannot be used, with every text in it masked.

    It stays JSON where it was; one that was cut, and so is none, is masked as text.
    """
    try:
        document = json.dumps(
            masked_values(json.loads(letter.document), mask), ensure_ascii=False
        )
    except ValueError:
        document = letter.document
    return replace(letter, reason=mask(letter.reason), document=mask(document))


def masked_values(value: Any, mask: Mask) -> Any:
    """A JSON value with every text masked; the names of fields stay."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, Mapping):
        return {name: masked_values(inner, mask) for name, inner in value.items()}
    if isinstance(value, list):
        return [masked_values(inner, mask) for inner in value]
    return value


def masked_document(
    document: Mapping[str, Any], mask: Mask, *, show_keys: bool
) -> dict[str, Any]:
    """A finding as it is stored, masked: it may be older than the masks.

    What is masked already stays as it is; so do names, times and advice.
    """
    source = dict(document.get("_source", document))
    names = {_at(source, "service", "name"), _at(source, "host", "name")}
    key = _at(source, "elkwatch", "session", "id")
    for path in _EXCERPTS:
        _change(source, path, lambda value: masked_values(value, mask))
    if isinstance(key, str) and not show_keys:
        hidden = shown_key(key, names, mask)
        _change(source, ("elkwatch", "session", "id"), lambda _: hidden)
        if hidden != key:
            _change(source, ("event", "url"), lambda _: None)
    return source


_EXCERPTS = (
    ("message",),
    ("event", "reason"),
    ("rule", "name"),
    ("elkwatch", "class", "name"),
    ("elkwatch", "evidence"),
    ("elkwatch", "missing"),
)


def _at(source: Any, *path: str) -> Any:
    for name in path:
        source = source.get(name) if isinstance(source, Mapping) else None
    return source


def _change(
    source: dict[str, Any], path: tuple[str, ...], change: Callable[[Any], Any]
) -> None:
    """Changes what stands at a path, if anything; what is changed is a copy."""
    name, *rest = path
    if name not in source:
        return
    if not rest:
        source[name] = change(source[name])
    elif isinstance(source[name], Mapping):
        source[name] = dict(source[name])
        _change(source[name], tuple(rest), change)


def fingerprint(source: str, verdict: Verdict) -> str:
    """What groups findings into an episode: source × kind of trouble × service."""
    return grouped_by(source, verdict.topic, verdict.service)


def grouped_by(source: str, topic: str, service: str | None) -> str:
    """The fingerprint of findings of one kind of trouble in one service."""
    return "/".join((source, topic, service or "-"))


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
        status="open" if found.alerts else "withdrawn",
        model_version=found.model_version,
    )

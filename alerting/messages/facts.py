"""What message files may say: plain values, cleaned, times in the reader's zone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any

from alerting.lifecycle import MessageKind, span
from alerting.links import Links, Subject, subject_of, subject_of_class
from alerting.messages.clean import clean, one_line, web_address
from alerting.news import CatchUpNews, ClassNews, EpisodeNews
from alerting.records import EvidenceNote, FindingNotice

Facts = dict[str, Any]

_UNITS_ZH = {"d": "天", "h": "小时", "min": "分钟", "s": "秒"}
_MAX_NAMES = 5


class Wording:
    """How times and lengths are written for one reader."""

    def __init__(self, language: str, zone: tzinfo) -> None:
        self.language = language
        self._zone = zone

    def time(self, at: datetime | None) -> str | None:
        """``2026-03-04 18:05:11 +08:00``."""
        if at is None:
            return None
        local = at.astimezone(self._zone).isoformat(" ", "seconds")
        return f"{local[:-6]} {local[-6:]}"

    def length(self, length: timedelta) -> str:
        """``12 min`` or ``12 分钟``."""
        words = span(max(length, timedelta()))
        if self.language != "zh":
            return words
        return " ".join(_UNITS_ZH.get(word, word) for word in words.split())

    def names(self, names: Sequence[str]) -> str:
        """A few names in a row, with how many are left out."""
        shown = [one_line(name, 80) for name in names[:_MAX_NAMES]]
        more = len(names) - len(shown)
        if more:
            shown.append(f"+{more}")
        return ("、" if self.language == "zh" else ", ").join(shown)


def episode_facts(
    kind: MessageKind, news: EpisodeNews, wording: Wording, links: Links
) -> Facts:
    """For ``opened``, ``ongoing`` and ``resolved``."""
    samples = [_finding(sample, wording, links) for sample in news.samples]
    until = None if news.resolution == "withdrawn" else news.resolved_at
    return {
        "kind": kind,
        "language": wording.language,
        "test": news.test,
        "over": news.resolution == "over",
        "withdrawn_all": news.resolution == "withdrawn",
        "severity": one_line(news.severity),
        "risk": news.risk,
        "class_id": one_line(news.class_id),
        "class_name": one_line(news.class_name),
        "pattern": one_line(news.pattern),
        "known": news.known,
        "source": one_line(news.source),
        "services": wording.names(news.services),
        "hosts": wording.names(news.hosts),
        "where": _where(news.source, news.services, news.hosts, wording),
        "number": news.number,
        "sequence": news.sequence,
        "episode_id": news.episode_id,
        "findings": news.findings,
        "withdrawn": news.withdrawn,
        "first_seen": wording.time(news.first_seen),
        "last_seen": wording.time(news.last_seen),
        "resolved_at": wording.time(until),
        "duration": wording.length(news.last_seen - news.first_seen),
        "advice": clean(news.advice),
        "causes": samples[0]["causes"] if samples else [],
        "finding": samples[0] if samples else None,
        "samples": samples,
        "reason": one_line(news.reason),
        **_links(subject_of(news), links),
    }


def catch_up_facts(news: CatchUpNews, wording: Wording, links: Links) -> Facts:
    """For ``catch-up``."""
    return {
        "kind": "catch-up",
        "language": wording.language,
        "test": news.test,
        "severity": news.severity,
        "source": one_line(news.source),
        "where": one_line(news.source),
        "number": news.number,
        "findings": news.findings,
        "episodes": news.episodes,
        "first_seen": wording.time(news.first_seen),
        "last_seen": wording.time(news.last_seen),
        "max_alert_age": wording.length(timedelta(seconds=news.max_alert_age_s)),
        "class_count": len(news.classes) + news.more_classes,
        "classes": [_class(news.source, one, wording, links) for one in news.classes],
        "more_classes": news.more_classes,
        "worst": [_finding(sample, wording, links) for sample in news.worst],
        **_links(subject_of(news), links),
    }


def _class(source: str, news: ClassNews, wording: Wording, links: Links) -> Facts:
    return {
        "class_id": one_line(news.class_id),
        "class_name": one_line(news.class_name),
        "severity": one_line(news.severity),
        "risk": news.risk,
        "findings": news.findings,
        "episodes": news.episodes,
        "first_seen": wording.time(news.first_seen),
        "last_seen": wording.time(news.last_seen),
        "services": wording.names(news.services),
        **_links(subject_of_class(source, news), links),
    }


def _links(about: Subject, links: Links) -> Facts:
    return {
        "findings_url": web_address(links.findings(about)),
        "dashboard_url": web_address(links.dashboard(about)),
    }


def _finding(notice: FindingNotice, wording: Wording, links: Links) -> Facts:
    services = (notice.service,) if notice.service else ()
    hosts = (notice.host,) if notice.host else ()
    return {
        "finding_id": one_line(notice.finding_id),
        "class_name": one_line(notice.class_name),
        "severity": one_line(notice.severity),
        "session": one_line(notice.session),
        "where": _where(notice.source, services, hosts, wording),
        "risk": notice.risk,
        "score": round(notice.score, 2),
        "threshold": round(notice.threshold, 2),
        "confidence": round(100 * notice.confidence),
        "start": wording.time(notice.start),
        "end": wording.time(notice.end),
        "advice": clean(notice.advice),
        "causes": [one_line(cause) for cause in notice.causes],
        "evidence": [_line(note) for note in notice.evidence],
        "missing": [one_line(template) for template in notice.missing],
        "log_url": web_address(notice.log_url),
        "finding_url": web_address(
            links.finding(notice.finding_id, notice.start, notice.end)
        ),
        "model_version": one_line(notice.model_version),
    }


def _line(note: EvidenceNote) -> Facts:
    return {
        "position": note.position,
        "template": one_line(note.template),
        "message": clean(note.message).strip("\n"),
        "surprise_nats": round(note.surprise_nats, 1),
        "odds": _odds(note.surprise_nats),
        "expected": [
            {"template": one_line(template), "percent": _percent(probability)}
            for template, probability in note.expected
        ],
    }


def _where(
    source: str, services: Sequence[str], hosts: Sequence[str], wording: Wording
) -> str:
    name = wording.names(services) or one_line(source)
    return f"{name} ({wording.names(hosts)})" if hosts else name


def _odds(surprise_nats: float) -> str:
    """How rare that is, one digit: 9.1 nats → ``9,000`` (one in so many)."""
    if not 0 < surprise_nats < 20:
        return "1" if surprise_nats <= 0 else "400,000,000"
    odds = math.exp(surprise_nats)
    step = 10 ** max(0, math.floor(math.log10(odds)))
    return f"{round(odds / step) * step:,}"


def _percent(probability: float) -> str:
    percent = 100 * probability
    return f"{percent:.0f} %" if percent >= 1 else "<1 %"

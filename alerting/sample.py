"""A made-up finding, for ``alerts render --sample`` and ``alerts test``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from alerting.episode import Episode
from alerting.lifecycle import MessageKind, Policy, open_episode
from alerting.news import CatchUpNews, EpisodeNews, catch_up_news, episode_news
from alerting.records import EvidenceNote, FindingNotice

_ALL_NEW = Policy(max_alert_age=timedelta(days=3650))
_ALL_OLD = Policy(max_alert_age=timedelta(days=-3650))

_ADVICE_EN = (
    "Check the transaction log of the database for the session named below: it took "
    "a lock and never committed. If the client is gone, end the backend with "
    "pg_terminate_backend(pid)."
)
_ADVICE_ZH = (
    "请在数据库事务日志中检查下面列出的会话：它获取了锁却一直没有提交。"
    "如果客户端已断开，可用 pg_terminate_backend(pid) 结束该后端进程。"
)


def sample_notice(now: datetime, language: str = "en") -> FindingNotice:
    """A finding that ended a minute before ``now``."""
    chinese = language == "zh"
    return FindingNotice(
        finding_id="sample0000000001",
        fingerprint="sample/missing-step/shop-db",
        source="shop-db",
        session="65a1b2c3.4d5e",
        class_id="c07",
        class_name="“已提交”之前缺少步骤" if chinese else "missing step: COMMIT",
        pattern="missing-step",
        severity="high",
        advice=_ADVICE_ZH if chinese else _ADVICE_EN,
        known=True,
        risk=87,
        score=7.31,
        threshold=5.2,
        confidence=0.93,
        start=now - timedelta(minutes=4),
        end=now - timedelta(minutes=1),
        detected_at=now,
        service="shop-db",
        host="db1",
        causes=("客户端超时", "锁等待")
        if chinese
        else ("client time-out", "lock wait"),
        evidence=_evidence(),
        missing=("COMMIT",),
        log_url="https://kibana.example.org/app/discover#/?_a=(sample)",
        model_version="sample",
    )


def sample_news(
    kind: MessageKind,
    now: datetime,
    notices: Sequence[FindingNotice] = (),
    *,
    language: str = "en",
    test: bool = False,
) -> EpisodeNews | CatchUpNews:
    """What a message of that kind would tell of these findings (none: a sample)."""
    told = list(notices) or [sample_notice(now, language)]
    if kind == "catch-up":
        return _caught_up(told, now, test=test)
    episode = open_episode(1, told, now, _ALL_NEW).episode
    return episode_news(_at(kind, episode, now), "a sample", test=test)


def _at(kind: MessageKind, episode: Episode, now: datetime) -> Episode:
    if kind == "ongoing":
        return replace(episode, state="ongoing", sequence=2)
    if kind == "resolved":
        return replace(
            episode,
            state="resolved",
            sequence=3,
            resolution="quiet",
            resolved_at=now + timedelta(minutes=16),
        )
    return episode


def _caught_up(
    notices: Sequence[FindingNotice], now: datetime, *, test: bool
) -> CatchUpNews:
    age = timedelta(hours=1)
    shift = age + timedelta(hours=2)
    old = [replace(n, start=n.start - shift, end=n.end - shift) for n in notices]
    groups: dict[str, list[FindingNotice]] = {}
    for notice in old:
        groups.setdefault(notice.fingerprint, []).append(notice)
    episodes = [open_episode(1, g, now, _ALL_OLD).episode for g in groups.values()]
    return catch_up_news(notices[0].source, 1, episodes, age.total_seconds(), test=test)


def _evidence() -> tuple[EvidenceNote, ...]:
    return (
        EvidenceNote(
            position=12,
            template="process <*> still waiting for ShareLock on transaction <*>",
            message=(
                "process 19785 still waiting for ShareLock on transaction 741 "
                "after 1000.123 ms"
            ),
            surprise_nats=9.1,
            expected=(("statement: COMMIT", 0.71), ("duration: <*> ms", 0.2)),
        ),
        EvidenceNote(
            position=13,
            template="could not send data to client: <*>",
            message="could not send data to client: Connection reset by peer",
            surprise_nats=6.4,
            expected=(("disconnection: session time: <*>", 0.88),),
        ),
    )

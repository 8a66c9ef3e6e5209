"""What a message is made from, frozen at the moment it became owed.

A row keeps its news, so that every attempt, also after a restart, sends the same facts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from alerting.episode import Episode, Resolution, State
from alerting.members import SilentTally
from alerting.records import SEVERITIES, FindingNotice, severity_rank, worst_severity

MAX_CLASSES = 20
MAX_WORST = 3


@dataclass(frozen=True, slots=True)
class EpisodeNews:
    """An episode as it stood at one transition."""

    episode_id: str
    source: str
    fingerprint: str
    number: int
    sequence: int
    state: State
    resolution: Resolution
    class_id: str
    class_name: str
    pattern: str
    known: bool
    severity: str
    risk: int
    advice: str
    services: tuple[str, ...]
    hosts: tuple[str, ...]
    findings: int
    withdrawn: int
    first_seen: datetime
    last_seen: datetime
    resolved_at: datetime | None
    samples: tuple[FindingNotice, ...]
    reason: str
    test: bool = False


@dataclass(frozen=True, slots=True)
class ClassNews:
    """One class in a catch-up: how often, over which period, how bad."""

    class_id: str
    class_name: str
    severity: str
    risk: int
    findings: int
    episodes: int
    first_seen: datetime
    last_seen: datetime
    services: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CatchUpNews:
    """Findings of one source that were too old to be sent one by one."""

    source: str
    number: int
    findings: int
    episodes: int
    first_seen: datetime
    last_seen: datetime
    classes: tuple[ClassNews, ...]
    more_classes: int
    worst: tuple[FindingNotice, ...]
    max_alert_age_s: float
    test: bool = False

    @property
    def severity(self) -> str:
        return worst_severity([one.severity for one in self.classes])


def episode_news(episode: Episode, reason: str, *, test: bool = False) -> EpisodeNews:
    """The news of an episode as it stands."""
    return EpisodeNews(
        episode_id=episode.episode_id,
        source=episode.source,
        fingerprint=episode.fingerprint,
        number=episode.number,
        sequence=episode.sequence,
        state=episode.state,
        resolution=episode.resolution,
        class_id=episode.class_id,
        class_name=episode.class_name,
        pattern=episode.pattern,
        known=episode.known,
        severity=episode.severity,
        risk=episode.risk,
        advice=episode.advice,
        services=episode.services,
        hosts=episode.hosts,
        findings=episode.findings,
        withdrawn=episode.withdrawn,
        first_seen=episode.first_seen or episode.opened_at,
        last_seen=episode.last_seen or episode.changed_at,
        resolved_at=episode.resolved_at,
        samples=episode.samples,
        reason=reason,
        test=test,
    )


def catch_up_news(
    source: str,
    number: int,
    episodes: Sequence[Episode],
    max_alert_age_s: float,
    *,
    test: bool = False,
) -> CatchUpNews:
    """The sum of what these episodes (at least one) have not been summed up for."""
    groups: dict[str, list[Episode]] = {}
    for episode in episodes:
        groups.setdefault(episode.class_id, []).append(episode)
    classes = sorted(map(_class_news, groups.values()), key=_worst_first)
    samples = [e.samples[0] for e in episodes if e.samples]
    samples.sort(key=lambda s: (-severity_rank(s.severity), -s.risk, s.start))
    return CatchUpNews(
        source=source,
        number=number,
        findings=sum(episode.silent.pending for episode in episodes),
        episodes=len(episodes),
        first_seen=min(one.first_seen for one in classes),
        last_seen=max(one.last_seen for one in classes),
        classes=tuple(classes[:MAX_CLASSES]),
        more_classes=max(0, len(classes) - MAX_CLASSES),
        worst=tuple(samples[:MAX_WORST]),
        max_alert_age_s=max_alert_age_s,
        test=test,
    )


def _class_news(episodes: list[Episode]) -> ClassNews:
    tallies = [(episode, episode.silent) for episode in episodes]
    return ClassNews(
        class_id=episodes[0].class_id,
        class_name=episodes[-1].class_name,
        severity=worst_severity([episode.severity for episode in episodes]),
        risk=max(episode.risk for episode in episodes),
        findings=sum(episode.silent.pending for episode in episodes),
        episodes=len(episodes),
        first_seen=min(_first(episode, tally) for episode, tally in tallies),
        last_seen=max(_last(episode, tally) for episode, tally in tallies),
        services=tuple(sorted({s for e in episodes for s in e.services})[:MAX_CLASSES]),
    )


def _first(episode: Episode, tally: SilentTally) -> datetime:
    return tally.first_seen or episode.first_seen or episode.opened_at


def _last(episode: Episode, tally: SilentTally) -> datetime:
    return tally.last_seen or episode.last_seen or episode.opened_at


def _worst_first(one: ClassNews) -> tuple[int, int, str]:
    rank = len(SEVERITIES) - severity_rank(one.severity)
    return rank, -one.risk, one.class_id

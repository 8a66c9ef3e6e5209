"""What a backtest found: plain frozen records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from connector import Finding
from elkwatch.backtest.coverage import Held
from elkwatch.backtest.period import Period
from elkwatch.backtest.rehearsal import ChannelName

LEAST_FOR_A_RATE = timedelta(hours=12)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Day:
    """One day. `findings`: by when their session ended. `messages`: by channel.

    `deviating` is the share of the sessions, None on a day without one.
    """

    day: str
    documents: int
    unknown: int
    sessions: int
    findings: int
    episodes: int
    messages: Mapping[str, int]

    @property
    def deviating(self) -> float | None:
        """Share of the sessions that became findings."""
        return self.findings / self.sessions if self.sessions else None

    @property
    def unknown_ratio(self) -> float | None:
        """Share of the lines that match no template; None without a line."""
        return self.unknown / self.documents if self.documents else None


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """One class of one source. `examples`: the riskiest findings, masked.

    Kinds that are not known share the id of their pattern and have names of their own.
    """

    source: str
    class_id: str
    name: str
    severity: str
    pattern: str
    known: bool
    advice: str
    findings: int
    by_day: Mapping[str, int]
    episodes: int
    messages: Mapping[str, int]
    examples: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class EpisodeFigures:
    """One episode, as it stood at the end. `messages`: how many a channel."""

    episode_id: str
    source: str
    class_id: str
    class_name: str
    severity: str
    number: int
    state: str
    first_seen: datetime
    last_seen: datetime
    findings: int
    messages: int
    services: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LevelFigures:
    """What another threshold would have done. `exact`: replayed from the findings.

    Otherwise an estimate: sessions near the threshold were judged once, at their end.
    """

    source: str
    threshold: float
    exact: bool
    findings: int
    episodes: int
    messages: int


@dataclass(frozen=True, slots=True)
class SourceFigures:
    """One source. `failure`: the line at which its reading ended, if it did.

    `keyless_ratio`: share of the documents without a session key, 0 to 1.
    `of_services`: how many of the findings are of services, not of sessions.
    """

    source: str
    index: str
    model: str
    model_version: str
    threshold: float
    documents: int
    unknown: int
    problems: int
    keyless_ratio: float
    sessions: int
    open_sessions: int
    findings: int
    withdrawn: int
    held: Held
    held_back: int = 0
    of_services: int = 0
    warnings: tuple[str, ...] = ()
    failure: str | None = None

    @property
    def unknown_ratio(self) -> float:
        """Share of the lines that match no template, 0 to 1."""
        return self.unknown / self.documents if self.documents else 0.0


@dataclass(frozen=True, slots=True)
class BacktestResult:
    """Everything that a backtest tells. Times are UTC-aware.

    `reached`: up to where it came; before `period.end` where it was stopped.
    `pretended`: no channel is configured, so one was made up. `kinds`: messages by
    channel and kind. `more_episodes`, `more_classes`: how many the lists leave out.
    """

    period: Period
    reached: datetime
    step: timedelta
    interval: timedelta
    zone: str
    sources: tuple[SourceFigures, ...]
    days: tuple[Day, ...]
    classes: tuple[ClassFigures, ...]
    episodes: tuple[EpisodeFigures, ...]
    levels: tuple[LevelFigures, ...]
    channels: tuple[ChannelName, ...]
    pretended: bool
    kinds: Mapping[str, Mapping[str, int]]
    more_episodes: int = 0
    more_classes: int = 0

    @property
    def held(self) -> timedelta:
        """How much of the period held logs: of the source that held most."""
        return max((s.held.lasted for s in self.sources), default=timedelta())

    @property
    def days_held(self) -> float | None:
        """The same in days; None where it is too little to say how often a day."""
        return self.held / DAY if self.held >= LEAST_FOR_A_RATE else None

    @property
    def messages(self) -> int:
        """How many messages one channel would have got: the one with most."""
        return sum(self.kinds_of_one.values())

    @property
    def kinds_of_one(self) -> Mapping[str, int]:
        """Messages by kind of the channel that would have got most."""
        return max(self.kinds.values(), key=lambda k: sum(k.values()), default={})

    @property
    def findings(self) -> int:
        """Sessions that deviate, over all sources."""
        return sum(source.findings for source in self.sources)

    @property
    def episode_count(self) -> int:
        """All episodes, also those that the list leaves out."""
        return len(self.episodes) + self.more_episodes

    @property
    def failures(self) -> list[str]:
        """The lines of the sources that could not be read to the end."""
        return [s.failure for s in self.sources if s.failure is not None]

    def a_day(self, count: int) -> float | None:
        """A count as a rate; None where the logs are too few for one."""
        return None if self.days_held is None else count / self.days_held

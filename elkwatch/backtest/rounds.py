"""The service, driven through the past tick by tick.

for each tick: clock ─▶ Service.turn() ─▶ figures by day ─▶ other thresholds
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from elasticsearch import Elasticsearch

from connector import Finding
from elkwatch.backtest.book import Book
from elkwatch.backtest.levels import Levels, level_settings
from elkwatch.backtest.parts import (
    PRETENDED,
    PastSource,
    SteppedClock,
    channel_names,
    open_reader,
    past_sources,
    service_parts,
)
from elkwatch.backtest.period import Period, day_of, days_of
from elkwatch.backtest.rehearsal import Rehearsal
from elkwatch.backtest.result import BacktestResult, Day, SourceFigures
from elkwatch.compose import Parts
from elkwatch.config import Config, translate
from elkwatch.errors import ElkwatchError
from elkwatch.outputs import Screened
from elkwatch.privacy import masking
from elkwatch.program_log import quieted
from elkwatch.rounds import SourceOutcome, Tick
from elkwatch.service import Service

_SPEAKERS = ("elkwatch.service", "elkwatch.leadership")


@dataclass(frozen=True, slots=True)
class Options:
    """How to go through a period. `thresholds`: others to try; () for some of ours."""

    period: Period
    step: timedelta
    device: str = "auto"
    thresholds: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Round:
    """Told after each tick: how far it came, what it found so far."""

    done: int
    ticks: int
    at: datetime
    documents: int
    findings: int


def backtest(
    config: Config,
    options: Options,
    *,
    progress: Callable[[Round], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> BacktestResult:
    """Goes through the period; writes nothing, sends nothing.

    `stop` is asked after each tick; what was done by then is told. Raises ConfigError,
    BundleError, ConnectorError, AlertingConfigError; ElkwatchError where there are no
    logs at all.
    """
    client = open_reader(config)
    try:
        with quieted(*_SPEAKERS):
            past = _Past(config, options, client)
            past.go(progress, stop)
        return past.result()
    finally:
        client.close()


@dataclass(slots=True)
class _SourceBook:
    """What the ticks said of one source."""

    documents: int = 0
    unknown: int = 0
    problems: int = 0
    sessions: int = 0
    open_sessions: int = 0
    failure: str | None = None

    def add(self, outcome: SourceOutcome) -> None:
        self.documents += outcome.counts.documents
        self.unknown += outcome.counts.unknown
        self.problems += outcome.counts.problems
        self.sessions += outcome.progress.sessions
        self.open_sessions = outcome.open_sessions
        self.failure = outcome.failure


class _Past:
    """One backtest at work."""

    def __init__(self, config: Config, options: Options, client: Elasticsearch) -> None:
        self._config, self._options = config, options
        self._zone = config.alerting.zone
        self._clock = SteppedClock(options.period.start)
        self._reached = options.period.start
        policy = translate.alerting_config(config.alerting).policy
        self._channels = channel_names(config)
        self._sources = past_sources(config, client, options.period, options.device)
        self._books = {s.settings.name: _SourceBook() for s in self._sources}
        self._days: Counter[tuple[str, str]] = Counter()
        self._book = Book(self._day, self._found)
        self._levels = {
            s.settings.name: Levels(
                level_settings(
                    s.settings.name,
                    s.parts.reading.classifier.threshold,
                    options.thresholds,
                ),
                policy,
                self._clock,
                masking(config.privacy.mask),
                show_keys=config.privacy.session_keys == "shown",
            )
            for s in self._sources
        }
        self._rehearsal = Rehearsal(
            policy, self._channels, self._clock, self._book.told, self._book.over
        )
        self._parts = self._without_failed(client)

    def go(self, progress: Callable[[Round], None], stop: Callable[[], bool]) -> None:
        """All ticks, or until `stop` says so. Raises where no source can be read."""
        period, step = self._options.period, self._options.step
        ticks = period.count(step)
        service = Service(self._parts, self._clock)
        try:
            for done, now in enumerate(period.ticks(step), 1):
                self._clock.time = now
                tick = service.turn()
                if tick is not None:
                    self._note(tick, now)
                    if tick.failures:
                        service.resign()
                        service = Service(self._drop_failed(tick), self._clock)
                self._reached = now
                documents = sum(b.documents for b in self._books.values())
                findings = self._book.sources.total()
                progress(Round(done, ticks, now, documents, findings))
                if stop():
                    break
        finally:
            service.resign()

    def result(self) -> BacktestResult:
        """What came of it. To be called once, after `go`."""
        documents = sum(book.documents for book in self._books.values())
        period = self._options.period
        failed = any(book.failure for book in self._books.values())
        if not documents and not failed and self._reached >= period.end:
            raise ElkwatchError(
                f"no source holds a line between {period.start:%Y-%m-%dT%H:%M:%SZ} and "
                f"{period.end:%Y-%m-%dT%H:%M:%SZ}; go further back with --days, or "
                "check sources.index and time_field"
            )
        self._rehearsal.end()
        book = self._book
        return BacktestResult(
            period=self._options.period,
            reached=self._reached,
            step=self._options.step,
            interval=self._config.schedule.interval,
            zone=str(self._zone),
            sources=tuple(map(self._source, self._sources)),
            days=tuple(map(self._day_figures, self._all_days())),
            classes=book.classes(),
            episodes=book.episodes(),
            levels=tuple(f for s in self._levels.values() for f in s.figures()),
            channels=self._channels,
            pretended=PRETENDED in self._channels,
            kinds={
                c.name: {k: n for (name, k), n in book.kinds.items() if name == c.name}
                for c in self._channels
            },
            more_episodes=book.more_episodes,
            more_classes=book.more_classes,
        )

    def _day(self, time: datetime) -> str:
        return day_of(time, self._options.period, self._zone)

    def _found(self, finding: Finding) -> None:
        self._levels[finding.source].take(finding)

    def _screened(self, seen: Screened) -> None:
        name = seen.reading.settings.name
        rejudge = next(s.rejudge for s in self._sources if s.settings.name == name)
        self._levels[name].screened(seen, rejudge)

    def _without_failed(self, client: Elasticsearch) -> Parts:
        for source in self._sources:
            self._books[source.settings.name].failure = source.failure
        return service_parts(
            self._config,
            client,
            [s for s in self._sources if s.failure is None],
            self._rehearsal.alerts,
            self._book,
            self._screened,
        )

    def _drop_failed(self, tick: Tick) -> Parts:
        """A source that fails is left; the others go on. Raises where none is left."""
        failed = {o.source for o in tick.sources if o.failure is not None}
        left = [
            parts
            for parts in self._parts.sources
            if parts.reading.settings.name not in failed
        ]
        if not left:
            raise ElkwatchError(tick.failures[0])
        self._parts = replace(self._parts, sources=tuple(left))
        return self._parts

    def _note(self, tick: Tick, now: datetime) -> None:
        """The figures of one tick, on the day whose lines it read last."""
        read_until = now - self._config.schedule.query_delay
        day = self._day(read_until - timedelta(microseconds=1))
        for outcome in tick.sources:
            self._books[outcome.source].add(outcome)
            self._days[day, "documents"] += outcome.counts.documents
            self._days[day, "unknown"] += outcome.counts.unknown
            self._days[day, "sessions"] += outcome.progress.sessions
        self._rehearsal.settle(now)
        for parts in self._parts.sources:
            reading = parts.reading
            self._levels[reading.settings.name].tick(reading.newest, now)

    def _all_days(self) -> list[str]:
        reached = Period(self._options.period.start, self._reached)
        return days_of(reached, self._zone)

    def _day_figures(self, day: str) -> Day:
        book = self._book
        return Day(
            day=day,
            documents=self._days[day, "documents"],
            unknown=self._days[day, "unknown"],
            sessions=self._days[day, "sessions"],
            findings=book.days[day],
            episodes=book.episode_days[day],
            messages={c.name: book.messages[day, c.name] for c in self._channels},
        )

    def _source(self, source: PastSource) -> SourceFigures:
        settings, reading = source.settings, source.parts.reading
        book, name = self._books[settings.name], settings.name
        counts = reading.source.counts
        return SourceFigures(
            source=name,
            index=settings.index,
            model=str(settings.model),
            model_version=reading.classifier.model.version,
            threshold=reading.classifier.threshold,
            documents=book.documents,
            unknown=book.unknown,
            problems=book.problems,
            keyless_ratio=counts.no_key / max(1, counts.documents),
            sessions=book.sessions,
            open_sessions=book.open_sessions,
            findings=self._book.sources[name],
            withdrawn=self._book.withdrawn[name],
            held_back=self._book.held_back(name),
            of_services=self._book.of_services(name),
            held=source.coverage.held(self._reached),
            warnings=() if source.report is None else source.report.warnings,
            failure=book.failure,
        )

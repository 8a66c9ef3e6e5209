"""`classify --from-es` in parts: what a source holds, shared out by its session keys.

    key ranges ──▶ part: its own client, pages, sessions, verdicts ──▶ merged by start

One worker or several call the same function; only the ranges differ. Every part reads
more than the period at both ends, by the longest a session may last, so that sessions
across them are whole; those that lie outside of it are left out again. Nothing is
written into Elasticsearch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from connector import DecodeCounts, DecodeProblem, KeyRange, LogSource
from elkwatch.cli.options import load
from elkwatch.compose import open_client
from elkwatch.config import Config, source_named, translate
from elkwatch.log_files import Tell, oddities, plural
from elkwatch.source_reading import (
    events_of,
    left_out,
    nothing_found,
    times_of,
    window_of,
)
from elkwatch.workers import Workers
from model import Classifier, Verdict, spool_sessions

RANGES_A_WORKER = 2  # a worker that is done early takes another


@dataclass(frozen=True, slots=True)
class PastPeriod:
    """What is asked for: a source between two times.

    `config_path` is where a worker reads how to connect; no secret is handed on.
    `start` None: from the earliest on. `margin`: how much is read beyond both ends.
    """

    config_path: Path | None
    source: str
    start: datetime | None
    until: datetime
    margin: timedelta

    def wider(self) -> tuple[datetime | None, datetime]:
        """The times between which is read."""
        start = None if self.start is None else self.start - self.margin
        return start, self.until + self.margin

    def touches(self, verdict: Verdict) -> bool:
        """Whether the session lasts into the period."""
        if self.start is not None and verdict.end < self.start:
            return False
        return verdict.start < self.until


@dataclass(frozen=True, slots=True)
class SourcePart:
    """One key range of a period. `spool`: a folder for very many sessions."""

    period: PastPeriod
    within: KeyRange
    spool: Path


@dataclass(frozen=True, slots=True)
class JudgedPart:
    """The verdicts of a part, and what was odd about its documents."""

    verdicts: tuple[Verdict, ...]
    counts: DecodeCounts
    problems: tuple[DecodeProblem, ...]


def past_period(
    config: Config,
    config_path: Path | None,
    name: str,
    times: tuple[str, str],
    now: datetime,
) -> PastPeriod:
    """The period between `times` (`now-7d`, ISO, `earliest`). Raises ConfigError."""
    settings = source_named(config, name)
    start, until = times_of(*times, now)
    window = window_of(translate.source_spec(settings)) or timedelta()
    margin = max(settings.max_session_age, window)
    return PastPeriod(config_path, name, start, until, margin)


def parts_of(
    config: Config, period: PastPeriod, workers: int, spool: Path, tell: Tell
) -> list[SourcePart]:
    """The parts of a period, for so many workers. Raises ConnectorError, ConfigError.

    `tell` hears why several workers have but one part, and what else is not as wished.
    """
    with open_client(config) as client:
        settings = source_named(config, period.source)
        source = LogSource(client, translate.source_spec(settings))
        source.check()
        count = 1 if workers == 1 else workers * RANGES_A_WORKER
        found = source.key_ranges(count, *period.wider())
    if found.note is not None:
        alone = "; one worker does it all" if len(found.ranges) == 1 else ""
        tell(f"source {period.source}: {found.note}{alone}")
    return [SourcePart(period, within, spool) for within in found.ranges]


def judge_part(classifier: Classifier, part: SourcePart) -> JudgedPart:
    """All verdicts of a part. Raises ConnectorError, ConfigError, SpoolError."""
    period = part.period
    config = load(period.config_path)
    spec = translate.source_spec(source_named(config, period.source))
    with open_client(config) as client:
        source = LogSource(client, spec, page_size=config.limits.page_size)
        problems: list[DecodeProblem] = []
        pages = source.pages_of(part.within, *period.wider())
        sessions = spool_sessions(
            events_of(pages, problems), part.spool, window=window_of(spec)
        )
    verdicts = filter(period.touches, classifier.classify(sessions))
    return JudgedPart(tuple(verdicts), source.counts, tuple(problems))


def judged(
    pool: Workers[Classifier],
    parts: Sequence[SourcePart],
    times: tuple[str, str],
    tell: Tell,
) -> list[Verdict]:
    """The verdicts of all parts by start and key, however many workers there are.

    Raises what `judge_part` does, and ElkwatchError where nothing was found.
    """
    name = parts[0].period.source
    verdicts: list[Verdict] = []
    counts, problems = DecodeCounts(), list[DecodeProblem]()
    for number, part in enumerate(pool.each(judge_part, parts), 1):
        verdicts += part.verdicts
        counts.add(part.counts)
        problems += part.problems
        if len(parts) > 1:
            done = f"{number} of {len(parts)} key ranges"
            tell(f"source {name}: {done}, {plural(len(verdicts), 'session')}")
    for line in (*left_out(problems), *oddities(counts), *_split(verdicts)):
        tell(f"source {name}: {line}")
    if not verdicts:
        raise nothing_found(name, *times)
    return sorted(verdicts, key=lambda verdict: (verdict.start, *_unit(verdict)))


def _split(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """A line where a session came from several ranges: its key is not one value."""
    twice = len(verdicts) - len({_unit(verdict) for verdict in verdicts})
    if twice:
        yield (
            f"{plural(twice, 'session')} in pieces: their keys are lists, or longer "
            "than the mapping indexes; use --workers 1 for whole ones"
        )


def _unit(verdict: Verdict) -> tuple[str, str]:
    window = verdict.window_start
    return verdict.key, "" if window is None else window.isoformat()

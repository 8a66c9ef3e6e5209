"""Counts findings, episodes and messages while the service goes through the past."""

from __future__ import annotations

import heapq
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from alerting import Episode, OutboxRow
from connector import DeadLetter, Finding, InMemoryFindingSink, WriteReport
from elkwatch.backtest.result import ClassFigures, EpisodeFigures
from elkwatch.source_watch import is_of_service

MAX_CLASSES = 300
MAX_EXAMPLES = 3
MAX_EPISODES = 200
REMEMBERED = 100_000
OTHERS = "other classes"
CATCH_UP = "catch-up"
HELD_BACK = "held-back"

_SUMMED_UP = "summed up, for they were old"

#: Source, class id, name: kinds that are not known share ids, not names.
ClassKey = tuple[str, str, str]
DayOf = Callable[[datetime], str]
_SEVERITIES = ("low", "medium", "high", "critical")


@dataclass(slots=True)
class _ClassBook:
    newest: Finding | None = None
    days: Counter[str] = field(default_factory=Counter)
    episodes: int = 0
    messages: Counter[str] = field(default_factory=Counter)
    examples: dict[str, Finding] = field(default_factory=dict)

    def keep(self, finding: Finding) -> None:
        """Among the examples, if it is one of the riskiest."""
        self.newest = finding
        self.examples[finding.finding_id] = finding
        if len(self.examples) > MAX_EXAMPLES:
            least = min(self.examples.values(), key=lambda f: (f.risk, f.score))
            del self.examples[least.finding_id]


class Book:
    """What the backtest counts. `watch` is shown every finding that is written."""

    def __init__(self, day_of: DayOf, watch: Callable[[Finding], None]) -> None:
        self._day_of = day_of
        self._watch = watch
        self._sink = InMemoryFindingSink(REMEMBERED)
        self._counted: OrderedDict[str, tuple[ClassKey, str]] = OrderedDict()
        self._classes: dict[ClassKey, _ClassBook] = {}
        self._episodes: list[tuple[tuple[int, int, str], EpisodeFigures]] = []
        self._left_out: set[ClassKey] = set()
        self.withdrawn: Counter[str] = Counter()
        self._held_back: dict[str, str] = {}
        self.days: Counter[str] = Counter()
        self.sources: Counter[str] = Counter()
        self.messages: Counter[tuple[str, str]] = Counter()
        self.kinds: Counter[tuple[str, str]] = Counter()
        self.episode_days: Counter[str] = Counter()
        self.more_episodes = 0

    @property
    def more_classes(self) -> int:
        """How many classes were counted together as others."""
        return len(self._left_out)

    def write(self, findings: Sequence[Finding]) -> WriteReport:
        """As a FindingWriter: kept in memory, and counted."""
        report = self._sink.write(findings)
        for finding in {f.finding_id: f for f in findings}.values():
            outcome = report.outcomes[finding.finding_id]
            if outcome in ("created", "amended", "withdrawn", "suppressed", HELD_BACK):
                self._uncount(finding.finding_id)
                if finding.status == "open":
                    self._count(finding)
                elif outcome == "withdrawn":
                    self.withdrawn[finding.source] += 1
                self._hold(finding)
                self._watch(finding)
        return report

    def dead_letter(self, letters: Sequence[DeadLetter]) -> int:
        """As a FindingWriter."""
        return self._sink.dead_letter(letters)

    def told(self, row: OutboxRow, at: datetime) -> None:
        """A message that one channel would have got."""
        self.messages[self._day_of(at), row.channel] += 1
        self.kinds[row.channel, row.kind] += 1
        news = row.episode
        what = (news.class_id, news.class_name) if news else (CATCH_UP, _SUMMED_UP)
        self._class((row.source, *what)).messages[row.channel] += 1

    def over(self, episode: Episode) -> None:
        """An episode as it stands at its end, or at that of the backtest."""
        first = episode.first_seen or episode.opened_at
        last = episode.last_seen or episode.changed_at
        figures = EpisodeFigures(
            episode_id=episode.episode_id,
            source=episode.source,
            class_id=episode.class_id,
            class_name=episode.class_name,
            severity=episode.severity,
            number=episode.number,
            state=episode.state,
            first_seen=first,
            last_seen=last,
            findings=episode.findings,
            messages=episode.sequence,
            services=episode.services,
        )
        key = (episode.source, episode.class_id, episode.class_name)
        self._class(key).episodes += 1
        self.episode_days[self._day_of(episode.opened_at)] += 1
        rank = (_rank(episode.severity), episode.findings, episode.episode_id)
        heapq.heappush(self._episodes, (rank, figures))
        if len(self._episodes) > MAX_EPISODES:
            heapq.heappop(self._episodes)
            self.more_episodes += 1

    def episodes(self) -> tuple[EpisodeFigures, ...]:
        """The gravest, in the order of their time."""
        kept = (figures for _, figures in self._episodes)
        return tuple(sorted(kept, key=lambda e: (e.first_seen, e.episode_id)))

    def classes(self) -> tuple[ClassFigures, ...]:
        """All classes that were found or told of, the gravest first."""
        figures = [
            _class_figures(key, own)
            for key, own in self._classes.items()
            if own.days.total() or own.messages or own.episodes
        ]
        figures.sort(
            key=lambda c: (-_rank(c.severity), -c.findings, c.class_id, c.name)
        )
        return tuple(figures)

    def of_services(self, source: str) -> int:
        """How many findings are of services: silence and rates."""
        return sum(
            own.days.total()
            for (of, class_id, _), own in self._classes.items()
            if of == source and is_of_service(class_id)
        )

    def held_back(self, source: str) -> int:
        """How many nobody would have been told of, for the model is out of date."""
        return sum(one == source for one in self._held_back.values())

    def _hold(self, finding: Finding) -> None:
        if finding.status == HELD_BACK and len(self._held_back) < REMEMBERED:
            self._held_back[finding.finding_id] = finding.source
        else:
            self._held_back.pop(finding.finding_id, None)

    def _count(self, finding: Finding) -> None:
        key = (finding.source, finding.class_id, finding.class_name)
        own, day = self._class(key), self._day_of(finding.end)
        own.days[day] += 1
        own.keep(finding)
        self.days[day] += 1
        self.sources[finding.source] += 1
        self._counted[finding.finding_id] = (key, day)
        while len(self._counted) > REMEMBERED:
            self._counted.popitem(last=False)

    def _uncount(self, finding_id: str) -> None:
        known = self._counted.pop(finding_id, None)
        if known is None:
            return
        key, day = known
        own = self._class(key)
        own.days[day] -= 1
        own.examples.pop(finding_id, None)
        self.days[day] -= 1
        self.sources[key[0]] -= 1

    def _class(self, key: ClassKey) -> _ClassBook:
        if key not in self._classes and len(self._classes) >= MAX_CLASSES:
            self._left_out.add(key)
            key = (key[0], OTHERS, OTHERS)
        return self._classes.setdefault(key, _ClassBook())


def _class_figures(key: ClassKey, own: _ClassBook) -> ClassFigures:
    source, class_id, name = key
    newest = own.newest
    plain = ClassFigures(
        source=source,
        class_id=class_id,
        name=name,
        severity="low",
        pattern="",
        known=True,
        advice="",
        findings=own.days.total(),
        by_day=dict(sorted(own.days.items())),
        episodes=own.episodes,
        messages=dict(own.messages),
        examples=tuple(sorted(own.examples.values(), key=lambda f: -f.risk)),
    )
    if newest is None or class_id == OTHERS:
        return plain
    return replace(
        plain,
        severity=newest.severity,
        pattern=newest.pattern,
        known=newest.known,
        advice=newest.advice,
    )


def _gravest_first(kind: ClassFigures) -> tuple[int, int, str, str]:
    return -_rank(kind.severity), -kind.findings, kind.class_id, kind.name


def _rank(severity: str) -> int:
    return _SEVERITIES.index(severity) if severity in _SEVERITIES else 0

"""What other thresholds would have done, beside the run with the model's own.

    findings of the run ──above the level──▶ a tracker of its own ──▶ counted
    sessions below the model's threshold, above the level ──judged at it──▶ ─┘

A level above the model's threshold sees a part of the findings: what it counts is
exact. One below needs sessions that the run itself does not look at: each is fetched
once, at its end, and judged by the same model with that threshold, an estimate. What is
found of services (silence, rates) hangs on no threshold: every level has it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from alerting import Clock, Episode, OutboxRow, Policy
from connector import Finding
from elkwatch.backtest.rehearsal import ChannelName, Rehearsal
from elkwatch.backtest.result import LevelFigures
from elkwatch.confirm import Confirmation
from elkwatch.outputs import Screened
from elkwatch.privacy import Mask
from elkwatch.source_run import Reading
from elkwatch.source_watch import is_of_service
from elkwatch.translate import finding, notice
from model import Classifier, SessionTracker, Verdict

FACTORS = (0.8, 0.9, 1.25, 1.5, 2.0, 3.0)
REMEMBERED = 50_000
NEAR_AT_ONCE = 500
_ONE = (ChannelName("one", "counted"),)


class Rejudge(Protocol):
    """The classifier of a source with another threshold."""

    def __call__(self, threshold: float) -> Classifier:
        """A classifier of the same model."""
        ...


@dataclass(frozen=True, slots=True)
class LevelSetting:
    """Where a level stands, and how its messages would be decided."""

    source: str
    threshold: float
    exact: bool


class Level:
    """One threshold of one source."""

    def __init__(self, setting: LevelSetting, policy: Policy, clock: Clock) -> None:
        self.setting = setting
        self._open: OrderedDict[str, None] = OrderedDict()
        self._findings = self._episodes = self._messages = 0
        self._waiting: dict[str, Finding] = {}
        self._rehearsal = Rehearsal(policy, _ONE, clock, self._told, self._over)

    def take(self, found: Finding) -> None:
        """A finding as it is now; counted with the next tick."""
        past = found.score > self.setting.threshold or is_of_service(found.pattern)
        above = found.status == "open" and past
        if above or found.finding_id in self._open:
            status = found.status if above else "withdrawn"
            self._waiting[found.finding_id] = replace(
                found, status=status, anomaly=above
            )

    def tick(self, newest: datetime | None, now: datetime) -> None:
        """What the service does after it has written: note, advance, deliver."""
        for found in self._waiting.values():
            self._count(found)
        alerts, source = self._rehearsal.alerts, self.setting.source
        if self._waiting:
            alerts.tracker.note([notice(f) for f in self._waiting.values()], now)
            self._waiting.clear()
        if newest is not None:
            alerts.tracker.advance(source, min(newest, now), now)
        alerts.tracker.catch_up_done(source, now)
        alerts.outbox.deliver(now)
        self._rehearsal.settle(now)

    def figures(self) -> LevelFigures:
        """What came of it. To be called once, at the end."""
        self._rehearsal.end()
        return LevelFigures(
            source=self.setting.source,
            threshold=self.setting.threshold,
            exact=self.setting.exact,
            findings=self._findings,
            episodes=self._episodes,
            messages=self._messages,
        )

    def _count(self, found: Finding) -> None:
        known = found.finding_id in self._open
        if found.anomaly and not known:
            self._findings += 1
            self._open[found.finding_id] = None
            if len(self._open) > REMEMBERED:
                self._open.popitem(last=False)
        elif known and not found.anomaly:
            self._findings -= 1
            del self._open[found.finding_id]

    def _told(self, _: OutboxRow, __: datetime) -> None:
        self._messages += 1

    def _over(self, _: Episode) -> None:
        self._episodes += 1


class Levels:
    """All levels of one source."""

    def __init__(
        self,
        settings: Sequence[LevelSetting],
        policy: Policy,
        clock: Clock,
        mask: Mask,
        *,
        show_keys: bool = False,
    ) -> None:
        self.all = [Level(setting, policy, clock) for setting in settings]
        self._mask = mask
        self._show_keys = show_keys
        self._judges: dict[float, Classifier] = {}

    def take(self, found: Finding) -> None:
        """A finding of the run itself."""
        for level in self.all:
            level.take(found)

    def screened(self, seen: Screened, rejudge: Rejudge) -> None:
        """Looks at the units below the model's threshold that a level would flag."""
        below = [level for level in self.all if not level.setting.exact]
        if not below:
            return
        lowest = min(level.setting.threshold for level in below)
        own = seen.reading.classifier.threshold
        near = [
            candidate
            for candidate, score in zip(seen.candidates, seen.scores, strict=True)
            if lowest < score <= own
            and candidate.reason != "growing"
            and not candidate.recheck
        ]
        # A tracker of its own: confirming may mark keys, and the run must not notice.
        limits = seen.reading.tracker.limits
        confirmation = Confirmation(seen.reading.source, SessionTracker(limits))
        for at in range(0, len(near), NEAR_AT_ONCE):
            part = near[at : at + NEAR_AT_ONCE]
            whole = confirmation.whole(part, seen.watermark, seen.until)
            for level in below:
                verdicts = self._judge(level, rejudge).classify(whole)
                for verdict in verdicts:
                    if verdict.anomaly:
                        level.take(self._finding(verdict, seen.reading, seen.now))

    def tick(self, newest: datetime | None, now: datetime) -> None:
        """After each tick of the service."""
        for level in self.all:
            level.tick(newest, now)

    def figures(self) -> list[LevelFigures]:
        """By threshold, the lowest first."""
        return [level.figures() for level in self.all]

    def _judge(self, level: Level, rejudge: Rejudge) -> Classifier:
        threshold = level.setting.threshold
        if threshold not in self._judges:
            self._judges[threshold] = rejudge(threshold)
        return self._judges[threshold]

    def _finding(self, verdict: Verdict, reading: Reading, now: datetime) -> Finding:
        source = reading.settings.name
        return finding(
            verdict,
            source=source,
            detected_at=now,
            mask=self._mask,
            show_keys=self._show_keys,
        )


def level_settings(
    source: str, own: float, wanted: Sequence[float]
) -> list[LevelSetting]:
    """The thresholds to try: those asked for, or some below and above the model's."""
    thresholds = wanted or [own * factor for factor in FACTORS]
    return [
        LevelSetting(source, threshold, exact=threshold >= own)
        for threshold in sorted(set(thresholds))
    ]

"""A candidate model beside the live one: the same pages, nothing of it is written.

    page ─▶ live ids ─▶ tracker ─▶ scores ─▶ findings
        └─▶ its own ids ─▶ its own tracker ─▶ scores ─▶ figures: appear, vanish, kinds

It holds as many open units as the live one may, and no more. Whatever it fails with is
told of once and ends it; the live one never notices.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from elkwatch.program_log import get_logger, masked
from model import (
    Arrival,
    Candidate,
    Classifier,
    Session,
    SessionTracker,
    TrackerLimits,
    Verdict,
)

MAX_EXAMPLES = 5
MAX_KINDS = 100

_log = get_logger("elkwatch.shadow")


@dataclass(slots=True)
class ShadowBook:
    """What one run saw; the keys of the examples are not masked yet."""

    sessions: int = 0
    both: int = 0
    appear: int = 0
    vanish: int = 0
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)
    live_s: float = 0.0
    candidate_s: float = 0.0
    appearing: list[str] = field(default_factory=list)
    vanishing: list[str] = field(default_factory=list)
    failure: str | None = None

    def compare(self, key: str, *, live: bool, candidate: bool) -> None:
        """Takes a session that both judged."""
        self.sessions += 1
        self.both += live and candidate
        self.appear += candidate and not live
        self.vanish += live and not candidate
        if candidate != live:
            examples = self.appearing if candidate else self.vanishing
            if len(examples) < MAX_EXAMPLES:
                examples.append(key)

    def kind(self, live: str, candidate: str) -> None:
        """Takes the classes that both gave a confirmed session."""
        if len(self.kinds) < MAX_KINDS or (live, candidate) in self.kinds:
            self.kinds[live, candidate] += 1


class Shadow:
    """One candidate on one source. Raises nothing."""

    def __init__(self, classifier: Classifier, limits: TrackerLimits) -> None:
        self.classifier = classifier
        self.book = ShadowBook()
        self._tracker = SessionTracker(limits)
        self._failed = False

    @property
    def version(self) -> str:
        """The candidate's."""
        return self.classifier.model.version

    def start_again(self) -> None:
        """Forgets what is open, as the live reading does."""
        self._tracker = SessionTracker(self._tracker.limits)

    def take(self, arrivals: Sequence[Arrival], messages: Sequence[str]) -> None:
        """The events of a page, as the live tracker took them."""
        self._tried(lambda: self._take(arrivals, messages))

    def screened(
        self,
        candidates: Sequence[Candidate],
        alarms: Sequence[bool],
        live_s: float,
        watermark: datetime,
    ) -> None:
        """The units that the live model has just screened, and what it said of them."""
        self._tried(lambda: self._screened(candidates, alarms, live_s, watermark))

    def confirmed(self, whole: Sequence[Session], verdicts: Sequence[Verdict]) -> None:
        """The whole sessions that were fetched, with the live verdicts."""
        self._tried(lambda: self._confirmed(whole, verdicts))

    def take_book(self) -> ShadowBook:
        """What was seen since the last call."""
        book, self.book = self.book, ShadowBook()
        return book

    def _take(self, arrivals: Sequence[Arrival], messages: Sequence[str]) -> None:
        began = time.monotonic()
        for arrival, event_id in zip(
            arrivals, self.classifier.event_ids(messages), strict=True
        ):
            own = msgspec.structs.replace(arrival, event_id=event_id)
            self._tracker.add(own)
        self.book.candidate_s += time.monotonic() - began

    def _screened(
        self,
        candidates: Sequence[Candidate],
        alarms: Sequence[bool],
        live_s: float,
        watermark: datetime,
    ) -> None:
        began = time.monotonic()
        own = self._tracker.close_due(watermark)
        scores = self.classifier.score([c.encoded for c in own])
        self.book.candidate_s += time.monotonic() - began
        self.book.live_s += live_s
        said = {
            (c.key, c.window_start): score > self.classifier.threshold
            for c, score in zip(own, scores, strict=True)
        }
        for candidate, alarm in zip(candidates, alarms, strict=True):
            other = said.get((candidate.key, candidate.window_start))
            if candidate.reason != "growing" and other is not None:
                self.book.compare(candidate.key, live=alarm, candidate=other)

    def _confirmed(self, whole: Sequence[Session], verdicts: Sequence[Verdict]) -> None:
        both = [(s, v) for s, v in zip(whole, verdicts, strict=True) if v.anomaly]
        began = time.monotonic()
        others = self.classifier.classify([session for session, _ in both])
        self.book.candidate_s += time.monotonic() - began
        for (_, live), other in zip(both, others, strict=True):
            self.book.kind(live.class_id, other.class_id)

    def _tried(self, step: Callable[[], None]) -> None:
        if self._failed:
            return
        try:
            step()
        except Exception as error:  # a candidate may fail in any way
            self._failed = True
            self.book.failure = masked(f"{type(error).__name__}: {error}")
            _log.warning(
                "candidate failed; the live model goes on",
                version=self.version,
                reason=self.book.failure,
            )

"""Confirm before reporting: what deviates is fetched again whole.

    Candidate (ids only) ─▶ LogSource.fetch_keys / fetch_windows ─▶ Session (whole)

Late, early, re-ordered and split documents, page bounds and restarts then cannot make
a false alarm: what is judged is what the source holds. Here is also decided what a
unit is: a key that lived longer than `max_session_age` is cut on windows of that
length, aligned to the epoch, whichever part of it was seen first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from connector import KeyRequest, LogDocument, LogSource, WindowRequest, join_key
from elkwatch.translate import log_event
from model import (
    Candidate,
    LogEvent,
    Session,
    SessionTracker,
    TrackerLimits,
    in_order,
    window_start,
)

KEYLESS = "-"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Fetches whole units of one source; `watermark` says what is over."""

    source: LogSource
    tracker: SessionTracker

    @property
    def _limits(self) -> TrackerLimits:
        return self.tracker.limits

    def whole(
        self, candidates: Sequence[Candidate], watermark: datetime, until: datetime
    ) -> list[Session]:
        """The whole units that these candidates are part of, each once."""
        keyed = [c for c in candidates if self._ends(c)]
        windowed = [c for c in candidates if not self._ends(c)]
        found: dict[tuple[str, datetime | None], Session] = {}
        for session in (
            *self._keys(keyed, watermark, until),
            *self._windows(windowed, until),
        ):
            found[(session.key, session.window_start)] = session
        return list(found.values())

    def _ends(self, candidate: Candidate) -> bool:
        return not candidate.keyless and self._limits.window is None

    def _keys(
        self, candidates: Sequence[Candidate], watermark: datetime, until: datetime
    ) -> Iterator[Session]:
        age = self._limits.max_age
        requests = [
            KeyRequest(c.key, c.start - age, c.end + age, at_least=len(c.encoded.ids))
            for c in candidates
        ]
        if not requests:
            return
        documents = self.source.fetch_keys(requests, until)
        for candidate in candidates:
            events = _events(documents.get(candidate.key, ()))
            if events:
                yield from self._units(candidate, events, watermark)

    def _units(
        self, candidate: Candidate, events: tuple[LogEvent, ...], watermark: datetime
    ) -> Iterator[Session]:
        first, last = events[0].time, events[-1].time
        if last - first <= self._limits.max_age:
            over = last + self._limits.timeout <= watermark
            yield Session(candidate.key, events, starts=True, ends=over)
            return
        self.tracker.mark_aged(candidate.key)
        age = self._limits.max_age
        lowest = window_start(candidate.start, age)
        highest = window_start(candidate.end, age)
        for start, part in _by_window(events, age):
            if lowest <= start <= highest:
                yield Session(candidate.key, part, False, False, start)

    def _windows(
        self, candidates: Sequence[Candidate], until: datetime
    ) -> Iterator[Session]:
        requests = {c: self._window_request(c) for c in candidates}
        if not requests:
            return
        documents = self.source.fetch_windows(
            list(dict.fromkeys(requests.values())), until
        )
        for candidate, request in requests.items():
            events = _events(documents.get(request, ()))
            if candidate.keyless:
                events = tuple(e for e in events if keyless_unit(e) == candidate.key)
            if events:
                start = candidate.window_start
                yield Session(candidate.key, events, False, False, start)

    def _window_request(self, candidate: Candidate) -> WindowRequest:
        limits = self._limits
        length = limits.window or limits.keyless_window
        start = candidate.window_start
        assert start is not None  # keys that never end are always cut on windows
        key = None if candidate.keyless else candidate.key
        return WindowRequest(key, start, start + length)


def keyless_unit(event: LogEvent | LogDocument) -> str:
    """The unit of documents without a key: their service and host."""
    return join_key((KEYLESS, event.service, event.host)) or KEYLESS


def _events(documents: Iterable[LogDocument]) -> tuple[LogEvent, ...]:
    return in_order(map(log_event, documents))


def _by_window(
    events: Sequence[LogEvent], length: timedelta
) -> Iterator[tuple[datetime, tuple[LogEvent, ...]]]:
    windows: dict[datetime, list[LogEvent]] = {}
    for event in events:
        windows.setdefault(window_start(event.time, length), []).append(event)
    for start, part in windows.items():
        yield start, tuple(part)

"""Open sessions: events come in as they are read, units to judge come out.

    add(event) … ─▶ close_due(watermark) ─▶ Candidate (closed, cut or too many)
                 └▶ growing()            ─▶ Candidate (still open, has grown)

Only event ids and times are kept, never messages: a unit that looks anomalous is
fetched again whole before anything is said of it, so this is a screen, not the truth.
Time is the source's own: `watermark` is how far the caller knows it to be complete.
Memory is bounded by the cap on open units (the oldest are given out early), the cap on
events a unit, and `max_age`, past which a key is cut on epoch-aligned windows.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import nsmallest
from operator import itemgetter, le
from typing import Literal

import msgspec

from model.events import EncodedSession, window_start

Reason = Literal["closed", "growing", "cut", "evicted"]
REMEMBERED = 100_000


@dataclass(frozen=True, slots=True)
class TrackerLimits:
    """How units begin and end, and how many may be open.

    `window`: the unit of keys that never end; None for keys that end. `max_age` cuts
    a key that ends on windows of this length.
    """

    timeout: timedelta
    max_age: timedelta
    window: timedelta | None = None
    keyless_window: timedelta = timedelta(minutes=5)
    max_open: int = 50_000
    max_events: int = 10_000


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """One event on its way into a unit. `late`: it belongs before what was read.

    A msgspec struct, as there is one for every line of log.
    """

    key: str
    keyless: bool
    time: datetime
    cursor_time: datetime
    sequence: int
    event_id: int
    late: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A unit to judge. `recheck`: judge it whole, whatever this screen says of it."""

    key: str
    keyless: bool
    window_start: datetime | None
    start: datetime
    end: datetime
    encoded: EncodedSession
    reason: Reason
    recheck: bool


UnitId = tuple[str, datetime | None]
Row = tuple[datetime, int, int]


@dataclass(slots=True)
class _Unit:
    keyless: bool
    starts: bool
    opened_at: datetime
    rows: list[Row] = field(default_factory=list)
    first: datetime | None = None
    last: datetime | None = None
    recheck: bool = False
    grown: bool = False
    ordered: bool = True
    judged: tuple[str, int] = ("", 0)


class SessionTracker:
    """The open units of one source. Not shared between threads."""

    def __init__(self, limits: TrackerLimits) -> None:
        self.limits = limits
        self.overflowed = 0
        self._units: dict[UnitId, _Unit] = {}
        self._closed: OrderedDict[UnitId, None] = OrderedDict()
        self._aged: OrderedDict[str, None] = OrderedDict()
        self._ready: list[Candidate] = []

    def __len__(self) -> int:
        return len(self._units)

    @property
    def open_from(self) -> datetime | None:
        """The cursor time of the earliest event of any open unit."""
        return min((unit.opened_at for unit in self._units.values()), default=None)

    def add(self, arrival: Arrival) -> None:
        """Takes one event in; may make units ready to be given out."""
        unit_id = self._unit_id(arrival)
        unit = self._units.get(unit_id)
        if unit is None:
            unit = self._open(unit_id, arrival)
        elif unit_id[1] is None and self._too_old(unit, arrival.time):
            self._cut(unit_id, unit)
            self.add(arrival)
            return
        self._put(unit, arrival)

    def add_all(self, arrivals: Sequence[Arrival]) -> None:
        """Takes a page of events in, as `add` would one by one.

        The events of a key are taken together where that is the same: where none is
        late, cut away or too many.
        """
        roomy = len(self._units) + len(arrivals) <= self.limits.max_open
        if self.limits.window is not None or not roomy:
            for arrival in arrivals:
                self.add(arrival)
            return
        by_key: dict[str, list[Arrival]] = {}
        for arrival in arrivals:
            by_key.setdefault(arrival.key, []).append(arrival)
        for key, group in by_key.items():
            if not self._add_together(key, group):
                for arrival in group:
                    self.add(arrival)

    def _add_together(self, key: str, group: Sequence[Arrival]) -> bool:
        """Takes events of one key in at once; False, and nothing done, if it cannot."""
        limits, unit = self.limits, self._units.get((key, None))
        times = [arrival.time for arrival in group]
        first, last = min(times), max(times)
        opened_at = min([arrival.cursor_time for arrival in group])
        begin, held = first, 0
        if unit is not None and unit.first is not None and unit.last is not None:
            begin, held = unit.first, len(unit.rows)
            if opened_at < unit.opened_at or first < begin:
                return False
            last = max(last, unit.last)
        if (
            key in self._aged
            or last - begin > limits.max_age
            or held + len(group) > limits.max_events
            or any(arrival.late or arrival.keyless for arrival in group)
        ):
            return False
        if unit is None:
            unit = self._open((key, None), group[0])
            unit.opened_at = opened_at
        rows = [(a.time, a.sequence, a.event_id) for a in group]
        unit.ordered = unit.ordered and _are_in_order([*unit.rows[-1:], *rows])
        unit.rows += rows
        unit.first, unit.last, unit.grown = begin, last, True
        return True

    def close_due(self, watermark: datetime) -> list[Candidate]:
        """The units that are over at this time of the source, and what was cut."""
        ready, self._ready = self._ready, []
        due = [
            (unit_id, unit)
            for unit_id, unit in self._units.items()
            if self._is_over(unit_id, unit, watermark)
        ]
        for unit_id, unit in due:
            ready.append(self._candidate(unit_id, unit, "closed"))
            self._forget(unit_id)
        return ready

    def growing(self) -> list[Candidate]:
        """Open units that have grown since the last call."""
        grown = []
        for unit_id, unit in self._units.items():
            if unit.grown:
                unit.grown = False
                grown.append(self._candidate(unit_id, unit, "growing"))
        return grown

    def reported(self, key: str, start: datetime | None) -> None:
        """A finding was written for this unit: judge it again when it closes."""
        unit = self._units.get((key, start))
        if unit is not None:
            unit.recheck = True

    def judged_as(self, key: str, start: datetime | None, what: str) -> int | None:
        """How often in a row this unit was judged so, with now; None: it is over."""
        unit = self._units.get((key, start))
        if unit is None:
            return None
        before, times = unit.judged
        unit.judged = what, times + 1 if before == what else 1
        return unit.judged[1]

    def mark_aged(self, key: str) -> None:
        """This key is known to live longer than `max_age`: cut it on windows."""
        self._aged[key] = None
        self._aged.move_to_end(key)
        while len(self._aged) > REMEMBERED:
            self._aged.popitem(last=False)

    def _unit_id(self, arrival: Arrival) -> UnitId:
        length = self._window_of(arrival)
        if length is None:
            return arrival.key, None
        return arrival.key, window_start(arrival.time, length)

    def _window_of(self, arrival: Arrival) -> timedelta | None:
        if arrival.keyless and self.limits.window is None:
            return self.limits.keyless_window
        if self.limits.window is not None:
            return self.limits.window
        return self.limits.max_age if arrival.key in self._aged else None

    def _open(self, unit_id: UnitId, arrival: Arrival) -> _Unit:
        if len(self._units) >= self.limits.max_open:
            self._evict()
        unit = _Unit(
            keyless=arrival.keyless,
            starts=unit_id[1] is None,
            opened_at=arrival.cursor_time,
            recheck=unit_id in self._closed,
        )
        self._units[unit_id] = unit
        return unit

    def _put(self, unit: _Unit, arrival: Arrival) -> None:
        if len(unit.rows) >= self.limits.max_events:
            self.overflowed += 1
        else:
            row = (arrival.time, arrival.sequence, arrival.event_id)
            unit.ordered = unit.ordered and _in_order(unit.rows, row)
            unit.rows.append(row)
        time = arrival.time
        if unit.last is None or time > unit.last:
            unit.last = time
        if unit.first is None or time < unit.first:
            unit.first = time
        if arrival.cursor_time < unit.opened_at:
            unit.opened_at = arrival.cursor_time
        if arrival.late:
            unit.recheck = True
        unit.grown = True

    def _too_old(self, unit: _Unit, time: datetime) -> bool:
        if unit.first is None or unit.last is None:
            return False
        span = max(unit.last, time) - min(unit.first, time)
        return span > self.limits.max_age

    def _cut(self, unit_id: UnitId, unit: _Unit) -> None:
        """A key that got too old: its events go to windows from now on."""
        key = unit_id[0]
        self.mark_aged(key)
        self._ready.append(self._candidate(unit_id, unit, "cut"))
        del self._units[unit_id]
        for time, sequence, event_id in unit.rows:
            start = window_start(time, self.limits.max_age)
            part = self._units.get((key, start))
            if part is None:
                part = _Unit(unit.keyless, starts=False, opened_at=unit.opened_at)
                self._units[(key, start)] = part
            again = Arrival(key, unit.keyless, time, unit.opened_at, sequence, event_id)
            self._put(part, again)

    def _is_over(self, unit_id: UnitId, unit: _Unit, watermark: datetime) -> bool:
        start = unit_id[1]
        if start is None:
            return (
                unit.last is not None and unit.last + self.limits.timeout <= watermark
            )
        if unit.keyless and self.limits.window is None:
            return start + self.limits.keyless_window <= watermark
        return start + (self.limits.window or self.limits.max_age) <= watermark

    def _evict(self) -> None:
        """Too many are open: those that began first are judged as they stand."""
        count = max(1, self.limits.max_open // 100)
        oldest = nsmallest(count, self._units, key=lambda u: self._units[u].opened_at)
        for unit_id in oldest:
            unit = self._units[unit_id]
            self._ready.append(self._candidate(unit_id, unit, "evicted"))
            self._forget(unit_id)

    def _forget(self, unit_id: UnitId) -> None:
        del self._units[unit_id]
        self._closed[unit_id] = None
        self._closed.move_to_end(unit_id)
        while len(self._closed) > REMEMBERED:
            self._closed.popitem(last=False)

    def _candidate(self, unit_id: UnitId, unit: _Unit, reason: Reason) -> Candidate:
        assert unit.first is not None  # a unit is opened by its first event
        assert unit.last is not None
        key, start = unit_id
        return Candidate(
            key=key,
            keyless=unit.keyless,
            window_start=start,
            start=unit.first,
            end=unit.last,
            encoded=EncodedSession(
                ids=_ids(unit),
                starts=unit.starts,
                ends=start is None and reason == "closed",
            ),
            reason=reason,
            recheck=unit.recheck or reason in ("cut", "evicted"),
        )


def _ids(unit: _Unit) -> tuple[int, ...]:
    """Event ids by time, then sequence, then arrival."""
    rows = unit.rows if unit.ordered else sorted(unit.rows, key=_order)
    return tuple([event_id for _, _, event_id in rows])


def _in_order(rows: list[Row], row: Row) -> bool:
    """Whether a row may stand after these, which are in order."""
    return not rows or _order(rows[-1]) <= _order(row)


def _are_in_order(rows: Sequence[Row]) -> bool:
    """Whether all stand in order already."""
    places = list(map(_order, rows))
    return all(map(le, places, places[1:]))


_order = itemgetter(0, 1)

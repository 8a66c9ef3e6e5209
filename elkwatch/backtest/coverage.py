"""When a source really held logs: minutes with a line, and the gaps between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from connector import LogSource, Page
from elkwatch.backtest.period import Period

MINUTE = timedelta(minutes=1)
SHORTEST_GAP, LONGEST_QUIET = timedelta(minutes=5), timedelta(hours=1)
MOST_GAPS = 10


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch without a line."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Held:
    """What of the period held logs.

    `lasted`: the period without its gaps. `least_gap`: shorter ones are no gaps.
    `gaps`: the longest, in their order; `gaps_in_all` counts the others too.
    """

    lasted: timedelta
    least_gap: timedelta
    gaps: tuple[Gap, ...]
    gaps_in_all: int


class Coverage:
    """Marks minutes by cursor time: one bit of truth a minute, whatever comes in."""

    def __init__(self, period: Period) -> None:
        self._period = period
        self._minutes = bytearray(int(period.length / MINUTE) + 1)

    def add(self, page: Page) -> None:
        """Takes note of when the documents of a page stand."""
        start, minutes = self._period.start, self._minutes
        for document in page.documents:
            place = int((document.cursor_time - start).total_seconds() // 60)
            if 0 <= place < len(minutes):
                minutes[place] = 1

    def held(self, until: datetime) -> Held:
        """What held logs from the start of the period until then."""
        least = min(max(self._period.length / 24, SHORTEST_GAP), LONGEST_QUIET)
        gaps = [g for g in self._gaps(until) if g.length >= least]
        if not any(self._minutes):
            gaps = [Gap(self._period.start, until)]
        lasted = until - self._period.start - sum((g.length for g in gaps), timedelta())
        longest = sorted(gaps, key=lambda gap: -gap.length)[:MOST_GAPS]
        longest.sort(key=lambda gap: gap.start)
        return Held(lasted, least, tuple(longest), len(gaps))

    def _gaps(self, until: datetime) -> Iterator[Gap]:
        start = self._period.start
        end = min(len(self._minutes), -(-(until - start) // MINUTE))
        place = 0
        while (first := self._minutes.find(0, place, end)) >= 0:
            after = self._minutes.find(1, first, end)
            place = after if after >= 0 else end
            yield Gap(start + first * MINUTE, min(start + place * MINUTE, until))
            if after < 0:
                return


class WatchedSource(LogSource):
    """A source whose pages are also marked in a coverage."""

    coverage: Coverage | None = None

    def pages(self, start: datetime | None, until: datetime) -> Iterator[Page]:
        """See LogSource."""
        for page in super().pages(start, until):
            if self.coverage is not None:
                self.coverage.add(page)
            yield page

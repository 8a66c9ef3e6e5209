"""What is usual of single templates over time: how often each comes in 5 minutes.

    the largest templates ─▶ lines a window ─▶ bands ─▶ steady ones are kept

A template is worth watching where it comes often and evenly: at some hours a median of
ten lines or more that spreads little and never falls to nothing. Of others a window
says nothing: a batch job's lines are none, then thousands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.bands import WINDOW, Band, bands_from, bands_near, bands_state, learn_bands
from model.events import EPOCH, LogEvent
from model.templates.frozen import FrozenTemplates
from model.vocabulary import RESERVED, event_ids

CANDIDATES = 100
MAX_TEMPLATES = 50
LEAST_MEDIAN = 10.0
MOST_SPREAD = 0.5
LEAST_LOW = 0.25
LEAST_WINDOWS = 24
OF_ONE_SERVICE = 0.95
MAX_TEXT = 200


@dataclass(frozen=True, slots=True)
class TemplateRates:
    """What is usual of one template, by event id.

    `service`: who says it; empty where several do. `bands`: as of a service, None at
    hours at which it is not steady.
    """

    event: int
    text: str
    service: str
    bands: tuple[Band | None, ...]

    def bands_at(self, start: datetime) -> list[Band]:
        """The band of a window's hour, then those beside it; none if unknown."""
        return bands_near(self.bands, start)

    def state(self) -> dict[str, Any]:
        """All that `template_from` needs, as JSON."""
        return {
            "event": self.event,
            "text": self.text,
            "service": self.service,
            "bands": bands_state(self.bands),
        }


def template_from(state: Mapping[str, Any]) -> TemplateRates:
    """The rates that `TemplateRates.state` described."""
    return TemplateRates(
        int(state["event"]),
        str(state["text"]),
        str(state["service"]),
        bands_from(state),
    )


class TemplateCounts:
    """Counts lines by window and template, of the largest templates alone."""

    def __init__(self, templates: FrozenTemplates) -> None:
        self._templates = templates
        largest = sorted(templates.templates, key=lambda t: (-t.size, t.template_id))
        events = [t.template_id + RESERVED - 1 for t in largest[:CANDIDATES]]
        self._column = {event: column for column, event in enumerate(events)}
        self._windows: dict[int, NDArray[np.int64]] = {}
        self._services: Counter[tuple[int, str]] = Counter()

    def take(self, events: Sequence[LogEvent]) -> None:
        """A page of lines."""
        ids = event_ids(self._templates, [event.message for event in events])
        for event, event_id in zip(events, ids, strict=True):
            column = self._column.get(event_id)
            if column is not None:
                window = (event.time - EPOCH) // WINDOW
                row = self._windows.get(window)
                if row is None:
                    row = np.zeros(len(self._column), dtype=np.int64)
                    self._windows[window] = row
                row[column] += 1
                self._services[event_id, event.service or ""] += 1

    def rates(self, first: int, last: int) -> list[TemplateRates]:
        """The steady ones of the windows from `first` to before `last`, the largest."""
        counts = np.zeros((max(last - first, 0), len(self._column)))
        for window, row in self._windows.items():
            if first <= window < last:
                counts[window - first] = row
        found = []
        for event, column in self._column.items():
            bands = tuple(map(_steady, _bands(counts[:, column], first)))
            if any(bands):
                text = self._templates.templates[event - RESERVED].text[:MAX_TEXT]
                found.append(TemplateRates(event, text, self._service(event), bands))
        return found[:MAX_TEMPLATES]

    def _service(self, event: int) -> str:
        """Who says nearly all of it."""
        said = {s: n for (e, s), n in self._services.items() if e == event}
        most = max(said, key=lambda service: said[service])
        return most if said[most] >= OF_ONE_SERVICE * sum(said.values()) else ""


def _bands(counts: NDArray[np.float64], first: int) -> tuple[Band | None, ...]:
    found = learn_bands(counts, first).bands
    return found if len(counts) >= LEAST_WINDOWS * len(found) else (None,)


def _steady(band: Band | None) -> Band | None:
    """The band, where it is one that a window can be held against."""
    if band is None or band.median < LEAST_MEDIAN:
        return None
    even = band.spread <= MOST_SPREAD * band.median
    return band if even and band.lowest >= LEAST_LOW * band.median else None

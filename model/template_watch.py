"""Templates that come far more or less often than their service's load explains.

    lines (window, event id) ─▶ window over ─▶ count, set against the load
        ─▶ out of its band twice running ─▶ told, by service

A template is held against its band as the service's load is now: where a service says
half as much as usual, half of each line is no news. Pure: no clock, no I/O.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from model.bands import WINDOW, excess
from model.events import EPOCH
from model.template_rates import TemplateRates

MAX_WINDOWS = 24
SHOWN = 5


@dataclass(frozen=True, slots=True)
class LineRate:
    """A template that came `found` times in 5 minutes, where `usual` is usual.

    `excess`: above 1 too often, below −1 too seldom.
    """

    text: str
    found: float
    usual: float
    excess: float


class TemplateWatch:
    """Counts the templates that are watched, by window of 5 minutes."""

    def __init__(self, templates: Sequence[TemplateRates]) -> None:
        self._known = {template.event: template for template in templates}
        self._windows: dict[int, Counter[int]] = {}
        self._out: dict[int, int] = {}
        self._judged: int | None = None

    def take(self, event: int, window: int) -> None:
        """One line in a window that was not judged yet."""
        if event not in self._known:
            return
        self._windows.setdefault(window, Counter())[event] += 1
        if len(self._windows) > MAX_WINDOWS:
            del self._windows[min(self._windows)]

    def judge(
        self, window: int, load: Mapping[str, float], factor: float
    ) -> dict[str, list[LineRate]]:
        """The templates that are out of their band now and were in the window before,
        by service, the farthest first; to be called once a window, in order.

        `load`: how much each service says, 1 as usual; of others nothing is judged.
        """
        counts = self._windows.pop(window, Counter())
        start = EPOCH + window * WINDOW
        goes_on = self._judged == window - 1
        before, self._out, self._judged = self._out, {}, window
        found: defaultdict[str, list[LineRate]] = defaultdict(list)
        for event, template in self._known.items():
            if template.service not in load:
                continue
            rate = _rate(template, start, counts[event], load[template.service], factor)
            side = (rate.excess > 0) - (rate.excess < 0)
            if side:
                self._out[event] = side
                if goes_on and before.get(event) == side:
                    found[template.service].append(rate)
        return {
            service: sorted(rates, key=lambda rate: -abs(rate.excess))[:SHOWN]
            for service, rates in found.items()
        }

    def state(self) -> dict[str, Any]:
        """What `restore` needs, as JSON; templates by a digest of their text."""
        return {
            "windows": {
                str(window): {self._digest(e): n for e, n in counts.items()}
                for window, counts in self._windows.items()
            },
            "out": {self._digest(event): side for event, side in self._out.items()},
            "judged": self._judged,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """As it stood when it was kept; templates that are not known are left out."""
        event_of = {self._digest(event): event for event in self._known}
        self._windows = {
            int(window): Counter(
                {event_of[d]: int(n) for d, n in counts.items() if d in event_of}
            )
            for window, counts in state.get("windows", {}).items()
        }
        self._out = {
            event_of[d]: int(side)
            for d, side in state.get("out", {}).items()
            if d in event_of
        }
        self._judged = state.get("judged")

    def _digest(self, event: int) -> str:
        text = self._known[event].text.encode("utf-8", "replace")
        return hashlib.blake2b(text, digest_size=6).hexdigest()


def _rate(
    template: TemplateRates, start: datetime, count: int, load: float, factor: float
) -> LineRate:
    """One window of one template. More than usual must be more than the load explains,
    and less than usual less."""
    bands = template.bands_at(start)
    over = excess(count / max(1.0, load), bands, factor)
    under = excess(count / min(1.0, load), bands, factor) if load > 0 else 0.0
    usual = bands[0].median if bands else 0.0
    return LineRate(template.text, count, usual, max(over, 0.0) + min(under, 0.0))

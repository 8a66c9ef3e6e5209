"""A spell: a time at which a service is not as usual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from model.events import EPOCH
from model.template_watch import SHOWN, LineRate

Pattern = Literal["flatline", "service-rate", "template-rate"]
_FORMER = {"rate-change": "service-rate"}


@dataclass(frozen=True, slots=True)
class Spell:
    """A service that is not as usual, from `start` on, known up to `end`.

    `service`: empty for the whole source; `name` is then its only one, if it has one
    alone. `found` against `usual`: seconds of silence, or lines in 5 minutes.
    `excess`: above 1 is unusual. `over`: it is as usual again; `real` False: late lines
    showed that it always was. `lines`: templates whose rate changed.
    """

    pattern: Pattern
    service: str
    start: datetime
    end: datetime
    found: float
    usual: float
    excess: float
    over: bool = False
    real: bool = True
    name: str = ""
    lines: tuple[LineRate, ...] = ()

    def state(self) -> list[Any]:
        """What `spell_from` needs, as JSON."""
        return [
            *(self.pattern, self.service, seconds(self.start), seconds(self.end)),
            *(self.found, self.usual, self.excess, self.name),
            [[r.text, r.found, r.usual, r.excess] for r in self.lines],
        ]


def spell_from(state: Sequence[Any]) -> Spell:
    """The spell that `Spell.state` described, or an older elkwatch."""
    pattern, service, start, end, found, usual, excess, name, *lines = state
    return Spell(
        _FORMER.get(pattern, pattern),
        service,
        time_at(start),
        time_at(end),
        found,
        usual,
        excess,
        name=name,
        lines=tuple(LineRate(*rate) for rate in (lines[0] if lines else ())),
    )


def merged(before: Sequence[LineRate], now: Sequence[LineRate]) -> tuple[LineRate, ...]:
    """Templates with their rates at their farthest; the first SHOWN of them."""
    farthest = {rate.text: rate for rate in before}
    for rate in now:
        known_rate = farthest.get(rate.text)
        if known_rate is None or abs(rate.excess) > abs(known_rate.excess):
            farthest[rate.text] = rate
    return tuple(farthest.values())[:SHOWN]


def seconds(time: datetime | None) -> float | None:
    """A time as JSON holds it."""
    return None if time is None else (time - EPOCH).total_seconds()


def time_at(at: float) -> datetime:
    """The time that `seconds` wrote."""
    return EPOCH + timedelta(seconds=at)

"""Times at which a service is not as usual: it falls silent, or says far more or less.

    lines (time, service) ─▶ Watch ─▶ after each round ─▶ Spell: began, goes on, is over

The silence of one service is judged by the source's own time: while nothing at all
comes, no service is blamed, and the source as a whole falls silent by the clock, told
once two rounds running saw it. A rate is out of its band where it is past `factor`
spreads *and* twice the most (or half the least) of training, in two windows running;
where several services are, it is the source that is told. Where a service is not, but
single lines of it are (template_watch.py), that is one spell, which names them. Only
what was heard since the watch began can fall silent. Pure: no clock, no I/O.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from model.bands import WINDOW, Band, excess
from model.events import EPOCH
from model.rates import ALL, Rates
from model.spell import Pattern, Spell, merged, seconds, spell_from, time_at
from model.template_watch import LineRate, TemplateWatch
from model.vocabulary import UNK

MIN_LINES = 100
LEAST_SILENCE = timedelta(minutes=10)
SILENCE_FACTOR = 2
RATE_FACTOR = 5.0
GONE = timedelta(days=1)
LATENESS = timedelta(minutes=1)
MAX_SERVICES = 500
MAX_WINDOWS = 24


@dataclass(frozen=True, slots=True)
class WatchRules:
    """What counts as unusual. None: nothing of that sort is told.

    `silence`: a fixed length; zero takes twice the longest that training showed at that
    time of day, ten minutes at least. `rate_factor`: spreads from the median.
    """

    silence: timedelta | None = timedelta(0)
    rate_factor: float | None = RATE_FACTOR


@dataclass(slots=True)
class _Heard:
    """What came from one service: `after`, the first line after a silence began."""

    last: datetime
    after: datetime | None = None
    windows: dict[int, int] = field(default_factory=dict)
    judged: int = 0
    out: int = 0


class Watch:
    """Watches the services of one source. Not shared between threads."""

    def __init__(self, rates: Rates, rules: WatchRules) -> None:
        self._rates = rates
        self._rules = rules
        self._heard: dict[str, _Heard] = {}
        self._open: dict[tuple[Pattern, str], Spell] = {}
        self._suspect: datetime | None = None
        self._lines = TemplateWatch(rates.templates)

    def take(
        self, time: datetime, service: str | None, event: int = UNK, *, new: bool
    ) -> None:
        """One line of a template (an event id). `new`: it was not counted before."""
        self._take(ALL, time, new=new)
        window = (time - EPOCH) // WINDOW
        if new and window > self._heard[ALL].judged:
            self._lines.take(event, window)
        if service:
            self._take(service, time, new=new)

    def judge(self, until: datetime) -> list[Spell]:
        """The spells that began, went on or ended. To be called when all is read.

        `until`: up to which time the source was read.
        """
        if ALL not in self._heard:
            return []
        newest = self._heard[ALL].last
        found = []
        if self._rules.silence is not None:
            found += [*self._silences(newest), *self._silence_of_all(newest, until)]
        if self._rules.rate_factor is not None:
            found += self._rates_out(newest, self._rules.rate_factor)
        return found

    def state(self) -> dict[str, Any]:
        """What `restore` needs, as JSON."""
        return {
            "suspect": seconds(self._suspect),
            "heard": {
                name: [
                    seconds(h.last),
                    seconds(h.after),
                    sorted(h.windows.items()),
                    h.judged,
                    h.out,
                ]
                for name, h in self._heard.items()
            },
            "open": [spell.state() for spell in self._open.values()],
            "lines": self._lines.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """As it stood when it was kept."""
        self._suspect = _time(state.get("suspect"))
        self._heard = {
            str(name): _Heard(
                time_at(last), _time(after), {int(k): int(n) for k, n in w}, judged, out
            )
            for name, (last, after, w, judged, out) in state.get("heard", {}).items()
        }
        spells = map(spell_from, state.get("open", ()))
        self._open = {(spell.pattern, spell.service): spell for spell in spells}
        self._lines.restore(state.get("lines", {}))

    def _take(self, service: str, time: datetime, *, new: bool) -> None:
        heard = self._heard.get(service)
        window = (time - EPOCH) // WINDOW
        if heard is None:
            if len(self._heard) > MAX_SERVICES:
                return
            # The window in which the watch begins is seen in part: it is not judged.
            heard = self._heard[service] = _Heard(time, judged=window)
        silent = self._open.get(("flatline", service))
        if silent is not None and time > silent.start:
            heard.after = time if heard.after is None else min(heard.after, time)
        heard.last = max(heard.last, time)
        if new and window > heard.judged:
            heard.windows[window] = heard.windows.get(window, 0) + 1
            if len(heard.windows) > MAX_WINDOWS:
                heard.judged = min(heard.windows)
                del heard.windows[heard.judged]

    def _silences(self, newest: datetime) -> Iterator[Spell]:
        """Services that are silent while the source goes on."""
        for service in [name for name in self._heard if name != ALL]:
            yield from self._silence(service, newest)

    def _silence_of_all(self, newest: datetime, until: datetime) -> Iterator[Spell]:
        """The source as a whole, by the clock; told where two rounds saw it."""
        silent = until - newest > self._allowed(ALL, newest, until)
        told = ("flatline", ALL) in self._open
        if told or (silent and self._suspect == newest):
            yield from self._silence(ALL, until)
        self._suspect = newest if silent else None

    def _silence(self, service: str, now: datetime) -> Iterator[Spell]:
        place: tuple[Pattern, str] = ("flatline", service)
        heard, spell = self._heard[service], self._open.get(place)
        if spell is not None and heard.after is not None:
            del self._open[place]
            length = (heard.after - spell.start).total_seconds()
            real = length > spell.usual * 0.999
            yield replace(
                spell,
                end=heard.after,
                found=length,
                excess=length / max(spell.usual, 1.0),
                over=True,
                real=real,
            )
            heard.after = spell = None
        start = heard.last if spell is None else spell.start
        length_now = now - start
        allowed = self._allowed(service, start, now)
        if spell is None and length_now <= allowed:
            return
        if spell is not None and (now <= spell.end or length_now > GONE):
            return  # nothing new; or gone for good, and nobody is reminded of it
        length_s = length_now.total_seconds()
        if spell is None:
            usual, name = allowed.total_seconds(), self._name(service)
            spell = Spell("flatline", service, start, now, 0.0, usual, 0.0, name=name)
        spell = replace(spell, end=now, found=length_s, excess=length_s / spell.usual)
        self._open[place] = spell
        yield spell

    def _name(self, service: str) -> str:
        """What it is called; of a source with one service alone, that service."""
        named = [name for name in self._heard if name != ALL]
        return named[0] if service == ALL and len(named) == 1 else service

    def _allowed(self, service: str, since: datetime, now: datetime) -> timedelta:
        """How long it may be silent; for ever where nothing is known of it."""
        fixed = self._rules.silence
        if fixed:
            return fixed
        usual = self._rates.services.get(service)
        if usual is None or usual.lines < MIN_LINES or fixed is None:
            return timedelta.max
        return max(SILENCE_FACTOR * usual.longest_silence(since, now), LEAST_SILENCE)

    def _rates_out(self, newest: datetime, factor: float) -> Iterator[Spell]:
        """The windows that are over, in order; each side of each is told once."""
        over = (newest - LATENESS - EPOCH) // WINDOW
        named = [name for name in self._heard if name != ALL]
        watched = [ALL, *(named if len(named) > 1 else ())]
        due = {w for name in watched for w in self._heard[name].windows if w < over}
        for window in sorted(due):
            yield from self._window(window, watched, factor)

    def _window(
        self, window: int, watched: list[str], factor: float
    ) -> Iterator[Spell]:
        """One window: a service that is out alone is told, else the source."""
        start = EPOCH + window * WINDOW
        found: dict[str, _Counted] = {}
        for service in watched:
            count = self._heard[service].windows.pop(window, None)
            if count is not None:
                usual = self._rates.services.get(service)
                bands = [] if usual is None else usual.bands_at(start)
                found[service] = _Counted(count, bands, excess(count, bands, factor))
        lines = self._lines.judge(window, self._loads(found), factor)
        sides = {name: _side(counted.excess) for name, counted in found.items()}
        of_all = sides.pop(ALL, 0)
        alone = of_all != 0 and list(sides.values()).count(of_all) == 1
        for service, counted in found.items():
            heard = self._heard[service]
            if alone if service == ALL else (of_all and not alone):
                counted = replace(counted, excess=0.0)
            before = heard.out if window == heard.judged + 1 else 0
            heard.judged, heard.out = window, _side(counted.excess)
            own = _of(service, lines)
            yield from self._rate(service, start, counted, own, before)
        told = {} if of_all else {s: r for s, r in lines.items() if not sides.get(s)}
        yield from self._single_lines(start, told)

    def _loads(self, found: Mapping[str, _Counted]) -> dict[str, float]:
        """How much each service says, 1 as usual, where that is known."""
        loads = {name: counted.load for name, counted in found.items()}
        of_all = loads.get(ALL) or 1.0
        named = [name for name in self._heard if name != ALL]
        if len(named) == 1:
            loads[named[0]] = of_all
        return {name: load or of_all for name, load in loads.items()}

    def _single_lines(
        self, start: datetime, lines: Mapping[str, Sequence[LineRate]]
    ) -> Iterator[Spell]:
        """Services of which single lines are out: one spell each, while any is."""
        open_ones = [s for pattern, s in self._open if pattern == "template-rate"]
        for service in dict.fromkeys([*open_ones, *lines]):
            place: tuple[Pattern, str] = ("template-rate", service)
            spell, rates = self._open.get(place), lines.get(service, ())
            if not rates:
                yield replace(self._open.pop(place), over=True)
                continue
            worst = rates[0]
            if spell is None:
                begin, name = start - WINDOW, self._name(service)
                spell = Spell(place[0], service, begin, begin, 0.0, 0.0, 0.0, name=name)
            if abs(worst.excess) > spell.excess:
                spell = replace(
                    spell,
                    found=worst.found,
                    usual=worst.usual,
                    excess=abs(worst.excess),
                )
            spell = replace(spell, end=start + WINDOW, lines=merged(spell.lines, rates))
            self._open[place] = spell
            yield spell

    def _rate(
        self,
        service: str,
        start: datetime,
        counted: _Counted,
        lines: Sequence[LineRate],
        before: int,
    ) -> Iterator[Spell]:
        """One window. `before`: on which side that before it was out, 0 for none."""
        place: tuple[Pattern, str] = ("service-rate", service)
        spell, side = self._open.get(place), _side(counted.excess)
        goes_on = side != 0 and side == before
        if spell is not None and not goes_on:
            del self._open[place]
            yield replace(spell, over=True)
        if not goes_on:
            return
        count, out = counted.count, abs(counted.excess)
        if spell is None:
            usual, name = counted.bands[0].median, self._name(service)
            begin = start - WINDOW
            spell = Spell(place[0], service, begin, begin, count, usual, 0.0, name=name)
        if out > spell.excess:
            spell = replace(spell, found=count, excess=out)
        spell = replace(spell, end=start + WINDOW, lines=merged(spell.lines, lines))
        self._open[place] = spell
        yield spell


@dataclass(frozen=True, slots=True)
class _Counted:
    """One window of one service."""

    count: int
    bands: list[Band]
    excess: float

    @property
    def load(self) -> float:
        """How much that is, 1 as usual; 0 where it is not known."""
        return self.count / self.bands[0].median if self._is_known else 0.0

    @property
    def _is_known(self) -> bool:
        return bool(self.bands) and self.bands[0].median > 0


def _of(service: str, lines: Mapping[str, Sequence[LineRate]]) -> list[LineRate]:
    """The lines of a service; of the source those of all, the farthest first."""
    rates = [r for s, own in lines.items() if service in (ALL, s) for r in own]
    return sorted(rates, key=lambda rate: -abs(rate.excess))


def _side(excess: float) -> int:
    return (excess > 0) - (excess < 0)


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else time_at(seconds)

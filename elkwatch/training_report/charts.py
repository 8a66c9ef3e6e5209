"""The charts of a training report as numbers; the page turns them into SVG.

Curves over epochs, histograms of scores, and the map of what deviates.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from elkwatch.report.timeline import Bar, Mark
from elkwatch.training_report.data import ClassRow

BIN = 0.1
LAST_SCORE = 6.0
_GRID_LINES = 4
_PANEL, _PANEL_GAP = 74.0, 24.0


@dataclass(frozen=True, slots=True)
class Curve:
    """A line: the style class it is drawn in, and its points as SVG takes them."""

    style: str
    points: str


@dataclass(frozen=True, slots=True)
class LineChart:
    """Curves over epochs; `kept` marks the epoch whose weights are kept."""

    width: float
    height: float
    left: float
    top: float
    right: float
    bottom: float
    curves: tuple[Curve, ...]
    rows: tuple[Mark, ...]
    columns: tuple[Mark, ...]
    kept: Mark | None


@dataclass(frozen=True, slots=True)
class Panel:
    """One histogram of several that share their axis."""

    title: str
    top: float
    bottom: float
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class ScoreChart:
    """Histograms below each other; `threshold` is where the line of all stands."""

    width: float
    height: float
    left: float
    right: float
    panels: tuple[Panel, ...]
    columns: tuple[Mark, ...]
    threshold: float


@dataclass(frozen=True, slots=True)
class Bubble:
    """Sessions at one place of the map; `colour` is None where they have no class."""

    x: float
    y: float
    radius: float
    colour: int | None
    hint: str


@dataclass(frozen=True, slots=True)
class MapLabel:
    """The id of a class, beside its largest bubble."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class MapChart:
    """The map of what deviates: bubbles, and labels that do not cover each other."""

    width: float
    height: float
    bubbles: tuple[Bubble, ...]
    labels: tuple[MapLabel, ...]


def epoch_chart(
    series: Mapping[str, Sequence[float]],
    best: int,
    *,
    width: float,
    height: float,
    label: Callable[[float], str],
) -> LineChart | None:
    """Values by epoch, a curve for each name; None where no value can be drawn."""
    drawn = [v for values in series.values() for v in values if math.isfinite(v)]
    epochs = max(map(len, series.values()), default=0)
    if not drawn:
        return None
    left, top, right, bottom = 52.0, 16.0, width - 12.0, height - 30.0
    step = nice_step(max(drawn) / _GRID_LINES)
    count = max(1, math.ceil(max(drawn) / step - 1e-9))
    scale = (bottom - top) / (step * count)

    def across(epoch: int) -> float:
        share = (epoch - 1) / (epochs - 1) if epochs > 1 else 0.5
        return round(left + share * (right - left), 2)

    curves = tuple(
        Curve(
            name,
            " ".join(
                f"{across(i)},{round(bottom - v * scale, 2)}"
                for i, v in enumerate(values, 1)
                if math.isfinite(v)
            ),
        )
        for name, values in series.items()
    )
    every = max(1, math.ceil(epochs / (width / 70)))
    shown = sorted({1, *range(every, epochs + 1, every)})
    return LineChart(
        width, height, left, top, right, bottom, curves,
        rows=tuple(
            Mark(round(bottom - i * step * scale, 2), label(i * step))
            for i in range(count + 1)
        ),
        columns=tuple(Mark(across(epoch), str(epoch)) for epoch in shown),
        kept=Mark(across(best), f"epoch {best} kept") if best else None,
    )  # fmt: skip


def score_chart(
    scores: Mapping[str, Any], titles: Mapping[str, str], *, width: float, columns: int
) -> ScoreChart | None:
    """Scores by group, in thresholds, as histograms; None where there are none."""
    threshold = float(scores["threshold"])
    groups = {
        title: [value / threshold for value in scores[name]["values"]]
        for name, title in titles.items()
        if scores[name]["values"]
    }
    if not groups:
        return None
    highest = max(max(values) for values in groups.values())
    last = min(LAST_SCORE, max(2.0, math.ceil(highest)))
    left, right = 10.0, width - 10.0
    scale = (right - left) / (last + BIN)
    panels = []
    for row, (title, values) in enumerate(groups.items()):
        top = 18.0 + row * (_PANEL + _PANEL_GAP)
        panels.append(_panel(title, values, last, left, top, scale))
    every = max(1, math.ceil(last / columns))
    height = panels[-1].bottom + 30
    return ScoreChart(
        width,
        height,
        left,
        right,
        tuple(panels),
        columns=tuple(
            Mark(round(left + at * scale, 2), f"{at}{'+' if at == LAST_SCORE else ''}")
            for at in range(0, int(last) + 1, every)
        ),
        threshold=round(left + scale, 2),
    )


def _panel(
    title: str,
    values: Sequence[float],
    last: float,
    left: float,
    top: float,
    scale: float,
) -> Panel:
    bins = Counter(_bin(value, last) for value in values)
    bottom = top + _PANEL
    tallest = max(bins.values())
    return Panel(
        title,
        top,
        bottom,
        tuple(
            Bar(
                x=round(left + (number * BIN + 0.01) * scale, 2),
                y=round(bottom - count / tallest * (_PANEL - 18), 2),
                width=round((BIN - 0.02) * scale, 2),
                height=round(count / tallest * (_PANEL - 18), 2),
                colour=0 if number * BIN >= 1 - 1e-9 else 4,
                hint=f"{_range(number, last)}: {count / len(values):.1%}",
            )
            for number, count in sorted(bins.items())
        ),
    )


def _bin(value: float, last: float) -> int:
    """Bins are open below and closed above: the threshold itself is not past it."""
    return min(round(last / BIN), max(0, math.ceil(value / BIN - 1e-9) - 1))


def _range(number: int, last: float) -> str:
    if number >= round(last / BIN):
        return f"over {last:g}"
    return f"{number * BIN:.1f} to {(number + 1) * BIN:.1f}"


def map_chart(
    points: Sequence[tuple[float, float, int]],
    classes: Sequence[ClassRow],
    *,
    width: float,
    height: float,
) -> MapChart | None:
    """The map at this size; None where there are no points."""
    if not points:
        return None
    places = Counter((x, y, label) for x, y, label in points)
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    margin = 34.0
    span = max(max(xs) - min(xs), 1e-9), max(max(ys) - min(ys), 1e-9)

    def at(x: float, y: float) -> tuple[float, float]:
        return (
            round(margin + (x - min(xs)) / span[0] * (width - 2 * margin), 2),
            round(height - margin - (y - min(ys)) / span[1] * (height - 2 * margin), 2),
        )

    bubbles, largest = [], dict[int, Bubble]()
    for (x, y, label), count in places.most_common():
        known = classes[label] if 0 <= label < len(classes) else None
        bubble = Bubble(
            *at(x, y),
            radius=round(min(22.0, 3.0 + 1.5 * math.sqrt(count)), 2),
            colour=known.colour if known else None,
            hint=f"{known.class_id} {known.name}" if known else "no class",
        )
        bubbles.append(bubble)
        if known:
            largest.setdefault(label, bubble)
    labels = _labels({classes[n].class_id: b for n, b in largest.items()}, width)
    return MapChart(width, height, tuple(bubbles), labels)


def _labels(named: Mapping[str, Bubble], width: float) -> tuple[MapLabel, ...]:
    """A label a class, moved until it covers no other; left out where all are full."""
    placed: list[MapLabel] = []
    for text, bubble in named.items():
        shown = text if len(text) <= 18 else text[:17] + "…"
        half = 3.6 * len(shown) + 3
        x = min(max(bubble.x, half), width - half)
        for shift in (0, 13, -13, 26, -26, 39, -39):
            y = bubble.y - bubble.radius - 4 + shift
            if y > 10 and not any(
                abs(y - other.y) < 12
                and abs(x - other.x) < half + 3.6 * len(other.text) + 3
                for other in placed
            ):
                placed.append(MapLabel(round(x, 2), round(y, 2), shown))
                break
    return tuple(placed)


def nice_step(rough: float) -> float:
    """The next of 1, 2, 5 times a power of ten at or above."""
    if not rough > 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= rough * (1 - 1e-9))

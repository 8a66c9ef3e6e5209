"""The HTML page of a training: one file, nothing loaded from elsewhere, no scripts.

It has the style, the safety and the filters of the report of a period.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from elkwatch.report.page import page_environment, style_hash, style_of, zone_name
from elkwatch.training_report.charts import (
    LineChart,
    MapChart,
    ScoreChart,
    epoch_chart,
    map_chart,
    score_chart,
)
from elkwatch.training_report.data import TrainingReport
from elkwatch.training_report.words import rounded, span_text
from model import put_report

MAX_TEMPLATES = 40
MAX_CHANGES = 20
_WIDTHS = {"wide": 520.0, "narrow": 380.0}
_FULL = {"wide": (1040.0, 12), "narrow": (380.0, 6)}
_GROUPS = {
    "held_out": "Held-out normal sessions",
    "cleaned_out": "Left out as too unusual",
    "deviants": "What deviates, in these logs or those of --discover",
}
_SHADES = 5


def build_training_report(report: TrainingReport) -> str:
    """The whole page, HTML. The same data give the same page, byte for byte."""
    style = style_of("elkwatch.report", "report.css") + style_of(
        "elkwatch.training_report", "training.css"
    )
    figures = report.figures
    environment = page_environment(report.zone, "elkwatch.training_report")
    environment.filters |= {"rate": rounded, "span": span_text}
    return environment.get_template("training.html.j2").render(
        report=report,
        figures=figures,
        style=style,
        style_hash=style_hash(style),
        zone=zone_name(report.trained_at, report.zone),
        span_start=datetime.fromisoformat(figures["span"]["from"]),
        span_end=datetime.fromisoformat(figures["span"]["to"]),
        tiles=_tiles(report),
        stages=_stages(figures),
        scores=_scores(figures),
        map=_map(report),
        confusion=_confusion(figures["confusion"]),
        rare=[t for t in report.templates if _is_rare(t.sessions, figures)],
        most_templates=MAX_TEMPLATES,
        most_changes=MAX_CHANGES,
    )


def write_training_report(report: TrainingReport, folder: Path) -> Path:
    """Writes the page into the bundle of the model, whole or not at all; → its path."""
    return put_report(folder, build_training_report(report))


def _is_rare(sessions: int, figures: Mapping[str, Any]) -> bool:
    """Whether so few training sessions hold a template that one of it is flagged."""
    return bool(0 < sessions < figures["unseen"]["rare_below"])


def _tiles(report: TrainingReport) -> list[tuple[str, str, str]]:
    """The figures on top: value, what it is, and a word more."""
    figures, alarms = report.figures, report.alarms
    held_out = figures["scores"]["held_out"]["sessions"]
    tiles = [
        (f"{figures['sessions']:,}", "sessions", f"over {span_text(alarms.span)}"),
        (f"{figures['events']:,}", "lines", f"{figures['templates']:,} templates"),
        (f"{held_out:,}", "held out", "normal, for the threshold"),
        (f"{figures['cleaned_out']:,}", "left out", _like_left_out(report)),
        (
            f"{figures['classes']:,}",
            "classes",
            f"in {figures['suspects']:,} deviants",
        ),
    ]
    share, a_day = alarms.normal, alarms.a_day
    if a_day is not None and not alarms.is_rough:
        about, low, high = (rounded(rate) for rate in a_day)
        tiles.append((about, "false alarms a day", f"{low} to {high}, 95 % sure"))
    elif share is not None:
        about, low, high = (
            rounded(1000 * rate) for rate in (share.share, share.low, share.high)
        )
        name = "false alarms in 1,000"
        tiles.append((about, name, f"{low} to {high}, 95 % sure"))
    return tiles


def _like_left_out(report: TrainingReport) -> str:
    a_day = report.alarms.unusual_a_day
    if not a_day or report.alarms.is_rough:
        return "as too unusual"
    return f"too unusual, {rounded(a_day)} a day"


def _stages(
    figures: Mapping[str, Any],
) -> list[tuple[str, str, dict[str, LineChart], dict[str, LineChart]]]:
    """Each trained stage: title, unit of its loss, loss and learning rate charts."""
    stages = []
    for title, unit, name, best in (
        ("Next-event network", "nats a line", "epochs", "best_epoch"),
        ("Class network", "focal loss and what is added to it", "class_epochs",
         "class_best_epoch"),
    ):  # fmt: skip
        epochs = figures[name]
        losses = {
            "trained": [e["loss"] for e in epochs],
            "checked": [e["held_out_loss"] for e in epochs],
        }
        rates = {"rate": [e["learning_rate"] for e in epochs]}
        charts = _epoch_charts(losses, figures[best], 230.0)
        if charts:
            stages.append((title, unit, charts, _epoch_charts(rates, 0, 110.0)))
    return stages


def _epoch_charts(
    series: Mapping[str, Sequence[float]], best: int, height: float
) -> dict[str, LineChart]:
    charts = {
        name: epoch_chart(
            series, best, width=width, height=height, label=lambda v: f"{v:g}"
        )
        for name, width in _WIDTHS.items()
    }
    return {name: chart for name, chart in charts.items() if chart is not None}


def _scores(figures: Mapping[str, Any]) -> dict[str, ScoreChart]:
    charts = {
        name: score_chart(figures["scores"], _GROUPS, width=width, columns=columns)
        for name, (width, columns) in _FULL.items()
    }
    return {name: chart for name, chart in charts.items() if chart is not None}


def _map(report: TrainingReport) -> dict[str, MapChart]:
    points = report.figures["class_map"]["points"]
    charts = {
        name: map_chart(points, report.classes, width=width, height=380.0)
        for name, (width, _) in _FULL.items()
    }
    return {name: chart for name, chart in charts.items() if chart is not None}


def _confusion(
    table: Mapping[str, Any] | None,
) -> list[tuple[str, list[tuple[int, int, bool]]]]:
    """Rows of (kind, cells); a cell is its count, its shade, whether it is right."""
    if table is None:
        return []
    rows = []
    for row in table["rows"]:
        total = max(sum(row["counts"]), 1)
        cells = [
            (count, round(_SHADES * count / total), column == row["kind"])
            for column, count in zip(table["columns"], row["counts"], strict=True)
        ]
        rows.append((row["kind"], cells))
    return rows

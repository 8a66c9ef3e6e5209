"""Pipeline health: is elkwatch awake, does it keep up, does its model still fit?"""

from __future__ import annotations

from kibana.dashboard import Control, Dashboard
from kibana.dashboards.shared import FULL, HALF, navigation
from kibana.ids import PIPELINE_HEALTH, RUNS_VIEW
from kibana.lens import (
    Bars,
    Chart,
    Column,
    Lines,
    Table,
    Tile,
    average,
    count,
    last_value,
    maximum,
    over_time,
    top_values,
    total,
)
from kibana.panels import Grid, LensPanel, Panel

_RUN = "elkwatch.run"
#: A run over a source; the others tell of deliveries.
_OF_SOURCES = "elkwatch.source : *"
_FAILED = f'{_OF_SOURCES} and event.outcome : "failure"'
STAGES = ("read", "score", "confirm", "classify", "write")


def pipeline_health() -> Dashboard:
    """What to look at when no alerts come, or too many."""
    source = Control("source", "elkwatch.source", "Source", RUNS_VIEW)
    return Dashboard(
        PIPELINE_HEALTH,
        "elkwatch: pipeline health",
        "Runs, lag, throughput, unknown share, model version and deliveries.",
        (navigation(), *_tiles(), *_reading(), *_judging(), _sources()),
        controls=(source,),
    )


def _panel(
    index: str, grid: Grid, title: str, chart: Chart, query: str = _OF_SOURCES
) -> LensPanel:
    return LensPanel(index, grid, title, chart, RUNS_VIEW, query)


def _tiles() -> tuple[Panel, ...]:
    last = maximum("last", "@timestamp", "Last run", shown_as="date")
    lag = last_value(
        "lag", f"{_RUN}.lag_s", "Behind the logs", kind="number", shown_as="seconds"
    )
    read = total("read", f"{_RUN}.documents.read", "Documents read")
    failed = count("failed", "Failed runs")
    unknown = average(
        "unknown", f"{_RUN}.unknown_ratio", "Lines of no template", shown_as="percent"
    )
    dead = total("dead", f"{_RUN}.dead_letters", "Dead letters")
    return (
        _panel("last", Grid(0, 3, 9, 7), "", Tile(last)),
        _panel("lag", Grid(9, 3, 7, 7), "", Tile(lag)),
        _panel("read", Grid(16, 3, 9, 7), "", Tile(read)),
        _panel("failed", Grid(25, 3, 7, 7), "", Tile(failed), _FAILED),
        _panel("unknown", Grid(32, 3, 8, 7), "", Tile(unknown)),
        _panel("dead", Grid(40, 3, 8, 7), "", Tile(dead)),
    )


def _by_source(metric: Column) -> Column:
    return top_values("source", "elkwatch.source", "Source", size=10, by=metric.id)


def _reading() -> tuple[Panel, ...]:
    read = total("read", f"{_RUN}.documents.read", "Documents")
    lag = maximum("lag", f"{_RUN}.lag_s", "Seconds behind", shown_as="seconds")
    opened = maximum(
        "opened", f"{_RUN}.sessions.open", "Open sessions", shown_as="number"
    )
    stages = tuple(
        average(stage, f"{_RUN}.durations_s.{stage}", stage.capitalize())
        for stage in STAGES
    )
    return (
        _panel(
            "throughput",
            Grid(0, 10, HALF, 11),
            "Documents read",
            Bars(over_time(), (read,), _by_source(read)),
        ),
        _panel(
            "lags",
            Grid(HALF, 10, HALF, 11),
            "Lag",
            Lines(over_time(), (lag,), _by_source(lag)),
        ),
        _panel(
            "open",
            Grid(0, 21, HALF, 11),
            "Open sessions",
            Lines(over_time(), (opened,), _by_source(opened)),
        ),
        _panel(
            "stages",
            Grid(HALF, 21, HALF, 11),
            "Seconds a run, by stage",
            Lines(over_time(), stages, area=True),
        ),
    )


def _judging() -> tuple[Panel, ...]:
    unknown = maximum(
        "unknown", f"{_RUN}.unknown_ratio", "Lines of no template", shown_as="percent"
    )
    told = tuple(
        total(name, f"{_RUN}.notifications.{name}", label)
        for name, label in (
            ("sent", "Sent"),
            ("retried", "To be tried again"),
            ("failed", "Given up"),
        )
    )
    return (
        _panel(
            "unknowns",
            Grid(0, 32, HALF, 11),
            "Share of lines that match no template",
            Lines(over_time(), (unknown,), _by_source(unknown)),
        ),
        LensPanel(
            "deliveries",
            Grid(HALF, 32, HALF, 11),
            "Notifications",
            Bars(over_time(), told),
            RUNS_VIEW,
            ignore_filters=True,
        ),
    )


def _sources() -> LensPanel:
    read = total("read", f"{_RUN}.documents.read", "Documents")
    late = total("late", f"{_RUN}.documents.late", "Late")
    created = total("created", f"{_RUN}.findings.created", "Findings")
    model = last_value("model", "elkwatch.model.version", "Model", kind="string")
    seen = maximum("seen", "@timestamp", "Last run", shown_as="date")
    return _panel(
        "sources",
        Grid(0, 43, FULL, 10),
        "Sources",
        Table((_by_source(read),), (read, late, created, model, seen)),
    )

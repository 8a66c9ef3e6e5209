"""Class detail: one kind of trouble: since when, where, how grave, and what to do."""

from __future__ import annotations

from kibana.dashboard import Dashboard
from kibana.dashboards.shared import (
    CLASS,
    FULL,
    HALF,
    SERVICE,
    SEVERITY,
    navigation,
)
from kibana.ids import CLASS_DETAIL, FINDINGS_VIEW, LATEST, OPEN
from kibana.lens import (
    Bars,
    Chart,
    Lines,
    Table,
    Tile,
    count,
    last_value,
    maximum,
    over_time,
    percentile,
    top_values,
    unique_values,
)
from kibana.panels import Grid, LensPanel, Panel, SearchPanel

_FINDINGS = count("findings", "Findings")


def class_detail() -> Dashboard:
    """What the drilldown of the overview opens, with the class as a filter."""
    return Dashboard(
        CLASS_DETAIL,
        "elkwatch: class detail",
        "One class: trend, services, hosts, score, samples, and what to do.",
        (
            navigation(),
            *_tiles(),
            _advice(),
            *_course(),
            SearchPanel("samples", Grid(0, 46, FULL, 18), "Samples", LATEST),
        ),
        controls=(CLASS, SEVERITY, SERVICE),
        since="now-7d",
    )


def _panel(index: str, grid: Grid, title: str, chart: Chart) -> LensPanel:
    return LensPanel(index, grid, title, chart, FINDINGS_VIEW, OPEN)


def _tiles() -> tuple[Panel, ...]:
    services = unique_values("services", "service.name", "Services")
    hosts = unique_values("hosts", "host.name", "Hosts")
    risk = maximum("risk", "elkwatch.risk", "Highest risk", shown_as="number")
    seen = maximum("seen", "@timestamp", "Last seen", shown_as="date")
    return (
        _panel("count", Grid(0, 3, 10, 7), "", Tile(_FINDINGS, colour="#bd271e")),
        _panel("services-count", Grid(10, 3, 9, 7), "", Tile(services)),
        _panel("hosts-count", Grid(19, 3, 9, 7), "", Tile(hosts)),
        _panel("risk", Grid(28, 3, 9, 7), "", Tile(risk)),
        _panel("seen", Grid(37, 3, 11, 7), "", Tile(seen)),
    )


def _advice() -> LensPanel:
    by = _FINDINGS.id
    kind = top_values("class", "rule.name", "Class", size=10, by=by)
    pattern = last_value("pattern", "elkwatch.pattern", "Pattern", kind="string")
    advice = last_value("advice", "rule.description", "What to do", kind="string")
    return _panel(
        "advice",
        Grid(0, 10, FULL, 12),
        "What to do",
        Table(
            (kind,),
            (_FINDINGS, pattern, advice),
            widths=(("class", 220), ("findings", 90), ("pattern", 130)),
            lines=5,
        ),
    )


def _course() -> tuple[Panel, ...]:
    by = _FINDINGS.id
    severity = top_values("severity", "elkwatch.severity", "Severity", size=4, by=by)
    service = top_values("service", "service.name", "Service", size=12, by=by)
    host = top_values("host", "host.name", "Host", size=12, by=by)
    half = percentile("half", "elkwatch.score", "Median score", 50)
    most = percentile("most", "elkwatch.score", "95 of 100 below", 95)
    threshold = maximum("threshold", "elkwatch.threshold", "Threshold")
    return (
        _panel(
            "trend",
            Grid(0, 22, HALF, 12),
            "Findings over time, by severity",
            Bars(over_time(), (_FINDINGS,), severity, by_severity=True),
        ),
        _panel(
            "score",
            Grid(HALF, 22, HALF, 12),
            "Score against the threshold",
            Lines(over_time(), (half, most, threshold)),
        ),
        _panel(
            "services",
            Grid(0, 34, HALF, 12),
            "Services",
            Bars(service, (_FINDINGS,), horizontal=True),
        ),
        _panel(
            "hosts",
            Grid(HALF, 34, HALF, 12),
            "Hosts",
            Bars(host, (_FINDINGS,), horizontal=True),
        ),
    )

"""Overview: is there trouble, what kind, where, and is elkwatch itself awake?"""

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
from kibana.ids import (
    CLASS_DETAIL,
    FINDINGS_VIEW,
    LATEST,
    OPEN,
    OVERVIEW,
    RUNS_VIEW,
)
from kibana.lens import (
    Bars,
    Column,
    Donut,
    HeatMap,
    Table,
    Tile,
    count,
    last_value,
    maximum,
    over_time,
    ratio_of_sums,
    top_values,
    total,
)
from kibana.panels import Drilldown, Grid, LensPanel, Panel, SearchPanel

_RUN = "elkwatch.run"
_FINDINGS = count("findings", "Findings")


def overview() -> Dashboard:
    """The dashboard people open first."""
    return Dashboard(
        OVERVIEW,
        "elkwatch: overview",
        "What kind of trouble the logs show, where, and since when.",
        (
            navigation(),
            *_tiles(),
            *_kinds(),
            *_places(),
            SearchPanel("latest", Grid(0, 47, FULL, 18), "Latest findings", LATEST),
        ),
        controls=(CLASS, SEVERITY, SERVICE),
    )


def _tiles() -> tuple[Panel, ...]:
    judged = total("judged", f"{_RUN}.sessions.scored", "Sessions and windows judged")
    rate = ratio_of_sums(
        "rate",
        f"{_RUN}.sessions.confirmed",
        f"{_RUN}.sessions.scored",
        "Anomalous",
    )
    last = maximum("last", "@timestamp", "Last run", shown_as="date")
    lag = last_value(
        "lag", f"{_RUN}.lag_s", "Behind the logs", kind="number", shown_as="seconds"
    )
    return (
        LensPanel(
            "open",
            Grid(0, 3, 10, 7),
            "",
            Tile(count("open", "Findings"), colour="#bd271e"),
            FINDINGS_VIEW,
            OPEN,
        ),
        _run_tile("judged", 10, 10, judged),
        _run_tile("rate", 20, 9, rate),
        _run_tile("last", 29, 10, last),
        _run_tile("lag", 39, 9, lag),
    )


def _run_tile(index: str, x: int, width: int, metric: Column) -> LensPanel:
    """A figure of the runs: they know nothing of classes, so no filter applies."""
    return LensPanel(
        index,
        Grid(x, 3, width, 7),
        "",
        Tile(metric),
        RUNS_VIEW,
        ignore_filters=True,
    )


def _kinds() -> tuple[Panel, ...]:
    by = _FINDINGS.id
    severity = top_values("severity", "elkwatch.severity", "Severity", size=4, by=by)
    kind = top_values("class", "rule.name", "Class", size=10, by=by, other=True)
    to_detail = Drilldown("detail", "Open the class", CLASS_DETAIL)
    seen = maximum("seen", "@timestamp", "Last seen", shown_as="date")
    risk = maximum("risk", "elkwatch.risk", "Highest risk", shown_as="number")
    listed = top_values("class", "rule.name", "Class", size=15, by=by)
    return (
        LensPanel(
            "severities",
            Grid(0, 10, 14, 13),
            "Severity",
            Donut(severity, _FINDINGS, by_severity=True),
            FINDINGS_VIEW,
            OPEN,
        ),
        LensPanel(
            "timeline",
            Grid(14, 10, 34, 13),
            "Findings over time, by class",
            Bars(over_time(), (_FINDINGS,), kind),
            FINDINGS_VIEW,
            OPEN,
            drilldowns=(to_detail,),
        ),
        LensPanel(
            "classes",
            Grid(0, 23, HALF, 12),
            "Classes",
            Table((listed,), (_FINDINGS, risk, seen), widths=(("class", 260),)),
            FINDINGS_VIEW,
            OPEN,
            drilldowns=(to_detail,),
        ),
    )


def _places() -> tuple[Panel, ...]:
    by = _FINDINGS.id
    service = top_values("service", "service.name", "Service", size=15, by=by)
    host = top_values("host", "host.name", "Host", size=15, by=by)
    return (
        LensPanel(
            "services",
            Grid(HALF, 23, HALF, 12),
            "Services over time",
            HeatMap(over_time(), service, _FINDINGS),
            FINDINGS_VIEW,
            OPEN,
        ),
        LensPanel(
            "hosts",
            Grid(0, 35, FULL, 12),
            "Hosts over time",
            HeatMap(over_time(), host, _FINDINGS),
            FINDINGS_VIEW,
            OPEN,
        ),
    )

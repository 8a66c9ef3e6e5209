"""What the dashboards have in common: links between them, controls, widths."""

from __future__ import annotations

from kibana.dashboard import Control
from kibana.ids import CLASS_DETAIL, FINDINGS_VIEW, OVERVIEW, PIPELINE_HEALTH
from kibana.panels import Grid, LinksPanel

FULL = 48
HALF = 24

CLASS = Control("class", "rule.name", "Class", FINDINGS_VIEW)
SEVERITY = Control("severity", "elkwatch.severity", "Severity", FINDINGS_VIEW)
SERVICE = Control("service", "service.name", "Service", FINDINGS_VIEW)


def navigation() -> LinksPanel:
    """The way from each dashboard to the others, at the top."""
    targets = (
        ("Overview", OVERVIEW),
        ("Class detail", CLASS_DETAIL),
        ("Pipeline health", PIPELINE_HEALTH),
    )
    return LinksPanel("navigation", Grid(0, 0, FULL, 3), targets)

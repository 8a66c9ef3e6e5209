"""The dashboards, one file each."""

from kibana.dashboards.class_detail import class_detail
from kibana.dashboards.overview import overview
from kibana.dashboards.pipeline_health import pipeline_health

__all__ = ["class_detail", "overview", "pipeline_health"]

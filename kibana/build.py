"""Everything elkwatch puts into Kibana, in the order in which it is imported."""

from __future__ import annotations

from dataclasses import dataclass

from kibana.dashboards.class_detail import class_detail
from kibana.dashboards.overview import overview
from kibana.dashboards.pipeline_health import pipeline_health
from kibana.data_views import SourceView, findings_view, runs_view, source_view
from kibana.objects import SavedObject
from kibana.searches import latest_findings


@dataclass(frozen=True, slots=True)
class BuildWishes:
    """What differs from one place to another. `namespace` `*` takes them all."""

    namespace: str = "*"
    sources: tuple[SourceView, ...] = ()


def build_objects(wishes: BuildWishes | None = None) -> tuple[SavedObject, ...]:
    """Data views first, dashboards last; the same wishes give the same bytes."""
    wishes = wishes or BuildWishes()
    views = {source.id: source_view(source) for source in wishes.sources}
    return (
        findings_view(wishes.namespace),
        runs_view(wishes.namespace),
        *(views[view_id] for view_id in sorted(views)),
        latest_findings(),
        overview().saved(),
        class_detail().saved(),
        pipeline_health().saved(),
    )

"""The saved search of the latest findings."""

from __future__ import annotations

from kibana.dashboard import as_text
from kibana.ids import FINDINGS_VIEW, LATEST, OPEN
from kibana.objects import Reference, SavedObject

_SOURCE = "kibanaSavedObjectMeta.searchSourceJSON.index"
_COLUMNS = (
    "elkwatch.severity",
    "rule.name",
    "service.name",
    "message",
    "rule.description",
    "event.url",
)
_WIDTHS = {"elkwatch.severity": 90, "rule.name": 190, "service.name": 120}


def latest_findings() -> SavedObject:
    """Newest first: what, where, what to do, and the link to the lines."""
    source = {
        "query": {"query": OPEN, "language": "kuery"},
        "filter": [],
        "indexRefName": _SOURCE,
    }
    return SavedObject(
        "search",
        LATEST,
        {
            "title": "elkwatch: latest findings",
            "description": "Every open finding, newest first, with its advice.",
            "columns": list(_COLUMNS),
            "sort": [["@timestamp", "desc"]],
            "grid": {"columns": {c: {"width": w} for c, w in _WIDTHS.items()}},
            "rowHeight": 3,
            "hideChart": True,
            "kibanaSavedObjectMeta": {"searchSourceJSON": as_text(source)},
        },
        (Reference(_SOURCE, "index-pattern", FINDINGS_VIEW),),
    )

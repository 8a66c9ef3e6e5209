"""Data views: of the findings, of the run figures, and one for each source.

Field formats turn a stored link into one to click on, severities into colours, shares
into per cent. No `parsedUrl` is ever stored: Kibana adds its own address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kibana.dashboard import as_text
from kibana.ids import FINDINGS_VIEW, RUNS_VIEW
from kibana.lens.charts import SEVERITY_COLOURS
from kibana.links import source_view_id
from kibana.objects import SavedObject


@dataclass(frozen=True, slots=True)
class SourceView:
    """A source whose lines findings link to."""

    name: str
    index: str
    time_field: str = "@timestamp"

    @property
    def id(self) -> str:
        """The id of its data view, the one that links name."""
        return source_view_id(self.index, self.time_field)


def findings_view(namespace: str) -> SavedObject:
    """The data view of the findings."""
    percent = {"id": "percent", "params": {"pattern": "0.0%"}}
    formats = {
        "event.url": {
            "id": "url",
            "params": {"type": "a", "urlTemplate": None, "labelTemplate": "open logs"},
        },
        "rule.reference": {
            "id": "url",
            "params": {"type": "a", "urlTemplate": None, "labelTemplate": "runbook"},
        },
        "event.severity": _lookup({1: "low", 2: "medium", 3: "high", 4: "critical"}),
        "elkwatch.severity": _severities(),
        "elkwatch.class.confidence": percent,
        "elkwatch.unknown_ratio": percent,
        "event.duration": {
            "id": "duration",
            "params": {"inputFormat": "nanoseconds", "outputFormat": "humanizePrecise"},
        },
    }
    labels = {
        "rule.name": "class",
        "rule.description": "what to do",
        "event.url": "log lines",
        "elkwatch.severity": "severity",
        "elkwatch.risk": "risk",
    }
    return _view(
        FINDINGS_VIEW,
        f"logs-elkwatch.anomaly-{namespace}",
        "elkwatch findings",
        formats=formats,
        labels=labels,
    )


def runs_view(namespace: str) -> SavedObject:
    """The data view of the run figures."""
    formats = {"elkwatch.run.unknown_ratio": {"id": "percent", "params": {}}}
    title = f"metrics-elkwatch.run-{namespace}"
    return _view(RUNS_VIEW, title, "elkwatch runs", formats=formats)


def source_view(source: SourceView) -> SavedObject:
    """The data view of a source's own logs."""
    return _view(
        source.id, source.index, f"elkwatch source {source.name}", source.time_field
    )


def _view(
    view_id: str,
    title: str,
    name: str,
    time_field: str = "@timestamp",
    *,
    formats: Mapping[str, Any] | None = None,
    labels: Mapping[str, str] | None = None,
) -> SavedObject:
    named = {field: {"customLabel": label} for field, label in (labels or {}).items()}
    return SavedObject(
        "index-pattern",
        view_id,
        {
            "title": title,
            "name": name,
            "timeFieldName": time_field,
            "allowNoIndex": True,
            "fields": "[]",
            "fieldAttrs": as_text(named),
            "fieldFormatMap": as_text(formats or {}),
            "runtimeFieldMap": "{}",
            "sourceFilters": "[]",
            "typeMeta": "{}",
        },
    )


def _lookup(words: Mapping[int, str]) -> dict[str, Any]:
    entries = [{"key": str(key), "value": word} for key, word in words.items()]
    params = {"lookupEntries": entries, "unknownKeyValue": None}
    return {"id": "static_lookup", "params": params}


def _severities() -> dict[str, Any]:
    colours = [
        {
            "regex": f"^{severity}$",
            "range": "-Infinity:Infinity",
            "boolean": "true",
            "text": "#000000" if severity == "medium" else "#ffffff",
            "background": colour,
        }
        for severity, colour in SEVERITY_COLOURS.items()
    ]
    return {"id": "color", "params": {"fieldType": "string", "colors": colours}}

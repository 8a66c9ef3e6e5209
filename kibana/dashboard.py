"""A dashboard: panels on a grid, and the controls above them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kibana.objects import Reference, SavedObject
from kibana.panels import Panel, panel_references, panel_state

_OPTIONS = {
    "useMargins": True,
    "syncColors": True,
    "syncCursor": True,
    "syncTooltips": False,
    "hidePanelTitles": False,
}
_IGNORE = {
    "ignoreFilters": False,
    "ignoreQuery": False,
    "ignoreTimerange": False,
    "ignoreValidations": False,
}


@dataclass(frozen=True, slots=True)
class Control:
    """A drop-down above the dashboard: the values of one keyword."""

    id: str
    field: str
    title: str
    data_view: str

    def state(self, order: int) -> dict[str, Any]:
        """The control as it stands in `panelsJSON` of the control group."""
        return {
            "type": "optionsListControl",
            "order": order,
            "grow": True,
            "width": "medium",
            "explicitInput": {
                "id": self.id,
                "fieldName": self.field,
                "title": self.title,
                "selectedOptions": [],
                "enhancements": {},
            },
        }

    def reference(self) -> Reference:
        """Its data view."""
        name = f"controlGroup_{self.id}:optionsListDataView"
        return Reference(name, "index-pattern", self.data_view)


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One dashboard. `since`: the time range it opens with."""

    id: str
    title: str
    description: str
    panels: tuple[Panel, ...]
    controls: tuple[Control, ...] = ()
    since: str = "now-24h"
    refresh_s: int = 60

    def saved(self) -> SavedObject:
        """The saved object."""
        source = {"query": {"query": "", "language": "kuery"}, "filter": []}
        references = [r for panel in self.panels for r in panel_references(panel)]
        references += [control.reference() for control in self.controls]
        return SavedObject(
            "dashboard",
            self.id,
            {
                "title": self.title,
                "description": self.description,
                "kibanaSavedObjectMeta": {"searchSourceJSON": as_text(source)},
                "panelsJSON": as_text([panel_state(p) for p in self.panels]),
                "optionsJSON": as_text(_OPTIONS),
                "timeRestore": True,
                "timeFrom": self.since,
                "timeTo": "now",
                "refreshInterval": {"pause": False, "value": self.refresh_s * 1000},
                "controlGroupInput": self._controls(),
                "version": 1,
            },
            tuple(references),
        )

    def _controls(self) -> Mapping[str, Any]:
        states = {c.id: c.state(i) for i, c in enumerate(self.controls)}
        return {
            "controlStyle": "oneLine",
            "chainingSystem": "HIERARCHICAL",
            "panelsJSON": as_text(states),
            "ignoreParentSettingsJSON": as_text(_IGNORE),
        }


def as_text(value: Any) -> str:
    """JSON within JSON, always the same for the same value."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)

"""Finds what is wrong with a file of saved objects before Kibana shows it.

Kibana's import checks almost nothing: panels, Lens state, fields, grids, drilldowns and
controls that are wrong are imported without a word and seen in the browser only. This
checker knows each of these traps.

    lines ─▶ file.py ─▶ objects.py ─▶ views.py, searches.py, dashboards.py
                                        dashboards.py ─▶ panels.py ─▶ lens_layer.py …

It never fails: whatever is in the file, the answer is a list of defects.
"""

from __future__ import annotations

from kibana.check.defect import Defect
from kibana.check.fields import FieldMap
from kibana.check.file import check_text

__all__ = ["Defect", "FieldMap", "check_text"]

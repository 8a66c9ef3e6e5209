"""What people look at in Kibana. Knows Kibana's formats, nothing of the rest.

dashboards/*.py ─▶ dashboard.py, panels.py, lens/ ─▶ build_objects ─▶ ndjson
ndjson ─▶ check_text: every defect that only a browser would show
links.py: into Discover, on exactly the lines of one finding
"""

from kibana.build import BuildWishes, build_objects
from kibana.check import Defect, FieldMap, check_text
from kibana.data_views import SourceView
from kibana.links import discover_url, source_view_id
from kibana.objects import Reference, SavedObject, ndjson

__all__ = [
    "BuildWishes",
    "Defect",
    "FieldMap",
    "Reference",
    "SavedObject",
    "SourceView",
    "build_objects",
    "check_text",
    "discover_url",
    "ndjson",
    "source_view_id",
]

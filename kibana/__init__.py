"""What people look at in Kibana. Knows Kibana's formats, nothing of the rest.

dashboards/*.py ─▶ dashboard.py, panels.py, lens/ ─▶ build_objects ─▶ ndjson
ndjson ─▶ check_text: every defect that only a browser would show
links.py: into Discover and the dashboards, on exactly what is meant
client.py: Kibana itself over HTTP, and what it answers
installation.py, removal.py: into a space and out of it, losing nobody's work
"""

from kibana.answers import ImportAnswer, ImportProblem, Key
from kibana.build import BuildWishes, build_objects
from kibana.check import Defect, FieldMap, check_text
from kibana.client import KibanaClient, KibanaInfo
from kibana.data_views import SourceView
from kibana.errors import (
    EditsFound,
    ImportFailed,
    KibanaConfigError,
    KibanaError,
    KibanaNotAllowed,
    KibanaNotAuthenticated,
    KibanaRefused,
    KibanaTlsFailed,
    KibanaTooBusy,
    KibanaTooOld,
    KibanaUnreachable,
    SpaceMissing,
)
from kibana.ids import CLASS_DETAIL, FINDINGS_VIEW, OVERVIEW
from kibana.installation import Step, install
from kibana.installed import InstallRecord, InstallStore
from kibana.links import Pages, kql, source_view_id
from kibana.objects import Reference, SavedObject, ndjson
from kibana.removal import Removal, uninstall
from kibana.wire import KibanaConfig

__all__ = [
    "CLASS_DETAIL",
    "FINDINGS_VIEW",
    "OVERVIEW",
    "BuildWishes",
    "Defect",
    "EditsFound",
    "FieldMap",
    "ImportAnswer",
    "ImportFailed",
    "ImportProblem",
    "InstallRecord",
    "InstallStore",
    "Key",
    "KibanaClient",
    "KibanaConfig",
    "KibanaConfigError",
    "KibanaError",
    "KibanaInfo",
    "KibanaNotAllowed",
    "KibanaNotAuthenticated",
    "KibanaRefused",
    "KibanaTlsFailed",
    "KibanaTooBusy",
    "KibanaTooOld",
    "KibanaUnreachable",
    "Pages",
    "Reference",
    "Removal",
    "SavedObject",
    "SourceView",
    "SpaceMissing",
    "Step",
    "build_objects",
    "check_text",
    "install",
    "kql",
    "ndjson",
    "source_view_id",
    "uninstall",
]

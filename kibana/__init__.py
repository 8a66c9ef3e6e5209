"""What people look at in Kibana. Knows Kibana's formats, nothing of the rest.

dashboards/*.py ─▶ dashboard.py, panels.py, lens/ ─▶ build_objects ─▶ ndjson
ndjson ─▶ check_text: every defect that only a browser would show
links.py: into Discover, on exactly the lines of one finding
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
from kibana.installation import Step, install
from kibana.installed import InstallRecord, InstallStore
from kibana.links import discover_url, source_view_id
from kibana.objects import Reference, SavedObject, ndjson
from kibana.removal import Removal, uninstall
from kibana.wire import KibanaConfig

__all__ = [
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
    "Reference",
    "Removal",
    "SavedObject",
    "SourceView",
    "SpaceMissing",
    "Step",
    "build_objects",
    "check_text",
    "discover_url",
    "install",
    "ndjson",
    "source_view_id",
    "uninstall",
]

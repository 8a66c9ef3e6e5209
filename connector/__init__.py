"""Between elkwatch and Elasticsearch: reading logs, writing findings, keeping state.

    client.connect ──▶ source.LogSource ──pages──▶ LogDocument …
    … Finding ──▶ sink.FindingSink ──bulk create──▶ logs-elkwatch.anomaly-*
    state.StateStore, cursor.CursorStore: what is remembered between runs
    lease.Lease: one process writes at a time
    setup.install: the index templates all of this needs

Knows nothing of the model, nor of alerts. What stands in `__all__` is what other
packages may use.
"""

from connector.client import ClientConfig, EngineInfo, addresses, connect, preflight
from connector.cursor import (
    Cursor,
    CursorStore,
    ElasticCursorStore,
    InMemoryCursorStore,
    Version,
)
from connector.data_sets import DataSet, PassedOver, data_sets, grouped
from connector.dead_letters import DeadLetter, DeadLetterSink
from connector.decode import Decoder
from connector.decoded_fields import needed_fields
from connector.elastic_state import ElasticStateStore, state_index
from connector.errors import (
    ConfigError,
    ConnectorError,
    DecodeError,
    EngineError,
    EngineTooBusy,
    EngineTooOld,
    EngineUnreachable,
    FieldMissing,
    FieldUnfit,
    IndexBlocked,
    IndexMissing,
    LeaseLost,
    NotAuthenticated,
    OwnOutputRefused,
    PartialResults,
    PrivilegeMissing,
    RequestRefused,
    SetupMissing,
    SinkError,
    SinkUnavailable,
    SourceError,
    SourceUnavailable,
    StateConflict,
    StateUnavailable,
    TlsFailed,
    UndatedDocument,
)
from connector.fetch import Fetched
from connector.findings import (
    EvidenceLine,
    FeedbackMark,
    Finding,
    Signature,
    finding_document,
    finding_id,
    stream_name,
)
from connector.inspection import (
    LastRun,
    cluster_time,
    dead_letters,
    disk_free,
    governing_templates,
    last_run,
    mapped_types,
    write_blocks,
)
from connector.key_ranges import KeyRange, KeyRanges
from connector.layout import FieldReport, SourceReport
from connector.lease import Holder, Lease
from connector.memory_sink import InMemoryFindingSink, InMemoryRunMetrics
from connector.owner import Owner
from connector.privileges import Privilege, Trial, try_privileges
from connector.records import (
    DecodeCounts,
    DecodeProblem,
    KeyRequest,
    LogDocument,
    Page,
    SessionRule,
    SourceSpec,
    WindowRequest,
    join_key,
    order_key,
    split_key,
)
from connector.results import Results
from connector.retrying import RetryPolicy
from connector.run_figures import (
    RunFigures,
    RunMetricsSink,
    RunQuality,
    TickFigures,
    run_document,
    run_stream_name,
    tick_document,
)
from connector.sampling import Column, Extent, Sample, Sampler, sample_of
from connector.seen import SeenIds
from connector.setup import (
    Action,
    Retention,
    compare,
    install,
    missing,
    roles,
    templates,
)
from connector.shadow_figures import ShadowFigures
from connector.sink import FindingSink
from connector.source import LogSource
from connector.state import (
    STATE_KINDS,
    InMemoryStateStore,
    StateStore,
    Stored,
    Write,
)
from connector.timestamps import read_time, to_iso
from connector.write_report import WriteReport
from connector.written_findings import FindingChanger, WrittenFinding, finding_from

__all__ = [
    "STATE_KINDS",
    "Action",
    "ClientConfig",
    "Column",
    "ConfigError",
    "ConnectorError",
    "Cursor",
    "CursorStore",
    "DataSet",
    "DeadLetter",
    "DeadLetterSink",
    "DecodeCounts",
    "DecodeError",
    "DecodeProblem",
    "Decoder",
    "ElasticCursorStore",
    "ElasticStateStore",
    "EngineError",
    "EngineInfo",
    "EngineTooBusy",
    "EngineTooOld",
    "EngineUnreachable",
    "EvidenceLine",
    "Extent",
    "FeedbackMark",
    "Fetched",
    "FieldMissing",
    "FieldReport",
    "FieldUnfit",
    "Finding",
    "FindingChanger",
    "FindingSink",
    "Holder",
    "InMemoryCursorStore",
    "InMemoryFindingSink",
    "InMemoryRunMetrics",
    "InMemoryStateStore",
    "IndexBlocked",
    "IndexMissing",
    "KeyRange",
    "KeyRanges",
    "KeyRequest",
    "LastRun",
    "Lease",
    "LeaseLost",
    "LogDocument",
    "LogSource",
    "NotAuthenticated",
    "OwnOutputRefused",
    "Owner",
    "Page",
    "PartialResults",
    "PassedOver",
    "Privilege",
    "PrivilegeMissing",
    "RequestRefused",
    "Results",
    "Retention",
    "RetryPolicy",
    "RunFigures",
    "RunMetricsSink",
    "RunQuality",
    "Sample",
    "Sampler",
    "SeenIds",
    "SessionRule",
    "SetupMissing",
    "ShadowFigures",
    "Signature",
    "SinkError",
    "SinkUnavailable",
    "SourceError",
    "SourceReport",
    "SourceSpec",
    "SourceUnavailable",
    "StateConflict",
    "StateStore",
    "StateUnavailable",
    "Stored",
    "TickFigures",
    "TlsFailed",
    "Trial",
    "UndatedDocument",
    "Version",
    "WindowRequest",
    "Write",
    "WriteReport",
    "WrittenFinding",
    "addresses",
    "cluster_time",
    "compare",
    "connect",
    "data_sets",
    "dead_letters",
    "disk_free",
    "finding_document",
    "finding_from",
    "finding_id",
    "governing_templates",
    "grouped",
    "install",
    "join_key",
    "last_run",
    "mapped_types",
    "missing",
    "needed_fields",
    "order_key",
    "preflight",
    "read_time",
    "roles",
    "run_document",
    "run_stream_name",
    "sample_of",
    "split_key",
    "state_index",
    "stream_name",
    "templates",
    "tick_document",
    "to_iso",
    "try_privileges",
    "write_blocks",
]

"""A real Elasticsearch without Docker, for the demo and the tests.

    with start(EngineOptions()) as engine:
        client = Elasticsearch(engine.url)

`start` fetches what it needs once and keeps it; `start_in_background` is
`elkwatch engine start`.
"""

from elkwatch.engine.background import (
    Ended,
    Which,
    ended,
    running,
    start_in_background,
    stop_running,
)
from elkwatch.engine.distribution import chosen_version
from elkwatch.engine.errors import (
    EngineConfigError,
    EngineError,
    EngineStartError,
    EngineStopError,
    EngineUnavailableError,
)
from elkwatch.engine.health import cluster_health
from elkwatch.engine.options import EngineOptions, SecurityOptions, TlsFiles, User
from elkwatch.engine.progress import Progress, Step
from elkwatch.engine.registry import EngineRecord
from elkwatch.engine.server import Engine, start

__all__ = [
    "Ended",
    "Engine",
    "EngineConfigError",
    "EngineError",
    "EngineOptions",
    "EngineRecord",
    "EngineStartError",
    "EngineStopError",
    "EngineUnavailableError",
    "Progress",
    "SecurityOptions",
    "Step",
    "TlsFiles",
    "User",
    "Which",
    "chosen_version",
    "cluster_health",
    "ended",
    "running",
    "start",
    "start_in_background",
    "stop_running",
]

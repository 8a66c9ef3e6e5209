"""Looking at a cluster and at what elkwatch keeps in it, without changing anything.

For `elkwatch doctor`: each function answers one question, needs no more than the
privileges of the run role (unless it says so), and raises an EngineError in one line.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from elasticsearch import ApiError, Elasticsearch, NotFoundError, TransportError

from connector.capabilities import Capabilities
from connector.dead_letters import DEAD_LETTERS_KIND
from connector.elastic_state import state_index
from connector.faults import translate
from connector.findings import stream_name
from connector.run_figures import run_stream_name
from connector.timestamps import to_iso

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LastRun:
    """The newest figures of a source. `failure`: the line it failed with."""

    at: datetime
    documents: int
    lag_s: float | None
    unknown_ratio: float
    failure: str | None


def cluster_time(client: Elasticsearch) -> datetime:
    """The time by the clock of the node that answers, UTC; to the millisecond."""
    answer = _asked(
        lambda: client.nodes.stats(
            node_id="_local", metric="jvm", filter_path="nodes.*.timestamp"
        ),
        "asking Elasticsearch for its time",
    )
    stamps = [node["timestamp"] for node in answer["nodes"].values()]
    return datetime.fromtimestamp(max(stamps) / 1000, UTC)


def governing_templates(
    client: Elasticsearch, names: Iterable[str]
) -> dict[str, tuple[str, int] | None]:
    """For each index or stream the index template it is made by, and its priority."""
    answer = _asked(client.indices.get_index_template, "looking for index templates")
    known = [(t["name"], t["index_template"]) for t in answer["index_templates"]]
    return {name: _governing(name, known) for name in names}


def mapped_types(
    client: Elasticsearch, index: str, paths: Iterable[str]
) -> dict[str, tuple[str, ...]] | None:
    """The types each field really has there, over all backing indices.

    None where there is no such index yet.
    """
    wanted = list(paths)
    try:
        answer = client.field_caps(index=index, fields=wanted, include_unmapped=True)
    except NotFoundError:
        return None
    except (ApiError, TransportError) as error:
        raise translate(error, f"looking at the mapping of {index}") from error
    found = Capabilities(answer.body)
    return {path: found.types(path) for path in wanted}


def write_blocks(client: Elasticsearch, namespace: str) -> dict[str, str]:
    """What of ours is closed for writing, and why; the whole cluster is `*`.

    Of a stream only its newest backing index counts: older ones may well be closed.
    """
    answer = _asked(
        lambda: client.cluster.state(metric="blocks", filter_path="blocks"),
        "asking what is closed for writing",
    )
    blocks = answer.get("blocks", {})
    found = {name: _why(block) for name, block in blocks.get("indices", {}).items()}
    ours = {name: why for name, why in found.items() if _is_state(name, namespace)}
    for stream in (stream_name(namespace), run_stream_name(namespace)):
        newest = _newest_backing(client, stream)
        if newest in found:
            ours[newest] = found[newest]
    ours["*"] = _why(blocks.get("global", {}))
    return {name: why for name, why in ours.items() if why}


def disk_free(client: Elasticsearch) -> dict[str, float]:
    """The share of its disk that each node has free, 0 to 1, by the node's name."""
    answer = _asked(
        lambda: client.nodes.stats(
            metric="fs", filter_path="nodes.*.name,nodes.*.fs.total"
        ),
        "asking for the disks of Elasticsearch",
    )
    return {
        node["name"]: total["available_in_bytes"] / total["total_in_bytes"]
        for node in answer.get("nodes", {}).values()
        if (total := node.get("fs", {}).get("total", {})).get("total_in_bytes")
    }


def dead_letters(client: Elasticsearch, namespace: str, since: datetime) -> int:
    """How many documents were given up since then; 0 where none ever was."""
    index = state_index(DEAD_LETTERS_KIND, namespace)
    query = {"range": {"@timestamp": {"gte": to_iso(since)}}}
    try:
        return int(client.count(index=index, query=query)["count"])
    except NotFoundError:
        return 0
    except (ApiError, TransportError) as error:
        raise translate(error, f"counting the documents of {index}") from error


def last_run(client: Elasticsearch, namespace: str, source: str) -> LastRun | None:
    """The newest figures of a source; None where there are none.

    Needs `read` on the run figures, which the run role has not.
    """
    index = run_stream_name(namespace)
    try:
        answer = client.search(
            index=index,
            query={"term": {"elkwatch.source": source}},
            sort=[{"@timestamp": {"order": "desc"}}],
            size=1,
            track_total_hits=False,
        )
    except NotFoundError:
        return None
    except (ApiError, TransportError) as error:
        raise translate(error, f"reading {index}") from error
    hits = answer["hits"]["hits"]
    return _last_run(hits[0]["_source"]) if hits else None


def _last_run(document: Mapping[str, Any]) -> LastRun:
    run = document["elkwatch"]["run"]
    return LastRun(
        at=datetime.fromisoformat(document["@timestamp"]),
        documents=int(run.get("documents", {}).get("read", 0)),
        lag_s=run.get("lag_s"),
        unknown_ratio=float(run.get("unknown_ratio", 0.0)),
        failure=document.get("error", {}).get("message"),
    )


def _is_state(name: str, namespace: str) -> bool:
    return fnmatchcase(name, state_index("*", namespace))


def _newest_backing(client: Elasticsearch, stream: str) -> str:
    """ "" where there is none, or it may not be asked for (run figures)."""
    try:
        answer = client.field_caps(index=stream, fields="@timestamp")
    except ApiError:
        return ""
    return max(answer["indices"], default="")


def _why(blocks: Mapping[str, Any]) -> str:
    reasons = [b["description"] for b in blocks.values() if "write" in b["levels"]]
    return ", ".join(reason.partition(";")[0] for reason in reasons)


def _governing(
    name: str, known: Iterable[tuple[str, Mapping[str, Any]]]
) -> tuple[str, int] | None:
    fitting = [
        (int(body.get("priority") or 0), template)
        for template, body in known
        if any(fnmatchcase(name, pattern) for pattern in body["index_patterns"])
    ]
    if not fitting:
        return None
    priority, template = max(fitting)
    return template, priority


def _asked(request: Callable[[], T], doing: str) -> T:
    try:
        return request()
    except (ApiError, TransportError) as error:
        raise translate(error, doing) from error

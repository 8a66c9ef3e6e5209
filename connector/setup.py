"""What a cluster needs before elkwatch can run on it: index templates and roles.

`install` may be given stronger credentials than the service; it changes only what
differs. `missing` is what `run` asks before it starts: without our index templates the
built-in ones would create the streams with other mappings, and nobody would notice.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from importlib import resources
from typing import Any, Literal

from elasticsearch import (
    ApiError,
    Elasticsearch,
    NotFoundError,
    TransportError,
)

from connector.elastic_state import state_index
from connector.faults import translate
from connector.findings import stream_name
from connector.privileges import source_patterns
from connector.records import SourceSpec
from connector.run_figures import run_stream_name

RUN_ROLE = "elkwatch_run"
SETUP_ROLE = "elkwatch_setup"
READ_ROLE = "elkwatch_read"
FEEDBACK_ROLE = "elkwatch_feedback"

Change = Literal["create", "update", "unchanged", "keep newer", "roll over", "left out"]

# What an engine without data stream lifecycle answers: it knows no such path.
_NO_SUCH_CALL = {400, 405}


@dataclass(frozen=True, slots=True)
class Retention:
    """How long Elasticsearch is to keep findings and run figures."""

    findings: timedelta
    metrics: timedelta

    def of(self, template: str) -> timedelta | None:
        """That of the streams of an index template; None: kept for good."""
        return {
            "logs-elkwatch.anomaly": self.findings,
            "metrics-elkwatch.run": self.metrics,
        }.get(template)


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that `install` did, or would do, or had to leave out.

    `kind`: index template, data stream, or the retention of one. `note`: why.
    """

    kind: str
    name: str
    change: Change
    note: str = ""

    def __str__(self) -> str:
        note = f": {self.note}" if self.note else ""
        return f"{self.change:<10} {self.kind} {self.name}{note}"


def templates(retention: Retention | None = None) -> dict[str, dict[str, Any]]:
    """Our index templates by name. `_meta.hash` tells equal contents.

    `retention` takes the place of what they say themselves.
    """
    folder = resources.files("connector.index_templates")
    found = {}
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".json"):
            name = file.name.removesuffix(".json")
            body = json.loads(file.read_text("utf-8"))
            kept = retention.of(name) if retention is not None else None
            if kept is not None:
                body["template"]["lifecycle"]["data_retention"] = _time_value(kept)
            canonical = json.dumps(body, sort_keys=True).encode()
            body["_meta"]["hash"] = sha256(canonical).hexdigest()[:16]
            found[name] = body
    return found


def install(
    client: Elasticsearch,
    namespace: str,
    dry_run: bool = False,
    retention: Retention | None = None,
) -> list[Action]:
    """Bring the index templates up to date; idempotent.

    A data stream whose index template changed is rolled over, so that what is written
    next has the new mappings. `retention` holds for streams to come by their template,
    and for those that are there. `dry_run` only says what would be done. Raises an
    EngineError; needs `manage_index_templates`, and `manage` on the streams.
    """
    try:
        actions = [
            _install_template(client, name, body, dry_run)
            for name, body in templates(retention).items()
        ]
        updated = {a.name for a in actions if a.change == "update"}
        for stream in (stream_name(namespace), run_stream_name(namespace)):
            template = stream.removesuffix(f"-{namespace}")
            if template in updated:
                actions.extend(_roll_over(client, stream, dry_run))
            kept = retention.of(template) if retention is not None else None
            if kept is not None:
                actions.extend(_retain(client, stream, kept, dry_run))
    except (ApiError, TransportError) as error:
        raise translate(error, "installing the index templates") from error
    return actions


def missing(client: Elasticsearch) -> list[str]:
    """The index templates that `run` needs and the cluster lacks, or has too old.

    Raises an EngineError; needs the cluster privilege `monitor`.
    """
    lacking = []
    try:
        for name, body in templates().items():
            there = _installed(client, name)
            if there is None:
                lacking.append(f"index template {name}")
            elif there.get("version", 0) < body["version"]:
                lacking.append(f"index template {name} version {body['version']}")
    except (ApiError, TransportError) as error:
        raise translate(error, "looking for the index templates") from error
    return lacking


def compare(client: Elasticsearch, retention: Retention | None = None) -> list[Action]:
    """What `install` would do with each index template; nothing is changed.

    Raises an EngineError; needs the cluster privilege `monitor`.
    """
    try:
        return [
            _install_template(client, name, body, dry_run=True)
            for name, body in templates(retention).items()
        ]
    except (ApiError, TransportError) as error:
        raise translate(error, "looking for the index templates") from error


def roles(sources: Iterable[SourceSpec], namespace: str) -> dict[str, dict[str, Any]]:
    """The least privileges: to run, to set up, to read the results, to say of them.

    The third is for reports and for people in Kibana, the last for those who give
    feedback. In the form of Elasticsearch's
    role API and of `roles.yml`.
    """
    findings, figures = stream_name(namespace), run_stream_name(namespace)
    read = sorted({p for spec in sources for p in source_patterns(spec)})
    run: list[dict[str, Any]] = [
        {
            "names": [findings],
            "privileges": ["read", "index", "auto_configure"],
        },
        {"names": [figures], "privileges": ["create_doc", "auto_configure"]},
        {
            "names": [f"elkwatch-*-{namespace}"],
            "privileges": ["read", "index", "auto_configure"],
        },
    ]
    if read:
        run.insert(0, {"names": read, "privileges": ["read"]})
    return {
        RUN_ROLE: {"cluster": ["monitor"], "indices": run},
        SETUP_ROLE: {
            "cluster": ["monitor", "manage_index_templates"],
            "indices": [
                {"names": [findings, figures], "privileges": ["manage"]},
                {
                    "names": [state_index("installs", namespace)],
                    "privileges": ["read", "index", "auto_configure"],
                },
            ],
        },
        READ_ROLE: {
            "cluster": ["monitor"],
            "indices": [{"names": [findings, figures], "privileges": ["read"]}],
        },
        FEEDBACK_ROLE: {
            "cluster": ["monitor"],
            "indices": [
                {"names": [findings], "privileges": ["read"]},
                {
                    "names": [state_index("feedback", namespace)],
                    "privileges": ["read", "index", "auto_configure"],
                },
            ],
        },
    }


def _install_template(
    client: Elasticsearch, name: str, body: Mapping[str, Any], dry_run: bool
) -> Action:
    there = _installed(client, name)
    change = _change(there, body)
    if change in {"create", "update"} and not dry_run:
        client.indices.put_index_template(name=name, **_as_arguments(body))
    return Action("index template", name, change)


def _as_arguments(body: Mapping[str, Any]) -> dict[str, Any]:
    renamed = {"_meta": "meta"}
    return {renamed.get(name, name): value for name, value in body.items()}


def _change(there: Mapping[str, Any] | None, ours: Mapping[str, Any]) -> Change:
    if there is None:
        return "create"
    if there.get("_meta", {}).get("hash") == ours["_meta"]["hash"]:
        return "unchanged"
    if there.get("version", 0) > ours["version"]:
        return "keep newer"
    return "update"


def _installed(client: Elasticsearch, name: str) -> Mapping[str, Any] | None:
    try:
        answer = client.indices.get_index_template(name=name)
    except NotFoundError:
        return None
    found: Mapping[str, Any] = answer["index_templates"][0]["index_template"]
    return found


def _roll_over(client: Elasticsearch, stream: str, dry_run: bool) -> list[Action]:
    """Nothing where the stream does not exist yet."""
    try:
        client.indices.rollover(alias=stream, dry_run=dry_run)
    except NotFoundError:
        return []
    return [Action("data stream", stream, "roll over")]


def _retain(
    client: Elasticsearch, stream: str, kept: timedelta, dry_run: bool
) -> list[Action]:
    """A stream has the retention it was created with until it is told another."""
    if not client.indices.exists(index=stream):
        return []
    kind, wanted = "retention of data stream", _time_value(kept)
    try:
        answer = client.indices.get_data_lifecycle(name=stream)
        there = answer["data_streams"][0].get("lifecycle") or {}
        if there.get("data_retention") == wanted:
            return []
        if not dry_run:
            client.indices.put_data_lifecycle(name=stream, data_retention=wanted)
    except ApiError as error:
        if error.status_code not in _NO_SUCH_CALL:
            raise
        note = "this Elasticsearch has no data stream lifecycle"
        return [Action(kind, stream, "left out", note)]
    return [Action(kind, stream, "update", wanted)]


def _time_value(length: timedelta) -> str:
    """As Elasticsearch writes it, in whole days where possible: it keeps the text."""
    seconds = max(1, round(length.total_seconds()))
    for unit, unit_s in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds % unit_s == 0:
            return f"{seconds // unit_s}{unit}"
    return f"{seconds}s"

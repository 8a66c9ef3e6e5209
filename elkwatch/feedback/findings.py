"""Findings in their stream, as feedback needs them: which one, and what it touched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connector import Results, Signature, read_time, stream_name
from elkwatch.errors import FeedbackError
from elkwatch.feedback.opinion import Subject
from elkwatch.proposals.shown import shown

_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Touched:
    """How many findings a feedback was applied to, and when the newest of them was."""

    findings: int = 0
    newest: datetime | None = None


def subject_named(
    results: Results, namespace: str, name: str, source: str | None
) -> Subject:
    """The finding with this id, or the one of this session.

    Raises FeedbackError where there is none, or more than one, or one that was written
    before findings had signatures.
    """
    named: list[dict[str, Any]] = [
        {"ids": {"values": [name]}},
        {"term": {"elkwatch.session.id": name}},
    ]
    query: dict[str, Any] = {"should": named, "minimum_should_match": 1}
    if source is not None:
        query["filter"] = [{"term": {"elkwatch.source": source}}]
    body = {
        "query": {"bool": query},
        "size": _MOST_NAMED + 1,
        "sort": [{"@timestamp": "desc"}],
        "track_total_hits": False,
    }
    hits = results.search(stream_name(namespace), body)["hits"]["hits"]
    if not hits:
        where = f" of source {shown(source)}" if source is not None else ""
        raise FeedbackError(
            f"no finding{where} has the id or session {shown(name)}: it never was, or "
            "is older than `retention.findings`; `elkwatch feedback add` takes the id "
            "that messages and Kibana show as event.id"
        )
    exact = [hit for hit in hits if hit["_id"] == name] or hits
    if len(exact) > 1:
        ids = ", ".join(hit["_id"] for hit in exact[:_MOST_NAMED])
        raise FeedbackError(
            f"session {shown(name)} has several findings: name one by its id, such as "
            f"{ids}"
        )
    return _subject(exact[0])


def touched(results: Results, namespace: str) -> dict[str, Touched]:
    """What each feedback was applied to, by its id, as the findings themselves say."""
    body = {
        "query": {"exists": {"field": "elkwatch.feedback.id"}},
        "size": 0,
        "aggs": {
            "by_id": {
                "terms": {"field": "elkwatch.feedback.id", "size": 10_000},
                "aggs": {"newest": {"max": {"field": "@timestamp"}}},
            }
        },
    }
    answer = results.search(stream_name(namespace), body)
    buckets = answer.get("aggregations", {}).get("by_id", {}).get("buckets", ())
    return {
        bucket["key"]: Touched(bucket["doc_count"], _newest(bucket))
        for bucket in buckets
    }


def _newest(bucket: Mapping[str, Any]) -> datetime | None:
    value = bucket["newest"].get("value")
    return None if value is None else read_time(int(value))


def _subject(hit: Mapping[str, Any]) -> Subject:
    body = hit["_source"]
    own = body["elkwatch"]
    signature = own.get("signature")
    if signature is None:
        raise FeedbackError(
            f"finding {hit['_id']} has no signature: it is normal, or was written by "
            "an elkwatch that knew no feedback; name a newer one of its kind"
        )
    return Subject(
        finding_id=hit["_id"],
        source=own["source"],
        session=own["session"]["id"],
        service=body.get("service", {}).get("name"),
        class_id=own.get("feedback", {}).get("class_before") or own["class"]["id"],
        class_name=own["class"]["name"],
        signature=Signature(
            signature["id"], signature["topic"], tuple(signature.get("lines", ()))
        ),
    )

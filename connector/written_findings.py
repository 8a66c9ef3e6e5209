"""Findings as they stand in their stream, to be changed version by version.

    Results.written ─▶ newest ─▶ finding_from ─▶ changed ─▶ change: that very version

One that somebody else changed since it was read stays as that one wrote it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from elasticsearch import Elasticsearch

from connector.amending import amended, finding_content
from connector.bulk import BulkItem, BulkWriter
from connector.errors import SinkUnavailable
from connector.findings import (
    EvidenceLine,
    FeedbackMark,
    Finding,
    Signature,
    finding_document,
    stream_name,
)
from connector.retrying import RetryPolicy
from connector.timestamps import read_time

ChangeOutcome = Literal["equal", "changed", "conflict", "refused"]


@dataclass(frozen=True, slots=True)
class WrittenFinding:
    """A finding in its backing index. `version`: (seq_no, primary_term)."""

    index: str
    version: tuple[int, int]
    document: Mapping[str, Any]

    @property
    def status(self) -> str | None:
        """Open, withdrawn …, as it was written last."""
        status = self.document.get("elkwatch", {}).get("status")
        return None if status is None else str(status)


def written_finding(hit: Mapping[str, Any]) -> WrittenFinding:
    """A hit with its version, as a search or a read by id answers."""
    version = hit["_seq_no"], hit["_primary_term"]
    return WrittenFinding(hit["_index"], version, hit["_source"])


def finding_from(document: Mapping[str, Any]) -> Finding:
    """The finding that `finding_document` wrote; its key as readers see it.

    Raises KeyError, TypeError or ValueError for what it never wrote.
    """
    event, rule, own = document["event"], document["rule"], document["elkwatch"]
    window = own["session"].get("window_start")
    return Finding(
        source=own["source"],
        session=own["session"]["id"],
        window_start=None if window is None else read_time(window),
        start=read_time(event["start"]),
        end=read_time(event["end"]),
        events=own["session"]["events"],
        detected_at=read_time(event["ingested"]),
        score=own["score"],
        threshold=own["threshold"],
        risk=own["risk"],
        confidence=own["class"]["confidence"],
        class_id=own["class"]["id"],
        class_name=own["class"]["name"],
        pattern=own["pattern"],
        severity=own["severity"],
        known=own["class"]["known"],
        advice=rule["description"],
        causes=tuple(own["causes"]),
        model_version=own["model"]["version"],
        unknown_ratio=own["unknown_ratio"],
        service=document.get("service", {}).get("name"),
        host=document.get("host", {}).get("name"),
        fingerprint=own["fingerprint"],
        evidence=tuple(map(_line, own["evidence"])),
        missing=tuple(own["missing"]),
        log_url=event.get("url"),
        anomaly=own["anomaly"],
        status=own["status"],
        signature=_signature(own.get("signature")),
        feedback=_mark(own.get("feedback")),
        written_as=event["id"],
        class_before=own["class"].get("before"),
    )


class FindingChanger:
    """Puts changed findings in the place of those that were read.

    Raises SinkUnavailable, PrivilegeMissing, IndexBlocked or another EngineError.
    """

    def __init__(
        self, client: Elasticsearch, namespace: str, *, retry: RetryPolicy | None = None
    ) -> None:
        self._namespace = namespace
        self._client = client
        self._retry = retry or RetryPolicy()
        self._doing = f"changing findings in {stream_name(namespace)}"
        self._bulk = BulkWriter(client, doing=self._doing, retry=retry)

    def newest(self, written: Sequence[WrittenFinding]) -> list[WrittenFinding]:
        """These as they stand now: a search may lag behind. Those that are gone are
        left out."""
        wanted = [
            {"_index": one.index, "_id": one.document["event"]["id"]} for one in written
        ]
        answer = self._retry.call(
            lambda: self._client.mget(docs=wanted),
            doing=self._doing,
            exhausted=SinkUnavailable,
        )
        return [written_finding(hit) for hit in answer["docs"] if hit.get("found")]

    def change(
        self, changes: Sequence[tuple[WrittenFinding, Finding]], now: datetime
    ) -> list[ChangeOutcome]:
        """What became of each, in order. equal: it says so already."""
        items: dict[int, BulkItem] = {}
        for place, (written, finding) in enumerate(changes):
            document = finding_document(finding, self._namespace)
            if finding_content(document) != finding_content(written.document):
                items[place] = BulkItem(
                    "index",
                    written.index,
                    finding.finding_id,
                    amended(document, written.document, now),
                    written.version,
                )
        results = self._bulk.write(list(items.values()))
        named: dict[str, ChangeOutcome] = {"written": "changed", "rejected": "refused"}
        outcomes: list[ChangeOutcome] = ["equal"] * len(changes)
        for place, result in zip(items, results, strict=True):
            outcomes[place] = named.get(result.outcome, "conflict")
        return outcomes


def _line(line: Mapping[str, Any]) -> EvidenceLine:
    return EvidenceLine(
        position=line["position"],
        template=line["template"],
        message=line["message"],
        surprise_nats=line["surprise_nats"],
        expected=tuple((text, share) for text, share in line["expected"]),
        doc_id=line.get("doc_id"),
    )


def _signature(own: Mapping[str, Any] | None) -> Signature | None:
    if own is None:
        return None
    return Signature(own["id"], own["topic"], tuple(own["lines"]))


def _mark(own: Mapping[str, Any] | None) -> FeedbackMark | None:
    if own is None:
        return None
    return FeedbackMark(
        own["id"],
        own["verdict"],
        own.get("who", ""),
        own.get("reason", ""),
        own.get("class_before"),
    )

"""Findings into their data stream: each once, amended where it changed.

    ids ──look up across all backing indices──▶ equal? leave it
                                             ├─▶ changed? replace that very version
                                             └─▶ not there? create it

An id is unique within one backing index only, so creating alone would double a finding
after a rollover. Writing the same findings again, after a crash or a late document,
changes only what changed. No write waits until searches see it: what this process wrote
lately is looked up by id in its backing index, which is always up to date.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from elastic_transport import ObjectApiResponse
from elasticsearch import Elasticsearch, NotFoundError

from connector.amending import amended, as_told, finding_content
from connector.bulk import BulkItem, BulkWriter, ItemResult
from connector.dead_letters import DeadLetter, DeadLetterSink
from connector.errors import SinkUnavailable
from connector.findings import Finding, finding_document, stream_name
from connector.retrying import RetryPolicy
from connector.texts import document_text
from connector.write_report import WriteOutcome, WriteReport, outcome_of, quiet_ones
from connector.written_findings import WrittenFinding, written_finding

_IDS_A_SEARCH = 200
_ROUNDS_MAX = 4
_REMEMBERED = 10_000


class FindingSink:
    """Writes findings to `logs-elkwatch.anomaly-<namespace>`.

    The first write creates the data stream, by the index template of `elkwatch setup`.
    Raises SinkUnavailable, PrivilegeMissing, IndexBlocked or another EngineError.
    """

    def __init__(
        self, client: Elasticsearch, namespace: str, *, retry: RetryPolicy | None = None
    ) -> None:
        self._client = client
        self._namespace = namespace
        self._stream = stream_name(namespace)
        self._retry = retry or RetryPolicy()
        self._doing = f"writing findings to {self._stream}"
        self._bulk = BulkWriter(client, doing=self._doing, retry=retry)
        self._dead_letters = DeadLetterSink(client, namespace, retry=retry)
        self._lately: OrderedDict[str, str] = OrderedDict()
        self._before_us: tuple[str, ...] | None = None

    def write(self, findings: Sequence[Finding]) -> WriteReport:
        """Bring the stream up to these findings. Of equal ids the last one counts."""
        wanted = {finding.finding_id: finding for finding in findings}
        outcomes: dict[str, WriteOutcome] = {}
        reasons: dict[str, str] = {}
        existing = self._look_up([i for i in wanted if i not in self._lately])
        existing |= self._get({i: at for i, at in self._lately.items() if i in wanted})
        wanted |= {i: as_told(wanted[i], at.status) for i, at in existing.items()}
        pending = dict(wanted)
        for _ in range(_ROUNDS_MAX):
            items = self._plan(pending, existing, outcomes)
            results = self._bulk.write(items)
            rejected = [r for r in results if r.outcome == "rejected"]
            self._give_up(rejected, wanted, outcomes, reasons)
            for result in results:
                if result.outcome == "written":
                    self._remember(result)
                    finding = wanted[result.item.doc_id]
                    outcomes[result.item.doc_id] = _written_as(result, finding)
            conflicts = [r for r in results if r.outcome == "conflict"]
            if not conflicts:
                return WriteReport(
                    {finding_id: outcomes[finding_id] for finding_id in wanted},
                    reasons,
                    quiet_ones(wanted.values()),
                )
            existing = self._get({r.item.doc_id: r.index for r in conflicts})
            wanted |= {i: as_told(wanted[i], at.status) for i, at in existing.items()}
            pending = {r.item.doc_id: wanted[r.item.doc_id] for r in conflicts}
        raise SinkUnavailable(
            f"{self._doing}: somebody else keeps changing the same findings; is a "
            "second elkwatch running on this namespace?"
        )

    def dead_letter(self, letters: Sequence[DeadLetter]) -> int:
        """Keep what can never be used, with its reason; how many were new."""
        return self._dead_letters.write(letters)

    def _plan(
        self,
        pending: Mapping[str, Finding],
        existing: Mapping[str, WrittenFinding],
        outcomes: dict[str, WriteOutcome],
    ) -> list[BulkItem]:
        """What to write; what needs no writing gets its outcome at once."""
        items = []
        for finding_id, finding in pending.items():
            document = finding_document(finding, self._namespace)
            known = existing.get(finding_id)
            if known is None:
                if finding.status == "withdrawn":
                    outcomes[finding_id] = "absent"
                else:
                    items.append(BulkItem("create", self._stream, finding_id, document))
            elif finding_content(known.document) == finding_content(document):
                outcomes[finding_id] = "exists"
            else:
                newer = amended(document, known.document, finding.detected_at)
                items.append(
                    BulkItem("index", known.index, finding_id, newer, known.version)
                )
        return items

    def _look_up(self, finding_ids: Sequence[str]) -> dict[str, WrittenFinding]:
        """The findings that are there, whichever backing index holds them."""
        found: dict[str, WrittenFinding] = {}
        for i in range(0, len(finding_ids), _IDS_A_SEARCH):
            ids = finding_ids[i : i + _IDS_A_SEARCH]
            try:
                answer = self._retry.call(
                    partial(self._search_ids, ids),
                    doing=self._doing,
                    exhausted=SinkUnavailable,
                    passes=(NotFoundError,),
                )
            except NotFoundError:
                return {}  # the stream is yet to be created
            found.update(_existing(answer["hits"]["hits"]))
        unseen = [i for i in finding_ids if i not in found]
        for index in self._written_before_us() if unseen else ():
            found.update(self._get(dict.fromkeys(unseen, index)))
        return found

    def _written_before_us(self) -> tuple[str, ...]:
        """The two newest backing indices that stood when this sink first looked.

        Another process may have written there a moment ago, and the stream may have
        been rolled over since: a search sees neither before the next refresh, a read
        by id sees both.
        """
        if self._before_us is None:
            resolved = self._retry.call(
                lambda: self._client.indices.resolve_index(
                    name=self._stream, expand_wildcards=["open", "hidden"]
                ),
                doing=self._doing,
                exhausted=SinkUnavailable,
            )
            indices = [
                index
                for stream in resolved["data_streams"]
                for index in stream["backing_indices"]
            ]
            self._before_us = tuple(indices[-2:])
        return self._before_us

    def _search_ids(self, ids: Sequence[str]) -> ObjectApiResponse[Any]:
        """Not with `ignore_unavailable`: that hides a missing privilege to read."""
        return self._client.search(
            index=self._stream,
            query={"ids": {"values": ids}},
            size=2 * _IDS_A_SEARCH,
            seq_no_primary_term=True,
            track_total_hits=False,
            allow_partial_search_results=False,
        )

    def _get(self, places: Mapping[str, str]) -> dict[str, WrittenFinding]:
        """The newest version of findings, by id and backing index, refreshed or not."""
        if not places:
            return {}
        wanted = [{"_index": index, "_id": doc_id} for doc_id, index in places.items()]
        answer = self._retry.call(
            lambda: self._client.mget(docs=wanted),
            doing=self._doing,
            exhausted=SinkUnavailable,
        )
        return _existing(hit for hit in answer["docs"] if hit.get("found"))

    def _remember(self, result: ItemResult) -> None:
        self._lately[result.item.doc_id] = result.index
        self._lately.move_to_end(result.item.doc_id)
        while len(self._lately) > _REMEMBERED:
            self._lately.popitem(last=False)

    def _give_up(
        self,
        rejected: Sequence[ItemResult],
        findings: Mapping[str, Finding],
        outcomes: dict[str, WriteOutcome],
        reasons: dict[str, str],
    ) -> None:
        letters = []
        for result in rejected:
            finding = findings[result.item.doc_id]
            outcomes[finding.finding_id] = "dead"
            reasons[finding.finding_id] = result.reason
            letters.append(
                DeadLetter(
                    where="findings",
                    source=finding.source,
                    reason=result.reason,
                    at=finding.detected_at,
                    index=self._stream,
                    doc_id=finding.finding_id,
                    document=document_text(result.item.document),
                )
            )
        if letters:
            self._dead_letters.write(letters)


def _existing(hits: Iterable[Mapping[str, Any]]) -> dict[str, WrittenFinding]:
    """By id; should one stand in two backing indices, the newer index counts."""
    return {
        hit["_id"]: written_finding(hit)
        for hit in sorted(hits, key=lambda hit: str(hit["_index"]))
    }


def _written_as(result: ItemResult, finding: Finding) -> WriteOutcome:
    created = result.item.action == "create"
    return outcome_of(finding, created=created)

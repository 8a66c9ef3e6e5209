"""Bulk writes in which every single item is accounted for.

An answer of 200 says nothing about the items in it. Each comes back as written, as a
conflict, or as rejected with the reason; what was merely refused for now (429, 503) is
sent again after a pause, in half as large batches. What no item can change (a missing
privilege, a closed index) is raised.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
import orjson
from elasticsearch import ApiError, Elasticsearch

from connector.errors import (
    ConnectorError,
    EngineTooBusy,
    SinkError,
    SinkUnavailable,
)
from connector.faults import TRANSIENT_STATUSES, blocked, privilege_missing, why
from connector.retrying import RetryPolicy

MAX_DOCUMENTS = 500
MAX_BYTES = 5 * 1024 * 1024

_TOO_LARGE = 413
_SPLIT_STATUSES = frozenset({400, _TOO_LARGE})

Outcome = Literal["written", "conflict", "rejected"]


class BulkItem(msgspec.Struct, frozen=True, gc=False):
    """One document to write. `version`: (seq_no, primary_term) it shall replace."""

    action: Literal["create", "index"]
    index: str
    doc_id: str
    document: dict[str, Any]
    version: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class ItemResult:
    """What became of an item. `index`: the backing index that answered.

    version: (seq_no, primary_term) of what was written. status: of what was rejected.
    again: it had been sent before, so that a conflict may be with itself.
    """

    item: BulkItem
    outcome: Outcome
    index: str
    reason: str = ""
    version: tuple[int, int] | None = None
    status: int = 0
    again: bool = False


@dataclass(slots=True)
class _Load:
    """Items on their way: which are pending, how often each was sent, its result."""

    items: Sequence[BulkItem]
    lines: list[tuple[bytes, bytes]] = field(init=False)
    pending: list[int] = field(init=False)
    sent: list[int] = field(init=False)
    results: dict[int, ItemResult] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.lines = [item_lines(item) for item in self.items]
        self.pending = list(range(len(self.items)))
        self.sent = [0] * len(self.items)


class BulkWriter:
    """Writes items and says what became of each, in their order.

    Returns once they are stored; searches see them after the index's next refresh, or
    at once with refresh `wait_for`. Raises `exhausted` when retries made no progress,
    PrivilegeMissing, IndexBlocked, or another EngineError.
    """

    def __init__(
        self,
        client: Elasticsearch,
        *,
        doing: str,
        retry: RetryPolicy | None = None,
        exhausted: type[ConnectorError] = SinkUnavailable,
        refresh: Literal["wait_for"] | None = None,
    ) -> None:
        self._client = client
        self._doing = doing
        self._retry = retry or RetryPolicy()
        self._exhausted = exhausted
        self._refresh = refresh
        self._batch = MAX_DOCUMENTS

    def write(self, items: Sequence[BulkItem]) -> list[ItemResult]:
        """One result an item."""
        load = _Load(items)
        while load.pending:
            before = len(load.pending)
            try:
                self._retry.call(
                    lambda: self._round(load),
                    doing=self._doing,
                    exhausted=self._exhausted,
                    before_retry=self._halve,
                )
            except self._exhausted:
                if len(load.pending) == before:
                    raise
        self._batch = min(MAX_DOCUMENTS, self._batch * 2)
        return [load.results[number] for number in range(len(items))]

    def _round(self, load: _Load) -> None:
        """Send all that is pending once. Raises EngineTooBusy if some was refused."""
        busy: list[int] = []
        reason = ""
        while load.pending:
            batch = self._cut(load)
            answers = self._send(batch, load)
            if answers is None:
                self._batch = len(batch) // 2
                continue
            for number, answer in zip(batch, answers, strict=True):
                again = load.sent[number] > 1
                result = self._judge(load.items[number], answer, again)
                if result is None:
                    busy.append(number)
                    reason = ": ".join(filter(None, why(answer)))
                else:
                    load.results[number] = result
            del load.pending[: len(batch)]
            if busy:
                break
        load.pending[:0] = busy
        if busy:
            raise EngineTooBusy(f"{self._doing}: {reason or 'refused for now'}")

    def _cut(self, load: _Load) -> list[int]:
        """The first of what is pending, bounded in number and bytes."""
        size = 0
        batch: list[int] = []
        for number in load.pending[: self._batch]:
            size += sum(map(len, load.lines[number]))
            if batch and size > MAX_BYTES:
                break
            batch.append(number)
        return batch

    def _send(self, batch: list[int], load: _Load) -> list[dict[str, Any]] | None:
        """One answer an item; None when several were refused as a whole."""
        operations: list[Any] = [line for n in batch for line in load.lines[n]]
        for number in batch:
            load.sent[number] += 1
        try:
            answer = self._client.bulk(operations=operations, refresh=self._refresh)
        except ApiError as error:
            if error.status_code not in _SPLIT_STATUSES:
                raise
            return None if len(batch) > 1 else [_refused(error)]
        return [next(iter(item.values())) for item in answer["items"]]

    def _judge(
        self, item: BulkItem, answer: dict[str, Any], again: bool
    ) -> ItemResult | None:
        """What the answer says about an item; None to send it again."""
        status, index = answer["status"], answer.get("_index", item.index)
        kind, reason = why(answer)
        text = f"{kind}: {reason}" if kind else reason
        if status in {200, 201}:
            if answer.get("failure_store") == "used":
                stored = "Elasticsearch put it into the failure store"
                return ItemResult(item, "rejected", index, stored)
            return ItemResult(item, "written", index, version=_version(answer))
        if status == 409:
            return ItemResult(item, "conflict", index, text, again=again)
        if status in TRANSIENT_STATUSES:
            return None
        if kind == "cluster_block_exception":
            raise blocked(self._doing, reason)
        if status == 403:
            raise privilege_missing(self._doing, reason)
        if status == 404:
            if item.version is not None:
                return ItemResult(item, "conflict", index, text, again=again)
            raise SinkError(
                f"{self._doing}: {text}; run `elkwatch setup`, and allow index "
                "auto-creation (action.auto_create_index) for what elkwatch writes"
            )
        text = text or f"status {status}"
        return ItemResult(item, "rejected", index, text, status=status)

    def _halve(self, _: BaseException) -> None:
        self._batch = max(1, self._batch // 2)


def _refused(error: ApiError) -> dict[str, Any]:
    """What became of the one item of a bulk that was refused as a whole."""
    told = error.body if isinstance(error.body, dict) else {}
    return {"error": "the bulk was refused", **told, "status": error.status_code}


def _version(answer: dict[str, Any]) -> tuple[int, int] | None:
    if "_seq_no" not in answer:
        return None
    return answer["_seq_no"], answer["_primary_term"]


def item_lines(item: BulkItem) -> tuple[bytes, bytes]:
    """The two lines of an item in a bulk body, without their ends."""
    action: dict[str, Any] = {"_index": item.index, "_id": item.doc_id}
    if item.version is not None:
        action["if_seq_no"], action["if_primary_term"] = item.version
    return orjson.dumps({item.action: action}), _json(item.document)


def _json(document: dict[str, Any]) -> bytes:
    """JSON of a document; a lone surrogate in it is escaped, not refused."""
    try:
        return orjson.dumps(document)
    except orjson.JSONEncodeError:
        return json.dumps(document).encode()

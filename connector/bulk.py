"""Bulk writes in which every single item is accounted for.

An answer of 200 says nothing about the items in it. Each comes back as written, as a
conflict, or as rejected with the reason; what was merely refused for now (429, 503) is
sent again after a pause, in half as large batches. What no item can change (a missing
privilege, a closed index) is raised.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import orjson
from elasticsearch import ApiError, Elasticsearch

from connector.errors import EngineTooBusy, SinkError, SinkUnavailable
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
    """What became of an item. `index`: the backing index that answered."""

    item: BulkItem
    outcome: Outcome
    index: str
    reason: str = ""


class BulkWriter:
    """Writes items and says what became of each, in their order.

    Returns once they are stored; searches see them after the index's next refresh.
    Raises SinkUnavailable when retries made no progress, PrivilegeMissing,
    IndexBlocked, or another EngineError.
    """

    def __init__(
        self, client: Elasticsearch, *, doing: str, retry: RetryPolicy | None = None
    ) -> None:
        self._client = client
        self._doing = doing
        self._retry = retry or RetryPolicy()
        self._batch = MAX_DOCUMENTS

    def write(self, items: Sequence[BulkItem]) -> list[ItemResult]:
        """One result an item."""
        results: list[ItemResult | None] = [None] * len(items)
        lines = [item_lines(item) for item in items]
        pending = list(range(len(items)))
        while pending:
            before = len(pending)
            try:
                self._retry.call(
                    lambda: self._round(items, lines, pending, results),
                    doing=self._doing,
                    exhausted=SinkUnavailable,
                    before_retry=self._halve,
                )
            except SinkUnavailable:
                if len(pending) == before:
                    raise
        self._batch = min(MAX_DOCUMENTS, self._batch * 2)
        return [result for result in results if result is not None]

    def _round(
        self,
        items: Sequence[BulkItem],
        lines: Sequence[tuple[bytes, ...]],
        pending: list[int],
        results: list[ItemResult | None],
    ) -> None:
        """Send all that is pending once. Raises EngineTooBusy if some was refused."""
        busy: list[int] = []
        reason = ""
        while pending:
            batch = self._cut(pending, lines)
            answers = self._send(batch, lines)
            if answers is None:
                if len(batch) > 1:
                    self._batch = len(batch) // 2
                    continue
                answers = [{"status": _TOO_LARGE, "error": "the bulk was refused"}]
            for number, answer in zip(batch, answers, strict=True):
                result = self._judge(items[number], answer)
                results[number] = result
                if result is None:
                    busy.append(number)
                    reason = ": ".join(filter(None, why(answer)))
            del pending[: len(batch)]
            if busy:
                break
        pending[:0] = busy
        if busy:
            raise EngineTooBusy(f"{self._doing}: {reason or 'refused for now'}")

    def _cut(self, pending: list[int], lines: Sequence[tuple[bytes, ...]]) -> list[int]:
        """The first of what is pending, bounded in number and bytes."""
        size = 0
        batch: list[int] = []
        for number in pending[: self._batch]:
            size += sum(map(len, lines[number]))
            if batch and size > MAX_BYTES:
                break
            batch.append(number)
        return batch

    def _send(
        self, batch: list[int], lines: Sequence[tuple[bytes, ...]]
    ) -> list[dict[str, Any]] | None:
        """One answer an item; None when the request was refused as a whole."""
        operations: list[Any] = [line for number in batch for line in lines[number]]
        try:
            answer = self._client.bulk(operations=operations)
        except ApiError as error:
            if error.status_code in _SPLIT_STATUSES:
                return None
            raise
        return [next(iter(item.values())) for item in answer["items"]]

    def _judge(self, item: BulkItem, answer: dict[str, Any]) -> ItemResult | None:
        """What the answer says about an item; None to send it again."""
        status, index = answer["status"], answer.get("_index", item.index)
        kind, reason = why(answer)
        text = f"{kind}: {reason}" if kind else reason
        if status in {200, 201}:
            if answer.get("failure_store") == "used":
                stored = "Elasticsearch put it into the failure store"
                return ItemResult(item, "rejected", index, stored)
            return ItemResult(item, "written", index)
        if status == 409:
            return ItemResult(item, "conflict", index, text)
        if status in TRANSIENT_STATUSES:
            return None
        if kind == "cluster_block_exception":
            raise blocked(self._doing, reason)
        if status == 403:
            raise privilege_missing(self._doing, reason)
        if status == 404:
            if item.version is not None:
                return ItemResult(item, "conflict", index, text)
            raise SinkError(
                f"{self._doing}: {text}; run `elkwatch setup`, and allow index "
                "auto-creation (action.auto_create_index) for what elkwatch writes"
            )
        return ItemResult(item, "rejected", index, text or f"status {status}")

    def _halve(self, _: BaseException) -> None:
        self._batch = max(1, self._batch // 2)


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

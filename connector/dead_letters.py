"""What can never be used or written, kept to be looked at: the dead letters.

One document each in `elkwatch-dead-letters-<namespace>`, with the reason, where it
happened, and the document as text. The id comes from what it is, so that a replay
writes it once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from elasticsearch import Elasticsearch

from connector.bulk import BulkItem, BulkWriter
from connector.elastic_state import state_index
from connector.errors import SinkError
from connector.records import DecodeProblem
from connector.retrying import RetryPolicy
from connector.timestamps import to_iso

DEAD_LETTERS_KIND = "dead-letters"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A document that was given up. `where`: decode, findings, run.

    `index` and `doc_id` tell where it stands, or should have stood; `document` is its
    JSON text, at most 32 kB.
    """

    where: str
    source: str
    reason: str
    at: datetime
    index: str = ""
    doc_id: str = ""
    document: str = ""

    @classmethod
    def of_problem(
        cls, problem: DecodeProblem, *, source: str, at: datetime
    ) -> "DeadLetter":
        """The dead letter of a log document that could not be decoded."""
        return cls(
            where="decode",
            source=source,
            reason=problem.reason,
            at=at,
            index=problem.index,
            doc_id=problem.doc_id,
            document=problem.document,
        )

    @property
    def letter_id(self) -> str:
        """The `_id`: what and where, not when."""
        what = self.doc_id or self.document
        parts = (self.where, self.source, self.index, what)
        text = "\0".join(parts).encode("utf-8", "surrogatepass")
        return sha256(text).hexdigest()[:32]


class DeadLetterSink:
    """Writes dead letters. Raises what BulkWriter does."""

    def __init__(
        self, client: Elasticsearch, namespace: str, *, retry: RetryPolicy | None = None
    ) -> None:
        self._index = state_index(DEAD_LETTERS_KIND, namespace)
        self._bulk = BulkWriter(client, doing="writing dead letters", retry=retry)

    def write(self, letters: Sequence[DeadLetter]) -> int:
        """Write them; how many were new. Raises SinkError for one that is refused."""
        unique = {letter.letter_id: letter for letter in letters}
        results = self._bulk.write(
            [
                BulkItem("create", self._index, letter_id, _document(letter))
                for letter_id, letter in unique.items()
            ]
        )
        for result in results:
            if result.outcome == "rejected":
                raise SinkError(
                    f"writing dead letters: {result.reason}; is {self._index} mapped "
                    "by something else? Delete it and run `elkwatch setup`"
                )
        return sum(result.outcome == "written" for result in results)


def _document(letter: DeadLetter) -> dict[str, Any]:
    return {
        "@timestamp": to_iso(letter.at),
        "message": letter.reason,
        "elkwatch": {
            "where": letter.where,
            "source": letter.source,
            "index": letter.index,
            "doc_id": letter.doc_id,
            "document": letter.document,
        },
    }

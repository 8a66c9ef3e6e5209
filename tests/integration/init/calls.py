"""A call of `elkwatch init`, and logs for it to look at."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from elasticsearch import Elasticsearch

from tests.connector.indexed import put

KEYWORDS = {
    "dynamic_templates": [
        {
            "texts": {
                "match_mapping_type": "string",
                "mapping": {"type": "keyword", "ignore_above": 1024},
            }
        }
    ],
    "properties": {"@timestamp": {"type": "date"}},
}
HOUR = timedelta(hours=1)
LATELY = datetime.now(UTC) - HOUR


@dataclass(frozen=True, slots=True)
class Told:
    """What a call of `init` said, and the file it wrote."""

    code: int
    out: str
    err: str
    file: Path

    @property
    def json(self) -> dict[str, Any]:
        """Standard output as JSON."""
        answer: dict[str, Any] = json.loads(self.out)
        return answer

    def source(self, index: str) -> dict[str, Any]:
        """The source proposed for this pattern."""
        return next(s for s in self.json["sources"] if s["index"] == index)

    def reason(self, index: str) -> str:
        """Why this one is not proposed."""
        passed = self.json["not_proposed"]
        return next(str(p["reason"]) for p in passed if p["name"] == index)


Init = Callable[..., Told]


def put_many(
    es: Elasticsearch,
    index: str,
    documents: Iterable[Mapping[str, Any]],
    mappings: Mapping[str, Any] | None = KEYWORDS,
) -> None:
    rest = iter(documents)
    while batch := list(islice(rest, 2000)):
        put(es, index, batch, mappings)

"""The documents of a time range, shared out by session key: every session in one share.

    composite aggregation ──▶ keys in order, with counts ──▶ cut points
    without a key | below the first cut | from cut to cut … | from the last cut on

A document is in exactly one range: one with several keys where its lowest is, and one
whose key the mapping does not index (it is too long) among those without.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from connector.capabilities import Capabilities, any_of
from connector.own_output import own_output_clauses
from connector.pit import Clause
from connector.records import SourceSpec

KEYS_A_PAGE = 10_000
PAGES_MAX = 1000

Ask = Callable[[dict[str, Any]], Mapping[str, Any]]
"""Sends the body of a search; gives the answer where every shard did."""


@dataclass(frozen=True, slots=True)
class KeyRange:
    """Documents whose key is in [first, beyond), by bytes; None: no bound there.

    `path`: the keyword that holds the key; None: all documents. `keyless`: those
    without a key instead.
    """

    path: str | None = None
    first: str | None = None
    beyond: str | None = None
    keyless: bool = False

    def clauses(self) -> list[Clause]:
        """What finds them."""
        if self.path is None:
            return []
        none: Clause = {"term": {self.path: ""}}
        if self.keyless:
            missing = {"bool": {"must_not": [{"exists": {"field": self.path}}]}}
            return [any_of([missing, none])]
        bounds = {"gt": ""} if self.first is None else {"gte": self.first}
        if self.beyond is not None:
            bounds["lt"] = self.beyond
        below: Clause = none
        if self.first is not None:
            below = {"range": {self.path: {"lt": self.first}}}
        inside = {"range": {self.path: bounds}}
        return [{"bool": {"filter": [inside], "must_not": [below]}}]


@dataclass(frozen=True, slots=True)
class KeyRanges:
    """The ranges, those without a key first. `note`: why they are not as wished."""

    ranges: tuple[KeyRange, ...]
    note: str | None = None


def find_key_ranges(
    ask: Ask,
    spec: SourceSpec,
    capabilities: Capabilities,
    in_time: Clause,
    count: int,
) -> KeyRanges:
    """About `count` ranges of like many documents, and one for those without a key.

    One that holds everything where `count` is 1, or no keyword holds the key.
    """
    if count == 1:
        return KeyRanges((KeyRange(),))
    path, why_not = _keyword(spec, capabilities)
    if path is None:
        return KeyRanges((KeyRange(),), why_not)
    pages = _Pages(ask, path, in_time)
    cuts = cut_points(pages.keys(), pages.documents, count)
    bounds = [None, *cuts, None]
    ranges = [KeyRange(path, first, beyond) for first, beyond in pairwise(bounds)]
    note = None
    if pages.cut:
        note = f"more than {KEYS_A_PAGE * PAGES_MAX:,} keys: the last range is longer"
    return KeyRanges((KeyRange(path, keyless=True), *ranges), note)


def cut_points(
    sizes: Iterable[tuple[str, int]], documents: int, count: int
) -> list[str]:
    """Up to `count` - 1 keys at which ranges begin. `sizes`: keys in order, documents
    of each; `documents`: of all.

    A key is never cut; what is left is shared out anew after each cut, so that one
    large key makes no empty ranges.
    """
    cuts: list[str] = []
    here, left = 0, documents
    for key, size in sizes:
        share = left / (count - len(cuts))
        if here and here + size / 2 > share:
            cuts.append(key)
            left -= here
            here = 0
            if len(cuts) == count - 1:
                break
        here += size
    return cuts


class _Pages:
    """The keys of a time range, by pages of an aggregation: a bounded number."""

    def __init__(self, ask: Ask, path: str, in_time: Clause) -> None:
        self._ask = ask
        self._path = path
        self._in_time = in_time
        self.cut = False
        answer = ask(self._request("", {"track_total_hits": True}))
        self.documents: int = answer["hits"]["total"]["value"]

    def keys(self) -> Iterator[tuple[str, int]]:
        """Each key with its documents, in the order of bytes."""
        after = ""
        for _ in range(PAGES_MAX):
            source = {"key": {"terms": {"field": self._path}}}
            pages: dict[str, Any] = {"size": KEYS_A_PAGE, "sources": [source]}
            if after:
                pages["after"] = {"key": after}
            body = self._request(
                after,
                {
                    "track_total_hits": False,
                    "aggregations": {"keys": {"composite": pages}},
                },
            )
            buckets = self._ask(body)["aggregations"]["keys"]["buckets"]
            for bucket in buckets:
                yield bucket["key"]["key"], bucket["doc_count"]
            if len(buckets) < KEYS_A_PAGE:
                return
            after = buckets[-1]["key"]["key"]
        self.cut = True

    def _request(self, above: str, more: Mapping[str, Any]) -> dict[str, Any]:
        of_key = {"range": {self._path: {"gt": above}}}
        return {
            "size": 0,
            "query": {
                "bool": {
                    "filter": [self._in_time, of_key],
                    "must_not": own_output_clauses(),
                }
            },
            **more,
        }


def _keyword(
    spec: SourceSpec, capabilities: Capabilities
) -> tuple[str | None, str | None]:
    """The keyword that holds the session key; or None, and why there is none."""
    path = spec.session.field
    if spec.session.pattern:
        return None, "session keys stand in the message, not in a field"
    if path is None:
        return None, "sessions are windows of several fields, not of one key"
    types = capabilities.types(path)
    if types == ("keyword",):
        return path, None
    if types == ("text",) and capabilities.has_keyword(path):
        return f"{path}.keyword", None
    return None, f"{path} is mapped as {' and '.join(types) or 'nothing'}, no keyword"

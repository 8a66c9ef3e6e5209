"""Trouble on demand for a real Elasticsearch."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from elasticsearch import ApiError, Elasticsearch, ElasticsearchWarning


@contextmanager
def out_of_memory(es: Elasticsearch) -> Iterator[None]:
    """Inside, Elasticsearch answers 429 to searches and bulks: its breaker is open."""
    try:
        set_breaker(es, "5%")
        yield
    finally:
        set_breaker(es, None)


def set_breaker(es: Elasticsearch, limit: str | None) -> None:
    """Set the limit of the parent circuit breaker; None takes it back."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ElasticsearchWarning)
        for tries_left in reversed(range(20)):
            try:
                es.cluster.put_settings(
                    transient={"indices.breaker.total.limit": limit}
                )
            except ApiError:  # it may be too short of memory for this as well
                if not tries_left:
                    raise
            else:
                return

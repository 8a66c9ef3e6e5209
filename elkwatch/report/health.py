"""Run figures of the metrics stream, summed up by source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from elkwatch.report.data import Rounds, SourceHealth
from elkwatch.report.documents import Fields, UnreadableDocumentError

_MAX_SOURCES = 200


@dataclass(slots=True)
class _SourceBook:
    last_run: datetime
    first_run: datetime
    runs: int = 0
    failed: int = 0
    documents: int = 0
    late: int = 0
    problems: int = 0
    sessions: int = 0
    dead_letters: int = 0
    unknown: float = 0.0
    longest_s: float = 0.0
    lag_s: float | None = None
    model_version: str = ""
    last_failure: str | None = None
    failing: bool = False
    held_back: int = 0
    outdated: str = ""

    def add(self, fields: Fields, ended: datetime) -> None:
        documents = fields.whole("elkwatch.run.documents.read")
        self.runs += 1
        self.documents += documents
        self.unknown += fields.number("elkwatch.run.unknown_ratio") * documents
        self.late += fields.whole("elkwatch.run.documents.late")
        self.problems += fields.whole("elkwatch.run.documents.problems")
        self.sessions += fields.whole("elkwatch.run.sessions.scored")
        self.dead_letters += fields.whole("elkwatch.run.dead_letters")
        self.held_back += fields.whole("elkwatch.run.findings.held_back")
        self.longest_s = max(self.longest_s, fields.number("event.duration") / 1e9)
        self.first_run = min(self.first_run, ended)
        failure = fields.optional_text("error.message")
        self.failed += failure is not None
        if ended >= self.last_run:
            self.last_run = ended
            self.lag_s = None
            if fields.get("elkwatch.run.lag_s") is not None:
                self.lag_s = fields.number("elkwatch.run.lag_s")
            self.model_version = fields.text("elkwatch.model.version")
            self.last_failure = failure or self.last_failure
            self.failing = failure is not None
            self.outdated = fields.text("elkwatch.model.reason")


@dataclass(slots=True)
class _RoundsBook:
    last_round: datetime
    rounds: int = 0
    sent: int = 0
    retried: int = 0
    given_up: int = 0
    memory_bytes: int | None = None
    gpu_memory_bytes: int | None = None
    longest_s: float = 0.0

    def add(self, fields: Fields, ended: datetime) -> None:
        self.rounds += 1
        self.sent += fields.whole("elkwatch.run.notifications.sent")
        self.retried += fields.whole("elkwatch.run.notifications.retried")
        self.given_up += fields.whole("elkwatch.run.notifications.failed")
        self.memory_bytes = _more(
            self.memory_bytes, fields, "elkwatch.run.memory_bytes"
        )
        self.gpu_memory_bytes = _more(
            self.gpu_memory_bytes, fields, "elkwatch.run.gpu_memory_bytes"
        )
        self.longest_s = max(self.longest_s, fields.number("event.duration") / 1e9)
        self.last_round = max(self.last_round, ended)


def _more(known: int | None, fields: Fields, path: str) -> int | None:
    if fields.get(path) is None:
        return known
    return max(known or 0, fields.whole(path))


class HealthBook:
    """Adds up the documents of runs, in any order."""

    def __init__(self) -> None:
        self._sources: dict[str, _SourceBook] = {}
        self._rounds: _RoundsBook | None = None

    def add(self, document: Mapping[str, Any]) -> None:
        """Take one document in; what is no run is passed over."""
        try:
            fields = Fields(document)
        except UnreadableDocumentError:
            return
        ended = fields.time("event.end") or fields.time("@timestamp")
        if ended is None:
            return
        name = fields.text("elkwatch.source")
        if not name:
            self._add_round(fields, ended)
            return
        if name not in self._sources and len(self._sources) >= _MAX_SOURCES:
            return
        book = self._sources.setdefault(name, _SourceBook(ended, ended))
        book.add(fields, ended)

    def sources(self) -> tuple[SourceHealth, ...]:
        """The figures by source, in the order of their names."""
        return tuple(self._health(name) for name in sorted(self._sources))

    def documents(self) -> int | None:
        """Documents read in all; None when no run is known."""
        if not self._sources:
            return None
        return sum(book.documents for book in self._sources.values())

    def sessions(self) -> int | None:
        """Sessions scored in all; None when no run is known."""
        if not self._sources:
            return None
        return sum(book.sessions for book in self._sources.values())

    def notifications(self) -> dict[str, int]:
        """What was sent in all; empty when no run is known."""
        if not self._sources:
            return {}
        return {"notifications": 0 if self._rounds is None else self._rounds.sent}

    def rounds(self) -> Rounds | None:
        """What the rounds sent and took; None when none is known."""
        book = self._rounds
        if book is None:
            return None
        return Rounds(
            rounds=book.rounds,
            sent=book.sent,
            retried=book.retried,
            given_up=book.given_up,
            memory_bytes=book.memory_bytes,
            gpu_memory_bytes=book.gpu_memory_bytes,
            longest_s=book.longest_s,
            last_round=book.last_round,
        )

    def span(self) -> list[datetime]:
        """The times of the first and last runs."""
        books = self._sources.values()
        return [t for book in books for t in (book.first_run, book.last_run)]

    def _add_round(self, fields: Fields, ended: datetime) -> None:
        if fields.get("elkwatch.run.notifications") is None:
            return
        if self._rounds is None:
            self._rounds = _RoundsBook(ended)
        self._rounds.add(fields, ended)

    def _health(self, name: str) -> SourceHealth:
        book = self._sources[name]
        return SourceHealth(
            source=name,
            runs=book.runs,
            failed=book.failed,
            documents=book.documents,
            late=book.late,
            problems=book.problems,
            sessions=book.sessions,
            dead_letters=book.dead_letters,
            unknown_ratio=book.unknown / book.documents if book.documents else 0.0,
            lag_s=book.lag_s,
            last_run=book.last_run,
            longest_run_s=book.longest_s,
            model_version=book.model_version,
            last_failure=book.last_failure,
            failing=book.failing,
            held_back=book.held_back,
            outdated=book.outdated,
        )

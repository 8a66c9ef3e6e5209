"""One source at work: what it reads with, what is open, where it stands.

`Reading` turns pages into arrivals for the tracker; it knows which documents are new,
which were read before (the overlap, or after a restart) and which are late.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from connector import Cursor, CursorStore, LogDocument, LogSource, Page, SeenIds
from elkwatch.config import SourceSettings
from elkwatch.confirm import keyless_unit
from elkwatch.feedback import NO_OPINIONS, Opinions
from elkwatch.model_drift import drift_of
from elkwatch.read_limits import ReadLimits, tracker_limits
from elkwatch.shadow import Shadow
from elkwatch.source_watch import watch_of
from model import (
    EPOCH,
    MAX_CHARS,
    UNK,
    Arrival,
    Candidate,
    Classifier,
    GrowingScores,
    SessionTracker,
)


@dataclass(slots=True)
class ReadCounts:
    """What came in since the last figures were written.

    `too_long`: messages of which the templates see only the begin.
    """

    documents: int = 0
    read_again: int = 0
    late: int = 0
    unknown: int = 0
    problems: int = 0
    too_long: int = 0

    @property
    def unknown_ratio(self) -> float:
        """Share of the documents that match no template, 0 to 1."""
        return self.unknown / self.documents if self.documents else 0.0


class Reading:
    """Where the reading of one source stands, and its open sessions."""

    def __init__(
        self,
        settings: SourceSettings,
        source: LogSource,
        classifier: Classifier,
        cursors: CursorStore,
        limits: ReadLimits,
    ) -> None:
        self.settings = settings
        self.source = source
        self.classifier = classifier
        self.counts = ReadCounts()
        self.newest: datetime | None = None
        self.opinions: Opinions = NO_OPINIONS
        self.drift = drift_of(classifier.model)
        self.services = watch_of(settings, classifier.model.rates)
        self.shadow: Shadow | None = None
        self._limits = limits
        self._cursors = cursors
        self._cursor: Cursor | None = None
        self._seen = SeenIds()
        self._known_until: datetime | None = None
        self._resumed = False
        self._now = EPOCH
        self.tracker = SessionTracker(tracker_limits(settings, source, limits))
        self._growing: GrowingScores | None = None

    def begin(self, now: datetime) -> datetime | None:
        """Where to read from in this run; None is the earliest document.

        The first time after a start: from where the earliest open session began, so
        that what is open is known again.
        """
        self._now = now
        if self._cursor is None:
            self._cursor = self._cursors.load(self.settings.name) or Cursor(
                self.settings.name, self.source.cursor_field
            )
            self._seen = SeenIds.restore(self._cursor.seen)
            notes = json.loads(self._cursor.notes or "{}")
            self.drift = self.drift.restored(notes)
            if self.services is not None:
                self.services.restore(notes.get("watch", {}))
            self._resumed = True
        self._known_until = self._seen.newest
        position = self._cursor.position
        if position is None:
            return self.settings.start.resolve(now)
        if self._cursor.cursor_field != self.source.cursor_field:
            return self._in_another_order(position)
        start = self._overlap_from(position)
        if self._resumed and self._cursor.open_from is not None:
            start = min(start, self._cursor.open_from)
        return start

    def _in_another_order(self, position: datetime) -> datetime:
        """The source is read by another field now: positions do not compare.

        All that a session may span is read again; what was found is found again.
        """
        assert self._cursor is not None
        field, age = self.source.cursor_field, self.settings.max_session_age
        self._cursor = replace(self._cursor, cursor_field=field, position=None)
        return min(position, self._cursor.open_from or position) - age

    def take(self, page: Page) -> None:
        """Takes the documents of one page into the open sessions."""
        documents: Sequence[LogDocument] = page.documents
        self.counts.problems += len(page.problems)
        if not documents:
            return
        standing = self._standings(documents)
        if standing is not None:
            documents = [d for d, _, _ in standing]
        messages = [document.message for document in documents]
        if max(map(len, messages), default=0) > MAX_CHARS:
            self.counts.too_long += sum(len(each) > MAX_CHARS for each in messages)
        ids = self.classifier.event_ids(messages)
        new, late = [True] * len(documents), [False] * len(documents)
        if standing is None:
            self._count_new(len(documents), ids.count(UNK))
        else:
            new = [each for _, each, _ in standing]
            late = [each for _, _, each in standing]
            self._count_standing(standing, ids, len(page.documents))
        if self.services is not None:
            for document, event, each in zip(documents, ids, new, strict=True):
                time = min(document.time, self._now)  # not that of a clock gone wrong
                self.services.take(time, document.service, event, new=each)
        arrivals = list(map(_arrival, documents, ids, late))
        self.tracker.add_all(arrivals)
        newest = max((d.time for d in documents), default=self.newest)
        if self.newest is None or (newest is not None and newest > self.newest):
            self.newest = newest
        if self.shadow is not None:
            self.shadow.take(arrivals, messages)

    def _standings(
        self, documents: Sequence[LogDocument]
    ) -> list[tuple[LogDocument, bool, bool]] | None:
        """The documents to take, each with whether it is new, and late.

        None: all of them are new, since they stand past all that was read before.
        """
        earliest = min([document.cursor_time for document in documents])
        known_until = self._known_until
        position = None if self._cursor is None else self._cursor.position
        if (known_until is None or earliest > known_until) and (
            position is None or earliest >= position
        ):
            self._seen.add_new(documents)
            return None
        taken = []
        for document in documents:
            known = (
                known_until is not None
                and document.cursor_time <= known_until
                and document in self._seen
            )
            new, late = (False, False)
            if self._resumed or not known:
                new, late = self._standing(document, known)
            if new or late or self._resumed:
                taken.append((document, new, late))
        return taken

    def _count_new(self, documents: int, unknown: int) -> None:
        self.counts.documents += documents
        self.counts.unknown += unknown

    def _count_standing(
        self,
        standing: Sequence[tuple[LogDocument, bool, bool]],
        ids: Sequence[int],
        read: int,
    ) -> None:
        counts = self.counts
        new = [each for _, each, _ in standing]
        counts.read_again += read - sum(new)
        counts.late += sum(late for _, _, late in standing)
        unknown = sum(each and i == UNK for each, i in zip(new, ids, strict=True))
        self._count_new(sum(new), unknown)

    def screen(self, candidates: Sequence[Candidate]) -> list[float]:
        """The scores of candidates (N), in order; of growing ones only what is new."""
        if self._growing is None:
            self._growing = self.classifier.growing(self._limits.max_open)
        growing = [c for c in candidates if c.reason == "growing"]
        over = [c for c in candidates if c.reason != "growing"]
        self._growing.forget((c.key, c.window_start) for c in over)
        open_scores = iter(
            self._growing.score(
                [(c.key, c.window_start) for c in growing],
                [c.encoded for c in growing],
            )
        )
        scores = iter(self.classifier.score([c.encoded for c in over]))
        return [
            next(open_scores if c.reason == "growing" else scores) for c in candidates
        ]

    def save(self, position: datetime | None) -> None:
        """Everything up to `position` (cursor time) is stored: remember that."""
        self.keep(self.standing_at(position))

    def standing_at(self, position: datetime | None) -> Cursor:
        """What to keep once everything up to `position` (cursor time) is stored."""
        assert self._cursor is not None  # begin() comes first
        known = self._cursor.position
        if position is None or (known is not None and known > position):
            position = known
        if position is not None:
            self._seen.prune(position - self._limits.overlap)
        return replace(
            self._cursor,
            position=position,
            open_from=self.tracker.open_from,
            seen=self._seen.snapshot(),
            notes=json.dumps(self._watched()),
        )

    def keep(self, cursor: Cursor) -> None:
        """Stores the cursor over the one that was stored last, with the drift of now.

        What was confirmed since it was made counts for the drift, too.
        """
        assert self._cursor is not None
        notes = json.dumps({**self.drift.state(), **json.loads(cursor.notes)})
        version = self._cursor.version
        self._cursor = self._cursors.save(replace(cursor, version=version, notes=notes))

    def _watched(self) -> dict[str, object]:
        return {} if self.services is None else {"watch": self.services.state()}

    def start_again(self) -> None:
        """Forgets what is in memory: the next run resumes from the stored cursor."""
        self._cursor, self._resumed = None, False
        self._seen = SeenIds()
        self.newest = None
        self.tracker = SessionTracker(self.tracker.limits)
        self._growing = None
        if self.shadow is not None:
            self.shadow.start_again()

    def watch(self, candidate: Classifier | None) -> None:
        """Lets a candidate see the same pages from here on; None: no more.

        What is open is read again, so that both know the same of it.
        """
        self.shadow = None
        if candidate is not None:
            self.shadow = Shadow(candidate, self.tracker.limits)
            self.start_again()

    def adopt(self, classifier: Classifier) -> None:
        """Goes on with another model, as a process would that was started anew.

        What is open was encoded by the old one's templates: it is read again.
        """
        self.classifier = classifier
        self.drift = drift_of(classifier.model).restored(self.drift.state())
        self.services = watch_of(self.settings, classifier.model.rates)
        self.start_again()

    def caught_up(self) -> None:
        """What was open before a restart is known again from here on."""
        self._resumed = False

    @property
    def position(self) -> datetime | None:
        """Up to where the source was read, by its cursor field."""
        return None if self._cursor is None else self._cursor.position

    def _overlap_from(self, position: datetime) -> datetime:
        """From where on late documents can be told from those read before.

        Later than the overlap where it held more documents than can be remembered.
        """
        start = position - self._limits.overlap
        known_from = self._seen.complete_from
        return start if known_from is None else min(max(start, known_from), position)

    def _standing(self, document: LogDocument, known: bool) -> tuple[bool, bool]:
        """Whether a document is new, and whether it is late.

        After a restart what stands before the overlap was read before the stop.
        """
        position = None if self._cursor is None else self._cursor.position
        if position is None or document.cursor_time >= position:
            return self._seen.add(document), False
        if document.cursor_time < self._overlap_from(position):
            return False, False
        self._seen.add(document)
        return not known, not known


def _arrival(document: LogDocument, event_id: int, late: bool) -> Arrival:
    return Arrival(
        document.key or keyless_unit(document),
        document.key is None,
        document.time,
        document.cursor_time,
        -1 if document.sequence is None else document.sequence,
        event_id,
        late,
    )

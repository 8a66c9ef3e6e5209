"""The way of the data, as one function; everything it uses decides, it only connects.

    Elasticsearch ──pages──▶ documents ──▶ open sessions ──▶ what deviates
          ──confirm (fetch whole)──▶ verdicts ──▶ findings ──▶ episodes ──▶ outbox
          ──▶ cursor

Three threads: pages are read ahead, documents are taken and sessions screened here, and
what a step found is confirmed and written behind, one step after the other. The order
of writing is fixed: findings, then episodes and outbox rows, then the cursor. Each is
idempotent, so a crash between any two repeats work and neither loses nor doubles
anything. Before each of them the fence is asked whether this process is still the one
that writes; what fails behind ends the run before anything else is written.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from connector import Cursor, DecodeProblem, Page
from elkwatch.ahead import Ahead
from elkwatch.behind import Behind
from elkwatch.confirm import Confirmation
from elkwatch.model_drift import Batch
from elkwatch.outdated import tell_of_state
from elkwatch.outputs import LogUrl, Outputs, Progress, Screened, nobody
from elkwatch.pace import Pace
from elkwatch.read_limits import ReadLimits
from elkwatch.source_run import Reading
from elkwatch.source_watch import verdict_of
from elkwatch.telling import has_error_line, unexplained
from elkwatch.writing import keep_problems, write_verdicts
from model import UNK, Candidate, Verdict

MOST_PAGES_AHEAD = 20
MOST_PROBLEMS = 1000
MOST_AHEAD = 32 * 1024 * 1024  # characters of messages
WHOLE_AT_ONCE = 500
Unit = tuple[str, datetime | None]


def run_source(
    reading: Reading,
    outputs: Outputs,
    limits: ReadLimits,
    now: datetime,
    *,
    log_url: LogUrl,
    stop: Callable[[], bool] = lambda: False,
) -> Progress:
    """Works through a source until `now − query_delay`; → what it did.

    Raises what the connector and the alert store raise; what was stored by then stays,
    the rest is done by the next run.
    """
    progress = Progress()
    until = now - limits.query_delay
    reading.opinions = outputs.opinions(reading.settings.name, now)
    start = progress.since = reading.begin(now)
    run = _Run(reading, outputs, progress, until, now, log_url)
    ahead = _read_ahead(reading.source.pages(start, until))
    with ahead, Behind(threaded=run.may_write_behind) as behind:
        problems: list[DecodeProblem] = []
        for newest in _steps(ahead, behind, run, problems):
            behind.settle()  # what it reported is looked at again when it closes
            watermark = min(reading.newest or until, until)
            seen = run.screen(reading.tracker.close_due(watermark), watermark)
            run.pace.found(len(seen.odd))
            cursor = reading.standing_at(newest)
            settle = partial(run.settle, tuple(problems), seen, watermark, cursor)
            behind.give(settle)
            problems.clear()
            if stop():
                behind.settle()
                return progress
    over = reading.tracker.close_due(until)
    seen = run.screen(over + reading.tracker.growing(), until)
    run.write(tuple(problems), seen, until)
    _tell_of_services(run)
    _advance(reading, outputs, now)
    reading.caught_up()
    outputs.fence()
    reading.save(until)
    if tell_of_state(reading, outputs, until, now):
        reading.save(until)
    progress.caught_up = True
    progress.lag_s = (now - until).total_seconds()
    return progress


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the screening of a step came to.

    `odd`: to be looked at whole; `counted`: which of them count for the drift
    of the model; `rest`: the other sessions that are over, none of them flagged.
    """

    odd: Sequence[Candidate]
    counted: frozenset[Unit]
    rest: Batch


@dataclass(frozen=True, slots=True)
class _Run:
    """One run over one source: what its steps are done with."""

    reading: Reading
    outputs: Outputs
    progress: Progress
    until: datetime
    now: datetime
    log_url: LogUrl
    pace: Pace = field(default_factory=Pace)

    @property
    def may_write_behind(self) -> bool:
        """Not where somebody watches the screening: all in its order then."""
        return self.outputs.screened is nobody and self.reading.shadow is None

    def take(self, page: Page) -> datetime | None:
        """Documents into open sessions; → up to where, by the cursor field."""
        began = time.monotonic()
        self.reading.take(page)
        newest = max([d.cursor_time for d in page.documents], default=None)
        self.progress.watch.add("take", time.monotonic() - began)
        return newest

    def screen(self, candidates: Sequence[Candidate], watermark: datetime) -> _Seen:
        """Which of the candidates are to be looked at whole."""
        reading, outputs, progress = self.reading, self.outputs, self.progress
        began = time.monotonic()
        scores = reading.screen(candidates)
        score_s = time.monotonic() - began
        progress.watch.add("score", score_s)
        outputs.screened(
            Screened(reading, candidates, scores, watermark, self.until, self.now)
        )
        ended = [
            score
            for c, score in zip(candidates, scores, strict=True)
            if c.reason != "growing"
        ]
        progress.sessions += len(ended)
        threshold = reading.classifier.threshold
        progress.quality.screened(ended, threshold)
        if reading.shadow is not None:
            alarms = [score > threshold for score in scores]
            reading.shadow.screened(candidates, alarms, score_s, watermark)
        odd = [
            c
            for c, score in zip(candidates, scores, strict=True)
            if score > threshold
            or c.recheck
            or (outputs.include_normal and c.reason != "growing")
        ]
        return _seen(candidates, odd)

    def settle(
        self,
        problems: Sequence[DecodeProblem],
        seen: _Seen,
        watermark: datetime,
        cursor: Cursor,
    ) -> None:
        """Writes what a step found; after that, and only then, how far it read."""
        self.write(problems, seen, watermark)
        self.outputs.fence()
        self.reading.keep(cursor)

    def write(
        self,
        problems: Sequence[DecodeProblem],
        seen: _Seen,
        watermark: datetime,
    ) -> None:
        """Confirms what deviates, writes findings, then episodes."""
        keep_problems(problems, self.reading, self.outputs, self.now)
        reading, watch = self.reading, self.progress.watch
        confirmation = Confirmation(reading.source, reading.tracker)
        reading.drift.take(seen.rest, watermark)
        for at in range(0, len(seen.odd), WHOLE_AT_ONCE):
            began = time.monotonic()
            part = seen.odd[at : at + WHOLE_AT_ONCE]
            whole = confirmation.whole(part, watermark, self.until)
            watch.add("confirm", time.monotonic() - began)
            began = time.monotonic()
            verdicts = reading.classifier.classify(whole)
            watch.add("classify", time.monotonic() - began)
            self.progress.confirmed += sum(v.anomaly for v in verdicts)
            if reading.shadow is not None:
                reading.shadow.confirmed(whole, verdicts)
            began = time.monotonic()
            severe = [has_error_line(session) for session in whole]
            reading.drift.take(_batch(verdicts, severe, seen.counted), watermark)
            self.keep(verdicts, severe)
            watch.add("write", time.monotonic() - began)

    def keep(self, verdicts: Sequence[Verdict], severe: Sequence[bool]) -> None:
        """Writes verdicts (N); those that are `severe` (N) are told in any case."""
        write_verdicts(
            self.reading,
            self.outputs,
            verdicts,
            severe,
            self.now,
            self.log_url,
            self.progress,
        )


def _unit(one: Candidate | Verdict) -> Unit:
    return one.key, one.window_start


def _seen(candidates: Sequence[Candidate], odd: Sequence[Candidate]) -> _Seen:
    """The candidates (N) by what they count for; `odd` are some of them."""
    over = [c for c in candidates if c.reason != "growing" and not c.recheck]
    counted = frozenset({_unit(c) for c in over} & {_unit(c) for c in odd})
    rest = [c for c in over if _unit(c) not in counted]
    strange = sum(UNK in c.encoded.ids for c in rest)
    return _Seen(odd, counted, Batch(len(rest), 0, strange))


def _batch(
    verdicts: Sequence[Verdict], severe: Sequence[bool], counted: frozenset[Unit]
) -> Batch:
    """Confirmed sessions (N) for the drift: flagged are those that nothing explains.

    An incident makes sessions of known kinds, or with error lines; it is no drift.
    """
    judged = [
        (verdict, unexplained(verdict, severe=has_error))
        for verdict, has_error in zip(verdicts, severe, strict=True)
        if _unit(verdict) in counted
    ]
    strange = [v.unknown_ratio > 0 and (odd or not v.anomaly) for v, odd in judged]
    return Batch(len(judged), sum(odd for _, odd in judged), sum(strange))


def _tell_of_services(run: _Run) -> None:
    """Services that fell silent, or say more or less than is usual; all is read."""
    reading = run.reading
    if reading.services is not None:
        spells = reading.services.judge(run.until)
        verdicts = [verdict_of(spell, reading.classifier) for spell in spells]
        run.progress.confirmed += sum(verdict.anomaly for verdict in verdicts)
        run.keep(verdicts, [True] * len(verdicts))


def _advance(reading: Reading, outputs: Outputs, now: datetime) -> None:
    """The source has caught up: quiet episodes end, old findings are summed up."""
    if outputs.alerts is None:
        return
    source = reading.settings.name
    outputs.fence()
    if reading.newest is not None:
        outputs.alerts.advance(source, min(reading.newest, now), now)
    outputs.alerts.catch_up_done(source, now)


def _read_ahead(pages: Iterator[Page]) -> Ahead[Page]:
    """The next pages are read while these are judged and written."""
    return Ahead(pages, most=MOST_PAGES_AHEAD, weigh=_characters, heaviest=MOST_AHEAD)


def _characters(page: Page) -> int:
    return sum([len(document.message) for document in page.documents])


def _steps(
    pages: Iterator[Page], behind: Behind, run: _Run, problems: list[DecodeProblem]
) -> Iterator[datetime | None]:
    """Takes pages; at the end of each step, up to where, by the cursor field.

    After each step results are written and the cursor is saved; `Pace` says when it is
    over. What comes after the last full step is the end of the run: no step of its own.
    """
    newest = None
    while True:
        began = time.monotonic()
        page = next(pages, None)
        run.progress.watch.add("read", time.monotonic() - began)
        if page is None:
            return
        newest = run.take(page) or newest
        problems += page.problems
        run.pace.page_taken()
        if run.pace.is_over(busy=behind.busy) or len(problems) >= MOST_PROBLEMS:
            yield newest

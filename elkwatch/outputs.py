"""Where the results of a run go, and what it did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from alerting import EpisodeTracker
from connector import DeadLetter, Finding, WriteReport
from elkwatch.feedback import NO_OPINIONS, Opinions
from elkwatch.privacy import Mask
from elkwatch.run_quality import QualityBook
from elkwatch.source_run import Reading
from model import Candidate, Verdict

LogUrl = Callable[[Verdict], str | None]
OpinionsOf = Callable[[str, datetime], Opinions]


class FindingWriter(Protocol):
    """Takes findings, each once however often it is written."""

    def write(self, findings: Sequence[Finding]) -> WriteReport:
        """Keeps the findings as they are now; → what became of each."""
        ...

    def dead_letter(self, letters: Sequence[DeadLetter]) -> int:
        """Keeps what can never be used; → how many were new."""
        ...


@dataclass(frozen=True, slots=True)
class Screened:
    """Units of a source as they were screened, before anything of them is confirmed.

    `watermark`, `until`: how far the source is known, and read.
    """

    reading: Reading
    candidates: Sequence[Candidate]
    scores: Sequence[float]
    watermark: datetime
    until: datetime
    now: datetime


def nobody(_: Screened) -> None:
    """Nobody looks at the scores of the screening."""


def _silence(_: str, __: datetime) -> Opinions:
    """Nobody said anything."""
    return NO_OPINIONS


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where results go. `alerts` None: nobody is told (a dry run).

    `mask` is applied to every excerpt, and to session keys but where `show_keys` says
    otherwise. `fence` is called before each write; it raises when another process took
    over. `screened` is shown the score of every unit; it must leave the reading as it
    is. `opinions`: people's feedback on a source that holds now, asked for at the
    beginning of each run.
    """

    findings: FindingWriter
    alerts: EpisodeTracker | None
    mask: Mask
    include_normal: bool = False
    show_keys: bool = False
    fence: Callable[[], None] = lambda: None
    screened: Callable[[Screened], None] = nobody
    opinions: OpinionsOf = _silence


@dataclass(slots=True)
class Stopwatch:
    """Seconds by stage of a run."""

    seconds: dict[str, float] = field(default_factory=dict)

    def add(self, stage: str, seconds: float) -> None:
        """Adds to a stage."""
        self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds


@dataclass(slots=True)
class Progress:
    """What one run over one source did.

    `since`: where it began to read; None is the earliest document. `classes`: new
    findings by class id. `suppressed`: new or changed ones that are false alarms by
    feedback; `held_back`: ones that nobody is told of, for the model is out of date.
    """

    since: datetime | None = None
    sessions: int = 0
    confirmed: int = 0
    created: int = 0
    amended: int = 0
    withdrawn: int = 0
    suppressed: int = 0
    held_back: int = 0
    dead: int = 0
    classes: Counter[str] = field(default_factory=Counter)
    lag_s: float | None = None
    caught_up: bool = False
    watch: Stopwatch = field(default_factory=Stopwatch)
    quality: QualityBook = field(default_factory=QualityBook)

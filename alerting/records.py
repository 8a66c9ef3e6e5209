"""What alerting is told, and what it answers.

``FindingNotice`` comes in (the composition root translates a finding to it),
``Transition`` goes out: what happened to an episode, whether anybody is told, and why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, Protocol

Status = Literal["open", "withdrawn"]

#: From harmless to grave; anything else counts as the first.
SEVERITIES = ("low", "medium", "high", "critical")

MAX_EVIDENCE = 8
MAX_EXPECTED = 3
MAX_TEXT = 600
MAX_NAME = 120
MAX_URL = 4000


class Clock(Protocol):
    """Where the time comes from; UTC-aware."""

    def now(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class EvidenceNote:
    """One log line that the verdict rests on.

    surprise_nats: −log p of this line. expected: (template, probability), likeliest
    first, of what the model expected in its place.
    """

    position: int
    template: str
    message: str
    surprise_nats: float
    expected: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class FindingNotice:
    """One finding, as alerting needs to know it. Times are UTC-aware.

    fingerprint: what groups findings of one source into an episode (class × service).
    status: ``withdrawn`` takes the finding out of its episode again.
    """

    finding_id: str
    fingerprint: str
    source: str
    session: str
    class_id: str
    class_name: str
    pattern: str
    severity: str
    advice: str
    known: bool
    risk: int
    score: float
    threshold: float
    confidence: float
    start: datetime
    end: datetime
    detected_at: datetime
    service: str | None = None
    host: str | None = None
    causes: tuple[str, ...] = ()
    evidence: tuple[EvidenceNote, ...] = ()
    missing: tuple[str, ...] = ()
    log_url: str | None = None
    status: Status = "open"
    model_version: str = ""
    lasts: bool = False

    def __post_init__(self) -> None:
        for name in ("start", "end", "detected_at"):
            if getattr(self, name).tzinfo is None:
                raise ValueError(f"finding {self.finding_id}: {name} has no time zone")

    def bounded(self) -> FindingNotice:
        """This notice, small enough to be kept: few lines, no long texts."""
        return replace(
            self,
            session=_cut(self.session),
            service=cut_name(self.service),
            host=cut_name(self.host),
            log_url=self.log_url if len(self.log_url or "") <= MAX_URL else None,
            model_version=_cut(self.model_version, MAX_NAME),
            class_name=_cut(self.class_name),
            advice=_cut(self.advice, 4 * MAX_TEXT),
            causes=tuple(_cut(cause) for cause in self.causes[:MAX_EVIDENCE]),
            evidence=tuple(map(_bounded_line, _telling(self.evidence))),
            missing=tuple(_cut(item) for item in self.missing[:MAX_EVIDENCE]),
        )


TransitionKind = Literal["opened", "ongoing", "resolved", "amended"]


@dataclass(frozen=True, slots=True)
class Transition:
    """What happened to one episode.

    kind: ``amended`` changes what is known without a new state. sequence: rises with
    every message of the episode. notified: outbox rows are owed (``rows``, their ids).
    reason: why people are told, or why not, for people.
    """

    kind: TransitionKind
    episode_id: str
    source: str
    fingerprint: str
    number: int
    sequence: int
    at: datetime
    notified: bool
    reason: str
    rows: tuple[str, ...] = ()


def severity_rank(severity: str) -> int:
    """0 (low) … 3 (critical); an unknown word ranks 0."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else 0


def worst_severity(severities: Sequence[str]) -> str:
    """The gravest of these; ``low`` for none."""
    return max(severities, key=severity_rank, default=SEVERITIES[0])


def cut_name(name: str | None) -> str | None:
    """A name that is short enough to be kept."""
    return None if name is None else _cut(name, MAX_NAME)


def _cut(text: str, limit: int = MAX_TEXT) -> str:
    short = text if len(text) <= limit else text[: limit - 1] + "…"
    return short.encode("utf-8", "replace").decode()  # half characters cannot be stored


def _telling(evidence: tuple[EvidenceNote, ...]) -> list[EvidenceNote]:
    """The most surprising lines, in their own order."""
    if len(evidence) <= MAX_EVIDENCE:
        return list(evidence)
    ranked = sorted(evidence, key=lambda note: -note.surprise_nats)
    return sorted(ranked[:MAX_EVIDENCE], key=lambda note: note.position)


def _bounded_line(note: EvidenceNote) -> EvidenceNote:
    return replace(
        note,
        template=_cut(note.template),
        message=_cut(note.message),
        expected=tuple((_cut(t), p) for t, p in note.expected[:MAX_EXPECTED]),
    )

"""From a sample of a data set to a source: its fields, its session key, its fitness.

Pure: everything comes from the sample. `Proposal` is what is shown and written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from connector import Column, DataSet, Extent, Sample, SessionRule, SourceSpec
from elkwatch.proposals.fitness import (
    LEAST_SCORE,
    Fitness,
    SessionFigures,
    TemplateFigures,
    judge,
    key_score,
    sessions_of,
    unfit_key,
)
from elkwatch.proposals.keys import Candidate
from elkwatch.proposals.roles import SOME, Roles
from elkwatch.translate import log_event

_TIMEOUTS_S = (600.0, 1800.0, 3600.0)
_AGES_S = (3600.0, 6 * 3600.0, 24 * 3600.0)
_WINDOWS_S = (300.0, 900.0, 3600.0)
_BUSY_WINDOW_S = 60.0
_LEAST_IN_WINDOW = 5
_MOST_IN_WINDOW = 1000


@dataclass(frozen=True, slots=True)
class Measured:
    """A session rule and what it made of the sample."""

    candidate: Candidate
    figures: SessionFigures
    score: float

    @property
    def why_not(self) -> str:
        """Why it was not taken, for one that was not."""
        return unfit_key(self.figures) or f"serves less well ({self.score:.2f} of 1)"


@dataclass(frozen=True, slots=True)
class Proposal:
    """One source as it is proposed, with what speaks for it.

    `others`: keys that were measured and not taken. `notes`: what a person should know
    besides. `ingest_gap_s`: median from a line's time to its ingestion, if known.
    """

    data_set: DataSet
    spec: SourceSpec
    roles: Roles
    extent: Extent
    templates: TemplateFigures
    sessions: SessionFigures
    fitness: Fitness
    timeout_s: float
    age_s: float
    others: tuple[Measured, ...] = ()
    ingest_gap_s: float | None = None
    notes: tuple[str, ...] = field(default=())


def best_rule(
    sample: Sample, spec: SourceSpec, candidates: Iterable[Candidate]
) -> tuple[Measured | None, list[Measured]]:
    """The key that serves best, if one does, and all the others, the best first."""
    measured = []
    for candidate in candidates:
        figures = figures_of(sample, spec, candidate.rule)
        score = key_score(figures, candidate.trust)
        measured.append(Measured(candidate, figures, score))
    measured.sort(key=lambda one: -one.score)
    if measured and measured[0].score >= LEAST_SCORE:
        return measured[0], measured[1:]
    return None, measured


def figures_of(
    sample: Sample,
    spec: SourceSpec,
    rule: SessionRule,
    until: datetime | None = None,
) -> SessionFigures:
    """What a rule makes of the sample; `until` as in `sessions_of`."""
    documents = sample.decoded(replace(spec, session=rule))
    window = None if rule.ends else timedelta(seconds=rule.unit_s or 0)
    events = [log_event(document) for document in documents]
    return sessions_of(events, window=window, until=until)


def window_rule(
    sample: Sample, spec: SourceSpec, roles: Roles, columns: Sequence[Column]
) -> tuple[SessionRule, SessionFigures]:
    """Windows per service and host, of a length that holds enough lines."""
    shares = {column.path: column.share for column in columns}
    named = (roles.service, roles.host)
    fields = tuple(path for path in named if path and shares.get(path, 0) >= SOME)
    chosen = _windows(fields, _WINDOWS_S[0])
    figures = figures_of(sample, spec, chosen)
    if figures.events > _MOST_IN_WINDOW:
        chosen = _windows(fields, _BUSY_WINDOW_S)
        return chosen, figures_of(sample, spec, chosen)
    for length_s in _WINDOWS_S[1:]:
        if figures.events >= _LEAST_IN_WINDOW:
            break
        chosen = _windows(fields, length_s)
        figures = figures_of(sample, spec, chosen)
    return chosen, figures


def propose(
    data_set: DataSet,
    spec: SourceSpec,
    roles: Roles,
    extent: Extent,
    templates: TemplateFigures,
    sessions: SessionFigures,
    others: Sequence[Measured],
) -> Proposal:
    """The proposal, with its grade and the times that fit its sessions."""
    return Proposal(
        data_set=data_set,
        spec=spec,
        roles=roles,
        extent=extent,
        templates=templates,
        sessions=sessions,
        fitness=judge(templates, sessions),
        timeout_s=_at_least(2 * sessions.pause_s, _TIMEOUTS_S),
        age_s=_at_least(1.5 * sessions.life_s, _AGES_S),
        others=tuple(others),
    )


def _windows(fields: tuple[str, ...], length_s: float) -> SessionRule:
    if not fields:
        return SessionRule()  # the default: 5 minutes per service and host
    return SessionRule(fields=fields, window_s=length_s)


def _at_least(wanted: float, choices: Sequence[float]) -> float:
    return next((choice for choice in choices if choice >= wanted), choices[-1])

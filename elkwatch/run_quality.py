"""How a model does in one run, as figures to watch: scores, classes, what people said.

Scores are kept as an even sample, so that a run over millions of sessions takes no more
memory than a short one.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from connector import RunQuality

MAX_SCORES = 10_000
_QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}


@dataclass(slots=True)
class QualityBook:
    """What one run adds up. Scores in thresholds: past 1 a session deviates."""

    sessions: int = 0
    deviating: int = 0
    scores: list[float] = field(default_factory=list)
    classes: Counter[str] = field(default_factory=Counter)
    unknown_kinds: int = 0
    _draw: random.Random = field(default_factory=lambda: random.Random(0))

    def screened(self, scores: Iterable[float], threshold: float) -> None:
        """Takes the scores of sessions that ended."""
        for score in scores:
            self.sessions += 1
            self.deviating += score > threshold
            if len(self.scores) < MAX_SCORES:
                self.scores.append(score / threshold)
                continue
            place = self._draw.randrange(self.sessions)
            if place < MAX_SCORES:
                self.scores[place] = score / threshold

    def confirmed(self, class_id: str, *, known: bool) -> None:
        """Takes the class of a session that deviates, fetched whole."""
        self.classes[class_id] += 1
        self.unknown_kinds += not known

    def figures(self, precision: Mapping[str, float]) -> RunQuality | None:
        """All of it; None where no session ended. `precision`: by class, of people."""
        if not self.sessions:
            return None
        values = np.quantile(self.scores, list(_QUANTILES.values()))
        confirmed = self.classes.total()
        return RunQuality(
            scores={
                name: round(float(value), 4)
                for name, value in zip(_QUANTILES, values, strict=True)
            },
            deviating_share=round(self.deviating / self.sessions, 6),
            unknown_kinds_share=(
                round(self.unknown_kinds / confirmed, 6) if confirmed else None
            ),
            class_shares={
                name: round(count / confirmed, 6)
                for name, count in self.classes.most_common()
            },
            precision=dict(precision),
        )

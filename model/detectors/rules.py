"""Rules: a line of error severity, or one that the catalogue's rules know.

The score is the worst line's: 4 critical, 3 high, 2 medium or an error that no rule
knows, 1 low, ½ a line that no template matches. Anomalous from 2 on. Rules are tried on
templates, and on the line itself where no template matches. What is learned is which
templates are errors; that is asked where the lines are not there, and then a line
without a template counts as an error: better looked at whole than passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from model.catalogue import load_catalogue
from model.detectors.cleaning import SEVERE, error_events
from model.detectors.learning_set import usual
from model.detectors.leaving_out import by_leaving_out
from model.detectors.plain_files import read_json, write_json
from model.detectors.protocol import Floats, Kinds, Reason, Sample, Setting
from model.events import LogEvent, Session
from model.vocabulary import UNK

GRADES = {"low": 1.0, "medium": 2.0, "high": 3.0, "critical": 4.0}
ERROR, UNKNOWN = 2.0, 0.5


class Rules:
    """The worst line by severity and by the catalogue."""

    name = "rules"
    supervised = False

    def __init__(self, setting: Setting) -> None:
        self.threshold = 1.5
        self._vocabulary = setting.vocabulary
        self._catalogue = load_catalogue()
        self._grades: dict[int, float] = {}
        self._errors: frozenset[int] = frozenset()

    def fit(self, sessions: Sequence[Sample], labels: Kinds | None = None) -> None:
        """Which templates are errors, in whatever session. Raises TrainingError."""
        usual(sessions, labels)
        told = [s for s in sessions if s.lines]
        lines = [Session("-", s.lines) for s in told]
        self._errors = error_events(lines, told)

    def score(self, sessions: Sequence[Sample]) -> Floats:
        """The worst line of each session. sessions (N) → (N,)."""
        return np.array([self._worst(s) for s in sessions], dtype=np.float64)

    def explain(self, session: Sample) -> tuple[Reason, ...]:
        """By leaving templates out."""
        return by_leaving_out(self.score, session)

    def save(self, folder: Path) -> None:
        """Writes which templates are errors."""
        write_json(folder, {"errors": sorted(self._errors)})

    def load(self, folder: Path) -> None:
        """Reads which templates are errors."""
        self._errors = frozenset(int(e) for e in read_json(folder)["errors"])

    def _worst(self, session: Sample) -> float:
        worst = max((self._grade(e) for e in set(session.ids) - {UNK}), default=0.0)
        if not session.lines:
            blind = not self._errors.isdisjoint(session.ids) or UNK in session.ids
            return max(worst, ERROR) if blind else worst
        for event, line in zip(session.ids, session.lines, strict=False):
            if event == UNK:
                worst = max(worst, self._grade_unknown(line))
            if (line.severity or "").lower() in SEVERE:
                worst = max(worst, ERROR)
        return worst

    def _grade(self, event: int) -> float:
        if event not in self._grades:
            self._grades[event] = self._known(self._vocabulary.text(event))
        return self._grades[event]

    def _grade_unknown(self, line: LogEvent) -> float:
        return max(self._known(line.message), UNKNOWN)

    def _known(self, text: str) -> float:
        rule = self._catalogue.recognise([text])
        return GRADES[rule.entry.severity] if rule else 0.0

"""By their words: how far is the strangest line from any line that is usual?

The text of an event is its template; of one that no template matches, the line itself.
The distance is 1 − cosine to the nearest template that usual sessions hold, and 0 for
these themselves. The score of a session is its largest distance. So a template that is
new but says nearly what others say is less of an alarm than one like no other; order
and number of events count for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

import numpy as np

from model.detectors.learning_set import alarm_threshold, held_out, usual
from model.detectors.leaving_out import by_leaving_out
from model.detectors.plain_files import read_json, write_json
from model.detectors.protocol import Floats, Kinds, Reason, Sample, Setting
from model.texts import NearestText, TextEncoder
from model.vocabulary import UNK


class TextDetector:
    """Base of the detectors that read the words; a subclass says how."""

    name = ""
    supervised = False

    def __init__(self, setting: Setting) -> None:
        self.threshold = 0.0
        self.setting = setting
        self._seen: frozenset[int] = frozenset()
        self._nearest: NearestText | None = None

    def encoder(self) -> TextEncoder:
        """How texts become vectors."""
        raise NotImplementedError

    def fit(self, sessions: Sequence[Sample], labels: Kinds | None = None) -> None:
        """Remembers the templates of usual sessions; the threshold is of others."""
        learned, aside = held_out(usual(sessions, labels), self.setting.seed)
        self._remember({event for s in learned for event in s.ids} - {UNK})
        self.threshold = alarm_threshold(self.score(aside))

    def score(self, sessions: Sequence[Sample]) -> Floats:
        """The largest distance of any line, 0 to 1. sessions (N) → (N,)."""
        texts = {text for session in sessions for text in self._strange(session)}
        ordered = sorted(texts)
        assert self._nearest is not None  # fit or load comes first
        distance = {
            text: 1.0 - cosine
            for text, (_, cosine) in zip(
                ordered, self._nearest.of(ordered), strict=True
            )
        }
        return np.array(
            [
                max((distance[text] for text in self._strange(s)), default=0.0)
                for s in sessions
            ],
            dtype=np.float64,
        )

    def explain(self, session: Sample) -> tuple[Reason, ...]:
        """By leaving templates out."""
        return by_leaving_out(self.score, session)

    def save(self, folder: Path) -> None:
        """The ids of the templates that are usual, as JSON."""
        write_json(folder, {"seen": sorted(self._seen)})

    def load(self, folder: Path) -> None:
        """Reads what `save` wrote, and the templates again."""
        self._remember({int(event) for event in read_json(folder)["seen"]})

    def _remember(self, events: set[int]) -> None:
        self._seen = frozenset(events)
        known = [self.setting.vocabulary.text(event) for event in sorted(events)]
        self._nearest = NearestText(self.encoder(), known)

    def _strange(self, session: Sample) -> Iterator[str]:
        """The texts of the events that usual sessions do not hold."""
        for event, line in zip_longest(session.ids, session.lines):
            if event == UNK:
                yield line.message if line else ""
            elif event not in self._seen:
                yield self.setting.vocabulary.text(event)

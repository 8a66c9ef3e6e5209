"""Support and distance (support.py) as a detector of its own, without the network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from model.detectors.cleaning import error_events
from model.detectors.learning_set import usual
from model.detectors.leaving_out import by_leaving_out
from model.detectors.plain_files import read_json, write_json
from model.detectors.protocol import Floats, Kinds, Reason, Sample, Setting
from model.detectors.support import SupportDistance
from model.events import Session
from model.labels import NORMAL

_ARRAYS = "support.safetensors"


class SupportDetector:
    """The larger of novelty and distance; cleans what it is fitted on."""

    name = "support"
    supervised = False

    def __init__(self, setting: Setting) -> None:
        self.threshold = 1.0
        self._support = SupportDistance()

    def fit(self, sessions: Sequence[Sample], labels: Kinds | None = None) -> None:
        """Learns supports and distances; what labels call normal is trusted."""
        kept = usual(sessions, labels)
        trusted = [label == NORMAL for label in labels or () if label in (None, NORMAL)]
        lines = [Session("-", sample.lines) for sample in kept]
        errors = error_events(lines, kept) if all(s.lines for s in kept) else ()
        self._support.fit(kept, errors, np.array(trusted) if trusted else None)

    def score(self, sessions: Sequence[Sample]) -> Floats:
        """The larger of the two views. sessions (N) → (N,)."""
        return self._support.score(sessions)

    def explain(self, session: Sample) -> tuple[Reason, ...]:
        """By leaving templates out."""
        return by_leaving_out(self.score, session)

    def save(self, folder: Path) -> None:
        """Writes supports as JSON, counts as safetensors."""
        meta, arrays = self._support.state()
        write_json(folder, meta)
        save_file(arrays, folder / _ARRAYS)

    def load(self, folder: Path) -> None:
        """Reads what `save` wrote."""
        arrays = load_file(folder / _ARRAYS)
        self._support = SupportDistance.from_state(read_json(folder), arrays)

"""Two models on the same sessions: what only one of them would flag.

A session that a model was fitted on must not speak for itself: the newer model scores
those of its own training as it did when it was calibrated (one support less).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from model.detectors.protocol import Floats
from model.events import Session
from model.surprise import highest_surprises
from model.trained import TrainedModel
from model.vocabulary import encode


@dataclass(frozen=True, slots=True)
class Judged:
    """One session by two models: scores in thresholds of each, above 1 is flagged."""

    session: Session
    old: float
    new: float


def compare(
    old: TrainedModel,
    new: TrainedModel,
    sessions: Sequence[Session],
    fitted: Sequence[bool],
    device: torch.device | None = None,
) -> list[Judged]:
    """Sessions (N), and which of them the new model was fitted on (N) → N results."""
    device = device or torch.device("cpu")
    own = np.array(fitted, dtype=bool)
    before = _ratios(old, sessions, np.zeros(len(own), dtype=bool), device)
    after = _ratios(new, sessions, own, device)
    return [
        Judged(session, float(a), float(b))
        for session, a, b in zip(sessions, before, after, strict=True)
    ]


def _ratios(
    model: TrainedModel,
    sessions: Sequence[Session],
    fitted: np.ndarray[tuple[int], np.dtype[np.bool_]],
    device: torch.device,
) -> Floats:
    encoded = encode(sessions, model.templates)
    highest = highest_surprises(model.network_on(device), encoded, device)
    calibration = model.calibration
    ratios = np.zeros(len(sessions))
    for left_out in (0, 1):
        places = np.flatnonzero(fitted == bool(left_out))
        scores = model.scores(
            [encoded[i] for i in places],
            highest[places],
            calibration.threshold,
            left_out,
        )
        ratios[places] = scores / calibration.threshold
    return ratios

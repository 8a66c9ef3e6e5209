"""Enhanced DeepLog itself, the default, behind the interface of all detectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from model.bundle import load_bundle, save_bundle
from model.class_training import ClassTrainingConfig
from model.classify import Classifier
from model.detectors.leaving_out import by_leaving_out
from model.detectors.protocol import Floats, Kinds, Reason, Sample, Setting
from model.errors import TrainingError
from model.events import Session
from model.labels import Labels
from model.templates.frozen import FrozenTemplates
from model.trained import TrainedModel
from model.training import train
from model.training_config import TrainingConfig
from model.vocabulary import encode

_BUNDLE = "bundle"


class EnhancedDeepLog:
    """Trains a whole model on the lines of its samples, with templates of its own."""

    name = "elkwatch"
    supervised = False

    def __init__(self, setting: Setting) -> None:
        self.threshold = 1.0
        self._setting = setting
        self._classifier: Classifier | None = None

    @classmethod
    def of(cls, model: TrainedModel, setting: Setting) -> EnhancedDeepLog:
        """A model that is trained already."""
        detector = cls(setting)
        detector._use(model)
        return detector

    def fit(self, sessions: Sequence[Sample], labels: Kinds | None = None) -> None:
        """Trains on the sessions' lines. Kinds are not told apart: one epoch of them.

        Raises TrainingError.
        """
        config = TrainingConfig(
            seed=self._setting.seed, classes=ClassTrainingConfig(epochs=1)
        )
        if self._setting.epochs is not None:
            language_model = replace(config.language_model, epochs=self._setting.epochs)
            config = replace(config, language_model=language_model)
        named = [_session(str(i), sample) for i, sample in enumerate(sessions)]
        known = {
            session.key: label
            for session, label in zip(named, labels or [], strict=False)
            if label is not None
        }
        self._use(
            train(
                named,
                config,
                labels=Labels(known, named=True),
                device=self._setting.device,
            )
        )

    def score(self, sessions: Sequence[Sample]) -> Floats:
        """The joined score. sessions (N) → (N,)."""
        fitted = self._fitted()
        templates: FrozenTemplates = fitted.model.templates
        encoded = encode([_session("-", s) for s in sessions], templates)
        return np.array(fitted.score(encoded), dtype=np.float64)

    def explain(self, session: Sample) -> tuple[Reason, ...]:
        """By leaving templates out."""
        return by_leaving_out(self.score, session)

    def save(self, folder: Path) -> None:
        """Writes a model bundle."""
        model = self._fitted().model
        save_bundle(model, folder / _BUNDLE, now=datetime.now(UTC))

    def load(self, folder: Path) -> None:
        """Reads a model bundle."""
        self._use(load_bundle(folder / _BUNDLE))

    def _use(self, model: TrainedModel) -> None:
        self._classifier = Classifier(model, device=self._setting.device)
        self.threshold = self._classifier.threshold

    def _fitted(self) -> Classifier:
        if self._classifier is None:
            raise TrainingError("elkwatch: scores nothing before it is fitted")
        return self._classifier


def _session(key: str, sample: Sample) -> Session:
    return Session(key, sample.lines, sample.starts, sample.ends)

"""One small model for all tests of this package that need one."""

from __future__ import annotations

import random

import pytest

from model import TrainedModel, TrainingConfig, train
from model.class_training import ClassTrainingConfig
from model.language_model import LanguageModelConfig
from tests.model.builders import cut_off, deadlocked, looping, shop

CONFIG = TrainingConfig(
    language_model=LanguageModelConfig(hidden=24, embedding=12, epochs=12),
    classes=ClassTrainingConfig(hidden=16, epochs=15),
)


@pytest.fixture(scope="session")
def trained() -> TrainedModel:
    """A model of 300 shop sessions, with three kinds discovered beside them."""
    rng = random.Random(7)
    odd = [deadlocked(f"d{i}", rng) for i in range(12)]
    odd += [cut_off(f"c{i}", rng) for i in range(12)]
    odd += [looping(f"l{i}", rng) for i in range(12)]
    return train(shop(300), CONFIG, discover=[*shop(40, seed=1), *odd])

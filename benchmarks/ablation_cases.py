"""The samples of the ablation: what is the same for every option of one seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from benchmarks.quality_cases import Case
from model import Session, TemplateMiner, TrainingConfig, is_held_out
from model.detectors.cleaning import error_events
from model.detectors.support import SupportDistance
from model.events import EncodedSession
from model.labels import IGNORE, NORMAL
from model.templates.frozen import FrozenTemplates
from model.vocabulary import Vocabulary, encode, pages

CASES = {
    "postgresql, 5 % mixed in": (400, 1200),
    "hdfs by time, unlabelled": (1500, 2500),
}
CPU = torch.device("cpu")
Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Prepared:
    """One seed of a case: what is the same for every option."""

    templates: FrozenTemplates
    vocabulary: Vocabulary
    support: SupportDistance
    pool: list[EncodedSession]
    train: list[EncodedSession]
    held_out: list[EncodedSession]
    test: list[EncodedSession]
    odd: np.ndarray[Any, np.dtype[np.bool_]]


def prepare(case: Case, seed: int) -> Prepared:
    """Templates, event ids and the cleaned split of a sample of the sessions."""
    drawn = case.draw(seed)
    most_train, most_test = CASES[case.name]
    sessions = _some(drawn.train, most_train, seed)
    judged = [s for s in drawn.test if case.truth.of(s) not in (None, IGNORE)]
    test = _some(judged, most_test, seed)
    miner = TemplateMiner()
    for page in pages(event.message for s in sessions for event in s.events):
        miner.learn_all(page)
    templates = miner.freeze()
    pool = encode(sessions, templates)
    support = SupportDistance()
    support.fit(pool, error_events(sessions, pool))
    config = TrainingConfig(seed=seed)
    groups: tuple[list[EncodedSession], list[EncodedSession]] = ([], [])
    for session, encoded, clean in zip(sessions, pool, support.clean, strict=True):
        if clean:
            groups[is_held_out(session.unit, config)].append(encoded)
    return Prepared(
        templates,
        Vocabulary.of(templates),
        support,
        pool,
        *groups,
        encode(test, templates),
        np.array([case.truth.of(s) != NORMAL for s in test]),
    )


def _some(sessions: Sequence[Session], most: int, seed: int) -> list[Session]:
    """At most so many of them, in their order."""
    rng = random.Random(seed)
    places = sorted(rng.sample(range(len(sessions)), min(most, len(sessions))))
    return [sessions[place] for place in places]

"""Stage 1: the network that knows what comes next, and past which score it is odd.

clean sessions ─▶ next-event network, pruned, at its precision
                          └─▶ threshold: by what was held out, or by a budget
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from model.alarm_budget import sessions_a_day
from model.best_epoch import History
from model.corpus import Corpus, spread_evenly
from model.detectors.deeplog import DeepLogTopK
from model.detectors.support import SupportDistance
from model.detectors.unseen import UnseenCountVector, UnseenTemplate
from model.epochs import Setting
from model.errors import TrainingError
from model.events import EncodedSession
from model.language_model import train_language_model
from model.network import NextEventLSTM
from model.precision import at_precision, prune
from model.scoring import Calibration, calibrate
from model.surprise import highest_surprises
from model.trained import Baselines
from model.training_config import TrainingConfig
from model.training_split import Split

MAX_RANKED = 5000


@dataclass(frozen=True, slots=True)
class Normality:
    """Stage 1 with its threshold: the `network`, and how it is at work, `scoring`."""

    network: NextEventLSTM
    scoring: NextEventLSTM
    calibration: Calibration
    history: History
    held_out: list[EncodedSession]


def learn_normal(
    corpus: Corpus, support: SupportDistance, config: TrainingConfig, setting: Setting
) -> Normality:
    """Stage 1 on the cleaned pool, then the threshold on what was held out of it."""
    train_set: list[EncodedSession] = []
    held_out: list[EncodedSession] = []
    split, pool = corpus.split, corpus.pool
    for encoded, aside, clean in zip(pool, split.aside, support.clean, strict=True):
        if clean:
            (held_out if aside else train_set).append(encoded)
    if not train_set:
        train_set = held_out or list(pool)
    network, history = train_language_model(
        train_set,
        held_out,
        corpus.vocabulary.size,
        config.language_model,
        seed=config.seed,
        device=setting.device,
        progress=setting.progress,
        mixed=setting.mixed,
        checkpoint=setting.checkpoint,
    )
    device = setting.device
    prune(network, config.prune)
    scoring = at_precision(network, config.precision, device)
    checked = held_out or train_set
    calibration = calibrate(
        support,
        highest_surprises(scoring, checked, device),
        checked,
        highest_surprises(scoring, train_set, device),
    )
    kept = within_budget(calibration, config, split)
    return Normality(network, scoring, kept, history, checked)


def within_budget(
    calibration: Calibration, config: TrainingConfig, split: Split
) -> Calibration:
    """With the threshold of the budget, if there is one. Raises TrainingError
    without times."""
    budget = config.alarm_budget
    if budget is None:
        return calibration
    rate = sessions_a_day(len(split.unlabelled), split.first, split.last)
    if rate is None:
        raise TrainingError(
            "an alarm budget is a number a day, and these lines tell no time; name "
            "the field with --time-field, or leave out --alarm-budget"
        )
    threshold = calibration.within(budget, rate).threshold
    return replace(calibration, threshold=threshold)


def baselines_of(
    pool: Sequence[EncodedSession], normal: Normality, device: torch.device
) -> Baselines:
    """What three plain detectors learn of the same sessions, to compare with."""
    counts, templates = UnseenCountVector(), UnseenTemplate()
    counts.fit(pool)
    templates.fit(pool)
    top_k = DeepLogTopK(normal.scoring, device)
    top_k.fit(spread_evenly(normal.held_out, MAX_RANKED))
    return Baselines(frozenset(counts.seen), frozenset(templates.seen), top_k.threshold)

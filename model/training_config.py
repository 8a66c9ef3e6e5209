"""All that decides a model, beside the logs: how each of its stages is trained."""

from __future__ import annotations

from dataclasses import dataclass, field

from model.class_training import ClassTrainingConfig
from model.detectors.support import RARE_SHARE
from model.language_model import LanguageModelConfig
from model.precision import FULL
from model.templates.miner import MinerConfig
from model.training_split import is_aside


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """All that decides a model, beside the logs.

    `prune`: the share of the network's weights that are left out after training;
    `precision`: at which it scores. The threshold is set with both as they will be.
    `alarm_budget`: false alarms a day that the threshold may allow, by its bound.
    `mixed_precision`: the numbers of training, see devices.py. `max_sessions`: of more
    unlabelled ones so many are drawn; templates are learned from all. `rare_share`:
    what fewer of the sessions have may be trouble that nobody cleaned away; 0 for logs
    that hold none: what two sessions have is usual then.
    """

    seed: int = 0
    precision: str = FULL
    mixed_precision: str = "auto"
    prune: float = 0.0
    held_out_share: float = 0.15
    alarm_budget: float | None = None
    max_sessions: int = 2_000_000
    rare_share: float = RARE_SHARE
    miner: MinerConfig = field(default_factory=MinerConfig)
    language_model: LanguageModelConfig = field(default_factory=LanguageModelConfig)
    classes: ClassTrainingConfig = field(default_factory=ClassTrainingConfig)


def is_held_out(unit: str, config: TrainingConfig) -> bool:
    """Whether the split keeps a session from the network, by a hash of its unit."""
    return is_aside(unit, config.seed, config.held_out_share)

"""The options of `elkwatch train` that say how to learn, as one record.

Apart from the command, which says what to learn from and where the model goes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from elkwatch.cli.options import device_option

if TYPE_CHECKING:
    from model import Checkpoint, TrainingConfig

F = TypeVar("F", bound=Callable[..., Any])

_SEED = click.IntRange(0, 2**63 - 1)
_SEED.name = "integer"
_MIXED = click.Choice(["auto", "off", "bf16", "fp16"])
_NAMES = (
    "clustering",
    "seed",
    "device",
    "mixed_precision",
    "quantize",
    "prune",
    "epochs",
    "alarm_budget",
    "settings",
    "checkpoint",
)


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """How to learn, as the command line says it."""

    clustering: Any
    seed: int
    device: str
    mixed_precision: str
    quantize: str | None
    prune: float
    epochs: int | None
    alarm_budget: float | None
    settings: tuple[str, ...]
    checkpoint: Path | None

    def config(self, masks: Sequence[str]) -> TrainingConfig:
        """All that decides a model beside the logs. Raises MaskError, SettingError."""
        from model import (
            FULL,
            MinerConfig,
            TemplateMiner,
            TrainingConfig,
            parse_masks,
            with_settings,
        )

        miner = MinerConfig(masks=parse_masks(masks))
        TemplateMiner(miner)  # a bad mask is told of before the logs are read
        config = with_settings(
            TrainingConfig(
                seed=self.seed,
                precision=self.quantize or FULL,
                prune=self.prune,
                alarm_budget=self.alarm_budget,
                mixed_precision=self.mixed_precision,
                miner=miner,
            ),
            [f"classes.clustering={self.clustering}", *self.settings],
        )
        if self.epochs is None:
            return config
        stage = replace(config.language_model, epochs=self.epochs)
        return replace(config, language_model=stage)

    def checkpoint_of(self, config: TrainingConfig) -> Checkpoint | None:
        """Where the state of each epoch is kept, or None. Raises CheckpointError."""
        from model import Checkpoint

        return Checkpoint(self.checkpoint, asdict(config)) if self.checkpoint else None


def train_options(command: F) -> F:
    """All options of how to learn, passed as `options: TrainOptions`."""

    @wraps(command)
    def with_record(*args: Any, **rest: Any) -> Any:
        taken = {name: rest.pop(name) for name in _NAMES}
        return command(*args, options=TrainOptions(**taken), **rest)

    for option in reversed(_OPTIONS):
        with_record = option(with_record)
    return with_record  # type: ignore[return-value]  # wraps() hides F


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--clustering",
        type=click.Choice(["auto", "birch", "hdbscan", "agglomerative"]),
        default="auto",
        show_default=True,
        help="How kinds are found; auto takes the steadiest.",
    ),
    click.option(
        "--seed",
        type=_SEED,
        default=0,
        show_default=True,
        help="Equal seeds give equal models on CPU.",
    ),
    device_option,
    click.option(
        "--mixed-precision",
        type=_MIXED,
        default="auto",
        show_default=True,
        help="Train in 16-bit numbers where that is safe; auto: bf16 on CUDA.",
    ),
    click.option(
        "--quantize",
        type=click.Choice(["int8", "bf16", "fp16"]),
        default=None,
        help="Score with smaller numbers: int8 on CPU, bf16 or fp16 on CUDA.",
    ),
    click.option(
        "--prune",
        type=click.FloatRange(0, 1, max_open=True),
        metavar="SHARE",
        default=0.0,
        show_default=True,
        help="Leave out this share of the network's weights, the smallest, 0 to "
        "below 1.",
    ),
    click.option(
        "--epochs",
        type=click.IntRange(min=1),
        default=None,
        help="At most so many epochs of stage 1.",
    ),
    click.option(
        "--alarm-budget",
        type=click.FloatRange(min=0, min_open=True),
        default=None,
        metavar="N",
        help="At most N false alarms a day, by held-out normal sessions.",
    ),
    click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="NAME=VALUE",
        help="Any other setting, such as classes.attention=off; repeatable.",
    ),
    click.option(
        "--checkpoint",
        type=click.Path(path_type=Path),
        default=None,
        metavar="DIR",
        help="Keep the state of each epoch there; the same command goes on from it.",
    ),
)

"""How a source has its model decide: by which detectors, and past which threshold."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import torch

from elkwatch.config import SourceSettings
from elkwatch.errors import ConfigError
from elkwatch.log_files import warn
from elkwatch.program_log import get_logger
from model import (
    Budgeted,
    DetectorChoice,
    TrainedModel,
    sessions_a_day,
    with_detectors,
)

_log = get_logger("elkwatch.threshold")


def as_decided(
    model: TrainedModel,
    folder: Path,
    settings: SourceSettings,
    device: torch.device,
    choice: DetectorChoice | None = None,
) -> TrainedModel:
    """The model of a bundle with the source's detectors and threshold.

    `choice` comes before the source's `detector`. Raises ConfigError, DetectorError.
    """
    if choice is None and settings.detector is not None:
        choice = DetectorChoice(settings.detector.ensemble, settings.detector.rule)
    if choice is not None:
        model = with_detectors(model, folder, choice, device)
    return with_threshold(model, settings)


def with_threshold(model: TrainedModel, settings: SourceSettings) -> TrainedModel:
    """The model with the source's `threshold`, or that of its `alarm_budget`.

    Raises ConfigError where the model cannot tell how many sessions come in a day.
    """
    threshold = settings.threshold
    if settings.alarm_budget is not None:
        budgeted = within_budget(model, settings.alarm_budget)
        if budgeted is None:
            raise ConfigError(
                f"source {settings.name}: alarm_budget needs a model of logs that tell "
                f"their time, and {settings.model} has none of these; train it again, "
                "or set `threshold`"
            )
        if budgeted.needed is not None:
            _log.warning(
                "alarm budget cannot be promised",
                source=settings.name,
                reason=shortage(budgeted, model, settings.alarm_budget),
            )
        threshold = budgeted.threshold
    if threshold is None:
        return model
    return replace(
        model, calibration=replace(model.calibration, threshold=float(threshold))
    )


def within_budget(model: TrainedModel, budget_a_day: float) -> Budgeted | None:
    """The threshold of a budget; None where the training tells no sessions a day."""
    span = model.figures.get("span")
    if span is None:
        return None
    start, end = (datetime.fromisoformat(span[name]) for name in ("from", "to"))
    rate = sessions_a_day(int(model.figures["sessions"]), start, end)
    return None if rate is None else model.calibration.within(budget_a_day, rate)


def tell_of_budget(model: TrainedModel, budget_a_day: float | None) -> None:
    """Says so where a training cannot promise the budget that it was given."""
    if budget_a_day is None:
        return
    budgeted = within_budget(model, budget_a_day)
    if budgeted is not None and budgeted.needed is not None:
        warn(f"--alarm-budget: {shortage(budgeted, model, budget_a_day)}")


def shortage(budgeted: Budgeted, model: TrainedModel, budget_a_day: float) -> str:
    """Why a budget is no promise, and what it would take."""
    return (
        f"{model.calibration.judged:,} held-out sessions bound false alarms to "
        f"{budgeted.most_a_day:.3g} a day, not {budget_a_day:g}; that takes "
        f"{budgeted.needed:,} held out: train on more logs. The threshold lies above "
        "all of them"
    )

"""What the bundles of the configured sources say of their training, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from elkwatch.config import SourceSettings
from elkwatch.report import Table
from model import BundleError, TrainedModel, load_bundle

COLUMNS = (
    "Source",
    "Model",
    "Trained",
    "Sessions",
    "Templates",
    "Held-out loss",
    "Threshold",
    "Classes",
)
NOTE = (
    "Loss is that of the next-event network on sessions it did not learn from, in nats "
    "a line. A session above the threshold deviates. `elkwatch evaluate` measures a "
    "model against labels."
)


def model_quality(sources: Sequence[SourceSettings]) -> Table | None:
    """One row a source that has a model; None where none has.

    A model that cannot be read says so in its row.
    """
    rows = tuple(_row(source) for source in sources if source.model is not None)
    return Table(COLUMNS, rows, NOTE) if rows else None


def _row(source: SourceSettings) -> tuple[str, ...]:
    try:
        model = load_bundle(Path(str(source.model)))
    except BundleError:
        return (source.name, f"{source.model} cannot be read", *[""] * 6)
    trained = model.trained_at
    return (
        source.name,
        model.version,
        f"{trained:%Y-%m-%d %H:%M} UTC" if trained else "",
        _figure(model.figures, "sessions"),
        _figure(model.figures, "templates"),
        _loss(model.figures),
        f"{model.calibration.threshold:.2f}",
        _classes(model),
    )


def _figure(figures: Mapping[str, Any], name: str) -> str:
    value = figures.get(name)
    return f"{value:,}" if isinstance(value, int) else ""


def _loss(figures: Mapping[str, Any]) -> str:
    """The held-out loss of the epoch that was kept: the lowest."""
    losses = [epoch.get("held_out_loss") for epoch in figures.get("epochs", ())]
    known = [loss for loss in losses if loss is not None]
    return f"{min(known):.3f}" if known else ""


def _classes(model: TrainedModel) -> str:
    return f"{len(model.classes):,}"

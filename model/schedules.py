"""How the learning rate falls while a stage is trained."""

from __future__ import annotations

from typing import Any, Literal

from torch.optim import Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LambdaLR, ReduceLROnPlateau

Rate = Literal["plateau", "cosine", "constant"]
Schedule = ReduceLROnPlateau | CosineAnnealingLR | LambdaLR


def schedule(optimizer: Optimizer, rate: Rate, epochs: int, patience: int) -> Schedule:
    """Halved after `patience` epochs without a better loss, a cosine to 0, or none."""
    if rate == "cosine":
        return CosineAnnealingLR(optimizer, epochs)
    if rate == "constant":
        return LambdaLR(optimizer, lambda _: 1.0)
    return ReduceLROnPlateau(optimizer, factor=0.5, patience=patience)


def schedule_state(made: Schedule) -> dict[str, Any]:
    """What of a schedule's state is JSON; functions are made anew."""
    return {k: v for k, v in made.state_dict().items() if k != "lr_lambdas"}

"""What long work says about itself while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One step of training: which stage, how far, how well.

    `trouble`: what went wrong and was mended, one line for a person.
    """

    stage: str
    done: int
    total: int
    loss: float | None = None
    held_out_loss: float | None = None
    learning_rate: float | None = None
    trouble: str = ""


Progress = Callable[[Step], None]


def silent(step: Step) -> None:
    """Says nothing."""

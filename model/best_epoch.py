"""Early stopping: the best epoch's weights, and when to stop waiting for a better."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from torch import nn

MIN_GAIN = 1e-4


@dataclass(frozen=True, slots=True)
class Epoch:
    """The figures of one epoch: mean losses, and the learning rate it ran with."""

    loss: float
    held_out_loss: float
    learning_rate: float


@dataclass(frozen=True, slots=True)
class History:
    """All epochs of a stage; `best` counts from 1, 0 where no epoch was any good."""

    epochs: tuple[Epoch, ...] = ()
    best: int = 0


class BestEpoch:
    """Keeps the weights of the epoch with the lowest held-out loss.

    `patience`: epochs without a gain of MIN_GAIN after which training is over.
    """

    def __init__(self, network: nn.Module, patience: int) -> None:
        self._network = network
        self._patience = patience
        self._lowest = float("inf")
        self._weights: dict[str, Any] = network.state_dict()
        self._waited = 0
        self._epochs: list[Epoch] = []
        self._best = 0

    def is_over(self, epoch: Epoch) -> bool:
        """Takes the figures of an epoch; → whether to stop now."""
        self._epochs.append(epoch)
        if epoch.held_out_loss < self._lowest - MIN_GAIN:
            self._lowest, self._waited = epoch.held_out_loss, 0
            self._best = len(self._epochs)
            self._weights = copy.deepcopy(self._network.state_dict())
            return False
        self._waited += 1
        return self._waited >= self._patience

    @property
    def history(self) -> History:
        """The epochs so far, and which of them is kept."""
        return History(tuple(self._epochs), self._best)

    def restore(self) -> None:
        """Puts the best weights back; the network is ready to score."""
        self._network.load_state_dict(self._weights)
        self._network.eval()

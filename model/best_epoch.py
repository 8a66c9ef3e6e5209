"""Early stopping: the best epoch's weights, and when to stop waiting for a better."""

from __future__ import annotations

import copy
from typing import Any

from torch import nn

MIN_GAIN = 1e-4


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

    def is_over(self, held_out_loss: float) -> bool:
        """Takes the loss of an epoch; → whether to stop now."""
        if held_out_loss < self._lowest - MIN_GAIN:
            self._lowest, self._waited = held_out_loss, 0
            self._weights = copy.deepcopy(self._network.state_dict())
            return False
        self._waited += 1
        return self._waited >= self._patience

    def restore(self) -> None:
        """Puts the best weights back; the network is ready to score."""
        self._network.load_state_dict(self._weights)
        self._network.eval()

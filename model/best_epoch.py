"""Early stopping: the best epoch's weights, and when to stop waiting for a better."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor, nn

MIN_GAIN = 1e-4


@dataclass(frozen=True, slots=True)
class Epoch:
    """The figures of one epoch: mean losses, and the learning rate it ran with."""

    loss: float
    held_out_loss: float
    learning_rate: float


@dataclass(frozen=True, slots=True)
class History:
    """All epochs of a stage; `best` counts from 1, 0 where no epoch was any good.

    `troubles`: what went wrong and was mended, one line each.
    """

    epochs: tuple[Epoch, ...] = ()
    best: int = 0
    troubles: tuple[str, ...] = ()


class BestEpoch:
    """Keeps the weights of the epoch with the lowest held-out loss.

    `patience`: epochs without a gain of MIN_GAIN after which training is over; None
    for never. Then the last epoch is kept, whatever it is.
    """

    def __init__(self, network: nn.Module, patience: int | None) -> None:
        self._network = network
        self._patience = patience
        self._lowest = float("inf")
        self._weights: dict[str, Tensor] = copy.deepcopy(network.state_dict())
        self._waited = 0
        self._epochs: list[Epoch] = []
        self._best = 0

    def is_over(self, epoch: Epoch) -> bool:
        """Takes the figures of an epoch, and its weights if it is the best; → whether
        to stop now."""
        self._epochs.append(epoch)
        if self._patience is None or epoch.held_out_loss < self._lowest - MIN_GAIN:
            self._lowest, self._waited = epoch.held_out_loss, 0
            self._best = len(self._epochs)
            self._weights = copy.deepcopy(self._network.state_dict())
        else:
            self._waited += 1
        return self.has_waited

    @property
    def has_waited(self) -> bool:
        """Whether there was no better epoch for long enough."""
        return self._patience is not None and self._waited >= self._patience

    @property
    def done(self) -> int:
        """How many epochs there were."""
        return len(self._epochs)

    @property
    def history(self) -> History:
        """The epochs so far, and which of them is kept."""
        return History(tuple(self._epochs), self._best)

    def restore(self) -> None:
        """Puts the best weights back; the network is ready to score."""
        self._network.load_state_dict(self._weights)
        self._network.eval()

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """JSON values and the best weights, for `resume`."""
        meta = {
            "waited": self._waited,
            "best": self._best,
            "epochs": [asdict(epoch) for epoch in self._epochs],
        }
        return meta, self._weights

    def resume(self, meta: Mapping[str, Any], weights: dict[str, Tensor]) -> None:
        """As it was when `state` was taken."""
        self._epochs = [Epoch(**epoch) for epoch in meta["epochs"]]
        self._waited, self._best = int(meta["waited"]), int(meta["best"])
        if self._best:
            self._lowest = self._epochs[self._best - 1].held_out_loss
        self._weights = weights

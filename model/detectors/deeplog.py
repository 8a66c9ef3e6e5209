"""DeepLog's own decision, as a baseline: is the next event among the k likeliest?

The rule of DeepLog (Du et al. 2017) over our next-event network. As there, the end of
a session is not judged. k is the smallest that flags at most ALARM_SHARE of held-out
normal sessions; an event that was never seen is never among the likeliest.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from model.detectors.protocol import Floats
from model.events import EncodedSession
from model.network import NextEventLSTM
from model.vocabulary import BOS, EOS, PAD, UNK

ALARM_SHARE = 0.005


class DeepLogTopK:
    """The worst rank of any event of a session; anomalous where it is past k."""

    name = "DeepLog top-k"

    def __init__(self, network: NextEventLSTM, device: torch.device) -> None:
        self.threshold = 9.0
        self._network = network
        self._device = device

    def fit(self, sessions: Sequence[EncodedSession]) -> None:
        """Chooses k on held-out normal sessions."""
        ranks = self.score(sessions)
        if len(ranks):
            self.threshold = float(
                np.quantile(ranks, 1 - ALARM_SHARE, method="inverted_cdf")
            )

    def score(self, sessions: Sequence[EncodedSession]) -> Floats:
        """The worst rank, from 1, of any event. sessions (N) → (N,)."""
        distinct = list(dict.fromkeys(s.ids for s in sessions))
        ranks = {ids: self._worst_rank(ids) for ids in distinct}
        return np.array([ranks[s.ids] for s in sessions], dtype=np.float64)

    def _worst_rank(self, ids: tuple[int, ...]) -> float:
        self._network.eval()
        with torch.inference_mode():
            inputs = torch.tensor([[BOS, *ids[:-1]]], device=self._device)
            logits, _, _ = self._network(inputs)
            logits = logits[0].float()  # (n, V)
            logits[:, [PAD, BOS, EOS, UNK]] = -1e9
            chosen = logits.gather(1, torch.tensor(ids, device=self._device)[:, None])
            ranks = (logits > chosen).sum(dim=1) + 1
        return float(ranks.max())

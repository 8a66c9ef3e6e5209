"""Transformer next event: each event looks back at those before it.

Two layers of four heads with a causal mask (Vaswani et al. 2017), positions as sines.
It looks back CROP events at most, as far as training shows; longer sessions are read
in parts of that length, each from its own start.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from model.detectors.next_event import NextEventDetector
from model.language_model import CROP
from model.network import NetworkConfig, NextEvent
from model.vocabulary import PAD

HEADS = 4
LAYERS = 2


class NextEventTransformer(NextEvent):
    """Event ids so far → logits of the next one."""

    positions: Tensor  # (CROP, H)

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        size = config.hidden
        self.embed = nn.Embedding(config.vocabulary, size, padding_idx=PAD)
        self.register_buffer("positions", _sines(CROP, size), persistent=False)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                size, HEADS, 2 * size, config.dropout, batch_first=True, norm_first=True
            )
            for _ in range(LAYERS)
        )
        self.next_event = nn.Linear(size, config.vocabulary)

    def forward(self, ids: Tensor, state: Any = None) -> tuple[Tensor, Tensor, None]:
        """ids (B, T) → logits (B, T, V), hidden (B, T, H); it carries no state."""
        parts = [self._part(part) for part in torch.split(ids, CROP, dim=1)]
        hidden = torch.cat(parts, dim=1)  # (B, T, H)
        return self.next_event(hidden), hidden, None

    def _part(self, ids: Tensor) -> Tensor:
        """ids (B, t), t of CROP at most → hidden (B, t, H)."""
        width = ids.shape[1]
        hidden: Tensor = self.embed(ids) + self.positions[:width]  # (B, t, H)
        mask = nn.Transformer.generate_square_subsequent_mask(width, ids.device)
        for layer in self.layers:
            hidden = layer(hidden, src_mask=mask, is_causal=True)
        return hidden


def _sines(length: int, size: int) -> Tensor:
    """(length, size): sines and cosines of the position at falling frequencies."""
    steps = torch.arange(length).unsqueeze(1)  # (length, 1)
    rates = torch.exp(torch.arange(0, size, 2) * (-math.log(10_000.0) / size))
    angles = steps * rates  # (length, size / 2)
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)


class NextEventTransform(NextEventDetector):
    """The network is `NextEventTransformer`."""

    name = "transformer"

    def _build(self) -> NextEvent:
        return NextEventTransformer(self._config())

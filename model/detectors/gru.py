"""GRU next event: as the LSTM, with a quarter fewer weights in the recurrence."""

from __future__ import annotations

from torch import Tensor, nn

from model.detectors.next_event import NextEventDetector
from model.network import NetworkConfig, NextEvent
from model.vocabulary import PAD


class NextEventGRU(NextEvent):
    """Event ids so far → logits of the next one."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Embedding(config.vocabulary, config.embedding, padding_idx=PAD)
        self.gru = nn.GRU(
            config.embedding, config.hidden, config.layers, batch_first=True
        )
        self.dropout = nn.Dropout(config.dropout)
        self.next_event = nn.Linear(config.hidden, config.vocabulary)

    def forward(
        self, ids: Tensor, state: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """ids (B, T) → logits (B, T, V), hidden (B, T, H), state to carry on with."""
        embedded = self.dropout(self.embed(ids))  # (B, T, E)
        hidden, state = self.gru(embedded, state)  # (B, T, H)
        return self.next_event(self.dropout(hidden)), hidden, state


class NextEventGru(NextEventDetector):
    """The network is `NextEventGRU`."""

    name = "gru"

    def _build(self) -> NextEvent:
        return NextEventGRU(self._config())

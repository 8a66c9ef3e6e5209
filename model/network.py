"""The two networks of Enhanced DeepLog; layers only.

Stage 1, `NextEventLSTM`: a language model of event ids (DeepLog, Du et al. 2017, with
embeddings instead of raw ids). Stage 4, `EnhancedNetwork`: an event sequence and a
feature vector in, a next-event distribution and a class distribution out.

B sessions, T events, V event ids, E embedding, H hidden, F features, C classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from model.vocabulary import PAD

HEADS = 4
MAX_LOGITS = 1 << 26  # of a batch: many templates make batches smaller
State = tuple[Tensor, Tensor]


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """Sizes of the next-event network. `vocabulary` counts the reserved ids too."""

    vocabulary: int
    embedding: int = 32
    hidden: int = 64
    layers: int = 1
    dropout: float = 0.1


@dataclass(frozen=True, slots=True)
class EnhancedConfig:
    """Sizes of the class network. Class 0 is *normal*.

    Without `attention` the state after the last event stands for the sequence; without
    `foretells` there is no head for the next event.
    """

    vocabulary: int
    features: int
    classes: int
    embedding: int = 32
    hidden: int = 64
    heads: int = HEADS
    dropout: float = 0.2
    attention: bool = True
    foretells: bool = True


class NextEvent(nn.Module):
    """Any network that says what comes next; some carry a state from part to part."""

    config: NetworkConfig

    def forward(self, ids: Tensor, state: Any = None) -> tuple[Tensor, Tensor, Any]:
        """ids (B, T) → logits (B, T, V), hidden (B, T, H), state to carry on with."""
        raise NotImplementedError


class NextEventLSTM(NextEvent):
    """Event ids so far → logits of the next one."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Embedding(config.vocabulary, config.embedding, padding_idx=PAD)
        self.lstm = nn.LSTM(
            config.embedding, config.hidden, config.layers, batch_first=True
        )
        self.dropout = nn.Dropout(config.dropout)
        self.next_event = nn.Linear(config.hidden, config.vocabulary)

    def forward(
        self, ids: Tensor, state: State | None = None
    ) -> tuple[Tensor, Tensor, State]:
        """ids (B, T) → logits (B, T, V), hidden (B, T, H), state to carry on with."""
        embedded = self.dropout(self.embed(ids))  # (B, T, E)
        hidden, state = self.lstm(embedded, state)  # (B, T, H)
        return self.next_event(self.dropout(hidden)), hidden, state


@dataclass(frozen=True, slots=True)
class EnhancedOutput:
    """What `EnhancedNetwork` says. The last two are its branches, each alone."""

    class_logits: Tensor  # (B, C)
    states: Tensor  # (B, T, H), what `next_logits` takes
    by_sequence: Tensor  # (B, C)
    by_features: Tensor  # (B, C)


class EnhancedNetwork(nn.Module):
    """Dual input with attention, two heads: the kind of a deviation."""

    def __init__(self, config: EnhancedConfig) -> None:
        super().__init__()
        self.config = config
        hidden, classes = config.hidden, config.classes
        self.embed = nn.Embedding(config.vocabulary, config.embedding, padding_idx=PAD)
        self.lstm = nn.LSTM(config.embedding, hidden, batch_first=True)
        if config.attention:
            self.query = nn.Parameter(torch.zeros(1, 1, hidden))
            self.attention = nn.MultiheadAttention(
                hidden, config.heads, batch_first=True
            )
        self.features = nn.Sequential(
            nn.Linear(config.features, hidden),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
        )
        self.dropout = nn.Dropout(config.dropout)
        if config.foretells:
            self.next_event = nn.Linear(hidden, config.vocabulary)
        self.by_sequence = nn.Linear(hidden, classes)
        self.by_features = nn.Linear(hidden, classes)
        self.classify = nn.Sequential(
            nn.Linear(2 * hidden, hidden),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(hidden, classes),
        )

    def forward(self, ids: Tensor, features: Tensor) -> EnhancedOutput:
        """ids (B, T) padded at the end with PAD, features (B, F) → EnhancedOutput."""
        hidden, _ = self.lstm(self.dropout(self.embed(ids)))  # (B, T, H)
        sequence = self.dropout(self._pooled(hidden, ids == PAD))  # (B, H)
        deep = self.features(features)  # (B, H)
        return EnhancedOutput(
            class_logits=self.classify(torch.cat([sequence, deep], dim=1)),
            states=hidden,
            by_sequence=self.by_sequence(sequence),
            by_features=self.by_features(deep),
        )

    def next_logits(self, states: Tensor) -> Tensor:
        """states (B, T, H) → logits of the next event (B, T, V), for the loss alone."""
        found: Tensor = self.next_event(self.dropout(states))
        return found

    def _pooled(self, hidden: Tensor, padding: Tensor) -> Tensor:
        """hidden (B, T, H), padding (B, T) → one state for each sequence (B, H)."""
        if self.config.attention:
            query = self.query.expand(len(hidden), -1, -1)  # (B, 1, H)
            pooled, _ = self.attention(
                query, hidden, hidden, key_padding_mask=padding, need_weights=False
            )
            result: Tensor = pooled.squeeze(1)
            return result
        last = (~padding).sum(dim=1).clamp_min(1) - 1  # (B,)
        return hidden[torch.arange(len(hidden), device=hidden.device), last]

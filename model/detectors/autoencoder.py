"""LSTM autoencoder: what cannot be written down from a short note is unusual.

    ids ─▶ LSTM ─▶ note of 32 numbers ─▶ LSTM, the note at each step ─▶ ids again

The decoder sees the note and no event (Srivastava et al. 2015, unconditioned), so that
it cannot lean on what came just before. The score is the mean −log p of the events
that are hardest to tell, an eighth of them and one at least: nats.
"""

from __future__ import annotations

from torch import Tensor, nn

from model.detectors.neural import NeuralDetector
from model.detectors.sequences import hardest, last_of, nats_of
from model.vocabulary import PAD

EMBEDDING = 32
HIDDEN = 64
NOTE = 32


class SequenceAutoencoder(nn.Module):
    """Event ids → logits of the same events, by way of a note."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocabulary, EMBEDDING, padding_idx=PAD)
        self.encode = nn.LSTM(EMBEDDING, HIDDEN, batch_first=True)
        self.note = nn.Linear(HIDDEN, NOTE)
        self.decode = nn.LSTM(NOTE, HIDDEN, batch_first=True)
        self.event = nn.Linear(HIDDEN, vocabulary)

    def forward(self, ids: Tensor) -> Tensor:
        """ids (B, T) → logits (B, T, V)."""
        hidden, _ = self.encode(self.embed(ids))  # (B, T, H)
        note = self.note(last_of(hidden, ids)).tanh()  # (B, N)
        steps = note.unsqueeze(1).expand(-1, ids.shape[1], -1)  # (B, T, N)
        told, _ = self.decode(steps)  # (B, T, H)
        logits: Tensor = self.event(told)
        return logits


class LstmAutoencoder(NeuralDetector):
    """How badly a session is told again."""

    name = "autoencoder"

    def _build(self) -> nn.Module:
        return SequenceAutoencoder(self.size)

    def _losses(self, ids: Tensor, targets: Tensor) -> Tensor:
        return nats_of(self.network(ids), ids).sum(dim=1)

    def _scores(self, ids: Tensor) -> Tensor:
        return hardest(nats_of(self.network(ids), ids), ids)

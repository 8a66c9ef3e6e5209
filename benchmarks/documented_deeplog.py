"""The anchor of inference: Enhanced DeepLog as it is usually documented.

Kept out of the product, and as written there: raw event ids as floats, one Python call
a window, everything made anew in each call.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

WINDOW = 10
HIDDEN = 128
LAYERS = 2
CLASSES = 4


class BaseDeepLog(nn.Module):
    """Its base network; the last hidden state serves as features."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, HIDDEN, LAYERS, batch_first=True, dropout=0.2)

    def forward(self, windows: Tensor) -> Tensor:
        """windows (1, WINDOW, 1) → features (1, HIDDEN)."""
        _, (hidden, _) = self.lstm(windows)
        last: Tensor = hidden[-1]
        return last


class EnhancedDeepLog(nn.Module):
    """Its second network: attention over an LSTM, two heads."""

    def __init__(self, events: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, HIDDEN, LAYERS, batch_first=True, dropout=0.2)
        self.attention = nn.MultiheadAttention(HIDDEN, 8, batch_first=True)
        self.next_event = _head(HIDDEN, events)
        self.classify = _head(2 * HIDDEN, CLASSES)

    def forward(self, windows: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """windows (1, WINDOW, 1), features → next event (1, events), class (1, C)."""
        hidden, _ = self.lstm(windows)
        attended, _ = self.attention(hidden, hidden, hidden)
        last = attended[:, -1]
        both = torch.cat([last, features], dim=1)
        return self.next_event(last), self.classify(both)


def _head(size: int, out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(size, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, out)
    )


class DocumentedLoop:
    """Its inference: "batch inference" is a loop over one call a window."""

    def __init__(self, events: int) -> None:
        self.base = BaseDeepLog().eval()
        self.enhanced = EnhancedDeepLog(events).eval()

    def __call__(self, windows: Sequence[Sequence[int]]) -> list[tuple[int, float]]:
        """The class of each window, with what is called its confidence."""
        return [self._one(window) for window in windows]

    def _one(self, window: Sequence[int]) -> tuple[int, float]:
        with torch.no_grad():
            sequence = torch.tensor(window, dtype=torch.float32).view(1, WINDOW, 1)
            features = self.base(sequence)
            _, logits = self.enhanced(sequence, features)
            chances = torch.softmax(logits, dim=1)
            return int(chances.argmax(dim=1)), float(chances.max())


def windows_of(sessions: Sequence[Sequence[int]]) -> list[Sequence[int]]:
    """Overlapping windows; sessions that are shorter have none."""
    return [
        ids[at : at + WINDOW] for ids in sessions for at in range(len(ids) - WINDOW + 1)
    ]

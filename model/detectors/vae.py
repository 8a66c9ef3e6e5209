"""VAE: a variational autoencoder of event sequences, which can also draw them.

    counts ─▶ mean, spread of 16 numbers ─▶ a code is drawn ─▶ GRU, event by event

(Kingma and Welling 2014.) The code says what a session holds, the decoder in which
order: it sees the code at every step and the events before. What is unusual costs many
nats: its hardest events given the code, and the code itself. The decoder draws sessions
as well: a code near one that was learned, then event by event until the end.

Each number of the code has half a nat free: else the decoder learns to do without it
(Kingma et al. 2016), and what it draws drifts from the counts that are usual.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from model.detectors.neural import NeuralDetector
from model.detectors.sequences import (
    LONGEST,
    Fitting,
    hardest,
    nats_of,
    padded,
    parts_of,
    shifted,
)
from model.events import EncodedSession
from model.vocabulary import BOS, EOS, PAD, UNK

EMBEDDING = 32
HIDDEN = 96
CODE = 16
FREE_NATS = 0.5
CODES_KEPT = 500
SHARPNESS = 1 / 0.7
AT_ONCE = 500


class SequenceVae(nn.Module):
    """Event ids → logits of the same events, and the code's cost.

    `codes` (K, 2, CODE): mean and log spread of sessions that were learned.
    """

    codes: Tensor

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self.embed = nn.Embedding(vocabulary, EMBEDDING, padding_idx=PAD)
        self.counts = nn.Sequential(
            nn.Linear(vocabulary, HIDDEN),
            nn.ReLU(),
            nn.Linear(HIDDEN, HIDDEN),
            nn.ReLU(),
        )
        self.mean = nn.Linear(HIDDEN, CODE)
        self.log_spread = nn.Linear(HIDDEN, CODE)
        self.start = nn.Linear(CODE, HIDDEN)
        self.decode = nn.GRU(EMBEDDING + CODE, HIDDEN, batch_first=True)
        self.event = nn.Linear(HIDDEN, vocabulary)
        self.register_buffer("codes", torch.zeros(CODES_KEPT, 2, CODE))

    def encode(self, ids: Tensor) -> Tensor:
        """ids (B, T) → mean and log spread of the code (B, 2, CODE)."""
        counts = torch.zeros(len(ids), self.vocabulary, device=ids.device)
        counts.scatter_add_(1, ids, (ids != PAD).float())  # (B, V)
        hidden = self.counts(counts.log1p())  # (B, H)
        return torch.stack(
            [self.mean(hidden), self.log_spread(hidden).clamp(-6, 3)], dim=1
        )

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """ids (B, T) → logits (B, T, V), nats a number of the code (B, CODE)."""
        mean, log_spread = self.encode(ids).unbind(1)  # (B, CODE) each
        code = mean
        if self.training:
            code = mean + torch.randn_like(mean) * log_spread.exp()
        cost = 0.5 * (mean**2 + (2 * log_spread).exp() - 1) - log_spread
        logits, _ = self.step(shifted(ids), code, self.state_of(code))
        return logits, cost

    def state_of(self, code: Tensor) -> Tensor:
        """code (B, CODE) → the decoder's state (1, B, H)."""
        state: Tensor = self.start(code).tanh().unsqueeze(0)
        return state

    def step(
        self, before: Tensor, code: Tensor, state: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The events before (B, T) → logits of the next (B, T, V), state (1, B, H)."""
        codes = code.unsqueeze(1).expand(-1, before.shape[1], -1)  # (B, T, CODE)
        seen = torch.cat([self.embed(before), codes], dim=2)  # (B, T, E + CODE)
        hidden, state = self.decode(seen, state)
        logits: Tensor = self.event(hidden)
        return logits, state


class Vae(NeuralDetector):
    """How many nats a session costs, and sessions of the same making."""

    name = "vae"
    network: SequenceVae

    def draw(self, count: int, seed: int) -> list[tuple[int, ...]]:
        """So many sessions of event ids, none of them empty, 256 events at most.

        Likely events are drawn somewhat more often than they are likely: over fifty
        events small errors add up. Equal seeds draw equal sessions on CPU.
        """
        chance = torch.Generator().manual_seed(seed)
        drawn: list[tuple[int, ...]] = []
        with torch.inference_mode():
            while len(drawn) < count:
                drawn += self._draw(min(AT_ONCE, count - len(drawn)), chance)
        return drawn

    def _draw(self, count: int, chance: torch.Generator) -> list[tuple[int, ...]]:
        device = self.setting.device
        place = torch.randint(0, CODES_KEPT, (count,), generator=chance)
        mean, log_spread = self.network.codes.cpu()[place].unbind(1)
        noise = torch.randn(count, CODE, generator=chance)
        code = (mean + noise * log_spread.exp()).to(device)
        state = self.network.state_of(code)
        last = torch.full((count, 1), BOS, device=device)
        columns: list[Tensor] = []
        over = torch.zeros(count, dtype=torch.bool)
        while not over.all() and len(columns) < LONGEST:
            logits, state = self.network.step(last, code, state)
            never = [PAD, UNK, BOS] if columns else [PAD, UNK, BOS, EOS]
            logits[:, :, never] = -torch.inf
            shares = (SHARPNESS * logits[:, 0]).softmax(dim=1).cpu()  # (B, V)
            event = torch.multinomial(shares, 1, generator=chance)  # (B, 1)
            columns.append(event[:, 0].masked_fill(over, EOS))
            over |= columns[-1] == EOS
            last = event.to(device)
        rows = torch.stack(columns, dim=1).tolist()
        return [tuple(e for e in row if e != EOS) for row in rows]

    def _build(self) -> SequenceVae:
        return SequenceVae(self.size)

    def _fitting(self) -> Fitting:
        return replace(super()._fitting(), patience=6)

    def _learn(
        self,
        learned: Sequence[EncodedSession],
        aside: Sequence[EncodedSession],
        targets: Sequence[float] | None = None,
        aside_targets: Sequence[float] | None = None,
    ) -> None:
        super()._learn(learned, aside, targets, aside_targets)
        chance = np.random.default_rng(self.setting.seed)
        places = chance.integers(len(learned), size=CODES_KEPT).tolist()
        kept = [(*parts_of(learned[place]), ())[0] for place in places]
        with torch.inference_mode():
            codes = self.network.encode(padded(kept).to(self.setting.device))
        self.network.codes.copy_(codes)

    def _losses(self, ids: Tensor, targets: Tensor) -> Tensor:
        logits, cost = self.network(ids)
        code: Tensor = cost.clamp(min=FREE_NATS).sum(dim=1)
        return nats_of(logits, ids).sum(dim=1) + code

    def _scores(self, ids: Tensor) -> Tensor:
        logits, cost = self.network(ids)
        scores: Tensor = hardest(nats_of(logits, ids), ids) + cost.sum(dim=1) / CODE
        return scores

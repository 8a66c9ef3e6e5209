"""VAE: a variational autoencoder of event sequences, which can also draw them.

    ids ─▶ GRU ─▶ mean, spread of 16 numbers ─▶ one is drawn ─▶ GRU, event by event

(Kingma and Welling 2014; Bowman et al. 2016 on sequences.) What is unusual costs many
nats: its hardest events given the code, and the code itself. The decoder draws sessions
as well: a code from the prior, then event by event until the end.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from model.detectors.neural import NeuralDetector
from model.detectors.sequences import LONGEST, hardest, last_of, nats_of, shifted
from model.vocabulary import BOS, EOS, PAD, UNK

EMBEDDING = 32
HIDDEN = 64
CODE = 16
FORGET = 0.2
FREE_NATS = 0.05
AT_ONCE = 500


class SequenceVae(nn.Module):
    """Event ids → logits of the same events, and the code's cost."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocabulary, EMBEDDING, padding_idx=PAD)
        self.encode = nn.GRU(EMBEDDING, HIDDEN, batch_first=True)
        self.mean = nn.Linear(HIDDEN, CODE)
        self.log_spread = nn.Linear(HIDDEN, CODE)
        self.start = nn.Linear(CODE, HIDDEN)
        self.decode = nn.GRU(EMBEDDING, HIDDEN, batch_first=True)
        self.event = nn.Linear(HIDDEN, vocabulary)

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """ids (B, T) → logits (B, T, V), nats a number of the code (B, CODE)."""
        hidden, _ = self.encode(self.embed(ids))  # (B, T, H)
        last = last_of(hidden, ids)  # (B, H)
        mean, log_spread = self.mean(last), self.log_spread(last).clamp(-6, 3)
        code = mean
        if self.training:
            code = mean + torch.randn_like(mean) * log_spread.exp()
        cost = 0.5 * (mean**2 + (2 * log_spread).exp() - 1) - log_spread
        before = shifted(ids)
        if self.training:  # forgets some, so that the code has to say it
            lost = (torch.rand(ids.shape, device=ids.device) < FORGET) & (before > EOS)
            before = before.masked_fill(lost, UNK)
        logits, _ = self.step(before, self.state_of(code))
        return logits, cost

    def state_of(self, code: Tensor) -> Tensor:
        """code (B, CODE) → the decoder's state (1, B, H)."""
        state: Tensor = self.start(code).tanh().unsqueeze(0)
        return state

    def step(self, before: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """The events before (B, T) → logits of the next (B, T, V), state (1, B, H)."""
        hidden, state = self.decode(self.embed(before), state)
        logits: Tensor = self.event(hidden)
        return logits, state


class Vae(NeuralDetector):
    """How many nats a session costs, and sessions of the same making."""

    name = "vae"
    network: SequenceVae

    def draw(self, count: int, seed: int) -> list[tuple[int, ...]]:
        """So many sessions of event ids, none of them empty, 256 events at most.

        Equal seeds draw equal sessions on CPU.
        """
        chance = torch.Generator().manual_seed(seed)
        drawn: list[tuple[int, ...]] = []
        with torch.inference_mode():
            while len(drawn) < count:
                drawn += self._draw(min(AT_ONCE, count - len(drawn)), chance)
        return drawn

    def _draw(self, count: int, chance: torch.Generator) -> list[tuple[int, ...]]:
        device = self.setting.device
        state = self.network.state_of(
            torch.randn(count, CODE, generator=chance).to(device)
        )
        last = torch.full((count, 1), BOS, device=device)
        columns: list[Tensor] = []
        over = torch.zeros(count, dtype=torch.bool)
        while not over.all() and len(columns) < LONGEST:
            logits, state = self.network.step(last, state)
            never = [PAD, UNK, BOS] if columns else [PAD, UNK, BOS, EOS]
            logits[:, :, never] = -torch.inf
            shares = logits[:, 0].softmax(dim=1).cpu()  # (B, V)
            event = torch.multinomial(shares, 1, generator=chance)  # (B, 1)
            columns.append(event[:, 0].masked_fill(over, EOS))
            over |= columns[-1] == EOS
            last = event.to(device)
        rows = torch.stack(columns, dim=1).tolist() if columns else []
        return [tuple(e for e in row if e != EOS) for row in rows]

    def _build(self) -> nn.Module:
        return SequenceVae(self.size)

    def _losses(self, ids: Tensor, targets: Tensor) -> Tensor:
        logits, cost = self.network(ids)
        code: Tensor = cost.clamp(min=FREE_NATS).sum(dim=1)
        return nats_of(logits, ids).sum(dim=1) + code

    def _scores(self, ids: Tensor) -> Tensor:
        logits, cost = self.network(ids)
        scores: Tensor = hardest(nats_of(logits, ids), ids) + cost.sum(dim=1) / CODE
        return scores

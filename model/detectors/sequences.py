"""Sessions as batches of ids, and the loop that fits a network on them.

    sessions ─▶ parts of at most LONGEST events ─▶ batches of like length
        ─▶ loss a part ─▶ Adam ─▶ early stopping on held-out sessions

Equal sessions are learned once, with their number as weight. Equal seeds give equal
weights on CPU.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from model.best_epoch import BestEpoch, Epoch
from model.detectors.protocol import Floats
from model.events import EncodedSession
from model.surprise import MAX_NATS
from model.vocabulary import BOS, EOS, PAD

LONGEST = 256
AT_ONCE = 256
HARDEST_SHARE = 8


@dataclass(frozen=True, slots=True)
class Fitting:
    """How a network is fitted: steps an epoch (at least), events a step (at most)."""

    learning_rate: float = 4e-3
    tokens_a_step: int = 4096
    steps: int = 24
    epochs: int = 30
    patience: int = 4


@dataclass(frozen=True, slots=True)
class Batch:
    """B parts of sessions, padded at their end with PAD, and what they are to give."""

    ids: Tensor  # (B, T)
    targets: Tensor  # (B,)
    weights: Tensor  # (B,)


Loss = Callable[[Tensor, Tensor], Tensor]
"""ids (B, T), targets (B,) → losses (B,)."""

Scores = Callable[[Tensor], Tensor]
"""ids (B, T) → scores (B,)."""


def fit_network(
    network: nn.Module,
    loss: Loss,
    train: Sequence[Batch],
    held_out: Sequence[Batch],
    config: Fitting,
    seed: int,
    device: torch.device,
) -> None:
    """Fits a network; the weights of the epoch with the least held-out loss stay."""
    optimizer = torch.optim.Adam(network.parameters(), lr=config.learning_rate)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=0.5, patience=1
    )
    best = BestEpoch(network, config.patience)
    rng = np.random.default_rng(seed)
    for _ in range(config.epochs):
        network.train()
        for place in rng.permutation(max(len(train), config.steps)):
            mean = _mean_loss(loss, train[place % len(train)], device)
            optimizer.zero_grad(set_to_none=True)
            mean.backward()  # type: ignore[no-untyped-call]  # torch's own
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
        network.eval()
        with torch.inference_mode():
            losses = [(_mean_loss(loss, b, device).item(), _mass(b)) for b in held_out]
        check = sum(x * mass for x, mass in losses) / sum(mass for _, mass in losses)
        rate = float(optimizer.param_groups[0]["lr"])
        schedule.step(check)
        if best.is_over(Epoch(check, check, rate)):
            break
    best.restore()


def _mean_loss(loss: Loss, batch: Batch, device: torch.device) -> Tensor:
    losses = loss(batch.ids.to(device), batch.targets.to(device))  # (B,)
    weights = batch.weights.to(device)
    return (losses * weights).sum() / weights.sum()


def _mass(batch: Batch) -> float:
    return float(batch.weights.sum())


def batches(
    sessions: Sequence[EncodedSession],
    config: Fitting,
    targets: Sequence[float] | None = None,
) -> list[Batch]:
    """Sessions (N), what each is to give (N) → batches of parts of like length."""
    wanted = [0.0] * len(sessions) if targets is None else targets
    parts = [
        (part, target, float(weight))
        for (session, target), weight in Counter(
            zip(sessions, wanted, strict=True)
        ).items()
        for part in parts_of(session)
    ]
    parts.sort(key=lambda each: (len(each[0]), each))
    tokens = sum(len(part) for part, _, _ in parts)
    room = min(config.tokens_a_step, tokens // config.steps + 1)
    found: list[Batch] = []
    pending: list[tuple[tuple[int, ...], float, float]] = []
    for each in parts:
        if pending and (len(pending) + 1) * len(each[0]) > room:
            found.append(_batch(pending))
            pending = []
        pending.append(each)
    return [*found, _batch(pending)] if pending else found


def parts_of(session: EncodedSession) -> list[tuple[int, ...]]:
    """The ids of a session, EOS where it ended, in parts of at most LONGEST."""
    ids = (*session.ids, EOS) if session.ends else session.ids
    return [ids[at : at + LONGEST] for at in range(0, len(ids), LONGEST)]


def highest_scores(
    scores: Scores, sessions: Sequence[EncodedSession], device: torch.device
) -> Floats:
    """The highest score of any part of each session. sessions (N) → (N,)."""
    highest: dict[EncodedSession, float] = dict.fromkeys(sessions, 0.0)
    owned = [(part, s) for s in highest for part in parts_of(s)]
    owned.sort(key=lambda pair: len(pair[0]))
    with torch.inference_mode():
        for at in range(0, len(owned), AT_ONCE):
            some = owned[at : at + AT_ONCE]
            ids = padded([part for part, _ in some]).to(device)
            for (_, session), score in zip(some, scores(ids).tolist(), strict=True):
                highest[session] = max(highest[session], score)
    return np.array([highest[s] for s in sessions], dtype=np.float64)


def _batch(parts: Sequence[tuple[tuple[int, ...], float, float]]) -> Batch:
    return Batch(
        padded([part for part, _, _ in parts]),
        torch.tensor([target for _, target, _ in parts]),
        torch.tensor([weight for _, _, weight in parts]),
    )


def padded(parts: Sequence[tuple[int, ...]]) -> Tensor:
    """Parts (B) → ids (B, T), PAD after their end."""
    ids = np.full((len(parts), max(map(len, parts))), PAD, dtype=np.int64)
    for row, part in zip(ids, parts, strict=True):
        row[: len(part)] = part
    return torch.from_numpy(ids)


def last_of(hidden: Tensor, ids: Tensor) -> Tensor:
    """The hidden state at the last real event: (B, T, H), ids (B, T) → (B, H)."""
    last = (ids != PAD).sum(dim=1).clamp(min=1) - 1  # (B,)
    return hidden[torch.arange(len(ids)), last]


def shifted(ids: Tensor) -> Tensor:
    """BOS before the ids, the last of them left out: (B, T) → (B, T)."""
    return torch.cat([torch.full_like(ids[:, :1], BOS), ids[:, :-1]], dim=1)


def nats_of(logits: Tensor, ids: Tensor) -> Tensor:
    """−log p of each event, 0 where PAD. logits (B, T, V), ids (B, T) → (B, T)."""
    losses = cross_entropy(logits.transpose(1, 2), ids, reduction="none")
    return losses.clamp(max=MAX_NATS) * (ids != PAD)


def hardest(nats: Tensor, ids: Tensor) -> Tensor:
    """The mean over the eighth of events with most nats, one at least.

    nats, ids (B, T) → (B,).
    """
    ranked = nats.sort(dim=1, descending=True).values
    taken = ((ids != PAD).sum(dim=1) // HARDEST_SHARE).clamp(min=1)  # (B,)
    places = torch.arange(ids.shape[1], device=ids.device)
    kept = ranked * (places < taken.unsqueeze(1))
    return kept.sum(dim=1) / taken

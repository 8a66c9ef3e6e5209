"""Stage 1: the next-event network, trained on what is left after cleaning.

    distinct sessions (with how often each came) ─▶ batches of like length
        ─▶ −log p(next event) ─▶ Adam, schedule on the held-out loss, early stopping

The best epoch's weights are kept. Part of the sessions is held out by a salted hash
of their ids' order of arrival, never by window: overlapping windows on both sides
would flatter the loss.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from model.best_epoch import BestEpoch, Epoch, History
from model.events import EncodedSession
from model.network import NetworkConfig, NextEvent, NextEventLSTM
from model.progress import Progress, Step, silent
from model.vocabulary import BOS, EOS, PAD, UNK

CROP = 256
UNK_RATE = 0.01


@dataclass(frozen=True, slots=True)
class LanguageModelConfig:
    """How stage 1 is trained."""

    embedding: int = 32
    hidden: int = 64
    layers: int = 1
    dropout: float = 0.1
    learning_rate: float = 4e-3
    batch_tokens: int = 4096
    batches: int = 24
    epochs: int = 50
    patience: int = 7
    max_tokens: int = 2_000_000


@dataclass(frozen=True, slots=True)
class _Batch:
    inputs: Tensor  # (B, T)
    targets: Tensor  # (B, T), PAD where not judged
    weights: Tensor  # (B,)


def train_language_model(
    train: Sequence[EncodedSession],
    held_out: Sequence[EncodedSession],
    vocabulary: int,
    config: LanguageModelConfig,
    *,
    seed: int,
    device: torch.device,
    progress: Progress = silent,
) -> tuple[NextEventLSTM, History]:
    """Fits the next-event network; losses in nats an event.

    Equal seeds give equal weights on CPU.
    """
    rng = np.random.default_rng(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = NextEventLSTM(
            NetworkConfig(
                vocabulary,
                config.embedding,
                config.hidden,
                config.layers,
                config.dropout,
            )
        ).to(device)
        history = fit_next_event(
            network, train, held_out, config, rng, device, progress
        )
    return network, history


def fit_next_event(
    network: NextEvent,
    train: Sequence[EncodedSession],
    held_out: Sequence[EncodedSession],
    config: LanguageModelConfig,
    rng: np.random.Generator,
    device: torch.device,
    progress: Progress = silent,
) -> History:
    """Fits a network that says what comes next; the best epoch's weights stay."""
    batches = _make_batches(_limited(train, config.max_tokens, rng), config)
    checks = _make_batches(list(held_out) or list(train), config)
    optimizer = torch.optim.Adam(network.parameters(), lr=config.learning_rate)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=0.5, patience=2
    )
    best = BestEpoch(network, config.patience)
    for number in range(config.epochs):
        loss = _run_epoch(network, batches, optimizer, rng, device)
        check = _held_out_loss(network, checks, device)
        rate = float(optimizer.param_groups[0]["lr"])
        progress(Step("1 next event", number + 1, config.epochs, loss, check, rate))
        schedule.step(check)
        if best.is_over(Epoch(loss, check, rate)):
            break
    best.restore()
    return best.history


def _run_epoch(
    network: NextEvent,
    batches: Sequence[_Batch],
    optimizer: torch.optim.Optimizer,
    rng: np.random.Generator,
    device: torch.device,
) -> float:
    network.train()
    total, weight = 0.0, 0.0
    for index in rng.permutation(len(batches)):
        batch = batches[index]
        inputs = _with_unknowns(batch.inputs).to(device)
        loss, mass = _loss(network, inputs, batch, device)
        optimizer.zero_grad(set_to_none=True)
        (loss / mass).backward()  # type: ignore[no-untyped-call]  # torch's own
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        total, weight = total + float(loss.detach()), weight + float(mass)
    return total / max(weight, 1e-9)


def _held_out_loss(
    network: NextEvent, batches: Sequence[_Batch], device: torch.device
) -> float:
    network.eval()
    total, weight = 0.0, 0.0
    with torch.inference_mode():
        for batch in batches:
            loss, mass = _loss(network, batch.inputs.to(device), batch, device)
            total, weight = total + float(loss), weight + float(mass)
    return total / max(weight, 1e-9)


def _loss(
    network: NextEvent, inputs: Tensor, batch: _Batch, device: torch.device
) -> tuple[Tensor, Tensor]:
    targets = batch.targets.to(device)
    logits, _, _ = network(inputs)  # (B, T, V)
    losses = cross_entropy(
        logits.transpose(1, 2), targets, ignore_index=PAD, reduction="none"
    )  # (B, T)
    weights = batch.weights.to(device).unsqueeze(1)  # (B, 1)
    mass = ((targets != PAD) * weights).sum()
    return (losses * weights).sum(), mass


def _with_unknowns(inputs: Tensor) -> Tensor:
    """Some events are read as UNK, so that a new one does not derail what follows."""
    hidden = (torch.rand(inputs.shape) < UNK_RATE) & (inputs > EOS)
    return torch.where(hidden, torch.full_like(inputs, UNK), inputs)


def _limited(
    sessions: Sequence[EncodedSession], max_tokens: int, rng: np.random.Generator
) -> list[EncodedSession]:
    """A random sample of the sessions of at most `max_tokens` events."""
    total = sum(len(s.ids) for s in sessions)
    if total <= max_tokens:
        return list(sessions)
    kept, room = [], max_tokens
    for index in rng.permutation(len(sessions)):
        room -= len(sessions[index].ids)
        if room < 0:
            break
        kept.append(sessions[index])
    return kept


def _make_batches(
    sessions: Sequence[EncodedSession], config: LanguageModelConfig
) -> list[_Batch]:
    weights = Counter(sessions)
    crops = [
        (crop, weights[session]) for session in weights for crop in _crops(session)
    ]
    crops.sort(key=lambda item: len(item[0][0]))
    tokens = sum(len(crop[0]) for crop, _ in crops)
    room = min(config.batch_tokens, tokens // config.batches + 1)
    batches, pending = [], list[tuple[tuple[list[int], list[int]], int]]()
    for item in crops:
        if pending and (len(pending) + 1) * len(item[0][0]) > room:
            batches.append(_stack(pending))
            pending = []
        pending.append(item)
    if pending:
        batches.append(_stack(pending))
    return batches


def _crops(session: EncodedSession) -> list[tuple[list[int], list[int]]]:
    """(inputs, targets) of at most CROP events; targets not to be judged are PAD."""
    inputs = [BOS, *session.ids]
    targets = [*session.ids, EOS if session.ends else PAD]
    if not session.starts:
        targets[0] = PAD
    return [
        (inputs[at : at + CROP], targets[at : at + CROP])
        for at in range(0, len(inputs), CROP)
    ]


def _stack(items: Sequence[tuple[tuple[list[int], list[int]], int]]) -> _Batch:
    width = max(len(crop[0]) for crop, _ in items)
    inputs = torch.full((len(items), width), PAD, dtype=torch.long)
    targets = torch.full((len(items), width), PAD, dtype=torch.long)
    for row, ((source, target), _) in enumerate(items):
        inputs[row, : len(source)] = torch.tensor(source)
        targets[row, : len(target)] = torch.tensor(target)
    weights = torch.tensor([float(weight) for _, weight in items])
    return _Batch(inputs, targets, weights)

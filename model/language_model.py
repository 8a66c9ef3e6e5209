"""Stage 1: the next-event network, trained on what is left after cleaning.

    distinct sessions (with how often each came) ─▶ batches of like length
        ─▶ −log p(next event) ─▶ Adam, schedule on the held-out loss, early stopping

The best epoch's weights are kept. Part of the sessions is held out by a salted hash
of their ids' order of arrival, never by window: overlapping windows on both sides
would flatter the loss.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from model.best_epoch import History
from model.checkpoint import Checkpoint
from model.epochs import Pace, Setting, run_epochs
from model.events import EncodedSession
from model.network import MAX_LOGITS, NetworkConfig, NextEvent, NextEventLSTM
from model.progress import Progress, silent
from model.schedules import Rate
from model.vocabulary import BOS, EOS, PAD, UNK

CROP = 256
UNK_RATE = 0.01


@dataclass(frozen=True, slots=True)
class LanguageModelConfig:
    """How stage 1 is trained. Without `early_stopping` the last epoch is kept."""

    embedding: int = 32
    hidden: int = 64
    layers: int = 1
    dropout: float = 0.1
    learning_rate: float = 4e-3
    batch_tokens: int = 4096
    batches: int = 24
    epochs: int = 50
    patience: int = 7
    early_stopping: bool = True
    rate: Rate = "plateau"
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
    mixed: str = "off",
    checkpoint: Checkpoint | None = None,
) -> tuple[NextEventLSTM, History]:
    """Fits the next-event network; losses in nats an event.

    Equal seeds give equal weights on CPU. Raises TrainingError, OutOfMemoryError.
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
            network,
            train,
            held_out,
            config,
            rng,
            Setting(device, mixed, checkpoint, progress),
        )
    return network, history


def fit_next_event(
    network: NextEvent,
    train: Sequence[EncodedSession],
    held_out: Sequence[EncodedSession],
    config: LanguageModelConfig,
    rng: np.random.Generator,
    setting: Setting,
) -> History:
    """Fits a network that says what comes next; the best epoch's weights stay."""
    taken = _limited(train, config.max_tokens, rng)
    checks = _limited(held_out, config.max_tokens // 4, rng) or taken
    return run_epochs(
        "1 next event",
        network,
        _NextEvents(network, taken, checks, config, setting.device),
        Pace(
            config.learning_rate,
            config.epochs,
            config.patience if config.early_stopping else None,
            config.rate,
        ),
        setting,
        rng,
    )


class _NextEvents:
    """The lesson of stage 1."""

    def __init__(
        self,
        network: NextEvent,
        train: Sequence[EncodedSession],
        held_out: Sequence[EncodedSession],
        config: LanguageModelConfig,
        device: torch.device,
    ) -> None:
        room = max(1, MAX_LOGITS // network.config.vocabulary)
        config = replace(config, batch_tokens=min(config.batch_tokens, room))
        self._network, self._device, self._config = network, device, config
        self._sessions = train, held_out
        self._train = _make_batches(train, config)
        self._held_out = _make_batches(held_out, config)

    def batches(self, rng: np.random.Generator) -> Iterator[_Batch]:
        for index in rng.permutation(len(self._train)):
            batch = self._train[index]
            yield replace(batch, inputs=_with_unknowns(batch.inputs))

    def checks(self) -> Sequence[_Batch]:
        return self._held_out

    def loss(self, batch: _Batch) -> tuple[Tensor, Tensor]:
        return _loss(self._network, batch.inputs.to(self._device), batch, self._device)

    def halve(self) -> bool:
        if all(len(b.inputs) == 1 for b in (*self._train, *self._held_out)):
            return False
        largest = max(b.inputs.numel() for b in (*self._train, *self._held_out))
        self._config = replace(self._config, batch_tokens=max(1, largest // 2))
        self._train, self._held_out = (
            _make_batches(sessions, self._config) for sessions in self._sessions
        )
        return True


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
    """A random sample of the sessions of at most `max_tokens` different events: equal
    sessions count once."""
    if sum(len(s.ids) for s in set(sessions)) <= max_tokens:
        return list(sessions)
    kept: list[EncodedSession] = []
    taken: set[EncodedSession] = set()
    room = max_tokens
    for index in rng.permutation(len(sessions)):
        session = sessions[index]
        if session not in taken:
            room -= len(session.ids)
            if room < 0:
                break
            taken.add(session)
        kept.append(session)
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

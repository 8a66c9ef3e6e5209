"""Stage 4: the dual-input class network, trained on the kinds that were found.

    loss = α · next event + β · focal(class) + γ · consistency

The consistency term compares two things that can be compared: what the sequence
branch alone and what the feature branch alone say of the class (Jensen-Shannon).
Classes are drawn evenly, the best epoch on held-out sessions is kept, and the
temperature that makes confidence honest is fitted on the same held-out sessions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy, softmax

from model.best_epoch import History
from model.clusters import Method
from model.epochs import Pace, Setting, run_epochs
from model.events import EncodedSession
from model.features import FeatureSpace, Matrix, deep_features, deviation
from model.kinds import WINDOW, Kind, KindModel, choose_exemplars, window_ids
from model.network import MAX_LOGITS, EnhancedConfig, EnhancedNetwork, EnhancedOutput
from model.out_of_memory import in_parts
from model.schedules import Rate
from model.surprise import Surprise
from model.vocabulary import PAD

MAX_CHECKED = 4096


@dataclass(frozen=True, slots=True)
class ClassTrainingConfig:
    """How stage 4 is trained: the weights of the loss, then the usual.

    `focus` 0 makes the focal loss plain cross-entropy. Without `attention` the last
    state stands for the sequence; `windows` and `statistics` are parts of the features.
    Without `early_stopping` the last epoch is kept. `clustering`: of stage 3.
    `presence`: a presence head may decide where few sessions are normal. What the
    ablation of docs/model.md cannot tell from chance is off: it costs time.
    """

    alpha: float = 0.0
    beta: float = 1.0
    gamma: float = 0.0
    focus: float = 0.0
    hidden: int = 64
    learning_rate: float = 2e-3
    batch: int = 128
    epochs: int = 60
    patience: int = 10
    early_stopping: bool = True
    rate: Rate = "plateau"
    attention: bool = False
    windows: bool = False
    statistics: bool = False
    held_out_share: float = 0.2
    clustering: Method = "auto"
    presence: bool = True


@dataclass(frozen=True, slots=True)
class ClassMembers:
    """Sessions (N), their surprises, and class numbers (N): 0 normal, then kinds."""

    sessions: Sequence[EncodedSession]
    surprises: Sequence[Surprise]
    labels: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TrainedKinds:
    """Stage 4, and how it did.

    `held_out`: for each odd member that taught the network nothing, its place among the
    members and its kind, told with the exemplars of the taught members alone.
    """

    kinds: KindModel
    history: History
    held_out: tuple[tuple[int, Kind], ...]


@dataclass(frozen=True, slots=True)
class _Rows:
    ids: Tensor  # (N, WINDOW)
    features: Tensor  # (N, F)
    labels: Tensor  # (N,)


def train_kinds(
    members: ClassMembers,
    classes: tuple[str, ...],
    space: FeatureSpace,
    vocabulary: int,
    config: ClassTrainingConfig,
    *,
    seed: int,
    setting: Setting,
) -> TrainedKinds:
    """Fits the class network on members of class 0 and of `classes` (1 …)."""
    rng = np.random.default_rng(seed)
    features = deep_features(members.sessions, members.surprises, space.columns)
    rows = _Rows(
        window_ids(members.sessions, members.surprises),
        torch.from_numpy(space.scaled(features)),
        torch.from_numpy(members.labels),
    )
    held_out = _held_out(members.labels, config.held_out_share, rng)
    shape = EnhancedConfig(
        vocabulary,
        features.shape[1],
        len(classes) + 1,
        hidden=config.hidden,
        attention=config.attention,
        foretells=config.alpha > 0,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = EnhancedNetwork(shape).to(setting.device)
        lesson = _Kinds(network, rows, held_out, config, setting.device)
        pace = _pace(config)
        history = run_epochs("4 classes", network, lesson, pace, setting, rng)
    temperature = _temperature(network, rows, held_out, setting.device)
    odd = members.labels > 0
    taught = _with_exemplars(
        network, classes, space, temperature, members, odd & ~held_out
    )
    return TrainedKinds(
        _with_exemplars(network, classes, space, temperature, members, odd),
        history,
        _judge(taught, members, odd & held_out, setting.device),
    )


def _pace(config: ClassTrainingConfig) -> Pace:
    return Pace(
        config.learning_rate,
        config.epochs,
        config.patience if config.early_stopping else None,
        config.rate,
        rate_patience=3,
    )


def _judge(
    kinds: KindModel,
    members: ClassMembers,
    held_out: NDArray[np.bool_],
    device: torch.device,
) -> tuple[tuple[int, Kind], ...]:
    places = [int(i) for i in np.flatnonzero(held_out)]
    given = kinds.kinds(
        [members.sessions[i] for i in places],
        [members.surprises[i] for i in places],
        device,
    )
    return tuple(zip(places, given, strict=True))


def _with_exemplars(
    network: EnhancedNetwork,
    classes: tuple[str, ...],
    space: FeatureSpace,
    temperature: float,
    members: ClassMembers,
    chosen: NDArray[np.bool_],
) -> KindModel:
    """With exemplars among the `chosen` members (N,)."""
    odd = [int(i) for i in np.flatnonzero(chosen)]
    rows: Matrix = deviation(
        [members.sessions[i] for i in odd],
        [members.surprises[i] for i in odd],
        space.columns,
    )
    exemplars, owners, radii = choose_exemplars(
        rows, members.labels[odd] - 1, len(classes)
    )
    return KindModel(network, classes, space, temperature, exemplars, owners, radii)


class _Kinds:
    """The lesson of stage 4: classes are drawn evenly."""

    def __init__(
        self,
        network: EnhancedNetwork,
        rows: _Rows,
        held_out: NDArray[np.bool_],
        config: ClassTrainingConfig,
        device: torch.device,
    ) -> None:
        self._network, self._rows = network, rows
        self._config, self._device = config, device
        self._own = np.flatnonzero(~held_out)
        self._checks = np.flatnonzero(held_out) if held_out.any() else self._own
        self._chances = _even_chances(rows.labels.numpy()[self._own])
        room = MAX_LOGITS // (WINDOW * network.config.vocabulary)
        self._batch = max(1, min(config.batch, room))
        self._check = max(1, min(MAX_CHECKED, room))

    def batches(self, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
        drawn = rng.choice(self._own, size=len(self._own), p=self._chances)
        for at in range(0, len(drawn), self._batch):
            yield drawn[at : at + self._batch]

    def checks(self) -> Iterator[NDArray[np.int64]]:
        for at in range(0, len(self._checks), self._check):
            yield self._checks[at : at + self._check]

    def loss(self, batch: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        loss = _loss(self._network, self._rows, batch, self._config, self._device)
        return loss, torch.ones((), device=self._device)

    def halve(self) -> bool:
        if self._batch == 1:
            return False
        self._batch //= 2
        self._check = min(self._check // 2, self._batch)
        return True


def _loss(
    network: EnhancedNetwork,
    rows: _Rows,
    index: NDArray[np.int64],
    config: ClassTrainingConfig,
    device: torch.device,
) -> Tensor:
    ids = rows.ids[index].to(device)
    labels = rows.labels[index].to(device)
    out: EnhancedOutput = network(ids, rows.features[index].to(device))
    following = torch.zeros((), device=device)
    if config.alpha > 0 and bool((ids[:, 1:] != PAD).any()):
        logits = network.next_logits(out.states)[:, :-1]
        following = cross_entropy(logits.transpose(1, 2), ids[:, 1:], ignore_index=PAD)
    kinds = _focal(out.class_logits, labels, config.focus) + 0.5 * (
        _focal(out.by_sequence, labels, config.focus)
        + _focal(out.by_features, labels, config.focus)
    )
    agreement = _jensen_shannon(out.by_sequence, out.by_features)
    total: Tensor = (
        config.alpha * following + config.beta * kinds + config.gamma * agreement
    )
    return total


def _focal(logits: Tensor, labels: Tensor, focus: float) -> Tensor:
    """Focal loss (Lin et al. 2017): hard sessions weigh more. (B, C), (B,) → ()."""
    log_p = logits.log_softmax(dim=1).gather(1, labels.unsqueeze(1)).squeeze(1)
    return (-((1 - log_p.exp()) ** focus) * log_p).mean()


def _jensen_shannon(left: Tensor, right: Tensor) -> Tensor:
    """Jensen-Shannon divergence of two class distributions, from logits, in nats."""
    p, q = softmax(left, dim=1), softmax(right, dim=1)
    middle = ((p + q) / 2).clamp_min(1e-9).log()
    apart = p * (p.clamp_min(1e-9).log() - middle) + q * (
        q.clamp_min(1e-9).log() - middle
    )
    return apart.sum(dim=1).mean() / 2


def _even_chances(labels: NDArray[np.int64]) -> NDArray[np.float64]:
    counts = np.bincount(labels)
    weights = 1.0 / counts[labels]
    result: NDArray[np.float64] = weights / weights.sum()
    return result


def _held_out(
    labels: NDArray[np.int64], share: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """A share of each class of five or more members; smaller ones all train."""
    chosen = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        if len(members) >= 5:
            count = max(1, int(share * len(members)))
            chosen[rng.permutation(members)[:count]] = True
    return chosen


def _temperature(
    network: EnhancedNetwork,
    rows: _Rows,
    held_out: NDArray[np.bool_],
    device: torch.device,
) -> float:
    """The temperature of the class logits that fits held-out anomalies best."""
    index = np.flatnonzero(held_out & (rows.labels.numpy() > 0))
    if len(index) < 10:
        return 1.0

    def told(part: Sequence[int]) -> list[Tensor]:
        chosen = list(part)
        out = network(rows.ids[chosen].to(device), rows.features[chosen].to(device))
        return list(out.class_logits[:, 1:].cpu())

    with torch.inference_mode():
        logits = torch.stack(in_parts(told, index.tolist()))
    labels = rows.labels[index] - 1
    candidates = np.geomspace(0.25, 8.0, 41)
    losses = [float(cross_entropy(logits / float(t), labels)) for t in candidates]
    return float(candidates[int(np.argmin(losses))])

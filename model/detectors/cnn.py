"""CNN classifier: short stretches of events that labels tell normal from anomalous by.

Convolutions over 2, 3 and 5 events, the strongest answer of each filter over the whole
session (Kim 2014; Lu et al. 2018 on logs), one logit. Learns from labels. Anomalous
sessions are learned twice, once with the templates that no normal one holds made
unknown: so a template that nobody has seen speaks for trouble.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, pad

from model.detectors.learning_set import held_out, told_apart
from model.detectors.neural import NeuralDetector
from model.detectors.protocol import Flags, Kinds, Sample, Setting
from model.vocabulary import PAD, UNK

WIDTHS = (2, 3, 5)
FILTERS = 32
EMBEDDING = 32
HALF = 0.5


class SequenceCnn(nn.Module):
    """Event ids → the log-odds of an anomaly."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocabulary, EMBEDDING, padding_idx=PAD)
        self.filters = nn.ModuleList(
            nn.Conv1d(EMBEDDING, FILTERS, width) for width in WIDTHS
        )
        self.dropout = nn.Dropout(0.3)
        self.odds = nn.Linear(FILTERS * len(WIDTHS), 1)

    def forward(self, ids: Tensor) -> Tensor:
        """ids (B, T) → (B,)."""
        embedded = self.embed(ids).transpose(1, 2)  # (B, E, T)
        real = (ids != PAD).unsqueeze(1)  # (B, 1, T)
        strongest = []
        for width, layer in zip(WIDTHS, self.filters, strict=True):
            answers = layer(pad(embedded, (width - 1, 0))).relu()  # (B, F, T)
            strongest.append((answers * real).amax(dim=2))  # (B, F)
        odds: Tensor = self.odds(self.dropout(torch.cat(strongest, dim=1)))
        return odds.squeeze(1)


class CnnClassifier(NeuralDetector):
    """The score is the chance of an anomaly, both sorts weighed alike; past ½ it is."""

    name = "cnn"
    supervised = True

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._odd_weight = 1.0

    def fit(self, sessions: Sequence[Sample], labels: Kinds | None = None) -> None:
        """Learns from labels of both sorts. Raises TrainingError without."""
        told, odd = told_apart(self.name, sessions, labels, self.setting.seed)
        seed = self.setting.seed
        normal, normal_aside = held_out(_those(told, ~odd), seed)
        trouble, trouble_aside = held_out(_those(told, odd), seed)
        usual = frozenset(event for s in normal for event in s.ids)
        trouble += [_only(usual, s) for s in trouble]
        trouble_aside += [_only(usual, s) for s in trouble_aside]
        self._odd_weight = len(normal) / len(trouble)
        self._fit(
            [*normal, *trouble],
            [*normal_aside, *trouble_aside],
            [0.0] * len(normal) + [1.0] * len(trouble),
            [0.0] * len(normal_aside) + [1.0] * len(trouble_aside),
        )
        self.threshold = HALF

    def _build(self) -> nn.Module:
        return SequenceCnn(self.size)

    def _losses(self, ids: Tensor, targets: Tensor) -> Tensor:
        weights = torch.where(targets > HALF, self._odd_weight, 1.0)
        return weights * binary_cross_entropy_with_logits(
            self.network(ids), targets, reduction="none"
        )

    def _scores(self, ids: Tensor) -> Tensor:
        return torch.sigmoid(self.network(ids))


def _only(usual: frozenset[int], session: Sample) -> Sample:
    """The session with all other templates made unknown."""
    return replace(session, ids=tuple(e if e in usual else UNK for e in session.ids))


def _those(sessions: Sequence[Sample], chosen: Flags) -> list[Sample]:
    return [s for s, flag in zip(sessions, chosen, strict=True) if flag]

"""Who decides where few sessions are normal: the threshold, or weights of templates.

    labelled sessions, each told by the others ─▶ macro-F1 of both ─▶ who decides

Of fewer than 200 normal sessions not one may be flagged by the share of false alarms
that the threshold allows (½ %): it lies above all of them, the odd ones too. Where such
logs come with labels that name kinds, and sessions that are `normal`, a presence head
(presence.py) is learned beside it. Both tell every labelled session without having
learned it. The head decides only where its macro-F1 over normal and the kinds is more
than one standard error higher; or that of trouble or not is, which is what a threshold
is for, and the other no lower.

What speaks for the threshold here is kinder than it will be: its network has seen the
normal sessions that it judges, and it was set on some of them.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from model.detectors.protocol import Floats
from model.detectors.support import SupportDistance
from model.events import EncodedSession
from model.features import Matrix, deviation
from model.kinds import KindModel, choose_exemplars
from model.network import NextEventLSTM
from model.presence import (
    MOST_LOG_ODDS,
    PresenceHead,
    odds_of,
    presence,
    unknown_shares,
)
from model.scoring import ALARM_SHARE, Calibration, highest_of, views
from model.surprise import surprises
from model.vocabulary import RESERVED

FEW_NORMAL = round(1 / ALARM_SHARE)
LEAST = 5
MOST_TAUGHT = 1000
FOLDS = 30
RESAMPLES = 1000
Codes = NDArray[np.int64]
UNKNOWN_KIND = -1


@dataclass(frozen=True, slots=True)
class Labelled:
    """What labels tell: normal sessions (M), taught ones (T) and their kinds (T)."""

    normal: Sequence[EncodedSession]
    taught: Sequence[EncodedSession]
    taught_kinds: Sequence[str]

    @property
    def sessions(self) -> list[EncodedSession]:
        """Normal ones, then taught ones: (N)."""
        return [*self.normal, *self.taught]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds taught (K), sorted."""
        return tuple(sorted(set(self.taught_kinds)))

    @property
    def codes(self) -> Codes:
        """0 normal, then the kinds from 1 on: (N,)."""
        kinds = self.kinds
        own = [1 + kinds.index(kind) for kind in self.taught_kinds]
        return np.array([*([0] * len(self.normal)), *own], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class ByThreshold:
    """What decides so far: views, threshold, kinds by exemplars."""

    support: SupportDistance
    calibration: Calibration
    kinds: KindModel
    network: NextEventLSTM
    device: torch.device


@dataclass(frozen=True, slots=True)
class HeadChoice:
    """The head, None where it does not decide; what it says of sessions (N) that it
    had not learned; the inner figures."""

    head: PresenceHead | None
    truth: Codes
    scores: Floats
    calls: Codes
    figures: dict[str, Any]

    def calibrated(self, before: Calibration) -> Calibration:
        """Where the head decides: by what it said of normal sessions."""
        if self.head is None:
            return before
        said = np.sort(self.scores[self.truth == 0])
        held_out = tuple(float(score) for score in said)
        return replace(before, threshold=1.0, held_out=held_out, judged=len(said))


def may_compete(labelled: Labelled, pool: int) -> bool:
    """Whether the pool is small, labels tell most of it, and kinds."""
    return (
        len(labelled.normal) >= LEAST
        and len(labelled.normal) <= pool < min(FEW_NORMAL, 2 * len(labelled.normal))
        and LEAST <= len(labelled.taught) <= MOST_TAUGHT
    )


def choose_head(
    labelled: Labelled, pool: int, present: ByThreshold, seed: int
) -> HeadChoice | None:
    """Learns a head and says whether it decides; None where it may not compete.

    `pool`: how many sessions taught what is normal, labelled so or not.
    """
    if not may_compete(labelled, pool):
        return None
    sessions, truth = labelled.sessions, labelled.codes
    holding = presence(sessions, columns := _columns(sessions))
    folds = _dealt(truth, FOLDS, seed)
    logits = _by_the_others(holding, truth, folds)
    shares = _shares_alone(sessions, holding, columns)
    calls = np.where(odds_of(logits) > 1, 1 + logits[:, 1:].argmax(axis=1), 0).astype(
        np.int64
    )
    others = _threshold_calls(labelled, present, folds)
    decides, against = head_decides(truth, calls, others, seed)
    weights, bias = _fit(holding, truth, 1 + len(labelled.kinds))
    head = PresenceHead(
        labelled.kinds, columns, weights, bias, float(shares.max(initial=0.0))
    )
    figures = {
        "decides": decides,
        "sessions": len(sessions),
        "normal": len(labelled.normal),
        "kinds": len(labelled.kinds),
        "folds": int(folds.max()) + 1,
        **against,
    }
    chosen = head if decides else None
    return HeadChoice(chosen, truth, odds_of(logits), calls, figures)


def head_decides(
    truth: Codes, calls: Codes, others: Codes, seed: int
) -> tuple[bool, dict[str, float]]:
    """Whether the head does, and both sides' figures, by what it calls sessions and
    what the threshold does. All (N,), 0 normal, UNKNOWN_KIND for trouble of no kind."""
    kinds = _Against.of(truth, calls, others, seed)
    odd = _Against.of(_flags(truth), _flags(calls), _flags(others), seed)
    detects = odd.gain > odd.error and kinds.gain >= 0
    figures = {**kinds.record(""), **odd.record("detection_")}
    return kinds.gain > kinds.error or detects, figures


def macro_f1(truth: Codes, calls: Codes) -> float:
    """Mean F1 of normal and the kinds. truth, calls (N,)."""
    return float(_macro(np.ones((1, len(truth))), truth, calls)[0])


@dataclass(frozen=True, slots=True)
class _Against:
    """Macro-F1 of the head and of the threshold, and the error of what is gained."""

    own: float
    other: float
    error: float

    @property
    def gain(self) -> float:
        return self.own - self.other

    @classmethod
    def of(cls, truth: Codes, calls: Codes, others: Codes, seed: int) -> _Against:
        error = _error_of_gain(truth, calls, others, seed)
        return cls(macro_f1(truth, calls), macro_f1(truth, others), error)

    def record(self, prefix: str) -> dict[str, float]:
        return {
            f"{prefix}macro_f1": round(self.own, 4),
            f"{prefix}threshold_macro_f1": round(self.other, 4),
            f"{prefix}standard_error": round(self.error, 4),
        }


def _flags(codes: Codes) -> Codes:
    """0 normal, 1 trouble of any kind, known or not. codes (N,) → (N,)."""
    return np.minimum(np.abs(codes), 1)


def _macro(weights: Floats, truth: Codes, calls: Codes) -> Floats:
    """Of each weighting of the sessions. weights (R, N) → (R,)."""
    names = np.arange(truth.max() + 1)
    true = (truth[:, None] == names).astype(np.float64)  # (N, K + 1)
    told = (calls[:, None] == names).astype(np.float64)
    both = weights @ true + weights @ told
    found: Floats = (2 * (weights @ (true * told)) / np.maximum(both, 1e-9)).mean(1)
    return found


def _error_of_gain(truth: Codes, calls: Codes, others: Codes, seed: int) -> float:
    """The standard error of the gain in macro-F1, by the bootstrap within each kind."""
    rng = np.random.default_rng(seed)
    weights = np.zeros((RESAMPLES, len(truth)))
    for code in np.unique(truth):
        members = np.flatnonzero(truth == code)
        chances = np.full(len(members), 1 / len(members))
        weights[:, members] = rng.multinomial(len(members), chances, RESAMPLES)
    gains = _macro(weights, truth, calls) - _macro(weights, truth, others)
    return float(gains.std())


def _columns(sessions: Sequence[EncodedSession]) -> tuple[int, ...]:
    held = {event for session in sessions for event in session.ids}
    return tuple(sorted(event for event in held if event >= RESERVED))


def _dealt(truth: Codes, folds: int, seed: int) -> Codes:
    """A fold a session, each kind dealt out evenly; few sessions have one each."""
    rng = np.random.default_rng(seed)
    order = np.lexsort((rng.random(len(truth)), truth))
    dealt = np.empty(len(truth), dtype=np.int64)
    dealt[order] = np.arange(len(truth)) % min(folds, len(truth))
    return dealt


def _by_the_others(rows: Floats, truth: Codes, folds: Codes) -> Floats:
    """Logits of sessions by a head that learned the other folds.

    rows (N, V) → (N, K + 1).
    """
    logits = np.zeros((len(truth), truth.max() + 1))
    for fold in np.unique(folds):
        aside = folds == fold
        weights, bias = _fit(rows[~aside], truth[~aside], logits.shape[1])
        logits[aside] = rows[aside] @ weights.T + bias
    return logits


def _fit(rows: Floats, truth: Codes, kinds: int) -> tuple[Floats, Floats]:
    """Logistic regression, kinds evenly weighted, with the library's own penalty.

    rows (N, V), truth (N,) → weights (kinds, V), bias (kinds,). A kind of which there
    is no session is never likeliest.
    """
    weights, bias = np.zeros((kinds, rows.shape[1])), np.full(kinds, -MOST_LOG_ODDS)
    model = LogisticRegression(class_weight="balanced", max_iter=2000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(rows, truth)
    if len(model.classes_) == 2:
        half = model.coef_[0] / 2
        weights[model.classes_] = (-half, half)
        bias[model.classes_] = (-model.intercept_[0] / 2, model.intercept_[0] / 2)
    else:
        weights[model.classes_], bias[model.classes_] = model.coef_, model.intercept_
    return weights, bias


def _shares_alone(
    sessions: Sequence[EncodedSession], rows: Floats, columns: Sequence[int]
) -> Floats:
    """The share of each session's lines whose templates no other holds, (N,)."""
    single = {e for e, n in zip(columns, rows.sum(axis=0), strict=True) if n == 1}
    return unknown_shares(sessions, [e for e in columns if e not in single])


def _threshold_calls(labelled: Labelled, present: ByThreshold, folds: Codes) -> Codes:
    """What the threshold and the exemplars of the other folds say of sessions, (N,)."""
    sessions, truth = labelled.sessions, labelled.codes
    found = surprises(present.network, sessions, present.device)
    highest, normal = highest_of(found), len(labelled.normal)
    fence, threshold = present.calibration.surprise_fence, present.calibration.threshold
    scores = np.concatenate(
        [
            views(present.support, highest[part], sessions[part], fence, left).joined(
                threshold
            )
            for part, left in ((slice(normal), 1), (slice(normal, None), 0))
        ]
    )
    rows = deviation(sessions, found, present.kinds.space.columns)
    calls = np.zeros(len(sessions), dtype=np.int64)
    for place in np.flatnonzero(scores > threshold):
        others = (folds != folds[place]) & (truth > 0)
        calls[place] = _nearest(rows[place], rows[others], truth[others])
    return calls


def _nearest(row: Matrix, rows: Matrix, truth: Codes) -> int:
    """The kind of the nearest exemplar, where it is near enough; else UNKNOWN_KIND."""
    kinds, codes = np.unique(truth, return_inverse=True)
    exemplars, owners, radii = choose_exemplars(rows, codes, len(kinds))
    apart = 1.0 - exemplars @ row
    apart[apart > radii[owners]] = np.inf
    best = int(apart.argmin())
    return int(kinds[owners[best]]) if np.isfinite(apart[best]) else UNKNOWN_KIND

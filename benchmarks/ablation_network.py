"""The next-event network by option: its view alone, without the two beside it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from sklearn.metrics import average_precision_score, f1_score

from benchmarks.ablation_cases import CPU, Figures, Prepared
from model.detectors.deeplog import DeepLogTopK
from model.detectors.protocol import Floats
from model.events import EncodedSession
from model.features import WINDOWS
from model.language_model import LanguageModelConfig, train_language_model
from model.network import NextEventLSTM
from model.surprise import Surprise, surprises

NEXT_EVENT = LanguageModelConfig()
STAGE_1: Mapping[str, LanguageModelConfig] = {
    "defaults": NEXT_EVENT,
    "no early stopping": replace(NEXT_EVENT, early_stopping=False),
    "learning rate constant": replace(NEXT_EVENT, rate="constant"),
    "learning rate cosine": replace(NEXT_EVENT, rate="cosine"),
    "no dropout": replace(NEXT_EVENT, dropout=0.0),
}


def stage_1(prepared: Prepared, seed: int) -> Iterator[tuple[str, Figures]]:
    """The next-event network by option; the default one by ways to score too."""
    for name, config in STAGE_1.items():
        began = time.process_time()
        network, history = train_language_model(
            prepared.train,
            prepared.held_out,
            prepared.vocabulary.size,
            config,
            seed=seed,
            device=CPU,
        )
        seconds = time.process_time() - began
        kept = history.epochs[history.best - 1]
        more = {
            "held_out": kept.held_out_loss,
            "perplexity": float(np.exp(kept.held_out_loss)),
            "seconds": seconds,
        }
        yield name, _judged(prepared, network, _highest) | more
        if name == "defaults":
            yield "score: mean, not highest surprise", _judged(prepared, network, _mean)
            yield "score: windows of 10, 15, 20", _judged(prepared, network, _windows)
            yield "score: top-k, not surprise", _by_top_k(prepared, network)


def _judged(
    prepared: Prepared, network: NextEventLSTM, score: Callable[[Surprise], float]
) -> Figures:
    """F1 at a fence from normal sessions as elkwatch sets it, average precision."""

    def scores(sessions: Sequence[EncodedSession]) -> Floats:
        return np.array([score(s) for s in surprises(network, sessions, CPU)])

    fence = 1.25 * max(
        np.quantile(scores(prepared.held_out), 0.995),
        np.quantile(scores(prepared.train), 0.999),
    )
    return _figures(scores(prepared.test), float(fence), prepared)


def _by_top_k(prepared: Prepared, network: NextEventLSTM) -> Figures:
    detector = DeepLogTopK(network, CPU)
    detector.fit(prepared.held_out)
    return _figures(detector.score(prepared.test), detector.threshold, prepared)


def _figures(scores: Floats, fence: float, prepared: Prepared) -> Figures:
    return {
        "f1": float(f1_score(prepared.odd, scores > fence)),
        "ap": float(average_precision_score(prepared.odd, scores)),
    }


def _highest(surprise: Surprise) -> float:
    return surprise.highest


def _mean(surprise: Surprise) -> float:
    return float(surprise.nats.mean())


def _windows(surprise: Surprise) -> float:
    """The highest mean over a window, summed over the sizes."""
    peaks = []
    for size in WINDOWS:
        width = min(size, len(surprise.nats))
        peaks.append(np.convolve(surprise.nats, np.ones(width) / width, "valid").max())
    return float(np.sum(peaks))

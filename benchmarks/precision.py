"""What smaller numbers and fewer weights cost and gain: `train --quantize`, `--prune`.

    python -m benchmarks.precision DATA [--out rows.json]

DATA holds hdfs/ and postgresql/. One training a data set; each option then sets its own
threshold on the same held-out sessions, as `train` does with it. Gain: events a second
of the network alone, against full precision in the same run. Loss: F1 of the joined
score and of the network alone. *Batch*: how much a score changes, in thresholds, when
the session is scored alone instead of among others.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from benchmarks.frame import Case, Row, compare, run
from benchmarks.quality_cases import Drawn as Logs
from benchmarks.quality_cases import hdfs, postgresql
from model import Classifier, TrainedModel, TrainingConfig, evaluate, train
from model.events import EncodedSession, distinct
from model.language_model import LanguageModelConfig
from model.precision import FULL, HALVES, INT8, prune
from model.scoring import calibrate
from model.surprise import highest_surprises
from model.training_config import is_held_out
from model.vocabulary import encode

CONFIG = TrainingConfig(language_model=LanguageModelConfig(epochs=12))
CHECKED = 200


def variants(
    model: TrainedModel, device: torch.device
) -> Iterator[tuple[str, TrainedModel]]:
    """The model as trained, and with each option that this device has."""
    yield FULL, model
    smaller = (INT8,) if device.type == "cpu" else tuple(HALVES)
    for precision in smaller:
        yield precision, replace(model, precision=precision)
    for share in (0.5, 0.8):
        network = copy.deepcopy(model.network)
        prune(network, share)
        yield f"pruned {share:.0%}", replace(model, network=network)


def calibrated(model: TrainedModel, logs: Logs, device: torch.device) -> TrainedModel:
    """With the threshold that `train` sets for this network."""
    pool = encode(logs.train, model.templates)
    aside: list[EncodedSession] = []
    learned: list[EncodedSession] = []
    for session, encoded, clean in zip(
        logs.train, pool, model.support.clean, strict=True
    ):
        if clean:
            (aside if is_held_out(session.unit, CONFIG) else learned).append(encoded)
    found = partial(highest_surprises, model.network_on(device), device=device)
    calibration = calibrate(
        model.support, found(sessions=aside), aside, found(sessions=learned)
    )
    return replace(model, calibration=calibration)


def rows(data: Path) -> list[Row]:
    """Every option on every device that is here."""
    torch.set_num_threads(1)
    devices = [torch.device("cpu")]
    if torch.cuda.is_available():
        devices.append(torch.device("cuda"))
    else:
        print("bf16, fp16: left out, torch finds no CUDA device on this machine")
    measured = []
    for name, logs in (
        ("HDFS", hdfs(data / "hdfs")[1].drawn(0)),
        ("PostgreSQL", postgresql(data / "postgresql")[0].drawn(0)),
    ):
        model = train(logs.train, CONFIG)
        for device in devices:
            measured += _options(f"{name}, {device.type}", model, logs, device)
    return measured


def _options(
    name: str, model: TrainedModel, logs: Logs, device: torch.device
) -> list[Row]:
    once, _ = distinct(encode(logs.test, model.templates))
    events = sum(len(session.ids) for session in once)
    full = model.network_on(device)
    measured = []
    for option, plain in variants(model, device):
        variant = calibrated(plain, logs, device)
        network = variant.network_on(device)
        measured.append(
            compare(
                Case(f"{name}, {option}", "events", events, "float32", 0, 1),
                anchor=partial(partial, highest_surprises, full, once, device),
                ours=partial(partial, highest_surprises, network, once, device),
            )
        )
        classifier = Classifier(variant, device=device)
        found = evaluate(classifier, logs.test, logs.truth).detection
        f1 = ", ".join(f"{d.method} {d.f1:.4f}" for d in (found[0], found[-1]))
        print(f"{name}, {option}: F1 {f1}; batch {_by_batch(classifier, once):.1e}")
    return measured


def _by_batch(classifier: Classifier, sessions: Sequence[EncodedSession]) -> float:
    among = np.array(classifier.score(sessions)[:CHECKED])
    alone = np.array([classifier.score([s])[0] for s in sessions[:CHECKED]])
    return float(np.abs(among - alone).max() / classifier.threshold)


if __name__ == "__main__":
    run(rows, __doc__)

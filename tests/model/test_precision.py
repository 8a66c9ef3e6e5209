"""Smaller numbers and fewer weights: kept in a bundle, loaded again, scoring alike."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from model import (
    BundleError,
    Classifier,
    TrainedModel,
    TrainingConfig,
    TrainingError,
    load_bundle,
    save_bundle,
    train,
)
from model.bundle_folder import digest
from model.class_training import ClassTrainingConfig
from model.events import EncodedSession
from model.language_model import LanguageModelConfig
from model.network import NetworkConfig, NextEventLSTM
from model.precision import HALVES, PRECISIONS, at_precision, prune
from model.surprise import highest_surprises
from tests.model.builders import shop

CPU = torch.device("cpu")
NOW = datetime(2026, 11, 26, tzinfo=UTC)
SESSIONS = [EncodedSession(ids) for ids in ((4, 5, 6, 7), (7, 7, 4), (5,) * 30)]


def recurrent(net: NextEventLSTM) -> NDArray[np.float32]:
    """The weights from hidden to hidden."""
    found: NDArray[np.float32] = net.state_dict()["lstm.weight_hh_l0"].numpy().copy()
    return found


def network(layers: int = 1) -> NextEventLSTM:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        config = NetworkConfig(12, embedding=8, hidden=16, layers=layers)
        return NextEventLSTM(config).eval()


@pytest.mark.parametrize("layers", [1, 2])
def test_int8_scores_nearly_as_full_precision(layers: int) -> None:
    full = network(layers)
    before = {name: t.clone() for name, t in full.state_dict().items()}
    small = at_precision(full, "int8", CPU)
    exact = highest_surprises(full, SESSIONS, CPU)
    near = highest_surprises(small, SESSIONS, CPU)
    assert not np.array_equal(exact, near)
    assert np.allclose(exact, near, atol=0.05)
    assert all(torch.equal(before[n], t) for n, t in full.state_dict().items())


@pytest.mark.parametrize("precision", sorted(HALVES))
def test_halves_are_for_cuda(precision: str) -> None:
    full = network()
    assert at_precision(full, precision, CPU) is full
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device: what it does there cannot be seen here")
    device = torch.device("cuda")
    near = highest_surprises(at_precision(full, precision, device), SESSIONS, device)
    exact = highest_surprises(full.to(CPU), SESSIONS, CPU)
    assert np.allclose(exact, near, atol=0.2)


def test_an_unknown_precision_is_refused() -> None:
    with pytest.raises(ValueError, match="int4"):
        at_precision(network(), "int4", CPU)


def test_the_smallest_weights_are_left_out() -> None:
    net = network()
    before = np.abs(recurrent(net))
    prune(net, 0.5)
    after = np.abs(recurrent(net))
    assert (after == 0).mean() == pytest.approx(0.5)
    assert after[after > 0].min() >= np.median(before)
    assert bool((net.state_dict()["lstm.bias_hh_l0"] != 0).all())
    with pytest.raises(TrainingError, match="below 1"):
        prune(net, 1.0)


@pytest.fixture(scope="module")
def small() -> TrainedModel:
    config = TrainingConfig(
        precision="int8",
        prune=0.3,
        language_model=LanguageModelConfig(hidden=16, embedding=8, epochs=3),
        classes=ClassTrainingConfig(hidden=8, epochs=2),
    )
    return train(shop(60), config)


def test_a_bundle_keeps_the_precision(small: TrainedModel, tmp_path: Path) -> None:
    save_bundle(small, tmp_path / "m", now=NOW)
    again = load_bundle(tmp_path / "m")
    assert again.precision == "int8"
    assert again.configuration["prune"] == 0.3
    assert (recurrent(again.network) == 0).mean() >= 0.29
    sessions = shop(20, seed=3)
    first, second = Classifier(small), Classifier(again)
    assert [v.score for v in first.classify(sessions)] == [
        v.score for v in second.classify(sessions)
    ]
    full = Classifier(replace(again, precision="float32"))
    assert [v.score for v in full.classify(sessions)] != [
        v.score for v in second.classify(sessions)
    ]


def test_a_bundle_of_an_unknown_precision_is_refused(
    small: TrainedModel, tmp_path: Path
) -> None:
    folder = tmp_path / "m"
    save_bundle(small, folder, now=NOW)
    body = json.loads((folder / "model.json").read_text("utf-8"))
    assert body.pop("precision") in PRECISIONS
    _rewrite(folder, body | {"precision": "int4"})
    with pytest.raises(BundleError, match="do not fit together"):
        load_bundle(folder)
    _rewrite(folder, body)
    assert load_bundle(folder).precision == "float32"


def _rewrite(folder: Path, body: object) -> None:
    (folder / "model.json").write_text(json.dumps(body), "utf-8")
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    manifest["files"]["model.json"] = digest(folder / "model.json")
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")

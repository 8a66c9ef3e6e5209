"""Trainings in which something goes wrong: mended and told of, or one clear line."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from model import (
    Classifier,
    Labels,
    OutOfMemoryError,
    Session,
    Step,
    TrainingConfig,
    TrainingError,
    train,
    with_settings,
)
from model.class_training import ClassTrainingConfig
from model.language_model import LanguageModelConfig
from model.network import EnhancedNetwork, NextEventLSTM
from tests.model.builders import deadlocked, looping, session, shop

QUICK = TrainingConfig(
    language_model=LanguageModelConfig(hidden=8, embedding=4, epochs=4, patience=4),
    classes=ClassTrainingConfig(hidden=8, epochs=3),
)
ODD = [f(f"{n}{i}", random.Random(i)) for i in range(12)
       for n, f in (("d", deadlocked), ("l", looping))]  # fmt: skip
Spoil = Callable[[Any, Tensor], None]


def spoiled(
    monkeypatch: pytest.MonkeyPatch, network: type[torch.nn.Module], spoil: Spoil
) -> None:
    """Each call of the network first goes through `spoil(itself, event ids)`."""
    forward = network.forward

    def first(self: Any, ids: Tensor, *more: Any) -> Any:
        spoil(self, ids)
        return forward(self, ids, *more)

    monkeypatch.setattr(network, "forward", first)


class Nan:
    """Makes the weights NaN at some of the calls that learn."""

    def __init__(self, calls: set[int]) -> None:
        self.calls, self.seen = calls, 0

    def __call__(self, network: Any, ids: Tensor) -> None:
        if network.training:
            self.seen += 1
            if self.seen in self.calls or -1 in self.calls:
                with torch.no_grad():
                    network.lstm.weight_ih_l0.fill_(float("nan"))


class Full:
    """A device with room for so many events at a time."""

    def __init__(self, room: int, error: Exception) -> None:
        self.room, self.error, self.largest = room, error, 0

    def __call__(self, network: Any, ids: Tensor) -> None:
        if ids.numel() > self.room:
            raise self.error
        self.largest = max(self.largest, ids.numel())


def longer(count: int) -> list[Session]:
    """Normal sessions of twelve lengths."""
    steps = [e.message for e in shop(1)[0].events]
    return [
        session(f"v{i}", [*steps[:2], *(steps[2:4] * (1 + i % 12)), steps[-1]])
        for i in range(count)
    ]


def troubles(steps: list[Step]) -> list[str]:
    return [f"{step.stage}: {step.trouble}" for step in steps if step.trouble]


@pytest.mark.parametrize("network", [NextEventLSTM, EnhancedNetwork])
def test_a_loss_that_is_no_number_goes_on_from_the_best_weights(
    monkeypatch: pytest.MonkeyPatch, network: type[torch.nn.Module]
) -> None:
    spoiled(monkeypatch, network, Nan({3}))
    steps: list[Step] = []
    model = train(shop(60), QUICK, discover=ODD, progress=steps.append)
    (line,) = troubles(steps)
    said = r"the loss of epoch \d is no number; going on from the best weights"
    assert re.search(said, line)
    assert "at a learning rate of" in line
    assert model.figures["troubles"] == [line.partition(": ")[2]]
    assert model.kinds is not None
    for part in (model.network, model.kinds.network):
        assert all(w.isfinite().all() for w in part.state_dict().values())
    rates = [e["learning_rate"] for e in model.figures["epochs"]]
    first = QUICK.language_model.learning_rate
    assert rates[0] == pytest.approx(0.2 * first if network is NextEventLSTM else first)


def test_no_number_again_and_again_keeps_the_best_epoch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spoiled(monkeypatch, NextEventLSTM, Nan(set(range(60, 10_000))))
    config = replace(QUICK, language_model=replace(QUICK.language_model, epochs=20))
    model = train(shop(60), config)
    assert 1 <= model.figures["best_epoch"] <= len(model.figures["epochs"]) < 20
    assert len(model.figures["troubles"]) == 4
    assert "the best epoch before it is kept" in model.figures["troubles"][-1]
    assert all(w.isfinite().all() for w in model.network.state_dict().values())


def test_a_loss_that_never_is_a_number_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spoiled(monkeypatch, NextEventLSTM, Nan({-1}))
    with pytest.raises(TrainingError, match=r"no number, whatever the learning rate"):
        train(shop(60), QUICK)


CUDA = torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")


@pytest.mark.parametrize(
    ("network", "error"),
    [
        (NextEventLSTM, CUDA),
        (NextEventLSTM, RuntimeError("DefaultCPUAllocator: can't allocate memory")),
        (NextEventLSTM, MemoryError()),
        (EnhancedNetwork, CUDA),
    ],
)
def test_where_memory_ends_batches_are_smaller_and_that_is_told(
    monkeypatch: pytest.MonkeyPatch,
    network: type[torch.nn.Module],
    error: Exception,
) -> None:
    full = Full(60, error)
    spoiled(monkeypatch, network, full)
    steps: list[Step] = []
    config = with_settings(QUICK, ["language_model.batches=1"])
    model = train(longer(120), config, discover=ODD, progress=steps.append)
    told = troubles(steps)
    assert "out of memory on cpu; the epoch begins again with 1/2" in told[0]
    assert 0 < full.largest <= 60
    assert len(model.figures["epochs"]) == 4
    assert all(v.anomaly for v in Classifier(model).classify(ODD))


def test_no_room_for_a_single_session_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spoiled(monkeypatch, NextEventLSTM, Full(3, torch.cuda.OutOfMemoryError("CUDA")))
    with pytest.raises(OutOfMemoryError, match="even with a session at a time"):
        train(shop(60), QUICK)


def test_other_errors_of_the_network_are_not_taken_for_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spoiled(monkeypatch, NextEventLSTM, Full(3, RuntimeError("shapes differ")))
    with pytest.raises(RuntimeError, match="shapes differ"):
        train(shop(60), QUICK)


def test_one_template_and_constant_features_train() -> None:
    same = [session(f"s{i}", ["tick"] * 3) for i in range(30)]
    odd = [session(f"o{i}", ["tick"] * 40) for i in range(8)]
    model = train(same, QUICK, discover=odd)
    assert len(model.templates.templates) == 1
    assert model.kinds is not None
    assert (model.kinds.space.scale > 0).all()  # infinite: left out, scaled to 0
    normal, more = Classifier(model).classify([same[0], odd[0]])
    assert (normal.anomaly, more.anomaly) == (False, True)


def test_labels_that_call_everything_anomalous_leave_nothing_to_learn() -> None:
    sessions = shop(20)
    labels = Labels({s.key: "anomalous" for s in sessions}, named=False)
    with pytest.raises(TrainingError, match=r"only 0 of 20 .*the labels call"):
        train(sessions, QUICK, labels=labels)


def test_no_session_at_all_is_one_line() -> None:
    with pytest.raises(TrainingError, match="only 0 sessions to learn"):
        train([], QUICK)


def test_lines_without_end_make_no_more_templates_than_the_caps() -> None:
    rng = random.Random(5)
    words = ["".join(rng.choices("abcdefgh", k=6)) for _ in range(400)]
    lines = [" ".join(rng.choices(words, k=rng.randint(3, 9))) for _ in range(1500)]
    strange = [session(f"x{i}", lines[15 * i : 15 * i + 15]) for i in range(100)]
    config = with_settings(QUICK, ["miner.max_templates=200"])
    model = train([*shop(100), *strange], config)
    assert len(model.templates.templates) <= 200
    assert model.figures["unseen"]["overflow"] > 1000
    assert model.network.config.vocabulary <= 204

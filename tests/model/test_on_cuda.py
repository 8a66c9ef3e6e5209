"""What is learned on CUDA is the same elsewhere; skipped where there is none."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from model import (
    Checkpoint,
    Classifier,
    Labels,
    Session,
    Step,
    TemplateMiner,
    TrainedModel,
    TrainingConfig,
    choose_device,
    draw_sessions,
    evaluate,
    load_bundle,
    mixed_precision,
    save_bundle,
    train,
)
from model.class_training import ClassTrainingConfig
from model.detectors.gru import NextEventGRU
from model.detectors.protocol import Kinds, Setting, samples
from model.detectors.registry import make
from model.detectors.store import load_detector, save_detector
from model.detectors.transformer import NextEventTransformer
from model.events import EncodedSession
from model.language_model import LanguageModelConfig, train_language_model
from model.network import NetworkConfig, NextEvent, NextEventLSTM
from model.surprise import highest_surprises
from model.vocabulary import Vocabulary, encode
from tests.model.builders import START, cut_off, deadlocked, looping, shop

CPU = torch.device("cpu")
NOW = datetime(2026, 11, 27, tzinfo=UTC)
CONFIG = TrainingConfig(
    language_model=LanguageModelConfig(hidden=24, embedding=12, epochs=12),
    classes=ClassTrainingConfig(hidden=16, epochs=15),
)
NEURAL = ("lstm", "gru", "transformer", "cnn", "autoencoder", "vae")
NATS = 1e-3
SIZE = 30


def odd(seed: int = 7) -> list[Session]:
    """Three kinds of trouble, twelve of each."""
    rng = random.Random(seed)
    kinds = (deadlocked, cut_off, looping)
    return [make(f"{make.__name__}{i}", rng) for make in kinds for i in range(12)]


PROBES = [*shop(60, seed=3), *odd(9)]


def long_sessions(count: int, events: int = 250) -> list[EncodedSession]:
    """Sessions of events drawn by chance, no two alike."""
    rng = np.random.default_rng(0)
    drawn = rng.integers(4, SIZE, (count, events)).tolist()
    return [EncodedSession(tuple(ids)) for ids in drawn]


@pytest.fixture(scope="module")
def cuda() -> torch.device:
    """The device, or a reason to skip."""
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device: what is done there cannot be seen here")
    return choose_device("cuda")


@pytest.fixture(scope="module")
def trained(cuda: torch.device) -> TrainedModel:
    """A model whose both networks were trained on CUDA, in 32-bit floats."""
    config = replace(CONFIG, mixed_precision="off")
    model = train(shop(300), config, discover=odd(), device=cuda)
    assert model.kinds is not None
    return model


@pytest.fixture
def room(cuda: torch.device) -> Iterator[Any]:
    """`room(bytes)` bounds what torch may take of the device, until the test ends."""
    whole = torch.cuda.get_device_properties(cuda).total_memory

    def bound(size: float) -> None:
        torch.cuda.empty_cache()
        torch.cuda.set_per_process_memory_fraction(size / whole)

    yield bound
    torch.cuda.set_per_process_memory_fraction(1.0)
    torch.cuda.empty_cache()


def between(cuda: torch.device, share: float, work: Any) -> float:
    """Of the bytes that the work takes: what is held anyway, and a share of the rest"""
    work()  # libraries keep work space of their own from here on
    torch.cuda.empty_cache()
    held = torch.cuda.memory_reserved(cuda)
    torch.cuda.reset_peak_memory_stats(cuda)
    work()
    peak = torch.cuda.max_memory_reserved(cuda)
    assert peak > held
    return held + share * (peak - held)


@pytest.mark.parametrize(
    ("capability", "told"), [((7, 5), "off"), ((8, 0), "bf16"), ((9, 0), "bf16")]
)
def test_auto_takes_bf16_where_the_gpu_has_it(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], told: str
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda *_: True)  # emulated
    assert mixed_precision("auto", torch.device("cuda")) == told


def test_32_bit_floats_are_of_32_bits(cuda: torch.device) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        net = NextEventLSTM(NetworkConfig(SIZE, layers=2)).eval()
    for weights in net.parameters():
        weights.data *= 3.0  # of a network that is sure
    sessions = long_sessions(100)
    wanted = highest_surprises(net, sessions, CPU)
    found = highest_surprises(net.to(cuda), sessions, cuda)
    assert np.allclose(found, wanted, rtol=0, atol=NATS)


def test_verdicts_are_those_of_the_cpu(
    cuda: torch.device, trained: TrainedModel, tmp_path: Path
) -> None:
    save_bundle(trained, tmp_path / "m", now=NOW)
    theirs = Classifier(load_bundle(tmp_path / "m")).classify(PROBES)
    ours = Classifier(trained, device=cuda).classify(PROBES)
    assert sum(v.anomaly for v in ours) >= 30
    for mine, other in zip(ours, theirs, strict=True):
        told = (mine.anomaly, mine.class_id, mine.pattern, mine.missing)
        assert told == (other.anomaly, other.class_id, other.pattern, other.missing)
        assert mine.score == pytest.approx(other.score, abs=NATS)
        assert mine.confidence == pytest.approx(other.confidence, abs=0.01)
        nats = [[line.surprise_nats for line in v.evidence] for v in (mine, other)]
        assert nats[0] == pytest.approx(nats[1], abs=0.01)


@pytest.mark.parametrize("precision", ["float32", "bf16", "fp16"])
def test_open_sessions_score_as_whole_ones(
    cuda: torch.device, trained: TrainedModel, precision: str
) -> None:
    model = replace(trained, precision=precision)
    classifier = Classifier(model, device=cuda)
    sessions = encode(PROBES, model.templates)
    growing, units = classifier.growing(1000), range(len(sessions))
    for events in (2, 3, 50):
        parts = [EncodedSession(s.ids[:events], ends=False) for s in sessions]
        found = growing.score(units, parts)
        atol = NATS if precision == "float32" else 0.1
        assert np.allclose(found, classifier.score(parts), atol=atol)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_a_model_of_16_bits_is_trained_and_judged(
    cuda: torch.device, precision: str
) -> None:
    config = replace(CONFIG, precision=precision)
    model = train(shop(100), config, discover=odd(), device=cuda)
    truth = {s.key: "normal" if s.key.startswith("s") else "odd" for s in PROBES}
    classifier = Classifier(model, device=cuda)
    found = evaluate(classifier, PROBES, Labels(truth, named=True))
    assert all(np.isfinite(row.f1) for row in found.detection)
    assert found.detection[0].f1 > 0.9
    assert len(classifier.classify(PROBES)) == len(PROBES)  # it is still there


@pytest.mark.parametrize("mixed", ["off", "bf16", "fp16"])
@pytest.mark.parametrize("stage", ["1 next event", "4 classes"])
def test_an_interrupted_training_goes_on(
    cuda: torch.device, tmp_path: Path, stage: str, mixed: str
) -> None:
    config = replace(CONFIG, mixed_precision=mixed)

    def run(stop: bool, kept: Path | None) -> TrainedModel:
        def watch(step: Step) -> None:
            if stop and (step.stage, step.done) == (stage, 4):
                raise KeyboardInterrupt

        return train(
            shop(80),
            config,
            discover=odd(),
            device=cuda,
            checkpoint=Checkpoint(kept, {"mixed": mixed}) if kept else None,
            progress=watch,
        )

    whole = run(stop=False, kept=None)
    with pytest.raises(KeyboardInterrupt):
        run(stop=True, kept=tmp_path / "kept")
    ours = run(stop=False, kept=tmp_path / "kept")
    for name in ("epochs", "class_epochs"):
        losses = [[e["loss"] for e in m.figures[name]][:5] for m in (ours, whole)]
        assert losses[0] == pytest.approx(losses[1], rel=0.05, abs=0.02)


@pytest.mark.parametrize("name", NEURAL)
def test_detectors_score_the_same_on_the_cpu(
    cuda: torch.device, name: str, tmp_path: Path
) -> None:
    logs = [*shop(100), *odd()[:24]]
    miner = TemplateMiner()
    miner.learn_all([event.message for s in logs for event in s.events])
    templates = miner.freeze()
    vocabulary = Vocabulary.of(templates)
    labels: Kinds = [*["normal"] * 100, *["trouble"] * 24]
    detector = make(name, Setting(vocabulary, 5, cuda, epochs=3))
    detector.fit(samples(logs, templates), labels)
    save_detector(detector, tmp_path / name, vocabulary)
    again = load_detector(tmp_path / name, Setting(vocabulary, 5, CPU))
    probes = samples(PROBES, templates)
    ours, theirs = detector.score(probes), again.score(probes)
    assert np.allclose(ours, theirs, rtol=0, atol=NATS)
    assert detector.explain(probes[-1])


def test_sessions_are_drawn(cuda: torch.device) -> None:
    logs = shop(150)
    miner = TemplateMiner()
    miner.learn_all([event.message for s in logs for event in s.events])
    drawn = draw_sessions(logs, 40, miner.freeze(), seed=1, start=START, device=cuda)
    assert len(drawn.sessions) == 40
    assert all(session.events for session in drawn.sessions)


@pytest.mark.parametrize("made", [NextEventLSTM, NextEventGRU, NextEventTransformer])
def test_very_many_short_sessions_are_one_batch(
    cuda: torch.device, made: Callable[[NetworkConfig], NextEvent]
) -> None:
    """CUDA has bounds of its own for what it takes at once."""
    net = made(NetworkConfig(10, 16, 16)).eval()
    rng = np.random.default_rng(0)
    drawn = {tuple(ids) for ids in rng.integers(4, 10, (400_000, 7)).tolist()}
    sessions = [EncodedSession(ids) for ids in sorted(drawn)]
    assert len(sessions) > 1 << 16
    wanted = highest_surprises(net, sessions, CPU)
    found = highest_surprises(net.to(cuda), sessions, cuda)
    assert np.allclose(found, wanted, rtol=0, atol=NATS)


def test_sessions_are_scored_in_parts_where_memory_ends(
    cuda: torch.device, room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = NextEventLSTM(NetworkConfig(SIZE, hidden=256)).to(cuda).eval()
    sessions = long_sessions(1000)
    wanted = highest_surprises(net, sessions, cuda)
    given: list[int] = []
    forward = NextEventLSTM.forward

    def watched(self: Any, ids: Any, state: Any = None) -> Any:
        given.append(len(ids))
        return forward(self, ids, state)

    enough = between(cuda, 0.6, lambda: highest_surprises(net, sessions, cuda))
    monkeypatch.setattr(NextEventLSTM, "forward", watched)
    room(enough)
    found = highest_surprises(net, sessions, cuda)
    assert min(given) < max(given)
    assert np.allclose(found, wanted, rtol=0, atol=NATS)


def test_batches_are_halved_where_memory_ends(cuda: torch.device, room: Any) -> None:
    config = LanguageModelConfig(batch_tokens=1 << 30, batches=1, epochs=2, hidden=256)
    sessions = long_sessions(600)

    def fit(steps: list[Step]) -> None:
        train_language_model(
            sessions,
            sessions[:50],
            SIZE,
            config,
            seed=0,
            device=cuda,
            progress=steps.append,
        )

    room(between(cuda, 0.6, lambda: fit([])))
    steps: list[Step] = []
    fit(steps)
    told = [step.trouble for step in steps if step.trouble]
    assert "out of memory on cuda; the epoch begins again with 1/2" in told[0]
    assert [step.done for step in steps if step.loss is not None] == [1, 2]

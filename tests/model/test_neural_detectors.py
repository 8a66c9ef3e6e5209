"""What the networks behind the detectors keep to beyond the detectors' contract."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
import torch

from model import TemplateMiner
from model.detectors.protocol import Detector, Sample, Setting, detect, samples
from model.detectors.registry import make
from model.detectors.transformer import NextEventTransformer
from model.detectors.vae import Vae
from model.events import Session
from model.language_model import CROP
from model.network import NetworkConfig
from model.templates.frozen import FrozenTemplates
from model.vocabulary import Vocabulary
from tests.model.builders import cut_off, deadlocked, looping, shop

USUAL = shop(200)


@pytest.fixture(scope="module")
def templates() -> FrozenTemplates:
    miner = TemplateMiner()
    miner.learn_all([event.message for s in USUAL for event in s.events])
    return miner.freeze()


def taught(name: str, templates: FrozenTemplates) -> Detector:
    """The detector of this name, fitted on the usual sessions of a shop."""
    detector = make(name, Setting(Vocabulary.of(templates), seed=1, epochs=8))
    detector.fit(samples(USUAL, templates))
    return detector


@pytest.fixture(scope="module")
def vae(templates: FrozenTemplates) -> Vae:
    detector = taught("vae", templates)
    assert isinstance(detector, Vae)
    return detector


@pytest.mark.parametrize("name", ["lstm", "gru", "transformer", "autoencoder", "vae"])
def test_three_kinds_of_trouble_are_told_from_usual(
    name: str, templates: FrozenTemplates
) -> None:
    rng = random.Random(2)
    odd: Sequence[Session] = [f("x", rng) for f in (deadlocked, cut_off, looping)]
    detector = taught(name, templates)
    assert detect(detector, samples(odd, templates)).all()
    assert detect(detector, samples(shop(100, seed=9), templates)).mean() <= 0.02


def test_a_transformer_does_not_look_ahead() -> None:
    torch.manual_seed(0)
    network = NextEventTransformer(NetworkConfig(9)).eval()
    ids = torch.randint(4, 9, (2, 12))
    other = ids.clone()
    other[:, 7:] = 4
    with torch.inference_mode():
        logits, changed = network(ids)[0], network(other)[0]
    assert torch.allclose(logits[:, :7], changed[:, :7], atol=1e-5)
    assert not torch.allclose(logits[:, 7:], changed[:, 7:], atol=1e-5)


def test_a_transformer_reads_sessions_of_any_length() -> None:
    network = NextEventTransformer(NetworkConfig(9)).eval()
    ids = torch.randint(4, 9, (1, 2 * CROP + 3))
    with torch.inference_mode():
        logits = network(ids)[0]
        second = network(ids[:, CROP : 2 * CROP])[0]
    assert logits.shape == (1, 2 * CROP + 3, 9)
    assert torch.allclose(logits[:, CROP : 2 * CROP], second, atol=1e-5)


def test_a_vae_draws_sessions_like_those_it_learned(
    vae: Vae, templates: FrozenTemplates
) -> None:
    drawn = vae.draw(100, seed=4)
    assert len(drawn) == 100
    assert all(drawn)
    known = {s.ids for s in samples(USUAL, templates)}
    assert sum(ids in known for ids in drawn) >= 80
    assert len(set(drawn)) >= 3
    assert detect(vae, [Sample(ids) for ids in drawn]).mean() <= 0.2


def test_equal_seeds_draw_equal_sessions(vae: Vae) -> None:
    assert vae.draw(30, seed=4) == vae.draw(30, seed=4)
    assert vae.draw(30, seed=4) != vae.draw(30, seed=5)

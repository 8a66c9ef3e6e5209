"""Training in 16-bit numbers: the same code on CPU (bf16) and CUDA."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from model import DeviceError, TrainingConfig, mixed_precision, train
from model.class_training import ClassTrainingConfig
from model.language_model import LanguageModelConfig
from model.network import EnhancedNetwork, NextEventLSTM
from tests.model.test_training_troubles import ODD, longer

CPU = torch.device("cpu")
CONFIG = TrainingConfig(
    mixed_precision="bf16",
    language_model=LanguageModelConfig(hidden=16, embedding=8, epochs=6),
    classes=ClassTrainingConfig(hidden=8, epochs=3),
)


def test_matrices_are_multiplied_in_bf16_and_weights_stay_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: set[tuple[str, torch.dtype]] = set()

    def spy(network: type[torch.nn.Module]) -> None:
        forward = network.forward

        def watched(self: Any, *given: Any) -> Any:
            out = forward(self, *given)
            if self.training:
                logits = out[0] if isinstance(out, tuple) else out.class_logits
                seen.add((network.__name__, logits.dtype))
            return out

        monkeypatch.setattr(network, "forward", watched)

    spy(NextEventLSTM)
    spy(EnhancedNetwork)
    mixed = train(longer(60), CONFIG, discover=ODD)
    half = torch.bfloat16
    assert seen == {("NextEventLSTM", half), ("EnhancedNetwork", half)}
    assert {w.dtype for w in mixed.network.state_dict().values()} == {torch.float32}
    whole = train(longer(60), replace(CONFIG, mixed_precision="off"), discover=ODD)
    ours, theirs = (m.figures["epochs"][-1]["held_out_loss"] for m in (mixed, whole))
    assert ours == pytest.approx(theirs, rel=0.1)
    assert ours != theirs


def test_auto_is_off_on_the_cpu() -> None:
    assert mixed_precision("auto", CPU) == mixed_precision("off", CPU) == "off"
    with pytest.raises(DeviceError, match="this needs CUDA"):
        mixed_precision("fp16", CPU)
    with pytest.raises(DeviceError, match="is none of auto, off, bf16, fp16"):
        mixed_precision("fp8", CPU)


@pytest.mark.parametrize("mixed", ["auto", "bf16", "fp16", "off"])
def test_it_trains_on_cuda(mixed: str) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device: training there cannot be seen here")
    config = replace(CONFIG, mixed_precision=mixed)
    model = train(longer(60), config, discover=ODD, device=torch.device("cuda"))
    first, *_, last = (e["held_out_loss"] for e in model.figures["epochs"])
    assert last < first

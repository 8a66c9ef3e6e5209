"""An interrupted training goes on as if nothing had happened."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

from model import (
    Checkpoint,
    CheckpointError,
    Session,
    Step,
    TrainedModel,
    TrainingConfig,
    train,
)
from model.class_training import ClassTrainingConfig
from model.language_model import LanguageModelConfig
from tests.model.builders import deadlocked, looping, shop

CONFIG = TrainingConfig(
    language_model=LanguageModelConfig(hidden=8, embedding=4, epochs=8),
    classes=ClassTrainingConfig(hidden=8, epochs=6),
)


def odd() -> list[Session]:
    rng = random.Random(7)
    return [deadlocked(f"d{i}", rng) for i in range(12)] + [
        looping(f"l{i}", rng) for i in range(12)
    ]


def trained(checkpoint: Checkpoint | None, stop: Step | None = None) -> TrainedModel:
    """A training; Ctrl-C comes after the epoch of `stop`."""

    def interrupt(step: Step) -> None:
        if stop is not None and (step.stage, step.done) == (stop.stage, stop.done):
            raise KeyboardInterrupt

    return train(
        shop(60), CONFIG, discover=odd(), checkpoint=checkpoint, progress=interrupt
    )


def interrupted(folder: Path, stage: str = "1 next event", epoch: int = 4) -> None:
    with pytest.raises(KeyboardInterrupt):
        trained(Checkpoint(folder, asdict(CONFIG)), Step(stage, epoch, 0))


@pytest.mark.parametrize(
    ("stage", "epoch"), [("1 next event", 4), ("1 next event", 8), ("4 classes", 3)]
)
def test_the_weights_are_those_of_a_training_that_was_not_interrupted(
    tmp_path: Path, stage: str, epoch: int
) -> None:
    whole = trained(None)
    interrupted(tmp_path / "c", stage, epoch)
    steps: list[Step] = []
    model = train(
        shop(60),
        CONFIG,
        discover=odd(),
        checkpoint=Checkpoint(tmp_path / "c", asdict(CONFIG)),
        progress=steps.append,
    )
    (told,) = {s.trouble for s in steps if s.trouble and s.stage == stage}
    assert told == f"going on after epoch {epoch - 1} of the checkpoint"
    first = next(s for s in steps if s.stage == stage and not s.trouble)
    assert first.done == epoch
    assert model.kinds is not None
    assert whole.kinds is not None
    pairs = ((model.network, whole.network), (model.kinds.network, whole.kinds.network))
    for mine, other in pairs:
        for name, weights in other.state_dict().items():
            assert torch.equal(mine.state_dict()[name], weights), name
    assert model.figures == whole.figures


def test_only_safetensors_and_json_lie_there(tmp_path: Path) -> None:
    interrupted(tmp_path / "c", "4 classes")
    names = sorted(p.name for p in (tmp_path / "c").iterdir())
    assert names == [
        "1-next-event.safetensors",
        "4-classes.safetensors",
        "checkpoint.json",
    ]
    Checkpoint(tmp_path / "c", asdict(CONFIG)).remove()
    assert list(tmp_path.iterdir()) == []


def test_other_logs_are_refused(tmp_path: Path) -> None:
    interrupted(tmp_path / "c")
    checkpoint = Checkpoint(tmp_path / "c", asdict(CONFIG))
    with pytest.raises(CheckpointError, match=r"is of other logs or labels; continue"):
        train(shop(61), CONFIG, discover=odd(), checkpoint=checkpoint)


def test_another_configuration_is_refused_before_anything_is_read(
    tmp_path: Path,
) -> None:
    interrupted(tmp_path / "c")
    stage = replace(CONFIG.language_model, hidden=9)
    other = asdict(replace(CONFIG, language_model=stage))
    said = re.escape("(language_model.hidden was 8, is 9)")
    with pytest.raises(CheckpointError, match=said):
        Checkpoint(tmp_path / "c", other)


def a_file(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    folder.write_text("x")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (a_file, "is a file; choose another"),
        (lambda f: (f / "holiday.jpg").write_text("x"), "is no checkpoint; choose"),
        (lambda f: (f / "checkpoint.json").write_text("{"), "checkpoint.json is dam"),
        (lambda f: (f / "checkpoint.json").write_text("[]"), "checkpoint.json is dam"),
        (
            lambda f: (f / "1-next-event.safetensors").write_bytes(b"\x80\x04."),
            "1-next-event.safetensors is damaged; remove the folder",
        ),
    ],
)
def test_what_is_no_checkpoint_is_one_line(
    tmp_path: Path, spoil: Callable[[Path], object], said: str
) -> None:
    interrupted(tmp_path / "c")
    spoil(tmp_path / "c")
    with pytest.raises(CheckpointError, match=said):
        trained(Checkpoint(tmp_path / "c", asdict(CONFIG)))


def test_a_state_of_another_network_is_one_line(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "c", asdict(CONFIG))
    checkpoint.save("1 next event", {"first_rate": 1}, {"network.x": torch.zeros(1)})
    with pytest.raises(CheckpointError, match="damaged; remove the folder"):
        trained(checkpoint)

"""The epochs of a stage: one loop for both networks, on CPU and CUDA.

    batches ─▶ loss ─▶ Adam, schedule on the held-out loss ─▶ the best epoch is kept
       │         └─ is no number: the best weights again, at a lower learning rate
       └─ memory ends: the epoch again, with batches of half the size

After each epoch all that decides the next one goes into the checkpoint, if there is
one: a training that was interrupted ends with the weights of one that was not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

from model.best_epoch import BestEpoch, Epoch, History
from model.checkpoint import Checkpoint
from model.errors import OutOfMemoryError, TrainingError
from model.out_of_memory import give_back, is_out_of_memory
from model.progress import Progress, Step, silent
from model.schedules import Rate, schedule, schedule_state

MIXED = {"bf16": torch.bfloat16, "fp16": torch.float16}
MAX_RESTARTS = 3
SLOWER = 0.2
B = TypeVar("B")


class Lesson(Protocol[B]):
    """What a stage learns."""

    def batches(self, rng: np.random.Generator) -> Iterable[B]:
        """The batches of one epoch, in the order that is drawn."""
        ...

    def checks(self) -> Iterable[B]:
        """The batches of the held-out part."""
        ...

    def loss(self, batch: B) -> tuple[Tensor, Tensor]:
        """The loss of a batch, summed, and by what to divide it."""
        ...

    def halve(self) -> bool:
        """Halves the batches; False where they cannot be smaller."""
        ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How long and how fast. `patience` None: no early stopping.

    `rate`: the learning rate is halved after `rate_patience` epochs without a better
    held-out loss, falls along a cosine to 0, or stays.
    """

    learning_rate: float
    epochs: int
    patience: int | None
    rate: Rate = "plateau"
    rate_patience: int = 2


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a stage is trained and who is told. `mixed`: off, bf16 or fp16."""

    device: torch.device
    mixed: str = "off"
    checkpoint: Checkpoint | None = None
    progress: Progress = silent


class _NoNumberError(Exception):
    """A loss that is NaN or infinite."""


def run_epochs(
    stage: str,
    network: nn.Module,
    lesson: Lesson[B],
    pace: Pace,
    setting: Setting,
    rng: np.random.Generator,
) -> History:
    """Trains until the pace says enough; the network then has its best weights.

    Raises TrainingError where no loss is a number, OutOfMemoryError, CheckpointError.
    """
    training = _Training(stage, network, lesson, pace, setting, rng)
    training.resume()
    while not training.is_over:
        try:
            training.go_on()
        except _NoNumberError:
            training.slow_down()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            training.halve(error)
    return training.finish()


class _Training(Generic[B]):
    """One stage, epoch by epoch."""

    def __init__(
        self,
        stage: str,
        network: nn.Module,
        lesson: Lesson[B],
        pace: Pace,
        setting: Setting,
        rng: np.random.Generator,
    ) -> None:
        self._stage, self._network, self._lesson = stage, network, lesson
        self._pace, self._setting, self._rng = pace, setting, rng
        self._best = BestEpoch(network, pace.patience)
        self._restarts, self._halvings = 0, 0
        self._stopped = False
        self._troubles: list[str] = []
        self._begin(pace.learning_rate)

    @property
    def is_over(self) -> bool:
        best = self._best
        return self._stopped or best.has_waited or best.done >= self._pace.epochs

    def go_on(self) -> None:
        """One epoch, its figures, its checkpoint."""
        self._network.train()
        loss = self._pass(self._lesson.batches(self._rng), learns=True)
        self._network.eval()
        with torch.inference_mode():
            check = self._pass(self._lesson.checks(), learns=False)
        rate = float(self._optimizer.param_groups[0]["lr"])
        if isinstance(self._schedule, ReduceLROnPlateau):
            self._schedule.step(check)
        else:
            self._schedule.step()
        self._best.is_over(Epoch(loss, check, rate))
        self._tell(loss=loss, held_out_loss=check, learning_rate=rate)
        self._save()

    def slow_down(self) -> None:
        """A loss was no number: from the best weights on, slower."""
        rate = float(self._optimizer.param_groups[0]["lr"])
        self._best.restore()
        number = f"the loss of epoch {self._best.done + 1} is no number"
        if self._restarts == MAX_RESTARTS:
            if not self._best.history.best:
                raise TrainingError(
                    f"{self._stage}: {number}, whatever the learning rate; try "
                    "another --seed, or --mixed-precision off"
                )
            self._stopped = True
            self._trouble(f"{number} again; the best epoch before it is kept")
            return
        self._restarts += 1
        self._begin(SLOWER * rate)
        self._trouble(
            f"{number}; going on from the best weights, at a learning rate of "
            f"{SLOWER * rate:.2g}"
        )

    def halve(self, error: BaseException) -> None:
        """Memory has ended: the epoch again in smaller batches."""
        if not self._lesson.halve():
            raise OutOfMemoryError(
                f"{self._stage}: out of memory on {self._setting.device.type} even "
                "with a session at a time; use --device cpu, or a machine with more"
            ) from error
        self._halvings += 1
        give_back()
        self._trouble(
            f"out of memory on {self._setting.device.type}; the epoch begins again "
            f"with 1/{2**self._halvings} of the batch size"
        )

    def finish(self) -> History:
        self._best.restore()
        return replace(self._best.history, troubles=tuple(self._troubles))

    def _begin(self, rate: float) -> None:
        """A fresh optimizer and schedule."""
        self._first_rate = rate
        self._optimizer = torch.optim.Adam(self._network.parameters(), lr=rate)
        pace = self._pace
        self._schedule = schedule(
            self._optimizer, pace.rate, pace.epochs, pace.rate_patience
        )
        self._scaler = torch.amp.GradScaler(
            self._setting.device.type, enabled=self._setting.mixed == "fp16"
        )

    def _pass(self, batches: Iterable[B], *, learns: bool) -> float:
        """The mean loss over all batches."""
        device, mixed = self._setting.device, self._setting.mixed
        total, weight = 0.0, 0.0
        for batch in batches:
            with torch.autocast(device.type, MIXED.get(mixed), mixed in MIXED):
                loss, mass = self._lesson.loss(batch)
            if learns:
                self._learn(loss / mass)
            total, weight = total + float(loss.detach()), weight + float(mass)
            if not np.isfinite(total):
                raise _NoNumberError
        return total / max(weight, 1e-9)

    def _learn(self, loss: Tensor) -> None:
        self._optimizer.zero_grad(set_to_none=True)
        scaled = self._scaler.scale(loss)
        scaled.backward()  # type: ignore[no-untyped-call]  # torch's own
        self._scaler.unscale_(self._optimizer)
        torch.nn.utils.clip_grad_norm_(self._network.parameters(), 1.0)
        self._scaler.step(self._optimizer)
        self._scaler.update()

    def _trouble(self, line: str) -> None:
        self._troubles.append(line)
        self._tell(trouble=line)

    def _tell(self, **figures: Any) -> None:
        done = max(1, self._best.done)
        self._setting.progress(Step(self._stage, done, self._pace.epochs, **figures))

    def _save(self) -> None:
        if self._setting.checkpoint is None:
            return
        best, weights = self._best.state()
        optimizer = self._optimizer.state_dict()
        arrays = {
            **_named("network", self._network.state_dict()),
            **_named("best", weights),
            "random.cpu": torch.get_rng_state(),
        }
        for place, values in optimizer["state"].items():
            arrays |= _named(f"optimizer.{place}", values)
        if self._setting.device.type == "cuda":
            arrays["random.cuda"] = torch.cuda.get_rng_state(self._setting.device)
        meta = {
            "best": best,
            "first_rate": self._first_rate,
            "groups": optimizer["param_groups"],
            "schedule": schedule_state(self._schedule),
            "scaler": self._scaler.state_dict(),
            "random": self._rng.bit_generator.state,
            "restarts": self._restarts,
            "halvings": self._halvings,
            "troubles": self._troubles,
        }
        self._setting.checkpoint.save(self._stage, meta, arrays)

    def resume(self) -> None:
        """From the checkpoint on, if this stage has one."""
        checkpoint = self._setting.checkpoint
        found = checkpoint.load(self._stage) if checkpoint else None
        if checkpoint is None or found is None:
            return
        meta, arrays = found
        try:
            self._take(meta, arrays)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise checkpoint.misfit(self._stage) from error
        self._tell(trouble=f"going on after epoch {self._best.done} of the checkpoint")

    def _take(self, meta: Mapping[str, Any], arrays: Mapping[str, Tensor]) -> None:
        self._begin(float(meta["first_rate"]))
        self._network.load_state_dict(_of("network", arrays))
        self._best.resume(meta["best"], _of("best", arrays))
        places = range(len(meta["groups"][0]["params"]))
        state = {place: _of(f"optimizer.{place}", arrays) for place in places}
        self._optimizer.load_state_dict(
            {"state": state, "param_groups": meta["groups"]}
        )
        self._schedule.load_state_dict(dict(meta["schedule"]))
        self._scaler.load_state_dict(dict(meta["scaler"]))
        self._rng.bit_generator.state = meta["random"]
        torch.set_rng_state(arrays["random.cpu"])
        if "random.cuda" in arrays and self._setting.device.type == "cuda":
            torch.cuda.set_rng_state(arrays["random.cuda"], self._setting.device)
        self._restarts, self._halvings = int(meta["restarts"]), int(meta["halvings"])
        self._troubles = [str(line) for line in meta["troubles"]]
        for _ in range(self._halvings):
            self._lesson.halve()


def _named(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}


def _of(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    start = f"{prefix}."
    return {
        name.removeprefix(start): tensor
        for name, tensor in tensors.items()
        if name.startswith(start)
    }

"""A checkpoint: where an interrupted training goes on, as if nothing had happened.

    DIR/checkpoint.json        what is trained: digests of logs and configuration
    DIR/1-next-event.safetensors, DIR/4-classes.safetensors
                               a stage after its last whole epoch: weights, optimizer,
                               random state; the numbers beside them in its header

Each file is written beside its place and renamed, so that a kill at any instant leaves
the epoch before. Nothing is unpickled.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from model.errors import CheckpointError

FORMAT = 1
IDENTITY = "checkpoint.json"
_META = "meta"


class Checkpoint:
    """The state of one training in a folder, which is made where it is not there.

    `configuration` is all that decides the model beside the logs. Raises
    CheckpointError where the folder holds something else or another training.
    """

    def __init__(self, folder: Path, configuration: Mapping[str, Any]) -> None:
        self.folder = folder
        self._configuration = json.loads(json.dumps(configuration))
        self._check_folder()

    def identify(self, logs: str) -> None:
        """Takes the digest of the logs. Raises CheckpointError for other ones."""
        mine = {
            "format": FORMAT,
            "torch": torch.__version__,
            "configuration": self._configuration,
            "logs": logs,
        }
        there = self._identity()
        if there is None:
            self._write(IDENTITY, json.dumps(mine, indent=1).encode())
            return
        for name in mine:
            if there.get(name) != mine[name]:
                raise self._other(name, there.get(name), mine[name])

    def load(self, stage: str) -> tuple[dict[str, Any], dict[str, Tensor]] | None:
        """What `save` was given last for a stage; None where it has not begun."""
        path = self.folder / _file(stage)
        if not path.exists():
            return None
        try:
            with safe_open(path, "pt") as file:
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
                return json.loads((file.metadata() or {})[_META]), arrays
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise self._damaged(path.name) from error

    def save(
        self, stage: str, meta: Mapping[str, Any], arrays: Mapping[str, Tensor]
    ) -> None:
        """The state of a stage after an epoch, in place of the one before."""
        work = self.folder / f".{_file(stage)}"
        try:
            save_file(
                {k: v.detach().cpu().contiguous().clone() for k, v in arrays.items()},
                work,
                {_META: json.dumps(meta)},
            )
            work.replace(self.folder / _file(stage))
        except (OSError, SafetensorError) as error:
            raise self._unwritable(error) from error

    def misfit(self, stage: str) -> CheckpointError:
        """What to raise for a state of a stage that does not fit its network."""
        return self._damaged(_file(stage))

    def remove(self) -> None:
        """The training is done: the folder goes, with what was in it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _check_folder(self) -> None:
        if self.folder.exists() and not self.folder.is_dir():
            raise CheckpointError(
                f"checkpoint {self.folder}: is a file; choose another --checkpoint"
            )
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            names = {p.name.removeprefix(".") for p in self.folder.iterdir()}
        except OSError as error:
            raise self._unwritable(error) from error
        ours = {IDENTITY, _file("1 next event"), _file("4 classes")}
        if not names <= ours:
            raise CheckpointError(
                f"checkpoint {self.folder}: exists and is no checkpoint; choose "
                "another --checkpoint"
            )
        there = self._identity()
        if there is not None and there.get("configuration") != self._configuration:
            raise self._other(
                "configuration", there.get("configuration"), self._configuration
            )

    def _identity(self) -> dict[str, Any] | None:
        try:
            body = json.loads((self.folder / IDENTITY).read_text("utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as error:
            raise self._damaged(IDENTITY) from error
        if not isinstance(body, dict):
            raise self._damaged(IDENTITY)
        return body

    def _write(self, name: str, content: bytes) -> None:
        work = self.folder / f".{name}"
        try:
            work.write_bytes(content)
            work.replace(self.folder / name)
        except OSError as error:
            raise self._unwritable(error) from error

    def _other(self, name: str, there: object, mine: object) -> CheckpointError:
        what = {
            "logs": "of other logs or labels",
            "configuration": f"of another configuration ({_difference(there, mine)})",
        }.get(name, f"of another {name} ({there}, here {mine})")
        return CheckpointError(
            f"checkpoint {self.folder}: is {what}; continue that training with its own "
            "logs and options, or remove the folder to begin anew"
        )

    def _damaged(self, name: str) -> CheckpointError:
        return CheckpointError(
            f"checkpoint {self.folder}: {name} is damaged; remove the folder to begin "
            "anew"
        )

    def _unwritable(self, error: Exception) -> CheckpointError:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        return CheckpointError(
            f"checkpoint {self.folder}: cannot be written ({reason}); choose another "
            "--checkpoint"
        )


def _file(stage: str) -> str:
    return stage.replace(" ", "-") + ".safetensors"


def _difference(there: object, mine: object, name: str = "") -> str:
    """The first setting that differs, by its dotted name."""
    if isinstance(there, dict) and isinstance(mine, dict):
        for key in sorted({*there, *mine}):
            if there.get(key) != mine.get(key):
                dotted = f"{name}.{key}" if name else str(key)
                return _difference(there.get(key), mine.get(key), dotted)
    return f"{name} was {str(there)[:40]}, is {str(mine)[:40]}"

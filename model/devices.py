"""Where the networks run: CPU or CUDA, from the same code."""

from __future__ import annotations

import torch

from model.errors import DeviceError

CHOICES = ("auto", "cpu", "cuda")


def choose_device(name: str = "auto", threads: int = 1) -> torch.device:
    """`auto` takes CUDA where there is one. Raises DeviceError for what is absent.

    Also sets how many threads torch uses on the CPU: these networks are small, and on
    shared machines more threads mostly wait for each other.
    """
    torch.set_num_threads(threads)
    if name not in CHOICES:
        raise DeviceError(f"device {name!r} is none of {', '.join(CHOICES)}")
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise DeviceError(
            "device cuda: this machine has none that torch can use; "
            "use --device cpu, or auto"
        )
    return torch.device("cuda" if available and name != "cpu" else "cpu")

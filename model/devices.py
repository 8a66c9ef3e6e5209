"""Where the networks run: CPU or CUDA, from the same code."""

from __future__ import annotations

import os

import torch

from model.errors import DeviceError

KERNELS_VARIABLE, KERNELS_KEPT = "ONEDNN_PRIMITIVE_CACHE_CAPACITY", "128"
CHOICES = ("auto", "cpu", "cuda")
MIXED_CHOICES = ("auto", "off", "bf16", "fp16")


def choose_device(name: str = "auto", threads: int = 1) -> torch.device:
    """`auto` takes CUDA where there is one. Raises DeviceError for what is absent.

    Also sets how many threads torch uses on the CPU: these networks are small, and on
    shared machines more threads mostly wait for each other. It bounds what oneDNN
    keeps: a kernel for each shape of a batch, 1,024 of them and 170 MiB if not told.
    And 32-bit floats are that on CUDA too: cuDNN would round them to 19 bits (TF32),
    and scores would not be the CPU's.
    """
    torch.set_num_threads(threads)
    torch.backends.cudnn.allow_tf32 = False
    os.environ.setdefault(KERNELS_VARIABLE, KERNELS_KEPT)  # read at its first use
    if name not in CHOICES:
        raise DeviceError(f"device {name!r} is none of {', '.join(CHOICES)}")
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise DeviceError(
            "device cuda: this machine has none that torch can use; "
            "use --device cpu, or auto"
        )
    return torch.device("cuda" if available and name != "cpu" else "cpu")


def mixed_precision(name: str, device: torch.device) -> str:
    """In which numbers to train: `off` (32 bits), or 16 bits where that is safe.

    `auto` takes bf16 on CUDA that has it, not where torch would have to imitate it.
    Raises DeviceError for what is absent.
    """
    if name not in MIXED_CHOICES:
        known = ", ".join(MIXED_CHOICES)
        raise DeviceError(f"mixed precision {name!r} is none of {known}")
    if name == "auto":
        if device.type != "cuda":
            return "off"
        return "bf16" if torch.cuda.get_device_capability(device) >= (8, 0) else "off"
    if name == "fp16" and device.type != "cuda":
        raise DeviceError(
            "mixed precision fp16: this needs CUDA; use --mixed-precision bf16, or off"
        )
    return name

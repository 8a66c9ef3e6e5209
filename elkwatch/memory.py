"""Memory of this process, and on the GPU where torch uses one."""

from __future__ import annotations

import psutil
import torch


def process_memory_bytes() -> int:
    """Resident memory of this process."""
    return int(psutil.Process().memory_info().rss)


def gpu_memory_bytes() -> int | None:
    """Memory torch holds on the current GPU; None where it uses none."""
    if not torch.cuda.is_available():
        return None
    return int(torch.cuda.memory_reserved())

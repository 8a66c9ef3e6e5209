import os
import subprocess
import sys

import pytest

# scores batches of ever new shapes, and prints by how many MiB the process has grown
SHAPES = """
import ctypes, gc, random
import psutil, torch
from model import choose_device
choose_device("cpu")
network = torch.nn.LSTM(32, 64, batch_first=True)
draw = random.Random(1)
def resident():
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return psutil.Process().memory_info().rss / 2**20
def read(shapes):
    with torch.inference_mode():
        for _ in range(shapes):
            network(torch.zeros(draw.randint(1, 40), draw.randint(1, 60), 32))
read(200)
before = resident()
read(700)
print(resident() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="malloc_trim is of glibc")
def test_batches_of_ever_new_shapes_do_not_fill_memory() -> None:
    told = subprocess.run(
        [sys.executable, "-c", SHAPES], check=True, capture_output=True, text=True
    )
    assert float(told.stdout) < 10


def test_who_sets_it_otherwise_is_heeded() -> None:
    asked = "import os; from model import choose_device; choose_device('cpu'); "
    name = "ONEDNN_PRIMITIVE_CACHE_CAPACITY"
    told = subprocess.run(
        [sys.executable, "-c", asked + f"print(os.environ['{name}'])"],
        env={**os.environ, name: "7"},
        check=True,
        capture_output=True,
        text=True,
    )
    assert told.stdout.strip() == "7"

"""`make bench`: what can be measured here, as figures beside their anchors.

Speed: one table of ratios, and benchmarks/results.json. Quality: the grouping of
templates, then detection and kinds. All of it needs the data sets that this repository
does not hold: name their folder in ELKWATCH_DATA.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.frame import Row, read_rows, results, table, write

SPEED = (
    "benchmarks.template_speed",
    "benchmarks.inference_speed",
    "benchmarks.precision",
)
QUALITY = ("benchmarks.grouping", "benchmarks.quality")
RESULTS = Path(__file__).with_name("results.json")


def main() -> int:
    """Runs each benchmark in a process of its own."""
    data = os.environ.get("ELKWATCH_DATA")
    if not data:
        print("all left out: ELKWATCH_DATA names no folder with the data sets")
        return 0
    rows: list[Row] = []
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for module in SPEED:
            part = Path(folder) / f"{module}.json"
            code = _run(module, data, "--out", str(part))
            failed |= code
            if not code:
                rows += read_rows(json.loads(part.read_text("utf-8")))
    print("\n" + table(rows) + "\n")
    write(results(rows), RESULTS)
    for module in QUALITY:
        failed |= _run(module, data)
    return int(failed)


def _run(module: str, *arguments: str) -> int:
    return subprocess.call([sys.executable, "-m", module, *arguments])


if __name__ == "__main__":
    sys.exit(main())

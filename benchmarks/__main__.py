"""`make bench`: what can be measured here, as figures beside their anchors.

Speed: one table of ratios, and benchmarks/results.json. Quality: the grouping of
templates, and each option of the model on and off; detection and kinds are apart, as
`make bench-quality`, for their length. What needs the data sets that this repository
does not hold is left out, and said so, unless ELKWATCH_DATA names their folder; the
whole path and the workers take the demo's logs, and start an engine of their own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.frame import Row, read_rows, results, table, write

SOAK = ("--log-minutes", "8", "--per-second", "1000")  # short; see its own --help
SPEED = {  # what needs the data sets, and what does not
    "benchmarks.template_speed": True,
    "benchmarks.decode_speed": True,
    "benchmarks.inference_speed": True,
    "benchmarks.precision": True,
    "benchmarks.gpu": False,
    "benchmarks.workers": False,
    "benchmarks.whole_path": False,
}
QUALITY = ("benchmarks.grouping", "benchmarks.ablation")
NO_DATA = "ELKWATCH_DATA names no folder with the data sets"
RESULTS = Path(__file__).with_name("results.json")


def main() -> int:
    """Runs each benchmark in a process of its own; 1 where one failed."""
    _parser().parse_args()
    data = os.environ.get("ELKWATCH_DATA")
    rows: list[Row] = []
    missing: list[str] = []
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for module, needs_data in SPEED.items():
            if needs_data and not data:
                missing.append(f"{module}: left out, {NO_DATA}")
                continue
            part = Path(folder) / f"{module}.json"
            given = [data] if needs_data and data else []
            code = _run(module, *given, "--out", str(part))
            if code:
                failed = True
                missing.append(f"{module}: failed with status {code}, see above")
            else:
                found = read_rows(json.loads(part.read_text("utf-8")))
                rows += found
                if not found:
                    missing.append(f"{module}: left out, see above")
    if _run("benchmarks.soak", *SOAK):
        failed = True
        missing.append("benchmarks.soak: not bounded, see above")
    else:
        missing.append("benchmarks.soak: memory and lag bounded, see above")
    print("\n" + "\n".join([table(rows), *missing]) + "\n")
    write(results(rows), RESULTS)
    for module in QUALITY:
        if data:
            failed |= bool(_run(module, data))
        else:
            print(f"{module}: left out, {NO_DATA}")
    return int(failed)


def _parser() -> argparse.ArgumentParser:
    names = "\n".join(f"  python -m {name} --help" for name in (*SPEED, *QUALITY))
    return argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        epilog=f"One alone:\n{names}\n  python -m benchmarks.soak --help",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _run(module: str, *arguments: str) -> int:
    return subprocess.call([sys.executable, "-m", module, *arguments])


if __name__ == "__main__":
    sys.exit(main())

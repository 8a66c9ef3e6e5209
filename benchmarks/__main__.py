"""`make bench`: what can be measured here, as figures beside their anchors.

Quality needs the data sets that this repository does not hold: name their folder in
ELKWATCH_DATA. Without it only what the repository holds is measured.
"""

from __future__ import annotations

import os
import subprocess
import sys


def main() -> int:
    """Runs each benchmark in a process of its own."""
    data = os.environ.get("ELKWATCH_DATA")
    if not data:
        print("quality: left out, ELKWATCH_DATA names no folder with the data sets")
        return 0
    return subprocess.call([sys.executable, "-m", "benchmarks.quality", data])


if __name__ == "__main__":
    sys.exit(main())

"""Compares two results files: which ratios fell, which rose.

    python -m benchmarks.compare OLD.json NEW.json [--tolerance 0.1]

Ratios are compared, never times: both sides of a ratio ran on the same machine. Ends
with 1 where a ratio fell by more than the tolerance, or is gone.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.frame import Row, read_rows, times

TOLERANCE = 0.1


def differences(
    old: Sequence[Row], new: Sequence[Row], tolerance: float
) -> tuple[list[str], bool]:
    """One line a benchmark; and whether any fell."""
    after = {row.name: row for row in new}
    lines, fell = [], False
    for row in old:
        now = after.pop(row.name, None)
        if now is None:
            lines.append(f"{row.name:44} {times(row.ratio)} → gone")
            fell = True
            continue
        change = now.ratio / row.ratio - 1
        word = "same"
        if abs(change) > tolerance:
            word = "fell" if change < 0 else "rose"
        fell |= word == "fell"
        lines.append(
            f"{row.name:44} {times(row.ratio)} → {times(now.ratio)} "
            f"({change:+.0%}) {word}"
        )
    lines += [f"{row.name:44} new, {times(row.ratio)}" for row in after.values()]
    return lines, fell


def main() -> int:
    """Prints the differences."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--tolerance", type=float, default=TOLERANCE)
    chosen = parser.parse_args()
    old, new = (
        read_rows(json.loads(path.read_text("utf-8")))
        for path in (chosen.old, chosen.new)
    )
    lines, fell = differences(old, new, chosen.tolerance)
    print("\n".join(lines))
    return int(fell)


if __name__ == "__main__":
    sys.exit(main())

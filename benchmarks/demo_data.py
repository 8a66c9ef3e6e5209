"""Cuts the demo's logs out of the PostgreSQL logs of this project.

    python -m benchmarks.demo_data FOLDER_WITH_train_AND_test OUT

Whole sessions by the second they began in; nothing is chosen by label, and labels are
not read. `normal` trains, `incidents` is where kinds of trouble are discovered,
`live` is what the demo's Elasticsearch receives: later than `incidents`, no overlap.
"""

from __future__ import annotations

import gzip
import json
import sys
from datetime import datetime
from pathlib import Path

PARTS = {
    "normal": ("train.ndjson.gz", 20, 100),
    "incidents": ("test.ndjson.gz", 55, 120),
    "live": ("test.ndjson.gz", 180, 240),
}


def cut(source: Path, begin_s: float, end_s: float) -> list[str]:
    """The lines of all sessions that began in [begin, end) seconds of a file."""
    with gzip.open(source, "rt", encoding="utf-8") as stream:
        lines = stream.readlines()
    first: dict[str, float] = {}
    zero: datetime | None = None
    kept = []
    for line in lines:
        document = json.loads(line)
        time = datetime.fromisoformat(document["@timestamp"])
        zero = zero or time
        session = document["postgresql"]["log"]["session_id"]
        began = first.setdefault(session, (time - zero).total_seconds())
        if begin_s <= began < end_s:
            kept.append(line)
    return kept


def main(source: Path, out: Path) -> None:
    """Writes the three files; equal input gives equal bytes."""
    for name, (file, begin_s, end_s) in PARTS.items():
        lines = cut(source / file, begin_s, end_s)
        path = out / f"{name}.ndjson.gz"
        path.write_bytes(gzip.compress("".join(lines).encode(), 9, mtime=0))
        print(f"{path.name}: {len(lines)} lines, {path.stat().st_size // 1024} kB")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

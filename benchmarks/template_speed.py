"""Speed of templates: ours against drain3 line by line, with the same masks.

    python -m benchmarks.template_speed DATA [--out rows.json]

DATA holds hdfs/. The anchor is drain3's own TemplateMiner (plain_drain3.py). Before
anything is timed both must give the same cluster id for every line, and end in the same
state, over all lines; timed are TIMED of them. *Cold* begins with nothing; *second
half* has learned the first half, outside the clock, as a service has that runs (the
anchor, which gains nothing from it, WARM lines of it).
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

from drain3 import TemplateMiner as Drain3

from benchmarks.frame import Case, Row, Work, compare, run
from benchmarks.plain_drain3 import default_drain3, plain_drain3, state
from model import FrozenTemplates, TemplateMiner

PAGE = 2000
TIMED = 40_000
WARM = 2_000
ANCHOR = "drain3 line by line, same masks"
NO_MASKS = "drain3 line by line, its defaults, no masks: other templates"


def lines_of(path: Path) -> list[str]:
    """The messages of an NDJSON file."""
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        return [json.loads(line)["message"] for line in stream]


def learn(miner: TemplateMiner, lines: Sequence[str]) -> list[int]:
    """Cluster ids, learned page by page as documents are fetched."""
    ids: list[int] = []
    for at in range(0, len(lines), PAGE):
        ids += miner.learn_all(lines[at : at + PAGE])
    return ids


def match(templates: FrozenTemplates, lines: Sequence[str]) -> None:
    """Template ids, page by page."""
    for at in range(0, len(lines), PAGE):
        templates.match_all(lines[at : at + PAGE])


def check_same(lines: Sequence[str]) -> None:
    """Ids and state of both, over all lines. Raises SystemExit where they differ."""
    drain3, ours = plain_drain3(), TemplateMiner()
    theirs = [drain3.add_log_message(line)["cluster_id"] for line in lines]
    mine = learn(ours, lines)
    wrong = sum(a != b for a, b in zip(theirs, mine, strict=True))
    same = state(drain3) == [(c.cluster_id, c.size, c.tokens) for c in ours.clusters()]
    print(
        f"ids that differ: {wrong} of {len(lines)}; state {'same' if same else 'NOT'}"
    )
    if wrong or not same:
        raise SystemExit("templates: not the ids or state of drain3; nothing is timed")


def rows(data: Path) -> list[Row]:
    """Cold, second half, and frozen matching."""
    lines = lines_of(data / "hdfs" / "hdfs.ndjson.gz")
    check_same(lines)
    half = len(lines) // 2
    first, cold, second = lines[:half], lines[:TIMED], lines[half : half + TIMED]

    def plain(known: Sequence[str], new: Sequence[str]) -> Work:
        return _line_by_line(plain_drain3(), known, new)

    def ours_cold() -> Work:
        miner = TemplateMiner()
        return lambda: learn(miner, cold)

    def ours_second() -> Work:
        miner = TemplateMiner()
        learn(miner, first)
        return lambda: learn(miner, second)

    def ours_frozen() -> Work:
        miner = TemplateMiner()
        learn(miner, first)
        templates = miner.freeze()
        match(templates, first)
        return lambda: match(templates, second)

    known = first[:WARM]
    return [
        compare(
            Case("templates, HDFS cold", "lines", TIMED, ANCHOR, 15, 30),
            anchor=lambda: plain((), cold),
            ours=ours_cold,
        ),
        compare(
            Case("templates, HDFS second half", "lines", TIMED, ANCHOR, 20, 30),
            anchor=lambda: plain(known, second),
            ours=ours_second,
        ),
        compare(
            Case("templates, HDFS second half, frozen", "lines", TIMED, ANCHOR, 20, 30),
            anchor=lambda: plain(known, second),
            ours=ours_frozen,
        ),
        compare(
            Case("templates, frozen, for scale", "lines", TIMED, NO_MASKS, 1, 3),
            anchor=lambda: _line_by_line(default_drain3(), first, second),
            ours=ours_frozen,
        ),
    ]


def _line_by_line(miner: Drain3, known: Sequence[str], new: Sequence[str]) -> Work:
    for line in known:
        miner.add_log_message(line)

    def work() -> None:
        for line in new:
            miner.add_log_message(line)

    return work


if __name__ == "__main__":
    run(rows, __doc__)

"""Grouping accuracy of templates, one configuration for every system.

    python -m benchmarks.grouping DATA [--wrong SYSTEM]

DATA holds loghub/ (the README names its source): a CSV a system, each line with the id
of its true template. A predicted template is *correct* if its lines are just the lines
of one true template.

GA   share of lines whose predicted template is correct (Zhu et al., ICSE-SEIP 2019)
FGA  harmonic mean of the shares of predicted, and of true, templates that are correct
     (Jiang et al., ISSTA 2024)

Beside ours: drain3 with its defaults and no masks; ours without merging; and ours that
learned the first half and matches the second. *Left out*: nothing in the code is fitted
by a program, but four numbers of merging were chosen by looking at these systems; each
system is scored again with those numbers chosen on the other nine.
"""

from __future__ import annotations

import argparse
import csv
import gzip
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import fmean

from benchmarks.plain_drain3 import default_drain3
from model import TemplateMiner
from model.templates import merging

CHOICES = {
    "MANY": (4, 5, 6),
    "IDENTIFIERS": (2, 3, 4),
    "BY_NOUN": (2, 3),
    "CONTEXT": (1, 2),
}


@dataclass(frozen=True, slots=True)
class System:
    """The lines of one system and their true templates."""

    name: str
    lines: Sequence[str]
    truth: Sequence[str]


@dataclass(frozen=True, slots=True)
class Score:
    """How predicted templates agree with true ones."""

    ga: float
    fga: float
    true: int
    predicted: int


def systems(folder: Path) -> list[System]:
    """The systems of a folder, by name."""
    found = []
    for path in sorted(folder.glob("*.csv.gz")):
        with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        lines, truth = [r["Content"] for r in rows], [r["EventId"] for r in rows]
        found.append(System(path.name.partition(".")[0], lines, truth))
    return found


def score(truth: Sequence[object], predicted: Sequence[object]) -> Score:
    """GA and FGA. truth (N), predicted (N)."""
    groups = set(_groups(truth).values())
    found = _groups(predicted).values()
    correct = [lines for lines in found if lines in groups]
    return Score(
        ga=sum(map(len, correct)) / len(truth),
        fga=2 * len(correct) / (len(found) + len(groups)),
        true=len(groups),
        predicted=len(found),
    )


def _groups(labels: Sequence[object]) -> dict[object, frozenset[int]]:
    places: dict[object, list[int]] = defaultdict(list)
    for place, label in enumerate(labels):
        places[label].append(place)
    return {label: frozenset(found) for label, found in places.items()}


def ours(lines: Sequence[str]) -> list[int]:
    """Template ids: learned from all lines, frozen, matched."""
    miner = TemplateMiner()
    miner.learn_all(lines)
    return miner.freeze().match_all(lines)


def without_merging(lines: Sequence[str]) -> list[int]:
    """The miner's own cluster ids."""
    return TemplateMiner().learn_all(lines)


def drain3_defaults(lines: Sequence[str]) -> list[int]:
    """drain3 as it comes, fed line by line."""
    miner = default_drain3()
    return [miner.add_log_message(line)["cluster_id"] for line in lines]


def halves(system: System) -> Score:
    """The second half, matched by what the first half taught."""
    half = len(system.lines) // 2
    miner = TemplateMiner()
    miner.learn_all(system.lines[:half])
    new = list(system.lines[half:])
    ids = miner.freeze().match_all(new)
    # lines that match nothing are told apart by their masked text alone
    masked = miner.freeze().mask
    told = [number or masked(line) for number, line in zip(ids, new, strict=True)]
    return score(system.truth[half:], told)


@contextmanager
def numbers(values: Sequence[int]) -> Iterator[None]:
    """Merging with other numbers, for a while."""
    kept = [getattr(merging, name) for name in CHOICES]
    try:
        for name, value in zip(CHOICES, values, strict=True):
            setattr(merging, name, value)
        yield
    finally:
        for name, value in zip(CHOICES, kept, strict=True):
            setattr(merging, name, value)


def left_out(found: Sequence[System]) -> list[Score]:
    """Each system with the numbers that are best, by GA + FGA, on all others."""
    miners = []
    for system in found:
        miners.append(TemplateMiner())
        miners[-1].learn_all(system.lines)
    scores = {}
    for values in product(*CHOICES.values()):
        with numbers(values):
            scores[values] = [
                score(system.truth, miner.freeze().match_all(system.lines))
                for system, miner in zip(found, miners, strict=True)
            ]
    chosen = []
    for place in range(len(found)):
        best = max(
            scores,
            key=lambda values: sum(
                s.ga + s.fga for i, s in enumerate(scores[values]) if i != place
            ),
        )
        chosen.append(scores[best][place])
    return chosen


def wrong(system: System) -> Iterator[str]:
    """The predicted templates of a system that are not correct, largest first."""
    miner = TemplateMiner()
    miner.learn_all(system.lines)
    templates = miner.freeze()
    ids = templates.match_all(system.lines)
    groups = set(_groups(system.truth).values())
    for number, lines in sorted(_groups(ids).items(), key=lambda g: -len(g[1])):
        if lines not in groups:
            events = sorted({system.truth[line] for line in lines})
            text = templates.templates[int(str(number)) - 1].text
            yield f"{len(lines):5} {text[:150]} ({', '.join(events)})"


def main() -> None:
    """Prints one row a system, and the means."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--wrong", metavar="SYSTEM", help="list what is wrong there")
    chosen = parser.parse_args()
    found = systems(chosen.data / "loghub")
    if chosen.wrong is not None:
        for system in found:
            if system.name == chosen.wrong:
                print("\n".join(wrong(system)))
        return
    columns = {
        "elkwatch": [score(s.truth, ours(s.lines)) for s in found],
        "left out": left_out(found),
        "second half": [halves(s) for s in found],
        "unmerged": [score(s.truth, without_merging(s.lines)) for s in found],
        "drain3": [score(s.truth, drain3_defaults(s.lines)) for s in found],
    }
    print(f"{'GA / FGA':14}{'templates':>10}" + "".join(f"{n:>14}" for n in columns))
    for place, system in enumerate(found):
        cells = [scores[place] for scores in columns.values()]
        print(
            f"{system.name:14}{cells[0].predicted:>5}/{cells[0].true:<4}"
            + "".join(f"{f'{c.ga:.3f} / {c.fga:.3f}':>14}" for c in cells)
        )
    means = [
        (fmean(c.ga for c in scores), fmean(c.fga for c in scores))
        for scores in columns.values()
    ]
    print(f"{'mean':24}" + "".join(f"{f'{g:.3f} / {f:.3f}':>14}" for g, f in means))


if __name__ == "__main__":
    main()

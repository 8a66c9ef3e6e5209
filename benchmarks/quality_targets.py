"""What detection is meant to reach, and whether it did.

A target counts only where elkwatch is no worse than the best trivial baseline of the
same run; where the two are level the table says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev

from benchmarks.quality_cases import KINDS
from model import Evaluation

TRIVIAL = ("baseline: unseen template", "baseline: unseen count vector")
OURS = "elkwatch"


@dataclass(frozen=True, slots=True)
class Target:
    """A bound on the mean of one figure over the seeds of one case."""

    case: str
    bound: float
    figure: str = "f1"
    stretch: bool = False


TARGETS = (
    Target("postgresql", 0.99),
    Target("postgresql", 0.98, "average_precision"),
    Target("postgresql, 1 % mixed in", 0.97),
    Target("postgresql, 5 % mixed in", 0.95),
    Target("postgresql, 10 % of the logs", 0.96),
    Target("hdfs by time, labelled", 0.92),
    Target("hdfs by time, unlabelled", 0.90),
    Target("hdfs by hash, labelled", 0.98),
    *(Target(f"postgresql, 5 % of one kind: {k}", 0.95, stretch=True) for k in KINDS),
    Target("postgresql, 13 % mixed in", 0.90, stretch=True),
    Target("postgresql without error lines, 5 % mixed in", 0.95, stretch=True),
)


def targets_table(results: Mapping[str, Sequence[Evaluation]]) -> Iterator[str]:
    """Markdown: target, figure, the best trivial baseline, met or not."""
    yield "| target | elkwatch | best trivial baseline | without the network | |"
    yield "|---|---|---|---|---|"
    for target in TARGETS:
        if target.case in results:
            yield _row(target, results[target.case])


def _row(target: Target, found: Sequence[Evaluation]) -> str:
    own = _figures(target, found, OURS)
    trivial = max((_figures(target, found, name) for name in TRIVIAL), key=fmean)
    bare = _figures(target, found, "ablation: without the network")
    name = "F1" if target.figure == "f1" else "AP"
    stretch = " (stretch)" if target.stretch else ""
    cells = (
        f"{target.case}: {name} ≥ {target.bound}{stretch}",
        *(f"{fmean(v):.3f} ± {pstdev(v):.3f}" for v in (own, trivial, bare)),
        _outcome(fmean(own), target.bound, fmean(trivial)),
    )
    return f"| {' | '.join(cells)} |"


def _outcome(own: float, bound: float, trivial: float) -> str:
    if own < bound:
        return f"**missed by {bound - own:.3f}**"
    if own < trivial:
        return "**below the baseline**"
    return "met" if own > trivial + 1e-9 else "met, level with the baseline"


def _figures(
    target: Target, found: Sequence[Evaluation], method: str
) -> tuple[float, ...]:
    return tuple(
        float(getattr(row, target.figure))
        for one in found
        for row in one.detection
        if row.method == method
    )

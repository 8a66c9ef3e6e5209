"""The figures of a quality run as text, and into the page that holds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean

from benchmarks.quality_targets import Results, spread, targets_table

BEGIN, END = "<!-- figures: written by make bench-quality -->", "<!-- end -->"
COLUMNS = ("F1", "precision", "recall", "AP")
MISSED = "missed: "


def text_of(results: Results, seconds: float) -> str:
    """Targets first, then the tables they come from."""
    lines = [*targets_table(results), ""]
    for name, found in results.items():
        lines += ["```text", *table(name, found), "```", ""]
    lines.append(f"({seconds / 60:.0f} minutes)")
    return "\n".join(lines) + "\n"


def table(name: str, found: Sequence[Mapping[str, float]]) -> Iterator[str]:
    """The lines of one case: methods by F1 and its kin, then all else."""
    keys = list(dict.fromkeys(key for one in found for key in one))
    first = found[0]
    sizes = ""
    if "sessions" in first:
        sizes = (
            f"{first['sessions']:.0f} sessions, {first['anomalous']:.0f} anomalous, "
        )
    yield f"{name}: {sizes}{len(found)} seeds"
    methods = [key.removesuffix(": precision") for key in keys if ": precision" in key]
    if methods:
        yield f"  {'':38}" + "".join(f"{column:>15}" for column in COLUMNS)
    told = {"sessions", "anomalous"}
    for method in methods:
        names = [f"{method}: {column}" for column in COLUMNS]
        told.update(names)
        cells = (spread([one[key] for one in found]) for key in names)
        yield f"  {method:38}" + "".join(f"{cell:>15}" for cell in cells)
    if missed := _missed(keys, found):
        yield f"  missed: {missed}"
    for key in keys:
        if key not in told and not key.startswith(MISSED):
            yield f"  {key:68}{spread([one[key] for one in found]):>15}"


def _missed(keys: Sequence[str], found: Sequence[Mapping[str, float]]) -> str:
    """Kinds of which not all are detected, with the share that is not."""
    shares = {
        key.removeprefix(MISSED): fmean([one.get(key, 0.0) for one in found])
        for key in keys
        if key.startswith(MISSED)
    }
    return ", ".join(f"{kind} {share:.1%}" for kind, share in shares.items())


def write_into(page: Path, text: str, begin: str = BEGIN) -> None:
    """Puts the figures between the page's markers; the words around them stay."""
    before, _, rest = page.read_text("utf-8").partition(begin)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{begin}\n\n{text}\n{END}{after}", "utf-8")

"""The tables of a backtest: by day, by class, the episodes, other thresholds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from elkwatch.backtest.result import BacktestResult, LevelFigures, SourceFigures
from elkwatch.backtest.words import cell, lasting, percent, when

MAX_CLASSES = 20
MAX_EPISODES = 20


def days_table(result: BacktestResult) -> Iterator[str]:
    """A day a line, with the messages by channel."""
    names = [cell(channel.name, 14) for channel in result.channels]
    columns = ["day", "lines", "unknown", "sessions", "deviate", "episodes", *names]
    rows = [
        [
            day.day,
            f"{day.documents:,}",
            percent(day.unknown, day.documents),
            f"{day.sessions:,}",
            f"{day.findings:,}",
            f"{day.episodes:,}",
            *(f"{day.messages.get(c.name, 0):,}" for c in result.channels),
        ]
        for day in result.days
    ]
    yield "each day, with the messages by channel"
    yield from _table(columns, rows, left=1)


def classes_table(result: BacktestResult) -> Iterator[str]:
    """A class a line, the first MAX_CLASSES of them."""
    names = [cell(channel.name, 14) for channel in result.channels]
    heads = ["class", "source", "severity", "findings", "a day", "episodes"]
    several = len(result.sources) > 1
    rows = []
    for kind in result.classes[:MAX_CLASSES]:
        rate = result.a_day(kind.findings)
        rows.append(
            [
                cell(kind.name, 40) + ("" if kind.known else " (unknown kind)"),
                cell(kind.source, 24) if several else "",
                kind.severity if kind.findings else "",
                f"{kind.findings:,}",
                "" if rate is None else f"{rate:.1f}",
                f"{kind.episodes:,}",
                *(f"{kind.messages.get(c.name, 0):,}" for c in result.channels),
            ]
        )
    yield "classes, with the messages by channel"
    yield from _table([*heads, *names], rows, left=3)
    if any(k.episodes and not k.findings for k in result.classes):
        yield (
            "where messages tell of a class without findings, these were of another "
            "class, or normal, once their session was whole"
        )
    more = len(result.classes) - MAX_CLASSES
    if more > 0:
        yield f"and {more} more classes; --json has them all"


def episodes_table(result: BacktestResult) -> Iterator[str]:
    """The gravest episodes, in their order."""
    yield f"{result.episode_count:,} episodes" + (
        f", the gravest {MAX_EPISODES}:" if result.episode_count > MAX_EPISODES else ":"
    )
    gravest = sorted(result.episodes, key=lambda e: (-_rank(e.severity), -e.findings))
    shown = sorted(gravest[:MAX_EPISODES], key=lambda e: (e.first_seen, e.episode_id))
    rows = [
        [
            when(e.first_seen, result),
            lasting(e.last_seen - e.first_seen),
            e.severity,
            cell(e.class_name, 40),
            cell(", ".join(e.services) or e.source, 24),
            f"{e.findings:,}",
            f"{e.messages:,}",
            e.state,
        ]
        for e in shown
    ]
    heads = ["from", "lasting", "severity", "class", "service", "findings", "messages"]
    yield from _table([*heads, "state"], rows, left=5, last_left=True)


def levels_table(result: BacktestResult) -> Iterator[str]:
    """What other thresholds would have told, and the own one."""
    yield "other thresholds (messages to one channel)"
    columns = ["source", "threshold", "findings", "episodes", "messages", "a day", ""]
    rows = []
    for source in result.sources:
        if source.failure is not None and not source.documents:
            continue
        levels = [one for one in result.levels if one.source == source.source]
        rows += [
            _level_row(level, result) for level in levels if not _is_own(level, source)
        ]
        rows.append(_own_row(source, result))
    rows.sort(key=lambda row: (row[0], float(row[1])))
    yield from _table(columns, rows, left=1, last_left=True)


def _is_own(level: LevelFigures, source: SourceFigures) -> bool:
    return level.threshold == source.threshold


def _level_row(level: LevelFigures, result: BacktestResult) -> list[str]:
    rate = result.a_day(level.messages)
    return [
        cell(level.source, 24),
        f"{level.threshold:.2f}",
        f"{level.findings:,}",
        f"{level.episodes:,}",
        f"{level.messages:,}",
        "" if rate is None else f"{rate:.1f}",
        "exact" if level.exact else "estimate",
    ]


def _own_row(source: SourceFigures, result: BacktestResult) -> list[str]:
    mine = [kind for kind in result.classes if kind.source == source.source]
    most = max(
        sum(kind.messages.get(c.name, 0) for kind in mine) for c in result.channels
    )
    episodes = sum(kind.episodes for kind in mine)
    own = LevelFigures(
        source.source, source.threshold, True, source.findings, episodes, most
    )
    return [*_level_row(own, result)[:-1], "this model's own"]


def _rank(severity: str) -> int:
    return ("low", "medium", "high", "critical").index(severity)


def _table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    left: int,
    last_left: bool = False,
) -> Iterator[str]:
    """Columns as wide as they must be; the first `left` of them start at the left.

    A column that is empty in every row is left out.
    """
    full = [i for i, _ in enumerate(columns) if any(row[i] for row in rows)]
    left_ones = [i < left or (last_left and i == len(columns) - 1) for i in full]
    columns = [columns[i] for i in full]
    rows = [[row[i] for i in full] for row in rows]
    widths = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]
    for row in (columns, *rows):
        cells = [
            text.ljust(width) if is_left else text.rjust(width)
            for is_left, text, width in zip(left_ones, row, widths, strict=True)
        ]
        yield ("  " + "  ".join(cells)).rstrip()

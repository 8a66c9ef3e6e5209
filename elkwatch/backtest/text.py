"""A backtest in words: what a person decides by whether to switch it on.

Texts of logs are shown with what could disturb a terminal written out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from textwrap import wrap
from zoneinfo import ZoneInfo

from connector import Finding
from elkwatch.backtest.result import (
    BacktestResult,
    ClassFigures,
    LevelFigures,
    SourceFigures,
)
from elkwatch.config import duration_text
from elkwatch.model_fit import unfit
from elkwatch.report.page import log_text

MAX_CLASSES = 20
MAX_EPISODES = 20
MAX_LINES = 3
MAX_TEXT = 160
WIDTH = 92


def told(result: BacktestResult) -> Iterator[str]:
    """Line by line; the last says how often one would have been told."""
    yield from _head(result)
    for source in result.sources:
        yield from _source(source, result)
    yield from ("", *_days(result))
    if result.classes:
        yield from ("", *_classes(result), "", *_episodes(result))
        for kind in result.classes[:MAX_CLASSES]:
            if kind.examples:
                yield from ("", *_example(kind, kind.examples[0], result))
    yield from ("", *_levels(result), "", *_sentence(result))


def _head(result: BacktestResult) -> Iterator[str]:
    period = result.period
    yield (
        f"backtest from {_when(period.start, result)} to {_when(period.end, result)}, "
        f"{result.zone}; nothing was written and nothing was sent"
    )
    if result.reached < period.end:
        yield (
            f"STOPPED at {_when(result.reached, result)}: all that follows is about "
            "the part before"
        )
    if result.step > result.interval:
        yield (
            f"it looked every {duration_text(result.step)} to be quick, the service "
            f"looks every {duration_text(result.interval)}: its messages come sooner"
        )


def _source(source: SourceFigures, result: BacktestResult) -> Iterator[str]:
    yield ""
    yield (
        f"source {source.source} ({source.index}), model {source.model} "
        f"{source.model_version}, threshold {source.threshold:.2f}"
    )
    if source.failure is not None:
        yield f"  NOT READ to the end: {_shown(source.failure, 400)}"
    odd = source.findings - source.of_services
    share = _percent(odd, source.sessions)
    yield (
        f"  {source.documents:,} lines, {source.sessions:,} sessions; "
        f"{odd:,} deviate ({share} of the sessions), "
        f"{source.withdrawn:,} more were withdrawn; "
        f"{source.open_sessions:,} still open at the end"
    )
    if source.of_services:
        yield (
            f"  {source.of_services:,} findings of services that were silent, or said "
            "far more or less"
        )
    if source.held_back:
        yield (
            f"  {source.held_back:,} more would have been held back: the model is out "
            "of date, see `elkwatch run`"
        )
    yield f"  {source.unknown_ratio:.1%} of the lines match no template of the model"
    if source.keyless_ratio:
        yield f"  {source.keyless_ratio:.1%} of the lines have no session key"
    if source.problems:
        yield f"  {source.problems:,} documents could not be placed in time"
    yield from (f"  note: {line}" for line in source.warnings)
    yield from _gaps(source, result)
    if line := unfit(source.model, source.unknown_ratio):
        yield f"  {line}"


def _gaps(source: SourceFigures, result: BacktestResult) -> Iterator[str]:
    held = source.held
    whole = result.reached - result.period.start
    if not held.gaps:
        least = _long(held.least_gap)
        yield f"  held logs all the time ({_long(whole)}): no gap of {least} or more"
        return
    yield f"  held logs for {_long(held.lasted)} of {_long(whole)}; none from"
    for gap in held.gaps:
        start, end = _when(gap.start, result), _when(gap.end, result)
        yield f"    {start} to {end}  ({_long(gap.length)})"
    if held.gaps_in_all > len(held.gaps):
        yield f"    and in {held.gaps_in_all - len(held.gaps)} shorter gaps"


def _days(result: BacktestResult) -> Iterator[str]:
    names = [_name(channel.name, 14) for channel in result.channels]
    columns = ["day", "lines", "unknown", "sessions", "deviate", "episodes", *names]
    rows = [
        [
            day.day,
            f"{day.documents:,}",
            _percent(day.unknown, day.documents),
            f"{day.sessions:,}",
            f"{day.findings:,}",
            f"{day.episodes:,}",
            *(f"{day.messages.get(c.name, 0):,}" for c in result.channels),
        ]
        for day in result.days
    ]
    yield "each day, with the messages by channel"
    yield from _table(columns, rows, left=1)


def _classes(result: BacktestResult) -> Iterator[str]:
    names = [_name(channel.name, 14) for channel in result.channels]
    heads = ["class", "source", "severity", "findings", "a day", "episodes"]
    several = len(result.sources) > 1
    rows = []
    for kind in result.classes[:MAX_CLASSES]:
        rate = result.a_day(kind.findings)
        rows.append(
            [
                _name(kind.name, 40) + ("" if kind.known else " (unknown kind)"),
                _name(kind.source, 24) if several else "",
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


def _episodes(result: BacktestResult) -> Iterator[str]:
    yield f"{result.episode_count:,} episodes" + (
        f", the gravest {MAX_EPISODES}:" if result.episode_count > MAX_EPISODES else ":"
    )
    gravest = sorted(result.episodes, key=lambda e: (-_rank(e.severity), -e.findings))
    shown = sorted(gravest[:MAX_EPISODES], key=lambda e: (e.first_seen, e.episode_id))
    rows = [
        [
            _when(e.first_seen, result),
            _long(e.last_seen - e.first_seen),
            e.severity,
            _name(e.class_name, 40),
            _name(", ".join(e.services) or e.source, 24),
            f"{e.findings:,}",
            f"{e.messages:,}",
            e.state,
        ]
        for e in shown
    ]
    heads = ["from", "lasting", "severity", "class", "service", "findings", "messages"]
    yield from _table([*heads, "state"], rows, left=5, last_left=True)


def _example(
    kind: ClassFigures, found: Finding, result: BacktestResult
) -> Iterator[str]:
    yield f"for example {_shown(kind.name, 80)}, {found.severity}"
    where = " on ".join(_shown(x, 60) for x in (found.service, found.host) if x)
    yield (
        f"  {_when(found.end, result)}  {where or found.source}, session "
        f"{_shown(found.session_text, 80)}: risk {found.risk}, score {found.score:.2f} "
        f"against {found.threshold:.2f}"
    )
    telling = sorted(found.evidence, key=lambda line: -line.surprise_nats)[:MAX_LINES]
    for line in sorted(telling, key=lambda line: line.position):
        yield f"    #{line.position}  {_shown(line.message or line.template)}"
        if line.expected:
            template, share = line.expected[0]
            yield f"         expected {share:.0%}: {_shown(template)}"
    for template in found.missing[:MAX_LINES]:
        yield f"    never came: {_shown(template)}"
    if kind.advice:
        yield from wrap(
            f"what to do: {_shown(kind.advice, 2000)}",
            WIDTH,
            initial_indent="  ",
            subsequent_indent="    ",
        )


def _levels(result: BacktestResult) -> Iterator[str]:
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
        _name(level.source, 24),
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


def _sentence(result: BacktestResult) -> Iterator[str]:
    if any(unfit(s.model, s.unknown_ratio) for s in result.sources):
        yield "The model does not fit these logs, so these figures say little."
    for line in result.failures:
        yield f"A source is missing in this: {_shown(line, 400)}"
    ones = sorted(result.kinds_of_one.items())
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in ones) or "no message"
    if result.pretended:
        yield "No channel is configured; the messages are those one would have got."
    if result.findings == 0:
        yield (
            f"You would have been told nothing: none of "
            f"{sum(s.sessions for s in result.sources):,} sessions deviates."
        )
        return
    rate = result.a_day(result.messages)
    if rate is None:
        yield (
            f"You would have been told {_times(result.messages)} ({kinds}) in the "
            f"{_long(result.held)} that hold logs: too little to say how often a day."
        )
        return
    busiest = max(result.days, key=lambda d: max(d.messages.values(), default=0))
    most = max(busiest.messages.values(), default=0)
    each = "" if len(result.channels) == 1 else " on each channel"
    yield (
        f"You would have been told {_rate(rate)}{each}: {_times(result.messages)} in "
        f"{result.days_held:.1f} days with logs ({kinds}), about "
        f"{result.episode_count:,} episodes; on the busiest day, {busiest.day}, "
        f"{_times(most)}."
    )


def _rate(rate: float) -> str:
    if rate >= 0.95:
        return f"{rate:.0f} times a day" if rate >= 1.5 else "once a day"
    if rate * 7 >= 0.95:
        return f"about {_times(round(rate * 7))} a week"
    return "less than once a week"


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count:,} times")


def _percent(part: int, whole: int) -> str:
    if not whole:
        return ""
    share = 100 * part / whole
    return f"{share:.2f} %" if 0 < share < 0.1 else f"{share:.1f} %"


def _long(length: timedelta) -> str:
    """A length of time for people, in its two largest units: `6 d 4 h`, `73 s`."""
    seconds = round(length.total_seconds())
    units = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))
    place = next((i for i, (size, _) in enumerate(units) if seconds >= size), 3)
    parts = []
    for size, name in units[place : place + 2]:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts) or "0 s"


def _when(time: datetime, result: BacktestResult) -> str:
    return f"{time.astimezone(ZoneInfo(result.zone)):%Y-%m-%d %H:%M}"


def _rank(severity: str) -> int:
    return ("low", "medium", "high", "critical").index(severity)


def _shown(text: str, limit: int = MAX_TEXT) -> str:
    return log_text(" ".join(text.split()), limit)


def _name(text: str, limit: int) -> str:
    """A short text for a cell of a table."""
    shown = _shown(text, 4 * limit)
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


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
            cell.ljust(width) if is_left else cell.rjust(width)
            for is_left, cell, width in zip(left_ones, row, widths, strict=True)
        ]
        yield ("  " + "  ".join(cells)).rstrip()

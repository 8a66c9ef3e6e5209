"""A backtest in words: what a person decides by whether to switch it on.

Texts of logs are shown with what could disturb a terminal written out.
"""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from connector import Finding
from elkwatch.backtest.result import BacktestResult, ClassFigures, SourceFigures
from elkwatch.backtest.tables import (
    MAX_CLASSES,
    classes_table,
    days_table,
    episodes_table,
    levels_table,
)
from elkwatch.backtest.words import how_often, lasting, percent, shown, times, when
from elkwatch.config import duration_text
from elkwatch.model_fit import unfit

MAX_LINES = 3
WIDTH = 92


def told(result: BacktestResult) -> Iterator[str]:
    """Line by line; the last says how often one would have been told."""
    yield from _head(result)
    for source in result.sources:
        yield from _source(source, result)
    yield from ("", *days_table(result))
    if result.classes:
        yield from ("", *classes_table(result), "", *episodes_table(result))
        for kind in result.classes[:MAX_CLASSES]:
            if kind.examples:
                yield from ("", *_example(kind, kind.examples[0], result))
    yield from ("", *levels_table(result), "", *_sentence(result))


def _head(result: BacktestResult) -> Iterator[str]:
    period = result.period
    yield (
        f"backtest from {when(period.start, result)} to {when(period.end, result)}, "
        f"{result.zone}; nothing was written and nothing was sent"
    )
    if result.reached < period.end:
        yield (
            f"STOPPED at {when(result.reached, result)}: all that follows is about "
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
        yield f"  NOT READ to the end: {shown(source.failure, 400)}"
    odd = source.findings - source.of_services
    share = percent(odd, source.sessions)
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
        least = lasting(held.least_gap)
        yield f"  held logs all the time ({lasting(whole)}): no gap of {least} or more"
        return
    yield f"  held logs for {lasting(held.lasted)} of {lasting(whole)}; none from"
    for gap in held.gaps:
        start, end = when(gap.start, result), when(gap.end, result)
        yield f"    {start} to {end}  ({lasting(gap.length)})"
    if held.gaps_in_all > len(held.gaps):
        yield f"    and in {held.gaps_in_all - len(held.gaps)} shorter gaps"


def _example(
    kind: ClassFigures, found: Finding, result: BacktestResult
) -> Iterator[str]:
    yield f"for example {shown(kind.name, 80)}, {found.severity}"
    where = " on ".join(shown(x, 60) for x in (found.service, found.host) if x)
    yield (
        f"  {when(found.end, result)}  {where or found.source}, session "
        f"{shown(found.session_text, 80)}: risk {found.risk}, score {found.score:.2f} "
        f"against {found.threshold:.2f}"
    )
    telling = sorted(found.evidence, key=lambda line: -line.surprise_nats)[:MAX_LINES]
    for line in sorted(telling, key=lambda line: line.position):
        yield f"    #{line.position}  {shown(line.message or line.template)}"
        if line.expected:
            template, share = line.expected[0]
            yield f"         expected {share:.0%}: {shown(template)}"
    for template in found.missing[:MAX_LINES]:
        yield f"    never came: {shown(template)}"
    if kind.advice:
        yield from wrap(
            f"what to do: {shown(kind.advice, 2000)}",
            WIDTH,
            initial_indent="  ",
            subsequent_indent="    ",
        )


def _sentence(result: BacktestResult) -> Iterator[str]:
    if any(unfit(s.model, s.unknown_ratio) for s in result.sources):
        yield "The model does not fit these logs, so these figures say little."
    for line in result.failures:
        yield f"A source is missing in this: {shown(line, 400)}"
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
            f"You would have been told {times(result.messages)} ({kinds}) in the "
            f"{lasting(result.held)} that hold logs: too little to say how often a day."
        )
        return
    busiest = max(result.days, key=lambda d: max(d.messages.values(), default=0))
    most = max(busiest.messages.values(), default=0)
    each = "" if len(result.channels) == 1 else " on each channel"
    yield (
        f"You would have been told {how_often(rate)}{each}: "
        f"{times(result.messages)} in {result.days_held:.1f} days with logs ({kinds}), "
        f"about {result.episode_count:,} episodes; on the busiest day, {busiest.day}, "
        f"{times(most)}."
    )

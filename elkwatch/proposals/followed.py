"""Keys judged by whole sessions, where the newest lines span too little time to tell.

On a busy system five thousand lines are a few seconds: every session goes through all
of them and none ends. So the sessions of an hour ago are followed to where they ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from connector import Sample, Sampler, SourceSpec
from elkwatch.proposals.fitness import LEAST_SCORE, key_score
from elkwatch.proposals.propose import Measured, figures_of

_BACK = timedelta(hours=1)
_FOLLOWED_FOR = timedelta(hours=24)
_LONG_ENOUGH = timedelta(hours=6)  # a sample that spans this much told enough
_KEYS = 40
_LINES = 5000
_PICKED_FROM = 1000
_TRUSTED = 0.75


def followed(
    sampler: Sampler,
    spec: SourceSpec,
    types: Mapping[str, Sequence[str]],
    measured: Iterable[Measured],
    newest: datetime,
) -> tuple[Measured | None, list[Measured]]:
    """The best key when its sessions are followed, if one serves, and all the others.

    measured: by the newest lines, none of which served. Raises ConnectorError.
    """
    again = [
        _follow(sampler, spec, types, one, newest) if _worth_it(one) else one
        for one in measured
    ]
    again.sort(key=lambda one: -one.score)
    if again and again[0].score >= LEAST_SCORE:
        return again[0], again[1:]
    return None, again


def span_tells_enough(span: timedelta) -> bool:
    """Whether lines over this time show which keys end."""
    return span >= _LONG_ENOUGH


def _worth_it(one: Measured) -> bool:
    has_field = one.candidate.rule.field is not None
    return has_field and one.candidate.trust >= _TRUSTED and one.figures.key_share > 0


def _follow(
    sampler: Sampler,
    spec: SourceSpec,
    types: Mapping[str, Sequence[str]],
    one: Measured,
    newest: datetime,
) -> Measured:
    path = one.candidate.rule.field or ""
    wanted = {p: types.get(p, ("flattened",)) for p in (spec.time_field, path)}
    then = sampler.newest(
        spec.time_field, wanted, size=_PICKED_FROM, until=newest - _BACK
    )
    lines = sampler.of_keys(
        spec.time_field,
        wanted,
        (path, _values(then, path)),
        size=_LINES,
        since=newest - _FOLLOWED_FOR,
        until=newest,
    )
    if not len(lines):
        return one
    found = figures_of(lines, spec, one.candidate.rule, newest)
    figures = replace(
        found, key_share=one.figures.key_share, per_minute=one.figures.per_minute
    )
    return Measured(one.candidate, figures, key_score(figures, one.candidate.trust))


def _values(sample: Sample, path: str) -> list[str]:
    """Some values of a field, each once, spread over the sample."""
    columns = sample.columns([path])
    if not columns:
        return []
    each = list(dict.fromkeys(str(v) for v in columns[0].values if v is not None))
    step = max(1, len(each) // _KEYS)
    return each[::step][:_KEYS]

"""What a candidate would change, added up over the runs of a period."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from elkwatch.errors import ElkwatchError
from elkwatch.proposals.shown import shown

MAX_EXAMPLES = 5
MAX_KINDS = 20
_SUMS = ("sessions", "both", "appear", "vanish", "live_s", "candidate_s")


def shadow_report(source: str, runs: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The figures of the newest pair of live model and candidate of a source.

    Raises ElkwatchError where no candidate ran.
    """
    told: dict[str, Any] = {}
    kinds: Counter[tuple[str, str]] = Counter()
    for document in runs:
        shadow = document["elkwatch"].get("shadow")
        if shadow is None or document["elkwatch"]["source"] != source:
            continue
        pair = {"live": shadow["live"], "candidate": shadow["candidate"]}
        if {name: told.get(name) for name in pair} != pair:
            kinds.clear()
            told = {"source": source, **pair, **dict.fromkeys(_SUMS, 0), "runs": 0}
            told |= {"appearing": [], "vanishing": [], "failure": None}
        told["runs"] += 1
        for name in _SUMS:
            told[name] += shadow[name]
        for name in ("appearing", "vanishing"):
            told[name] = [*told[name], *shadow[name]][:MAX_EXAMPLES]
        told["failure"] = shadow.get("failure") or told["failure"]
        for one in shadow["kinds"]:
            kinds[one["live"], one["candidate"]] += one["count"]
    if not told:
        raise ElkwatchError(
            f"source {source}: no candidate ran beside the live model in this period; "
            "`elkwatch train --shadow` makes one, and the service takes it up"
        )
    told["same_kind"] = sum(n for (a, b), n in kinds.items() if a == b)
    told["kinds"] = [
        {"live": live, "candidate": candidate, "count": count}
        for (live, candidate), count in kinds.most_common(MAX_KINDS)
    ]
    return told


def shadow_lines(report: Mapping[str, Any]) -> list[str]:
    """The report for people."""
    live, candidate = report["live"], report["candidate"]
    confirmed = report["same_kind"] + sum(
        one["count"] for one in report["kinds"] if one["live"] != one["candidate"]
    )
    lines = [
        f"{report['source']}: candidate {candidate} beside {live}, "
        f"{report['runs']} runs, {report['sessions']} sessions",
        f"  alarms of both      {report['both']}",
        _with_examples("alarms that appear ", report["appear"], report["appearing"]),
        _with_examples("alarms that vanish ", report["vanish"], report["vanishing"]),
        f"  same class          {report['same_kind']} of {confirmed} confirmed",
    ]
    lines += [
        f"    {shown(one['live'])} → {shown(one['candidate'])}: {one['count']}"
        for one in report["kinds"]
        if one["live"] != one["candidate"]
    ]
    lines.append(
        f"  time                {report['candidate_s']:.2f} s more; the live model "
        f"scored for {report['live_s']:.2f} s"
    )
    if report["failure"]:
        lines.append(f"  the candidate failed: {shown(report['failure'])}")
    return lines


def _with_examples(what: str, count: int, examples: list[str]) -> str:
    told = f" (such as {', '.join(map(shown, examples))})" if examples else ""
    return f"  {what} {count}{told}"

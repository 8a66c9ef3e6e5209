"""The verdict of a training, in words: fit or not, how many alarms, where to look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from elkwatch.log_files import plural
from elkwatch.training_report.alarms import ExpectedAlarms, expected_alarms
from elkwatch.training_report.data import Fitness, Verdict
from elkwatch.training_report.warning_rules import warnings_of
from elkwatch.training_report.words import rounded, span_text

_HEADLINES: dict[Fitness, str] = {
    "fit": "Fit to run",
    "doubtful": "Fit to run, with care",
    "unfit": "Not fit to run yet",
}


def verdict_of(figures: Mapping[str, Any], configuration: Mapping[str, Any]) -> Verdict:
    """The figures of a training (of this elkwatch) → what they mean."""
    alarms = expected_alarms(figures)
    if alarms is None:
        raise ValueError("figures without scores")
    warnings = warnings_of(figures, configuration, alarms)
    fitness: Fitness = "doubtful" if warnings else "fit"
    if any(warning.is_grave for warning in warnings):
        fitness = "unfit"
    return Verdict(
        fitness,
        _HEADLINES[fitness],
        (
            _learned(figures),
            expectation(alarms),
            _told_apart(figures),
            *who_decides(figures),
        ),
        tuple(sorted(warnings, key=lambda warning: not warning.is_grave)),
        _look_at(figures),
    )


def expectation(alarms: ExpectedAlarms) -> str:
    """How many alarms to expect, in one sentence."""
    share = alarms.normal
    if share is None:
        return (
            "How many alarms to expect is not known: no normal session was held out; "
            "train on more sessions."
        )
    told = f"{share.flagged:,} of {plural(share.judged, 'held-out normal session')}"
    keep = f"if sessions as unusual as the {alarms.unusual:,} left out keep coming"
    if alarms.a_day is None or alarms.is_rough:
        about, low, high = (_per_mille(r) for r in (share.share, share.low, share.high))
        line = (
            f"Expect about {about} alarms in 1,000 normal sessions ({low} to {high}; "
            f"{told} would be flagged)"
        )
        if alarms.unusual:
            more = _per_mille(alarms.unusual / alarms.sessions)
            line += f", and {more} in 1,000 more {keep}"
        return f"{line}. {_why_no_day(alarms)}"
    about, low, high = (rounded(rate) for rate in alarms.a_day)
    line = (
        f"Expect about {about} alarms a day on normal sessions ({low} to {high}; "
        f"{told} would be flagged)"
    )
    if alarms.unusual:
        line += f", and {rounded(alarms.unusual_a_day or 0)} a day more {keep}"
    return line + "."


def _why_no_day(alarms: ExpectedAlarms) -> str:
    if alarms.a_day is None:
        return "The lines have no time, so there is no figure a day."
    about, low, high = (rounded(rate) for rate in alarms.a_day)
    return (
        f"Were all day like these {span_text(alarms.span)}, that would be {about} a "
        f"day ({low} to {high})."
    )


def _per_mille(share: float) -> str:
    return rounded(1000 * share)


def _learned(figures: Mapping[str, Any]) -> str:
    return (
        f"Learned what is normal from {plural(figures['sessions'], 'session')} "
        f"({plural(figures['events'], 'line')} of "
        f"{plural(figures['templates'], 'template')})."
    )


def who_decides(figures: Mapping[str, Any]) -> tuple[str, ...]:
    """Where two ways to decide were tried: which one it is, and why; else nothing."""
    tried = figures.get("presence")
    if not tried:
        return ()
    odd, kinds = (
        f"{tried[name + 'macro_f1']:.2f} against "
        f"{tried[name + 'threshold_macro_f1']:.2f} of the threshold, standard error "
        f"of the gain {tried[name + 'standard_error']:.2f}"
        for name in ("detection_", "")
    )
    held = (
        f"trouble or not {odd}; normal and {plural(tried['kinds'], 'kind')} {kinds} "
        f"(each of {plural(tried['sessions'], 'labelled session')} told by the others)"
    )
    if tried["decides"]:
        return (
            f"Which templates a session holds decides, no threshold. Macro-F1: {held}.",
        )
    return (
        "The threshold decides; which templates a session holds would not be clearly "
        f"better. Macro-F1: {held}.",
    )


def _told_apart(figures: Mapping[str, Any]) -> str:
    tried = figures.get("presence")
    if tried and tried["decides"]:
        return (
            f"Tells {plural(tried['kinds'], 'kind')} of trouble by name; what has more "
            "lines that are new than any labelled session had is flagged as an "
            "unknown kind."
        )
    if figures["classes"]:
        return (
            f"Tells {plural(figures['classes'], 'kind')} of trouble by name; "
            "anything else odd is flagged as an unknown kind."
        )
    return (
        "Knows no kind of trouble by name: what is odd is told by its pattern alone. "
        "Logs of past incidents (--discover) or labels (--labels) would teach it some."
    )


def _look_at(figures: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    places = []
    if figures["cleaned_out"]:
        places.append(("the sessions left out", "left-out"))
    if figures["classes"]:
        places.append(("the names of the classes", "classes"))
    if figures["confusion"]:
        places.append(("what is mistaken for what", "labels"))
    places.append(("the templates", "templates"))
    return tuple(places)

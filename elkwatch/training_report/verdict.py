"""The verdict of a training, in words: fit to run or not, and what to look at.

Each warning is a rule of its own with the figure that it judges and how to mend it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from elkwatch.log_files import plural
from elkwatch.training_report.alarms import ExpectedAlarms, expected_alarms
from elkwatch.training_report.data import Fitness, Verdict, Warn

FEW_SESSIONS = 100
FEW_HELD_OUT = 20
MANY_ALARMS_A_DAY = 20
MANY_LEFT_OUT, TOO_MANY_LEFT_OUT = 0.1, 0.5
MANY_NEW, TOO_MANY_NEW = 0.02, 0.5
MANY_SINGLES, LEAST_SINGLES = 0.05, 10
ALIKE = 0.9
LOW_RECALL = 0.8
MAX_KINDS_TOLD = 6
LOSS_GAP, LEAST_LOSS_GAP = 1.5, 0.2
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
    warnings = (
        *_of_size(figures),
        *_of_time(alarms),
        *_of_sessions(figures),
        *_of_templates(figures),
        *_of_learning(figures, configuration),
        *_of_alarms(alarms),
        *_at_most(list(_of_labels(figures))),
    )
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


def span_text(span: timedelta) -> str:
    """A length of time for people: `4 minutes`, `7.0 days`."""
    if span >= timedelta(days=2):
        return f"{span / timedelta(days=1):,.1f} days"
    if span >= timedelta(hours=2):
        return f"{span / timedelta(hours=1):.1f} hours"
    return plural(max(1, round(span / timedelta(minutes=1))), "minute")


def rounded(rate: float) -> str:
    """A rate for people: one digit below ten, two figures above a hundred."""
    if rate >= 100:
        digits = len(str(int(rate))) - 2
        return f"{round(rate, -digits):,.0f}"
    return f"{rate:.0f}" if rate >= 10 or rate == 0 else f"{rate:.1f}"


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


def _of_size(figures: Mapping[str, Any]) -> Iterator[Warn]:
    sessions = figures["sessions"]
    held_out = figures["scores"]["held_out"]["sessions"]
    if sessions < FEW_SESSIONS:
        yield Warn(
            f"Only {plural(sessions, 'session')}: rare but normal ways of working will "
            "look odd. Give some hundreds."
        )
    elif held_out < FEW_HELD_OUT:
        yield Warn(
            f"Only {plural(held_out, 'normal session')} held out: threshold and "
            "expected alarms stand on little."
        )
    left_out = figures["cleaned_out"] / sessions
    if left_out > MANY_LEFT_OUT:
        yield Warn(
            f"{figures['cleaned_out']:,} of {sessions:,} sessions are unlike the "
            "others and were left out, so the model knows less of what is normal. "
            "Give more logs, check --session-field, or hide what varies with --mask.",
            is_grave=left_out > TOO_MANY_LEFT_OUT,
        )


def _of_time(alarms: ExpectedAlarms) -> Iterator[Warn]:
    if alarms.sessions_a_day is None:
        yield Warn(
            "The lines have no usable time: windows and alarms a day mean little. "
            "Name the field with --time-field."
        )
    elif alarms.is_rough:
        yield Warn(
            f"The logs span {span_text(alarms.span)}: what comes only at night, at the "
            "end of a month or with a deployment is not known yet and will be flagged. "
            "A week is better."
        )


def _of_sessions(figures: Mapping[str, Any]) -> Iterator[Warn]:
    likeness, sessions = figures["likeness"], figures["sessions"]
    if likeness["different_sessions"] == 1:
        yield Warn(
            "All sessions are alike: any other will be flagged. Check that the logs "
            "hold the usual variety."
        )
    elif likeness["commonest"] > ALIKE * sessions:
        yield Warn(
            f"{likeness['commonest']:,} of {sessions:,} sessions are the same: of "
            "other ways of working the model has seen little."
        )
    if likeness["median_events"] < 2:
        yield Warn(
            "Most sessions have one line only: there is no order to learn. Check "
            "--session-field and --session-pattern, or cut by time with --window."
        )


def _of_templates(figures: Mapping[str, Any]) -> Iterator[Warn]:
    unseen, templates = figures["unseen"], figures["templates"]
    if templates <= 1:
        yield Warn(
            "All lines have one template, so nothing can be told apart. Check "
            "--message-field.",
            is_grave=True,
        )
    singles, sessions = unseen["sessions_with_single"], figures["sessions"]
    if singles >= LEAST_SINGLES and singles > MANY_SINGLES * sessions:
        yield Warn(
            f"{singles:,} of {sessions:,} sessions have a template that no other has: "
            "something in the lines varies that should be hidden (--mask; "
            "`elkwatch templates` shows them)."
        )
    if unseen["overflow"]:
        yield Warn(
            f"{plural(unseen['overflow'], 'line')} found no room among the templates: "
            "hide what varies with --mask."
        )
    new = unseen["unknown_events"] / max(unseen["held_out_events"], 1)
    if new > MANY_NEW:
        yield Warn(
            f"{new:.1%} of the held-out lines would be unknown to a model of the other "
            "sessions: new lines keep coming, and each will be flagged. Give more "
            "logs, or hide what varies with --mask.",
            is_grave=new > TOO_MANY_NEW,
        )


def _of_learning(
    figures: Mapping[str, Any], configuration: Mapping[str, Any]
) -> Iterator[Warn]:
    best, epochs = figures["best_epoch"], figures["epochs"]
    if not best:
        yield Warn(
            "The network did not learn: no epoch has a usable loss. Train again with "
            "another --seed.",
            is_grave=True,
        )
        return
    most = configuration.get("language_model", {}).get("epochs")
    if best == len(epochs) == most:
        yield Warn(
            f"The network was still getting better after {plural(most, 'epoch')}: "
            "allow more with --epochs."
        )
    loss, check = epochs[best - 1]["loss"], epochs[best - 1]["held_out_loss"]
    if check > LOSS_GAP * loss + LEAST_LOSS_GAP:
        yield Warn(
            f"The network knows its own sessions far better (loss {loss:.2f}) than "
            f"held-out ones ({check:.2f}): it learned by heart. Give more logs."
        )


def _of_alarms(alarms: ExpectedAlarms) -> Iterator[Warn]:
    if alarms.a_day and alarms.a_day[0] > MANY_ALARMS_A_DAY and not alarms.is_rough:
        yield Warn(
            f"{rounded(alarms.a_day[0])} alarms a day on normal sessions are more "
            "than people read. Look at what is flagged before this model may send."
        )


def _of_labels(figures: Mapping[str, Any]) -> Iterator[Warn]:
    for row in figures["labelled"]:
        if row["detected"] < LOW_RECALL * row["judged"]:
            yield Warn(
                f"Of the kind {row['kind']}, {row['detected']:,} of "
                f"{plural(row['judged'], 'labelled session')} would be flagged."
            )
        if row["right"] < LOW_RECALL * row["held_out"]:
            yield Warn(
                f"Of the kind {row['kind']}, {row['right']:,} of "
                f"{plural(row['held_out'], 'held-out session')} would be called so."
            )


def _at_most(warnings: list[Warn]) -> Iterator[Warn]:
    """The first few; with many kinds, the table says the rest."""
    yield from warnings[:MAX_KINDS_TOLD]
    more = len(warnings) - MAX_KINDS_TOLD
    if more > 0:
        yield Warn(
            f"{plural(more, 'more such figure')}: see what the labels say below."
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

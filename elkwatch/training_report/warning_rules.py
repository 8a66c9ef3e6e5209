"""What to look at after a training.

Each warning is a rule of its own with the figure that it judges and how to mend it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from elkwatch.log_files import plural
from elkwatch.training_report.alarms import ExpectedAlarms
from elkwatch.training_report.data import Warn
from elkwatch.training_report.words import rounded, span_text

FEW_SESSIONS = 100
FEW_HELD_OUT = 20
MANY_ALARMS_A_DAY = 20
SOME_LEFT_OUT, MANY_LEFT_OUT, TOO_MANY_LEFT_OUT = 0.02, 0.1, 0.5
MANY_NEW, TOO_MANY_NEW = 0.02, 0.5
MANY_SINGLES, LEAST_SINGLES = 0.05, 10
ALIKE = 0.9
LOW_RECALL = 0.8
MAX_KINDS_TOLD = 6
LOSS_GAP, LEAST_LOSS_GAP = 1.5, 0.2


def warnings_of(
    figures: Mapping[str, Any],
    configuration: Mapping[str, Any],
    alarms: ExpectedAlarms,
) -> tuple[Warn, ...]:
    """Every warning that the figures give rise to, in the order of the training."""
    return (
        *_of_size(figures),
        *_of_time(alarms),
        *_of_sessions(figures),
        *_of_templates(figures),
        *_of_learning(figures, configuration),
        *_of_alarms(alarms),
        *_at_most(list(_of_labels(figures))),
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
    elif left_out > SOME_LEFT_OUT:
        yield Warn(
            f"{figures['cleaned_out']:,} of {sessions:,} sessions hold what hardly any "
            "other does; they were left out as if they were trouble, and their like "
            "will be flagged. If that is normal here, train with --set "
            "rare_share=0.005: what one session in 200 has is usual then."
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

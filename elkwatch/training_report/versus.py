"""The model that stood at `--out` before, beside the new one.

Both score the same sessions: those that the split kept from the new network, and those
given with --discover or labelled as trouble.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from elkwatch.privacy import Mask
from elkwatch.training_report.alarms import expected_alarms
from elkwatch.training_report.collect import class_rows
from elkwatch.training_report.data import (
    ClassChange,
    ClassRow,
    Comparison,
    SplitOpinion,
)
from elkwatch.training_report.words import rounded
from model import (
    BundleError,
    Classifier,
    Judged,
    Labels,
    Session,
    TrainedModel,
    TrainingConfig,
    compare,
    is_held_out,
    load_bundle,
    read_manifest,
)

MAX_JUDGED = 2000
MAX_SHOWN = 20
_NOT_TOLD = "not recorded"
_BARELY = "just over the threshold"


def older_model(folder: Path) -> TrainedModel | Comparison | None:
    """The bundle at a place, before another replaces it.

    None where there is none; one that cannot be read is a Comparison that says so.
    """
    if not (folder / "manifest.json").exists():
        return None
    try:
        return load_bundle(folder)
    except BundleError as error:
        try:
            version = str(read_manifest(folder).get("version", "old"))
        except BundleError:
            version = "old"
        return Comparison(version[:40], problem=str(error))


def compared(
    old: TrainedModel | Comparison | None,
    new: TrainedModel,
    sessions: Sequence[Session],
    extra: Sequence[Session],
    labels: Labels,
    config: TrainingConfig,
    mask: Mask = str,
) -> Comparison | None:
    """Old and new side by side; `sessions` and `extra` are what `train` was given."""
    if old is None or isinstance(old, Comparison):
        return old
    judged_by_both = _sessions_for_both(sessions, extra, labels, config)
    judged = compare(
        old, new, [s for s, _ in judged_by_both], [own for _, own in judged_by_both]
    )
    was, now = ({t.text for t in m.templates.templates} for m in (old, new))
    only_old = [j for j in judged if j.old > 1 >= j.new]
    only_new = [j for j in judged if j.new > 1 >= j.old]
    return Comparison(
        old_version=old.version,
        old_trained_at=old.trained_at,
        rows=_rows(old, new),
        templates_new=tuple(mask(t) for t in sorted(now - was)),
        templates_gone=tuple(mask(t) for t in sorted(was - now)),
        classes=_class_changes(class_rows(old, mask), class_rows(new, mask)),
        judged=len(judged),
        both=sum(j.old > 1 and j.new > 1 for j in judged),
        flagged_by_old=len(only_old),
        flagged_by_new=len(only_new),
        only_old=_opinions(only_old, old, mask),
        only_new=_opinions(only_new, new, mask),
    )


def _sessions_for_both(
    sessions: Sequence[Session],
    extra: Sequence[Session],
    labels: Labels,
    config: TrainingConfig,
) -> list[tuple[Session, bool]]:
    """Sessions with whether the new model was fitted on them; evenly thinned out."""
    chosen: list[tuple[Sequence[Session], int, bool]] = []
    for place, session in enumerate(sessions):
        label = labels.of(session)
        if label in (None, "normal"):
            if is_held_out(session.unit, config):
                chosen.append((sessions, place, True))
        elif label != "ignore":
            chosen.append((sessions, place, False))
    for place, session in enumerate(extra):
        if labels.of(session) != "ignore":
            chosen.append((extra, place, False))
    spread = np.linspace(0, len(chosen) - 1, min(len(chosen), MAX_JUDGED)).astype(int)
    return [(given[place], own) for given, place, own in (chosen[at] for at in spread)]


def _rows(old: TrainedModel, new: TrainedModel) -> tuple[tuple[str, str, str], ...]:
    pairs = [_figures(old), _figures(new)]
    return tuple((name, pairs[0][name], pairs[1][name]) for name in pairs[1])


def _figures(model: TrainedModel) -> dict[str, str]:
    figures = model.figures
    alarms = expected_alarms(figures)
    a_day = alarms.a_day if alarms else None
    told = _NOT_TOLD
    if a_day is not None:
        told = f"{rounded(a_day[0])} ({rounded(a_day[1])} to {rounded(a_day[2])})"
    span = figures.get("span", {})
    return {
        "Logs from": span.get("from", _NOT_TOLD)[:16].replace("T", " "),
        "Logs until": span.get("to", _NOT_TOLD)[:16].replace("T", " "),
        "Sessions": _count(figures, "sessions"),
        "Lines": _count(figures, "events"),
        "Left out as too unusual": _count(figures, "cleaned_out"),
        "Templates": f"{len(model.vocabulary.texts):,}",
        "Classes": f"{len(model.classes):,}",
        "Score threshold": f"{model.calibration.threshold:.3g}",
        "Surprise at the threshold, nats": f"{model.calibration.surprise_fence:.3g}",
        "Expected alarms a day on normal sessions": told,
    }


def _count(figures: object, name: str) -> str:
    value = figures.get(name) if isinstance(figures, dict) else None
    return f"{value:,}" if isinstance(value, int) else _NOT_TOLD


def _class_changes(
    old: Sequence[ClassRow], new: Sequence[ClassRow]
) -> tuple[ClassChange, ...]:
    """Classes matched by id, then new, then gone.

    Ids keep their meaning where the new model was trained after the old one.
    """
    waiting = {row.class_id: row for row in old}
    matched, fresh = [], []
    for row in new:
        mate = waiting.pop(row.class_id, None)
        if mate is not None:
            matched.append(
                ClassChange(
                    row.name, mate.class_id, row.class_id, mate.members, row.members
                )
            )
        else:
            fresh.append(ClassChange(row.name, None, row.class_id, None, row.members))
    gone = [
        ClassChange(row.name, row.class_id, None, row.members, None)
        for row in waiting.values()
    ]
    return (*matched, *fresh, *gone)


def _opinions(
    judged: Sequence[Judged], flagger: TrainedModel, mask: Mask
) -> tuple[SplitOpinion, ...]:
    """The clearest, with what the model that flags them calls them."""
    clearest = sorted(judged, key=lambda j: -abs(j.old - j.new))[:MAX_SHOWN]
    verdicts = Classifier(flagger).classify([j.session for j in clearest])
    return tuple(
        SplitOpinion(
            mask(j.session.unit),
            mask(verdict.class_name) if verdict.anomaly else _BARELY,
            j.old,
            j.new,
        )
        for j, verdict in zip(clearest, verdicts, strict=True)
    )

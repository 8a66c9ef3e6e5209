"""Detectors measured against labels, each in the same way: quality, time, size.

    logs to fit on ─▶ fit (seconds) ─▶ score (seconds) ─▶ P, R, F1, AP against labels
                          └─▶ saved (bytes)

A supervised detector learns from the labels of the logs to fit on. Where those have
none of both sorts, it is cross-validated in five folds over the labelled sessions
themselves: each is scored by a fit that has not seen it. A detector that fails is a row
that says why.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.model_selection import StratifiedKFold

from model.detectors.enhanced_deeplog import EnhancedDeepLog
from model.detectors.protocol import (
    Detector,
    Flags,
    Floats,
    Kinds,
    Sample,
    Setting,
    samples,
)
from model.detectors.registry import entry_of, make
from model.detectors.store import save_detector, size_bytes
from model.errors import DetectorError, ModelError, TrainingError
from model.evaluate import Detection, detection_of, labelled_sessions
from model.events import Session
from model.labels import IGNORE, NO_LABELS, NORMAL, Labels
from model.templates.miner import TemplateMiner
from model.trained import TrainedModel
from model.vocabulary import Vocabulary, pages

FOLDS = 5
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class FitLogs:
    """What detectors learn from: logs with labels, if any; a model made before.

    A model brings its templates, and is measured as it is.
    """

    sessions: Sequence[Session] = ()
    labels: Labels = NO_LABELS
    model: TrainedModel | None = None


@dataclass(frozen=True, slots=True)
class DetectorRow:
    """One detector measured. `learned_from`: logs, labels, 5-fold, or model.

    `fit_s` is None where nothing was fitted; all figures are where `error` is not "".
    """

    name: str
    title: str
    sort: str
    learned_from: str = ""
    detection: Detection | None = None
    fit_s: float | None = None
    score_s: float | None = None
    size_bytes: int | None = None
    error: str = ""

    def record(self) -> dict[str, Any]:
        """The row as JSON, flat."""
        row = asdict(self)
        figures = row.pop("detection") or {}
        figures.pop("method", None)
        return row | figures


@dataclass(frozen=True, slots=True)
class _Trial:
    """All detectors' common ground."""

    setting: Setting
    model: TrainedModel | None
    train: Sequence[Sample]
    train_kinds: Kinds
    test: Sequence[Sample]
    truth: Sequence[str]
    odd: Flags


@dataclass(frozen=True, slots=True)
class _Run:
    """One detector fitted and its scores of the test sessions, (N,)."""

    detector: Detector
    learned_from: str
    scores: Floats
    fit_s: float | None
    score_s: float


def judge_detectors(
    names: Sequence[str],
    logs: FitLogs,
    sessions: Sequence[Session],
    labels: Labels,
    *,
    seed: int = 0,
    device: torch.device | None = None,
    tell: Tell = lambda _: None,
) -> list[DetectorRow]:
    """Detectors by name → a row each. `tell` hears of each before it begins.

    Raises DetectorError for an unknown name, or where there is nothing at all to fit
    on; LabelError where no session has a label.
    """
    entries = [entry_of(name) for name in names]
    if not logs.sessions and logs.model is None:
        raise DetectorError(
            "nothing to fit detectors on: give logs with --train FILE, or a --model DIR"
        )
    judged, truth = labelled_sessions(sessions, labels)
    trial = _trial(logs, judged, truth, seed, device or torch.device("cpu"))
    rows = []
    for place, entry in enumerate(entries, 1):
        tell(f"{place} of {len(entries)}: {entry.title}")
        rows.append(_row(entry.name, trial))
    return rows


def _trial(
    logs: FitLogs,
    judged: Sequence[Session],
    truth: Sequence[str],
    seed: int,
    device: torch.device,
) -> _Trial:
    if logs.model is None:
        miner = TemplateMiner()
        for page in pages(e.message for s in logs.sessions for e in s.events):
            miner.learn_all(page)
        templates = miner.freeze()
    else:
        templates = logs.model.templates
    kept = [s for s in logs.sessions if logs.labels.of(s) != IGNORE]
    return _Trial(
        setting=Setting(Vocabulary.of(templates), seed, device),
        model=logs.model,
        train=samples(kept, templates),
        train_kinds=[logs.labels.of(s) for s in kept],
        test=samples(judged, templates),
        truth=truth,
        odd=np.array([label != NORMAL for label in truth]),
    )


def _row(name: str, trial: _Trial) -> DetectorRow:
    entry = entry_of(name)
    blank = DetectorRow(name, entry.title, entry.sort)
    try:
        run = _run(name, trial)
        with tempfile.TemporaryDirectory() as folder:
            save_detector(run.detector, Path(folder), trial.setting.vocabulary)
            size = size_bytes(Path(folder))
    except ModelError as error:
        return DetectorRow(name, blank.title, blank.sort, error=str(error))
    except Exception as error:  # one method that fails must not cost the others
        line = " ".join(str(error).split())[:200]
        told = f"{type(error).__name__}: {line}"
        return DetectorRow(name, blank.title, blank.sort, error=told)
    return DetectorRow(
        name,
        blank.title,
        blank.sort,
        run.learned_from,
        detection_of(name, run.scores, run.detector.threshold, trial.odd),
        run.fit_s,
        run.score_s,
        size,
    )


def _run(name: str, trial: _Trial) -> _Run:
    if name == EnhancedDeepLog.name and trial.model is not None:
        given = EnhancedDeepLog.of(trial.model, trial.setting)
        scores, score_s = _scored(given, trial.test)
        return _Run(given, "model", scores, None, score_s)
    if entry_of(name).supervised and not _tells_apart(trial.train_kinds):
        return _folds(name, trial)
    if not trial.train:
        raise TrainingError("has nothing to fit on: give logs with --train FILE")
    detector, fit_s = _fitted(name, trial.setting, trial.train, trial.train_kinds)
    scores, score_s = _scored(detector, trial.test)
    source = "labels" if detector.supervised else "logs"
    return _Run(detector, source, scores, fit_s, score_s)


def _folds(name: str, trial: _Trial) -> _Run:
    """Each fifth of the labelled sessions scored by a fit on the others."""
    fewest = min(int(trial.odd.sum()), int((~trial.odd).sum()))
    if fewest < FOLDS:
        raise TrainingError(
            f"learns from labels, and {fewest} sessions of one sort are too few for "
            f"{FOLDS} folds; give labelled logs with --train and --train-labels"
        )
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=trial.setting.seed)
    scores = np.zeros(len(trial.test))
    fit_s = score_s = 0.0
    for learned, held_out in folds.split(np.zeros(len(trial.odd)), trial.odd):
        detector, seconds = _fitted(
            name,
            trial.setting,
            [trial.test[i] for i in learned],
            [trial.truth[i] for i in learned],
        )
        fit_s += seconds
        scores[held_out], seconds = _scored(detector, [trial.test[i] for i in held_out])
        scores[held_out] -= detector.threshold
        score_s += seconds
    scores += detector.threshold
    return _Run(detector, f"{FOLDS}-fold", scores, fit_s, score_s)


def _fitted(
    name: str, setting: Setting, sessions: Sequence[Sample], kinds: Kinds
) -> tuple[Detector, float]:
    began = time.perf_counter()
    detector = make(name, setting)
    detector.fit(sessions, kinds)
    return detector, time.perf_counter() - began


def _scored(detector: Detector, sessions: Sequence[Sample]) -> tuple[Floats, float]:
    began = time.perf_counter()
    scores = detector.score(sessions)
    return scores, time.perf_counter() - began


def _tells_apart(kinds: Kinds) -> bool:
    given = {kind != NORMAL for kind in kinds if kind not in (None, IGNORE)}
    return len(given) > 1

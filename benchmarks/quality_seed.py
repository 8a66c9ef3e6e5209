"""One seed of one case, as figures by name: train, score, hold against the truth.

Case, seed ─▶ train ─▶ detection · kinds · feedback ─▶ {"elkwatch: F1": 1.0, …}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from benchmarks.feedback import feedback_figures, hidden_figures
from benchmarks.kinds import (
    Trained,
    discovered_figures,
    signature_figures,
    taught_figures,
)
from benchmarks.outdated import outdated_figures
from benchmarks.quality_cases import (
    APPLICATIONS,
    BY_HASH,
    BY_TIME,
    FOUND,
    FOUND_IN_HALF,
    SIGNATURES,
    TAUGHT,
    Case,
)
from model import (
    Classifier,
    Evaluation,
    TrainingConfig,
    choose_device,
    evaluate,
    train,
    with_settings,
)
from model.class_training import ClassTrainingConfig

QUICK_CLASSES = ClassTrainingConfig(epochs=1)
Figures = dict[str, float]

MORE: Mapping[str, Callable[[Trained], Figures]] = {
    BY_HASH: hidden_figures,
    TAUGHT: lambda of: taught_figures(of) | hidden_figures(of),
    FOUND: discovered_figures,
    FOUND_IN_HALF: discovered_figures,
    SIGNATURES: signature_figures,
    BY_TIME: lambda of: (
        feedback_figures(of) | hidden_figures(of) | outdated_figures(of)
    ),
}


def measure(case: Case, seed: int, settings: Sequence[str] = ()) -> Figures:
    """Trains as the seed and `NAME=VALUE` settings say, and judges what the case is
    about. Raises SettingError."""
    device = choose_device("cpu")
    drawn = case.drawn(seed)
    config = with_settings(TrainingConfig(seed=seed), settings)
    if not case.kinds:
        config = replace(config, classes=QUICK_CLASSES)
    model = train(
        drawn.train,
        config,
        discover=drawn.discover,
        labels=drawn.labels,
        device=device,
    )
    figures: Figures = {}
    if case.detects:
        found = evaluate(Classifier(model, device=device), drawn.test, case.truth)
        figures |= _detection(found)
    if case.name in MORE:
        figures |= MORE[case.name](Trained(model, drawn, case.truth, seed))
    return figures


def called(
    case: Case, left_out: int, seeds: int, settings: Sequence[str] = ()
) -> list[str]:
    """What the one session that is left out is taken for, by seed.

    Templates do not hang on the seed: those of the sessions that teach are mined once.
    """
    assert case.name == APPLICATIONS
    drawn, mined, told = case.drawn(left_out), None, []
    for seed in range(seeds):
        config = with_settings(TrainingConfig(seed=seed), settings)
        model = train(drawn.train, config, labels=drawn.labels, mined=mined)
        mined = model.templates
        told.append(Classifier(model).classify(drawn.test)[0].class_id)
    return told


def _detection(found: Evaluation) -> Figures:
    figures: Figures = {"sessions": found.sessions, "anomalous": found.anomalous}
    for row in found.detection:
        figures |= {
            f"{row.method}: F1": row.f1,
            f"{row.method}: precision": row.precision,
            f"{row.method}: recall": row.recall,
            f"{row.method}: AP": row.average_precision,
        }
    figures |= {
        f"missed: {kind.kind}": 1 - kind.detected
        for kind in found.kinds
        if kind.detected < 1
    }
    return figures

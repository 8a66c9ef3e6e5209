"""Another detector, or several, decides; kinds and evidence stay the model's.

    training     model + logs ─▶ detectors fitted on what cleaning left
                                  └─▶ BUNDLE/detectors/NAME/, standings.json
    at work      BUNDLE, choice ─▶ model with the detectors chosen ─▶ Classifier

Each detector's scores are put on one scale by held-out sessions (standing.py); so
threshold, risk and alarm budgets mean what they always do. `elkwatch` in a choice is
Enhanced DeepLog itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from model.bundle_folder import DETECTORS, STANDINGS
from model.classify import Classifier
from model.detectors.protocol import Detector, Floats, Setting, samples
from model.detectors.registry import entry_of, make
from model.detectors.standing import Chosen, Rule, Standing, joined
from model.detectors.store import load_detector, save_detector
from model.errors import BundleError, DetectorError, TrainingError
from model.events import Session
from model.labels import ANOMALOUS, IGNORE, NORMAL, Labels
from model.scoring import MAX_HELD_OUT
from model.trained import TrainedModel
from model.training_config import TrainingConfig, is_held_out

OWN = "elkwatch"
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class DetectorChoice:
    """Which detectors of a bundle decide, and how they do it together."""

    names: tuple[str, ...]
    rule: Rule = "any"


@dataclass(frozen=True, slots=True)
class FittedDetectors:
    """Detectors by name, each with its standing; that of `elkwatch` is among them."""

    detectors: Mapping[str, Detector] = field(default_factory=dict)
    standings: Mapping[str, Standing] = field(default_factory=dict)

    def write(self, bundle: Path, model: TrainedModel) -> None:
        """Writes them below a bundle that is being made; nothing for none."""
        if not self.detectors:
            return
        for name, detector in self.detectors.items():
            save_detector(detector, bundle / DETECTORS / name, model.vocabulary)
        body = {
            name: {"threshold": s.threshold, "held_out": s.held_out}
            for name, s in self.standings.items()
        }
        text = json.dumps(body, indent=1, sort_keys=True)
        (bundle / DETECTORS / STANDINGS).write_text(text, "utf-8")


def check_detectors(names: Sequence[str], labels: Labels | None = None) -> None:
    """To be called before minutes of training.

    Raises DetectorError for a name that no detector has, TrainingError for one that
    learns from labels where these call nothing anomalous.
    """
    for name in names:
        if entry_of(name).supervised and labels is not None:
            kinds = set(labels.by_session.values()) - {NORMAL, IGNORE}
            if not kinds:
                raise TrainingError(
                    f"{name} learns from labels, and none calls a session anomalous; "
                    "give --labels FILE, or choose a detector that needs none"
                )


def fit_detectors(
    model: TrainedModel,
    names: Sequence[str],
    sessions: Sequence[Session],
    labels: Labels,
    *,
    seed: int = 0,
    device: torch.device | None = None,
    tell: Tell = lambda _: None,
) -> FittedDetectors:
    """Fits detectors on the sessions that a model was just trained on.

    They learn what cleaning left, without what the model held out; supervised ones
    that all of this is normal, and what the labels call anomalous is not. Raises
    DetectorError (no such name), TrainingError (nothing to learn from).
    """
    if not names:
        return FittedDetectors()
    check_detectors(names, labels)
    device = device or torch.device("cpu")
    pool = [s for s in sessions if labels.of(s) in (None, NORMAL)]
    if len(pool) != len(model.support.clean):
        raise TrainingError(
            f"detectors learn from all {len(pool):,} sessions, and the training drew "
            f"{len(model.support.clean):,} of them; raise max_sessions, or give fewer "
            "logs"
        )
    config = TrainingConfig(seed=seed)
    kept = [s for s, ok in zip(pool, model.support.clean, strict=True) if ok] or pool
    aside = [s for s in kept if is_held_out(s.unit, config)][:MAX_HELD_OUT] or kept
    learned = [s for s in kept if not is_held_out(s.unit, config)] or kept
    unusual = [s for s, ok in zip(pool, model.support.clean, strict=True) if not ok]
    odd = [s for s in sessions if labels.of(s) not in (None, NORMAL, IGNORE)]
    normal = samples(learned, model.templates)
    trouble = samples(odd, model.templates)
    others = [*samples(unusual, model.templates), *trouble]
    judged = samples(aside, model.templates)
    setting = Setting(model.vocabulary, seed, device)
    own = np.array(Classifier(model, device=device).score(judged), dtype=np.float64)
    standings = {OWN: Standing(model.calibration.threshold, tuple(own.tolist()))}
    detectors: dict[str, Detector] = {}
    for name in dict.fromkeys(n for n in names if n != OWN):
        tell(f"detector {name}")
        detector = make(name, setting)
        if detector.supervised:
            kinds = [*([NORMAL] * len(normal)), *(labels.of(s) for s in odd)]
            detector.fit([*normal, *trouble], kinds)
        else:
            nothing_said = [*([None] * len(normal)), *([ANOMALOUS] * len(others))]
            detector.fit([*normal, *others], nothing_said)
        scores = detector.score(judged)
        detectors[name] = detector
        standings[name] = Standing(detector.threshold, tuple(scores.tolist()))
    return FittedDetectors(detectors, standings)


def with_detectors(
    model: TrainedModel,
    bundle: Path,
    choice: DetectorChoice,
    device: torch.device | None = None,
) -> TrainedModel:
    """The model of a bundle, deciding by detectors of it.

    Raises DetectorError, with how to train it, for one that the bundle lacks.
    """
    if choice.names == (OWN,):
        return model
    check_detectors(choice.names)
    standings = _standings(bundle)
    lacking = [name for name in choice.names if name not in standings]
    if lacking:
        others = sorted(set(standings) - {OWN})
        there = f"it holds {', '.join(others)}" if others else "it holds none"
        raise DetectorError(
            f"detector {lacking[0]}: not in model {bundle} ({there}); train it again "
            f"with `elkwatch train … --out {bundle} --detector {lacking[0]}`"
        )
    setting = Setting(model.vocabulary, device=device or torch.device("cpu"))
    members = {
        name: load_detector(bundle / DETECTORS / name, setting)
        for name in choice.names
        if name != OWN
    }
    used = {name: standings[name] for name in choice.names}
    chosen = Chosen(members, used, choice.rule, model.calibration.threshold)
    sample = np.sort(_of_held_out(used, choice.rule))
    calibration = replace(
        model.calibration,
        threshold=1.0,
        held_out=tuple(sample.tolist()),
        judged=len(sample),
    )
    return replace(model, calibration=calibration, chosen=chosen)


def detectors_of(bundle: Path) -> tuple[str, ...]:
    """The detectors that a bundle holds beside the model; none where it is damaged."""
    try:
        return tuple(sorted(set(_standings(bundle)) - {OWN}))
    except BundleError:
        return ()


def _of_held_out(standings: Mapping[str, Standing], rule: Rule) -> Floats:
    """What the members together say of the held-out sessions, (N,)."""
    scaled = [s.scaled(np.array(s.held_out)) for s in standings.values()]
    return joined(scaled, rule)


def _standings(bundle: Path) -> dict[str, Standing]:
    try:
        body = json.loads((bundle / DETECTORS / STANDINGS).read_text("utf-8"))
        return {
            name: Standing(float(s["threshold"]), tuple(map(float, s["held_out"])))
            for name, s in body.items()
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BundleError(
            f"model {bundle}: {DETECTORS}{STANDINGS} is damaged; train it again"
        ) from error

"""Training: the four stages of Enhanced DeepLog, in order.

    sessions ─▶ templates ─▶ cleaning ─▶ 1 next event ─▶ calibration
                                               └─▶ 2 deep features of what deviates
                                                     └─▶ 3 clusters ─▶ 4 classes

The logs are taken as *mostly* normal: what few sessions support is taken out before
the network learns (detectors/support.py). Sessions that labels call anomalous never
teach stage 1; they teach their kind.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np
import torch

from model.alarm_budget import sessions_a_day
from model.best_epoch import History
from model.catalogue import Catalogue, load_catalogue
from model.checkpoint import Checkpoint
from model.class_discovery import Former, find_classes
from model.class_training import ClassTrainingConfig
from model.detectors.cleaning import error_events
from model.detectors.deeplog import DeepLogTopK
from model.detectors.support import SupportDistance
from model.detectors.unseen import UnseenCountVector, UnseenTemplate
from model.devices import mixed_precision
from model.epochs import Setting
from model.errors import TrainingError
from model.events import EncodedSession, Session
from model.labels import IGNORE, NO_LABELS, Labels
from model.language_model import LanguageModelConfig, train_language_model
from model.network import NextEventLSTM
from model.precision import FULL, at_precision, prune
from model.presence_choice import (
    ByThreshold,
    Labelled,
    choose_head,
)
from model.presence_figures import with_head
from model.progress import Progress, Step, silent
from model.rates import learn_rates
from model.scoring import Calibration, calibrate, views
from model.surprise import highest_surprises, surprises
from model.templates.frozen import FrozenTemplates
from model.templates.miner import MinerConfig, TemplateMiner
from model.trained import Baselines, TrainedModel, with_own_names
from model.training_figures import Learned, training_figures
from model.training_split import Chosen, Split, is_aside, split_sessions
from model.vocabulary import Vocabulary, encode, pages

MAX_SUSPECTS = 20_000
MAX_RANKED = 5000


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """All that decides a model, beside the logs.

    `prune`: the share of the network's weights that are left out after training;
    `precision`: at which it scores. The threshold is set with both as they will be.
    `alarm_budget`: false alarms a day that the threshold may allow, by its bound.
    `mixed_precision`: the numbers of training, see devices.py. `max_sessions`: of more
    unlabelled ones so many are drawn; templates are learned from all.
    """

    seed: int = 0
    precision: str = FULL
    mixed_precision: str = "auto"
    prune: float = 0.0
    held_out_share: float = 0.15
    alarm_budget: float | None = None
    max_sessions: int = 2_000_000
    miner: MinerConfig = field(default_factory=MinerConfig)
    language_model: LanguageModelConfig = field(default_factory=LanguageModelConfig)
    classes: ClassTrainingConfig = field(default_factory=ClassTrainingConfig)


def train(
    sessions: Sequence[Session],
    config: TrainingConfig,
    *,
    discover: Sequence[Session] = (),
    labels: Labels = NO_LABELS,
    catalogue: Catalogue | None = None,
    previous: TrainedModel | None = None,
    mined: FrozenTemplates | None = None,
    device: torch.device | None = None,
    checkpoint: Checkpoint | None = None,
    progress: Progress = silent,
) -> TrainedModel:
    """Sessions of mostly normal logs → a model. Raises TrainingError, CheckpointError,
    OutOfMemoryError.

    Classes are looked for in `discover`, or in `sessions` themselves where it is empty.
    They keep the ids and names that they have in `previous`, the model before this one.
    Templates that a training on these same sessions has `mined` are not mined again;
    a training that was interrupted goes on from its `checkpoint`.
    """
    device = device or torch.device("cpu")
    mixed = mixed_precision(config.mixed_precision, device)
    setting = Setting(device, mixed, checkpoint, progress)
    split = split_sessions(
        sessions,
        labels,
        seed=config.seed,
        held_out_share=config.held_out_share,
        most=config.max_sessions,
    )
    if len(split.pool) < len(split.unlabelled):
        line = (
            f"{len(split.pool):,} of {len(split.unlabelled):,} sessions are drawn to "
            "teach what is normal (max_sessions)"
        )
        progress(Step("0 templates", 1, 1, trouble=line))
    extra = Chosen(
        discover, [i for i, s in enumerate(discover) if labels.of(s) != IGNORE]
    )
    templates, overflow = mined, 0
    if templates is None:
        miner = _mine(split, extra, config.miner, progress)
        templates, overflow = miner.freeze(), miner.overflow
    vocabulary = Vocabulary.of(templates)
    pool = encode(split.pool, templates)
    looked_at = encode(extra, templates) if extra else pool
    taught = encode(split.taught, templates)
    suspected = encode(split.suspected, templates)
    if checkpoint is not None:
        groups = (pool, looked_at, taught, suspected)
        checkpoint.identify(_digest(vocabulary, groups, split))
    support = SupportDistance()
    support.fit(
        pool,
        error_events(split.pool, pool),
        split.trusted,
    )
    network, calibration, history, held_out = _learn_normal(
        split, pool, support, vocabulary, config, setting
    )
    scoring = at_precision(network, config.precision, device)
    places = _suspects(looked_at, not extra, support, calibration, scoring, device)
    suspects = [looked_at[i] for i in places]
    sources = [*((extra or split.pool)[i] for i in places), *split.suspected]
    found = find_classes(
        normal=_sample([s for s, ok in zip(pool, support.clean, strict=True) if ok]),
        suspects=[*suspects, *suspected],
        taught=taught,
        sources=[*split.taught, *sources],
        taught_kinds=split.taught_kinds,
        network=scoring,
        support=support,
        vocabulary=vocabulary,
        catalogue=catalogue or load_catalogue(),
        config=config.classes,
        seed=config.seed,
        device=device,
        progress=progress,
        former=_former(previous, sources, device),
        mixed=mixed,
        checkpoint=checkpoint,
    )
    labelled = Labelled(
        [s for s, sure in zip(pool, split.trusted, strict=True) if sure],
        taught,
        split.taught_kinds,
    )
    choice = None
    if config.classes.presence and found.kinds is not None:
        present = ByThreshold(support, calibration, found.kinds, scoring, device)
        choice = choose_head(labelled, len(pool), present, config.seed)
    decided = calibration
    if choice is not None and choice.head is not None:
        decided = _within(choice.calibrated(calibration), config, split)
    learned = Learned(
        span=(split.first, split.last),
        pool=pool,
        places=split.pool.places,
        aside=split.aside,
        suspects=[*suspects, *suspected],
        suspects_in_pool=not extra,
        taught=taught,
        taught_kinds=split.taught_kinds,
        suspected=suspected,
        support=support,
        vocabulary=vocabulary,
        network=scoring,
        calibration=calibration,
        history=history,
        found=found,
        overflow=overflow,
        device=device,
    )
    return TrainedModel(
        version="",
        templates=templates,
        vocabulary=vocabulary,
        network=network,
        support=support,
        calibration=decided,
        kinds=found.kinds,
        classes=with_own_names(found.classes, found.lineage),
        lineage=found.lineage,
        baselines=_baselines(pool, held_out, scoring, device),
        configuration=asdict(config),
        figures=with_head(training_figures(learned), choice, labelled),
        precision=config.precision,
        rates=learn_rates(sessions, templates),
        presence=None if choice is None else choice.head,
    )


def _digest(
    vocabulary: Vocabulary, groups: Sequence[Sequence[EncodedSession]], split: Split
) -> str:
    """Names what is learned from: templates, sessions as event ids, labels."""
    digest = hashlib.sha256("\n".join(vocabulary.texts).encode("utf-8", "replace"))
    for group in groups:
        for session in group:
            digest.update(np.array(session.ids, dtype=np.int64).tobytes())
            digest.update(bytes((session.starts, session.ends)))
        digest.update(b"group")
    digest.update("\n".join(split.taught_kinds).encode("utf-8", "replace"))
    return digest.hexdigest()


def _mine(
    split: Split, extra: Sequence[Session], config: MinerConfig, progress: Progress
) -> TemplateMiner:
    miner = TemplateMiner(config)
    groups = (split.unlabelled, split.taught, split.suspected, extra)
    total = split.events + sum(len(s.events) for s in extra)
    done = 0
    for group in groups:
        for page in pages(event.message for s in group for event in s.events):
            miner.learn_all(page)
            done += len(page)
            progress(Step("0 templates", done, total))
    return miner


def _learn_normal(
    split: Split,
    pool: Sequence[EncodedSession],
    support: SupportDistance,
    vocabulary: Vocabulary,
    config: TrainingConfig,
    setting: Setting,
) -> tuple[NextEventLSTM, Calibration, History, list[EncodedSession]]:
    """Stage 1 on the cleaned pool, then the threshold on what was held out of it."""
    train_set: list[EncodedSession] = []
    held_out: list[EncodedSession] = []
    for encoded, aside, clean in zip(pool, split.aside, support.clean, strict=True):
        if clean:
            (held_out if aside else train_set).append(encoded)
    if not train_set:
        train_set = held_out or list(pool)
    network, history = train_language_model(
        train_set,
        held_out,
        vocabulary.size,
        config.language_model,
        seed=config.seed,
        device=setting.device,
        progress=setting.progress,
        mixed=setting.mixed,
        checkpoint=setting.checkpoint,
    )
    device = setting.device
    prune(network, config.prune)
    scoring = at_precision(network, config.precision, device)
    checked = held_out or train_set
    calibration = calibrate(
        support,
        highest_surprises(scoring, checked, device),
        checked,
        highest_surprises(scoring, train_set, device),
    )
    return network, _within(calibration, config, split), history, checked


def _within(
    calibration: Calibration, config: TrainingConfig, split: Split
) -> Calibration:
    """With the threshold of the budget, if there is one. Raises TrainingError
    without times."""
    budget = config.alarm_budget
    if budget is None:
        return calibration
    rate = sessions_a_day(len(split.unlabelled), split.first, split.last)
    if rate is None:
        raise TrainingError(
            "an alarm budget is a number a day, and these lines tell no time; name "
            "the field with --time-field, or leave out --alarm-budget"
        )
    threshold = calibration.within(budget, rate).threshold
    return replace(calibration, threshold=threshold)


def is_held_out(unit: str, config: TrainingConfig) -> bool:
    """Whether the split keeps a session from the network, by a hash of its unit."""
    return is_aside(unit, config.seed, config.held_out_share)


def _suspects(
    looked_at: Sequence[EncodedSession],
    learned: bool,
    support: SupportDistance,
    calibration: Calibration,
    network: NextEventLSTM,
    device: torch.device,
) -> list[int]:
    """Places of what deviates, of very many a sample spread evenly; `learned`: these
    sessions taught what is normal."""
    highest = highest_surprises(network, looked_at, device)
    scores = views(
        support,
        highest,
        looked_at,
        calibration.surprise_fence,
        left_out=1 if learned else 0,
    ).joined(calibration.threshold)
    odd = np.flatnonzero(scores > calibration.threshold)
    spread = np.linspace(0, len(odd) - 1, min(len(odd), MAX_SUSPECTS)).astype(int)
    return [int(i) for i in odd[spread]]


def _former(
    previous: TrainedModel | None, suspects: Sequence[Session], device: torch.device
) -> Former:
    """What the model before this one knew, and what it takes the suspects for."""
    if previous is None:
        return Former()
    if previous.kinds is None:
        return Former(previous.lineage)
    encoded = encode(suspects, previous.templates)
    previous.kinds.network.to(device)
    found = surprises(previous.network_on(device), encoded, device)
    kinds = previous.kinds.kinds(encoded, found, device)
    return Former(previous.lineage, [kind.class_id for kind in kinds])


def _sample(
    sessions: Sequence[EncodedSession], most: int = 1500
) -> list[EncodedSession]:
    if len(sessions) <= most:
        return list(sessions)
    places = np.linspace(0, len(sessions) - 1, most).astype(int)
    return [sessions[place] for place in places]


def _baselines(
    pool: Sequence[EncodedSession],
    held_out: Sequence[EncodedSession],
    network: NextEventLSTM,
    device: torch.device,
) -> Baselines:
    counts, templates = UnseenCountVector(), UnseenTemplate()
    counts.fit(pool)
    templates.fit(pool)
    top_k = DeepLogTopK(network, device)
    top_k.fit(_sample(held_out, MAX_RANKED))
    return Baselines(frozenset(counts.seen), frozenset(templates.seen), top_k.threshold)

"""Training: the four stages of Enhanced DeepLog, in order.

    sessions ─▶ templates ─▶ cleaning ─▶ 1 next event ─▶ calibration
                                               └─▶ 2 deep features of what deviates
                                                     └─▶ 3 clusters ─▶ 4 classes

The logs are taken as *mostly* normal: what few sessions support is taken out before
the network learns (detectors/support.py). Sessions that labels call anomalous never
teach stage 1; they teach their kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import torch

from model.catalogue import Catalogue, load_catalogue
from model.checkpoint import Checkpoint
from model.class_discovery import ClassSet, Former, find_classes
from model.corpus import Corpus, corpus_of, spread_evenly
from model.detectors.cleaning import error_events
from model.detectors.support import SupportDistance
from model.devices import mixed_precision
from model.epochs import Setting
from model.events import EncodedSession, Session
from model.labels import IGNORE, NO_LABELS, Labels
from model.normality import Normality, baselines_of, learn_normal, within_budget
from model.presence_choice import ByThreshold, Labelled, choose_head
from model.presence_figures import with_head
from model.progress import Progress, Step, silent
from model.rates import learn_rates
from model.scoring import views
from model.surprise import highest_surprises, surprises
from model.templates.frozen import FrozenTemplates
from model.trained import TrainedModel, with_own_names
from model.training_config import TrainingConfig
from model.training_figures import Learned, training_figures
from model.training_split import Chosen, Split, split_sessions
from model.vocabulary import encode

MAX_SUSPECTS = 20_000
MAX_NORMAL = 1500


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
    split = _split(sessions, labels, config, progress)
    extra = Chosen(
        discover, [i for i, s in enumerate(discover) if labels.of(s) != IGNORE]
    )
    corpus = corpus_of(split, extra, config.miner, mined=mined, progress=progress)
    if checkpoint is not None:
        checkpoint.identify(corpus.digest())
    support = SupportDistance(config.rare_share)
    support.fit(corpus.pool, error_events(split.pool, corpus.pool), split.trusted)
    normal = learn_normal(corpus, support, config, setting)
    suspects, found = _find_kinds(
        corpus, support, normal, config, setting, catalogue, previous
    )
    labelled = Labelled(
        [s for s, sure in zip(corpus.pool, split.trusted, strict=True) if sure],
        corpus.taught,
        split.taught_kinds,
    )
    choice = None
    if config.classes.presence and found.kinds is not None:
        calibration, scoring = normal.calibration, normal.scoring
        present = ByThreshold(support, calibration, found.kinds, scoring, device)
        choice = choose_head(labelled, len(corpus.pool), present, config.seed)
    decided = normal.calibration
    if choice is not None and choice.head is not None:
        decided = within_budget(choice.calibrated(decided), config, split)
    learned = _learned(corpus, support, normal, suspects, found, device)
    return TrainedModel(
        version="",
        templates=corpus.templates,
        vocabulary=corpus.vocabulary,
        network=normal.network,
        support=support,
        calibration=decided,
        kinds=found.kinds,
        classes=with_own_names(found.classes, found.lineage),
        lineage=found.lineage,
        baselines=baselines_of(corpus.pool, normal, device),
        configuration=asdict(config),
        figures=with_head(training_figures(learned), choice, labelled),
        precision=config.precision,
        rates=learn_rates(sessions, corpus.templates),
        presence=None if choice is None else choice.head,
    )


def _split(
    sessions: Sequence[Session],
    labels: Labels,
    config: TrainingConfig,
    progress: Progress,
) -> Split:
    """What each session may teach; says so where not all that could are drawn."""
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
    return split


def _find_kinds(
    corpus: Corpus,
    support: SupportDistance,
    normal: Normality,
    config: TrainingConfig,
    setting: Setting,
    catalogue: Catalogue | None,
    previous: TrainedModel | None,
) -> tuple[list[EncodedSession], ClassSet]:
    """Stages 2 to 4: what deviates, and the classes of it."""
    split, device = corpus.split, setting.device
    places = _suspects(corpus, support, normal, device)
    suspects = [*(corpus.looked_at[i] for i in places), *corpus.suspected]
    sources = [*((corpus.extra or split.pool)[i] for i in places), *split.suspected]
    clean = [s for s, ok in zip(corpus.pool, support.clean, strict=True) if ok]
    return suspects, find_classes(
        normal=spread_evenly(clean, MAX_NORMAL),
        suspects=suspects,
        taught=corpus.taught,
        sources=[*split.taught, *sources],
        taught_kinds=split.taught_kinds,
        network=normal.scoring,
        support=support,
        vocabulary=corpus.vocabulary,
        catalogue=catalogue or load_catalogue(),
        config=config.classes,
        seed=config.seed,
        setting=setting,
        former=_former(previous, sources, device),
    )


def _suspects(
    corpus: Corpus, support: SupportDistance, normal: Normality, device: torch.device
) -> list[int]:
    """Places of what deviates where classes are looked for, of very many a sample
    spread evenly."""
    looked_at, calibration = corpus.looked_at, normal.calibration
    scores = views(
        support,
        highest_surprises(normal.scoring, looked_at, device),
        looked_at,
        calibration.surprise_fence,
        left_out=0 if corpus.extra else 1,
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


def _learned(
    corpus: Corpus,
    support: SupportDistance,
    normal: Normality,
    suspects: Sequence[EncodedSession],
    found: ClassSet,
    device: torch.device,
) -> Learned:
    split = corpus.split
    return Learned(
        span=(split.first, split.last),
        pool=corpus.pool,
        places=split.pool.places,
        aside=split.aside,
        suspects=suspects,
        suspects_in_pool=not corpus.extra,
        taught=corpus.taught,
        taught_kinds=split.taught_kinds,
        suspected=corpus.suspected,
        support=support,
        vocabulary=corpus.vocabulary,
        network=normal.scoring,
        calibration=normal.calibration,
        history=normal.history,
        found=found,
        overflow=corpus.overflow,
        device=device,
    )

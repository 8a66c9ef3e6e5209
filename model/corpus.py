"""What a training learns from.

sessions ─▶ by what they may teach ─▶ templates ─▶ sessions as event ids
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.events import EncodedSession, Session
from model.progress import Progress, Step
from model.templates.frozen import FrozenTemplates
from model.templates.miner import MinerConfig, TemplateMiner
from model.training_split import Chosen, Split
from model.vocabulary import Vocabulary, encode, pages


@dataclass(frozen=True, slots=True)
class Corpus:
    """The sessions of a training by their part, as they came and as event ids.

    `extra`: where classes are looked for; where it is empty, in the pool. `looked_at`:
    the one or the other. `overflow`: lines that found no room among the templates.
    """

    split: Split
    extra: Sequence[Session]
    templates: FrozenTemplates
    overflow: int
    vocabulary: Vocabulary
    pool: list[EncodedSession]
    looked_at: list[EncodedSession]
    taught: list[EncodedSession]
    suspected: list[EncodedSession]

    def digest(self) -> str:
        """Names what is learned from: templates, sessions as event ids, labels."""
        texts = self.vocabulary.texts
        digest = hashlib.sha256("\n".join(texts).encode("utf-8", "replace"))
        for group in (self.pool, self.looked_at, self.taught, self.suspected):
            for session in group:
                digest.update(np.array(session.ids, dtype=np.int64).tobytes())
                digest.update(bytes((session.starts, session.ends)))
            digest.update(b"group")
        kinds = "\n".join(self.split.taught_kinds)
        digest.update(kinds.encode("utf-8", "replace"))
        return digest.hexdigest()


def corpus_of(
    split: Split,
    extra: Chosen,
    config: MinerConfig,
    *,
    mined: FrozenTemplates | None,
    progress: Progress,
) -> Corpus:
    """Mines the templates, unless they are `mined`, and encodes every session."""
    templates, overflow = mined, 0
    if templates is None:
        miner = _mine(split, extra, config, progress)
        templates, overflow = miner.freeze(), miner.overflow
    pool = encode(split.pool, templates)
    return Corpus(
        split,
        extra,
        templates,
        overflow,
        Vocabulary.of(templates),
        pool,
        encode(extra, templates) if extra else pool,
        encode(split.taught, templates),
        encode(split.suspected, templates),
    )


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


def spread_evenly(
    sessions: Sequence[EncodedSession], most: int
) -> list[EncodedSession]:
    """At most so many of them, from the first to the last."""
    if len(sessions) <= most:
        return list(sessions)
    places = np.linspace(0, len(sessions) - 1, most).astype(int)
    return [sessions[place] for place in places]

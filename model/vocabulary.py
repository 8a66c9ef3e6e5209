"""Event ids: the vocabulary of the networks.

Four ids are reserved; templates follow in the order of their first sight. A message
that matches no template is UNK: it never makes the model fail, and how many there
are is watched (`unknown_ratio`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from model.events import EncodedSession, Session
from model.templates.miner import TemplateMiner

PAD, UNK, BOS, EOS = 0, 1, 2, 3
RESERVED = 4
_NAMES = {
    PAD: "(padding)",
    UNK: "(never seen before)",
    BOS: "(start of session)",
    EOS: "(end of session)",
}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Event id ↔ template. `texts[i]` belongs to event id `i + RESERVED`."""

    texts: tuple[str, ...]
    event_ids: dict[int, int]

    @classmethod
    def of(cls, miner: TemplateMiner) -> Vocabulary:
        """The vocabulary of a miner's templates, by template id."""
        templates = miner.templates()
        return cls(
            texts=tuple(template.text for template in templates),
            event_ids={
                template.template_id: index + RESERVED
                for index, template in enumerate(templates)
            },
        )

    @property
    def size(self) -> int:
        """Number of event ids, the reserved ones included."""
        return len(self.texts) + RESERVED

    def text(self, event_id: int) -> str:
        """What a person reads for an event id."""
        if event_id < RESERVED:
            return _NAMES[event_id]
        return self.texts[event_id - RESERVED]


def encode(
    sessions: Iterable[Session], miner: TemplateMiner, vocabulary: Vocabulary
) -> list[EncodedSession]:
    """Sessions → event ids, by a frozen miner. UNK where no template matches."""
    ids, match = vocabulary.event_ids, miner.match
    return [
        EncodedSession(
            ids=tuple(ids.get(match(event.message), UNK) for event in session.events),
            starts=session.starts,
            ends=session.ends,
        )
        for session in sessions
    ]

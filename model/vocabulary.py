"""Event ids: the vocabulary of the networks.

Four ids are reserved; templates follow by their ids, which count from 1. A message
that matches no template is UNK: it never makes the model fail, and how many there
are is watched (`unknown_ratio`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from model.events import EncodedSession, Session
from model.templates.frozen import FrozenTemplates

PAD, UNK, BOS, EOS = 0, 1, 2, 3
RESERVED = 4
PAGE = 4096
UNSEEN = "(never seen before)"
_NAMES = {
    PAD: "(padding)",
    UNK: UNSEEN,
    BOS: "(start of session)",
    EOS: "(end of session)",
}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Event id ↔ template. `texts[i]` belongs to event id `i + RESERVED`."""

    texts: tuple[str, ...]

    @classmethod
    def of(cls, templates: FrozenTemplates) -> Vocabulary:
        """The vocabulary of these templates, by template id."""
        return cls(tuple(template.text for template in templates.templates))

    @property
    def size(self) -> int:
        """Number of event ids, the reserved ones included."""
        return len(self.texts) + RESERVED

    def text(self, event_id: int) -> str:
        """What a person reads for an event id."""
        if event_id < RESERVED:
            return _NAMES[event_id]
        return self.texts[event_id - RESERVED]


def event_ids(templates: FrozenTemplates, messages: Sequence[object]) -> list[int]:
    """A page of messages → event ids, in order. UNK where no template matches."""
    return [
        number + RESERVED - 1 if number else UNK
        for number in templates.match_all(messages)
    ]


def encode(
    sessions: Iterable[Session], templates: FrozenTemplates
) -> list[EncodedSession]:
    """Sessions → event ids. UNK where no template matches.

    Equal sessions are one object, so that many sessions take little memory.
    """
    known: dict[EncodedSession, EncodedSession] = {}
    encoded: list[EncodedSession] = []
    for part in _parts(sessions):
        ids: list[int] = []
        for page in pages(event.message for s in part for event in s.events):
            ids += event_ids(templates, page)
        at = 0
        for session in part:
            end = at + len(session.events)
            one = EncodedSession(tuple(ids[at:end]), session.starts, session.ends)
            encoded.append(known.setdefault(one, one))
            at = end
    return encoded


def _parts(sessions: Iterable[Session]) -> Iterator[list[Session]]:
    """The sessions by as many as make some pages of messages."""
    part: list[Session] = []
    events = 0
    for session in sessions:
        part.append(session)
        events += len(session.events)
        if events >= PAGE:
            yield part
            part, events = [], 0
    if part:
        yield part


def pages(messages: Iterable[str]) -> Iterator[list[str]]:
    """Messages by the page: large enough to be fast, small enough for any memory."""
    rest = iter(messages)
    while page := list(islice(rest, PAGE)):
        yield page

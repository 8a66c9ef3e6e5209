"""Made-up sessions in the likeness of real ones, for tests and demonstrations.

    sessions ─▶ templates, event ids ─▶ VAE ─▶ event ids drawn ─▶ templates, filled

The order of events comes from the decoder of the variational autoencoder
(detectors/vae.py), the words of a line from its template, each value from a generator
of its type. No line of the logs is kept. What never varied in them is part of the
template, and so of what is drawn.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import torch

from model.detectors.protocol import Kinds, Setting, samples
from model.detectors.vae import Vae
from model.errors import TrainingError
from model.events import LogEvent, Session
from model.templates.frozen import FrozenTemplates
from model.vocabulary import RESERVED, UNK, Vocabulary

MIN_SESSIONS = 5
MAX_SESSIONS = 2000
TRIES = 8
_PLACEHOLDER = re.compile(r"<([A-Za-z_]+|\*)>")
_WORDS = ("alpha", "bravo", "delta", "echo", "golf", "hotel", "kilo", "lima", "tango")

Value = Callable[[random.Random, datetime], str]


def _number(chance: random.Random, _: datetime) -> str:
    return str(chance.randint(1, 9999))


def _hex(chance: random.Random, digits: int) -> str:
    return f"{chance.getrandbits(4 * digits):0{digits}x}"


def _uuid(chance: random.Random, _: datetime) -> str:
    whole = _hex(chance, 32)
    return "-".join((whole[:8], whole[8:12], whole[12:16], whole[16:20], whole[20:]))


def _word(chance: random.Random) -> str:
    return chance.choice(_WORDS)


VALUES: Mapping[str, Value] = {
    "NUM": _number,
    "UUID": _uuid,
    "ID": lambda chance, _: f"{_word(chance)}{chance.randint(10, 99)}",
    "IP": lambda chance, _: f"192.0.2.{chance.randint(1, 254)}",
    "HOST": lambda chance, _: f"{_word(chance)}.example.org:{chance.randint(1, 9999)}",
    "PATH": lambda chance, _: f"/srv/{_word(chance)}/{_word(chance)}",
    "URL": lambda chance, _: f"https://example.org/{_word(chance)}",
    "EMAIL": lambda chance, _: f"{_word(chance)}@example.org",
    "TIME": lambda _, now: f"{now:%Y-%m-%d %H:%M:%S}",
    "DATE": lambda _, now: f"{now:%Y-%m-%d}",
    "MAC": lambda chance, _: ":".join(_hex(chance, 2) for _ in range(6)),
    "HEX": lambda chance, _: f"0x{_hex(chance, 8)}",
    "STR": lambda chance, _: f'"{_word(chance)} {_word(chance)}"',
    "OBJ": lambda chance, _: f"{_word(chance).title()}{{{_word(chance)}}}",
    "*": lambda chance, _: _word(chance),
}


@dataclass(frozen=True, slots=True)
class Drawn:
    """Sessions that were made up. `strange`: lines whose template is another now."""

    sessions: tuple[Session, ...]
    learned: int
    strange: int


def draw_sessions(
    sessions: Sequence[Session],
    count: int,
    templates: FrozenTemplates,
    *,
    seed: int,
    start: datetime,
    device: torch.device | None = None,
) -> Drawn:
    """So many sessions like these, from `start` on. Equal seeds draw equal ones on CPU.

    Of more than 2,000 sessions so many are learned, drawn by the seed. Raises
    TrainingError where there are too few.
    """
    known = _known(sessions, templates, seed)
    vocabulary = Vocabulary.of(templates)
    vae = Vae(Setting(vocabulary, seed, device or torch.device("cpu")))
    nobody: Kinds = [None] * len(known)
    vae.fit(samples(known, templates), nobody)
    gap_s, apart_s = _gaps(known)
    chance = random.Random(seed)
    maker = _LineMaker(templates, chance)
    made, at = [], start
    for number, ids in enumerate(vae.draw(count, seed)):
        times = _times(at, len(ids), gap_s, chance)
        key = f"synth-{number + 1:06d}"
        events = (maker.event(i, t, key) for i, t in zip(ids, times, strict=True))
        made.append(Session(key, tuple(events)))
        at += timedelta(seconds=chance.expovariate(1 / apart_s))
    return Drawn(tuple(made), len(known), maker.strange)


def _known(
    sessions: Sequence[Session], templates: FrozenTemplates, seed: int
) -> list[Session]:
    """What is learned: sessions whose lines all have a template, 2,000 at most."""
    encoded = samples(sessions, templates)
    whole = [
        s for s, e in zip(sessions, encoded, strict=True) if e.ids and UNK not in e.ids
    ]
    if len(whole) < MIN_SESSIONS:
        raise TrainingError(
            f"only {len(whole)} session{'' if len(whole) == 1 else 's'} to draw the "
            f"like of; give at least {MIN_SESSIONS}, or check --session-field, --kind "
            "and --model"
        )
    if len(whole) <= MAX_SESSIONS:
        return whole
    order = np.random.default_rng(seed).permutation(len(whole))[:MAX_SESSIONS]
    return [whole[place] for place in sorted(order.tolist())]


def _gaps(sessions: Sequence[Session]) -> tuple[float, float]:
    """Mean seconds between two lines of a session, and between two sessions."""
    lines = sum(len(s.events) - 1 for s in sessions)
    within = sum((s.end - s.start).total_seconds() for s in sessions)
    span = max(s.start for s in sessions) - min(s.start for s in sessions)
    apart = span.total_seconds() / (len(sessions) - 1)
    return max(within / max(lines, 1), 1e-3), max(apart, 1e-3)


def _times(
    start: datetime, count: int, gap_s: float, chance: random.Random
) -> Iterator[datetime]:
    at = start
    for _ in range(count):
        yield at
        at += timedelta(seconds=chance.expovariate(1 / gap_s))


class _LineMaker:
    """Fills templates; a line that another template would take is tried again."""

    def __init__(self, templates: FrozenTemplates, chance: random.Random) -> None:
        self._templates = templates
        self._chance = chance
        self._masks = {*VALUES, *(mask.name for mask in templates.masks)}
        self.strange = 0

    def event(self, event_id: int, time: datetime, key: str) -> LogEvent:
        number = event_id - RESERVED + 1
        text = self._templates.templates[number - 1].text
        for _ in range(TRIES):
            line = _PLACEHOLDER.sub(lambda found: self._value(found[1], time), text)
            if self._templates.match(line) == number:
                return LogEvent(time, line, key)
        self.strange += 1
        return LogEvent(time, line, key)

    def _value(self, mask: str, time: datetime) -> str:
        if mask not in self._masks:  # words of the log that look like a placeholder
            return f"<{mask}>"
        value = VALUES.get(mask)
        if value is None:  # a mask of the user's own: what it hides is not known
            return f"{mask.lower()}{self._chance.randint(10, 99)}"
        return value(self._chance, time)

"""Sessions in, verdicts out: the pure heart of the service.

Session ─▶ event ids ─▶ surprise + novelty + distance ─▶ score
                               └─ where anomalous ─▶ kind, pattern, evidence, advice
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from model.advising import Adviser
from model.catalogue import Advice, Catalogue, load_catalogue
from model.detectors.protocol import Floats, samples
from model.deviation import deviation
from model.events import EncodedSession, Session, distinct
from model.explain import evidence, missing_texts, positions_to_show
from model.growing import GrowingScores, UnjudgedWhileOpen
from model.kinds import Kind
from model.late_classes import nearest_late
from model.nearest_template import NearestTemplate
from model.occlusion import until_lower
from model.optional_lines import optional_events
from model.patterns import PatternReading, read_pattern
from model.prototypes import prototype_of
from model.scoring import highest_of
from model.surprise import Surprise, expectations, highest_surprises, surprises
from model.trained import TrainedModel
from model.verdicts import Evidence, Verdict
from model.vocabulary import UNK, encode, event_ids

CHUNK = 2000
SHORT = 60
MAX_UNSEEN = 300
NORMAL = "normal"


@dataclass(frozen=True, slots=True)
class _Deviation:
    """All that is said of an anomalous session and follows from its event ids."""

    surprise: Surprise
    kind: Kind
    reading: PatternReading
    positions: Sequence[int]
    following: Sequence[Sequence[tuple[int, float]]]


class Classifier:
    """A trained model at work. Holds no state between calls."""

    def __init__(
        self,
        model: TrainedModel,
        *,
        device: torch.device | None = None,
        language: str = "en",
        catalogue: Catalogue | None = None,
        mask: Callable[[str], str] = str,
    ) -> None:
        """`mask` hides what is private in the names of kinds, before they are cut."""
        self.model = model
        self._mask = mask
        self._device = device or torch.device("cpu")
        self._classes = {c.class_id: c for c in model.known_classes}
        self.adviser = Adviser(
            catalogue or load_catalogue(), self._classes, language, mask
        )
        self._nearest = NearestTemplate(model.vocabulary)
        self._optional = optional_events(model.support)
        torch.set_flush_denormal(True)
        self._network = model.network_on(self._device)
        if model.kinds is not None:
            model.kinds.network.to(self._device)

    def classify(self, sessions: Sequence[Session]) -> list[Verdict]:
        """One verdict a session, in order. sessions (N) → N verdicts."""
        found: list[Verdict] = []
        for at in range(0, len(sessions), CHUNK):
            found.extend(self._classify(sessions[at : at + CHUNK]))
        return found

    def score(self, sessions: Sequence[EncodedSession]) -> list[float]:
        """The scores alone, for screening. sessions (N) → N scores.

        A session whose score is above `threshold` looks anomalous.
        """
        once, places = distinct(sessions)
        parts = [
            self._screened(part)
            for part in (once[at : at + CHUNK] for at in range(0, len(once), CHUNK))
        ]
        scores = np.concatenate([*parts, np.zeros(0)])
        return [float(scores[place]) for place in places]

    def growing(self, most: int) -> GrowingScores:
        """Scores for screening of sessions that are open, `most` of them at a time."""
        model = self.model
        whole = model.chosen is not None or model.presence is not None
        kind = UnjudgedWhileOpen if whole else GrowingScores
        return kind(self._network, model.support, model.calibration, self._device, most)

    @property
    def device(self) -> torch.device:
        """Where it computes; the model's networks are there, too."""
        return self._device

    @property
    def threshold(self) -> float:
        """The score past which a session is anomalous."""
        return self.model.calibration.threshold

    def event_ids(self, messages: Sequence[str]) -> list[int]:
        """The event ids of a page of messages; UNK where no template matches."""
        return event_ids(self.model.templates, messages)

    def _screened(self, sessions: Sequence[EncodedSession]) -> Floats:
        """The scores of a chunk; without the network where nobody asks it."""
        chosen = self.model.chosen
        if chosen is not None and not chosen.asks_model:
            return chosen.score(sessions)
        highest = np.zeros(len(sessions))
        if self.model.presence is None:
            highest = highest_surprises(self._network, sessions, self._device)
        own = self._joined(sessions, highest)
        return own if chosen is None else chosen.score(sessions, own)

    def _joined(self, sessions: Sequence[EncodedSession], highest: Floats) -> Floats:
        """The model's own scores, whoever else is asked."""
        chosen, calibration = self.model.chosen, self.model.calibration
        own = calibration.threshold if chosen is None else chosen.own_threshold
        return self.model.scores(sessions, highest, own)

    def _classify(self, sessions: Sequence[Session]) -> list[Verdict]:
        encoded = encode(sessions, self.model.templates)
        once, places = distinct(encoded)
        found = surprises(self._network, once, self._device)
        own = self._joined(once, highest_of(found))
        scores = own[places].tolist()
        if self.model.chosen is not None:
            lines = samples(sessions, self.model.templates)
            scores = self.model.chosen.score(lines, own[places]).tolist()
        flags = [score > self.threshold for score in scores]
        odd = sorted({i for i, flag in zip(places, flags, strict=True) if flag})
        deviations = dict(
            zip(
                odd,
                self._deviations(
                    [once[i] for i in odd],
                    [found[i] for i in odd],
                    own[odd].tolist(),
                ),
                strict=True,
            )
        )
        return [
            self._anomalous(session, once[i], score, deviations[i])
            if flag
            else self._normal(session, once[i], score)
            for session, i, score, flag in zip(
                sessions, places, scores, flags, strict=True
            )
        ]

    def _deviations(
        self,
        encoded: Sequence[EncodedSession],
        found: Sequence[Surprise],
        scores: Sequence[float],
    ) -> list[_Deviation]:
        support = self.model.support
        readings = [
            read_pattern(session, surprise, support)
            for session, surprise in zip(encoded, found, strict=True)
        ]
        positions = self._positions(encoded, found, readings, scores)
        following = expectations(self._network, encoded, positions, self._device)
        kinds = self._kinds(encoded, found)
        return [
            _Deviation(*each)
            for each in zip(found, kinds, readings, positions, following, strict=True)
        ]

    def _positions(
        self,
        encoded: Sequence[EncodedSession],
        found: Sequence[Surprise],
        readings: Sequence[PatternReading],
        scores: Sequence[float],
    ) -> list[Sequence[int]]:
        """Where the evidence of each is; without these lines its score is lower."""
        head, calibration = self.model.presence, self.model.calibration
        fence = calibration.surprise_fence * calibration.threshold
        positions = [
            positions_to_show(*each, () if head is None else head.lines(each[0]), fence)
            for each in zip(encoded, found, readings, strict=True)
        ]
        if self.model.chosen is not None:
            return positions  # what another detector would say is not asked again
        return until_lower(self._judge, encoded, scores, positions)

    def _judge(
        self, sessions: Sequence[EncodedSession]
    ) -> tuple[list[Surprise], Floats]:
        found = surprises(self._network, sessions, self._device)
        return found, self._joined(sessions, highest_of(found))

    def _kinds(
        self, encoded: Sequence[EncodedSession], found: Sequence[Surprise]
    ) -> list[Kind]:
        if self.model.kinds is None:
            return [Kind(None, 1.0) for _ in encoded]
        if self.model.presence is not None:
            return self.model.presence.kinds_of(encoded)
        return self.model.kinds.kinds(encoded, found, self._device)

    def _anomalous(
        self,
        session: Session,
        encoded: EncodedSession,
        score: float,
        odd: _Deviation,
    ) -> Verdict:
        kind, reading = odd.kind, odd.reading
        vocabulary = self.model.vocabulary
        lines = evidence(
            vocabulary, session, encoded, odd.surprise, odd.positions, odd.following
        )
        lines = self._nearest.shown(lines)
        missing = missing_texts(reading, vocabulary)
        kind = self._late(kind, lines, missing)
        known = self._classes.get(kind.class_id or "")
        subject = self._subject(session, encoded, reading)
        advice, topic = self.adviser.of_finding(known, reading.pattern, lines, subject)
        return self._verdict(
            session,
            encoded,
            score,
            anomaly=True,
            confidence=kind.confidence,
            class_id=known.class_id if known else reading.pattern,
            known=known is not None,
            pattern=reading.pattern,
            advice=advice,
            topic=topic,
            lines=lines,
            missing=missing,
            deviates=deviation(
                reading, session, encoded, vocabulary, self._unseen, self._optional
            ),
        )

    def _late(
        self, kind: Kind, lines: Sequence[Evidence], missing: Sequence[str]
    ) -> Kind:
        """The kind; of what fits none, the class that was taken on for its like."""
        late = self.model.lineage.late
        if kind.class_id is not None or not late:
            return kind
        shown = [(e.template, e.message, e.surprise_nats) for e in lines]
        found = nearest_late(late, prototype_of(shown, missing, self._unseen))
        return kind if found is None else Kind(found[0].class_id, 1.0 - found[1])

    def _normal(
        self, session: Session, encoded: EncodedSession, score: float
    ) -> Verdict:
        threshold = self.model.calibration.threshold
        return self._verdict(
            session,
            encoded,
            score,
            anomaly=False,
            confidence=1.0 - 0.5 * min(1.0, score / threshold),
            class_id=NORMAL,
            known=True,
            pattern=NORMAL,
            advice=Advice(NORMAL, "low", (), ""),
            topic=NORMAL,
            lines=(),
            missing=(),
        )

    def _subject(
        self, session: Session, encoded: EncodedSession, reading: PatternReading
    ) -> str:
        """What an unknown kind is named by: a template, or the new line, masked."""
        if reading.subject is None:
            return ""
        if reading.subject == UNK:
            first = session.events[encoded.ids.index(UNK)]
            return self._unseen(first.message)[:SHORT]
        return self._mask(self.model.vocabulary.text(reading.subject))[:SHORT]

    def _unseen(self, message: str) -> str:
        """A line that no template matches, without its values."""
        return self.model.templates.mask(self._mask(message))[:MAX_UNSEEN]

    def _verdict(
        self,
        session: Session,
        encoded: EncodedSession,
        score: float,
        *,
        anomaly: bool,
        confidence: float,
        class_id: str,
        known: bool,
        pattern: str,
        advice: Advice,
        topic: str,
        lines: tuple[Evidence, ...],
        missing: tuple[str, ...],
        deviates: tuple[str, ...] = (),
    ) -> Verdict:
        calibration = self.model.calibration
        last = session.events[-1]
        return Verdict(
            session=session.unit,
            key=session.key,
            window_start=session.window_start,
            start=session.start,
            end=session.end,
            events=len(session.events),
            anomaly=anomaly,
            score=score,
            threshold=calibration.threshold,
            risk=calibration.risk(score),
            confidence=confidence,
            class_id=class_id,
            known=known,
            pattern=pattern,
            class_name=advice.name,
            severity=advice.severity,
            advice=advice.advice,
            causes=advice.causes,
            unknown_ratio=encoded.ids.count(UNK) / len(encoded.ids),
            model_version=self.model.version,
            evidence=lines,
            missing=missing,
            service=last.service,
            host=last.host,
            closed=session.ends,
            topic=topic,
            deviation=deviates,
        )

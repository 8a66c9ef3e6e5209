"""Lines that no template matches, each with the template that is most like it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from model.texts import NearestText, TfidfTexts
from model.verdicts import Evidence
from model.vocabulary import UNK, Vocabulary

LIKE = 0.3


class NearestTemplate:
    """The templates of one model by their words, learned when first asked for."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._nearest: NearestText | None = None

    def shown(self, lines: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
        """The lines; those that no template matches with what they are most like."""
        unseen = self._vocabulary.text(UNK)
        strange = [line.message for line in lines if line.template == unseen]
        if not strange:
            return lines
        texts = self._vocabulary.texts
        if self._nearest is None:
            self._nearest = NearestText(TfidfTexts(), texts)
        found = iter(self._nearest.of(strange))
        return tuple(
            replace(line, nearest=_liked(texts, next(found)))
            if line.template == unseen
            else line
            for line in lines
        )


def _liked(texts: Sequence[str], found: tuple[int, float]) -> tuple[str, float] | None:
    place, cosine = found
    return (texts[place], cosine) if cosine >= LIKE else None

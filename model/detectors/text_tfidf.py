"""TF-IDF of the words of templates: the same words make lines alike."""

from __future__ import annotations

from model.detectors.text import TextDetector
from model.texts import TextEncoder, TfidfTexts


class TextTfidf(TextDetector):
    """By the words that they share."""

    name = "text-tfidf"

    def encoder(self) -> TextEncoder:
        """Weights of words."""
        return TfidfTexts()

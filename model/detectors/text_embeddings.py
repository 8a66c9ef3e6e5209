"""Sentence embeddings of templates by MiniLM: the same meaning makes lines alike.

Needs the extra `semantic`, whose weights come with it.
"""

from __future__ import annotations

from model.detectors.text import TextDetector
from model.texts import SentenceTexts, TextEncoder


class TextEmbeddings(TextDetector):
    """By what they say. Raises DetectorError where the extra is not installed."""

    name = "text-embeddings"

    def encoder(self) -> TextEncoder:
        """The network, loaded when it is first needed."""
        return SentenceTexts()

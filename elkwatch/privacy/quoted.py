"""What program logs and error lines quote of documents, masked like all excerpts.

What the configuration itself names is no excerpt: that Elasticsearch at 10.0.0.5 does
not answer must be said with its address.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from elkwatch import program_log
from elkwatch.config import Config
from elkwatch.config.secrets import SecretUrl
from elkwatch.privacy.mask import Masker


def mask_program_log(config: Config, key: bytes | None = None) -> None:
    """Mask, from now on, what this process logs and what its errors say."""
    if not config.privacy.mask:
        program_log.mask_excerpts(None)
        return
    finder = Masker(config.privacy.mask)
    known = {value for text in _texts(config) for value in finder.values(text)}
    program_log.mask_excerpts(Masker(config.privacy.mask, key, keep=known))


def _texts(value: Any) -> Iterator[str]:
    """Every text of a configuration that is no secret."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, SecretUrl):
        yield value.origin
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _texts(getattr(value, name))
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, tuple):
        for inner in value:
            yield from _texts(inner)
    elif hasattr(value, "host"):
        yield str(value)

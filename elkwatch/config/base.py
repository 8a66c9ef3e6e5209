"""What all sections of the configuration share."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class Settings(BaseModel):
    """What all sections share: frozen, no unknown keys, no input shown in errors."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        populate_by_name=False,
        protected_namespaces=(),
    )


def refuse_twice(what: str, names: Iterable[str]) -> None:
    """Raise ValueError if a name comes twice; `what` are the things named."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"two {what} are called {name!r}; give each its own name")
        seen.add(name)


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(
            f"expected a name of letters, digits, dots, dashes and underscores, "
            f"found {text!r}"
        )
    return text


Name = Annotated[str, AfterValidator(_name)]
FieldName = Annotated[str, Field(min_length=1, max_length=1024)]

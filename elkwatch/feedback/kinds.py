"""Which kinds feedback may name: what the model of a source knows, and the catalogue.

A name that nobody knows is a typing mistake, unless it is said to be new.
"""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from elkwatch.config import Config, source_named
from elkwatch.errors import FeedbackError
from elkwatch.privacy import Masker
from elkwatch.proposals.shown import shown
from model import (
    Advice,
    BundleError,
    LabelError,
    check_kind,
    load_bundle,
    load_catalogue,
)


def told_kinds(config: Config, source: str, language: str = "en") -> dict[str, Advice]:
    """Kind id → what people are told of it. Raises ConfigError, CatalogueError.

    Without the model (it may lie on another machine): the catalogue's alone.
    """
    catalogue = load_catalogue(config.catalogue)
    mask = Masker(config.privacy.mask).unnumbered
    rules = (rule.entry for rule in catalogue.rules)
    found = {entry.entry_id: entry.told_in(language) for entry in rules}
    model = source_named(config, source).model
    try:
        classes = load_bundle(Path(model)).known_classes if model is not None else ()
    except BundleError:
        classes = ()
    found.update(
        (c.class_id, c.entry.told_in(language, mask(c.about))) for c in classes
    )
    found.update((i, e.told_in(language)) for i, e in catalogue.classes.items())
    return found


def known_kinds(config: Config, source: str) -> dict[str, str]:
    """Kind id → English name. Raises ConfigError, CatalogueError."""
    return {kind: told.name for kind, told in told_kinds(config, source).items()}


def kind_named(name: str, known: dict[str, str], *, new: bool) -> str:
    """The id of a kind by id or name. Raises FeedbackError for one nobody knows."""
    by_name = {text.casefold(): kind for kind, text in known.items()}
    kind = name if name in known else by_name.get(name.casefold())
    if kind is not None:
        return kind
    if name.strip().casefold() in ("", "normal", "ignore"):
        raise FeedbackError(
            f"--kind {shown(name)} is no kind of trouble; what is normal is a "
            "--false-alarm"
        )
    if not new:
        near = get_close_matches(name, [*known, *known.values()], n=1)
        hint = f"; did you mean {shown(near[0])}?" if near else ""
        raise FeedbackError(
            f"--kind {shown(name)}: neither the model nor the catalogue knows it"
            f"{hint} (--new-kind to name a new one)"
        )
    try:
        check_kind(name, "--kind")
    except LabelError as error:
        raise FeedbackError(str(error)) from error
    return name

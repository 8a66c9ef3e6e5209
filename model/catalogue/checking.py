"""Every mistake of a catalogue file at once: what `elkwatch classes check` prints."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from model.catalogue.loading import (
    LANGUAGES,
    Catalogue,
    entry_from,
    load_catalogue,
    read_catalogue,
    rule_from,
)
from model.errors import CatalogueError

_TEXTS = ("name", "advice", "causes", "about")
_SECTIONS = ("patterns", "rules", "classes")


def check_catalogue(path: Path) -> list[str]:
    """All mistakes in a file, one line each; none in a good one.

    What can be used, but not as it was meant, is a mistake here: a text that is there
    in one language only. Raises CatalogueError where the file is no YAML at all.
    """
    body, where = read_catalogue(path), str(path)
    if not isinstance(body, Mapping):
        return [f"{where}: expected the sections {', '.join(_SECTIONS)}"]
    built_in = load_catalogue()
    found = [
        f"{where}: unknown section {name}; there are {', '.join(_SECTIONS)}"
        for name in map(str, body)
        if name not in _SECTIONS
    ]
    for section in _SECTIONS:
        entries = body.get(section) or {}
        if not isinstance(entries, Mapping):
            found.append(f"{where}: {section}: expected a mapping of ids to entries")
            continue
        for key, entry in entries.items():
            found += _mistakes(section, str(key), entry, where, built_in)
    return found


def _mistakes(
    section: str, key: str, entry: Any, where: str, built_in: Catalogue
) -> Iterator[str]:
    at = f"{where}: {section}"
    if not isinstance(entry, Mapping):
        yield f"{at}: {key}: expected name, severity, advice …"
        return
    if section == "patterns" and key not in built_in.patterns:
        yield f"{at}: {key} is none of {', '.join(built_in.patterns)}"
    read: Callable[..., Any] = rule_from if section == "rules" else entry_from
    try:
        read(key, entry, at)
    except CatalogueError as error:
        yield str(error)
    for name in _TEXTS:
        texts = entry.get(name)
        if isinstance(texts, Mapping):
            for language in LANGUAGES:
                if not texts.get(language):
                    yield (
                        f"{at}: {key}: {name} is not there in {language}; add it, or "
                        "write one text for all languages"
                    )

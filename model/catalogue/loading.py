"""Reads the catalogue's YAML files; every mistake in them is one clear line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import re2
import yaml

from model.catalogue.entries import Entry, Rule
from model.catalogue.joined_rules import first_match, rule_options
from model.errors import CatalogueError

LANGUAGES = ("en", "zh")
SEVERITIES = ("low", "medium", "high", "critical")
PATTERNS_FILE = "patterns.yml"
KEYS = ("name", "about", "severity", "causes", "advice", "runbook")
PACKS = (
    "postgresql.yml",
    "kubernetes.yml",
    "jvm.yml",
    "hadoop.yml",
    "http.yml",
    "linux.yml",
    "system.yml",
)

_LINK = re.compile(r"https?://[^\s<>\"]{1,500}")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Built-in kinds by pattern, rules in order, classes by id.

    The first `own` rules are the user's.
    """

    patterns: Mapping[str, Entry]
    rules: tuple[Rule, ...]
    classes: Mapping[str, Entry]
    own: int = 0

    def recognise(self, texts: Iterable[str]) -> Rule | None:
        """Users' rules first; of those that match any of the texts the most severe,
        of equally severe ones that of the first text.

        What waited, or failed after the first error, is often more surprising than the
        line that says what the trouble is.
        """
        lines = list(texts)
        for rules in (self.rules[: self.own], self.rules[self.own :]):
            tried = (first_match(rules, line) for line in lines)
            found = [rule for rule in tried if rule is not None]
            if found:
                return max(found, key=lambda r: SEVERITIES.index(r.entry.severity))
        return None


def load_catalogue(user_file: Path | None = None) -> Catalogue:
    """The built-in catalogue, with a user's YAML over it. Raises CatalogueError."""
    folder = resources.files("model.catalogue")
    patterns = _entries(
        _parse(folder.joinpath(PATTERNS_FILE).read_text("utf-8"), PATTERNS_FILE),
        PATTERNS_FILE,
    )
    rules: list[Rule] = []
    for pack in PACKS:
        text = folder.joinpath(pack).read_text("utf-8")
        rules.extend(_rules(_parse(text, pack), pack))
    classes: dict[str, Entry] = {}
    own_rules: list[Rule] = []
    if user_file is not None:
        own = read_catalogue(user_file)
        where = str(user_file)
        changed = _entries(_section(own, "patterns", where), where)
        for strange in sorted(set(changed) - set(patterns)):
            raise CatalogueError(
                f"{where}: patterns: {strange} is none of {', '.join(patterns)}"
            )
        patterns = patterns | changed
        own_rules = _rules(_section(own, "rules", where), where)
        classes = _entries(_section(own, "classes", where), where)
    return Catalogue(patterns, (*own_rules, *rules), classes, len(own_rules))


def entry_from(entry_id: str, body: Mapping[str, Any], where: str) -> Entry:
    """One entry from its YAML or JSON body. Raises CatalogueError."""
    strange = sorted(set(map(str, body)) - {*KEYS, "match"})
    if strange:
        raise CatalogueError(
            f"{where}: {entry_id}: unknown key {strange[0]}; an entry has "
            + ", ".join(KEYS)
            + ", a rule also match"
        )
    severity = body.get("severity", "medium")
    if severity not in SEVERITIES:
        raise CatalogueError(
            f"{where}: {entry_id}: severity {severity!r} is none of "
            + ", ".join(SEVERITIES)
        )
    return Entry(
        entry_id=entry_id,
        severity=severity,
        name=_texts(body, "name", entry_id, where),
        causes={
            language: _lines(value)
            for language, value in _by_language(body.get("causes") or [""]).items()
        },
        advice=_texts(body, "advice", entry_id, where),
        about=_texts(body, "about", entry_id, where) if body.get("about") else {},
        runbook=_runbook(body, entry_id, where),
    )


def _runbook(body: Mapping[str, Any], entry_id: str, where: str) -> str:
    """The link of an entry, empty where it has none."""
    link = body.get("runbook") or ""
    if not isinstance(link, str) or (link and not _LINK.fullmatch(link)):
        raise CatalogueError(
            f"{where}: {entry_id}: runbook is no link; write https://…, or leave it out"
        )
    return link


def _texts(
    body: Mapping[str, Any], key: str, entry_id: str, where: str
) -> dict[str, str]:
    value = body.get(key)
    texts = _by_language(value)
    if value is None or not all(isinstance(t, str) and t for t in texts.values()):
        raise CatalogueError(
            f"{where}: {entry_id}: {key} is missing or no text; "
            "write it as text, or as {en: …, zh: …}"
        )
    texts.setdefault("en", next(iter(texts.values())))
    return {language: str(text).strip() for language, text in texts.items()}


def _by_language(value: Any) -> dict[str, Any]:
    """`{en: …, zh: …}`, or one value for all languages, as a mapping."""
    if isinstance(value, Mapping):
        texts = dict(value)
        texts.setdefault("en", next(iter(texts.values()), ""))
        return texts
    return {"en": value}


def _lines(value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(str(v).strip() for v in values if v)


def _entries(body: Any, where: str) -> dict[str, Entry]:
    if not isinstance(body, Mapping):
        raise CatalogueError(f"{where}: expected a mapping of ids to entries")
    return {
        str(key): entry_from(str(key), _mapping(value, str(key), where), where)
        for key, value in body.items()
    }


def _rules(body: Any, where: str) -> list[Rule]:
    if not isinstance(body, Mapping):
        raise CatalogueError(f"{where}: expected a mapping of ids to rules")
    return [
        rule_from(str(key), _mapping(value, str(key), where), where)
        for key, value in body.items()
    ]


def rule_from(rule_id: str, body: Mapping[str, Any], where: str) -> Rule:
    """One rule from its YAML body. Raises CatalogueError."""
    pattern = body.get("match")
    if not isinstance(pattern, str) or not pattern:
        raise CatalogueError(
            f"{where}: {rule_id}: match is missing; write a regular expression "
            "that the log line contains"
        )
    try:
        compiled = re2.compile(pattern, rule_options())
    except re2.error as error:
        raise CatalogueError(
            f"{where}: {rule_id}: match {pattern!r} does not compile; it is RE2 "
            "syntax: no look-around, no back references"
        ) from error
    if compiled.search("") is not None:
        raise CatalogueError(
            f"{where}: {rule_id}: match {pattern!r} matches every line; narrow it"
        )
    return Rule(
        entry=entry_from(rule_id, body, where),
        pattern=pattern,
        matches=lambda text: compiled.search(text) is not None,
    )


def _mapping(value: Any, key: str, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise CatalogueError(f"{where}: {key}: expected name, severity, advice …")
    return value


def _section(body: Any, key: str, where: str) -> Any:
    sections = {"patterns", "rules", "classes"}
    if not isinstance(body, Mapping) or not set(body) <= sections:
        raise CatalogueError(
            f"{where}: expected the sections patterns, rules and classes, no others"
        )
    section = body.get(key)
    return {} if section is None else section


def read_catalogue(path: Path) -> Any:
    """The YAML of a file. Raises CatalogueError, also for an id that comes twice."""
    try:
        return _parse(path.read_text("utf-8-sig"), str(path))
    except OSError as error:
        raise CatalogueError(
            f"catalogue {path}: not readable ({error.strerror}); check the path"
        ) from error
    except UnicodeDecodeError as error:
        raise CatalogueError(
            f"catalogue {path}: not UTF-8 text; save it as YAML in UTF-8"
        ) from error


class _OnceEach(yaml.SafeLoader):
    """YAML whose mappings may not hold a key twice: the first would be lost."""

    def construct_mapping(
        self, node: yaml.MappingNode, deep: bool = False
    ) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            name = str(getattr(key, "value", ""))
            if name in seen:
                raise yaml.constructor.ConstructorError(
                    None,
                    None,
                    f"{name} comes twice; keep one of the two",
                    key.start_mark,
                )
            seen.add(name)
        return super().construct_mapping(node, deep)


def _parse(text: str, where: str) -> Any:
    try:
        return yaml.load(text, _OnceEach) or {}  # noqa: S506  # a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        said = getattr(error, "problem", None) or "it holds what no text does"
        raise CatalogueError(f"{where}{line}: not valid YAML: {said}") from error
    except (ValueError, RecursionError) as error:
        said = str(error) or type(error).__name__
        raise CatalogueError(f"{where}: not valid YAML: {said}") from error

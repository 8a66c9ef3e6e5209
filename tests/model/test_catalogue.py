from pathlib import Path

import pytest

from model import CatalogueError, load_catalogue
from model.catalogue import LANGUAGES, SEVERITIES


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "own.yml"
    path.write_text(text, "utf-8")
    return path


def test_every_entry_speaks_every_language() -> None:
    catalogue = load_catalogue()
    entries = [*catalogue.patterns.values(), *(r.entry for r in catalogue.rules)]
    assert len(entries) > 15
    for entry in entries:
        assert entry.severity in SEVERITIES
        for language in LANGUAGES:
            told = entry.told_in(language)
            assert told.name
            assert told.advice
            assert told.causes
            assert language in entry.name
            assert language in entry.advice


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("ERROR:  deadlock detected", "postgresql-deadlock"),
        ("could not extend file: No space left on device", "postgresql-disk-full"),
        ("java.lang.OutOfMemoryError: Java heap space", "out-of-memory"),
        ("dial tcp: connection refused", "connection-lost"),
    ],
)
def test_well_known_lines_are_recognised(line: str, rule: str) -> None:
    found = load_catalogue().recognise(["something else", line])
    assert found is not None
    assert found.entry.entry_id == rule


def test_a_name_says_what_it_is_about() -> None:
    missing = load_catalogue().patterns["missing-step"]
    assert missing.told_in("en", "BEGIN").name == "missing step after “BEGIN”"
    assert "BEGIN" in missing.told_in("zh", "BEGIN").name


def test_own_rules_come_first_and_own_entries_replace(tmp_path: Path) -> None:
    own = written(
        tmp_path,
        """
patterns:
  repetition: {name: a loop, severity: low, advice: break it}
rules:
  ours: {match: deadlock, name: our deadlock, advice: call Ada}
classes:
  c01: {name: the usual suspect, advice: wait}
""",
    )
    catalogue = load_catalogue(own)
    assert catalogue.patterns["repetition"].told_in("zh").name == "a loop"
    rule = catalogue.recognise(["deadlock detected"])
    assert rule is not None
    assert rule.entry.told_in("en").advice == "call Ada"
    built_in = catalogue.recognise(["No space left on device"])
    assert built_in is not None
    assert catalogue.classes["c01"].name["en"] == "the usual suspect"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("rules: [", "not valid YAML"),
        ("extra: {}", "sections patterns, rules and classes"),
        ("rules: {a: {name: x, advice: y}}", "match is missing"),
        ("rules: {a: {match: '(', name: x, advice: y}}", "does not compile"),
        ("patterns: {a: {advice: y}}", "name is missing"),
        ("patterns: {a: {name: x, advice: y, severity: awful}}", "is none of low"),
        ("patterns: {a: 5}", "expected name, severity"),
    ],
)
def test_mistakes_are_told_in_one_line(
    tmp_path: Path, text: str, complaint: str
) -> None:
    with pytest.raises(CatalogueError, match=complaint) as caught:
        load_catalogue(written(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_a_catalogue_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="check the path"):
        load_catalogue(tmp_path / "none.yml")

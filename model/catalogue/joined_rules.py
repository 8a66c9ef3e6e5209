"""Many rules tried at once: most lines are well known to none of them.

    text ─▶ one pattern of a block's rules joined ─ no ─▶ the next block
                └─ yes ─▶ its rules one by one, in order

That asks a dozen patterns where it would ask each of a hundred.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import re2

from model.catalogue.entries import Rule

BLOCK = 12


def first_match(rules: Sequence[Rule], text: str) -> Rule | None:
    """The first of the rules that matches the text."""
    data = text.encode("utf-8", "replace")
    blocks = _joined(tuple(rule.pattern for rule in rules))
    for number, joined in enumerate(blocks):
        if joined is None or joined.search(data) is not None:
            for rule in rules[number * BLOCK : (number + 1) * BLOCK]:
                if rule.matches(text):
                    return rule
    return None


def rule_options() -> Any:
    """How patterns of rules are read: capitals or not, errors told by us."""
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = False
    return options


@lru_cache(maxsize=4)
def _joined(patterns: tuple[str, ...]) -> list[Any]:
    """A pattern for each block; None where its patterns cannot be joined."""
    return [
        _alternatives(patterns[at : at + BLOCK])
        for at in range(0, len(patterns), BLOCK)
    ]


def _alternatives(patterns: Sequence[str]) -> Any:
    try:
        return re2.compile("|".join(f"(?:{p})" for p in patterns), rule_options())
    except re2.error:
        return None

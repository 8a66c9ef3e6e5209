"""Templates that are one event, merged when a miner is frozen.

The miner keeps templates apart that differ in one word, so that while it learns an id
never depends on what came before. Which of those words were values is clearer when all
is seen. Three steps, each to templates with the same number of tokens:

1. Collapse: neighbouring values (also with `,` or `;` between) are a list, a list is
   one value; so is a group of tokens with a value in it that is repeated at once.
2. Pairs: templates with three `key=value` or more that differ only in such values.
3. Columns: templates that agree in all tokens but one. That one is a value if all are
   values already, or if enough of the rest says what happened and it looks like one:
   it takes many values, or three that look like identifiers, or values and words.
   Largest groups first, until nothing changes; then templates that a merged one covers
   are taken into it.

Yes and no, on and off, up and down are what happened: such words are no values.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from model.templates.tokens import WILDCARD, is_punctuation, is_value, is_word

VALUE = "<VALUE>"
Key = tuple[str, ...]

MANY = 5
MANY_BY_ONE_WORD = 10
OUTCOMES_MORE = 5
BY_NOUN = 3
IDENTIFIERS = 3
PAIRS = 3
CONTEXT = 2

_IDENTIFIER = re.compile(r"\S[./@$#\\~]\S|\d")
_OUTCOMES = frozenset(
    re.findall(
        r"\w+",
        """
        true false yes no on off ok null none enabled disabled enable disable success
        succeeded failure failed up down start started stop stopped open opened close
        closed allow allowed deny denied accept accepted reject rejected connected
        disconnected paused resumed active inactive online offline
        """,
    )
)

_NOUNS = frozenset(
    re.findall(
        r"\w+",
        """
        user username account host hostname server client node device disk interface
        volume service unit process thread job task container pod image class package
        module file directory database table topic queue group role zone
        """,
    )
)

_ENCLOSING = frozenset(['""', "''", "()", "[]", "{}", "<>", "“”", "「」", "【】"])


class Piece(NamedTuple):
    """One token of a template: as merged, as shown, with or without a space before."""

    key: str
    shown: str
    space: str


@dataclass(slots=True)
class Merged:
    """Templates that are one event: which clusters, and by which rules they came."""

    key: Key
    clusters: list[int] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)


def pieces(tokens: Sequence[str], spacing: str) -> list[Piece]:
    """Tokens of one template, lists and repetitions collapsed."""
    return _without_repeats(
        _without_lists(
            Piece(_key(token), token, space)
            for token, space in zip(tokens, spacing, strict=True)
        )
    )


def merge(templates: Mapping[Key, Sequence[int]]) -> list[Merged]:
    """Collapsed templates with their clusters → events, by their first cluster."""
    live = {key: Merged(key, list(ids)) for key, ids in templates.items()}
    _merge_pairs(live)
    while _merge_columns(live):
        pass
    _absorb(live)
    for event in live.values():
        event.clusters.sort()
    return sorted(live.values(), key=lambda event: event.clusters[0])


def _key(token: str) -> str:
    """All placeholders are alike: the type of a value does not make an event."""
    return VALUE if is_value(token) and token != WILDCARD else token


def _without_lists(tokens: Iterable[Piece]) -> list[Piece]:
    found: list[Piece] = []
    for piece in tokens:
        if is_value(piece.key):
            if len(found) > 1 and found[-1].key in ",;" and is_value(found[-2].key):
                found.pop()
            if found and is_value(found[-1].key):
                found[-1] = _joined(found[-1], piece)
                continue
        found.append(piece)
    return found


def _joined(first: Piece, second: Piece) -> Piece:
    key = VALUE if first.key == second.key == VALUE else WILDCARD
    shown = first.shown if first.shown == second.shown else WILDCARD
    return Piece(key, shown, first.space)


def _without_repeats(found: list[Piece]) -> list[Piece]:
    for length in range(2, 6):
        keys = [piece.key for piece in found]
        kept, at = [], 0
        while at < len(found):
            run = keys[at : at + length]
            after = at + length
            while keys[after : after + length] == run:
                after += length
            if after > at + length and any(map(is_value, run)):
                kept += found[at : at + length]
                at = after
            else:
                kept.append(found[at])
                at += 1
        found = kept
    return found


def _merge_pairs(live: dict[Key, Merged]) -> None:
    groups: dict[Key, list[Key]] = defaultdict(list)
    for key in live:
        assigned = [
            at
            for at in range(2, len(key))
            if key[at - 1] == "="
            and is_word(key[at - 2])
            and not is_punctuation(key[at])
        ]
        if len(assigned) >= PAIRS:
            groups[_wild(key, assigned)].append(key)
    for merged, keys in groups.items():
        if len(keys) >= IDENTIFIERS:
            _join(live, merged, keys, "values of key=value pairs")


def _merge_columns(live: dict[Key, Merged]) -> bool:
    """One pass over all groups, largest first. Whether anything was merged."""
    groups: dict[tuple[int, Key], list[Key]] = defaultdict(list)
    for key in live:
        for at, token in enumerate(key):
            if not is_punctuation(token):
                groups[at, key[:at] + key[at + 1 :]].append(key)
    changed = False
    several = [(place, keys) for place, keys in groups.items() if len(keys) > 1]
    for (at, rest), keys in sorted(several, key=lambda group: -len(group[1])):
        left = [key for key in keys if key in live]
        values = {key[at] for key in left}
        if len(values) < 2:
            continue
        rule = _rule(values, rest, at)
        if rule:
            said = f"token {at + 1} varies: {rule}"
            _join(live, (*rest[:at], WILDCARD, *rest[at:]), left, said)
            changed = True
    return changed


def _rule(values: set[str], rest: Key, at: int) -> str | None:
    """Why these tokens are values of one column; None where they are not."""
    words = [value for value in values if not is_value(value)]
    if not words:
        return "all are values"
    context = sum(map(is_word, rest))
    named = _named(rest, at)
    if context == 1 and named and len(values) >= MANY_BY_ONE_WORD:
        return f"{len(values)} different ones"
    if context < CONTEXT:
        return None
    tells = any(map(_is_outcome, words))
    if len(values) >= (MANY if named else MANY + 1) + tells * OUTCOMES_MORE:
        return f"{len(values)} different ones"
    noun = _noun(rest, at)
    if noun in _NOUNS and len(values) >= BY_NOUN and not tells:
        return f"after {noun}"
    if _enclosed(rest, at) and len(values) >= BY_NOUN and not tells:
        return "alone between quotes or brackets"
    if len(values) >= IDENTIFIERS and all(
        is_value(value) or _IDENTIFIER.search(value) for value in values
    ):
        return "all look like identifiers"
    if len(words) < len(values) and named and not tells:
        return "values and words"
    return None


def _named(rest: Key, at: int) -> bool:
    """Whether a word stands before this place, as the name of what follows."""
    before = at - 1
    while before >= 0 and rest[before] in ":=\"'":
        before -= 1
    return before >= 0 and is_word(rest[before])


def _noun(rest: Key, at: int) -> str:
    """The word just before this place, small."""
    return rest[at - 1].lower() if at else ""


def _enclosed(rest: Key, at: int) -> bool:
    """Whether this place is all that stands between quotes or brackets."""
    return 0 < at < len(rest) and rest[at - 1] + rest[at] in _ENCLOSING


def _is_outcome(word: str) -> bool:
    return word.lower() in _OUTCOMES


def _absorb(live: dict[Key, Merged]) -> None:
    """A template that a merged one covers, by values it could take, is the same."""
    table = Patterns(live)
    for key in list(live):
        wider = next((k for k in table.covering(key) if _may_absorb(k, key)), None)
        if wider is not None and wider in live:
            _join(live, wider, [wider, key], "covered by the wildcards")


def _may_absorb(wider: Key, key: Key) -> bool:
    return wider != key and all(
        mine != WILDCARD or (not _is_outcome(token) and not is_punctuation(token))
        for mine, token in zip(wider, key, strict=True)
    )


def _wild(key: Key, places: Iterable[int]) -> Key:
    changed = list(key)
    for at in places:
        changed[at] = WILDCARD
    return tuple(changed)


def _join(live: dict[Key, Merged], merged: Key, keys: Sequence[Key], rule: str) -> None:
    event = Merged(merged)
    for key in dict.fromkeys([merged, *keys]):
        part = live.pop(key, None)
        if part is not None:
            event.clusters += part.clusters
            event.rules += part.rules
    event.rules.append(rule)
    live[merged] = event


class Patterns:
    """Which of many keys with wildcards cover a key. Work: the sets of places."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._keys = set(keys)
        places: dict[int, set[tuple[int, ...]]] = defaultdict(set)
        for key in self._keys:
            at = tuple(i for i, token in enumerate(key) if token == WILDCARD)
            if at:
                places[len(key)].add(at)
        self._places = {
            length: sorted(sets, key=lambda at: (len(at), at))
            for length, sets in places.items()
        }

    def covering(self, key: Key) -> Iterable[Key]:
        """The keys that cover this one, fewest wildcards first; itself, if there."""
        if key in self._keys:
            yield key
        for at in self._places.get(len(key), ()):
            wider = _wild(key, at)
            if wider in self._keys and wider != key:
                yield wider

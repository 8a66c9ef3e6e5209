"""Frozen templates: what a bundle holds of the miner. They match and never change.

    masked text ─▶ tokens, collapsed ─▶ a template has just these ─────────▶ template id
                                           └─ no ─▶ the narrowest that covers them

Matching is exact: a value matches a value of any type, a wildcard `<*>` (a word that
merging found to be one) matches any token. There is no similarity: what was never seen
is 0. The state is our own JSON; drain3's own snapshots are pickles, which run code when
they are loaded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from model.errors import BundleError
from model.templates.lookup import Lookup, OddMessages
from model.templates.masks import Mask
from model.templates.merging import Key, Merged, Patterns, Piece, merge, pieces
from model.templates.shapes import Bounded
from model.templates.tokens import WILDCARD, readable, spaces, split

CACHE_SIZE = 100_000
TEXTS_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster of the miner: its tokens, and before which the text has a space."""

    cluster_id: int
    size: int
    tokens: tuple[str, ...]
    spacing: str


@dataclass(frozen=True, slots=True)
class Template:
    """A log template: its id, how many lines made it, its text.

    `rules` say how several clusters of the miner became this one.
    """

    template_id: int
    size: int
    text: str
    rules: tuple[str, ...] = ()


class FrozenTemplates:
    """Message → template id. Ids count from 1; 0 is *no template*."""

    def __init__(
        self,
        templates: Sequence[Template],
        keys: Mapping[Key, int],
        *,
        masks: tuple[Mask, ...] = (),
        cache_size: int = CACHE_SIZE,
    ) -> None:
        self.templates = tuple(templates)
        self.masks = masks
        self._keys = dict(keys)
        self._patterns = Patterns(self._keys)
        self._masked: Bounded[int] = Bounded(cache_size)
        self._lookup: Lookup[int] = Lookup(masks, self._match, cache_size)
        self._texts: Lookup[str] = Lookup(masks, str, TEXTS_KEPT)

    @classmethod
    def of(
        cls, clusters: Sequence[Cluster], masks: tuple[Mask, ...] = ()
    ) -> FrozenTemplates:
        """The clusters of a miner, merged."""
        members: dict[Key, list[int]] = {}
        rows: dict[int, list[Piece]] = {}
        sizes = {cluster.cluster_id: cluster.size for cluster in clusters}
        for cluster in clusters:
            row = pieces(cluster.tokens, cluster.spacing)
            rows[cluster.cluster_id] = row
            key = tuple(piece.key for piece in row)
            members.setdefault(key, []).append(cluster.cluster_id)
        events = merge(members)
        templates, ids = [], {}
        for number, event in enumerate(events, start=1):
            ids.update(dict.fromkeys(event.clusters, number))
            size = sum(sizes[cluster] for cluster in event.clusters)
            text = _text(event, rows)
            templates.append(Template(number, size, text, tuple(event.rules)))
        keys = {event.key: number for number, event in enumerate(events, start=1)}
        keys |= _told_apart(keys, {key: ids[m[0]] for key, m in members.items()})
        return cls(templates, keys, masks=masks)

    @property
    def odd(self) -> OddMessages:
        """What was odd about messages that were matched."""
        return self._lookup.odd

    @property
    def digest(self) -> str:
        """Names the masks: ids are only comparable where it is the same."""
        return self._lookup.masker.digest

    def match(self, message: object) -> int:
        """The template id of a message; 0 where none matches."""
        return self._lookup.page((message,))[0]

    def match_all(self, messages: Sequence[object]) -> list[int]:
        """The template ids of a page of messages, in order."""
        return self._lookup.page(messages)

    def mask(self, message: object) -> str:
        """What is left of a message: bounded, masked, one line."""
        return self._texts.page((message,))[0]

    def explain(self, message: object) -> list[tuple[str, str]]:
        """The steps that changed a message, in order, with what each left."""
        return self._lookup.explain(message)

    def state(self) -> dict[str, Any]:
        """All that `from_state` needs, as plain JSON values."""
        return {
            "digest": self.digest,
            "masks": [{"name": m.name, "pattern": m.pattern} for m in self.masks],
            "templates": [[t.size, t.text, list(t.rules)] for t in self.templates],
            "keys": [[number, *key] for key, number in self._keys.items()],
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> FrozenTemplates:
        """Templates as `state` described them. Raises BundleError."""
        try:
            found = cls(
                [
                    Template(number, int(size), _str(text), tuple(map(_str, rules)))
                    for number, (size, text, rules) in enumerate(
                        state["templates"], start=1
                    )
                ],
                {tuple(map(_str, key)): int(n) for n, *key in state["keys"]},
                masks=tuple(Mask(m["name"], m["pattern"]) for m in state["masks"]),
            )
            known = set(range(1, len(found.templates) + 1))
            if not set(found._keys.values()) <= known:
                raise ValueError("a key of no template")
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(
                f"its templates are not readable ({error!r}); train it again"
            ) from error
        if found.digest != state.get("digest"):
            raise BundleError(
                "its templates were made with other masks than this elkwatch has; "
                "train it again, or use the elkwatch that wrote it"
            )
        return found

    def _match(self, masked: str) -> int:
        """The template id of a masked text, which many shapes share."""
        name = masked.encode("utf-8", "surrogatepass")
        number = self._masked.known.get(name)
        if number is None:
            tokens = split(masked)
            row = pieces(tokens, spaces(masked, tokens))
            key = tuple(piece.key for piece in row)
            number = next((self._keys[k] for k in self._patterns.covering(key)), 0)
            self._masked.put(name, number)
        return number


def _told_apart(
    events: Mapping[Key, int], members: Mapping[Key, int]
) -> dict[Key, int]:
    """The members that the keys of all events would give another id.

    Only these are kept: a member holds words that merging found to be values.
    """
    table = Patterns(events)
    return {
        key: number
        for key, number in members.items()
        if events[next(iter(table.covering(key)))] != number
    }


def _text(event: Merged, rows: Mapping[int, Sequence[Piece]]) -> str:
    """What a person reads: where the clusters differ, the wildcard."""
    first = rows[event.clusters[0]]
    columns = zip(*(rows[cluster] for cluster in event.clusters), strict=True)
    shown = [
        column[0].shown if len({p.shown for p in column}) == 1 else WILDCARD
        for column in columns
    ]
    return readable(shown, "".join(piece.space for piece in first))


def _str(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("tokens must be text")
    return value

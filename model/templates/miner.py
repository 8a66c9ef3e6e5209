"""Log templates by drain3 over masked messages.

    message ─▶ first lines ─▶ masks ─▶ tokens ─▶ drain3 tree ─▶ template id

The miner learns while a model is trained and is frozen in its bundle: a frozen one
only matches, so that an id never changes its meaning. Its state is our own JSON
(id, size, tokens); drain3's own snapshots are pickles, which run code when loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from drain3.drain import Drain, LogCluster

from model.errors import BundleError
from model.templates.masks import Mask, Masker

WILDCARD = "<*>"
MAX_CHARS = 8192
MAX_TOKENS = 256
STACK_LINES = 4


@dataclass(frozen=True, slots=True)
class MinerConfig:
    """How messages become templates. Caps bound memory whatever comes in."""

    similarity: float = 0.7
    depth: int = 5
    max_children: int = 100
    max_templates: int = 10_000
    max_per_length: int = 2_000
    cache_size: int = 100_000
    masks: tuple[Mask, ...] = ()


@dataclass(frozen=True, slots=True)
class Template:
    """A log template: its id in the miner, how many lines made it, its text."""

    template_id: int
    size: int
    text: str


class TemplateMiner:
    """Message → template id, learning or frozen.

    Ids count from 1 in order of first sight; 0 means *no template* (a message that
    matches none, or that came when the caps were reached).
    """

    def __init__(self, config: MinerConfig | None = None) -> None:
        self.config = config or MinerConfig()
        self.overflow = 0
        self._masker = Masker(self.config.masks)
        self._drain = _new_drain(self.config)
        self._per_length: dict[int, int] = {}
        self._cache: dict[str, int] = {}

    def learn(self, message: str) -> int:
        """The template id of a message, taking it into account. 0 at the caps."""
        masked = self.mask(message)
        self._cache.clear()
        if self._full(masked):
            self.overflow += 1
            return self._match(masked)
        cluster, change = self._drain.add_log_message(masked)
        if change == "cluster_created":
            length = len(cluster.log_template_tokens)
            self._per_length[length] = self._per_length.get(length, 0) + 1
        return int(cluster.cluster_id)

    def match(self, message: str) -> int:
        """The template id of a message; changes nothing. 0 where none matches."""
        found = self._cache.get(message)
        if found is None:
            found = self._match(self.mask(message))
            if len(self._cache) >= self.config.cache_size:
                self._cache.clear()
            self._cache[message] = found
        return found

    def mask(self, message: str) -> str:
        """What the tree sees of a message: bounded, masked, one line."""
        text = self._masker(fold_lines(message))
        tokens = text.replace(WILDCARD, "<ANY>").split()
        return " ".join(tokens[:MAX_TOKENS])

    def explain(self, message: str) -> list[tuple[str, str]]:
        """The masks that touched a message, in order, with what each left."""
        return self._masker.explain(fold_lines(message))

    def templates(self) -> list[Template]:
        """All templates, by id."""
        return [
            Template(cluster.cluster_id, cluster.size, cluster.get_template())
            for cluster in sorted(self._drain.clusters, key=lambda c: c.cluster_id)
        ]

    def state(self) -> dict[str, Any]:
        """All that `from_state` needs, as plain JSON values."""
        return {
            "similarity": self.config.similarity,
            "depth": self.config.depth,
            "max_children": self.config.max_children,
            "max_templates": self.config.max_templates,
            "max_per_length": self.config.max_per_length,
            "masks": [
                {"name": m.name, "pattern": m.pattern} for m in self.config.masks
            ],
            "clusters": [
                [c.cluster_id, c.size, list(c.log_template_tokens)]
                for c in sorted(self._drain.clusters, key=lambda c: c.cluster_id)
            ],
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> TemplateMiner:
        """A miner as `state` described it. Raises BundleError."""
        try:
            miner = cls(_config(state))
            for cluster_id, size, tokens in state["clusters"]:
                miner._restore(int(cluster_id), int(size), tokens)
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(
                f"the templates of this bundle are not readable ({error!r}); "
                "train it again"
            ) from error
        return miner

    def _restore(self, cluster_id: int, size: int, tokens: list[str]) -> None:
        if not all(isinstance(token, str) for token in tokens):
            raise TypeError("tokens must be text")
        cluster = LogCluster(tokens, cluster_id)
        cluster.size = size
        self._drain.id_to_cluster[cluster_id] = cluster
        self._drain.add_seq_to_prefix_tree(self._drain.root_node, cluster)
        counter = max(self._drain.clusters_counter, cluster_id)
        self._drain.clusters_counter = counter
        self._per_length[len(tokens)] = self._per_length.get(len(tokens), 0) + 1

    def _match(self, masked: str) -> int:
        cluster = self._drain.match(masked, full_search_strategy="fallback")
        return 0 if cluster is None else int(cluster.cluster_id)

    def _full(self, masked: str) -> bool:
        if self._drain.clusters_counter >= self.config.max_templates:
            return True
        length = masked.count(" ") + 1
        return self._per_length.get(length, 0) >= self.config.max_per_length


def fold_lines(message: str) -> str:
    """A message of many lines → its first line and the top of its stack."""
    if len(message) > MAX_CHARS:
        message = message[:MAX_CHARS]
    if not message.isascii():
        message = message.encode("utf-8", "replace").decode("utf-8")
    if "\n" not in message:
        return message
    lines = [line for line in message.splitlines() if line.strip()]
    return " ".join(lines[:STACK_LINES])


def _new_drain(config: MinerConfig) -> Drain:
    return Drain(
        depth=config.depth,
        sim_th=config.similarity,
        max_children=config.max_children,
        param_str=WILDCARD,
    )


def _config(state: Mapping[str, Any]) -> MinerConfig:
    return MinerConfig(
        similarity=float(state["similarity"]),
        depth=int(state["depth"]),
        max_children=int(state["max_children"]),
        max_templates=int(state["max_templates"]),
        max_per_length=int(state["max_per_length"]),
        masks=tuple(Mask(m["name"], m["pattern"]) for m in state["masks"]),
    )

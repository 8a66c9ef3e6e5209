"""Log templates by drain3 over masked messages.

    message ─▶ shape seen before? ──────────────────────────────┐
                   └─▶ one line ─▶ masks ─▶ tokens ─▶ drain3 ─▶ cluster

The miner learns while a model is trained; `freeze` makes the templates of a bundle out
of its clusters (frozen.py). Its clusters are those of drain3 that is given every line
with the same masks, one by one: drain3 is only left out where it is known what it would
answer, and that it would change nothing but a count.

drain3's answer for a line holds until a template changes in the leaf that the line
leads to, or a cluster with as many tokens is created; `_Leaf.version` counts those. At
similarity 1, the default, it holds for ever (exact_drain.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from drain3.drain import LogCluster, Node

from model.templates.exact_drain import ExactDrain, LeafDrain
from model.templates.frozen import Cluster, FrozenTemplates
from model.templates.lookup import Lookup, OddMessages
from model.templates.masks import Mask
from model.templates.shapes import Bounded
from model.templates.tokens import WILDCARD, spaces, split


@dataclass(frozen=True, slots=True)
class MinerConfig:
    """How messages become templates. Caps bound memory whatever comes in.

    `similarity` 1.0 keeps lines apart that differ in one word; what is one event is
    merged when all is seen (merging.py).
    """

    similarity: float = 1.0
    depth: int = 5
    max_children: int = 100
    max_templates: int = 10_000
    max_per_length: int = 2_000
    max_per_leaf: int = 300
    cache_size: int = 100_000
    masks: tuple[Mask, ...] = ()


@dataclass(slots=True)
class _Leaf:
    version: int = 0


@dataclass(slots=True, eq=False)
class _Line:
    """A masked line, and drain3's answer for it as of a version of its leaf."""

    text: str
    spacing: str
    cluster: LogCluster
    leaf: _Leaf
    version: int = -1


_NOTHING = LogCluster((), 0)


class TemplateMiner:
    """Message → cluster id, learning. Not shared between threads.

    Ids count from 1 in order of first sight; 0 means *no cluster*: the caps were
    reached, and `overflow` counts such messages.
    """

    def __init__(self, config: MinerConfig | None = None) -> None:
        self.config = config or MinerConfig()
        self.overflow = 0
        self._exact = self.config.similarity >= 1
        self._drain = _drain(self.config)
        self._spacing: dict[int, str] = {}
        self._leaves: dict[int, dict[Node, _Leaf]] = {}
        self._per_length: dict[int, int] = {}
        size = self.config.cache_size
        self._lines: Bounded[_Line] = Bounded(size)
        self._lookup: Lookup[_Line] = Lookup(self.config.masks, self._line, size)

    @property
    def odd(self) -> OddMessages:
        """What was odd about messages that were learned."""
        return self._lookup.odd

    def learn(self, message: object) -> int:
        """The cluster id of a message, taking it into account. 0 at the caps."""
        return self.learn_all((message,))[0]

    def learn_all(self, messages: Sequence[object]) -> list[int]:
        """The cluster ids of a page of messages, in order, taking them into account."""
        ids = []
        for line in self._lookup.page(messages):
            if line.version == line.leaf.version:
                cluster = line.cluster
                cluster.size += 1
                ids.append(cluster.cluster_id)
            else:
                ids.append(self._ask(line))
        return ids

    def clusters(self) -> list[Cluster]:
        """What drain3 holds, by id."""
        return [
            Cluster(
                cluster.cluster_id,
                cluster.size,
                tuple(cluster.log_template_tokens),
                self._spacing[cluster.cluster_id],
            )
            for cluster in sorted(self._drain.clusters, key=lambda c: c.cluster_id)
        ]

    def freeze(self) -> FrozenTemplates:
        """The templates that were learned, merged; the miner may learn on."""
        return FrozenTemplates.of(self.clusters(), self.config.masks)

    def branch(self, message: object) -> list[str]:
        """The way of a message through drain3's tree to a leaf, for people."""
        tokens = split(self._lookup.masked(message))
        node: Node | None = self._drain.root_node.key_to_child_node.get(
            str(len(tokens))
        )
        path = [f"{len(tokens)} tokens"]
        for token in tokens[: self._inner(len(tokens))]:
            if node is None:
                break
            found = token if token in node.key_to_child_node else WILDCARD
            node = node.key_to_child_node.get(found)
            path.append(found if node is not None else f"no branch for {token}")
        return path

    def _line(self, masked: str) -> _Line:
        tokens = split(masked)
        text = " ".join(tokens)
        line = self._lines.known.get(text.encode())
        if line is None:
            line = _Line(text, spaces(masked, tokens), _NOTHING, _Leaf())
            self._lines.put(text.encode(), line)
        return line

    def _ask(self, line: _Line) -> int:
        """drain3's answer, as if there were no cache; kept if it changed nothing."""
        drain, tokens = self._drain, line.text.split()
        if self._full(tokens):
            overflows = drain.tree_search(
                drain.root_node, tokens, self.config.similarity, include_params=False
            )
            if overflows is None:
                self.overflow += 1
                return 0
        cluster, change = drain.add_log_message(line.text)
        if change == "cluster_created":
            self._created(cluster, line)
        elif change == "cluster_template_changed":
            self._leaf(tokens).version += 1
        else:
            line.cluster, line.leaf = cluster, self._leaf(tokens)
            line.version = line.leaf.version
        return int(cluster.cluster_id)

    def _created(self, cluster: LogCluster, line: _Line) -> None:
        length = len(cluster.log_template_tokens)
        self._spacing[cluster.cluster_id] = line.spacing
        self._per_length[length] = self._per_length.get(length, 0) + 1
        node = self._node(cluster.log_template_tokens)
        assert node is not None  # drain3 has just put the cluster there
        self._drain.keep(node, cluster)
        if not self._exact:  # the line may be led to another leaf from now on
            for leaf in self._leaves.get(length, {}).values():
                leaf.version += 1

    def _leaf(self, tokens: Sequence[str]) -> _Leaf:
        """The leaf in which drain3 looks for these tokens; there is one."""
        node = self._node(tokens)
        assert node is not None  # drain3 has just found a cluster in it
        return self._leaves.setdefault(len(tokens), {}).setdefault(node, _Leaf())

    def _node(self, tokens: Sequence[str]) -> Node | None:
        node: Node | None = self._drain.root_node.key_to_child_node.get(
            str(len(tokens))
        )
        for token in tokens[: self._inner(len(tokens))]:
            if node is None:
                return None
            child = node.key_to_child_node
            node = child.get(token) or child.get(WILDCARD)
        return node

    def _by_length(self, length: int) -> Node | None:
        found: Node | None = self._drain.root_node.key_to_child_node.get(str(length))
        return found

    def _inner(self, length: int) -> int:
        """How many tokens drain3 walks before it looks at the clusters of a leaf."""
        return min(self.config.depth - 2, length) - 1

    def _full(self, tokens: Sequence[str]) -> bool:
        config = self.config
        if self._drain.clusters_counter >= config.max_templates:
            return True
        if self._per_length.get(len(tokens), 0) >= config.max_per_length:
            return True
        node = self._node(tokens)
        return node is not None and self._drain.size(node) >= config.max_per_leaf


def _drain(config: MinerConfig) -> LeafDrain:
    if config.similarity >= 1:
        return ExactDrain(config.depth, config.max_children)
    return LeafDrain(
        config.depth, config.similarity, config.max_children, param_str=WILDCARD
    )

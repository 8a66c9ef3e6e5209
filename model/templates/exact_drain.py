"""drain3 at similarity 1: the cluster of a line is the one with its very tokens.

drain3 compares a line with each cluster of its leaf, and copies the leaf for each new
cluster: with 100,000 templates that is the square of them. At similarity 1 nothing but
equal tokens is similar enough, no template ever changes, and a line that found a
cluster finds it for ever: tokens that were put below a wildcard get no branch of their
own any more. So a table of tokens gives the same answers. Lines that hold the wildcard
itself are like nothing, to drain3, and make a cluster each time.
"""

from __future__ import annotations

from collections import Counter

from drain3.drain import Drain, LogCluster, Node

from model.templates.tokens import WILDCARD


class LeafDrain(Drain):  # type: ignore[misc]  # drain3 has no types
    """drain3 that tells how many clusters a leaf holds."""

    def size(self, leaf: Node) -> int:
        """How many clusters a leaf holds."""
        return len(leaf.cluster_ids)

    def keep(self, leaf: Node, cluster: LogCluster) -> None:
        """Told of a new cluster and its leaf."""


class ExactDrain(LeafDrain):
    """drain3 at similarity 1."""

    def __init__(self, depth: int, max_children: int) -> None:
        super().__init__(depth, 1.0, max_children, param_str=WILDCARD)
        self._known: dict[tuple[str, ...], LogCluster] = {}
        self._sizes: Counter[Node] = Counter()

    def tree_search(
        self, root_node: Node, tokens: list[str], sim_th: float, include_params: bool
    ) -> LogCluster | None:
        """The cluster with these tokens."""
        return self._known.get(tuple(tokens))

    def size(self, leaf: Node) -> int:
        """How many clusters a leaf holds."""
        return self._sizes[leaf]

    def keep(self, leaf: Node, cluster: LogCluster) -> None:
        """Knows a new cluster by its tokens; its leaf need not list it."""
        self._sizes[leaf] += 1
        leaf.cluster_ids = []
        if WILDCARD not in cluster.log_template_tokens:
            self._known[cluster.log_template_tokens] = cluster

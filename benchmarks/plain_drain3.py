"""The anchor of templates: drain3 as its users run it, with the same masks as ours.

drain3's own TemplateMiner, fed line by line; the masks are its masking instructions, on
Python's regular expressions, and the last instruction puts spaces around punctuation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from drain3 import TemplateMiner
from drain3.masking import MaskingInstruction
from drain3.template_miner_config import TemplateMinerConfig

from model.templates.masks import BUILT_IN, Mask
from model.templates.miner import MinerConfig
from model.templates.tokens import SPLIT


class LeadInstruction:
    """A masking instruction that leaves its pattern's first group in place."""

    def __init__(self, pattern: str, mask_with: str) -> None:
        self.mask_with = mask_with
        self.regex = re.compile(pattern)

    def mask(self, content: str, mask_prefix: str, mask_suffix: str) -> str:
        """The content with every match replaced but for its lead."""
        mask = rf"\g<1>{mask_prefix}{self.mask_with}{mask_suffix}"
        return self.regex.sub(mask, content)


class SplitInstruction:
    """Puts spaces around punctuation, so that drain3 splits there."""

    mask_with = "SPLIT"

    def mask(self, content: str, mask_prefix: str, mask_suffix: str) -> str:
        """The content, spaced."""
        return SPLIT.sub(r" \1 ", content)


def plain_drain3(
    config: MinerConfig | None = None, masks: Sequence[Mask] = BUILT_IN
) -> TemplateMiner:
    """drain3 with our settings and these masks."""
    ours = config or MinerConfig()
    chosen = TemplateMinerConfig()
    chosen.drain_sim_th = ours.similarity
    chosen.drain_depth = ours.depth
    chosen.drain_max_children = ours.max_children
    chosen.masking_instructions = [*map(instruction, masks), SplitInstruction()]
    return TemplateMiner(config=chosen)


def default_drain3() -> TemplateMiner:
    """drain3 as it comes: its defaults, no masks."""
    return TemplateMiner(config=TemplateMinerConfig())


def instruction(mask: Mask) -> Any:
    """A mask of ours as drain3's; `(?a)` gives \\b and \\d the meaning of RE2."""
    kind = LeadInstruction if mask.lead else MaskingInstruction
    return kind("(?a)" + mask.pattern, mask.name)


def state(miner: TemplateMiner) -> list[tuple[int, int, tuple[str, ...]]]:
    """What drain3 holds, by id: (id, size, tokens)."""
    return [
        (c.cluster_id, c.size, tuple(c.log_template_tokens))
        for c in sorted(miner.drain.clusters, key=lambda c: c.cluster_id)
    ]

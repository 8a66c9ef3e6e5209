"""The signature of a finding: what it has in common with others of its kind.

    pattern + signed templates, masked ─▶ 12 hex digits

Nothing else goes in: no class (its id may change with a training), no score, no event
id, no session. So it can be read (`elkwatch.signature.lines`), and it stays the same
for as long as the templates read the same. A line that training never saw and one that
it hardly knows are one pattern here: the next training may hold the very session.
"""

from __future__ import annotations

import hashlib
import re

from connector import Signature
from elkwatch.privacy import Mask
from model import Verdict

DIGITS = 12
MAX_LINES = 40
_LIKE = {"rare-event": "new-event"}

# Digests of masks differ where no key is kept: they are no part of a signature.
_DIGEST = re.compile(r"<([A-Za-z0-9_-]+):[0-9a-f]{12}>")


def signature_of(verdict: Verdict, mask: Mask) -> Signature:
    """The signature of an anomalous verdict, with its first lines. Pure."""
    masked = (_DIGEST.sub(r"<\1>", mask(line)) for line in verdict.deviation)
    lines = tuple(dict.fromkeys(masked))
    pattern = _LIKE.get(verdict.pattern, verdict.pattern)
    text = "\n".join((pattern, *lines)).encode("utf-8", "replace")
    digits = hashlib.sha256(text).hexdigest()[:DIGITS]
    return Signature(digits, verdict.topic, lines[:MAX_LINES])

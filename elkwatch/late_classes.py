"""What `elkwatch classes discover` says: new classes, and the findings they'd re-label.

Takes findings as they stand in Elasticsearch, or the records of `elkwatch classify`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from elkwatch.class_records import shown_deviation
from elkwatch.config import PrivacySettings
from elkwatch.privacy import Masker
from elkwatch.translate import masked_values
from model import Lineage, discover_late

MAX_FINDINGS = 20_000
SHOWN_CHARS = 60

Document = Mapping[str, Any]


def unknown_findings(documents: Iterable[Document], source: str) -> list[Document]:
    """Findings of a source that fit no class: their session, pattern and evidence.

    The last MAX_FINDINGS at most.
    """
    kept: list[Document] = []
    for document in documents:
        own = document.get("elkwatch", {})
        strange = own.get("class", {}).get("known") is False
        stands = own.get("anomaly", True) and own.get("status") != "withdrawn"
        if own.get("source") == source and stands and strange:
            kept.append({**own, "session": own.get("session", {}).get("id", "")})
    return kept[-MAX_FINDINGS:]


def unknown_records(records: Iterable[Document]) -> list[Document]:
    """Those of `classify` that are anomalous and fit no class; the last of them."""
    kept = [r for r in records if r.get("anomaly") and r.get("known") is False]
    return kept[-MAX_FINDINGS:]


def masked_unknown(finding: Document, privacy: PrivacySettings) -> Document:
    """The finding with its excerpts masked, and its session unless keys are shown."""
    mask = Masker(privacy.mask)
    shown: Document = masked_values(finding, mask)
    if privacy.session_keys == "shown":
        return {**shown, "session": finding.get("session", "")}
    return shown


def late_classes(unknown: Sequence[Document], lineage: Lineage) -> list[dict[str, Any]]:
    """New classes among unknown findings, the largest first, with their sessions."""
    ids = discover_late([shown_deviation(own) for own in unknown], lineage)
    classes = []
    for class_id, count in Counter(i for i in ids if i is not None).most_common():
        own = [u for u, i in zip(unknown, ids, strict=True) if i == class_id]
        pattern = Counter(str(u.get("pattern", "")) for u in own).most_common(1)[0][0]
        classes.append(
            {
                "class_id": class_id,
                "new": lineage.of(class_id) is None,
                "name": f"{pattern}: {_subject(own)}",
                "members": count,
                "sessions": [str(u.get("session", "")) for u in own],
            }
        )
    return classes


def _subject(members: Sequence[Document]) -> str:
    """The template that most of them deviate by most."""
    loudest = Counter(
        max(lines, key=lambda line: float(line.get("surprise_nats", 0.0)))["template"]
        for member in members
        if (lines := member.get("evidence"))
    )
    return str(loudest.most_common(1)[0][0])[:SHOWN_CHARS] if loudest else ""

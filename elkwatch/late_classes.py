"""What `elkwatch classes discover` says: new classes, and the findings they'd re-label.

Takes findings as they stand in Elasticsearch, or the records of `elkwatch classify`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from elkwatch.class_records import shown_deviation
from elkwatch.config import PrivacySettings
from elkwatch.privacy import Mask, Masker
from elkwatch.translate import masked_values
from model import (
    UNSEEN,
    Catalogue,
    LateClass,
    LateFound,
    Strange,
    TrainedModel,
    discover_late,
)

MAX_FINDINGS = 20_000

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
            event = document.get("event", {})
            kept.append(
                {
                    **own,
                    "session": own.get("session", {}).get("id", ""),
                    "finding": event.get("id", ""),
                    "start": event.get("start"),
                    "end": event.get("end"),
                }
            )
    return kept[-MAX_FINDINGS:]


def unknown_records(records: Iterable[Document]) -> list[Document]:
    """Those of `classify` that are anomalous and fit no class; the last of them."""
    kept = [r for r in records if r.get("anomaly") and r.get("known") is False]
    return kept[-MAX_FINDINGS:]


def masked_unknown(finding: Document, privacy: PrivacySettings) -> Document:
    """The finding with its excerpts masked, and its session unless keys are shown."""
    mask = Masker(privacy.mask)
    kept = {key: finding[key] for key in ("finding", "start", "end") if key in finding}
    shown: Document = {**masked_values(finding, mask), **kept}
    if privacy.session_keys == "shown":
        return {**shown, "session": finding.get("session", "")}
    return shown


@dataclass(frozen=True, slots=True)
class Discovery:
    """Findings that fit no class, and the classes that are found among them."""

    unknown: Sequence[Document]
    model: TrainedModel
    found: LateFound

    @classmethod
    def of(
        cls, unknown: Sequence[Document], model: TrainedModel, catalogue: Catalogue
    ) -> Discovery:
        """Looks through the findings; changes nothing."""
        strange = [_strange(own, model.templates.mask) for own in unknown]
        return cls(
            unknown, model, discover_late(strange, model.full_lineage, catalogue)
        )

    def records(
        self, told: Mapping[str, int], language: str = "en"
    ) -> list[dict[str, Any]]:
        """One record a class, the largest first, with the sessions that it takes.

        `told`: how many findings were given its name, where that was done.
        """
        records = []
        for one in self.found.classes:
            own = self.taken(one)
            record = {
                "class_id": one.class_id,
                "new": self.model.full_lineage.of(one.class_id) is None,
                "name": one.entry.told_in(language, one.about).name,
                "members": one.members,
                "sessions": [str(u.get("session", "")) for u in own],
            }
            if one.class_id in told:
                record["relabelled"] = told[one.class_id]
            records.append(record)
        return records

    def taken(self, one: LateClass) -> list[Document]:
        """The findings that a class takes."""
        return [
            own
            for own, class_id in zip(self.unknown, self.found.ids, strict=True)
            if class_id == one.class_id
        ]


def _strange(own: Document, unseen: Mask) -> Strange:
    lines = sorted(
        own.get("evidence") or (), key=lambda e: -float(e.get("surprise_nats", 0.0))
    )
    return Strange(
        deviation=shown_deviation(own, unseen),
        pattern=str(own.get("pattern", "")),
        texts=tuple(_line(line, unseen) for line in lines),
        start=_time(own.get("start")),
        end=_time(own.get("end")),
    )


def _line(line: Document, unseen: Mask) -> str:
    """The template of a line; of one that none matches, the line without values."""
    template, message = str(line.get("template", "")), str(line.get("message", ""))
    return unseen(message) if template == UNSEEN and message else template


def _time(text: Any) -> datetime | None:
    try:
        return None if text is None else datetime.fromisoformat(str(text))
    except ValueError:
        return None

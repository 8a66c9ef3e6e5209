"""`classify` in parts: the sessions of the files, shared out by their keys.

Every worker reads all lines and keeps those of its keys, so that no line need be handed
from one process to another, and every session is whole in one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from elkwatch.cli.options import FileOptions
from elkwatch.config import MaskSettings, SourceSettings
from elkwatch.log_files import Tell, read_sessions, warn
from elkwatch.log_streams import shown
from elkwatch.privacy import Masker
from elkwatch.source_threshold import as_decided
from model import (
    Classifier,
    DetectorChoice,
    LogEvent,
    Session,
    Verdict,
    choose_device,
    load_bundle,
    load_catalogue,
    unit_key,
    with_detectors,
)


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Which model, and how it decides and speaks; called, it loads it.

    `settings`: of the source whose logs it judges; `detector` comes before its own.
    """

    bundle: Path
    device: str
    catalogue: Path | None
    language: str
    mask: tuple[MaskSettings, ...]
    detector: DetectorChoice | None = None
    settings: SourceSettings | None = None

    def __call__(self) -> Classifier:
        """Raises BundleError, DetectorError, CatalogueError, ConfigError."""
        device = choose_device(self.device)
        model = load_bundle(self.bundle)
        if self.settings is not None:
            model = as_decided(model, self.bundle, self.settings, device, self.detector)
        elif self.detector is not None:
            model = with_detectors(model, self.bundle, self.detector, device)
        return Classifier(
            model,
            device=device,
            language=self.language,
            catalogue=load_catalogue(self.catalogue),
            mask=Masker(self.mask).unnumbered,
        )


@dataclass(frozen=True, slots=True)
class FilePart:
    """The sessions of `paths` that are number `number` of `count` parts."""

    paths: tuple[str, ...]
    options: FileOptions
    number: int = 0
    count: int = 1

    def holds(self, event: LogEvent) -> bool:
        """Whether the event's session is in this part."""
        key = unit_key(event).encode("utf-8", "surrogatepass")
        return crc32(key) % self.count == self.number


@dataclass(frozen=True, slots=True)
class PartVerdicts:
    """The verdicts of a part, each with its session's place in the files.

    `told`: what was odd about the files, the same in each part; one part alone has
    told it itself.
    """

    verdicts: tuple[tuple[tuple[int, int], Verdict], ...]
    told: tuple[str, ...]


def judge(classifier: Classifier, part: FilePart) -> PartVerdicts:
    """All verdicts of a part. Raises FileError, ConfigError."""
    told: list[str] = []
    alone = part.count == 1
    sessions = read_sessions(
        part.paths,
        part.options,
        only=None if alone else part.holds,
        tell=warn if alone else told.append,
    )
    places = _Places(part.paths)
    verdicts = classifier.classify(sessions)
    judged = [
        ((0, number) if alone else places.of(session), verdict)
        for number, (session, verdict) in enumerate(
            zip(sessions, verdicts, strict=True)
        )
    ]
    return PartVerdicts(tuple(judged), tuple(told))


def merged(parts: Sequence[PartVerdicts], tell: Tell) -> list[Verdict]:
    """The verdicts of all parts, in the order that one alone would have given."""
    for line in parts[0].told:
        tell(line)
    verdicts = [pair for part in parts for pair in part.verdicts]
    return [verdict for _, verdict in sorted(verdicts, key=lambda pair: pair[0])]


class _Places:
    """Where a session begins: its first line, by file and number."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._files: dict[str, int] = {}
        for number, path in enumerate(paths):
            self._files.setdefault(shown(path), number)

    def of(self, session: Session) -> tuple[int, int]:
        return min(self._place(event.doc_id) for event in session.events)

    def _place(self, doc_id: str) -> tuple[int, int]:
        name, _, line = doc_id.rpartition(":")
        return self._files[name], int(line)

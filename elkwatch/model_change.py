"""Between rounds: which model is live, which one runs in its shadow."""

from __future__ import annotations

from connector import ShadowFigures
from elkwatch.compose import SourceParts
from elkwatch.outputs import Outputs
from elkwatch.program_log import get_logger
from elkwatch.source_run import Reading

_log = get_logger("elkwatch.model_change")


def take_up_models(source: SourceParts) -> None:
    """What stands on disk now, if it is another. Nothing is lost: what is open is read
    again, as after a restart.
    """
    _take_up_live(source)
    _take_up_candidate(source)


def shadow_figures(reading: Reading, outputs: Outputs) -> ShadowFigures | None:
    """What the candidate said in the run that ended; None without one."""
    if reading.shadow is None:
        return None
    book = reading.shadow.take_book()
    shown = str if outputs.show_keys else outputs.mask
    return ShadowFigures(
        live=reading.classifier.model.version,
        candidate=reading.shadow.version,
        sessions=book.sessions,
        both=book.both,
        appear=book.appear,
        vanish=book.vanish,
        kinds=book.kinds,
        live_s=book.live_s,
        candidate_s=book.candidate_s,
        appearing=[shown(key) for key in book.appearing],
        vanishing=[shown(key) for key in book.vanishing],
        failure=book.failure,
    )


def _take_up_live(source: SourceParts) -> None:
    reading = source.reading
    before = reading.classifier.model.version
    other = None if source.live is None else source.live.other_than(before)
    if other is not None:
        reading.adopt(other)
        renamed = other.model.version == before
        _log.info(
            "classes taken up" if renamed else "new model taken up",
            source=reading.settings.name,
            version=other.model.version,
            before=before,
        )


def _take_up_candidate(source: SourceParts) -> None:
    reading = source.reading
    if source.candidate is None:
        return
    before = "" if reading.shadow is None else reading.shadow.version
    if before and not source.candidate.is_there:
        reading.watch(None)
        _log.info("candidate gone", source=reading.settings.name, version=before)
        return
    other = source.candidate.other_than(before)
    if other is not None:
        reading.watch(other)
        _log.info(
            "candidate runs beside the live model",
            source=reading.settings.name,
            version=other.model.version,
            live=reading.classifier.model.version,
        )

"""The state *model out of date*, as people are told of it: once when it begins, once
when it is over.

    drift.outdated ─▶ one finding of its own ─▶ one episode, which lasts ─▶ one message
    a model that fits ─▶ the episode is over ─▶ one message

The id of the finding comes from the source and the time since when it is so, which are
kept with the cursor: after a crash or on another instance it is the same one.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from connector import Finding
from elkwatch.translate import notice

if TYPE_CHECKING:
    from elkwatch.outputs import Outputs
    from elkwatch.source_run import Reading

STATE = "model-outdated"
_NAMES = {"en": "Model out of date", "zh": "模型已过时"}
_ADVICE = {
    "en": (
        "{reason}. While this lasts, findings of unknown kind are written but not "
        "sent, unless they are critical or hold an error line. Look at them (status "
        "held-back). If they are not normal, something is wrong on a large scale. If "
        "they are normal now, train again:\n{train}"
    ),
    "zh": (
        "{reason}。在此期间，未知类型的发现只写入、不发送，除非为严重级别或含有错误行。"
        "请查看这些发现（状态 held-back）。如果它们不正常，说明出现了大范围问题。"
        "如果它们现在属于正常，请重新训练：\n{train}"
    ),
}
_CAUSES = {
    "en": (
        "a release changed what the service logs",
        "the load or the way of working has changed",
        "much fails at once",
    ),
    "zh": ("新版本改变了日志内容", "负载或工作方式已改变", "大量请求同时失败"),
}


def train_command(source: str) -> str:
    """How to train a new model for a source."""
    return f"elkwatch train --from-es {source} --from now-7d --out models/{source}"


def tell_of_state(
    reading: Reading, outputs: Outputs, until: datetime, now: datetime
) -> bool:
    """Says that the state began or is over, if people do not know yet; → whether.

    `until`: how far the source is read. To be called when the state is stored; that
    people know of it is to be stored after that.
    """
    drift = reading.drift
    if outputs.alerts is None:
        return False
    if drift.outdated and not drift.told:
        outputs.fence()
        found = _finding(reading, until, now)
        outputs.findings.write([found])
        outputs.alerts.note([replace(notice(found), lasts=True)], now)
        drift.told = True
        return True
    if drift.told and drift.fits:
        outputs.fence()
        source = reading.settings.name
        why = f"model {drift.version} fits what the source delivers"
        outputs.alerts.over(source, _fingerprint(source), now, why)
        drift.told = False
        return True
    return False


def _fingerprint(source: str) -> str:
    return f"{source}/{STATE}/-"


def _finding(reading: Reading, until: datetime, now: datetime) -> Finding:
    drift, source = reading.drift, reading.settings.name
    since = drift.since or until
    language = reading.classifier.adviser.language
    advice = _ADVICE[language].format(reason=drift.reason, train=train_command(source))
    return Finding(
        source=source,
        session=f"model {drift.version}",
        window_start=since,
        start=since,
        end=max(since, until),
        events=0,
        detected_at=now,
        score=drift.flagged_share,
        threshold=drift.promise.flagged,
        risk=100,
        confidence=1.0,
        class_id=STATE,
        class_name=_NAMES[language],
        pattern=STATE,
        severity="high",
        known=True,
        advice=advice,
        causes=_CAUSES[language],
        model_version=drift.version,
        unknown_ratio=reading.counts.unknown_ratio,
        service=None,
        host=None,
        fingerprint=_fingerprint(source),
    )

"""What became of sessions, written: findings first, then those who are told of them.

verdict ─▶ people's opinions ─▶ finding ─▶ data stream ─▶ news? ─▶ episode
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from alerting import FindingNotice
from connector import DeadLetter, DecodeProblem, Finding, WriteReport
from connector.findings import QUIET
from elkwatch.feedback import Reviewed
from elkwatch.outputs import LogUrl, Outputs, Progress
from elkwatch.source_run import Reading
from elkwatch.telling import Standing, told_as
from elkwatch.translate import finding, masked_letter, notice
from model import Verdict


def write_verdicts(
    reading: Reading,
    outputs: Outputs,
    verdicts: Sequence[Verdict],
    severe: Sequence[bool],
    now: datetime,
    log_url: LogUrl,
    progress: Progress,
) -> None:
    """Findings first, then those who are told of them; replays change nothing."""
    source = reading.settings.name
    advise = reading.classifier.adviser.of_kind
    reviewed = [
        reading.opinions.review(v, source, outputs.mask, advise) for v in verdicts
    ]
    findings = [
        _finding(one, reading, outputs, has_error, now, log_url)
        for one, has_error in zip(reviewed, severe, strict=True)
    ]
    if not findings:
        return
    outputs.fence()
    report = outputs.findings.write(findings)
    _count(report, progress)
    progress.classes.update(
        f.class_id for f in findings if report.outcomes[f.finding_id] == "created"
    )
    if outputs.alerts is not None:
        outputs.fence()
        told = [f for f in findings if _is_told(f, report)]
        outputs.alerts.note([_notice(f) for f in told], now)
    for verdict in verdicts:
        if verdict.anomaly:
            progress.quality.confirmed(verdict.class_id, known=verdict.known)
            reading.tracker.reported(verdict.key, verdict.window_start)


def _finding(
    reviewed: Reviewed,
    reading: Reading,
    outputs: Outputs,
    severe: bool,
    now: datetime,
    log_url: LogUrl,
) -> Finding:
    """What is written of a verdict, with what people said of its like."""
    verdict = reviewed.verdict
    open_for = reading.tracker.judged_as(
        verdict.key, verdict.window_start, verdict.topic if verdict.anomaly else ""
    )
    told = told_as(
        verdict,
        Standing(open_for, severe, reviewed.doubted),
        reviewed.mark,
        outdated=reading.drift.outdated,
    )
    return finding(
        verdict,
        source=reading.settings.name,
        detected_at=now,
        mask=outputs.mask,
        log_url=log_url(verdict),
        keep_normal=outputs.include_normal,
        show_keys=outputs.show_keys,
        signature=reviewed.signature,
        feedback=reviewed.mark,
        told_as=told,
    )


_TOLD = ("created", "exists", "amended", "withdrawn", "suppressed")


def _is_told(found: Finding, report: WriteReport) -> bool:
    """Whether it is news: not what stands quiet, nor what was never an anomaly."""
    outcome = report.outcomes[found.finding_id]
    if found.finding_id in report.quiet or outcome not in _TOLD:
        return False
    return found.anomaly or outcome != "created"


def _notice(found: Finding) -> FindingNotice:
    """As it was written: what was open before stays open, and is not quiet again."""
    status = "open" if found.status in QUIET else found.status
    return notice(replace(found, status=status))


def _count(report: WriteReport, progress: Progress) -> None:
    progress.created += report.count("created")
    progress.amended += report.count("amended")
    progress.withdrawn += report.count("withdrawn")
    progress.suppressed += report.count("suppressed")
    progress.held_back += report.count("held-back")
    progress.dead += report.count("dead")


def keep_problems(
    problems: Sequence[DecodeProblem],
    reading: Reading,
    outputs: Outputs,
    now: datetime,
) -> None:
    if problems:
        source = reading.settings.name
        outputs.fence()
        outputs.findings.dead_letter(
            [
                masked_letter(
                    DeadLetter.of_problem(p, source=source, at=now), outputs.mask
                )
                for p in problems
            ]
        )

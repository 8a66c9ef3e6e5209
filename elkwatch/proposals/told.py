"""A survey as a person reads it, and as JSON."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from elkwatch.config import duration_text
from elkwatch.proposals.propose import Proposal
from elkwatch.proposals.shown import shown
from elkwatch.proposals.survey import Survey
from elkwatch.proposals.written import named, role_fields, session_text

_SHOWN_OTHERS = 2


def table(survey: Survey) -> str:
    """What is proposed, with every reason, and what is not."""
    lines: list[str] = []
    for name, proposal in named(survey.proposals):
        lines += [*_told(name, proposal), ""]
    if survey.passed_over:
        lines.append("not proposed")
        width = min(36, max(len(shown(one.name)) for one in survey.passed_over))
        lines += [
            f"  {shown(one.name).ljust(width)}  {shown(one.reason, 300)}"
            for one in survey.passed_over
        ]
        lines.append("")
    return "\n".join(lines)


def as_json(survey: Survey) -> dict[str, Any]:
    """The same with every figure."""
    return {
        "sources": [
            _proposal_json(name, proposal) for name, proposal in named(survey.proposals)
        ],
        "not_proposed": [asdict(one) for one in survey.passed_over],
    }


def next_commands(survey: Survey, config: str, now: datetime) -> list[str]:
    """What to type next."""
    name, proposal = named(survey.proposals)[0]
    oldest, newest = proposal.extent.oldest, proposal.extent.newest
    start = "now-7d"
    if oldest is not None and newest is not None and (now - newest).days >= 7:
        start = f"{oldest:%Y-%m-%dT%H:%M:%SZ}"
    where = "" if config == "elkwatch.yml" else f" --config {shlex.quote(config)}"
    return [
        f"elkwatch config check{where}",
        f"elkwatch setup{where}",
        f"elkwatch train --from-es {name} --from {start} --out models/{name}{where}",
        f"elkwatch doctor{where}",
        f"elkwatch run{where}",
    ]


def _told(name: str, proposal: Proposal) -> Iterator[str]:
    spec, extent = proposal.spec, proposal.extent
    yield f"{name}: {proposal.fitness.grade}"
    fields = ", ".join(
        f"{key.removesuffix('_field')} {shown(path)}"
        for key, path in role_fields(proposal).items()
    )
    rows = [
        ("index", f"{shown(spec.index)} ({_many(proposal)})"),
        ("session", shown(session_text(spec) or "windows of 5m per service and host")),
        ("fields", fields),
    ]
    rows += [("why", shown(reason, 300)) for reason in proposal.fitness.reasons]
    rows += [
        ("not", f"{shown(other.candidate.text)}: {other.why_not}")
        for other in proposal.others[:_SHOWN_OTHERS]
    ]
    gap = proposal.ingest_gap_s
    if gap is not None and gap >= 0:
        after = duration_text(timedelta(seconds=round(gap, 0 if gap > 10 else 1)))
        rows.append(("gap", f"documents arrive {after} after they were written"))
    rows += [("note", shown(note, 300)) for note in proposal.notes]
    if extent.oldest and extent.newest:
        days = f"{extent.oldest:%Y-%m-%d %H:%M} to {extent.newest:%Y-%m-%d %H:%M} UTC"
        rows.insert(1, ("from", days))
    yield from (f"  {what:<8} {text}" for what, text in rows)


def _many(proposal: Proposal) -> str:
    rate = proposal.sessions.per_minute
    pace = f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"
    return f"{proposal.extent.documents:,} documents, lately {pace} a minute"


def _proposal_json(name: str, proposal: Proposal) -> dict[str, Any]:
    spec, extent = proposal.spec, proposal.extent
    rule = spec.session
    session: dict[str, Any] = {}
    if rule.field:
        session = {"field": rule.field}
    elif rule.pattern:
        session = {"pattern": rule.pattern}
    elif rule.fields:
        window = duration_text(timedelta(seconds=rule.unit_s or 0))
        session = {"fields": list(rule.fields), "window": window}
    return {
        "name": name,
        "index": spec.index,
        "members": list(proposal.data_set.members),
        "fit": proposal.fitness.grade,
        "reasons": list(proposal.fitness.reasons),
        "notes": list(proposal.notes),
        **role_fields(proposal),
        "session": session or None,
        "session_timeout_s": proposal.timeout_s,
        "max_session_age_s": proposal.age_s,
        "documents": extent.documents,
        "oldest": extent.oldest and extent.oldest.isoformat(),
        "newest": extent.newest and extent.newest.isoformat(),
        "ingest_gap_s": proposal.ingest_gap_s,
        "templates": asdict(proposal.templates),
        "sessions": asdict(proposal.sessions),
        "other_keys": [
            {
                "key": other.candidate.text,
                "why_not": other.why_not,
                "sessions": asdict(other.figures),
            }
            for other in proposal.others
        ],
    }
